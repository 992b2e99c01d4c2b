use std::io;
use std::ops::Range;

use super::file::File;
use super::span::{between, exact, length};
use super::turns::Turns;
use super::wave::{SPEAKERS, Speaking, Wave};
use crate::audio::{AudioInfo, Codec, Filler, Peaks};
use crate::html::{Beside, Page};

/// A recording as it was produced.
pub(crate) struct Sound<'a> {
    /// Which of the page's files it is.
    pub(crate) file: usize,
    /// What was produced of it, in milliseconds of the whole.
    pub(crate) ms: Range<u64>,
    /// Whether the whole goes on behind that.
    pub(crate) goes_on: bool,
    pub(crate) info: Option<&'a AudioInfo>,
    /// Of what was produced: nothing that was redacted may have been looked at.
    pub(crate) peaks: Option<&'a Peaks>,
    pub(crate) gaps: &'a [Gap<'a>],
}

/// A stretch that was redacted.
pub(crate) struct Gap<'a> {
    /// In milliseconds of the whole.
    pub(crate) ms: Range<u64>,
    pub(crate) with: Filler,
    pub(crate) reason: &'a str,
}

impl Sound<'_> {
    /// Whether there is more of the recording before or behind it.
    pub(super) fn is_stretch(&self) -> bool {
        self.ms.start > 0 || self.goes_on
    }

    /// The recording with a heading, its picture, what plays it, and what is redacted in it. `turns` are of the transcript
    /// that goes with it.
    pub(super) fn write(
        &self,
        number: usize,
        file: &File<'_>,
        turns: Option<&Turns<'_>>,
        page: &mut Page<'_>,
    ) -> io::Result<()> {
        page.open("figure", &[("class", &"recording")])?;
        page.open("figcaption", &[])?;
        self.caption(file, page)?;
        page.close()?;
        match self.peaks.filter(|peaks| peaks.channels.iter().any(|channel| !channel.is_empty())) {
            None => {
                let why = "There is no picture of it: only recordings in PCM, floating point, µ-law or A-law have one.";
                page.element("p", &[("class", &"quiet")], why)?;
            }
            Some(peaks) => {
                let speaking = turns.map(|turns| turns.speaking(&self.ms)).unwrap_or_default();
                Wave { number, ms: &self.ms, goes_on: self.goes_on, peaks, gaps: self.gaps, speaking: &speaking }
                    .write(page)?;
                if let Some(turns) = turns.filter(|_| !speaking.is_empty()) {
                    legend(turns, &speaking, page)?;
                }
            }
        }
        page.player(Beside(file.path), "Play the recording")?;
        self.notes(page)?;
        page.close()
    }

    fn caption(&self, file: &File<'_>, page: &mut Page<'_>) -> io::Result<()> {
        if let Some(bates) = file.bates {
            page.quoted(bates)?;
            page.text(", ")?;
        }
        page.text(length(self.ms.end.saturating_sub(self.ms.start)))?;
        let Some(info) = self.info else { return Ok(()) };
        page.text(", ")?;
        page.quoted(&info.codec.to_string())?;
        if let Some(rate) = info.rate_hz {
            page.text(format_args!(", {} kHz", f64::from(rate) / 1000.0))?;
        }
        match info.channels {
            Some(1) => page.text(", one channel"),
            Some(2) => page.text(", two channels"),
            Some(n) => page.text(format_args!(", {n} channels")),
            None => Ok(()),
        }
    }

    fn notes(&self, page: &mut Page<'_>) -> io::Result<()> {
        if self.is_stretch() {
            let (from, to) = (exact(self.ms.start), exact(self.ms.end));
            let told = format!(
                "This is a stretch of a longer recording, from {from} to {to}. Times beside it are those of the whole."
            );
            page.element("p", &[("class", &"note")], told)?;
        }
        let rarely = matches!(
            self.info.map(|info| &info.codec),
            Some(Codec::Gsm | Codec::Adpcm | Codec::G722 | Codec::G726 | Codec::Other(_))
        );
        if rarely {
            let told = "Few browsers play this codec. The file is as it was recorded; a player such as VLC plays it.";
            page.element("p", &[("class", &"note")], told)?;
        }
        if self.gaps.is_empty() {
            return Ok(());
        }
        page.open("ul", &[("class", &"gaps")])?;
        for gap in self.gaps {
            page.open("li", &[])?;
            page.element("b", &[], format_args!("Redacted {}", between(&gap.ms)))?;
            let heard = match gap.with {
                Filler::Silence => ", silence: ",
                Filler::Tone => ", a tone: ",
            };
            page.text(heard)?;
            page.quoted(gap.reason)?;
            page.close()?;
        }
        page.close()
    }
}

/// Who the speakers above the picture are.
fn legend(turns: &Turns<'_>, speaking: &[Speaking], page: &mut Page<'_>) -> io::Result<()> {
    page.open("ul", &[("class", &"speakers")])?;
    page.element("li", &[("class", &"quiet")], "In the transcript, from each beginning to the next:")?;
    for (at, name) in turns.speakers().iter().enumerate().take(SPEAKERS.len()) {
        if !speaking.iter().any(|turn| turn.speaker == at) {
            continue;
        }
        page.open("li", &[("class", &format_args!("s{}", SPEAKERS[at]))])?;
        page.quoted(name)?;
        page.close()?;
    }
    page.close()
}

/// What a channel is called.
pub(super) fn channel_name(number: usize, of: usize) -> String {
    match (number, of) {
        (0, 2) => "Left channel".to_owned(),
        (1, 2) => "Right channel".to_owned(),
        (number, _) => format!("Channel {}", number + 1),
    }
}
