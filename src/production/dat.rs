//! Concordance load files: UTF-8 with a byte order mark, fields between U+00FE, U+0014 between fields, U+00AE for a line
//! end inside one, CRLF.

use super::BOM;

/// Stands between fields.
const SEPARATOR: char = '\u{14}';
/// Stands around a field.
const QUOTE: char = '\u{FE}';
/// Stands for a line end within a field.
const LINE_END: char = '\u{AE}';

/// The first line of a load file.
pub(super) fn header(columns: &[&str]) -> String {
    let mut text = BOM.to_owned();
    row(&mut text, columns);
    text
}

/// Adds a line.
pub(super) fn row(text: &mut String, fields: &[impl AsRef<str>]) {
    for (at, field) in fields.iter().map(AsRef::as_ref).enumerate() {
        if at > 0 {
            text.push(SEPARATOR);
        }
        text.push(QUOTE);
        put(text, field);
        text.push(QUOTE);
    }
    text.push_str("\r\n");
}

/// A quote within a field is doubled, as parsers of such files read it. What stands for a line end elsewhere cannot stand for
/// itself: a registered sign becomes `(R)`. Other control characters become spaces, the separator among them: programs that
/// split lines without looking at quotes would take it for one.
fn put(text: &mut String, field: &str) {
    let mut rest = field.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            QUOTE => text.extend([QUOTE, QUOTE]),
            LINE_END => text.push_str("(R)"),
            '\r' => {
                rest.next_if_eq(&'\n');
                text.push(LINE_END);
            }
            '\n' | '\u{85}' | '\u{2028}' | '\u{2029}' => text.push(LINE_END),
            c if c.is_control() => text.push(' '),
            c => text.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a parser reads it that knows quotes and nothing else.
    fn read(text: &str) -> Vec<Vec<String>> {
        let lines = text.strip_prefix(BOM).unwrap().split_terminator("\r\n");
        let fields = |line: &str| {
            let (mut fields, mut quoted, mut rest) = (vec![String::new()], false, line.chars().peekable());
            while let Some(c) = rest.next() {
                match c {
                    QUOTE if quoted && rest.next_if_eq(&QUOTE).is_some() => fields.last_mut().unwrap().push(QUOTE),
                    QUOTE => quoted = !quoted,
                    SEPARATOR if !quoted => fields.push(String::new()),
                    c => fields.last_mut().unwrap().push(c),
                }
            }
            assert!(!quoted, "{line:?}");
            fields
        };
        lines.map(fields).collect()
    }

    #[test]
    fn hostile_values_stay_within_their_field_and_line() {
        let mut text = header(&["A", "B", "C"]);
        row(&mut text, &["þ\u{14}þ", "Sigþór", "\u{14}\r\n"]);
        row(&mut text, &["one\r\ntwo\nthree\rfour\u{2028}five", "Acme®", ""]);
        row(&mut text, &["þ", "þþ", "=1+1\0"]);
        let expected = [
            ["A", "B", "C"],
            ["þ þ", "Sigþór", " ®"],
            ["one®two®three®four®five", "Acme(R)", ""],
            ["þ", "þþ", "=1+1 "],
        ];
        assert_eq!(read(&text), expected);
        // Nor is a program misled that splits lines without looking at quotes.
        let separators = text.lines().map(|line| line.matches(SEPARATOR).count());
        assert!(separators.eq([2, 2, 2, 2]));
    }
}
