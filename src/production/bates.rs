use crate::error::{Error, ErrorKind, Result};

/// Numbers at the most: twelve digits.
const MAX: u64 = 999_999_999_999;
/// Letters of a prefix.
const MAX_PREFIX: usize = 12;

/// How the documents of a production are numbered: `ABC0000001`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bates {
    prefix: String,
    volume: u16,
}

impl Bates {
    /// Numbers behind this prefix, in the volume of that number.
    ///
    /// # Errors
    /// `InvalidInput` unless the prefix is a capital letter and up to eleven more, digits, `-` and `_`, and no digit last,
    /// which nobody could tell from the number; and for a volume that is not between 1 and 999.
    pub(super) fn new(prefix: &str, volume: u16) -> Result<Self> {
        let allowed = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
        let fits = prefix.len() <= MAX_PREFIX
            && prefix.starts_with(|c: char| c.is_ascii_uppercase())
            && !prefix.ends_with(|c: char| c.is_ascii_digit())
            && prefix.bytes().all(allowed);
        if !fits {
            return Err(Error::new(ErrorKind::InvalidInput, "numbering documents behind such a prefix"));
        }
        if !(1..=999).contains(&volume) {
            return Err(Error::new(ErrorKind::InvalidInput, "numbering a volume that is not between 1 and 999"));
        }
        Ok(Self { prefix: prefix.to_owned(), volume })
    }

    /// The number as documents bear it, of seven digits and of more when there are more.
    pub(super) fn name(&self, number: u64) -> String {
        format!("{}{number:07}", self.prefix)
    }

    /// The name of the volume and its folder.
    pub(super) fn volume(&self) -> String {
        format!("{}_VOL{:03}", self.prefix, self.volume)
    }
}

/// Numbers from `first` on, so many.
///
/// # Errors
/// `InvalidInput` if there is no such first number, `TooLarge` if there are not so many.
pub(super) fn block(first: u64, count: u64) -> Result<()> {
    if first == 0 {
        return Err(Error::new(ErrorKind::InvalidInput, "numbering documents from 0"));
    }
    let last = first.checked_add(count).map(|end| end - 1);
    if last.is_some_and(|last| last <= MAX) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::TooLarge, "numbering documents with more than twelve digits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_seven_digits_and_then_as_many_as_they_need() {
        let bates = Bates::new("ABC", 1).unwrap();
        assert_eq!((bates.name(1).as_str(), bates.name(9_999_999).as_str()), ("ABC0000001", "ABC9999999"));
        assert_eq!((bates.name(10_000_000).as_str(), bates.volume().as_str()), ("ABC10000000", "ABC_VOL001"));
        assert!(block(1, 0).is_ok() && block(MAX, 1).is_ok());
        assert_eq!(block(0, 1).unwrap_err().kind(), ErrorKind::InvalidInput);
        for (first, count) in [(MAX, 2), (u64::MAX, 1), (1, u64::MAX)] {
            assert_eq!(block(first, count).unwrap_err().kind(), ErrorKind::TooLarge);
        }
    }

    #[test]
    fn a_prefix_that_a_number_could_be_mistaken_for_is_refused() {
        for bad in ["", "abc", "AB1", "1AB", "A B", "A/B", "../A", "ÄB", "-A", "ABCDEFGHIJKLM", "A\n"] {
            assert_eq!(Bates::new(bad, 1).unwrap_err().kind(), ErrorKind::InvalidInput, "{bad}");
        }
        for good in ["A", "ACME-", "A1_B", "ABCDEFGHIJKL"] {
            Bates::new(good, 999).unwrap();
        }
        assert!(Bates::new("A", 0).is_err() && Bates::new("A", 1000).is_err());
    }
}
