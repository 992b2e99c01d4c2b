//! Turns in plain text, by what stands at the beginning of a line: `[00:01:02.5] Agent: Hello`, or a date and time in
//! brackets, which counts from that of the first line.

use super::Turn;
use crate::time::Timestamp;

/// Lines looked at before the one that a place is in.
const BACK: usize = 200;

pub(super) fn turn_at(body: &str, place: usize) -> Option<Turn> {
    let mut place = place.min(body.len());
    while !body.is_char_boundary(place) {
        place -= 1;
    }
    let mut end = body[place..].find('\n').map_or(body.len(), |at| place + at);
    for _ in 0..BACK {
        let start = body[..end].rfind('\n').map_or(0, |at| at + 1);
        let line = &body[start..end];
        // A blank line ends what somebody said.
        if line.trim().is_empty() {
            return None;
        }
        if let Some(turn) = turn_of(line, start, begun(body)) {
            return Some(turn);
        }
        end = start.checked_sub(1)?;
    }
    None
}

pub(super) fn turns(body: &str) -> Vec<Turn> {
    let mut start = 0;
    let lines = body.split_inclusive('\n').map(|line| {
        let at = start;
        start += line.len();
        (line.trim_end_matches(['\n', '\r']), at)
    });
    let begun = begun(body);
    lines.filter_map(|(line, start)| turn_of(line, start, begun)).collect()
}

/// Where in the body what a turn says begins: behind who and when.
pub(super) fn said(body: &str, turn: &Turn) -> usize {
    let line = body[turn.start..].split('\n').next().unwrap_or_default();
    let rest = dated(line).map_or_else(|| time_prefix(line).1, |(_, rest)| rest);
    let rest = match speaker_prefix(rest) {
        Some(_) => rest.split_once(':').map_or(rest, |(_, rest)| rest.trim_start()),
        None => rest,
    };
    turn.start + line.len() - rest.len()
}

/// The date and time at the beginning of the first line that is not empty.
fn begun(body: &str) -> Option<Timestamp> {
    let first = body.trim_start().lines().next()?;
    dated(first).map(|(time, _)| time)
}

/// A date and time with a zone in brackets, and what follows.
fn dated(line: &str) -> Option<(Timestamp, &str)> {
    let (time, rest) = line.trim_start().strip_prefix('[')?.split_once(']')?;
    Some((time.parse().ok()?, rest.trim_start()))
}

fn turn_of(line: &str, start: usize, begun: Option<Timestamp>) -> Option<Turn> {
    let (at_ms, rest) = match dated(line) {
        Some((time, rest)) => {
            (begun.and_then(|begun| u64::try_from(time.unix_ms().checked_sub(begun.unix_ms())?).ok()), rest)
        }
        None => time_prefix(line),
    };
    let speaker = speaker_prefix(rest);
    (at_ms.is_some() || speaker.is_some()).then(|| Turn { start, speaker: speaker.map(str::to_owned), at_ms })
}

/// A time of the form `mm:ss` or `hh:mm:ss`, with or without a fraction and brackets, and what follows.
fn time_prefix(line: &str) -> (Option<u64>, &str) {
    let trimmed = line.trim_start();
    let inner = trimmed.strip_prefix(['[', '(']).unwrap_or(trimmed);
    let end = inner.find(|c: char| !(c.is_ascii_digit() || ":.,".contains(c))).unwrap_or(inner.len());
    let Some(at_ms) = clock(inner[..end].trim_end_matches([':', '.', ','])) else { return (None, line) };
    let rest = &inner[end..];
    (Some(at_ms), rest.strip_prefix([']', ')']).unwrap_or(rest).trim_start_matches([' ', '\t', '-', '–']))
}

/// Milliseconds of `[hh:]mm:ss[.fff]`.
pub(super) fn clock(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, ""));
    if whole.len() > 12 || fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let fields: Vec<&str> = whole.split(':').collect();
    let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    let (hours, minutes, seconds) = match fields[..] {
        [minutes, seconds] => (0, number(minutes)?, number(seconds)?),
        [hours, minutes, seconds] => (number(hours)?, number(minutes)?, number(seconds)?),
        _ => return None,
    };
    if seconds > 59 || (fields.len() == 3 && minutes > 59) || hours > 9999 {
        return None;
    }
    let fraction = if fraction.is_empty() { 0 } else { number(&format!("{fraction:0<3}")[..3])? };
    Some(((hours * 60 + minutes) * 60 + seconds) * 1000 + fraction)
}

/// A name before a colon: a few words, the first beginning with a letter, followed by white space or nothing.
fn speaker_prefix(line: &str) -> Option<&str> {
    let (name, rest) = line.trim_start().split_once(':')?;
    let name = name.trim_end();
    // What a bracket opens that is not closed is no name: `[REDACTED: reason]`.
    if name.starts_with('[') && !name.contains(']') {
        return None;
    }
    let name = name.trim_matches(['[', ']', '*']);
    let plain = |c: char| c.is_alphanumeric() || " .'-_()#/&".contains(c);
    let fits = name.chars().next().is_some_and(char::is_alphabetic)
        && name.chars().count() <= 40
        && name.split_whitespace().count() <= 4
        && name.chars().all(plain)
        && rest.chars().next().is_none_or(char::is_whitespace);
    fits.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lines_beginning_tells_who_spoke_when() {
        let body = "[00:01:02.5] Agent: Hello,\nhow can I help?\n01:05 Olivia Smith: My bill: it is wrong.\n\nhttp://x: no\nlater";
        let told = |at: &str| turn_at(body, body.find(at).unwrap()).map(|t| (t.speaker, t.at_ms));
        assert_eq!(told("Hello"), Some((Some("Agent".into()), Some(62_500))));
        assert_eq!(told("how"), told("Hello"));
        assert_eq!(told("wrong"), Some((Some("Olivia Smith".into()), Some(65_000))));
        assert_eq!(told("later"), None);
        let speaker = |line: &str| turn_at(line, 0).and_then(|turn| turn.speaker);
        assert_eq!(speaker("[Agent]: hi").as_deref(), Some("Agent"));
        assert_eq!(speaker("[REDACTED: hi] there"), None);
        assert_eq!(turns(body).len(), 2);
        let words = |turn: &Turn| body[said(body, turn)..].split_whitespace().next().map(str::to_owned);
        assert_eq!(turns(body).iter().filter_map(words).collect::<Vec<_>>(), ["Hello,", "My"]);
        assert_eq!(turns(body)[1], turn_at(body, body.find("bill").unwrap()).unwrap());
        let dated = "[2026-03-01T10:00:00+01:00] agent: hi\n[2026-03-01T09:00:07Z] Olivia: my bill";
        let turn = turn_at(dated, dated.len()).unwrap();
        assert_eq!((turn.speaker.as_deref(), turn.at_ms), (Some("Olivia"), Some(7000)));
        for no in ["99:99", "1:2:3:4", "12", "a:b", "", "00:61", "1:", "0:00.„"] {
            assert_eq!(clock(no), None, "{no}");
        }
    }
}
