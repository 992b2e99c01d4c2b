use std::fmt;

use regex::{Regex, RegexBuilder};

use crate::error::{Error, ErrorKind, Result};

/// Bytes that a compiled pattern may take.
const MAX_COMPILED: usize = 10 << 20;

/// What to look for in texts. All of them know Unicode: `É` and `é` are one letter where case does not matter, `.`
/// is a character, `\w` a letter of any script. Texts are not normalised (é may be one character or two).
///
/// ```
/// use strongroom::Pattern;
/// assert!(Pattern::phrase("PURCHASE order")?.is_match("your purchase order"));
/// assert!(!Pattern::exact("Purchase")?.is_match("your purchase order"));
/// assert!(Pattern::regex(r"(?i)order (no\.?|number) \d+")?.is_match("Order no. 4711"));
/// # Ok::<(), strongroom::Error>(())
/// ```
#[derive(Clone)]
pub struct Pattern(pub(super) Regex);

impl Pattern {
    /// This text in capital and small letters (Unicode simple case folding), with any white space, line ends too,
    /// where it has white space.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if it has nothing but white space;
    /// [`TooLarge`](ErrorKind::TooLarge) if it is too long.
    pub fn phrase(text: &str) -> Result<Self> {
        let words: Vec<String> = text.split_whitespace().map(regex::escape).collect();
        if words.is_empty() {
            return Err(Error::new(ErrorKind::InvalidInput, "looking for an empty phrase"));
        }
        Self::build(&words.join(r"\s+"), true)
    }

    /// Exactly this text.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if it is empty; [`TooLarge`](ErrorKind::TooLarge) if it is too long.
    pub fn exact(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Err(Error::new(ErrorKind::InvalidInput, "looking for an empty text"));
        }
        Self::build(&regex::escape(text), false)
    }

    /// A regular expression in the syntax of the [`regex`] crate. The time that it takes is linear in the text's
    /// length, whatever the expression.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if it is none; [`TooLarge`](ErrorKind::TooLarge) if it takes more
    /// than 10 MiB compiled.
    pub fn regex(expression: &str) -> Result<Self> {
        Self::build(expression, false)
    }

    fn build(expression: &str, any_case: bool) -> Result<Self> {
        let built = RegexBuilder::new(expression).case_insensitive(any_case).size_limit(MAX_COMPILED).build();
        built.map(Self).map_err(|e| {
            let kind = match e {
                regex::Error::CompiledTooBig(_) => ErrorKind::TooLarge,
                _ => ErrorKind::InvalidInput,
            };
            // The source would repeat what is looked for.
            Error::new(kind, "compiling a search pattern")
        })
    }

    /// Whether it is in a text.
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pattern(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_know_unicode_and_line_ends() {
        for (phrase, text, there) in [
            ("ÉCLAIR au chocolat", "un éclair\n au  Chocolat", true),
            ("ПРИВЕТ", "привет", true),
            ("a.c", "abc", false),
            ("straße", "STRASSE", false),
            ("請求書", "お客様の請求書です", true),
        ] {
            assert_eq!(Pattern::phrase(phrase).unwrap().is_match(text), there, "{phrase}");
        }
        assert_eq!(Pattern::phrase(" \n").unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(Pattern::exact("").unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(Pattern::regex("(").unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(Pattern::regex(r"(\w{500}){500}").unwrap_err().kind(), ErrorKind::TooLarge);
    }
}
