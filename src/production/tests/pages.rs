use super::world::*;
use crate::audio::Filler;
use crate::html::checker::check_beside;
use crate::record::{Channel, Draft, PartKind};
use crate::redact::{Redacted, Redaction, Redactions};

/// Where a page of the bag leads to, from the bag's folder.
fn links(page: &str, text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for attribute in ["href=\"", "src=\""] {
        for rest in text.split(attribute).skip(1) {
            let link = rest.split('"').next().unwrap();
            let file = link.split('#').next().unwrap();
            if file.is_empty() {
                continue;
            }
            let mut path: Vec<&str> = page.split('/').collect();
            path.pop();
            for segment in file.split('/') {
                match segment {
                    ".." => path.pop().map(drop).unwrap(),
                    "." => {}
                    segment => path.push(segment),
                }
            }
            found.push((file.to_owned(), path.join("/")));
        }
    }
    found
}

#[test]
fn every_link_of_every_page_leads_to_a_file_of_the_package() {
    let world = World::new();
    let ids = [
        world.ingest(call("+15722568385", 20)),
        world.ingest(letter("My card")),
        world.ingest(call("+15722568386", 10)),
    ];
    let mut wanted = wanted(&ids);
    wanted.records[2].stretch = Some(1_000..2_000);
    for (options, root, pages) in
        [(portable(), "data", "data/pages"), (litigation(), "data/ABC_VOL001", "data/ABC_VOL001/PAGES/0001")]
    {
        let produced = world.produce(&wanted, options);
        let files = produced.files();
        let mut all: Vec<String> = ids.iter().map(|id| format!("{pages}/{id}.html")).collect();
        all.push(format!("{root}/index.html"));
        let mut reached = std::collections::BTreeSet::new();
        for page in &all {
            let text = produced.text(page);
            let links = links(page, &text);
            check_beside(&text, &links.iter().map(|(link, _)| link.as_str()).collect::<Vec<_>>());
            for (link, path) in links {
                assert!(files.contains(&path), "{page}: {link}");
                reached.insert(path);
            }
        }
        // And every document is reached from them, and every page from the index.
        let documents = produced.files().into_iter();
        let documents = documents.filter(|file| file.contains("/files/") || file.contains("/NATIVES/"));
        assert!(documents.chain(all).all(|file| reached.contains(&file)), "{reached:?}");
        let index = produced.text(&format!("{root}/index.html"));
        assert!(index.contains("24-CV-1") && index.contains("District Court"));
        let page = produced.text(&format!("{pages}/{}.html", ids[0]));
        assert!(page.contains("My card is 4111111111111111.") && page.contains("<svg"), "{page}");
        assert!(produced.text(&format!("{pages}/{}.html", ids[2])).contains("outside the ordered stretch"));
    }
}

#[test]
fn no_page_shows_what_is_hidden() {
    let world = World::new();
    let id = world.ingest(call("+15722568385", 20));
    let why = "cardholder data";
    let redactions = vec![
        Redaction::new(id, 1, Redacted::Audio { ms: 5_000..15_000, with: Filler::Tone }, why),
        Redaction::new(id, 2, Redacted::Text(11..27), why),
    ];
    let options = portable().redactions(Redactions::of(redactions).unwrap());
    let produced = world.produce(&wanted(&[id]), options);
    let page = produced.text(&format!("data/pages/{id}.html"));
    assert!(
        !page.contains("4111111111111111") && page.contains("[REDACTED: cardholder data]") && page.contains("Redacted")
    );
    let index = produced.text("data/index.html");
    assert!(index.contains("5000 to 15000 ms of the recording, a tone") && index.contains("place 1 of 1 in the text"));
}

#[test]
fn texts_that_are_too_long_for_a_page_are_linked_alone() {
    let world = World::new();
    let long = "word ".repeat(300_000);
    let mut draft = Draft::new(Channel::Chat);
    for _ in 0..3 {
        draft = draft.part(PartKind::Chat, "text/plain", std::io::Cursor::new(long.clone().into_bytes()));
    }
    let id = world.ingest(draft);
    let produced = world.produce(&wanted(&[id]), litigation());
    let page = produced.text(&format!("data/ABC_VOL001/PAGES/0001/{id}.html"));
    assert!(page.len() < 4 << 20, "{}", page.len());
    for number in 1..=3 {
        assert!(page.contains(&format!("../../NATIVES/0001/ABC000000{number}.txt")));
        assert_eq!(produced.text(&format!("data/ABC_VOL001/TEXT/0001/ABC000000{number}.txt")), long);
    }
}
