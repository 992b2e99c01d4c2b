use std::io;
use std::ops::Range;

use super::file::{File, Made};
use super::sound::Sound;
use super::span::place;
use super::turns::{Said, Turns};
use super::wave::SPEAKERS;
use crate::html::{Beside, Page};
use crate::record::PartKind;
use crate::text::Text;

/// Bytes of a text that a page shows: the file has all of it.
const MOST: usize = 1 << 20;

/// A text as it was produced.
pub(crate) struct Writing<'a> {
    /// Which of the page's files it is.
    pub(crate) file: usize,
    pub(crate) text: &'a Text<'a>,
    /// Where in its body something stands in place of what was redacted.
    pub(crate) blocks: &'a [Range<usize>],
}

impl<'a> Writing<'a> {
    pub(super) fn turns(&self, number: usize) -> Turns<'a> {
        Turns::of(number, self.text, self.blocks, MOST)
    }

    /// Whether it is of a recording: what was said in it.
    pub(super) fn is_spoken(&self, files: &[File<'_>]) -> bool {
        files.get(self.file).is_some_and(|file| file.kind == PartKind::Transcript)
    }

    /// The text, with a link to each place in the recording that it is of.
    pub(super) fn write(
        &self,
        file: &File<'_>,
        turns: &Turns<'_>,
        sound: Option<(&Sound<'_>, &File<'_>)>,
        page: &mut Page<'_>,
    ) -> io::Result<()> {
        page.open("article", &[("class", &"writing")])?;
        page.open("p", &[("class", &"caption")])?;
        if let Some(bates) = file.bates {
            page.quoted(bates)?;
            page.text(", ")?;
        }
        match file.made {
            Made::Redacted(places, _) => {
                let places = crate::html::counted(places as u64, "place", "places");
                page.text(format_args!("redacted in {places}; "))?;
            }
            Made::Copied | Made::Cut(_) => {}
        }
        page.open_file_link(Beside(file.path))?;
        page.text("the file")?;
        page.close()?;
        page.close()?;
        // An e-mail is one text, and its head says who wrote it.
        let is_letter = file.kind == PartKind::Email;
        let is_timed = turns.is_timed() && !is_letter;
        page.open("ol", &[("class", &if is_timed { "said timed" } else { "said" })])?;
        for (at, said) in turns.all.iter().enumerate() {
            page.open("li", &[("id", &turns.anchor(at))])?;
            if is_timed {
                time(said, sound, page)?;
            }
            page.open("div", &[])?;
            if let Some(name) = said.speaker.as_deref().filter(|_| !is_letter) {
                speaker(name, turns, page)?;
            }
            words(said, page)?;
            page.close()?;
            page.close()?;
        }
        page.close()?;
        if turns.all.is_empty() {
            page.element("p", &[("class", &"quiet")], "It has no text.")?;
        }
        if self.text.body().len() > MOST {
            page.element("p", &[("class", &"quiet")], "It goes on; the file has all of it.")?;
        }
        page.close()
    }
}

fn time(said: &Said<'_>, sound: Option<(&Sound<'_>, &File<'_>)>, page: &mut Page<'_>) -> io::Result<()> {
    page.open("div", &[("class", &"at")])?;
    if let Some(ms) = said.at_ms {
        match sound.filter(|(sound, _)| sound.ms.contains(&ms)) {
            Some((sound, file)) => {
                page.open_playing_link(Beside(file.path), ms - sound.ms.start)?;
                page.text(place(ms))?;
                page.close()?;
            }
            None => page.text(place(ms))?,
        }
    }
    page.close()
}

fn speaker(name: &str, turns: &Turns<'_>, page: &mut Page<'_>) -> io::Result<()> {
    let paint = turns.speaker(name).and_then(|at| SPEAKERS.get(at)).copied().unwrap_or(6);
    page.open("p", &[("class", &format_args!("speaker s{paint}"))])?;
    page.quoted(name)?;
    page.close()
}

/// Line by line, with what was redacted marked.
fn words(said: &Said<'_>, page: &mut Page<'_>) -> io::Result<()> {
    if said.words.is_empty() {
        return Ok(());
    }
    page.open("p", &[("class", &"words")])?;
    let mut done = 0;
    for block in &said.blocks {
        lines(&said.words[done..block.start], page)?;
        page.element("mark", &[], &said.words[block.clone()])?;
        done = block.end;
    }
    lines(&said.words[done..], page)?;
    page.close()
}

fn lines(text: &str, page: &mut Page<'_>) -> io::Result<()> {
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            page.void("br", &[])?;
        }
        let line = line.trim_end_matches('\r');
        if !line.is_empty() {
            page.element("bdi", &[], line.replace('\t', "    "))?;
        }
    }
    Ok(())
}
