//! Chat logs: JSON, JSON Lines and CSV, with a small mapping that says which column or member means what.

use std::collections::HashMap;
use std::fmt;
use std::io::Cursor;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind, Result};
use crate::id::hex;
use crate::record::{Channel, Coercion, Draft, DraftPart, Identifier, Imported, PartKind, Role, Subject};
use crate::time::Timestamp;

/// Bytes of a log, which is read into memory.
pub const MAX_LOG: u64 = 64 << 20;

/// How a log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// A list of messages, or of conversations with a list of messages each.
    Json,
    /// One message to a line.
    JsonLines,
    /// A line of names, then one message to a line (RFC 4180).
    Csv,
}

/// Which column or member means what, each by a list of names of which the first that is there counts. Read it from
/// JSON: `{"conversation": ["ticket"], "text": ["body"], "agents": ["staff"]}`. What it does not say is looked for
/// under common names. Case does not matter.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Mapping {
    /// The conversation that a message belongs to. A log without it is one conversation.
    pub conversation: Vec<String>,
    /// The text.
    pub text: Vec<String>,
    /// When it was sent: RFC 3339, or seconds or milliseconds since 1970.
    pub time: Vec<String>,
    /// Who sent it.
    pub speaker: Vec<String>,
    /// What they are, where that has a column of its own.
    pub role: Vec<String>,
    /// The customer's telephone number.
    pub tel: Vec<String>,
    /// The customer's e-mail address.
    pub mailto: Vec<String>,
    /// The customer's number.
    pub customer: Vec<String>,
    /// The queue.
    pub queue: Vec<String>,
    /// The language.
    pub language: Vec<String>,
    /// The messages of a conversation, in JSON.
    pub messages: Vec<String>,
    /// Roles, or speakers, that mean an agent.
    pub agents: Vec<String>,
    /// Roles, or speakers, that mean a customer.
    pub customers: Vec<String>,
    /// Roles, or speakers, that mean a program.
    pub bots: Vec<String>,
    /// The zone of times that have none, as `+01:00`. Without it such times are not believed.
    pub zone: Option<String>,
}

impl Default for Mapping {
    fn default() -> Self {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            conversation: names(&[
                "conversation_id",
                "conversation",
                "chat_id",
                "session_id",
                "ticket",
                "thread",
                "id",
            ]),
            text: names(&["text", "message", "body", "content", "msg"]),
            time: names(&["time", "timestamp", "created_at", "sent_at", "date", "at"]),
            speaker: names(&["speaker", "author", "from", "sender", "name", "user"]),
            role: names(&["role", "type", "sender_type", "author_type"]),
            tel: names(&["customer_phone", "phone", "tel"]),
            mailto: names(&["customer_email", "email", "mailto"]),
            customer: names(&["customer_id", "customer_number", "account"]),
            queue: names(&["queue", "skill", "department"]),
            language: names(&["language", "lang", "locale"]),
            messages: names(&["messages", "transcript", "turns"]),
            agents: names(&["agent", "operator", "staff", "support", "representative"]),
            customers: names(&["customer", "client", "visitor", "user", "consumer"]),
            bots: names(&["bot", "assistant", "system", "virtual agent"]),
            zone: None,
        }
    }
}

impl Mapping {
    /// Reads a mapping from JSON.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if it is none.
    pub fn from_json(json: &[u8]) -> Result<Self> {
        let bad = |e| Error::new(ErrorKind::InvalidInput, "reading a mapping of chat logs").because(e);
        serde_json::from_slice(json).map_err(bad)
    }

    fn role(&self, told: &str) -> Option<Role> {
        let among = |names: &[String]| names.iter().any(|name| name.eq_ignore_ascii_case(told.trim()));
        if among(&self.agents) {
            Some(Role::Agent)
        } else if among(&self.customers) {
            Some(Role::Customer)
        } else if among(&self.bots) {
            Some(Role::Bot)
        } else {
            None
        }
    }
}

/// Makes a draft of each conversation in a log, in the order in which they begin.
///
/// Its parts are its messages as JSON Lines with `at` (seconds from the first), `time`, `speaker` and `text`, and the log
/// itself, or of a log with more than one conversation those entries, lines or rows of it that are this one's. A message that cannot be read is kept as it stands, as one without a
/// speaker, and listed. The idempotency key is `chat:`, the conversation's name and the beginning of the SHA-256 of
/// what it says.
///
/// # Errors
/// [`InvalidInput`](ErrorKind::InvalidInput) if it is not of that format or has no messages;
/// [`TooLarge`](ErrorKind::TooLarge) above 64 MiB.
pub fn import(log: &[u8], format: Format, mapping: &Mapping) -> Result<Vec<Imported>> {
    let bad = || Error::new(ErrorKind::InvalidInput, "reading a chat log");
    if log.len() as u64 > MAX_LOG {
        return Err(Error::new(ErrorKind::TooLarge, "reading a chat log of more than 64 MiB"));
    }
    let bytes = log.strip_prefix("\u{feff}".as_bytes()).unwrap_or(log);
    let mut chats = Chats { mapping, all: Vec::new(), by_name: HashMap::new(), last: 0 };
    let mut head: &[u8] = &[];
    match format {
        Format::Json => match serde_json::from_slice(bytes).map_err(|e| bad().because(e))? {
            Value::Array(entries) => chats.entries(entries),
            entry @ Value::Object(_) => chats.entries(vec![entry]),
            _ => return Err(bad()),
        },
        Format::JsonLines => {
            for (at, line) in bytes.split(|b| *b == b'\n').enumerate().filter(|(_, l)| !l.trim_ascii().is_empty()) {
                let place = format!("line {}", at + 1);
                match serde_json::from_slice(line) {
                    Ok(Value::Object(message)) => chats.message(&message, &Map::new(), &place),
                    _ => chats.verbatim(&String::from_utf8_lossy(line), place),
                }
                chats.keep(line);
            }
        }
        Format::Csv => {
            let mut rows = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
            let names: Vec<String> = match rows.byte_headers() {
                Ok(names) => names.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect(),
                Err(e) => return Err(bad().because(e)),
            };
            // Where a row ends: its parser stops between CR and LF.
            let place = |position: &csv::Position| {
                let at = (position.byte() as usize).min(bytes.len());
                if at > 0 && bytes[at - 1..].starts_with(b"\r\n") { at + 1 } else { at }
            };
            let mut begun = place(rows.position());
            head = &bytes[..begun];
            let (mut at, mut row) = (0, csv::ByteRecord::new());
            while rows.read_byte_record(&mut row).map_err(|e| bad().because(e))? {
                let cells = row.iter().map(|cell| String::from_utf8_lossy(cell).into_owned());
                let message = names.iter().cloned().zip(cells.map(Value::String)).collect();
                at += 1;
                chats.message(&message, &Map::new(), &format!("row {at}"));
                let end = place(rows.position());
                chats.keep(&bytes[begun..end]);
                begun = end;
            }
        }
    }
    if chats.all.is_empty() {
        return Err(bad());
    }
    let alone = chats.all.len() == 1;
    let media_type = match format {
        Format::Json => "application/json",
        Format::JsonLines => "application/jsonl",
        Format::Csv => "text/csv",
    };
    let drafts = chats.all.into_iter().map(|mut chat| {
        let told = std::mem::take(&mut chat.told);
        let told = match format {
            _ if alone => log.to_vec(),
            Format::Json => [b"[", &told.join(&b",\n"[..])[..], b"]"].concat(),
            Format::JsonLines => told.join(&b"\n"[..]),
            Format::Csv => [head, &told.concat()[..]].concat(),
        };
        let Imported { draft, coercions, .. } = chat.finish();
        let original = DraftPart::new(PartKind::Original, media_type, Cursor::new(told)).name("log");
        Imported::new(draft.with(original), coercions)
    });
    Ok(drafts.collect())
}

struct Chats<'a> {
    mapping: &'a Mapping,
    all: Vec<Chat>,
    by_name: HashMap<String, usize>,
    /// The one that was spoken of last.
    last: usize,
}

#[derive(Default)]
struct Chat {
    name: String,
    lines: Vec<(Option<Timestamp>, Option<String>, String)>,
    subjects: Vec<Subject>,
    queue: Option<String>,
    language: Option<String>,
    agent: Option<String>,
    coercions: Vec<Coercion>,
    /// What of the log it was made of.
    told: Vec<Vec<u8>>,
}

impl Chats<'_> {
    /// Keeps what the last message was made of.
    fn keep(&mut self, told: &[u8]) {
        if let Some(chat) = self.all.get_mut(self.last) {
            chat.told.push(told.to_vec());
        }
    }

    fn entries(&mut self, entries: Vec<Value>) {
        for (at, entry) in entries.into_iter().enumerate() {
            let (place, told) = (format!("/{at}"), entry.to_string());
            match entry {
                Value::Object(conversation) => match find(&conversation, &self.mapping.messages) {
                    Some(Value::Array(messages)) if !messages.is_empty() => {
                        // One that has no name of its own is not the one before it.
                        let mut outer = conversation.clone();
                        if find(&outer, &self.mapping.conversation).is_none()
                            && let Some(name) = self.mapping.conversation.first()
                        {
                            outer.insert(name.clone(), format!("#{}", at + 1).into());
                        }
                        for (number, message) in messages.iter().enumerate() {
                            let place = format!("{place}/{number}");
                            match message {
                                Value::Object(message) => self.message(message, &outer, &place),
                                Value::String(text) => self.verbatim(text, place),
                                other => self.verbatim(&other.to_string(), place),
                            }
                        }
                    }
                    _ => self.message(&conversation, &Map::new(), &place),
                },
                Value::String(text) => self.verbatim(&text, place),
                other => self.verbatim(&other.to_string(), place),
            }
            self.keep(told.as_bytes());
        }
    }

    fn chat(&mut self, name: &str) -> &mut Chat {
        let at = *self.by_name.entry(name.to_owned()).or_insert_with(|| {
            self.all.push(Chat { name: name.to_owned(), ..Chat::default() });
            self.all.len() - 1
        });
        self.last = at;
        &mut self.all[at]
    }

    /// Keeps what is no message, in the conversation of the one before it.
    fn verbatim(&mut self, text: &str, place: String) {
        let name = self.all.last().map_or(String::new(), |chat| chat.name.clone());
        let chat = self.chat(&name);
        chat.coercions.push(Coercion::new(place, "kept as it stands: it is no message"));
        chat.lines.push((None, None, text.to_owned()));
    }

    /// A message, with what is said of its conversation.
    fn message(&mut self, message: &Map<String, Value>, outer: &Map<String, Value>, place: &str) {
        let mapping = self.mapping;
        let said = |names: &[String]| find(message, names).or_else(|| find(outer, names)).and_then(scalar);
        let own = |names: &[String]| find(message, names).and_then(scalar);
        // Of a message in a conversation, its own id is no conversation's.
        let name = if outer.is_empty() {
            own(&mapping.conversation)
        } else {
            find(outer, &mapping.conversation).and_then(scalar)
        };
        let Some(text) = own(&mapping.text) else {
            let whole = Value::Object(message.clone()).to_string();
            let chat = self.chat(&name.unwrap_or_default());
            chat.coercions.push(Coercion::new(place, "kept as it stands: it has no text"));
            chat.lines.push((None, None, whole));
            return;
        };
        let time = find(message, &mapping.time).map(|told| moment(told, mapping.zone.as_deref()));
        let (speaker, role) = (own(&mapping.speaker), own(&mapping.role));
        let role = [&role, &speaker].into_iter().flatten().find_map(|told| mapping.role(told));
        let (queue, language) = (said(&mapping.queue), said(&mapping.language));
        let address = |names: &[String], parse: fn(&str) -> Result<Identifier>| {
            said(names).filter(|text| !text.trim().is_empty()).map(|text| parse(&text))
        };
        let addresses = [
            address(&mapping.tel, Identifier::tel),
            address(&mapping.mailto, Identifier::mailto),
            address(&mapping.customer, Identifier::customer),
        ];

        let chat = self.chat(&name.unwrap_or_default());
        if time == Some(None) {
            chat.coercions.push(Coercion::new(place, "its time is not believed: it has no zone, or is none"));
        }
        chat.queue = chat.queue.take().or(queue);
        chat.language = chat.language.take().or(language);
        if role == Some(Role::Agent) {
            chat.agent = chat.agent.take().or(speaker.clone());
        }
        if let Some(speaker) = &speaker {
            let role = role.clone().unwrap_or_else(|| Role::Other("speaker".to_owned()));
            if !chat.subjects.iter().any(|s| s.name.as_ref() == Some(speaker)) {
                chat.subjects.push(Subject::named(role, speaker.clone()));
            }
        }
        for address in addresses.into_iter().flatten() {
            match address {
                Ok(address) if chat.subjects.iter().any(|s| s.identifiers.contains(&address)) => {}
                Ok(address) => match chat.subjects.iter_mut().find(|s| s.role == Role::Customer) {
                    Some(customer) => customer.identifiers.push(address),
                    None => chat.subjects.push(Subject::new(Role::Customer, address)),
                },
                Err(_) => chat.coercions.push(Coercion::new(place, "not found by the customer's address: it is none")),
            }
        }
        let speaker = speaker.or_else(|| match role {
            Some(Role::Agent) => Some("agent".to_owned()),
            Some(Role::Customer) => Some("customer".to_owned()),
            Some(Role::Bot) => Some("bot".to_owned()),
            _ => None,
        });
        chat.lines.push((time.flatten(), speaker, text));
    }
}

impl Chat {
    fn finish(mut self) -> Imported {
        // An address that came before the name is the customer's all the same.
        let named = self.subjects.iter().any(|s| s.role == Role::Customer && s.name.is_some());
        let nameless = self.subjects.iter().position(|s| s.role == Role::Customer && s.name.is_none());
        if let Some(at) = nameless.filter(|_| named) {
            let addresses = self.subjects.remove(at).identifiers;
            if let Some(customer) = self.subjects.iter_mut().find(|s| s.role == Role::Customer) {
                customer.identifiers.extend(addresses);
            }
        }
        let begun = self.lines.iter().filter_map(|(time, ..)| *time).min();
        let ended = self.lines.iter().filter_map(|(time, ..)| *time).max();
        let mut text = String::new();
        for (time, speaker, said) in &self.lines {
            let at = time.zip(begun).map(|(time, begun)| (time.unix_ms() - begun.unix_ms()) as f64 / 1000.0);
            let time = time.map(|time| time.to_string());
            text.push_str(&json!({ "at": at, "time": time, "speaker": speaker, "text": said }).to_string());
            text.push('\n');
        }
        let name: String = self.name.chars().take(200).collect();
        let key = format!("chat:{name}:{}", hex(&Sha256::digest(&text)[..16]));
        let mut draft = Draft::new(Channel::Chat).idempotency_key(key);
        if let (Some(begun), Some(ended)) = (begun, ended) {
            draft = draft.start(begun).duration_ms((ended.unix_ms() - begun.unix_ms()).unsigned_abs());
        }
        draft.head.queue = self.queue;
        draft.head.language = self.language;
        draft.head.agent = self.agent;
        draft.head.subjects = self.subjects;
        let part = DraftPart::new(PartKind::Chat, "application/jsonl", Cursor::new(text.into_bytes()));
        Imported::new(draft.with(part.name("messages.jsonl")), self.coercions)
    }
}

fn find<'v>(members: &'v Map<String, Value>, names: &[String]) -> Option<&'v Value> {
    let there = |name: &String| members.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    names.iter().filter_map(there).find(|value| !value.is_null() && value.as_str() != Some(""))
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Object(inner) => inner.get("name").and_then(Value::as_str).map(str::to_owned),
        _ => None,
    }
}

/// A time that can be told without guessing.
fn moment(told: &Value, zone: Option<&str>) -> Option<Timestamp> {
    let number = told.as_f64().or_else(|| told.as_str()?.trim().parse().ok());
    if let Some(number) = number.filter(|n| (1e8..1e13).contains(n)) {
        return Some(Timestamp::from_unix_ms(if number < 1e11 { (number * 1000.0) as i64 } else { number as i64 }));
    }
    let text = told.as_str()?.trim();
    text.parse().ok().or_else(|| format!("{text}{}", zone?).parse().ok())
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Json => "JSON",
            Self::JsonLines => "JSON Lines",
            Self::Csv => "CSV",
        })
    }
}
