//! A listing repeats nothing and leaves nothing out, whatever is written meanwhile.

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use common::{World, rows, text};
use strongroom::*;

#[test]
fn commits_are_listed_in_their_order_and_turned_round() {
    let world = World::new();
    let ids = ingest(&world, (0..25).map(|n| Some(1000 - n)));
    let session = world.session(&world.acme);
    for limit in [1, 2, 7, 25, 100] {
        assert_eq!(pages(&session, &Listing::by_commit().limit(limit)), ids, "{limit}");
        let newest: Vec<_> = ids.iter().rev().copied().collect();
        assert_eq!(pages(&session, &Listing::by_commit().newest_first().limit(limit)), newest, "{limit}");
    }
}

#[test]
fn times_are_listed_in_their_order_and_equal_times_in_that_of_their_commits() {
    let world = World::new();
    let starts = [500, -20, 500, 0, 1_710_605_360_701, 500, -20, 1];
    let ids = ingest(&world, starts.into_iter().map(Some));
    let mut order: Vec<usize> = (0..starts.len()).collect();
    order.sort_by_key(|n| (starts[*n], *n));
    let sorted: Vec<_> = order.iter().map(|n| ids[*n]).collect();
    let session = world.session(&world.acme);
    for limit in [1, 3, 8, 9] {
        assert_eq!(pages(&session, &Listing::by_time(always()).limit(limit)), sorted, "{limit}");
        let newest: Vec<_> = sorted.iter().rev().copied().collect();
        assert_eq!(pages(&session, &Listing::by_time(always()).newest_first().limit(limit)), newest, "{limit}");
    }
}

#[test]
fn a_period_begins_with_its_first_moment_and_ends_before_its_last() {
    let world = World::new();
    let ids = ingest(&world, [9, 10, 11, 19, 20, 21].into_iter().map(Some));
    let session = world.session(&world.acme);
    let between = |from, to| {
        let period = Timestamp::from_unix_ms(from)..Timestamp::from_unix_ms(to);
        let oldest = pages(&session, &Listing::by_time(period.clone()).limit(2));
        let mut newest = pages(&session, &Listing::by_time(period).newest_first().limit(2));
        newest.reverse();
        assert_eq!(oldest, newest);
        oldest
    };
    assert_eq!(between(10, 20), ids[1..4]);
    assert_eq!(between(10, 21), ids[1..5]);
    assert_eq!(between(20, 21), ids[4..5]);
    assert_eq!(between(20, 20), []);
    assert_eq!(between(21, 20), []);
    assert_eq!(between(22, i64::MAX), []);
}

#[test]
fn a_record_without_a_start_is_listed_under_the_time_of_its_ingest() {
    let world = World::new();
    let before = Timestamp::now();
    let ids = ingest(&world, [None, Some(5), None]);
    let after = Timestamp::from_unix_ms(Timestamp::now().unix_ms() + 1);
    let session = world.session(&world.acme);
    let page = session.list(&Listing::by_time(before..after)).unwrap();
    assert_eq!(page.items.iter().map(|i| i.id).collect::<Vec<_>>(), [ids[0], ids[2]]);
    for item in page.items {
        let record = item.record.unwrap();
        assert_eq!((record.head().start, record.head().ingested), (None, item.time));
    }
}

#[test]
fn a_page_holds_as_many_as_asked_for_and_tells_whether_there_are_more() {
    let world = World::new();
    ingest(&world, (0..205).map(Some));
    let session = world.session(&world.acme);
    let count = |listing: &Listing| {
        let page = session.list(listing).unwrap();
        (page.items.len(), page.next.is_some())
    };
    for listing in [Listing::by_commit(), Listing::by_time(always())] {
        assert_eq!(count(&listing), (100, true), "100 unless said");
        assert_eq!(count(&listing.clone().limit(0)), (1, true), "at least one");
        assert_eq!(count(&listing.clone().limit(204)), (204, true));
        assert_eq!(count(&listing.clone().limit(205)), (205, false));
        assert_eq!(count(&listing.clone().limit(usize::MAX)), (205, false));
    }
    let empty = world.session(&world.bolt);
    let page = empty.list(&Listing::by_commit()).unwrap();
    assert!(page.items.is_empty() && page.next.is_none() && empty.latest().unwrap().is_none());
}

#[test]
fn a_cursor_goes_on_from_its_text_and_another_listings_or_no_cursor_is_refused() {
    let world = World::new();
    let ids = ingest(&world, [Some(3), Some(-1), Some(2)]);
    let session = world.session(&world.acme);
    let by_commit = session.list(&Listing::by_commit().limit(1)).unwrap().next.unwrap();
    let by_time = session.list(&Listing::by_time(always()).limit(1)).unwrap().next.unwrap();
    for (cursor, listing, rest) in
        [(by_commit, Listing::by_commit(), [ids[1], ids[2]]), (by_time, Listing::by_time(always()), [ids[2], ids[0]])]
    {
        let text = cursor.to_string();
        assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-'), "{text} fits a URL");
        assert_eq!(text.parse::<Cursor>().unwrap(), cursor);
        assert_eq!(pages(&session, &listing.after(text.parse().unwrap())), rest);
    }
    for (cursor, listing) in [(by_commit, Listing::by_time(always())), (by_time, Listing::by_commit())] {
        assert_eq!(session.list(&listing.after(cursor)).unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    for garbage in ["", "c", "c.", "c.1", "c.1.", "x.1.2", "c.1.2.3", "c.one.2", "t.1.99999999999999999999", "c.1.2 "] {
        assert_eq!(garbage.parse::<Cursor>().unwrap_err().kind(), ErrorKind::InvalidInput, "{garbage}");
    }
    for extreme in ["c.0.9223372036854775807", "t.9223372036854775807.9223372036854775807"] {
        let listing = if extreme.starts_with('c') { Listing::by_commit() } else { Listing::by_time(always()) };
        let cursor: Cursor = extreme.parse().unwrap();
        assert!(pages(&session, &listing.clone().after(cursor)).is_empty());
        assert_eq!(pages(&session, &listing.newest_first().after(cursor)).len(), 3);
    }
}

#[test]
fn the_latest_cursor_gives_only_what_comes_later() {
    let world = World::new();
    ingest(&world, [Some(9), Some(8)]);
    let session = world.session(&world.acme);
    let latest = session.latest().unwrap().unwrap();
    let later = Listing::by_commit().after(latest);
    assert!(pages(&session, &later).is_empty());
    let new = ingest(&world, [Some(1), None]);
    assert_eq!(pages(&session, &later), new);
}

#[test]
fn paging_while_others_ingest_repeats_nothing_and_leaves_out_nothing_that_was_there() {
    let world = World::new();
    let starts = |from: i64| (from..from + 60).map(|n| Some(n * 7919 % 1000));
    let there = ingest(&world, starts(0));
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for from in 1.. {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                ingest(&world, starts(from * 60).take(5));
            }
        });
        let session = world.session(&world.acme);
        for listing in [Listing::by_commit(), Listing::by_time(always())] {
            for listing in [listing.clone().limit(3), listing.newest_first().limit(3)] {
                let seen = pages(&session, &listing);
                let mut once = seen.clone();
                once.sort();
                once.dedup();
                assert_eq!(once.len(), seen.len());
                assert!(there.iter().all(|id| once.binary_search(id).is_ok()));
            }
        }
        over.store(true, Ordering::Relaxed);
    });
    assert!(world.vault.check().unwrap().records > 60, "nothing was written meanwhile");
}

#[test]
fn a_cursor_stays_true_when_its_own_record_is_gone() {
    let world = World::new();
    let ids = ingest(&world, (0..6).map(Some));
    let session = world.session(&world.acme);
    let cursors = [Listing::by_commit(), Listing::by_time(always())]
        .map(|listing| (session.list(&listing.clone().limit(3)).unwrap().next.unwrap(), listing));
    let db = rows(&world.path());
    db.pragma_update(None, "foreign_keys", false).unwrap();
    assert_eq!(db.execute("DELETE FROM records WHERE id = ?1", [ids[2].as_bytes()]).unwrap(), 1);
    for (cursor, listing) in cursors {
        assert_eq!(pages(&session, &listing.after(cursor)), ids[3..]);
    }
}

fn always() -> std::ops::Range<Timestamp> {
    Timestamp::from_unix_ms(i64::MIN)..Timestamp::from_unix_ms(i64::MAX)
}

/// Ingests a record for each start.
fn ingest(world: &World, starts: impl IntoIterator<Item = Option<i64>>) -> Vec<RecordId> {
    let draft = |start: Option<i64>| match start {
        Some(ms) => text("x").start(Timestamp::from_unix_ms(ms)),
        None => text("x"),
    };
    let batch = starts.into_iter().map(draft).collect();
    let ingestor = world.ingestor(&world.acme);
    ingestor.ingest_batch(batch).unwrap().iter().map(|i| i.record).collect()
}

/// Everything that a listing gives, page by page.
fn pages(session: &TenantSession, listing: &Listing) -> Vec<RecordId> {
    let (mut listing, mut ids) = (listing.clone(), Vec::new());
    loop {
        let page = session.list(&listing).unwrap();
        for item in page.items {
            let record = item.record.unwrap();
            assert_eq!((record.id(), record.head().time()), (item.id, item.time));
            ids.push(item.id);
        }
        match page.next {
            Some(next) => listing = listing.after(next.to_string().parse().unwrap()),
            None => return ids,
        }
    }
}
