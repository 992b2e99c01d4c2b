//! What the tests of all pages ask: is it well formed, and does it keep to itself?

use std::collections::BTreeSet;

/// Panics unless every tag is closed in its turn, every attribute is quoted, every id is there once, every link leads
/// to one of them, and nothing is loaded or run.
pub(crate) fn check(page: &str) {
    check_beside(page, &[]);
}

/// The same of a page that links to these files beside it, and plays them.
pub(crate) fn check_beside(page: &str, files: &[&str]) {
    let mut rest = page.strip_prefix("<!DOCTYPE html>\n").expect("a page begins with its type");
    let (mut open, mut ids, mut links) = (Vec::new(), BTreeSet::new(), Vec::new());
    while let Some(at) = rest.find('<') {
        check_text(&rest[..at]);
        let end = rest.find('>').expect("a tag ends");
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "closed out of turn");
            continue;
        }
        let (tag, is_void) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        assert!(name.bytes().all(|b| b.is_ascii_alphanumeric()), "<{name}>");
        assert!(!["script", "iframe", "object", "embed", "link", "base", "form"].contains(&name), "<{name}>");
        for (name, value) in split(attributes) {
            if name == "src" || name == "href" && !value.starts_with('#') {
                let file = value.split_once("#t=").map_or(value, |(file, _)| file);
                assert!(files.contains(&file), "{value} is not beside the page");
                continue;
            }
            assert!(!name.starts_with("on") && !["src", "style", "srcset", "action"].contains(&name), "{name}={value}");
            assert!(!value.contains("url(") || value.starts_with("url(#"), "{name}={value}");
            match name {
                "id" => assert!(ids.insert(value), "{value} is there twice"),
                "href" => links.extend(value.strip_prefix('#')),
                _ => check_text(value),
            }
        }
        if !is_void {
            open.push(name);
        }
        if name == "style" {
            rest = &rest[rest.find("</style>").expect("a style ends")..];
        }
    }
    check_text(rest);
    assert!(open.is_empty(), "not closed: {open:?}");
    for link in links {
        assert!(ids.contains(link), "#{link} leads nowhere");
    }
}

fn split(mut attributes: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    while !attributes.is_empty() {
        let (name, rest) = attributes.split_once("=\"").expect("an attribute is quoted");
        assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'), "{name}");
        let (value, rest) = rest.split_once('"').expect("a quote is closed");
        found.push((name, value));
        attributes = rest.strip_prefix(' ').unwrap_or(rest);
    }
    found
}

fn check_text(text: &str) {
    for (at, _) in text.match_indices('&') {
        let known = ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"];
        assert!(known.iter().any(|entity| text[at..].starts_with(entity)), "{}", &text[at..]);
    }
    assert!(!text.contains('>') && !text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
}
