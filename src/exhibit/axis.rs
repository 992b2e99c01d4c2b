//! Where times are marked below a picture of a recording.

use std::ops::Range;

/// Seconds between two marks.
const STEPS: [u64; 15] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400];
/// Marks for which the narrowest picture has room.
const MARKS: u64 = 5;

/// The milliseconds that are marked: round ones, at most six, and at least one in whatever lasts two seconds.
pub(super) fn marks(ms: &Range<u64>) -> Vec<u64> {
    let seconds = ms.end.saturating_sub(ms.start) / 1000;
    let step = STEPS.into_iter().find(|step| seconds / step <= MARKS).unwrap_or((seconds / MARKS).max(1));
    let first = ms.start.div_ceil(1000).div_ceil(step).saturating_mul(step);
    let marks = (0..=MARKS).map(|n| first.saturating_add(n * step).saturating_mul(1000));
    marks.take_while(|at| *at <= ms.end).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_few() {
        for (ms, expected) in [
            (0..11_500, &[0, 2, 4, 6, 8, 10][..]),
            (0..192_000, &[0, 60, 120, 180]),
            (120_000..270_000, &[120, 150, 180, 210, 240, 270]),
            (61_500..64_900, &[62, 63, 64]),
            (0..900, &[0]),
            (500..900, &[]),
            (0..3_600_000, &[0, 900, 1800, 2700, 3600]),
        ] {
            let marked: Vec<u64> = marks(&ms).iter().map(|at| at / 1000).collect();
            assert_eq!(marked, expected, "{ms:?}");
        }
        for end in [1, 999, 86_400_000, 1 << 40, u64::MAX] {
            assert!(marks(&(0..end)).len() <= 6);
        }
    }
}
