use std::ops::Range;

/// A place in a recording: `1:02`, `1:02:05`.
pub(super) fn place(ms: u64) -> String {
    let seconds = ms / 1000;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, minutes, seconds) => format!("{minutes}:{seconds:02}"),
        (hours, minutes, seconds) => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// A place to the millisecond, where it is not at a whole second: `1:02.500`.
pub(super) fn exact(ms: u64) -> String {
    if ms.is_multiple_of(1000) { place(ms) } else { format!("{}.{:03}", place(ms), ms % 1000) }
}

/// `1:02.500 to 1:04`.
pub(super) fn between(ms: &Range<u64>) -> String {
    format!("{} to {}", exact(ms.start), exact(ms.end))
}

/// How long something lasts: `3 min 12 s`, `1 h 2 min`, `800 ms`.
pub(super) fn length(ms: u64) -> String {
    if ms < 1000 {
        return format!("{ms} ms");
    }
    // To the nearest second.
    let seconds = ms / 1000 + u64::from(ms % 1000 >= 500);
    let units = [(seconds / 3600, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
    let told = units.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n} {unit}"));
    told.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_lengths_read_as_people_say_them() {
        assert_eq!([0, 62_500, 3_725_999].map(place), ["0:00", "1:02", "1:02:05"]);
        assert_eq!([0, 62_005, 3_725_000].map(exact), ["0:00", "1:02.005", "1:02:05"]);
        assert_eq!(between(&(500..60_000)), "0:00.500 to 1:00");
        let lengths = [0, 999, 1000, 59_499, 59_500, 192_000, 3_600_000, 3_725_000].map(length);
        assert_eq!(lengths, ["0 ms", "999 ms", "1 s", "59 s", "1 min", "3 min 12 s", "1 h", "1 h 2 min 5 s"]);
        assert!(!length(u64::MAX).is_empty() && !exact(u64::MAX).is_empty());
    }
}
