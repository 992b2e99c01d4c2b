use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// Text in whatever encoding it is. Never fails: every byte is some character of Windows-1252.
pub(super) fn decode<'a>(bytes: &'a [u8], parameters: &str) -> Cow<'a, str> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[mark..]).0;
    }
    let told = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then_some(value.trim().trim_matches('"'))
    });
    let told = told.and_then(|label| Encoding::for_label(label.as_bytes())).unwrap_or(UTF_8);
    if told == UTF_8 {
        return match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
        };
    }
    told.decode_without_bom_handling(bytes).0
}
