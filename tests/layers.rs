//! `lib.rs` lists the modules in order of dependence, and each uses only those above it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A source file: its path from `src/`, and its text.
type Source = (PathBuf, String);

#[test]
fn every_module_uses_only_those_listed_above_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Vec::new();
    collect(&root, &root, &mut sources);
    assert!(sources.len() > 20, "{} files found", sources.len());
    let found = violations(&sources);
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn the_check_finds_a_use_of_a_lower_module_however_it_is_written() {
    let lib = "mod low;\npub mod middle;\n#[doc(hidden)]\nmod high;\npub use high::{Top, Deep as Other};\n";
    let check = |path: &str, text: &str| {
        violations(&[(PathBuf::from("lib.rs"), lib.to_owned()), (PathBuf::from(path), text.to_owned())]).len()
    };
    for bad in [
        "use crate::high::Top;",
        "use crate::high;",
        "use crate::{\n    low::A,\n    high::{B, C},\n};",
        "use crate::{low::{self, A}, high};",
        "fn f() { crate::high::g() }",
        "fn f(_: crate :: high :: Top) {}",
        "pub(crate) use crate::high::*;",
        "macro_rules! m { () => { $crate::high::g() } }",
        "use crate::Top;",
        "fn f() { crate::Other::new() }",
        "use crate::*;",
        "#[cfg(not(test))]\nmod inner { use crate::high::Top; }",
    ] {
        assert_eq!(check("middle.rs", bad), 1, "{bad}");
        assert_eq!(check("middle/mod.rs", bad), 1, "{bad}");
        assert_eq!(check("middle/file.rs", bad), 1, "{bad}");
    }
    assert_eq!(check("middle.rs", "use super::high;"), 1);
    assert_eq!(check("middle/file.rs", "use super::super::high;"), 1);
    assert_eq!(check("middle.rs", "use crate::{high, high::Top};"), 2);
    assert_eq!(check("unlisted.rs", ""), 1);

    for good in [
        "use crate::low::A;",
        "use crate::middle::Own;",
        "use crate::{low::high, middle::{high::x}};",
        "/// [`Top`](crate::high::Top)\n// use crate::high;\n/* crate::high */ fn f() {}",
        "const TEXT: &str = \"use crate::high;\";",
        "#[cfg(test)]\nmod tests {\n    use crate::high::Top;\n    const BRACE: char = '}';\n    fn f() { crate::high::g() }\n}",
        "#[cfg(test)]\npub(crate) mod tests { mod more { use crate::high; } }",
    ] {
        assert_eq!(check("middle.rs", good), 0, "{good}");
    }
    assert_eq!(check("high.rs", "use crate::{low, middle};"), 0);
}

#[test]
fn the_check_passes_over_test_modules_in_files_of_their_own_and_over_no_others() {
    for (declared, expected) in [("#[cfg(test)]\nmod faults;", 0), ("mod faults;", 2)] {
        let file = |path: &str, text: &str| (PathBuf::from(path), text.to_owned());
        let sources = [
            file("lib.rs", "mod middle;\nmod high;\n"),
            file("middle/mod.rs", declared),
            file("middle/faults.rs", "use crate::high;"),
            file("middle/faults/more.rs", "use crate::high;"),
        ];
        assert_eq!(violations(&sources).len(), expected, "{declared}");
    }
}

/// One line for every use of a module that is not above the using one.
fn violations(sources: &[Source]) -> Vec<String> {
    let lib = sources.iter().find(|(path, _)| path == Path::new("lib.rs")).map(|(_, text)| code(text)).unwrap();
    let order = modules(&lib);
    let exports = exports(&lib);
    let tests: Vec<PathBuf> = sources.iter().flat_map(|(path, text)| test_files(path, &code(text))).collect();
    let mut found = Vec::new();
    for (path, text) in sources {
        let names: Vec<_> = path.iter().map(|s| s.to_str().unwrap().trim_end_matches(".rs")).collect();
        if names == ["lib"] || tests.iter().any(|test| path.with_extension("").starts_with(test)) {
            continue;
        }
        let Some(own) = order.iter().position(|m| m == names[0]) else {
            found.push(format!("{}: its module is not listed in lib.rs", path.display()));
            continue;
        };
        let depth = names.iter().filter(|n| **n != "mod").count();
        let text = without_tests(&code(text)).replace(&"super::".repeat(depth), "crate::");
        for name in used(&text) {
            let module = exports.get(&name).unwrap_or(&name);
            if order.iter().position(|m| m == module).is_none_or(|at| at > own) {
                found.push(format!("{}: `{}` uses `crate::{name}`, which is not above it", path.display(), names[0]));
            }
        }
    }
    found
}

fn modules(lib: &str) -> Vec<String> {
    let words: Vec<&str> = lib.split_whitespace().collect();
    let names = words.windows(2).filter(|w| w[0] == "mod").filter_map(|w| w[1].strip_suffix(';'));
    names.map(str::to_owned).collect()
}

/// Which module each name that `lib.rs` exports is from.
fn exports(lib: &str) -> BTreeMap<String, String> {
    let mut exports = BTreeMap::new();
    for statement in lib.split("pub use ").skip(1) {
        let statement = statement.split(';').next().unwrap();
        let (module, names) = statement.split_once("::").unwrap();
        for name in names.trim_matches(['{', '}']).split(',') {
            let name = name.rsplit(" as ").next().unwrap().rsplit("::").next().unwrap();
            exports.insert(name.trim().to_owned(), module.trim().to_owned());
        }
    }
    exports
}

/// The first name behind each `crate::`, or each first name of a braced group.
fn used(text: &str) -> Vec<String> {
    let tight: String = text.split_whitespace().collect::<Vec<_>>().join(" ").replace(" ::", "::").replace(":: ", "::");
    let mut names = Vec::new();
    for (at, _) in tight.match_indices("crate::") {
        if tight[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &tight[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => names.extend(first_names(group)),
            None => names.push(first_name(rest)),
        }
    }
    names
}

fn first_names(group: &str) -> Vec<String> {
    let (mut depth, mut start, mut names) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                names.push(first_name(group[start..at].trim_start()));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    // A trailing comma leaves an empty name.
    names.retain(|name| !name.is_empty());
    names
}

fn first_name(path: &str) -> String {
    if path.starts_with('*') {
        return "*".to_owned();
    }
    path.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The text without comments and without what is inside string and character literals.
fn code(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(c) = rest.chars().next() {
        let skip = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(len) = raw_string(rest).filter(|_| !out.ends_with(|c: char| c.is_alphanumeric() || c == '_'))
        {
            len
        } else if c == '"' {
            literal(rest, '"').unwrap_or(rest.len())
        } else if c == '\'' {
            // A lifetime has no closing quote behind its first character.
            let escaped = rest[1..].starts_with('\\');
            let closed = rest[1..].chars().nth(1) == Some('\'');
            if escaped || closed { literal(rest, '\'').unwrap_or(rest.len()) } else { 0 }
        } else {
            0
        };
        if skip == 0 {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            out.push(' ');
            rest = &rest[skip..];
        }
    }
    out
}

/// The length of the raw string that `text` begins with.
fn raw_string(text: &str) -> Option<usize> {
    let start = text.find('"').filter(|at| *at <= 16)? + 1;
    let hashes = text[..start - 1].trim_start_matches('b').strip_prefix('r')?;
    if !hashes.trim_matches('#').is_empty() {
        return None;
    }
    let end = format!("\"{hashes}");
    Some(start + text[start..].find(&end)? + end.len())
}

/// The length of a literal, quotes included.
fn literal(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Takes out every `#[cfg(test)] mod name { .. }`. Expects [`code`].
fn without_tests(text: &str) -> String {
    let mut out = text.to_owned();
    let mut from = 0;
    while let Some(at) = out[from..].find("#[cfg(test)]").map(|at| at + from) {
        let item = &out[at + "#[cfg(test)]".len()..];
        let head = &item[..item.find(['{', ';']).map_or(item.len(), |end| end + 1)];
        let is_module = head.split_whitespace().any(|word| word == "mod") && head.ends_with('{');
        from = at;
        if is_module {
            let open = at + "#[cfg(test)]".len() + head.len();
            out.replace_range(at..closing(&out, open), "");
        } else {
            from += "#[cfg(test)]".len();
        }
    }
    out
}

/// Where the modules are that a file declares as `#[cfg(test)] mod name;`, without their extension. Expects [`code`].
fn test_files(path: &Path, text: &str) -> Vec<PathBuf> {
    let is_root = path.ends_with("mod.rs") || path == Path::new("lib.rs");
    let folder = if is_root { path.parent().unwrap().to_owned() } else { path.with_extension("") };
    let items = text.split("#[cfg(test)]").skip(1);
    let names = items.filter_map(|item| item.split_once(';')?.0.trim().strip_prefix("mod "));
    names.map(|name| folder.join(name.trim())).collect()
}

/// Where the block ends whose `{` is just before `open`.
fn closing(text: &str, open: usize) -> usize {
    let mut depth = 1;
    for (at, c) in text[open..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return open + at + 1;
        }
    }
    text.len()
}

fn collect(root: &Path, folder: &Path, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, sources);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            sources.push((path.strip_prefix(root).unwrap().to_owned(), text));
        }
    }
    sources.sort();
}
