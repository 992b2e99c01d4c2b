//! Texts: what a person reads in a part, whatever its format, with who said what when as far as the format tells.

mod charset;
mod json;
mod lines;
mod masked;
mod plain;
mod timed;

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use mail_parser::decoders::html::html_to_text;
use mail_parser::{Address, Message, MessageParser};

/// The text of a part as a person reads it and as a search looks through it.
///
/// ```
/// use strongroom::Text;
/// let text = Text::of("application/json", br#"[{"speaker": "Olivia", "start": 1.5, "text": "Hello."}]"#);
/// assert_eq!(text.body(), "Hello.");
/// let turn = text.turn_at(0).unwrap();
/// assert_eq!((turn.speaker.as_deref(), turn.at_ms), (Some("Olivia"), Some(1500)));
/// ```
#[derive(Clone)]
pub struct Text<'a> {
    body: Cow<'a, str>,
    turns: Turns,
}

/// Where somebody begins to speak or write.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Turn {
    /// The place in the text, in bytes.
    pub start: usize,
    /// Who, if the text tells.
    pub speaker: Option<String>,
    /// When, in milliseconds from the start of the interaction, if the text tells.
    pub at_ms: Option<u64>,
}

/// How turns are known.
#[derive(Clone)]
enum Turns {
    /// From the format, and the body does not say them.
    Known(Vec<Turn>),
    /// From the format, and the body begins with what says them.
    Said(Vec<Turn>),
    /// From what stands at the beginning of lines, when somebody asks.
    InLines,
}

/// A body that grows turn by turn.
#[derive(Default)]
struct Builder {
    body: String,
    turns: Vec<Turn>,
}

impl Builder {
    fn turn(&mut self, text: &str, speaker: Option<String>, at_ms: Option<u64>) {
        if !self.body.is_empty() {
            self.body.push('\n');
        }
        self.turns.push(Turn { start: self.body.len(), speaker, at_ms });
        self.body.push_str(text);
    }

    fn text(self) -> Text<'static> {
        Text { body: Cow::Owned(self.body), turns: Turns::Known(self.turns) }
    }
}

impl<'a> Text<'a> {
    /// Reads bytes as their media type says: plain text, HTML, WebVTT, SubRip, JSON (transcripts in the shapes that
    /// speech services give, otherwise all strings in it), JSON Lines, an e-mail message. What is not what it says, or of
    /// any other type, is read as plain text: this never fails.
    ///
    /// Text is UTF-8, what its `charset` or byte order mark says, or else Windows-1252. UTF-8 is not copied.
    pub fn of(media_type: &str, bytes: &'a [u8]) -> Self {
        let (name, parameters) = media_type.split_once(';').unwrap_or((media_type, ""));
        let name = name.trim().to_ascii_lowercase();
        if name == "message/rfc822" {
            return email(bytes).unwrap_or_else(|| Self::plain(charset::decode(bytes, parameters)));
        }
        let body = charset::decode(bytes, parameters);
        let read = match name.as_str() {
            "text/html" | "application/xhtml+xml" => Some(Text::plain(Cow::Owned(html_to_text(&body)))),
            "text/vtt" | "application/x-subrip" | "text/srt" => timed::read(&body),
            "application/jsonl" | "application/x-ndjson" | "application/jsonlines" => Some(json::read_lines(&body)),
            json if json == "application/json" || json.ends_with("+json") => json::read(&body),
            _ => None,
        };
        read.unwrap_or_else(|| Self::plain(body))
    }

    fn plain(body: Cow<'a, str>) -> Self {
        Self { body, turns: Turns::InLines }
    }

    /// The text. Places in it are counted in bytes.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// The turn that a place is in.
    pub fn turn_at(&self, place: usize) -> Option<Turn> {
        match &self.turns {
            Turns::Known(turns) | Turns::Said(turns) => {
                let behind = turns.partition_point(|turn| turn.start <= place);
                behind.checked_sub(1).and_then(|at| turns.get(at)).cloned()
            }
            Turns::InLines => lines::turn_at(&self.body, place),
        }
    }

    /// All turns, in order.
    pub fn turns(&self) -> Vec<Turn> {
        match &self.turns {
            Turns::Known(turns) | Turns::Said(turns) => turns.clone(),
            Turns::InLines => lines::turns(&self.body),
        }
    }

    /// Where in the body what somebody says begins, behind what the body has of who and when.
    pub(crate) fn said(&self, turn: &Turn) -> usize {
        match &self.turns {
            Turns::Known(_) | Turns::Said(_) => turn.start,
            Turns::InLines => lines::said(&self.body, turn),
        }
    }

    pub(crate) fn into_owned(self) -> Text<'static> {
        Text { body: Cow::Owned(self.body.into_owned()), turns: self.turns }
    }
}

impl std::fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Text({} bytes)", self.body.len())
    }
}

/// A message, parsed. Its parser asserts where builds are for debugging, and a message must not end a program.
pub(crate) fn parse_message(bytes: &[u8]) -> Option<Message<'_>> {
    catch_unwind(AssertUnwindSafe(|| MessageParser::default().parse(bytes))).ok().flatten()
}

/// Those whom a header of a message names, as people write them.
pub(crate) fn correspondents(list: Option<&Address<'_>>) -> Vec<String> {
    let all = list.into_iter().flat_map(Address::iter);
    all.map(|one| match (one.name(), one.address()) {
        (Some(name), Some(address)) => format!("{name} <{address}>"),
        (one, other) => one.or(other).unwrap_or_default().to_owned(),
    })
    .collect()
}

/// Subject, correspondents and text of an e-mail message.
fn email(bytes: &[u8]) -> Option<Text<'static>> {
    let message = parse_message(bytes)?;
    let from = message.from().and_then(|from| from.first());
    let writer = from.and_then(|from| from.name().or(from.address())).map(str::to_owned);
    let mut body = String::new();
    for (label, list) in [("From", message.from()), ("To", message.to()), ("Cc", message.cc())] {
        let all = correspondents(list);
        if !all.is_empty() {
            body.push_str(&format!("{label}: {}\n", all.join(", ")));
        }
    }
    if let Some(subject) = message.subject() {
        body.push_str(&format!("Subject: {subject}\n"));
    }
    let start = body.len();
    for part in 0..message.text_body_count() {
        if let Some(text) = message.body_text(part) {
            body.push('\n');
            body.push_str(&text);
        }
    }
    if body.is_empty() {
        return None;
    }
    let turns = vec![Turn::default(), Turn { start, speaker: writer, at_ms: None }];
    Some(Text { body: Cow::Owned(body), turns: Turns::Said(turns) })
}
