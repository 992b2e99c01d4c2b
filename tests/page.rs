//! The page on which a person reads a ledger.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::sync::Arc;

use common::{World, rows, text};
use strongroom::*;

const HOSTILE: &str = "<script src=\"http://x\">alert('&')</script>\u{202e}";

fn audited(log: &TenantLog<'_>) -> AuditReport {
    Auditor::new(log.key()).audit(log).unwrap()
}

fn page(log: &TenantLog<'_>) -> String {
    let mut out = Vec::new();
    log.write_page(&audited(log), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Stores two records and reads one of them in a session whose actor, purpose and basis are `said`.
fn acts(world: &World, said: &str) {
    let ingestor = world.ingestor(&world.acme);
    let stored = ingestor.ingest_batch(vec![text("one"), text("two")]).unwrap();
    let access = Access::new(said, said).basis(said).each_read();
    let session = world.vault.session(world.acme.pin.tenant, Arc::clone(&world.acme.identity), access).unwrap();
    session.read(stored[0].record).unwrap();
    session.close().unwrap();
}

#[test]
fn the_page_tells_each_act_in_a_sentence_and_what_the_audit_found() {
    let world = World::new();
    acts(&world, "A & B");
    let session = world.session(&world.acme);
    let log = session.log().unwrap();
    let page = page(&log);
    for expected in [
        "This ledger was opened.",
        "A writer process was allowed to store interactions.",
        "A writer process stored 2 interactions.",
        "A reading session began: someone used the tenant&#39;s secret key.",
        "1 interaction was read, one by one.",
        "A reading session ended; 1 interaction was read in it.",
        "<dt>Purpose</dt><dd><bdi>A &amp; B</bdi></dd>",
        "<code><bdi>00000000.tlog-proof</bdi></code>",
        ">Verified<",
        &format!("All {} entries are where", log.size()),
        &format!("<bdi>{}</bdi>", world.acme.pin.tenant),
        "sigsum-verify -k actors",
        "What it cannot show",
    ] {
        assert!(page.contains(expected), "{expected}\n{page}");
    }
}

#[test]
fn nothing_that_an_actor_wrote_becomes_markup() {
    let world = World::new();
    acts(&world, HOSTILE);
    let session = world.session(&world.acme);
    let page = page(&session.log().unwrap());
    assert!(page.starts_with("<!DOCTYPE html>\n"));
    for bad in ["<script", "src=\"", "href=\"http", "url(http", "@import", "\u{202e}"] {
        assert!(!page.contains(bad), "{bad}");
    }
    assert!(page.contains("&lt;script src=&quot;http://x&quot;&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;"));
    let tags = |name: &str| page.matches(&format!("<{name}>")).count() + page.matches(&format!("<{name} ")).count();
    for name in ["html", "head", "body", "main", "section", "ol", "li", "dl", "dd", "bdi", "svg"] {
        assert_eq!(tags(name), page.matches(&format!("</{name}>")).count(), "{name}");
    }
}

#[test]
fn a_ledger_that_was_changed_is_not_called_verified() {
    let world = World::new();
    acts(&world, "someone");
    let session = world.session(&world.acme);
    let log = session.log().unwrap();
    let before = audited(&log);
    rows(&world.path())
        .execute("UPDATE entries SET message = zeroblob(length(message)) WHERE (at & 0xffffffffff) = 3", [])
        .unwrap();
    let changed = page(&log);
    assert!(changed.contains("Not verified: the audit found one fault") && !changed.contains(">Verified<"));
    assert!(changed.contains("The text of this entry is not shown") && changed.contains("entry 3 does not open"));

    rows(&world.path())
        .execute("UPDATE entries SET leaf = zeroblob(length(leaf)) WHERE (at & 0xffffffffff) = 3", [])
        .unwrap();
    let refused = log.write_page(&before, &mut Vec::new()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Tampered);
}

#[test]
fn the_report_of_another_ledger_is_refused() {
    let world = World::new();
    let (acme, bolt) = (world.session(&world.acme), world.session(&world.bolt));
    let other = audited(&bolt.log().unwrap());
    for report in [other, AuditReport::default()] {
        let refused = acme.log().unwrap().write_page(&report, &mut Vec::new()).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput);
    }
}
