use std::collections::HashSet;
use std::ops::Range;

use super::{Text, Turn, Turns};

/// Names of speakers that say what they are and not who.
const ROLES: [&str; 21] = [
    "agent",
    "assistant",
    "bot",
    "callee",
    "caller",
    "channel",
    "client",
    "consumer",
    "customer",
    "employee",
    "interviewer",
    "left",
    "operator",
    "representative",
    "right",
    "speaker",
    "supervisor",
    "support",
    "system",
    "user",
    "visitor",
];

/// A span of a body, and the word that stands in its place.
pub(crate) type Mask = (Range<usize>, String);

impl Text<'_> {
    /// With every span replaced by its word, and where the words stand. The spans are in order, apart, not empty, and
    /// begin and end between characters of the body: nothing otherwise.
    ///
    /// Who began to speak where stays, so that nobody is given the words of another: a span over several turns is replaced
    /// in each. A speaker's name of which a span has a word becomes `Speaker 1`, unless it is a role.
    pub(crate) fn masked(&self, masks: &[Mask]) -> Option<(Text<'static>, Vec<Range<usize>>)> {
        let mut end = 0;
        for (span, _) in masks {
            let fits = span.start >= end && span.start < span.end;
            if !fits || self.body.get(span.clone()).is_none() {
                return None;
            }
            end = span.end;
        }
        let mut built = Masking { body: String::with_capacity(self.body.len()), done: 0, words: Vec::new() };
        let turns = match &self.turns {
            Turns::InLines => {
                masks.iter().for_each(|mask| built.mask_lines(&self.body, mask));
                built.rest(&self.body);
                Turns::InLines
            }
            Turns::Known(turns) => Turns::Known(self.mask_turns(turns, masks, &mut built)),
            Turns::Said(turns) => Turns::Said(self.mask_turns(turns, masks, &mut built)),
        };
        Some((Text { body: built.body.into(), turns }, built.words))
    }

    fn mask_turns(&self, turns: &[Turn], masks: &[Mask], built: &mut Masking) -> Vec<Turn> {
        let names = Names::of(turns, masks.iter().filter_map(|(span, _)| self.body.get(span.clone())));
        let mut masks = masks.iter().peekable();
        let mut renewed = Vec::with_capacity(turns.len());
        let ends = turns.iter().skip(1).map(|turn| turn.start).chain([self.body.len()]);
        // What stands before the first turn belongs to nobody.
        let first = turns.first().map_or(self.body.len(), |turn| turn.start);
        let nobody = [(None, 0, first)].into_iter();
        for (turn, start, end) in nobody.chain(turns.iter().zip(ends).map(|(turn, end)| (Some(turn), turn.start, end)))
        {
            built.copy(&self.body, start);
            if let Some(turn) = turn {
                let speaker = turn.speaker.as_deref().map(|name| names.renewed(name));
                renewed.push(Turn { start: built.body.len(), speaker, at_ms: turn.at_ms });
            }
            // The break before the next turn is no one's words.
            let said =
                if end > start && end < self.body.len() && self.body[..end].ends_with('\n') { end - 1 } else { end };
            while let Some((span, word)) = masks.peek().filter(|(span, _)| span.start < end) {
                let begins_here = span.start >= start;
                let piece = span.start.clamp(start, said)..span.end.min(said);
                if begins_here || !piece.is_empty() {
                    built.word(&self.body, piece, word);
                }
                if span.end > end {
                    break;
                }
                masks.next();
            }
        }
        built.rest(&self.body);
        renewed
    }
}

struct Masking {
    body: String,
    /// What of the old body has been dealt with.
    done: usize,
    words: Vec<Range<usize>>,
}

impl Masking {
    fn copy(&mut self, old: &str, until: usize) {
        if let Some(text) = old.get(self.done..until) {
            self.body.push_str(text);
            self.done = until;
        }
    }

    fn rest(&mut self, old: &str) {
        self.copy(old, old.len());
    }

    fn word(&mut self, old: &str, span: Range<usize>, word: &str) {
        self.copy(old, span.start);
        let start = self.body.len();
        self.body.push_str(word);
        self.words.push(start..self.body.len());
        self.done = self.done.max(span.end);
    }

    /// A span over several lines hides who speaks in the last: what is left of it stands in a line of its own, behind
    /// another word.
    fn mask_lines(&mut self, old: &str, (span, word): &Mask) {
        self.word(old, span.clone(), word);
        let hidden = &old[span.clone()];
        let left = old[span.end..].chars().next();
        match left {
            _ if !hidden.contains('\n') => {}
            None | Some('\n' | '\r') => {}
            Some(_) => {
                self.body.push('\n');
                if !hidden.ends_with('\n') {
                    self.word(old, span.end..span.end, word);
                }
            }
        }
    }
}

/// What speakers are called when some of their names must not be told.
struct Names<'t> {
    all: Vec<&'t str>,
    hidden: HashSet<String>,
}

impl<'t> Names<'t> {
    fn of<'s>(turns: &'t [Turn], spans: impl Iterator<Item = &'s str>) -> Self {
        let mut all: Vec<&str> = Vec::new();
        for name in turns.iter().filter_map(|turn| turn.speaker.as_deref()) {
            if !all.contains(&name) {
                all.push(name);
            }
        }
        let hidden = spans.flat_map(words).filter(|word| !ROLES.contains(&word.as_str())).collect();
        Self { all, hidden }
    }

    fn renewed(&self, name: &str) -> String {
        if words(name).any(|word| self.hidden.contains(&word)) {
            let number = self.all.iter().position(|one| *one == name).unwrap_or(self.all.len()) + 1;
            return format!("Speaker {number}");
        }
        name.to_owned()
    }
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of a text when every `needle` in it is replaced.
    fn masked(media_type: &str, text: &str, needles: &[&str]) -> (String, Vec<(Option<String>, String)>) {
        let text = Text::of(media_type, text.as_bytes());
        let body = text.body();
        let mut masks: Vec<Mask> = needles
            .iter()
            .map(|needle| body.find(needle).unwrap_or_else(|| panic!("{needle}")))
            .zip(needles)
            .map(|(at, needle)| (at..at + needle.len(), "[X]".to_owned()))
            .collect();
        masks.sort_by_key(|(span, _)| span.start);
        let (made, words) = text.masked(&masks).unwrap();
        assert!(words.iter().all(|word| &made.body()[word.clone()] == "[X]"));
        assert_eq!(words.len(), made.body().matches("[X]").count());
        let turns = made.turns();
        let ends = turns.iter().skip(1).map(|turn| turn.start).chain([made.body().len()]);
        let said =
            turns.iter().zip(ends).map(|(turn, end)| (turn.speaker.clone(), made.body()[turn.start..end].to_owned()));
        (made.to_plain().into_owned(), said.collect())
    }

    const CALL: &str = r#"[{"speaker":"Agent Louis","start":1,"text":"Your number, please?"},
        {"speaker":"Olivia","start":2,"text":"It is 4111 1111."},{"speaker":"Agent Louis","start":3,"text":"Thank you, Olivia."}]"#;

    #[test]
    fn a_span_is_replaced_and_everybody_keeps_his_words() {
        let (plain, _) = masked("application/json", CALL, &["4111 1111"]);
        assert_eq!(
            plain,
            "[00:00:01.000] Agent Louis: Your number, please?\n[00:00:02.000] Olivia: It is [X].\n\
             [00:00:03.000] Agent Louis: Thank you, Olivia."
        );
        let (plain, said) = masked("application/json", CALL, &["please?\nIt is 4111 1111.\nThank"]);
        assert_eq!(
            plain,
            "[00:00:01.000] Agent Louis: Your number, [X]\n[00:00:02.000] Olivia: [X]\n\
             [00:00:03.000] Agent Louis: [X] you, Olivia."
        );
        assert_eq!(said[1], (Some("Olivia".to_owned()), "[X]\n".to_owned()));
    }

    #[test]
    fn spans_that_touch_a_break_between_turns_keep_it() {
        for (span, expected) in [
            ("please?\n", "Your number, [X]\nIt is 4111 1111.\nThank you, Olivia."),
            ("\nIt", "Your number, please?[X]\n[X] is 4111 1111.\nThank you, Olivia."),
            ("\n", "Your number, please?[X]\nIt is 4111 1111.\nThank you, Olivia."),
            ("Your number, please?", "[X]\nIt is 4111 1111.\nThank you, Olivia."),
            ("Thank you, Olivia.", "Your number, please?\nIt is 4111 1111.\n[X]"),
        ] {
            let text = Text::of("application/json", CALL.as_bytes());
            let at = text.body().find(span).unwrap();
            let (made, _) = text.masked(&[(at..at + span.len(), "[X]".to_owned())]).unwrap();
            assert_eq!(made.body(), expected, "{span:?}");
            assert_eq!(made.turns().len(), 3);
        }
    }

    #[test]
    fn a_name_that_is_hidden_in_the_text_is_hidden_before_it_too() {
        let (plain, _) = masked("application/json", CALL, &["Olivia"]);
        assert!(!plain.contains("Olivia") && plain.contains("Speaker 2: It is 4111 1111."), "{plain}");
        assert!(plain.contains("Agent Louis: Thank you, [X]."));
        let call = CALL.replace("please?", "please? I am louis, your agent.");
        let (plain, _) = masked("application/json", &call, &["louis, your agent"]);
        assert!(!plain.contains("Louis") && plain.contains("Speaker 1: Thank you, Olivia."), "{plain}");
        let call = CALL.replace("Agent Louis", "Agent");
        let (plain, _) = masked("application/json", &call.replace("you, Olivia", "you, agent"), &["agent"]);
        assert!(plain.contains("Agent: Thank you, [X]."), "{plain}");
        let mail = "From: Olivia Smith <o@example.com>\r\nTo: Louis <l@example.com>\r\nSubject: Hi\r\n\r\nHello.\r\n";
        let (_, said) = masked("message/rfc822", mail, &["Olivia Smith <o@example.com>"]);
        assert_eq!(said[1].0.as_deref(), Some("Speaker 1"));
    }

    #[test]
    fn in_lines_a_span_takes_the_names_that_are_in_it() {
        let lines = "Louis: Your number?\nOlivia: 4111\nLouis: Thank you.\n";
        for (span, expected) in [
            ("4111", "Louis: Your number?\nOlivia: [X]\nLouis: Thank you.\n"),
            ("number?\nOlivia: 41", "Louis: Your [X]\n[X]11\nLouis: Thank you.\n"),
            ("number?\nOlivia: 4111\n", "Louis: Your [X]\nLouis: Thank you.\n"),
            ("number?\nOlivia: 4111", "Louis: Your [X]\nLouis: Thank you.\n"),
            ("Olivia", "Louis: Your number?\n[X]: 4111\nLouis: Thank you.\n"),
        ] {
            assert_eq!(masked("text/plain", lines, &[span]).0, expected, "{span:?}");
        }
        let at = lines.find("Olivia").unwrap();
        let mask = (at..at + "Olivia".len(), "[REDACTED: a name]".to_owned());
        let (made, _) = Text::of("text/plain", lines.as_bytes()).masked(&[mask]).unwrap();
        assert!(made.turns().iter().all(|turn| turn.speaker.as_deref() == Some("Louis")));
    }

    #[test]
    fn spans_that_are_none_are_refused() {
        let text = Text::of("text/plain", "äöü".as_bytes());
        let word = || "[X]".to_owned();
        for spans in [&[(0, 0)][..], &[(0, 1)], &[(0, 7)], &[(2, 4), (0, 2)], &[(0, 4), (2, 6)], &[(4, 2)]] {
            let masks: Vec<Mask> = spans.iter().map(|(start, end)| (*start..*end, word())).collect();
            assert!(text.masked(&masks).is_none(), "{spans:?}");
        }
        assert_eq!(text.masked(&[(0..2, word()), (2..6, word())]).unwrap().0.body(), "[X][X]");
        assert_eq!(text.masked(&[]).unwrap().0.body(), "äöü");
    }
}
