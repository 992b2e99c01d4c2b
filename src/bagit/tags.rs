//! What bags are described in: lines, ended by LF, CR or CRLF.

use super::hash::Algorithm;
use super::name::unsafe_path;
use crate::id::unhex;

/// A version of the format that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    V0_93,
    V0_94,
    V0_95,
    V0_96,
    V0_97,
    V1_0,
}

impl Version {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "0.93" => Self::V0_93,
            "0.94" => Self::V0_94,
            "0.95" => Self::V0_95,
            "0.96" => Self::V0_96,
            "0.97" => Self::V0_97,
            "1.0" => Self::V1_0,
            _ => return None,
        })
    }

    /// The file of what the bag says about itself.
    pub(crate) fn info_file(self) -> &'static str {
        if self <= Self::V0_95 { "package-info.txt" } else { "bag-info.txt" }
    }
}

/// What `bagit.txt` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Declaration {
    Readable(Version),
    UnknownVersion,
    UnknownEncoding,
    Malformed,
}

impl Declaration {
    /// RFC 8493, section 2.1.1: two lines, no byte order mark, and since 1.0 no other whitespace than one space each.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let lines: Vec<_> = lines(bytes).take(3).map(std::str::from_utf8).collect();
        let [Ok(version), Ok(encoding)] = lines[..] else { return Self::Malformed };
        let version = version.strip_prefix("BagIt-Version: ");
        let encoding = encoding.strip_prefix("Tag-File-Character-Encoding: ");
        let (Some(version), Some(encoding)) = (version, encoding) else { return Self::Malformed };
        let well_formed = |v: &str| {
            let (major, minor) = v.split_once('.').unwrap_or_default();
            [major, minor].iter().all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
        };
        match Version::parse(version.trim()) {
            _ if !well_formed(version.trim()) => Self::Malformed,
            Some(Version::V1_0) if version.trim() != version || encoding.trim() != encoding => Self::Malformed,
            None => Self::UnknownVersion,
            Some(_) if !encoding.trim().eq_ignore_ascii_case("UTF-8") => Self::UnknownEncoding,
            Some(version) => Self::Readable(version),
        }
    }
}

/// A line of a manifest or of `fetch.txt`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<T> {
    /// A path from the bag's folder, what is said of it, and whether it was spelt in a way that should not be.
    Entry { path: String, about: T, loose: bool },
    /// A path that leads elsewhere.
    Unsafe(String),
    /// Not such a line; counted from 1.
    Malformed(usize),
}

/// A manifest's lines: `<hexadecimal digest> <path>` (RFC 8493, section 2.1.3).
pub(crate) fn manifest(bytes: &[u8], algorithm: Algorithm, version: Version) -> impl Iterator<Item = Line<Vec<u8>>> {
    numbered(bytes).map(move |(number, line)| {
        let parsed = line.and_then(|line| {
            let (digest, path) = line.split_once([' ', '\t'])?;
            let digest = unhex(&digest.to_ascii_lowercase()).filter(|d| d.len() == algorithm.len())?;
            Some((path.trim_start_matches([' ', '\t']), digest))
        });
        let Some((path, digest)) = parsed else { return Line::Malformed(number) };
        // md5sum and its kin mark a file that was opened as binary.
        let plain = path.strip_prefix('*').unwrap_or(path);
        let plain = plain.strip_prefix("./").unwrap_or(plain);
        entry(plain, digest, plain.len() != path.len(), version)
    })
}

/// The lines of `fetch.txt`: `<URL> <length or -> <path>` (RFC 8493, section 2.2.3). Only the paths are returned.
pub(crate) fn fetch(bytes: &[u8], version: Version) -> impl Iterator<Item = Line<()>> {
    numbered(bytes).map(move |(number, line)| {
        let path = line.and_then(|line| {
            let (url, rest) = line.split_once([' ', '\t'])?;
            let (len, path) = rest.trim_start_matches([' ', '\t']).split_once([' ', '\t'])?;
            let counted = len == "-" || !len.is_empty() && len.bytes().all(|b| b.is_ascii_digit());
            (!url.is_empty() && counted).then_some(path.trim_start_matches([' ', '\t']))
        });
        path.map_or(Line::Malformed(number), |path| entry(path, (), false, version))
    })
}

fn entry<T>(path: &str, about: T, loose: bool, version: Version) -> Line<T> {
    let path = decode(path, version);
    if unsafe_path(&path) { Line::Unsafe(path) } else { Line::Entry { path, about, loose } }
}

/// Undoes the escapes of line ends and, since 1.0, of the percent sign. Nothing else is one.
fn decode(path: &str, version: Version) -> String {
    let (mut out, mut rest) = (String::with_capacity(path.len()), path);
    while let Some((before, after)) = rest.split_once('%') {
        let escaped = match after.get(..2).map(str::to_ascii_uppercase).as_deref() {
            Some("0A") => Some('\n'),
            Some("0D") => Some('\r'),
            Some("25") if version >= Version::V1_0 => Some('%'),
            _ => None,
        };
        out.push_str(before);
        out.push(escaped.unwrap_or('%'));
        rest = after.get(escaped.map_or(0, |_| 2)..).unwrap_or_default();
    }
    out + rest
}

/// What a bag says about itself, in order, as label and value; `Err` is the number of a line that is neither.
///
/// RFC 8493, section 2.2.2: a line that begins with whitespace goes on with the value above; the line break between
/// them belongs to the value and the whitespace does not.
pub(crate) fn info(bytes: &[u8]) -> Result<Vec<(String, String)>, usize> {
    let mut tags: Vec<(String, String)> = Vec::new();
    for (number, line) in numbered(bytes) {
        let line = line.ok_or(number)?;
        if line.starts_with([' ', '\t']) {
            let (_, value) = tags.last_mut().ok_or(number)?;
            value.push('\n');
            value.push_str(line.trim());
        } else {
            let (label, value) = line.split_once(':').ok_or(number)?;
            if label.is_empty() || label.trim() != label {
                return Err(number);
            }
            tags.push((label.to_owned(), value.trim().to_owned()));
        }
    }
    Ok(tags)
}

/// The inverse of [`info`], for labels and values that [`is_label`] and [`is_value`] accept.
pub(crate) fn info_text(tags: &[(String, String)]) -> String {
    tags.iter().map(|(label, value)| format!("{label}: {}\n", value.replace('\n', "\n  "))).collect()
}

/// No colon and no control character, and no whitespace at either end.
pub(super) fn is_label(label: &str) -> bool {
    !label.is_empty() && label.trim() == label && !label.contains(|c: char| c == ':' || c.is_control())
}

/// Lines with something in them, and no whitespace at either end of any: what a reader gives back as it was.
pub(super) fn is_value(value: &str) -> bool {
    value.split('\n').all(|line| !line.is_empty() && line.trim() == line && !line.contains(char::is_control))
}

/// Lines that are not blank, counted from 1; `None` is one that is not UTF-8.
fn numbered(bytes: &[u8]) -> impl Iterator<Item = (usize, Option<&str>)> {
    let lines = (1..).zip(lines(bytes)).map(|(number, line)| (number, std::str::from_utf8(line).ok()));
    lines.filter(|(_, line)| line.is_none_or(|line| !line.trim().is_empty()))
}

/// What is between line ends. An end of the last line begins no further one.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest.iter().position(|b| matches!(b, b'\n' | b'\r')).unwrap_or(rest.len());
        let (line, tail) = rest.split_at(end);
        rest = tail.strip_prefix(b"\r\n").or(tail.get(1..)).unwrap_or_default();
        Some(line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_in_each_of_the_three_ways() {
        let all: Vec<_> = lines(b"a\nb\rc\r\nd\n\ne").collect();
        assert_eq!(all, [&b"a"[..], b"b", b"c", b"d", b"", b"e"]);
        assert_eq!(lines(b"a\r\n").count(), 1);
    }

    #[test]
    fn declarations_are_taken_as_strictly_as_their_version_asks() {
        let parse = |text: &str| Declaration::parse(text.as_bytes());
        let good = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
        assert_eq!(parse(good), Declaration::Readable(Version::V1_0));
        assert_eq!(parse(good.trim_end()), Declaration::Readable(Version::V1_0));
        assert_eq!(parse(&good.replace('\n', "\r\n")), Declaration::Readable(Version::V1_0));
        assert_eq!(parse(&good.replace("1.0", "0.97 ")), Declaration::Readable(Version::V0_97));
        assert_eq!(parse(&good.replace("1.0", "1.1")), Declaration::UnknownVersion);
        assert_eq!(parse(&good.replace("1.0", "0.92")), Declaration::UnknownVersion);
        assert_eq!(parse(&good.replace("UTF-8", "UTF-16")), Declaration::UnknownEncoding);
        for bad in [
            "",
            "BagIt-Version: 1.0\n",
            &good.replace("1.0", "1.0 "),
            &good.replace("1.0", "one"),
            &good.replace("1.0", "1."),
            &good.replace(": ", " : "),
            &good.replace(": ", ":"),
            &format!("{good}More: lines\n"),
            &format!("\u{feff}{good}"),
        ] {
            assert_eq!(parse(bad), Declaration::Malformed, "{bad:?}");
        }
    }

    #[test]
    fn paths_are_decoded_once_and_only_where_an_escape_stands() {
        for (path, old, new) in [
            ("data/a%0Ab", "data/a\nb", "data/a\nb"),
            ("data/a%0d%0ab", "data/a\r\nb", "data/a\r\nb"),
            ("data/100%25", "data/100%25", "data/100%"),
            ("data/%250A", "data/%250A", "data/%0A"),
            ("data/%41%", "data/%41%", "data/%41%"),
            ("data/%é", "data/%é", "data/%é"),
        ] {
            assert_eq!(decode(path, Version::V0_97), old);
            assert_eq!(decode(path, Version::V1_0), new);
        }
    }

    #[test]
    fn manifests_are_read_with_the_spellings_of_other_tools() {
        let digest = "ab".repeat(32);
        let parse = |line: &str| manifest(line.as_bytes(), Algorithm::Sha256, Version::V1_0).next();
        let entry = |path: &str, loose| Some(Line::Entry { path: path.to_owned(), about: vec![0xAB; 32], loose });
        assert_eq!(parse(&format!("{digest}  data/a b ")), entry("data/a b ", false));
        assert_eq!(parse(&format!("{digest}\tdata/a")), entry("data/a", false));
        assert_eq!(parse(&format!("{} *data/a", digest.to_uppercase())), entry("data/a", true));
        assert_eq!(parse(&format!("{digest}  ./data/a")), entry("data/a", true));
        assert_eq!(parse(&format!("{digest}  data/%2E%2E%0A/..")), Some(Line::Unsafe("data/%2E%2E\n/..".to_owned())));
        for bad in [&digest[1..], &digest, "xx data/a", &format!("{}  data/a", &digest[2..])] {
            assert_eq!(parse(bad), Some(Line::Malformed(1)), "{bad}");
        }
        assert_eq!(manifest(b"\n\xFF", Algorithm::Sha256, Version::V1_0).next(), Some(Line::Malformed(2)));
    }

    #[test]
    fn what_a_bag_says_of_itself_is_read_as_it_was_written() {
        let tags = [("Contact-Name", "Édna: 100%"), ("Note", "one\ntwo\nthree"), ("Note", "x")];
        let tags: Vec<_> = tags.iter().map(|(l, v)| ((*l).to_owned(), (*v).to_owned())).collect();
        assert!(tags.iter().all(|(l, v)| is_label(l) && is_value(v)));
        assert_eq!(info(info_text(&tags).as_bytes()), Ok(tags));
        assert_eq!(info(b"A:b\r\n\tc \r\n"), Ok(vec![("A".to_owned(), "b\nc".to_owned())]));
        for bad in ["no colon", " first", ": x", "A : b"] {
            assert_eq!(info(bad.as_bytes()), Err(1), "{bad}");
        }
        assert!(!["", "a:", " a", "a\n"].into_iter().any(is_label));
        assert!(!["", "a\n", "a\n b", "a\n\nb", " a", "a\r", "a\0"].into_iter().any(is_value));
    }

    #[test]
    fn what_is_to_be_fetched_is_named_with_a_length_or_without() {
        let text = b"http://a/b 12 data/a b\nhttp://a/c - data/c\nhttp://a/d ? data/d\nhttp://a/e 1 ../e\n";
        let entry = |path: &str| Line::Entry { path: path.to_owned(), about: (), loose: false };
        let all: Vec<_> = fetch(text, Version::V1_0).collect();
        assert_eq!(all, [entry("data/a b"), entry("data/c"), Line::Malformed(3), Line::Unsafe("../e".to_owned())]);
    }
}
