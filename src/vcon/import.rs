use std::fmt;
use std::io::Cursor;
use std::path::{Component, Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::form::{Form, content_hash, decode_body};
use super::normalise::{normalise, timestamp};
use super::signature::{Trust, der, verify};
use super::write::{BAG_URL, url_end};
use super::{GZIP_MEDIA_TYPE, MAX_DOCUMENT, MEDIA_TYPE, SIGNED_MEDIA_TYPE};
use crate::error::{Error, ErrorKind, Result};
use crate::id::hex;
use crate::record::{Channel, Coercion, Direction, Draft, DraftPart, Identifier, Imported, PartKind, Role, Subject};
use crate::time::Timestamp;

/// How vCons are imported.
///
/// ```
/// use strongroom::vcon;
/// let document = br#"{"uuid": "018f0001-7e8a-8000-8000-000000000000", "created_at": "2026-11-20T15:04:05Z",
///     "parties": [{"tel": "+15722568385", "name": "Olivia"}],
///     "dialog": [{"type": "text", "start": "2026-11-20T15:04:05Z", "parties": 0, "body": "Hello"}]}"#;
/// let imported = vcon::Import::new().import(document)?;
/// assert!(imported.coercions.iter().any(|c| c.place == "/dialog/0/encoding"));
/// # Ok::<(), strongroom::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Import {
    folder: Option<PathBuf>,
    trust: Trust,
    require_signature: bool,
    most: Option<u64>,
}

impl Import {
    /// Without a folder for media and without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes media that are given by `url` from the files of a folder, by the name that the document or the end of the
    /// URL gives. Nothing is ever fetched. A file that does not have the document's hash is refused when it is ingested.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Believes signatures by this key: SubjectPublicKeyInfo in PEM or DER. With a key given, a signed document must
    /// have a signature by one of those given.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if it is none.
    pub fn trust_key(mut self, key: &[u8]) -> Result<Self> {
        self.trust.keys.push(der(key, "PUBLIC KEY")?);
        Ok(self)
    }

    /// Believes signatures by keys whose chain (`x5c`) leads to this certificate, in PEM or DER, or that it holds. In a
    /// chain all certificates must be of version 3.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if it is none.
    pub fn trust_certificate(mut self, certificate: &[u8]) -> Result<Self> {
        self.trust.roots.push(der(certificate, "CERTIFICATE")?);
        Ok(self)
    }

    /// Checks certificates as of that time instead of now.
    #[must_use]
    pub fn as_of(mut self, time: Timestamp) -> Self {
        self.trust.at = Some(time);
        self
    }

    /// Refuses documents without a verified signature.
    #[must_use]
    pub fn require_signature(mut self) -> Self {
        self.require_signature = true;
        self
    }

    /// Another limit than [`MAX_DOCUMENT`] for a document, also once it is unpacked. The whole is held in memory; media
    /// in files beside it are not.
    #[must_use]
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.most = Some(bytes);
        self
    }

    /// Makes a draft of a document.
    ///
    /// Its parts are the document itself, recordings, e-mails and attachments, one part with all text messages as JSON
    /// Lines, and transcripts and other analyses. Its idempotency key is `vcon:`, the document's UUID and the beginning of the
    /// SHA-256 of it and of which files were beside it: the same document again is the same record, a changed one of the same UUID another.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if it is no vCon; [`Unsupported`](ErrorKind::Unsupported) if it is
    /// encrypted; [`Tampered`](ErrorKind::Tampered) if a signature does not verify or is missing where it is required;
    /// [`TooLarge`](ErrorKind::TooLarge) above the limit.
    pub fn import(&self, bytes: &[u8]) -> Result<Imported> {
        Ok(self.read(bytes)?.imported)
    }

    /// As [`import`](Self::import), with the document beside it.
    pub(crate) fn read(&self, bytes: &[u8]) -> Result<Read> {
        let Form { document, jws, coercions: lost } = Form::read(bytes, self.most.unwrap_or(MAX_DOCUMENT))?;
        let mut coercions = Vec::new();
        let (media_type, verified) = match jws {
            None => (MEDIA_TYPE, false),
            Some(jws) => {
                let verified = verify(&jws, &self.trust)?;
                let made = if verified {
                    "the signature was verified"
                } else {
                    "the signature was not verified: no key for it was given"
                };
                coercions.push(Coercion::new("/signatures", made));
                (SIGNED_MEDIA_TYPE, verified)
            }
        };
        coercions.extend(lost);
        if self.require_signature && !verified {
            return Err(Error::new(ErrorKind::Tampered, "requiring the signature of a vCon that has none to trust"));
        }
        let media_type = if bytes.starts_with(&[0x1f, 0x8b]) { GZIP_MEDIA_TYPE } else { media_type };
        let (strict, more) = normalise(&document);
        coercions.extend(more);
        let mut work =
            Work { import: self, document: &strict, told: &document, coercions, taken: Vec::new(), files: Vec::new() };
        let draft = work.draft(&document);
        let original = DraftPart::new(PartKind::Original, media_type, Cursor::new(bytes.to_vec())).name("vcon.json");
        let mut draft = draft?;
        draft.parts.insert(0, original);
        let uuid: String = text(&document, "uuid").unwrap_or_default().chars().take(200).collect();
        // With other files beside it, it is another record.
        let mut said = Sha256::new_with_prefix(bytes);
        work.taken.iter().for_each(|place| said.update(place));
        draft = draft.idempotency_key(format!("vcon:{uuid}:{}", hex(&said.finalize()[..16])));
        let imported = Imported { draft, coercions: work.coercions, files: work.files };
        Ok(Read { imported, told: document, strict })
    }
}

/// A document that was read.
pub(crate) struct Read {
    pub(crate) imported: Imported,
    pub(crate) told: Value,
    /// Normalised.
    pub(crate) strict: Value,
}

impl fmt::Debug for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { folder, trust, require_signature, most } = self;
        let keys = trust.keys.len() + trust.roots.len();
        write!(f, "Import(folder {folder:?}, {keys} keys, signature required: {require_signature}, at most {most:?})")
    }
}

/// Parts that are taken out of a document, so that a record holds them and what its host adds.
const MAX_TAKEN: usize = 900;

/// What is said of a body that is not what its encoding says.
const UNDECODED: &str = "not taken out: it does not decode";

struct Work<'a> {
    import: &'a Import,
    document: &'a Value,
    /// As it came: a reference that is not strict leads to a file all the same.
    told: &'a Value,
    coercions: Vec<Coercion>,
    /// Places whose content came from a file.
    taken: Vec<String>,
    files: Vec<PathBuf>,
}

pub(super) fn text<'v>(entry: &'v Value, name: &str) -> Option<&'v str> {
    entry.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty())
}

impl<'a> Work<'a> {
    fn list(&self, name: &str) -> &'a [Value] {
        self.document.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    fn note(&mut self, place: String, made: &'static str) {
        self.coercions.push(Coercion::new(place, made));
    }

    fn draft(&mut self, told: &Value) -> Result<Draft<'static>> {
        let dialogs = self.list("dialog");
        let mut draft = Draft::new(channel(dialogs));
        // Only what the document itself told: a stand-in is no time of a call.
        let told_starts: Vec<Option<Timestamp>> = told
            .get("dialog")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|dialog| dialog.get("start").and_then(timestamp))
            .collect();
        let start = told_starts.iter().flatten().min().copied();
        let start = start.or_else(|| told.get("created_at").and_then(timestamp));
        if let Some(start) = start {
            draft = draft.start(start);
            let ends = dialogs.iter().zip(&told_starts).filter_map(|(dialog, begun)| {
                let seconds = dialog.get("duration").and_then(Value::as_f64).filter(|s| (0.0..1e9).contains(s))?;
                let ms = (seconds * 1000.0).round() as i64;
                begun.map_or(Some(ms), |begun| begun.unix_ms().checked_sub(start.unix_ms())?.checked_add(ms))
            });
            if let Some(ms) = ends.max().and_then(|ms| u64::try_from(ms).ok()) {
                draft = draft.duration_ms(ms);
            }
        }
        draft = self.parties(draft);
        if let Some(queue) = dialogs.iter().find_map(|dialog| text(dialog, "skill")) {
            draft = draft.queue(queue);
        }
        if let Some(tags) = told.get("tags").and_then(Value::as_object) {
            for (name, value) in tags.iter().take(100) {
                draft = draft.tag(value.as_str().map_or(name.clone(), |value| format!("{name}:{value}")));
            }
        }

        let messages = self.messages();
        let mut messages = (!messages.is_empty()).then_some(messages);
        for (at, dialog) in dialogs.iter().enumerate() {
            if is_message(dialog) {
                // All of them are one part, where the first is.
                if let Some(messages) = messages.take() {
                    let part = DraftPart::new(PartKind::Chat, "application/jsonl", Cursor::new(messages.into_bytes()));
                    draft = draft.with(part.name("messages.jsonl"));
                }
                continue;
            }
            let media = text(dialog, "mediatype").unwrap_or("application/octet-stream");
            let main = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            let kind = match main.as_str() {
                "message/rfc822" => PartKind::Email,
                multipart if multipart.starts_with("multipart/") => PartKind::Email,
                plain if plain.starts_with("text/") => PartKind::Chat,
                _ if text(dialog, "type") == Some("text") => PartKind::Chat,
                _ => PartKind::Audio,
            };
            draft = self.content(draft, dialog, "dialog", at, kind, media)?;
        }
        for (at, analysis) in self.list("analysis").iter().enumerate() {
            let spoken = text(analysis, "type").is_some_and(|t| t.to_ascii_lowercase().contains("transcript"));
            let kind = if spoken { PartKind::Transcript } else { PartKind::Analysis };
            let media = text(analysis, "mediatype").unwrap_or(if is_json(analysis) {
                "application/json"
            } else {
                "text/plain"
            });
            draft = self.content(draft, analysis, "analysis", at, kind, media)?;
        }
        for (at, attachment) in self.list("attachments").iter().enumerate() {
            let fallback = if is_json(attachment) { "application/json" } else { "application/octet-stream" };
            let media = text(attachment, "mediatype").unwrap_or(fallback);
            draft = self.content(draft, attachment, "attachments", at, PartKind::Attachment, media)?;
        }
        Ok(draft)
    }

    fn parties(&mut self, mut draft: Draft<'static>) -> Draft<'static> {
        let mut roles = Vec::new();
        for (at, party) in self.list("parties").iter().enumerate() {
            let told = text(party, "role").or_else(|| party.get("meta").and_then(|meta| text(meta, "role")));
            let role = match told.map(str::to_ascii_lowercase).as_deref() {
                Some("agent" | "employee" | "representative") => Role::Agent,
                Some("customer" | "client" | "caller" | "contact" | "consumer") => Role::Customer,
                Some("supervisor") => Role::Supervisor,
                Some("bot" | "virtual agent" | "ivr") => Role::Bot,
                Some(other) => Role::Other(other.to_owned()),
                None => Role::Other("party".to_owned()),
            };
            if role == Role::Agent && draft.head.agent.is_none() {
                draft.head.agent = text(party, "name").or(text(party, "mailto")).map(str::to_owned);
            }
            let mut subject =
                Subject { role: role.clone(), name: text(party, "name").map(str::to_owned), identifiers: Vec::new() };
            for (name, parse) in
                [("tel", Identifier::tel as fn(&str) -> Result<Identifier>), ("mailto", Identifier::mailto)]
            {
                match text(party, name).map(parse) {
                    Some(Ok(identifier)) => subject.identifiers.push(identifier),
                    Some(Err(_)) => {
                        self.note(format!("/parties/{at}/{name}"), "not found by it: it is no such address")
                    }
                    None => {}
                }
            }
            roles.push(role);
            if subject.name.is_some() || !subject.identifiers.is_empty() {
                draft = draft.subject(subject);
            }
        }
        let first = self.list("dialog").first();
        let originator = first.and_then(|dialog| {
            let index = dialog.get("originator").or_else(|| match dialog.get("parties")? {
                Value::Array(all) => all.first(),
                one => Some(one),
            })?;
            roles.get(usize::try_from(index.as_u64()?).ok()?)
        });
        match originator {
            Some(Role::Customer) => draft.direction(Direction::Inbound),
            Some(Role::Agent) if roles.contains(&Role::Customer) => draft.direction(Direction::Outbound),
            _ => draft,
        }
    }

    /// The text messages, one JSON object to a line.
    fn messages(&mut self) -> String {
        let dialogs = self.list("dialog");
        let begun = dialogs.iter().filter_map(|dialog| dialog.get("start").and_then(timestamp)).min();
        let mut lines = String::new();
        for (at, dialog) in dialogs.iter().enumerate().filter(|(_, dialog)| is_message(dialog)) {
            let Some(body) = dialog.get("body").and_then(|body| decode_body(body, text(dialog, "encoding"))) else {
                self.note(format!("/dialog/{at}/body"), UNDECODED);
                continue;
            };
            let from = dialog.get("originator").or_else(|| match dialog.get("parties") {
                Some(Value::Array(all)) => all.first(),
                one => one,
            });
            let party = from.and_then(Value::as_u64).and_then(|at| self.list("parties").get(usize::try_from(at).ok()?));
            let speaker =
                party.and_then(|p| text(p, "name").or(text(p, "role")).or(text(p, "mailto")).or(text(p, "tel")));
            let time = dialog.get("start").and_then(timestamp);
            let at = time.zip(begun).map(|(time, begun)| (time.unix_ms() - begun.unix_ms()) as f64 / 1000.0);
            let said = String::from_utf8_lossy(&body);
            let time = time.map(|time| time.to_string());
            lines.push_str(&json!({ "at": at, "time": time, "speaker": speaker, "text": said }).to_string());
            lines.push('\n');
        }
        lines
    }

    /// Adds the content of an entry as a part, if it has any.
    fn content(
        &mut self,
        draft: Draft<'static>,
        entry: &Value,
        list: &str,
        at: usize,
        kind: PartKind,
        media_type: &str,
    ) -> Result<Draft<'static>> {
        let place = format!("/{list}/{at}");
        if draft.parts.len() >= MAX_TAKEN {
            self.note(place, "in the document alone: more than 900 parts");
            return Ok(draft);
        }
        let media_type: String = media_type.chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect();
        let name = text(entry, "filename").map_or_else(|| format!("{list}-{at}"), str::to_owned);
        if let Some(body) = entry.get("body") {
            match decode_body(body, text(entry, "encoding")) {
                Some(bytes) => {
                    let mut part = DraftPart::new(kind, media_type, Cursor::new(bytes)).name(name);
                    if let Some(digest) = content_hash(entry) {
                        part = part.digest(digest);
                    }
                    return Ok(draft.with(part));
                }
                None => self.note(format!("{place}/body"), UNDECODED),
            }
            return Ok(draft);
        }
        let told = self.told.get(list).and_then(|all| all.get(at)).unwrap_or(entry);
        let entry = if entry.get("url").is_some() { entry } else { told };
        let Some(url) = text(entry, "url") else { return Ok(draft) };
        let Some(path) = self.import.folder.as_deref().and_then(|folder| beside(folder, text(entry, "filename"), url))
        else {
            self.note(format!("{place}/url"), "kept as a reference: no file of its name is beside the document");
            return Ok(draft);
        };
        let mut part = DraftPart::from_file(kind, media_type, &path)?.name(name);
        self.taken.push(place.clone());
        self.files.push(path);
        match content_hash(entry) {
            Some(digest) => part = part.digest(digest),
            None => {
                let told = ["content_hash", "signature"].iter().any(|name| entry.get(*name).is_some());
                let made = if told {
                    "not one that is understood: the file beside the document is taken as it is"
                } else {
                    "missing: the file beside the document is taken as it is"
                };
                self.note(format!("{place}/content_hash"), made);
            }
        }
        Ok(draft.with(part))
    }
}

/// A plain file in a folder, of the document's name for it or of the URL's.
fn beside(folder: &Path, filename: Option<&str>, url: &str) -> Option<PathBuf> {
    // A bag's own URL names the file as it is called there.
    let filename = filename.filter(|_| !url.starts_with(BAG_URL));
    filename.into_iter().chain(url_end(url)).find_map(|name| {
        let mut parts = Path::new(name).components();
        // One plain name: neither a way out nor a link.
        let (Some(Component::Normal(_)), None) = (parts.next(), parts.next()) else { return None };
        let path = folder.join(name);
        path.symlink_metadata().is_ok_and(|meta| meta.is_file()).then_some(path)
    })
}

fn is_json(entry: &Value) -> bool {
    text(entry, "encoding") == Some("json") || entry.get("body").is_some_and(|body| !body.is_string())
}

/// A text message, as against a recording or an e-mail.
fn is_message(dialog: &Value) -> bool {
    let media = text(dialog, "mediatype").unwrap_or("text/plain");
    text(dialog, "type") == Some("text")
        && dialog.get("body").is_some()
        && media.to_ascii_lowercase().starts_with("text/plain")
}

fn channel(dialogs: &[Value]) -> Channel {
    let media = |kind: &str| {
        dialogs.iter().any(|d| text(d, "mediatype").is_some_and(|m| m.to_ascii_lowercase().starts_with(kind)))
    };
    let typed = |kind: &str| dialogs.iter().any(|d| text(d, "type") == Some(kind));
    if media("video/") {
        Channel::Video
    } else if media("audio/") || typed("recording") {
        Channel::Voice
    } else if media("message/") || media("multipart/") {
        Channel::Email
    } else if typed("text") {
        match dialogs.iter().find_map(|d| text(d, "application")).map(str::to_ascii_lowercase) {
            Some(application) if application.contains("sms") => Channel::Sms,
            Some(application) if application.contains("mail") => Channel::Email,
            _ => Channel::Chat,
        }
    } else if typed("incomplete") || typed("transfer") {
        Channel::Voice
    } else {
        Channel::Other("vcon".to_owned())
    }
}
