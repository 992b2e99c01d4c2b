use std::ops::Range;

use super::span::place;
use super::wave::{SPEAKERS, Speaking};
use crate::text::{Text, Turn};

/// Turns above a picture, at most: more would be thinner than can be seen.
const MAX_SPEAKING: usize = 400;

/// Who says what when, as a page shows it.
pub(super) struct Turns<'t> {
    /// The text's number on the page.
    number: usize,
    pub(super) all: Vec<Said<'t>>,
    /// In the order in which they first speak.
    speakers: Vec<String>,
}

/// What somebody says in one turn.
pub(super) struct Said<'t> {
    pub(super) speaker: Option<String>,
    pub(super) at_ms: Option<u64>,
    pub(super) words: &'t str,
    /// Where in the words something stands in place of what was redacted.
    pub(super) blocks: Vec<Range<usize>>,
}

impl<'t> Turns<'t> {
    /// Of the first `most` bytes of a text.
    pub(super) fn of(number: usize, text: &'t Text<'_>, blocks: &[Range<usize>], most: usize) -> Self {
        let body = text.body();
        let end = (0..=most.min(body.len())).rev().find(|at| body.is_char_boundary(*at)).unwrap_or(0);
        // Where a turn begins, where its words do, and who speaks when.
        let begin = |turn: Turn| (turn.start, text.said(&turn), turn.speaker, turn.at_ms);
        let mut begins: Vec<_> = text.turns().into_iter().map(begin).collect();
        if begins.first().is_none_or(|(start, ..)| *start > 0) {
            begins.insert(0, (0, 0, None, None));
        }
        for block in blocks {
            // A line of which the beginning is hidden is not of whoever spoke before.
            let line = block.start == 0 || body.as_bytes().get(block.start - 1) == Some(&b'\n');
            if line && let Err(at) = begins.binary_search_by_key(&block.start, |(start, ..)| *start) {
                begins.insert(at, (block.start, block.start, None, None));
            }
        }
        let ends: Vec<usize> = begins.iter().skip(1).map(|(start, ..)| *start).chain([body.len()]).collect();
        let mut turns = Self { number, all: Vec::with_capacity(begins.len()), speakers: Vec::new() };
        for ((_, said, speaker, at_ms), until) in begins.into_iter().zip(ends) {
            if said >= end && end < body.len() {
                break;
            }
            let words = body.get(said..until.min(end)).unwrap_or_default().trim_end();
            if words.trim().is_empty() && speaker.is_none() {
                continue;
            }
            let lead = words.len() - words.trim_start().len();
            let words = &words[lead..];
            let begin = said + lead;
            let own = blocks.iter().filter(|block| block.start >= begin && block.end <= begin + words.len());
            let blocks = own.map(|block| block.start - begin..block.end - begin).collect();
            if let Some(name) = &speaker
                && !turns.speakers.contains(name)
            {
                turns.speakers.push(name.clone());
            }
            turns.all.push(Said { speaker, at_ms, words, blocks });
        }
        turns
    }

    pub(super) fn anchor(&self, turn: usize) -> String {
        format!("t{}-{turn}", self.number)
    }

    pub(super) fn speakers(&self) -> &[String] {
        &self.speakers
    }

    /// Which of the speakers somebody is.
    pub(super) fn speaker(&self, name: &str) -> Option<usize> {
        self.speakers.iter().position(|speaker| speaker == name)
    }

    pub(super) fn is_timed(&self) -> bool {
        self.all.iter().any(|said| said.at_ms.is_some())
    }

    /// Who speaks when in these milliseconds, as far as turns have a time and a speaker of the first few.
    pub(super) fn speaking(&self, within: &Range<u64>) -> Vec<Speaking> {
        let timed: Vec<(usize, u64, &Said<'_>)> =
            self.all.iter().enumerate().filter_map(|(at, said)| Some((at, said.at_ms?, said))).collect();
        if timed.len() > MAX_SPEAKING {
            return Vec::new();
        }
        let ends = timed.iter().skip(1).map(|(_, ms, _)| *ms).chain([within.end]);
        let mut speaking = Vec::with_capacity(timed.len());
        for ((at, start, said), end) in timed.iter().zip(ends) {
            let ms = (*start).max(within.start)..end.min(within.end);
            let Some(name) = &said.speaker else { continue };
            let Some(speaker) = self.speaker(name).filter(|speaker| *speaker < SPEAKERS.len()) else { continue };
            if ms.start < ms.end {
                let told = format!("{name}, {}", place(*start));
                speaking.push(Speaking { speaker, ms, anchor: self.anchor(*at), told });
            }
        }
        speaking
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(turns: &Turns<'_>) -> Vec<(Option<String>, Option<u64>, String)> {
        turns.all.iter().map(|said| (said.speaker.clone(), said.at_ms, said.words.to_owned())).collect()
    }

    #[test]
    fn words_stand_behind_who_says_them_when() {
        let lines = "A call.\n[00:01] Louis: Hello,\nhow are you?\n\n[00:05] Olivia: Well.\n[00:07] Louis:\n";
        let text = Text::of("text/plain", lines.as_bytes());
        let turns = Turns::of(0, &text, &[], usize::MAX);
        let name = |name: &str| Some(name.to_owned());
        assert_eq!(
            told(&turns),
            [
                (None, None, "A call.".to_owned()),
                (name("Louis"), Some(1000), "Hello,\nhow are you?".to_owned()),
                (name("Olivia"), Some(5000), "Well.".to_owned()),
                (name("Louis"), Some(7000), String::new()),
            ]
        );
        assert_eq!(turns.speakers(), ["Louis", "Olivia"]);
        let speaking = turns.speaking(&(2000..9000));
        let spans: Vec<_> = speaking.iter().map(|turn| (turn.speaker, turn.ms.clone(), turn.anchor.as_str())).collect();
        assert_eq!(spans, [(0, 2000..5000, "t0-1"), (1, 5000..7000, "t0-2"), (0, 7000..9000, "t0-3")]);
    }

    #[test]
    fn a_line_that_begins_redacted_is_nobodys() {
        let lines = "Louis: Your [REDACTED: x]\n[REDACTED: x]11\nLouis: Thanks [REDACTED: y].";
        let text = Text::of("text/plain", lines.as_bytes());
        let blocks: Vec<_> = lines.match_indices("[REDACTED: ").map(|(at, _)| at..at + 13).collect();
        let turns = Turns::of(0, &text, &blocks, usize::MAX);
        let who: Vec<_> = turns.all.iter().map(|said| (said.speaker.as_deref(), said.blocks[0].start)).collect();
        assert_eq!(who, [(Some("Louis"), 5), (None, 0), (Some("Louis"), 7)]);
        assert!(turns.all.iter().all(|said| said.blocks.len() == 1 && said.blocks[0].len() == 13));
    }

    #[test]
    fn of_a_long_text_the_beginning_is_shown_to_a_whole_character() {
        let text = Text::of("text/plain", "Louis: äöü\nOlivia: Hello".as_bytes());
        let shown = |most: usize| told(&Turns::of(0, &text, &[], most)).pop().map(|(_, _, words)| words);
        assert_eq!(shown(10).as_deref(), Some("ä"));
        assert_eq!(shown(7), None);
        assert_eq!((shown(22).as_deref(), shown(23).as_deref()), (Some("äöü"), Some("H")));
    }
}
