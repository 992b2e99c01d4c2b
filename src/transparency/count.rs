use std::fmt;
use std::num::NonZeroU64;

use serde::Serialize;

use crate::html::Grouped;

/// A number as it is published: itself, or the band that it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum Count {
    Exact(u64),
    Band { from: u64, to: u64 },
}

impl Count {
    /// Bands begin at 0 and have so many numbers: 0 to 99, 100 to 199.
    pub(super) fn of(n: u64, bands: Option<NonZeroU64>) -> Self {
        match bands {
            None => Self::Exact(n),
            Some(width) => {
                let from = n / width * width.get();
                Self::Band { from, to: from.saturating_add(width.get() - 1) }
            }
        }
    }
}

impl fmt::Display for Count {
    /// For people: `1,234`, `100–199`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(n) => Grouped::from(*n).fmt(f),
            Self::Band { from, to } => write!(f, "{}–{}", Grouped::from(*from), Grouped::from(*to)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_hides_all_but_its_hundred() {
        let band = |n| Count::of(n, NonZeroU64::new(100)).to_string();
        assert_eq!(
            [0, 1, 99, 100, 250, 1_099].map(band),
            ["0–99", "0–99", "0–99", "100–199", "200–299", "1,000–1,099"]
        );
        assert_eq!(Count::of(1_234, None).to_string(), "1,234");
        assert_eq!(Count::of(u64::MAX, NonZeroU64::new(100)), Count::Band { from: u64::MAX - 15, to: u64::MAX });
    }
}
