use super::layout::Layout;
use super::{integrity, sheet, volume};

const REDACTIONS: [&str; 8] = ["Bates", "Record", "Part", "Document Type", "File", "Number", "Place", "Reason"];
const WITHHELD: [&str; 8] = [
    "Record",
    "Part",
    "Bates of the redacted copy",
    "Document Type",
    "Date (UTC)",
    "Custodian",
    "Reason",
    "SHA-256 of the sealed original",
];
/// Lines about documents. What is not of a profile stays empty.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) load_file: String,
    pub(super) audio: String,
    pub(super) production: String,
    pub(super) redactions: String,
    pub(super) withheld: String,
    pub(super) custody: String,
    pub(super) integrity: String,
}

impl Tables {
    /// With the first line of each.
    pub(super) fn begun() -> Self {
        Self {
            redactions: sheet::header(&REDACTIONS),
            withheld: sheet::header(&WITHHELD),
            integrity: integrity::BEGIN.to_owned(),
            ..volume::begun()
        }
    }

    pub(super) fn len(&self) -> u64 {
        let Self { load_file, audio, production, redactions, withheld, custody, integrity } = self;
        [load_file, audio, production, redactions, withheld, custody, integrity]
            .map(|text| text.len() as u64)
            .iter()
            .sum()
    }

    pub(super) fn append(&mut self, more: &Self) {
        let Self { load_file, audio, production, redactions, withheld, custody, integrity } = more;
        self.load_file.push_str(load_file);
        self.audio.push_str(audio);
        self.production.push_str(production);
        self.redactions.push_str(redactions);
        self.withheld.push_str(withheld);
        self.custody.push_str(custody);
        integrity::add(&mut self.integrity, integrity);
    }

    /// The files that they are, with their paths below `data/`.
    pub(super) fn into_files(self, layout: &Layout) -> Vec<(String, Vec<u8>)> {
        let Self { load_file, audio, production, redactions, withheld, custody, integrity } = self;
        let mut files = vec![
            (layout.data("integrity.json"), integrity + integrity::END),
            (layout.data("redactions.csv"), redactions),
            (layout.data("withheld.csv"), withheld),
        ];
        if let Layout::Litigation(bates) = layout {
            files.push((Layout::load_file(bates), load_file));
            files.push((layout.data("audio.csv"), audio));
            files.push((layout.data("production.csv"), production));
            files.push((layout.data("custody.csv"), custody));
        }
        files.into_iter().map(|(name, text)| (name, text.into_bytes())).collect()
    }
}
