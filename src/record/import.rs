use std::fmt;
use std::io::Cursor;
use std::path::PathBuf;

use super::draft::{Draft, DraftPart};
use super::head::PartKind;

/// What a foreign document became: a draft, and every liberty that was taken on the way.
///
/// Drafts of importers hold the document itself as a part of kind [`Original`](PartKind::Original).
#[must_use = "what is imported is stored only by ingesting it"]
pub struct Imported {
    /// What it became.
    pub draft: Draft<'static>,
    /// Where the document was not what its format asks for, and what was made of it.
    pub coercions: Vec<Coercion>,
    /// Files beside the document that are in the draft, since the document refers to them.
    pub files: Vec<PathBuf>,
}

/// A place at which a document was not what its format asks for, and what was made of it.
///
/// Says where and what, never the value: a report of coercions holds no subject and no text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Coercion {
    /// The place: a JSON pointer (RFC 6901), a header's name, a line number.
    pub place: String,
    /// What was made of it.
    pub made: &'static str,
}

impl Coercion {
    /// A coercion that an importer of your own made.
    pub fn new(place: impl Into<String>, made: &'static str) -> Self {
        Self { place: place.into(), made }
    }
}

impl fmt::Display for Coercion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.made)
    }
}

/// The name of the part that holds the list of coercions.
pub(crate) const COERCIONS: &str = "coercions.txt";

impl Imported {
    /// What an importer of your own made.
    pub fn new(draft: Draft<'static>, coercions: Vec<Coercion>) -> Self {
        Self { draft, coercions, files: Vec::new() }
    }

    /// The draft, with its coercions as a part of kind [`Analysis`](PartKind::Analysis) named `coercions.txt`, one to a
    /// line, if there are any: the tenant finds them beside what they were made from.
    pub fn into_draft(self) -> Draft<'static> {
        if self.coercions.is_empty() {
            return self.draft;
        }
        let lines: String = self.coercions.iter().map(|c| format!("{c}\n")).collect();
        let part = DraftPart::new(PartKind::Analysis, "text/plain;charset=utf-8", Cursor::new(lines.into_bytes()));
        self.draft.with(part.name(COERCIONS))
    }
}

impl fmt::Debug for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { draft, coercions, files } = self;
        write!(f, "Imported({draft:?}, {} coercions, {} files)", coercions.len(), files.len())
    }
}
