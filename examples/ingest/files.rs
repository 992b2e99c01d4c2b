//! Files in folders become drafts: what shares a folder and a stem is one interaction.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use serde_json::Value;
use strongroom::{
    Channel, Coercion, Direction, Draft, DraftPart, Identifier, Imported, PartKind, ProducerDigest, Role, Subject,
    audio, chat, mail, vcon,
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
    claim(&mut groups);
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

/// Puts recordings that a vCon refers to by name with it, so that each is ingested once.
fn claim(groups: &mut Groups) {
    let documents: Vec<(PathBuf, String)> =
        groups.iter().filter(|(_, files)| files.iter().any(|f| is_vcon(f))).map(|(key, _)| key.clone()).collect();
    for key in documents {
        let Some(document) = groups[&key].iter().find(|f| is_vcon(f)).cloned() else { continue };
        let Some(text) = fs::read(&document).ok().and_then(|bytes| Some(vcon::parse(&bytes).ok()?.to_string())) else {
            continue;
        };
        let claimed: Vec<(PathBuf, String)> = groups
            .iter()
            .filter(|(other, files)| other.0 == key.0 && **other != key && files.len() == 1 && !is_vcon(&files[0]))
            .filter(|(_, files)| {
                let name = files[0].file_name().unwrap_or_default().to_string_lossy();
                let quoted = Value::from(name.as_ref()).to_string();
                // As a file's name, or at the end of a URL.
                text.contains(&format!("\"filename\":{quoted}")) || text.contains(&format!("/{}", &quoted[1..]))
            })
            .map(|(other, _)| other.clone())
            .collect();
        for other in claimed {
            let files = groups.remove(&other).unwrap_or_default();
            groups.entry(key.clone()).or_default().extend(files);
        }
    }
}

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
    } else if kind.is_file() && in_chats(path) && path.ends_with("mapping.json") {
        // Says how to read its neighbours.
    } else if kind.is_file() {
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        groups.entry((folder, stem(path))).or_default().push(path.to_owned());
    } else {
        failures.push((path.to_owned(), "neither a file nor a folder; give a link's target instead".into()));
    }
}

fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let endings = [".meta.json", ".vcon.json.gz", ".vcon.json", ".vcon.gz", ".json.gz"];
    let known = endings.iter().find_map(|ending| name.strip_suffix(ending));
    let whole = known.unwrap_or_else(|| name.rsplit_once('.').map_or(&name, |(stem, _)| stem));
    // ".hidden" has no stem.
    if whole.is_empty() { name.into_owned() } else { whole.to_owned() }
}

fn is_sidecar(path: &Path) -> bool {
    path.file_name().is_some_and(|n| n.to_string_lossy().ends_with(".meta.json"))
}

/// A draft, and what had to be made of what it came from.
pub type Draftings<'a> = Box<dyn Iterator<Item = Result<Imported, Failure>> + Send + 'a>;

impl Interaction {
    /// Makes drafts: one, but for files that hold many. Files are read when a draft is ingested, moving `bar`.
    pub fn drafts<'a>(&'a self, bar: &'a ProgressBar) -> Result<Draftings<'a>, Failure> {
        let ending = |file: &Path| file.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        if let [file] = &self.files[..] {
            let chats = |format| -> Result<Draftings<'a>, Failure> {
                let all = chat::import(&fs::read(file)?, format, &mapping_beside(file)?)?;
                bar.inc(self.bytes);
                Ok(Box::new(all.into_iter().map(|imported| self.described(imported))))
            };
            match ending(file).as_str() {
                "mbox" => return self.mbox(file, bar),
                "jsonl" | "ndjson" => return chats(chat::Format::JsonLines),
                "csv" if in_chats(file) => return chats(chat::Format::Csv),
                "json" if in_chats(file) && !is_vcon(file) => return chats(chat::Format::Json),
                _ => {}
            }
        }
        let one = if let Some(document) = self.files.iter().find(|file| is_vcon(file)) {
            self.vcon(document, bar)
        } else if let Some(message) = self.files.iter().find(|file| ending(file) == "eml") {
            self.email(message, bar)
        } else {
            self.plain(bar)
        };
        Ok(Box::new(std::iter::once(one)))
    }

    /// The draft of files that make one.
    pub fn draft(&self, bar: &ProgressBar) -> Result<Draft<'static>, Failure> {
        let first = self.drafts(bar)?.next();
        Ok(first.ok_or("nothing in it")??.into_draft())
    }

    fn vcon(&self, document: &Path, bar: &ProgressBar) -> Result<Imported, Failure> {
        let folder = document.parent().unwrap_or(Path::new("."));
        let bytes = fs::read(document)?;
        let imported = vcon::Import::new().folder(folder).import(&bytes)?;
        bar.inc(self.bytes);
        // What it refers to came with it; what else shares its stem goes beside it.
        let files = imported.files.clone();
        self.complete(imported, |file| file == document || files.iter().any(|taken| taken == file))
    }

    fn email(&self, message: &Path, bar: &ProgressBar) -> Result<Imported, Failure> {
        let imported = mail::Import::new().import(&fs::read(message)?)?;
        bar.inc(self.bytes);
        self.complete(imported, |file| file == message)
    }

    /// Adds the sidecar and the files that the import did not take.
    fn complete(&self, imported: Imported, taken: impl Fn(&Path) -> bool) -> Result<Imported, Failure> {
        let Imported { mut draft, coercions, .. } = self.described(imported)?;
        for file in self.files.iter().filter(|file| !taken(file)) {
            let (kind, media_type) = kind(file, &self.files);
            draft = draft.with(DraftPart::from_file(kind, media_type, file)?);
        }
        Ok(Imported::new(draft, coercions))
    }

    /// With what the sidecar says.
    fn described(&self, imported: Imported) -> Result<Imported, Failure> {
        let Some(sidecar) = &self.sidecar else { return Ok(imported) };
        Ok(Imported { draft: describe(imported.draft, &read_sidecar(sidecar)?)?, ..imported })
    }

    fn mbox<'a>(&'a self, file: &Path, bar: &'a ProgressBar) -> Result<Draftings<'a>, Failure> {
        let messages = mail::Mbox::new(BufReader::new(File::open(file)?));
        Ok(Box::new(messages.map(move |message| {
            let message = message?;
            bar.inc(message.bytes.len() as u64);
            let mut imported = mail::Import::new().import(&message.bytes)?;
            if message.unquoted > 0 {
                imported.coercions.push(Coercion::new("mbox", "a line that began with >From lost its >"));
            }
            self.described(imported)
        })))
    }

    fn plain(&self, bar: &ProgressBar) -> Result<Imported, Failure> {
        let kinds: Vec<(PartKind, &str)> = self.files.iter().map(|f| kind(f, &self.files)).collect();
        let channel = if kinds.iter().any(|(k, _)| *k == PartKind::Audio) {
            Channel::Voice
        } else {
            match kinds.first().map(|(k, _)| *k) {
                Some(PartKind::Chat) => Channel::Chat,
                _ => Channel::Other("file".into()),
            }
        };
        let mut draft = Draft::new(channel).idempotency_key(self.key());
        // How long a recording says it is; what its description says counts more.
        let audio = self.files.iter().zip(&kinds).find(|(_, (kind, _))| *kind == PartKind::Audio);
        if let Some((file, _)) = audio
            && let Some(ms) = audio::probe(&mut File::open(file)?).and_then(|info| info.duration_ms)
        {
            draft = draft.duration_ms(ms);
        }
        let mut about = Value::Null;
        if let Some(sidecar) = &self.sidecar {
            about = read_sidecar(sidecar)?;
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
        Ok(Imported::new(draft, Vec::new()))
    }
}

/// A file that begins like a vCon, packed or not, whatever it is called.
fn is_vcon(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    if ![".json", ".vcon", ".gz"].iter().any(|ending| name.ends_with(ending)) {
        return false;
    }
    // Its names may stand behind anything long.
    let mut bytes = Vec::new();
    let read = File::open(file).and_then(|f| f.take(vcon::MAX_DOCUMENT).read_to_end(&mut bytes));
    read.is_ok() && vcon::is_vcon(&bytes)
}

fn in_chats(file: &Path) -> bool {
    file.components().any(|c| c.as_os_str().to_string_lossy().to_ascii_lowercase().starts_with("chat"))
}

/// What `mapping.json` in a log's folder says of its columns.
fn mapping_beside(file: &Path) -> Result<chat::Mapping, Failure> {
    match fs::read(file.with_file_name("mapping.json")) {
        Ok(json) => Ok(chat::Mapping::from_json(&json)?),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(chat::Mapping::default()),
        Err(e) => Err(e.into()),
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
    let text = media_type.starts_with("text/") || ["application/json", "application/x-subrip"].contains(&media_type);
    let chat = in_chats(path);
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
        "srt" => "application/x-subrip",
        "text" | "txt" => "text/plain",
        "vtt" => "text/vtt",
        "pdf" => "application/pdf",
        _ => "application/octet-stream",
    }
}

fn read_sidecar(path: &Path) -> Result<Value, Failure> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    serde_json::from_slice(&fs::read(path)?).map_err(|e| format!("{name}: {e}").into())
}

/// Takes what a `.meta.json` says.
fn describe<'a>(mut draft: Draft<'a>, about: &Value) -> Result<Draft<'a>, Failure> {
    if let Some(start) = about["start"].as_str() {
        draft = draft.start(start.parse()?);
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

fn unhex(text: &str) -> Option<Vec<u8>> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(text.get(i..i + 2)?, 16).ok()).collect()
}
