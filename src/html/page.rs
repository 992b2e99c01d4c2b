use std::fmt::{self, Display};
use std::io::{self, BufWriter, Write};

use super::escape::{Place, escape};

const STYLE: &str = include_str!("style.css");

/// An attribute. Its name is ours; its value is escaped.
pub(crate) type Attribute<'a> = (&'static str, &'a dyn Display);

/// A page that is written as it comes: nothing of it is kept but the names of the open elements, so it is balanced
/// whatever is in it.
#[must_use = "a page that is not finished is cut short"]
pub(crate) struct Page<'a> {
    out: BufWriter<&'a mut dyn Write>,
    open: Vec<&'static str>,
}

impl<'a> Page<'a> {
    /// Writes everything up to the first element of the body.
    pub(crate) fn begin(title: impl Display, out: &'a mut dyn Write) -> io::Result<Self> {
        Self::begin_with(title, "", "", out)
    }

    /// As [`begin`](Self::begin), with a style of its own behind that of all pages, for a page that plays files beside it.
    pub(crate) fn begin_beside_files(
        title: impl Display,
        style: &'static str,
        out: &'a mut dyn Write,
    ) -> io::Result<Self> {
        // Where a page is a file, none is of its own origin to every browser.
        Self::begin_with(title, style, "; media-src 'self' file:", out)
    }

    fn begin_with(
        title: impl Display,
        style: &'static str,
        allowed: &'static str,
        out: &'a mut dyn Write,
    ) -> io::Result<Self> {
        let mut page = Self { out: BufWriter::with_capacity(64 * 1024, out), open: Vec::new() };
        page.out.write_all(b"<!DOCTYPE html>\n")?;
        page.open("html", &[("lang", &"en")])?;
        page.open("head", &[])?;
        page.void("meta", &[("charset", &"utf-8")])?;
        let policy =
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";
        let policy = format_args!("{policy}{allowed}");
        page.void("meta", &[("http-equiv", &"Content-Security-Policy"), ("content", &policy)])?;
        for (name, content) in [
            ("viewport", "width=device-width, initial-scale=1"),
            ("color-scheme", "light dark"),
            ("referrer", "no-referrer"),
            ("robots", "noindex"),
            // Phones would make links of numbers that others wrote.
            ("format-detection", "telephone=no, date=no, address=no, email=no"),
        ] {
            page.void("meta", &[("name", &name), ("content", &content)])?;
        }
        page.plain("title", title)?;
        page.open("style", &[])?;
        page.out.write_all(STYLE.as_bytes())?;
        page.out.write_all(style.as_bytes())?;
        page.close()?;
        page.close()?;
        page.open("body", &[])?;
        Ok(page)
    }

    /// Opens an element. What leads somewhere is written by [`open_link`](Self::open_link) alone.
    pub(crate) fn open(&mut self, tag: &'static str, attributes: &[Attribute<'_>]) -> io::Result<()> {
        self.start(tag, attributes)?;
        self.open.push(tag);
        self.out.write_all(b">")
    }

    /// Closes the element that was opened last.
    pub(crate) fn close(&mut self) -> io::Result<()> {
        let Some(tag) = self.open.pop() else { return Ok(()) };
        write!(self.out, "</{tag}>")?;
        if breaks_line(tag) { self.out.write_all(b"\n") } else { Ok(()) }
    }

    /// An element that has no content.
    pub(crate) fn void(&mut self, tag: &'static str, attributes: &[Attribute<'_>]) -> io::Result<()> {
        self.start(tag, attributes)?;
        self.out.write_all(b"/>")
    }

    /// Text of ours.
    pub(crate) fn text(&mut self, text: impl Display) -> io::Result<()> {
        escape(text, Place::Flow, &mut self.out)
    }

    /// What someone else wrote: whichever way it reads, its neighbours keep their places.
    pub(crate) fn quoted(&mut self, text: &str) -> io::Result<()> {
        if text.is_empty() {
            return self.element("span", &[("class", &"code")], "empty");
        }
        self.element("bdi", &[], text)
    }

    /// An element with text of ours in it.
    pub(crate) fn element(
        &mut self,
        tag: &'static str,
        attributes: &[Attribute<'_>],
        text: impl Display,
    ) -> io::Result<()> {
        self.open(tag, attributes)?;
        self.text(text)?;
        self.close()
    }

    /// An element that may hold text but no markup, such as `title`.
    pub(crate) fn plain(&mut self, tag: &'static str, text: impl Display) -> io::Result<()> {
        self.open(tag, &[])?;
        escape(text, Place::Plain, &mut self.out)?;
        self.close()
    }

    /// Opens a link to another place on this page.
    pub(crate) fn open_link(&mut self, anchor: impl Display) -> io::Result<()> {
        self.out.write_all(b"<a href=\"#")?;
        escape(anchor, Place::Plain, &mut self.out)?;
        self.open.push("a");
        self.out.write_all(b"\">")
    }

    pub(crate) fn link(&mut self, anchor: impl Display, text: impl Display) -> io::Result<()> {
        self.open_link(anchor)?;
        self.text(text)?;
        self.close()
    }

    /// Opens a link to a file beside the page, or to a place in one.
    pub(crate) fn open_file_link(&mut self, path: Beside<'_>) -> io::Result<()> {
        write!(self.out, "<a href=\"{path}")?;
        self.open.push("a");
        self.out.write_all(b"\">")
    }

    /// Opens a link that plays a file beside the page from this place on (W3C Media Fragments URI 1.0), elsewhere than on
    /// the page.
    pub(crate) fn open_playing_link(&mut self, path: Beside<'_>, ms: u64) -> io::Result<()> {
        let (seconds, ms) = (ms / 1000, ms % 1000);
        write!(self.out, "<a target=\"_blank\" rel=\"noopener\" href=\"{path}#t={seconds}.{ms:03}")?;
        self.open.push("a");
        self.out.write_all(b"\">")
    }

    /// What plays a file beside the page.
    pub(crate) fn player(&mut self, path: Beside<'_>, label: &str) -> io::Result<()> {
        write!(self.out, "<audio controls=\"\" preload=\"metadata\" src=\"{path}\" aria-label=\"")?;
        escape(label, Place::Plain, &mut self.out)?;
        self.out.write_all(b"\"></audio>")
    }

    /// A name of ours and what someone else put there, inside a `dl`.
    pub(crate) fn pair(&mut self, name: impl Display, value: &str) -> io::Result<()> {
        self.pair_of(name, |page| page.quoted(value))
    }

    /// A name of ours and whatever `write` puts there, inside a `dl`.
    pub(crate) fn pair_of(
        &mut self,
        name: impl Display,
        write: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> io::Result<()> {
        self.open("div", &[])?;
        self.element("dt", &[], name)?;
        self.open("dd", &[])?;
        write(self)?;
        self.close()?;
        self.close()
    }

    /// Closes what is open and hands everything over.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        while !self.open.is_empty() {
            self.close()?;
        }
        self.out.flush()
    }

    fn start(&mut self, tag: &'static str, attributes: &[Attribute<'_>]) -> io::Result<()> {
        write!(self.out, "<{tag}")?;
        for (name, value) in attributes {
            // Values of these are programs or addresses, which no escaping makes harmless.
            debug_assert!(!matches!(*name, "href" | "src" | "style") && !name.starts_with("on"), "{name}");
            write!(self.out, " {name}=\"")?;
            escape(value, Place::Plain, &mut self.out)?;
            self.out.write_all(b"\"")?;
        }
        Ok(())
    }
}

/// The path of a file from where a page is. Whatever is in it, it is a path: it cannot name a program or a place elsewhere
/// (RFC 3986 section 4.2, a path beginning with `./`).
#[derive(Clone, Copy)]
pub(crate) struct Beside<'a>(pub(crate) &'a str);

impl Display for Beside<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.starts_with("../") {
            f.write_str("./")?;
        }
        for byte in self.0.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                    write!(f, "{}", byte as char)?
                }
                other => write!(f, "%{other:02X}")?,
            }
        }
        Ok(())
    }
}

/// Where a line of the source may end without a space appearing on the page.
fn breaks_line(tag: &str) -> bool {
    matches!(
        tag,
        "html"
            | "head"
            | "body"
            | "title"
            | "style"
            | "header"
            | "main"
            | "footer"
            | "nav"
            | "section"
            | "p"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "ol"
            | "ul"
            | "li"
            | "dl"
            | "table"
            | "tr"
            | "figure"
            | "svg"
            | "g"
            | "details"
    )
}

#[cfg(test)]
mod tests {
    use super::super::checker;
    use super::*;

    fn page(write: impl FnOnce(&mut Page<'_>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        let mut page = Page::begin("A <title>", &mut out).unwrap();
        write(&mut page).unwrap();
        page.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_page_is_balanced_whatever_was_left_open() {
        let text = page(|page| {
            page.open("main", &[])?;
            page.open("p", &[("class", &"\"><script>")])?;
            page.quoted("</p></main>")
        });
        checker::check(&text);
        assert!(text.contains("<p class=\"&quot;&gt;&lt;script&gt;\"><bdi>&lt;/p&gt;&lt;/main&gt;</bdi></p>"));
        assert!(text.ends_with("</body>\n</html>\n"));
    }

    #[test]
    fn closing_more_than_was_opened_writes_nothing() {
        let text = page(|page| (0..5).try_for_each(|_| page.close()));
        checker::check(&text);
    }

    #[test]
    fn an_empty_text_of_others_is_seen_to_be_empty() {
        assert!(page(|page| page.quoted("")).contains("<span class=\"code\">empty</span>"));
    }

    #[test]
    fn a_file_beside_the_page_is_a_path_whatever_its_name() {
        for (path, href) in [
            ("../files/sha512-x.wav", "../files/sha512-x.wav"),
            ("a.wav", "./a.wav"),
            ("javascript:alert(1)", "./javascript%3Aalert%281%29"),
            ("//elsewhere.example/a", ".///elsewhere.example/a"),
            ("a\"><script>?b#c &d\u{e4}", "./a%22%3E%3Cscript%3E%3Fb%23c%20%26d%C3%A4"),
        ] {
            assert_eq!(Beside(path).to_string(), href);
            let text = page(|page| {
                page.open_file_link(Beside(path))?;
                page.close()?;
                page.open_playing_link(Beside(path), 62_005)?;
                page.close()?;
                page.player(Beside(path), "\"><script>")
            });
            checker::check_beside(&text, &[href]);
            assert!(text.contains(&format!("href=\"{href}#t=62.005\"")));
            assert!(text.contains("aria-label=\"&quot;&gt;&lt;script&gt;\"></audio>"));
        }
        assert!(page(|_| Ok(())).contains("form-action &#39;none&#39;\"/>"));
    }

    #[test]
    fn the_style_loads_nothing_and_cannot_end_early() {
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import") && !STYLE.contains('<'));
    }
}
