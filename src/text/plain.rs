use std::borrow::Cow;

use super::{Text, Turns};

impl Text<'_> {
    /// All that it tells, as plain text: before what somebody said when, a line has `[00:01:02.500] Olivia: ` unless the
    /// body says so itself.
    pub(crate) fn to_plain(&self) -> Cow<'_, str> {
        let Turns::Known(turns) = &self.turns else { return Cow::Borrowed(&self.body) };
        let mut plain = String::with_capacity(self.body.len() + turns.len() * 32);
        let mut done = 0;
        for turn in turns {
            plain.push_str(&self.body[done..turn.start]);
            done = turn.start;
            if let Some(ms) = turn.at_ms {
                plain.push_str(&format!("[{}] ", clock(ms)));
            }
            if let Some(speaker) = &turn.speaker {
                plain.extend(speaker.chars().map(|c| if c.is_control() { ' ' } else { c }));
                plain.push_str(": ");
            }
        }
        plain.push_str(&self.body[done..]);
        Cow::Owned(plain)
    }
}

/// `00:01:02.500`.
pub(crate) fn clock(ms: u64) -> String {
    let seconds = ms / 1000;
    format!("{:02}:{:02}:{:02}.{:03}", seconds / 3600, seconds / 60 % 60, seconds % 60, ms % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_said_what_when_is_plain_text_that_reads_the_same() {
        let json = br#"[{"speaker":"Olivia","start":1.5,"text":"Hello.\nIs anybody there?"},
            {"speaker":"Louis","text":"Yes."},{"start":3723,"text":"\u00c4h"}]"#;
        let plain = Text::of("application/json", json).to_plain().into_owned();
        assert_eq!(plain, "[00:00:01.500] Olivia: Hello.\nIs anybody there?\nLouis: Yes.\n[01:02:03.000] Äh");
        let again = Text::of("text/plain", plain.as_bytes());
        let told: Vec<_> = again.turns().into_iter().map(|turn| (turn.speaker, turn.at_ms)).collect();
        let (olivia, louis) = (Some("Olivia".to_owned()), Some("Louis".to_owned()));
        assert_eq!(told, [(olivia, Some(1500)), (louis, None), (None, Some(3_723_000))]);
        assert_eq!(again.to_plain(), plain);
    }

    #[test]
    fn what_a_body_says_itself_is_not_said_twice() {
        for (media_type, text) in [
            ("text/plain", "[00:01] Olivia: Hello.\nLouis: Yes."),
            ("message/rfc822", "From: Olivia <o@example.com>\r\nSubject: A bill\r\n\r\nIt is wrong.\r\n"),
        ] {
            let text = Text::of(media_type, text.as_bytes());
            assert_eq!(text.to_plain(), text.body());
        }
    }
}
