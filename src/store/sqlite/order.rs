//! Rows come in the order in which they were asked for, or not at all.

use crate::error::{Error, ErrorKind, Result};
use crate::store::{Order, PageRange, Spot};

/// Rows as they were asked for: each behind the one before. Where a page of the database is damaged, SQLite may give others, and
/// whoever goes on behind the last one would come to it again, for ever.
pub(super) fn in_order<T>(rows: Vec<T>, after: i64, number: impl Fn(&T) -> i64) -> Result<Vec<T>> {
    let mut last = after;
    let behind = |row: &T| {
        let before = std::mem::replace(&mut last, number(row));
        before < last
    };
    if rows.iter().all(behind) { Ok(rows) } else { Err(disordered()) }
}

/// As [`in_order`], of records.
pub(super) fn in_range<T>(rows: Vec<T>, range: &PageRange, spot: impl Fn(&T) -> Spot) -> Result<Vec<T>> {
    let mut last = range.after.map(|(time, n)| Spot { time, n });
    let behind = |row: &T| {
        let (before, now) = (last.replace(spot(row)), spot(row));
        before.is_none_or(|before| match (range.by, range.newest_first) {
            (Order::Commit, false) => before.n < now.n,
            (Order::Commit, true) => before.n > now.n,
            (Order::Time, false) => before < now,
            (Order::Time, true) => before > now,
        })
    };
    if rows.iter().all(behind) { Ok(rows) } else { Err(disordered()) }
}

fn disordered() -> Error {
    Error::new(ErrorKind::Damaged, "reading rows of a vault's database in their order")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_do_not_come_behind_the_last_one_and_each_other_are_refused() {
        let numbers = |rows: &[i64], after| in_order(rows.to_vec(), after, |n| *n);
        for (rows, after) in [(&[][..], 5), (&[6], 5), (&[6, 7, 900], 5), (&[i64::MIN + 1], i64::MIN)] {
            assert_eq!(numbers(rows, after).unwrap(), rows);
        }
        for (rows, after) in [(&[5][..], 5), (&[1, 2], 5), (&[6, 6], 5), (&[6, 8, 7], 5)] {
            assert_eq!(numbers(rows, after).unwrap_err().kind(), ErrorKind::Damaged, "{rows:?}");
        }
        let spots = |rows: &[(i64, i64)], by, newest_first, after| {
            let rows = rows.iter().map(|(time, n)| Spot { time: *time, n: *n }).collect();
            in_range(rows, &PageRange { by, newest_first, after, times: None }, |spot| *spot).is_ok()
        };
        let rising = &[(3, 1), (2, 2), (2, 3)];
        assert!(spots(rising, Order::Commit, false, None) && spots(rising, Order::Commit, false, Some((9, 0))));
        assert!(!spots(rising, Order::Commit, false, Some((0, 1))) && !spots(rising, Order::Time, false, None));
        let falling = &[(3, 1), (2, 3), (2, 2)];
        assert!(spots(falling, Order::Time, true, None) && spots(falling, Order::Time, true, Some((3, 2))));
        assert!(!spots(falling, Order::Time, true, Some((3, 1))) && !spots(falling, Order::Commit, true, None));
        assert!(!spots(&[(1, 1), (1, 1)], Order::Time, false, None));
    }
}
