//! Transcripts and chats in JSON. There are as many shapes as services; what they share is that a turn is an object
//! with a text in it, and that finer objects inside repeat the coarser one's.

use serde_json::{Map, Value};

use super::{Builder, Text};

/// Names under which services give a turn's text, speaker, and time, as they are without case, `_` and `-`.
const TEXT: [&str; 10] =
    ["text", "transcript", "message", "content", "body", "utterance", "sentence", "msg", "displaytext", "value"];
const SPEAKER: [&str; 13] = [
    "speaker",
    "speakername",
    "speakerlabel",
    "speakertag",
    "participant",
    "participantrole",
    "party",
    "role",
    "author",
    "from",
    "name",
    "user",
    "sender",
];
const SECONDS: [&str; 6] = ["start", "starttime", "begin", "from", "offset", "at"];
const MILLISECONDS: [&str; 7] =
    ["startms", "beginms", "offsetms", "beginoffsetmillis", "startoffsetmillis", "atms", "starttimems"];
/// Single words, which their turn has said already.
const FINE: [&str; 4] = ["words", "tokens", "items", "characters"];

struct Said {
    text: String,
    speaker: Option<String>,
    at_ms: Option<u64>,
}

/// Nothing if it is no JSON or has no text.
pub(super) fn read(body: &str) -> Option<Text<'static>> {
    let value: Value = serde_json::from_str(body).ok()?;
    let mut built = Builder::default();
    add(&mut built, &value);
    (!built.turns.is_empty()).then(|| built.text())
}

/// One value to a line; a line that is none is taken as it is.
pub(super) fn read_lines(body: &str) -> Text<'static> {
    let mut built = Builder::default();
    for line in body.lines().filter(|line| !line.trim().is_empty()) {
        match serde_json::from_str(line) {
            Ok(value) => add(&mut built, &value),
            Err(_) => built.turn(line, None, None),
        }
    }
    built.text()
}

fn add(built: &mut Builder, value: &Value) {
    let mut said = Vec::new();
    turns(value, &mut said);
    if said.is_empty() {
        strings(value, &mut said);
    }
    // Many services give the whole text beside its turns.
    let known = |s: &Said| s.speaker.is_some() || s.at_ms.is_some();
    if said.iter().any(known) {
        let dense = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let turns = dense(&said.iter().filter(|s| known(s)).map(|s| s.text.as_str()).collect::<Vec<_>>().join(" "));
        said.retain(|s| known(s) || !turns.contains(&dense(&s.text)));
    }
    for Said { text, speaker, at_ms } in said {
        built.turn(&text, speaker, at_ms);
    }
}

/// The finest turns in a value, in its order.
fn turns(value: &Value, said: &mut Vec<Said>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| turns(item, said)),
        Value::Object(members) => {
            let before = said.len();
            for (_, inner) in members.iter().filter(|(key, _)| !FINE.contains(&plain(key).as_str())) {
                if inner.is_array() || inner.is_object() {
                    turns(inner, said);
                }
            }
            let Some(text) = own_text(members) else { return };
            let own = Said { text, speaker: speaker(members), at_ms: time(members) };
            let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
            let whole = letters(&own.text);
            let inner: Vec<String> = said[before..].iter().map(|s| letters(&s.text)).collect();
            if !inner.is_empty() && inner.concat().contains(&whole) {
                // The finer ones say all of it.
                return;
            }
            let mut rest = whole.as_str();
            let repeats = |finer: &String| match rest.split_once(finer.as_str()) {
                Some((_, behind)) => {
                    rest = behind;
                    true
                }
                None => false,
            };
            if inner.iter().all(repeats) {
                said.truncate(before);
            }
            // What is inside and not in it, as a message that it answers, stands behind it.
            said.insert(before, own);
        }
        _ => {}
    }
}

fn own_text(members: &Map<String, Value>) -> Option<String> {
    let text = TEXT.iter().find_map(|name| member(members, name)?.as_str())?;
    (!text.trim().is_empty()).then(|| text.to_owned())
}

fn speaker(members: &Map<String, Value>) -> Option<String> {
    SPEAKER.iter().find_map(|name| match member(members, name)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Object(inner) => member(inner, "name")?.as_str().map(str::to_owned),
        _ => None,
    })
}

fn time(members: &Map<String, Value>) -> Option<u64> {
    let number = |value: &Value| value.as_f64().or_else(|| value.as_str()?.trim_end_matches('s').parse().ok());
    let find = |names: &[&str]| names.iter().find_map(|name| number(member(members, name)?));
    let ms = find(&MILLISECONDS).or_else(|| find(&SECONDS).map(|seconds| seconds * 1000.0))?;
    // Anything beyond a month is a date and no place in a call.
    (0.0..2_678_400_000.0).contains(&ms).then_some(ms.round() as u64)
}

fn member<'v>(members: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    members.get(name).or_else(|| members.iter().find(|(key, _)| plain(key) == name).map(|(_, value)| value))
}

fn plain(key: &str) -> String {
    key.chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase).collect()
}

/// All strings in a value that holds no turn.
fn strings(value: &Value, said: &mut Vec<Said>) {
    match value {
        Value::String(text) if !text.trim().is_empty() => {
            said.push(Said { text: text.clone(), speaker: None, at_ms: None });
        }
        Value::Array(items) => items.iter().for_each(|item| strings(item, said)),
        Value::Object(members) => members.values().for_each(|inner| strings(inner, said)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(json: &str) -> Vec<(String, Option<String>, Option<u64>)> {
        let text = read(json).unwrap();
        let turns = text.turns();
        let ends = turns.iter().skip(1).map(|t| t.start - 1).chain([text.body().len()]);
        turns.iter().zip(ends).map(|(t, end)| (text.body()[t.start..end].into(), t.speaker.clone(), t.at_ms)).collect()
    }

    #[test]
    fn the_shapes_of_several_services_are_read() {
        let hello = |who: &str, ms| vec![("Hello there".to_owned(), Some(who.to_owned()), ms)];
        for (json, expected) in [
            (r#"[{"speaker":"A","start":1.5,"text":"Hello there"}]"#, hello("A", Some(1500))),
            (
                r#"{"text":"Hello there","segments":[{"id":0,"start":2,"end":3,"text":"Hello there","speaker":"A"}]}"#,
                hello("A", Some(2000)),
            ),
            (
                r#"{"Transcript":[{"ParticipantRole":"CUSTOMER","Content":"Hello there","BeginOffsetMillis":70}]}"#,
                hello("CUSTOMER", Some(70)),
            ),
            (
                r#"{"results":{"channels":[{"alternatives":[{"transcript":"Hello there","words":[{"text":"Hello"}],
                   "paragraphs":{"transcript":"\nHello there","paragraphs":[{"sentences":[{"text":"Hello there","start":0.25,"end":1}],"speaker":0}]}}]}]}}"#,
                vec![("Hello there".to_owned(), None, Some(250))],
            ),
            (
                r#"{"transcript":{"text":"Hello  there"},"segments":[{"text":"Hello there","speaker":"A"}]}"#,
                hello("A", None),
            ),
            (r#"{"speaker_name":"A","message":"Hello there","start_time":"0.5s"}"#, hello("A", Some(500))),
        ] {
            assert_eq!(told(json), expected, "{json}");
        }
        // Nothing that only one of them says is left out.
        for (json, body) in [
            (r#"{"text":"Yes","reply_to":{"text":"Do you agree to the terms?"}}"#, "Yes\nDo you agree to the terms?"),
            (
                r#"{"text":"A long message about a refund","card":{"title":"t","text":"Buy"}}"#,
                "A long message about a refund\nBuy",
            ),
            (r#"{"text":"One two. And three.","sentences":[{"text":"One two."}]}"#, "One two. And three."),
            (r#"{"text":"...","parts":[{"text":"a"}]}"#, "a"),
        ] {
            assert_eq!(read(json).unwrap().body(), body, "{json}");
        }
        assert_eq!(read(r#"{"a":["x",{"b":"y"}],"c":1}"#).unwrap().body(), "x\ny");
        assert!(read("{").is_none() && read("[]").is_none());
        assert_eq!(read_lines("{\"text\":\"a\"}\nnot json\n\n{\"text\":\"b\"}").body(), "a\nnot json\nb");
    }
}
