//! Words of documents, each with one spelling in JSON, and what people may be shown.

/// Makes an enum whose values are ordered as they stand, each written as one word.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident = $word:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ::serde::Serialize, ::serde::Deserialize,
        )]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$value_doc])* #[serde(rename = $word)] $value,)*
        }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$value,)*];

            /// The word that stands for it in documents.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $word,)*
                }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::error::Error;

            /// Parses the word that `Display` prints.
            fn from_str(word: &str) -> $crate::error::Result<Self> {
                let known = Self::ALL.iter().find(|value| value.as_str() == word).copied();
                let doing = concat!("looking up a word of ", stringify!($name));
                known.ok_or_else(|| $crate::error::Error::new($crate::error::ErrorKind::InvalidInput, doing))
            }
        }
    )*};
}
pub(crate) use words;

/// Whether it shows people what it says: 1 to `max` bytes, without white space around them, and nothing that
/// [`hides`].
pub(crate) fn is_readable(text: &str, max: usize) -> bool {
    !text.is_empty() && text.len() <= max && text.trim() == text && !text.contains(hides)
}

/// Whether a character is a control character, breaks lines, or is invisible or turns round what follows.
pub(crate) fn hides(c: char) -> bool {
    let invisible =
        matches!(c, '\u{AD}' | '\u{200B}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}' | '\u{E0000}'..='\u{E007F}');
    let turns = matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{206F}' | '\u{FFF9}'..='\u{FFFB}');
    c.is_control() || invisible || turns || matches!(c, '\u{2028}' | '\u{2029}')
}
