use std::fmt::{self, Write as _};
use std::io::{self, Write};

/// Where a text goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Between tags, where a character can be marked up.
    Flow,
    /// A quoted attribute, or an element that holds text alone.
    Plain,
}

/// Writes `text` so that it is that text and nothing else to a browser. A character that would not be seen, or would
/// move others, is shown by its code point.
pub(crate) fn escape(text: impl fmt::Display, place: Place, out: &mut dyn Write) -> io::Result<()> {
    let mut escaper = Escaper { place, failed: Ok(()), out };
    // A failing `Display` is the only other reason, and there is none among ours.
    let written = write!(escaper, "{text}");
    escaper.failed?;
    written.map_err(|_| io::Error::other("a text could not be formatted"))
}

struct Escaper<'a> {
    place: Place,
    failed: io::Result<()>,
    out: &'a mut dyn Write,
}

impl fmt::Write for Escaper<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.failed = self.pieces(text);
        if self.failed.is_ok() { Ok(()) } else { Err(fmt::Error) }
    }
}

impl Escaper<'_> {
    fn pieces(&mut self, text: &str) -> io::Result<()> {
        let mut done = 0;
        for (at, c) in text.char_indices() {
            let entity = match c {
                '&' => Some("&amp;"),
                '<' => Some("&lt;"),
                '>' => Some("&gt;"),
                '"' => Some("&quot;"),
                '\'' => Some("&#39;"),
                _ if unseen(c) => None,
                _ => continue,
            };
            self.out.write_all(&text.as_bytes()[done..at])?;
            match (entity, self.place) {
                (Some(entity), _) => self.out.write_all(entity.as_bytes())?,
                (None, Place::Flow) => write!(self.out, "<span class=\"code\">U+{:04X}</span>", u32::from(c))?,
                (None, Place::Plain) => write!(self.out, "[U+{:04X}]", u32::from(c))?,
            }
            done = at + c.len_utf8();
        }
        self.out.write_all(&text.as_bytes()[done..])
    }
}

/// Controls, bidirectional controls, fillers and noncharacters. Not the joiners of Persian, the languages of India and
/// emoji, nor variation selectors: words are misspelt without them.
fn unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
            | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fdd0}'..='\u{fdef}' | '\u{fff9}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e007f}')
        || u32::from(c) & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str, place: Place) -> String {
        let mut out = Vec::new();
        escape(text, place, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn markup_becomes_text() {
        let hostile = "</script><img src=x onerror='a(\"b\")'>&amp;";
        let expected = "&lt;/script&gt;&lt;img src=x onerror=&#39;a(&quot;b&quot;)&#39;&gt;&amp;amp;";
        assert_eq!(escaped(hostile, Place::Flow), expected);
        assert_eq!(escaped(hostile, Place::Plain), expected);
    }

    #[test]
    fn a_character_that_is_not_seen_is_shown_by_its_code_point() {
        assert_eq!(escaped("a\u{202e}b\0", Place::Plain), "a[U+202E]b[U+0000]");
        assert_eq!(
            escaped("\u{2066}\n", Place::Flow),
            "<span class=\"code\">U+2066</span><span class=\"code\">U+000A</span>"
        );
        for c in ['\u{7f}', '\u{85}', '\u{200b}', '\u{feff}', '\u{ffff}', '\u{1fffe}', '\u{e0041}', '\u{3164}'] {
            assert_eq!(escaped(&c.to_string(), Place::Plain), format!("[U+{:04X}]", u32::from(c)));
        }
    }

    #[test]
    fn the_words_of_all_languages_pass_unchanged() {
        for text in ["Žofie Müller", "می\u{200c}خواهم", "ישראל", "👩\u{200d}👧", "株式会社", "क्\u{200d}ष", "❤\u{fe0f}"]
        {
            assert_eq!(escaped(text, Place::Flow), text);
        }
    }

    #[test]
    fn a_writer_that_fails_is_an_error() {
        let mut full = [0_u8; 4];
        assert!(escape("<<<<", Place::Flow, &mut &mut full[..]).is_err());
    }
}
