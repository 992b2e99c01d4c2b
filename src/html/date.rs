use std::fmt;

use crate::time::Timestamp;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
// 1970-01-01 was the first of them.
const WEEKDAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];

/// A month in UTC, counted from January of the year 0. `Display` prints `March 2024`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Month(i64);

impl Month {
    pub(crate) fn of(time: Timestamp) -> Self {
        let (year, month, _) = time.date();
        Self(year * 12 + i64::from(month) - 1)
    }

    pub(super) fn from_index(index: i64) -> Self {
        Self(index)
    }

    pub(super) fn index(self) -> i64 {
        self.0
    }

    pub(crate) fn next(self) -> Self {
        Self(self.0 + 1)
    }

    pub(crate) fn year(self) -> i64 {
        self.0.div_euclid(12)
    }

    /// 1 to 12.
    pub(crate) fn number(self) -> u8 {
        self.0.rem_euclid(12) as u8 + 1
    }

    /// The first three letters of its name.
    pub(crate) fn short_name(self) -> &'static str {
        &self.name()[..3]
    }

    /// `2024-03`, as anchors have it.
    pub(crate) fn slug(self) -> String {
        format!("{:04}-{:02}", self.year(), self.number())
    }

    fn name(self) -> &'static str {
        MONTHS[self.0.rem_euclid(12) as usize]
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name(), self.year())
    }
}

/// A day in UTC. `Display` prints `Saturday, 16 March 2024`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day(Timestamp);

impl Day {
    pub(crate) fn of(time: Timestamp) -> Self {
        let ms = time.unix_ms();
        Self(Timestamp::from_unix_ms(ms.saturating_sub(ms.rem_euclid(86_400_000))))
    }

    /// Without the weekday: `16 March 2024`.
    pub(crate) fn date(self) -> String {
        format!("{} {}", self.0.date().2, Month::of(self.0))
    }

    /// For tables: `16 Mar 2024`.
    pub(crate) fn brief(self) -> String {
        let month = Month::of(self.0);
        format!("{} {} {}", self.0.date().2, month.short_name(), month.year())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weekday = WEEKDAYS[self.0.unix_ms().div_euclid(86_400_000).rem_euclid(7) as usize];
        write!(f, "{weekday}, {}", self.date())
    }
}

/// A time of day in UTC. `Display` prints `16:09:20`.
#[derive(Clone, Copy)]
pub(crate) struct Clock(pub(crate) Timestamp);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.unix_ms().rem_euclid(86_400_000) / 1000;
        write!(f, "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
    }
}

/// `16 March 2024 at 16:09:20 UTC`.
pub(crate) fn moment(time: Timestamp) -> String {
    format!("{} at {} UTC", Day::of(time).date(), Clock(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_months_read_as_a_calendar_has_them() {
        for (ms, day, month, clock) in [
            (1_710_605_360_701, "Saturday, 16 March 2024", "2024-03", "16:09:20"),
            (0, "Thursday, 1 January 1970", "1970-01", "00:00:00"),
            (-1, "Wednesday, 31 December 1969", "1969-12", "23:59:59"),
            (951_782_400_000, "Tuesday, 29 February 2000", "2000-02", "00:00:00"),
        ] {
            let time = Timestamp::from_unix_ms(ms);
            assert_eq!(Day::of(time).to_string(), day);
            assert_eq!(Month::of(time).slug(), month);
            assert_eq!(Clock(time).to_string(), clock);
        }
        assert_eq!(Month::of(Timestamp::from_unix_ms(0)).to_string(), "January 1970");
        assert_eq!(Day::of(Timestamp::from_unix_ms(1_710_605_360_701)).brief(), "16 Mar 2024");
        assert_eq!(Month::of(Timestamp::from_unix_ms(0)).short_name(), "Jan");
    }

    #[test]
    fn no_time_is_too_early_or_too_late() {
        for ms in [i64::MIN, i64::MAX] {
            let time = Timestamp::from_unix_ms(ms);
            assert!(!format!("{} {} {}", Day::of(time), Month::of(time), Clock(time)).is_empty());
        }
    }
}
