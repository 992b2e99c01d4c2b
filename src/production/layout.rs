use super::bates::Bates;
use super::gather::Document;
use crate::bundle;
use crate::id::RecordId;

/// Files in a folder of a litigation volume at the most.
const FOLDER: usize = 2_000;

/// Where files are, below `data/`.
pub(super) enum Layout {
    Portable,
    Litigation(Bates),
}

impl Layout {
    /// The file of a document that is not within its vCon.
    pub(super) fn native(&self, document: &Document) -> String {
        match self {
            Self::Portable => format!("files/{}", bundle::media_name(&document.sums, document.extension)),
            Self::Litigation(bates) => numbered(bates, "NATIVES", document, document.extension),
        }
    }

    /// The text of a document.
    pub(super) fn text(&self, document: &Document) -> Option<String> {
        match self {
            Self::Litigation(bates) if document.text.is_some() => Some(numbered(bates, "TEXT", document, "txt")),
            _ => None,
        }
    }

    /// The vCon of the record that is the `at`th with something in the production.
    pub(super) fn vcon(&self, record: RecordId, at: usize) -> String {
        match self {
            Self::Portable => format!("vcons/{record}.json"),
            Self::Litigation(bates) => format!("{}/VCON/{}/{record}.json", bates.volume(), folder(at)),
        }
    }

    /// The page of that record.
    pub(super) fn page(&self, record: RecordId, at: usize) -> String {
        match self {
            Self::Portable => format!("pages/{record}.html"),
            Self::Litigation(bates) => format!("{}/PAGES/{}/{record}.html", bates.volume(), folder(at)),
        }
    }

    /// The page that lists all records.
    pub(super) fn index(&self) -> String {
        match self {
            Self::Portable => "index.html".to_owned(),
            Self::Litigation(bates) => format!("{}/index.html", bates.volume()),
        }
    }

    /// A table or another file about the documents.
    pub(super) fn data(&self, name: &str) -> String {
        match self {
            Self::Portable => name.to_owned(),
            Self::Litigation(bates) => format!("{}/DATA/{name}", bates.volume()),
        }
    }

    /// The load file.
    pub(super) fn load_file(bates: &Bates) -> String {
        format!("{0}/DATA/{0}.dat", bates.volume())
    }

    /// The number that a document bears.
    pub(super) fn bates(&self, document: &Document) -> Option<String> {
        match self {
            Self::Portable => None,
            Self::Litigation(bates) => Some(bates.name(document.number)),
        }
    }
}

fn numbered(bates: &Bates, what: &str, document: &Document, extension: &str) -> String {
    let (volume, folder, name) = (bates.volume(), folder(document.at), bates.name(document.number));
    format!("{volume}/{what}/{folder}/{name}.{extension}")
}

fn folder(at: usize) -> String {
    format!("{:04}", at / FOLDER + 1)
}

/// The way from one file to another, both below `data/`.
pub(super) fn relative(from: &str, to: &str) -> String {
    let folder = |path: &str| path.rfind('/').map_or(0, |at| at + 1);
    let mut shared = from.bytes().zip(to.bytes()).take_while(|(a, b)| a == b).count();
    shared = folder(from.get(..shared).unwrap_or_default());
    let up = from.get(shared..).unwrap_or_default().matches('/').count();
    "../".repeat(up) + to.get(shared..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::relative;

    #[test]
    fn the_way_between_two_files_leads_over_the_folder_that_they_share() {
        for (from, to, way) in [
            ("index.html", "pages/a.html", "pages/a.html"),
            ("pages/a.html", "index.html", "../index.html"),
            ("pages/a.html", "pages/ab.html", "ab.html"),
            ("V/PAGES/0001/a.html", "V/PAGES/0002/a.html", "../0002/a.html"),
            ("V/PAGES/0001/a.html", "V/NATIVES/0001/N1.wav", "../../NATIVES/0001/N1.wav"),
            ("V/PAGES/0001/a.html", "V/index.html", "../../index.html"),
        ] {
            assert_eq!(relative(from, to), way);
        }
    }
}
