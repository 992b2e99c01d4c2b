//! The pages on which a person reads a ledger, and what was handed to third parties.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::ops::ControlFlow;
use std::process::Command;
use std::sync::Arc;

use common::third_party::{DAY, PURPOSE, ThirdParty, agree, rules, state_policy};
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

/// Three records of two customers, three third parties, and everything that can happen between them.
struct Handed {
    world: World,
    agreements: Vec<Agreement>,
    ids: Vec<RecordId>,
}

impl Handed {
    fn new() -> Self {
        let world = World::new();
        let acme = &world.acme;
        state_policy(&world, acme, rules());
        let names = ["Quality GmbH", "<b>Training</b> & Söhne", "חברת הדרכה"];
        let parties = names.map(|name| ThirdParty::new(name, RecipientClass::ServiceProvider));
        let agreements: Vec<Agreement> =
            parties.iter().map(|party| agree(&world, acme, party, party.terms())).collect();
        let ingestor = world.ingestor(acme);
        let ingest = |n: u8| {
            let customer = Identifier::tel(&format!("+1572256838{}", n % 2)).unwrap();
            let subject = Subject::new(Role::Customer, customer).with_name("Olivia Marker");
            ingestor.ingest(text(&format!("words {n}")).subject(subject)).unwrap().record
        };
        let ids: Vec<RecordId> = (0..3).map(ingest).collect();

        let session = world.session(acme);
        let transfer = |at: usize| Transfer::of(agreements[at].id(), PURPOSE, ids.clone());
        let go_on = |_: PackageProgress| ControlFlow::Continue(());
        let mut package = Vec::new();
        session.transfer(&transfer(0), &mut package, go_on).unwrap();
        let folder = world.dir.path().join("opened");
        let opened = Package::open(&package[..], &parties[0].identity, &folder, &PackageOptions::new()).unwrap();
        session.record_receipt(&opened.receipt(&parties[0].identity).unwrap()).unwrap();
        session.restrict(&Identifier::tel("+15722568381").unwrap(), None, "Olivia Marker asked").unwrap();
        session.transfer(&transfer(1), std::io::sink(), go_on).unwrap();
        session
            .transfer(&transfer(2), std::io::sink(), |progress| match progress.stage {
                PackageStage::Sending => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            })
            .unwrap_err();
        session.transfer(&Transfer::of(agreements[0].id(), HOSTILE, ids.clone()), std::io::sink(), go_on).unwrap_err();
        let due = Timestamp::from_unix_ms(Timestamp::now().unix_ms() + DAY);
        let asked = session.request_deletion([ids[0]], due, "Olivia Marker asked").unwrap();
        let of = |request: &&DeletionRequest| request.recipient_key() == parties[0].identity.public_key();
        let request = asked.iter().find(of).unwrap();
        let mut answer =
            DeletionAcknowledgement::new(request, Timestamp::now(), DeletionResult::Deleted, "Olivia is gone").unwrap();
        answer.sign(&parties[0].identity).unwrap();
        session.record_deletion(&answer).unwrap();
        session.revoke_agreement(agreements[2].id(), "they had a breach").unwrap();
        session.close().unwrap();
        Self { world, agreements, ids }
    }

    fn session(&self) -> TenantSession {
        self.world.session(&self.world.acme)
    }
}

fn transfers_page(session: &TenantSession, page: &TransfersPage) -> String {
    let mut out = Vec::new();
    session.write_transfers_page(page, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// What stands behind a name in a list of pairs.
fn pair<'p>(page: &'p str, name: &str) -> &'p str {
    let (_, rest) = page.split_once(&format!("<dt>{name}</dt><dd>")).unwrap_or_else(|| panic!("{name}"));
    rest.split_once("</dd>").unwrap().0
}

#[test]
fn the_numbers_of_the_page_of_transfers_are_those_of_the_api_and_of_the_audited_ledger() {
    let handed = Handed::new();
    let session = handed.session();
    let log = session.log().unwrap();
    let report = audited(&log);
    let late = Timestamp::from_unix_ms(Timestamp::now().unix_ms() + 11 * DAY);
    let page = transfers_page(&session, &TransfersPage::new().audited(&report).at(late));

    let all = session.transfers(&TransferQuery::all()).unwrap();
    let arrived = || all.iter().filter(|sent| sent.outcome == TransferOutcome::Completed);
    assert_eq!(pair(&page, "Records sent"), arrived().map(|sent| sent.records).sum::<u64>().to_string());
    assert_eq!(pair(&page, "Left out on request"), arrived().map(|sent| sent.left_out.1).sum::<u64>().to_string());
    assert_eq!((pair(&page, "Recipients"), pair(&page, "Records sent")), ("2", "5"));
    let overdue = all.iter().filter(|sent| sent.receipt_is_overdue(late)).count();
    assert_eq!((overdue, pair(&page, "Receipts open")), (1, "1"));
    assert_eq!(page.matches("<li class=\"entry ").count(), all.len());
    for sent in &all {
        let (seq, id) = (sent.entry.1, sent.id);
        assert!(page.contains(&format!("<a href=\"#t{id}\">Entry {seq}</a><code><bdi>{seq:08}.json</bdi></code>")));
    }
    for (kind, n) in &report.kinds {
        let told = ["agreement.", "transfer.", "recipients.", "deletion."].iter().any(|begin| kind.starts_with(begin));
        if told && kind != "transfer.policy.changed" {
            assert_eq!(pair(&page, kind), format!("<bdi>{n}</bdi>"), "{kind}");
        }
    }
    for expected in [
        "An audit of the ledger found nothing wrong",
        ">4 things need attention<",
        "1 delivery receipt is overdue",
        "1 transfer failed and was not made again",
        "2 agreements end within 30 days: <bdi>&lt;b&gt;Training&lt;/b&gt; &amp; Söhne</bdi>, <bdi>Quality GmbH</bdi>. ",
        "2 requests to delete are unanswered and overdue",
        "3 records went to <bdi>Quality GmbH</bdi>, which signed for it.",
        "Sending 2 records to <bdi>חברת הדרכה</bdi> failed.",
        "A transfer to <bdi>Quality GmbH</bdi> was refused. Nothing left the vault.",
        "<bdi>the agreement does not name the purpose</bdi>",
        "Revoked by the tenant on ",
        "Reason: <bdi>they had a breach</bdi>",
        "1 request, for every purpose",
        "What the tenant requires of everybody, at least",
        &format!("<bdi>{}</bdi>", handed.world.acme.pin.tenant),
    ] {
        assert!(page.contains(expected), "{expected}\n{page}");
    }
}

#[test]
fn a_page_of_transfers_is_markup_of_ours_alone_and_names_nobody() {
    let handed = Handed::new();
    let page = transfers_page(&handed.session(), &TransfersPage::new());
    assert!(page.starts_with("<!DOCTYPE html>\n"));
    assert!(page.contains("content=\"default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;;"));
    for bad in ["<script", "<b>Training", "src=\"", "href=\"http", "url(http", "@import", "\u{202e}"] {
        assert!(!page.contains(bad), "{bad}");
    }
    assert!(page.contains("&lt;script src=&quot;http://x&quot;&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;"));
    let tags = |name: &str| page.matches(&format!("<{name}>")).count() + page.matches(&format!("<{name} ")).count();
    for name in ["html", "head", "body", "main", "section", "ol", "li", "dl", "dd", "bdi", "svg", "table", "tr", "td"] {
        assert_eq!(tags(name), page.matches(&format!("</{name}>")).count(), "{name}");
    }
    for person in ["Olivia", "572256838", "words"] {
        assert!(!page.contains(person), "{person}");
    }
    for id in &handed.ids {
        assert!(!page.contains(&id.to_string()), "{id}");
    }
    let bolt = transfers_page(&handed.world.session(&handed.world.bolt), &TransfersPage::new());
    assert!(bolt.contains("Nothing went to anybody.") && !bolt.contains("Quality"));
}

#[test]
fn a_page_of_one_recipient_or_of_another_time_has_no_other_transfers() {
    let handed = Handed::new();
    let session = handed.session();
    let only = |query: TransferQuery| transfers_page(&session, &TransfersPage::new().only(query));
    let page = only(TransferQuery::all().recipient("Quality GmbH"));
    assert!(page.contains("All transfers to one recipient, ") && !page.contains("Training"));
    assert_eq!(page.matches("<li class=\"entry ").count(), 1);
    let page = only(TransferQuery::all().record(handed.ids[1]));
    assert!(page.contains("All transfers that held one record, ") && !page.contains(&handed.ids[1].to_string()));
    assert_eq!(pair(&page, "Records sent"), "3", "the restricted one went once, with all");
    let long_ago = Timestamp::from_unix_ms(0)..Timestamp::from_unix_ms(DAY);
    let page = only(TransferQuery::all().period(long_ago));
    assert!(page.contains("Transfers, 1 January 1970 to 1 January 1970. ") && page.contains("There are none such."));
}

#[test]
fn a_transfer_whose_paper_was_taken_away_is_missed_by_whoever_compares() {
    let handed = Handed::new();
    let session = handed.session();
    let log = session.log().unwrap();
    let before = audited(&log);
    let last = "DELETE FROM papers WHERE n = (SELECT max(n) FROM papers WHERE topic = 'transfer')";
    assert_eq!(rows(&handed.world.path()).execute(last, []).unwrap(), 1);
    let alone = transfers_page(&session, &TransfersPage::new());
    assert!(alone.contains("This was not compared with an audit of the ledger.") && !alone.contains("was refused."));
    let compared = transfers_page(&session, &TransfersPage::new().audited(&before));
    assert!(compared.contains("Transfers that were refused: the ledger tells of 1, this vault keeps 0."));
    let compared = transfers_page(&session, &TransfersPage::new().audited(&audited(&log)));
    assert!(compared.contains(">Not verified: 2 faults<") && compared.contains("is not stored as it was"));
    let other = audited(&handed.world.session(&handed.world.bolt).log().unwrap());
    let refused = session.write_transfers_page(&TransfersPage::new().audited(&other), &mut Vec::new()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
}

#[test]
fn the_commands_on_the_page_of_transfers_give_what_it_says_that_they_give() {
    let handed = Handed::new();
    let session = handed.session();
    let page = transfers_page(&session, &TransfersPage::new());
    let folder = handed.world.dir.path().join("export");
    let all = session.transfers(&TransferQuery::all()).unwrap();
    session.log().unwrap().export(&folder, &[all[0].entry.1]).unwrap();
    std::fs::write(folder.join("quality.note"), handed.agreements[0].to_string()).unwrap();
    let commands: Vec<String> = page
        .split("<pre><code><bdi>")
        .skip(1)
        .map(|rest| rest.split_once("</bdi>").unwrap().0)
        .map(|text| text.replace("&quot;", "\"").replace("&#39;", "'").replace("&lt;", "<").replace("&gt;", ">"))
        .map(|text| text.replace("&amp;", "&").replace("NUMBER", &format!("{:08}", all[0].entry.1)))
        .collect();
    let run = |begin: &str| {
        let command = commands.iter().find(|command| command.starts_with(begin)).unwrap();
        let command = command.replace("FILE", "quality.note");
        let done = Command::new("sh").args(["-c", &command]).current_dir(&folder).output().unwrap();
        assert!(done.status.success(), "{command}");
        String::from_utf8(done.stdout).unwrap()
    };
    let said = run("cat receipts/");
    assert!(said.contains("\"kind\":\"transfer.authorised\"") && said.contains("Quality GmbH"));
    let counts = run("grep ");
    assert_eq!(counts.lines().count(), 9, "{counts}");
    for line in counts.lines() {
        let (n, kind) = line.trim().split_once(" \"kind\":").unwrap();
        assert_eq!(pair(&page, kind.trim_matches('"')), format!("<bdi>{n}</bdi>"));
    }
    let hash = run("sed ");
    assert!(page.contains(&format!("<code>{}</code>", hash.split_whitespace().next().unwrap())));
}
