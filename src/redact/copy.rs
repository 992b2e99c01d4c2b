use std::io::{Read, Seek, Write};
use std::ops::Range;

use super::redaction::{Redacted, Redaction};
use crate::audio::{Replaced, replace};
use crate::error::{Error, ErrorKind, Result};
use crate::text::Text;

/// A text without what was redacted.
pub(crate) struct RedactedText {
    pub(crate) text: Text<'static>,
    /// Where in its body something stands in place of what was redacted.
    pub(crate) blocks: Vec<Range<usize>>,
}

impl RedactedText {
    /// The file that is produced, `text/plain; charset=utf-8`: who said what when, as far as the part told.
    pub(crate) fn to_plain(&self) -> String {
        self.text.to_plain().into_owned()
    }
}

/// Reads a part as its media type says and puts `[REDACTED: reason]` in place of what is redacted of it, as long whatever
/// was there. Spans that overlap become one with all their reasons; one that goes over several turns stands in each.
/// Those that are of no text are passed over. Memory: a few times the part.
///
/// # Errors
/// [`InvalidInput`](ErrorKind::InvalidInput) if a span ends behind the text's end or within a character.
pub(crate) fn redact_text(media_type: &str, bytes: &[u8], redactions: &[Redaction]) -> Result<RedactedText> {
    let text = Text::of(media_type, bytes);
    let spans = redactions.iter().filter_map(|redaction| match &redaction.what {
        Redacted::Text(span) => Some((span.clone(), redaction.reason.as_str())),
        Redacted::Audio { .. } | Redacted::Whole => None,
    });
    let mut spans: Vec<(Range<usize>, &str)> = spans.collect();
    spans.sort_by_key(|(span, _)| span.start);
    let mut merged: Vec<(Range<usize>, Vec<&str>)> = Vec::with_capacity(spans.len());
    for (span, reason) in spans {
        if text.body().get(span.clone()).is_none_or(str::is_empty) {
            let doing = "redacting a text behind its end or within a character";
            return Err(Error::new(ErrorKind::InvalidInput, doing));
        }
        match merged.last_mut().filter(|(last, _)| span.start < last.end) {
            Some((last, reasons)) => {
                last.end = last.end.max(span.end);
                if !reasons.contains(&reason) {
                    reasons.push(reason);
                }
            }
            None => merged.push((span, vec![reason])),
        }
    }
    let masks: Vec<_> =
        merged.into_iter().map(|(span, reasons)| (span, format!("[REDACTED: {}]", reasons.join("; ")))).collect();
    let masked = text.masked(&masks);
    let (text, blocks) = masked.ok_or_else(|| Error::new(ErrorKind::InvalidInput, "redacting a text"))?;
    Ok(RedactedText { text, blocks })
}

/// Writes a recording, or a stretch of it (milliseconds), with what is redacted of it replaced. Those that are of no
/// recording are passed over. Memory: 512 KiB.
///
/// # Errors
/// As [`replace`]: [`Unsupported`](ErrorKind::Unsupported) for all but linear samples and G.711 in WAV.
pub(crate) fn redact_audio(
    source: &mut (impl Read + Seek),
    stretch: Option<Range<u64>>,
    redactions: &[Redaction],
    out: &mut impl Write,
) -> Result<Replaced> {
    let ranges = redactions.iter().filter_map(|redaction| match &redaction.what {
        Redacted::Audio { ms, with } => Some((ms.clone(), *with)),
        Redacted::Text(_) | Redacted::Whole => None,
    });
    replace(source, stretch, &ranges.collect::<Vec<_>>(), out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::Filler;
    use crate::id::RecordId;

    fn redactions(all: &[(Redacted, &str)]) -> Vec<Redaction> {
        let record = RecordId::from_bytes([7; 16]);
        all.iter().map(|(what, reason)| Redaction::new(record, 1, what.clone(), *reason)).collect()
    }

    #[test]
    fn spans_that_overlap_are_one_with_all_their_reasons() {
        let chat = br#"[{"name":"Olivia","text":"My card is 4111 1111 and my PIN 1234."}]"#;
        let body = "My card is 4111 1111 and my PIN 1234.";
        let at = |needle: &str| body.find(needle).unwrap();
        let spans = [
            (Redacted::Text(at("1234")..at("1234") + 4), "secrets"),
            (Redacted::Text(at("4111")..at("4111") + 9), "card"),
            (Redacted::Text(at("1111")..at(" and")), "payment data"),
            (Redacted::Text(at("4111")..at("1111")), "card"),
            (Redacted::Whole, "passed over"),
            (Redacted::Audio { ms: 1..2, with: Filler::Tone }, "passed over"),
        ];
        let made = redact_text("application/json", chat, &redactions(&spans)).unwrap();
        let expected = "My card is [REDACTED: card; payment data] and my PIN [REDACTED: secrets].";
        assert_eq!(made.text.body(), expected);
        assert_eq!(made.to_plain(), format!("Olivia: {expected}"));
        assert_eq!(made.blocks.len(), 2);
        assert_eq!(&made.text.body()[made.blocks[1].clone()], "[REDACTED: secrets]");
    }

    #[test]
    fn how_much_was_hidden_cannot_be_told() {
        let made = |len: usize| {
            let text = format!("PIN {}.", "9".repeat(len));
            redact_text("text/plain", text.as_bytes(), &redactions(&[(Redacted::Text(4..4 + len), "secrets")])).unwrap()
        };
        assert_eq!(made(1).to_plain(), "PIN [REDACTED: secrets].");
        assert_eq!(made(4).to_plain(), made(4000).to_plain());
    }

    #[test]
    fn a_span_behind_the_end_or_within_a_character_is_refused() {
        for span in [0..99, 3..5, 1..3, 0..1, 5..5] {
            let refused = redact_text("text/plain", "äöü".as_bytes(), &redactions(&[(Redacted::Text(span), "x")]));
            let Err(e) = refused else { panic!("it was taken") };
            assert_eq!(e.kind(), ErrorKind::InvalidInput);
        }
    }

    #[test]
    fn markup_and_envelope_of_a_text_are_gone_with_what_they_hide() {
        let html = "<p title=\"4111\">Card: 4111<!-- 4111 --></p><script>4111</script>";
        let text = Text::of("text/html", html.as_bytes()).body().to_owned();
        let at = text.find("4111").unwrap();
        let spans = redactions(&[(Redacted::Text(at..at + 4), "card")]);
        let made = redact_text("text/html", html.as_bytes(), &spans).unwrap().to_plain();
        assert!(made.contains("Card: [REDACTED: card]") && !made.contains("4111"), "{made}");
        let mail =
            "From: a@b.example\r\nX-Card: 4111\r\nSubject: Card\r\nContent-Type: text/plain\r\n\r\nIt is 4111.\r\n";
        let text = Text::of("message/rfc822", mail.as_bytes()).body().to_owned();
        let at = text.find("4111").unwrap();
        let spans = redactions(&[(Redacted::Text(at..at + 4), "card")]);
        let made = redact_text("message/rfc822", mail.as_bytes(), &spans).unwrap().to_plain();
        assert!(made.contains("It is [REDACTED: card].") && !made.contains("4111"), "{made}");
    }
}
