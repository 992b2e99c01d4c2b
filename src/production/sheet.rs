//! Tables in CSV that people open with a spreadsheet and programs read: RFC 4180, UTF-8 with a byte order mark, every
//! field in quotes, CRLF.

use super::BOM;

/// The first line of a table.
pub(super) fn header(columns: &[&str]) -> String {
    let mut text = BOM.to_owned();
    row(&mut text, columns);
    text
}

/// Adds a line.
pub(super) fn row(text: &mut String, fields: &[impl AsRef<str>]) {
    for (at, field) in fields.iter().map(AsRef::as_ref).enumerate() {
        text.push_str(if at == 0 { "\"" } else { ",\"" });
        if is_formula(field) {
            text.push('\'');
        }
        for c in field.chars() {
            match c {
                '"' => text.push_str("\"\""),
                c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => text.push(' '),
                c => text.push(c),
            }
        }
        text.push('"');
    }
    text.push_str("\r\n");
}

/// Whether a spreadsheet would compute it, or it begins as what is kept from that. Such a field gets an apostrophe before it,
/// which is not part of the value. A telephone number of `+` and digits can be nothing but a number, and stays as it is.
fn is_formula(field: &str) -> bool {
    let visible = field.trim_start_matches(|c: char| c.is_whitespace() || c.is_control() || is_invisible(c));
    let begins = visible.starts_with(['=', '+', '-', '@', '\'', '＝', '＋', '－', '＠']);
    let number =
        field.strip_prefix('+').is_some_and(|n| (2..=15).contains(&n.len()) && n.bytes().all(|b| b.is_ascii_digit()));
    begins && !number
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{FEFF}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Vec<String>> {
        let body = text.strip_prefix(BOM).unwrap_or(text);
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(body.as_bytes());
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    #[test]
    fn what_a_spreadsheet_would_compute_is_text_there_and_gives_its_value_back() {
        let hostile = [
            "=cmd|'/c calc'!A0",
            "+1+1",
            "-2+3",
            "@SUM(A1)",
            "\t=1+1",
            "\r=1+1",
            " =1+1",
            "\u{FEFF}=1+1",
            "\u{200B}@x",
            "＝1+1",
            "+1 572 256 8385",
            "+4930123456;ext=12",
            "'quoted",
            "''twice",
        ];
        let mut text = header(&["Name"]);
        hostile.iter().for_each(|field| row(&mut text, &[*field]));
        for (field, read) in hostile.iter().zip(&read(&text)[1..]) {
            let value = read[0].strip_prefix('\'').unwrap_or_else(|| panic!("{field:?} is computed"));
            assert_eq!(value, field.replace(['\t', '\r'], " "));
        }
    }

    #[test]
    fn telephone_numbers_stay_as_they_are() {
        for number in ["+15722568385", "+4930123456", "030123456", "1-572", "O'Brien", "a=b", "", "müller@example.com"]
        {
            let mut text = header(&["Number"]);
            row(&mut text, &[number]);
            assert_eq!(read(&text)[1], [number]);
        }
    }

    #[test]
    fn quotes_commas_and_line_ends_stay_within_a_field() {
        let mut text = header(&["a", "b"]);
        row(&mut text, &["x\",\"y", "one\r\n\"=two\"\u{2028}\0three"]);
        assert_eq!(text.lines().count(), 2);
        assert_eq!(read(&text)[1], ["x\",\"y", "one  \"=two\"  three"]);
    }
}
