use std::fmt::Display;
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
        let mut page = Self { out: BufWriter::with_capacity(64 * 1024, out), open: Vec::new() };
        page.out.write_all(b"<!DOCTYPE html>\n")?;
        page.open("html", &[("lang", &"en")])?;
        page.open("head", &[])?;
        page.void("meta", &[("charset", &"utf-8")])?;
        let policy =
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";
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
    fn the_style_loads_nothing_and_cannot_end_early() {
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import") && !STYLE.contains('<'));
    }
}
