use crate::error::{Error, ErrorKind, Result};

const PREFIX: &[u8] = b"strongroom/1/";

/// `"strongroom/1/" || label || 0x00 || Σ(u32(len f) || f)`: the one encoding of everything that is signed, hashed or
/// derived from (SPEC "ENC"). Injective: two different lists of fields never give the same bytes.
///
/// ```
/// let bytes = strongroom::encoding::enc("demo", &[b"a", b""]);
/// assert_eq!(bytes, b"strongroom/1/demo\0\0\0\0\x01a\0\0\0\0");
/// ```
pub fn enc(label: &str, fields: &[&[u8]]) -> Vec<u8> {
    let len = PREFIX.len() + label.len() + 1 + fields.iter().map(|f| 4 + f.len()).sum::<usize>();
    let mut out = Vec::with_capacity(len);
    out.extend_from_slice(PREFIX);
    out.extend_from_slice(label.as_bytes());
    out.push(0);
    for field in fields {
        // Every field is a key, an id, a signature or a header that a limit keeps far below 4 GiB.
        out.extend_from_slice(&(field.len() as u32).to_be_bytes());
        out.extend_from_slice(field);
    }
    out
}

/// Takes [`enc`]'s bytes apart. Strict: only the label asked for, no byte left over.
///
/// # Errors
/// [`Tampered`](ErrorKind::Tampered) if the bytes are no encoding under `label`.
pub fn parse<'a>(label: &str, bytes: &'a [u8]) -> Result<Vec<&'a [u8]>> {
    let bad = || bad(label);
    let mut rest = behind(label, bytes).ok_or_else(bad)?;
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let (field, after) = split(rest).ok_or_else(bad)?;
        fields.push(field);
        rest = after;
    }
    Ok(fields)
}

/// What stands behind prefix and label.
fn behind<'a>(label: &str, bytes: &'a [u8]) -> Option<&'a [u8]> {
    bytes.strip_prefix(PREFIX)?.strip_prefix(label.as_bytes())?.strip_prefix(&[0])
}

/// The first field, and the rest.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_be_bytes(*len) as usize)
}

fn bad(label: &str) -> Error {
    Error::new(ErrorKind::Tampered, format!("parsing the encoding of \"{label}\""))
}

/// The fields of an encoding, taken one by one, each with its type. Takes no memory, however many they are.
pub(crate) struct Fields<'a> {
    label: &'static str,
    rest: &'a [u8],
    left: usize,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(label: &'static str, bytes: &'a [u8]) -> Result<Self> {
        let rest = behind(label, bytes).ok_or_else(|| bad(label))?;
        let (mut ahead, mut left) = (rest, 0);
        while !ahead.is_empty() {
            (_, ahead) = split(ahead).ok_or_else(|| bad(label))?;
            left += 1;
        }
        Ok(Self { label, rest, left })
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8]> {
        let (field, rest) = split(self.rest).ok_or_else(|| self.bad())?;
        (self.rest, self.left) = (rest, self.left - 1);
        Ok(field)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.bytes()?.try_into().map_err(|_| self.bad())
    }

    pub(crate) fn remaining(&self) -> usize {
        self.left
    }

    pub(crate) fn end(&self) -> Result<()> {
        if self.left == 0 { Ok(()) } else { Err(self.bad()) }
    }

    pub(crate) fn bad(&self) -> Error {
        bad(self.label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encoded_parses_back_and_nothing_else_does() {
        let fields: [&[u8]; 3] = [b"one", b"", &[0; 300]];
        let bytes = enc("label", &fields);
        assert_eq!(parse("label", &bytes).unwrap(), fields);
        for cut in 0..bytes.len() {
            if let Ok(shorter) = parse("label", &bytes[..cut]) {
                assert!(shorter.len() < fields.len(), "a truncation at {cut} parsed whole");
            }
        }
        for cut in 0..=bytes.len() {
            let taken = Fields::of("label", &bytes[..cut]).map(|mut all| {
                let count = all.remaining();
                let taken: Vec<&[u8]> = (0..count).map(|_| all.bytes().unwrap()).collect();
                assert!(all.end().is_ok() && all.bytes().is_err());
                taken
            });
            assert_eq!(taken.ok(), parse("label", &bytes[..cut]).ok());
        }
        assert!(parse("labe", &bytes).is_err());
        assert!(parse("label2", &bytes).is_err());
        assert!(parse("label", &[&bytes[..], &[0]].concat()).is_err());
    }
}
