//! WebVTT (W3C) and SubRip: cues under a line of times.

use super::lines::clock;
use super::{Builder, Text};

/// Nothing if no line holds cue times.
pub(super) fn read(body: &str) -> Option<Text<'static>> {
    let mut built = Builder::default();
    let mut lines = body.lines().peekable();
    while let Some(line) = lines.next() {
        let Some((from, _)) = line.split_once("-->") else { continue };
        let Some(at_ms) = clock(from.trim()) else { continue };
        while let Some(line) = lines.next_if(|line| !line.trim().is_empty()) {
            let (speaker, text) = voice(line);
            built.turn(&text, speaker, Some(at_ms));
        }
    }
    (!built.turns.is_empty()).then(|| built.text())
}

/// A cue's line without its tags, and the name in its `<v …>` if it has one.
fn voice(line: &str) -> (Option<String>, String) {
    let (mut speaker, mut text, mut rest) = (None, String::new(), line);
    while let Some((before, tag)) = rest.split_once('<') {
        let Some((tag, after)) = tag.split_once('>') else { break };
        if let Some((name, annotation)) = tag.split_once(char::is_whitespace)
            && name.split('.').next() == Some("v")
        {
            speaker = Some(annotation.trim().to_owned());
        }
        text.push_str(before);
        rest = after;
    }
    text.push_str(rest);
    for (entity, character) in [("&lt;", "<"), ("&gt;", ">"), ("&nbsp;", "\u{a0}"), ("&amp;", "&")] {
        text = text.replace(entity, character);
    }
    (speaker, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cues_have_times_and_voices() {
        let vtt = "WEBVTT\n\n1\n00:00:01.000 --> 00:00:02.000 align:left\n<v.loud Olivia Smith>Hello &amp; <i>good</i> day\n\n00:03.500 --> 00:04.000\nBye\n";
        let text = read(vtt).unwrap();
        assert_eq!(text.body(), "Hello & good day\nBye");
        let turn = text.turn_at(3).unwrap();
        assert_eq!((turn.speaker.as_deref(), turn.at_ms), (Some("Olivia Smith"), Some(1000)));
        assert_eq!(text.turn_at(17).unwrap().at_ms, Some(3500));
        assert_eq!(read("1\n00:00:01,250 --> 00:00:02,000\nHi\n").unwrap().turn_at(0).unwrap().at_ms, Some(1250));
        assert!(read("WEBVTT\n\nno cue").is_none());
    }
}
