//! JSON that parsers lose something of, or refuse: numbers of more digits than a double has, members named twice, and
//! halves of characters. What they lose is taken down beside its place before they see it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use serde_json::{Number, Value};

use crate::record::Coercion;

/// Containers inside of one another that are looked into. The parser refuses more than it.
const MAX_DEPTH: usize = 130;

/// What a parser would not give back.
#[derive(Default)]
pub(super) struct Lost {
    /// The values as they stand, by their places (RFC 6901): numbers and texts as the text that they are written as, and
    /// of a member that is named again the earlier value, under its place and `#1`, `#2`, ….
    pub(super) values: Vec<(String, Value)>,
    pub(super) coercions: Vec<Coercion>,
}

impl Lost {
    fn keep(&mut self, place: String, at: &str, value: Value, made: &'static str) {
        self.values.push((at.to_owned(), value));
        self.coercions.push(Coercion::new(place, made));
    }
}

/// The document as a parser takes it, and what that loses. What is no JSON is left for the parser to say.
pub(super) fn exact(json: &[u8]) -> (Cow<'_, [u8]>, Lost) {
    let mut walk = Walk { json, out: Vec::new(), copied: 0, open: Vec::new(), lost: Lost::default() };
    for token in Tokens::of(json) {
        if walk.take(token).is_none() {
            break;
        }
    }
    let Walk { mut out, copied, lost, .. } = walk;
    if copied == 0 {
        return (Cow::Borrowed(json), lost);
    }
    out.extend_from_slice(&json[copied..]);
    (Cow::Owned(out), lost)
}

/// The names of the outermost object's members, as far as the bytes go.
pub(super) fn names(json: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (mut depth, mut name) = (0usize, true);
    Tokens::of(json).filter_map(move |token| {
        match token.kind {
            Kind::Open(_) => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            Kind::Comma => name = true,
            Kind::Colon => name = false,
            Kind::Text if depth == 1 && name => {
                return json.get(token.range.start + 1..token.range.end.saturating_sub(1));
            }
            Kind::Text | Kind::Number => {}
        }
        None
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Open(u8),
    Close,
    Comma,
    Colon,
    Text,
    Number,
}

struct Token {
    kind: Kind,
    range: Range<usize>,
}

/// Tokens of JSON but for `true`, `false`, `null` and what is none.
struct Tokens<'a> {
    json: &'a [u8],
    at: usize,
}

impl<'a> Tokens<'a> {
    fn of(json: &'a [u8]) -> Self {
        Self { json, at: 0 }
    }

    /// Where a text ends that begins at `start`: behind its closing quote.
    fn text_end(&self, start: usize) -> usize {
        let mut at = start + 1;
        while let Some(step) = self.json.get(at..).and_then(|rest| rest.iter().position(|b| matches!(b, b'"' | b'\\')))
        {
            at += step;
            if self.json[at] == b'"' {
                return at + 1;
            }
            at += 2;
        }
        self.json.len()
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        loop {
            let start = self.at;
            let byte = *self.json.get(start)?;
            let (kind, end) = match byte {
                b'{' | b'[' => (Kind::Open(byte), start + 1),
                b'}' | b']' => (Kind::Close, start + 1),
                b',' => (Kind::Comma, start + 1),
                b':' => (Kind::Colon, start + 1),
                b'"' => (Kind::Text, self.text_end(start)),
                b'-' | b'0'..=b'9' => {
                    let number = |b: &u8| matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
                    (Kind::Number, start + self.json[start..].iter().take_while(|b| number(b)).count())
                }
                _ => {
                    self.at += 1;
                    continue;
                }
            };
            self.at = end;
            return Some(Token { kind, range: start..end });
        }
    }
}

/// An object or a list that is open, and where in it we are.
struct Open {
    is_object: bool,
    /// The next text is a name.
    names: bool,
    name: String,
    index: usize,
    /// Where the present value begins.
    value: usize,
    /// Members so far, with where their values stand and how often they were named before.
    seen: HashMap<String, (Range<usize>, usize)>,
}

struct Walk<'a> {
    json: &'a [u8],
    out: Vec<u8>,
    /// What comes before it is in `out`.
    copied: usize,
    open: Vec<Open>,
    lost: Lost,
}

impl Walk<'_> {
    /// Nothing if it is too deep.
    fn take(&mut self, Token { kind, range }: Token) -> Option<()> {
        match kind {
            Kind::Open(byte) => {
                if self.open.len() >= MAX_DEPTH {
                    return None;
                }
                let is_object = byte == b'{';
                self.open.push(Open {
                    is_object,
                    names: is_object,
                    name: String::new(),
                    index: 0,
                    value: 0,
                    seen: HashMap::new(),
                });
            }
            Kind::Close => {
                self.value_ends(range.start);
                self.open.pop();
            }
            Kind::Comma => {
                self.value_ends(range.start);
                if let Some(open) = self.open.last_mut() {
                    open.index += 1;
                    open.names = open.is_object;
                }
            }
            Kind::Colon => {
                if let Some(open) = self.open.last_mut() {
                    (open.names, open.value) = (false, range.end);
                }
            }
            Kind::Text => self.text(range),
            Kind::Number => self.number(range),
        }
        Some(())
    }

    /// Takes down the earlier value of a member that was named before.
    fn value_ends(&mut self, end: usize) {
        let Some(open) = self.open.last_mut().filter(|open| open.is_object && !open.names) else { return };
        let value = open.value..end;
        let times = open.seen.get(&open.name).map_or(0, |(_, times)| times + 1);
        let earlier = open.seen.insert(open.name.clone(), (value, times));
        // Closed by a comma or by the end, and not by both.
        open.names = true;
        let Some((earlier, _)) = earlier else { return };
        let place = self.place();
        let told = &self.json[earlier];
        let value = serde_json::from_slice(told).unwrap_or_else(|_| String::from_utf8_lossy(told).into_owned().into());
        self.lost.keep(place.clone(), &format!("{place}#{times}"), value, "named again: the last one counts");
    }

    fn text(&mut self, range: Range<usize>) {
        let told = &self.json[range.clone()];
        let whole = whole(told);
        let is_name = self.open.last().is_some_and(|open| open.names);
        if is_name {
            let name = serde_json::from_slice(whole.as_deref().unwrap_or(told)).unwrap_or_default();
            if let Some(open) = self.open.last_mut() {
                open.name = name;
            }
        }
        if let Some(whole) = whole {
            let (place, written) = (self.place(), String::from_utf8_lossy(told).into_owned());
            self.lost.keep(place.clone(), &place, written.into(), "half a character: U+FFFD stands in");
            self.replace(range, &whole);
        }
    }

    fn number(&mut self, range: Range<usize>) {
        let told = &self.json[range.clone()];
        let Ok(text) = std::str::from_utf8(told) else { return };
        let parsed = serde_json::from_slice::<Number>(told);
        let made = match &parsed {
            Ok(number) if digits(&number.to_string()) == digits(text) => return,
            Ok(_) => "more digits than a program reads: the nearest number stands in",
            // Too large for any double, or no number at all.
            Err(_) if digits(text).is_some() => "too large for a program to read: left out",
            Err(_) => return,
        };
        let place = self.place();
        self.lost.keep(place.clone(), &place, text.into(), made);
        if parsed.is_err() {
            self.replace(range, b"null");
        }
    }

    fn replace(&mut self, range: Range<usize>, with: &[u8]) {
        self.out.extend_from_slice(&self.json[self.copied..range.start]);
        self.out.extend_from_slice(with);
        self.copied = range.end;
    }

    fn place(&self) -> String {
        let mut place = String::new();
        for open in &self.open {
            place.push('/');
            if open.is_object {
                place.push_str(&open.name.replace('~', "~0").replace('/', "~1"));
            } else {
                place.push_str(&open.index.to_string());
            }
        }
        place
    }
}

/// Sign, significant digits and exponent of a number's text, so that equal numbers are equal. Nothing if it is none.
fn digits(text: &str) -> Option<(bool, String, i64)> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(fraction) {
        return None;
    }
    let exponent: i64 = exponent.strip_prefix('+').unwrap_or(exponent).parse().ok()?;
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0').trim_end_matches('0').to_owned();
    if significant.is_empty() {
        return Some((negative, significant, 0));
    }
    let behind = all.len() - all.trim_end_matches('0').len();
    let exponent = exponent.checked_sub(fraction.len() as i64)?.checked_add(behind as i64)?;
    Some((negative, significant, exponent))
}

/// A text with U+FFFD for each surrogate that has no other half; nothing if it has none of them.
fn whole(text: &[u8]) -> Option<Vec<u8>> {
    let unit = |at: usize| {
        let hex = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()
    };
    let (mut out, mut copied, mut at) = (Vec::new(), 0, 0);
    while let Some(step) = text[at..].iter().position(|b| *b == b'\\') {
        at += step;
        match (unit(at), unit(at + 6)) {
            (Some(0xD800..0xDC00), Some(0xDC00..0xE000)) => at += 12,
            (Some(0xD800..0xE000), _) => {
                out.extend_from_slice(&text[copied..at]);
                out.extend_from_slice(b"\\ufffd");
                at += 6;
                copied = at;
            }
            _ => at = (at + 2).min(text.len()),
        }
    }
    if copied == 0 {
        return None;
    }
    out.extend_from_slice(&text[copied..]);
    Some(out)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lost(json: &str) -> (Value, Vec<(String, Value)>) {
        let (text, lost) = exact(json.as_bytes());
        assert_eq!(lost.values.len(), lost.coercions.len());
        (serde_json::from_slice(&text).unwrap(), lost.values)
    }

    #[test]
    fn what_a_parser_loses_is_taken_down() {
        let all = r#"{"a":[1e400,{"b/~":18446744073709551616}],"c":0.1000000000000000055,"d":1,"d":{"x":[2]},"d":3,
                      "e":"\ud83d half \ud83d\ude00","f":-1e-400}"#;
        let (value, kept) = lost(all);
        assert_eq!(value["a"][0], Value::Null);
        assert_eq!((&value["d"], &value["e"]), (&json!(3), &json!("\u{fffd} half 😀")));
        let expected = [
            ("/a/0", json!("1e400")),
            ("/a/1/b~1~0", json!("18446744073709551616")),
            ("/c", json!("0.1000000000000000055")),
            ("/d#1", json!(1)),
            ("/d#2", json!({ "x": [2] })),
            ("/e", json!(r#""\ud83d half \ud83d\ude00""#)),
            ("/f", json!("-1e-400")),
        ];
        assert_eq!(kept, expected.map(|(place, value)| (place.to_owned(), value)));
    }

    #[test]
    fn what_a_parser_keeps_is_left_alone() {
        for json in [
            r#"{"a":[0,-0,-0.0,1.0,1.50,1e2,1E+2,100,0.1,5e-324,1.7976931348623157e308,18446744073709551615,-9223372036854775808]}"#,
            r#"{"a":"\\ud800","b":"\ud83d\ude00\u00e9\"1e400","c":[[],{},{"a":1},{"a":2}],"":null}"#,
            r#"[0.30000000000000004,123456789012345680000,2.2250738585072014e-308,8.41e21,9007199254740993]"#,
        ] {
            let (text, lost) = exact(json.as_bytes());
            assert!(matches!(text, Cow::Borrowed(_)), "{json}");
            assert_eq!(lost.values, [], "{json}");
        }
    }

    #[test]
    fn what_is_no_json_is_left_to_the_parser() {
        for json in [
            "",
            "{",
            "\"",
            "\"\\",
            "{\"a",
            "]",
            "}",
            ",:",
            "-",
            "[1e",
            "\"\\ud8",
            "{\"a\":1,\"a\":}",
            "[1.2.3]",
            "1-1",
            "{,}",
        ] {
            assert!(serde_json::from_slice::<Value>(&exact(json.as_bytes()).0).is_err(), "{json}");
        }
        let deep = "[".repeat(200_000);
        assert!(serde_json::from_slice::<Value>(&exact(deep.as_bytes()).0).is_err());
    }

    #[test]
    fn names_are_those_of_the_outermost_object() {
        let json = br#" {"a": {"x": "y"}, "b": ["c", "d"], "e": "f", "cut": "#;
        assert_eq!(names(json).collect::<Vec<_>>(), [&b"a"[..], b"b", b"e", b"cut"]);
    }
}
