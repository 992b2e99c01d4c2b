use std::fmt;

/// A count with its thousands apart: `1,234,567`.
#[derive(Clone, Copy)]
pub(crate) struct Grouped(pub(crate) u128);

impl From<u64> for Grouped {
    fn from(n: u64) -> Self {
        Self(n.into())
    }
}

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

/// A count of things: `1 entry`, `1,234 entries`.
pub(crate) fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", Grouped::from(n), if n == 1 { one } else { many })
}

/// A count in at most six characters, cut off where they end: `9,999`, `12.3k`, `3.4M`, `1.8e19`.
pub(super) fn short(n: u128) -> String {
    const UNITS: [(u128, &str); 4] = [(1_000, "k"), (1_000_000, "M"), (1_000_000_000, "G"), (1_000_000_000_000, "T")];
    if n < 10_000 {
        return Grouped(n).to_string();
    }
    let Some((unit, suffix)) = UNITS.iter().find(|(unit, _)| n / unit < 1_000) else {
        return format!("{:.1e}", n as f64);
    };
    match (n / unit, n / (unit / 10) % 10) {
        (whole, tenth @ 1..) if whole < 100 => format!("{whole}.{tenth}{suffix}"),
        (whole, _) => format!("{whole}{suffix}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        for (n, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(Grouped(n).to_string(), text);
        }
    }

    #[test]
    fn one_of_a_thing_is_not_many() {
        let entries = |n| counted(n, "entry", "entries");
        assert_eq!([0, 1, 1_000].map(entries), ["0 entries", "1 entry", "1,000 entries"]);
    }

    #[test]
    fn a_short_count_has_six_characters_at_most() {
        for (n, text) in [
            (0, "0"),
            (9_999, "9,999"),
            (10_000, "10k"),
            (12_345, "12.3k"),
            (999_999, "999k"),
            (2_500_000, "2.5M"),
            (u128::from(u64::MAX), "1.8e19"),
        ] {
            assert_eq!(short(n), text);
        }
        assert!((0..39).all(|power| short(10_u128.pow(power)).len() <= 6));
    }
}
