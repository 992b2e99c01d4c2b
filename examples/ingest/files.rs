//! Files in folders become drafts: what shares a folder and a stem is one interaction.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use serde_json::Value;
use strongroom::{
    Channel, Direction, Draft, DraftPart, Identifier, PartKind, ProducerDigest, Role, Subject, Timestamp,
};

pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The files of one interaction.
pub struct Interaction {
    /// Folder and stem, as a person would name it.
    pub name: String,
    pub files: Vec<PathBuf>,
    sidecar: Option<PathBuf>,
    pub bytes: u64,
}

/// Finds interactions below paths, in the order of their names. What cannot be looked at is a failure of its own.
pub fn find(paths: &[PathBuf]) -> (Vec<Interaction>, Vec<(PathBuf, Failure)>) {
    let (mut groups, mut failures) = (BTreeMap::new(), Vec::new());
    for path in paths {
        // Canonical: the same file is the same interaction however it was reached.
        match fs::canonicalize(path) {
            Ok(path) => collect(&path, &mut groups, &mut failures),
            Err(e) => failures.push((path.clone(), e.into())),
        }
    }
    // A description without anything described is a file like any other.
    let found = groups.into_iter().map(|((folder, stem), mut files): (_, Vec<PathBuf>)| {
        files.sort();
        files.dedup();
        let described = files.iter().any(|f| !is_sidecar(f));
        let sidecar = described.then(|| files.iter().position(|f| is_sidecar(f)).map(|at| files.remove(at))).flatten();
        let bytes = files.iter().filter_map(|f| f.metadata().ok()).map(|m| m.len()).sum();
        Interaction { name: Path::new(&folder).join(&stem).display().to_string(), files, sidecar, bytes }
    });
    (found.collect(), failures)
}

type Groups = BTreeMap<(PathBuf, String), Vec<PathBuf>>;

fn collect(path: &Path, groups: &mut Groups, failures: &mut Vec<(PathBuf, Failure)>) {
    let kind = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata.file_type(),
        Err(e) => return failures.push((path.to_owned(), e.into())),
    };
    if kind.is_dir() {
        match fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>) {
            Ok(entries) => entries.iter().for_each(|e| collect(&e.path(), groups, failures)),
            Err(e) => failures.push((path.to_owned(), e.into())),
        }
    } else if kind.is_file() {
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        groups.entry((folder, stem(path))).or_default().push(path.to_owned());
    } else {
        failures.push((path.to_owned(), "neither a file nor a folder; give a link's target instead".into()));
    }
}

fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let whole =
        name.strip_suffix(".meta.json").unwrap_or_else(|| name.rsplit_once('.').map_or(&name, |(stem, _)| stem));
    // ".hidden" has no stem.
    if whole.is_empty() { name.into_owned() } else { whole.to_owned() }
}

fn is_sidecar(path: &Path) -> bool {
    path.file_name().is_some_and(|n| n.to_string_lossy().ends_with(".meta.json"))
}

impl Interaction {
    /// Makes a draft that reads the files when it is ingested, moving `bar`.
    pub fn draft(&self, bar: &ProgressBar) -> Result<Draft<'static>, Failure> {
        let kinds: Vec<(PartKind, &str)> = self.files.iter().map(|f| kind(f, &self.files)).collect();
        let channel = if kinds.iter().any(|(k, _)| *k == PartKind::Audio) {
            Channel::Voice
        } else {
            match kinds.first().map(|(k, _)| *k) {
                Some(PartKind::Email) => Channel::Email,
                Some(PartKind::Chat) => Channel::Chat,
                _ => Channel::Other("file".into()),
            }
        };
        let mut draft = Draft::new(channel).idempotency_key(self.key());
        let mut about = Value::Null;
        if let Some(sidecar) = &self.sidecar {
            about = serde_json::from_slice(&fs::read(sidecar)?)?;
            draft = describe(draft, &about)?;
        }
        for (file, (kind, media_type)) in self.files.iter().zip(kinds) {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let mut part = DraftPart::new(kind, media_type, bar.wrap_read(File::open(file)?)).name(&name);
            if let Some(digest) = about["sha512"][&name].as_str() {
                part = part.digest(ProducerDigest::Sha512(unhex(digest).ok_or("a digest that is not hexadecimal")?));
            }
            draft = draft.with(part);
        }
        Ok(draft)
    }
}

impl Interaction {
    /// Its first file's path. Debug writes any name, whatever its bytes, unmistakably; a very long one by its hash.
    fn key(&self) -> String {
        let path = format!("{:?}", self.files.first().unwrap_or(&PathBuf::new()));
        if path.len() <= 1024 {
            return path;
        }
        let digest = ring::digest::digest(&ring::digest::SHA256, path.as_bytes());
        digest.as_ref().iter().map(|b| format!("{b:02x}")).collect()
    }
}

/// What a file is, by its ending. Unknown ones are kept as they are.
fn kind(path: &Path, siblings: &[PathBuf]) -> (PartKind, &'static str) {
    let ending = |p: &Path| p.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let audio = |p: &Path| media_type(&ending(p)).starts_with("audio/");
    let media_type = media_type(&ending(path));
    let text = media_type.starts_with("text/") || media_type == "application/json";
    let chat = path.components().any(|c| c.as_os_str().to_string_lossy().to_ascii_lowercase().starts_with("chat"));
    let kind = match media_type {
        m if m.starts_with("audio/") => PartKind::Audio,
        "message/rfc822" => PartKind::Email,
        _ if text && !siblings.iter().any(|s| audio(s)) && chat => PartKind::Chat,
        _ if text => PartKind::Transcript,
        _ => PartKind::Attachment,
    };
    (kind, media_type)
}

fn media_type(ending: &str) -> &'static str {
    match ending {
        "aac" => "audio/aac",
        "amr" => "audio/amr",
        "flac" => "audio/flac",
        "g722" => "audio/G722",
        "gsm" => "audio/GSM",
        "m4a" | "mp4" => "audio/mp4",
        "mp3" => "audio/mpeg",
        "ogg" | "opus" => "audio/ogg",
        "wav" => "audio/vnd.wave",
        "weba" | "webm" => "audio/webm",
        "csv" => "text/csv",
        "eml" => "message/rfc822",
        "htm" | "html" => "text/html",
        "json" => "application/json",
        "srt" | "text" | "txt" => "text/plain",
        "vtt" => "text/vtt",
        "pdf" => "application/pdf",
        _ => "application/octet-stream",
    }
}

/// Takes what a `.meta.json` says.
fn describe<'a>(mut draft: Draft<'a>, about: &Value) -> Result<Draft<'a>, Failure> {
    if let Some(start) = about["start"].as_str() {
        draft = draft.start(utc(start).ok_or("a start that is not written as 2024-03-16T16:09:20.701Z")?);
    }
    if let Some(ms) = about["duration_ms"].as_u64() {
        draft = draft.duration_ms(ms);
    }
    match about["direction"].as_str() {
        Some("inbound") => draft = draft.direction(Direction::Inbound),
        Some("outbound") => draft = draft.direction(Direction::Outbound),
        Some("internal") => draft = draft.direction(Direction::Internal),
        Some(_) => return Err("a direction that is none of inbound, outbound, internal".into()),
        None => {}
    }
    for (name, set) in [
        ("agent", Draft::agent as fn(Draft<'a>, String) -> Draft<'a>),
        ("queue", Draft::queue),
        ("language", Draft::language),
        ("policy_version", Draft::policy_version),
    ] {
        if let Some(value) = about[name].as_str() {
            draft = set(draft, value.to_owned());
        }
    }
    for tag in about["tags"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        draft = draft.tag(tag);
    }
    for person in about["subjects"].as_array().into_iter().flatten() {
        let role = match person["role"].as_str() {
            Some("customer") => Role::Customer,
            Some("agent") => Role::Agent,
            Some("supervisor") => Role::Supervisor,
            Some("bot") => Role::Bot,
            other => Role::Other(other.unwrap_or("unknown").to_owned()),
        };
        let name = person["name"].as_str().map(str::to_owned);
        let mut subject = Subject::named(role, "");
        subject.name = name;
        for (field, parse) in [
            ("tel", Identifier::tel as fn(&str) -> strongroom::Result<Identifier>),
            ("mailto", Identifier::mailto),
            ("customer", Identifier::customer),
        ] {
            if let Some(text) = person[field].as_str() {
                subject = subject.with_identifier(parse(text)?);
            }
        }
        draft = draft.subject(subject);
    }
    Ok(draft)
}

/// `2024-03-16T16:09:20.701Z`, and only that: no zone is guessed.
fn utc(text: &str) -> Option<Timestamp> {
    let field = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let shape = "0000-00-00T00:00:00.000Z";
    let fits = text.len() == shape.len()
        && text.bytes().zip(shape.bytes()).all(|(t, s)| if s == b'0' { t.is_ascii_digit() } else { t == s });
    if !fits {
        return None;
    }
    let (year, month, day) = (field(0, 4)?, field(5, 7)?, field(8, 10)?);
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days =
        365 * y + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + (153 * m + 2) / 5 + day - 1 - 719_468;
    let ms = ((days * 24 + field(11, 13)?) * 60 + field(14, 16)?) * 60_000 + field(17, 19)? * 1000 + field(20, 23)?;
    let time = Timestamp::from_unix_ms(ms);
    // The 31st of April would print as another day.
    (time.to_string() == text).then_some(time)
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(text.get(i..i + 2)?, 16).ok()).collect()
}
