use std::fmt::Write;
use std::io;
use std::ops::Range;

use super::axis::marks;
use super::sound::{Gap, channel_name};
use super::span::{between, length, place};
use crate::audio::Peaks;
use crate::html::{Attribute, Page};

/// Heights in pixels. Widths are parts of whatever width there is.
const LANE: u64 = 9;
const LANES_GAP: u64 = 8;
const AXIS: u64 = 22;
/// Above a channel, where its name stands.
const NAME: u64 = 18;
/// Half the height of a channel in its own units, in which its width is its number of buckets.
const HALF: u64 = 100;
/// What is quieter than this, of 255, is not drawn as if it were loud.
const LOUD: u8 = 32;
/// The paints of channels, and those of speakers, which are others: which channel is whose is not known.
const CHANNELS: [usize; 8] = [0, 2, 1, 4, 6, 3, 5, 7];
pub(super) const SPEAKERS: [usize; 4] = [3, 5, 4, 7];
/// Parts of the width that a word needs: less is not labelled.
const WORD: f64 = 0.14;

/// The picture of a recording: each channel apart, who speaks above it, times below it.
pub(super) struct Wave<'a> {
    /// The recording's number on the page.
    pub(super) number: usize,
    /// What the picture is of, in milliseconds of the whole recording.
    pub(super) ms: &'a Range<u64>,
    /// Whether the recording goes on behind it.
    pub(super) goes_on: bool,
    pub(super) peaks: &'a Peaks,
    pub(super) gaps: &'a [Gap<'a>],
    pub(super) speaking: &'a [Speaking],
}

/// Somebody's turn.
pub(super) struct Speaking {
    /// Which speaker.
    pub(super) speaker: usize,
    /// Until the next turn begins.
    pub(super) ms: Range<u64>,
    /// Its anchor in the transcript.
    pub(super) anchor: String,
    /// Who speaks when.
    pub(super) told: String,
}

impl Wave<'_> {
    pub(super) fn write(&self, page: &mut Page<'_>) -> io::Result<()> {
        let lanes = self.speaking.iter().map(|turn| turn.speaker as u64 + 1).max().unwrap_or(0);
        let top = if lanes == 0 { 0 } else { lanes * LANE + LANES_GAP };
        let (channels, each) = (self.peaks.channels.len() as u64, self.channel());
        let base = top + channels * each;
        let (title, described) = (format!("wave{}-title", self.number), format!("wave{}-described", self.number));
        let attributes: [Attribute<'_>; 6] = [
            ("class", &"wave"),
            ("role", &"img"),
            ("aria-labelledby", &title),
            ("aria-describedby", &described),
            ("width", &"100%"),
            ("height", &(base + AXIS)),
        ];
        page.open("svg", &attributes)?;
        page.element("title", &[("id", &title)], "How loud the recording is from place to place")?;
        page.element("desc", &[("id", &described)], self.described())?;
        self.hatching(page)?;
        for (number, peaks) in self.peaks.channels.iter().enumerate() {
            self.draw(number, top, peaks, page)?;
        }
        for gap in self.gaps {
            self.gap(gap, top, page)?;
        }
        for number in (0..self.peaks.channels.len()).filter(|_| channels > 1) {
            let (name, y) = (channel_name(number, self.peaks.channels.len()), top + number as u64 * each + 13);
            page.element("text", &[("class", &"channel"), ("y", &y)], name)?;
        }
        for turn in self.speaking {
            self.turn(turn, page)?;
        }
        self.edges(top, base, page)?;
        self.axis(base, page)?;
        page.close()
    }

    fn channel(&self) -> u64 {
        match self.peaks.channels.len() {
            0 | 1 => 120,
            2 => 100,
            3 | 4 => 72,
            _ => 56,
        }
    }

    /// From where down a channel is drawn, and how high.
    fn panel(&self, top: u64, number: u64) -> (u64, u64) {
        let name = if self.peaks.channels.len() > 1 { NAME } else { 0 };
        (top + number * self.channel() + name, self.channel() - name - 1)
    }

    fn described(&self) -> String {
        let channels = crate::html::counted(self.peaks.channels.len() as u64, "channel", "channels");
        let lasting = length(self.ms.end - self.ms.start);
        let gaps = match self.gaps.len() {
            0 => String::new(),
            _ => format!(" Redacted: {}.", self.gaps.iter().map(|gap| between(&gap.ms)).collect::<Vec<_>>().join(", ")),
        };
        let cut = if self.ms.start > 0 || self.goes_on { " It is a stretch of a longer recording." } else { "" };
        format!("{channels}, {lasting}. The loudest place fills the height.{cut}{gaps}")
    }

    /// What lies over a place that cannot be heard.
    fn hatching(&self, page: &mut Page<'_>) -> io::Result<()> {
        if self.gaps.is_empty() {
            return Ok(());
        }
        page.open("defs", &[])?;
        page.open(
            "pattern",
            &[
                ("id", &format_args!("hatch{}", self.number)),
                ("width", &8),
                ("height", &8),
                ("patternUnits", &"userSpaceOnUse"),
                ("patternTransform", &"rotate(45)"),
            ],
        )?;
        page.void("rect", &[("class", &"hatch-ground"), ("width", &8), ("height", &8)])?;
        page.void("rect", &[("class", &"hatch"), ("width", &3), ("height", &8)])?;
        page.close()?;
        page.close()
    }

    fn draw(&self, number: usize, top: u64, peaks: &[u8], page: &mut Page<'_>) -> io::Result<()> {
        let (y, height) = self.panel(top, number as u64);
        page.void("rect", &[("class", &"ground"), ("y", &y), ("width", &"100%"), ("height", &height)])?;
        page.open(
            "svg",
            &[
                ("y", &(y + 2)),
                ("width", &"100%"),
                ("height", &(height - 4)),
                ("viewBox", &format_args!("0 0 {} {}", peaks.len(), 2 * HALF)),
                ("preserveAspectRatio", &"none"),
            ],
        )?;
        let loudest = self.peaks.channels.iter().flatten().copied().max().unwrap_or(0).max(LOUD);
        let paint = CHANNELS.get(number).copied().unwrap_or(0);
        page.void("path", &[("class", &format_args!("sound s{paint}")), ("d", &outline(peaks, loudest))])?;
        page.close()
    }

    fn gap(&self, gap: &Gap<'_>, top: u64, page: &mut Page<'_>) -> io::Result<()> {
        let (start, end) = (self.x(gap.ms.start), self.x(gap.ms.end));
        if start >= end {
            return Ok(());
        }
        page.open("g", &[("class", &"gap")])?;
        page.plain("title", format_args!("Redacted, {}: {}", between(&gap.ms), gap.reason))?;
        for number in 0..self.peaks.channels.len() as u64 {
            let (y, height) = self.panel(top, number);
            page.void(
                "rect",
                &[
                    ("x", &percent(start)),
                    // A moment is still seen.
                    ("width", &percent((end - start).max(0.004))),
                    ("y", &y),
                    ("height", &height),
                    ("fill", &format_args!("url(#hatch{})", self.number)),
                ],
            )?;
            if end - start >= WORD {
                let middle = (start + end) / 2.0;
                page.element("text", &[("x", &percent(middle)), ("y", &(y + height / 2 + 4))], "Redacted")?;
            }
        }
        page.close()
    }

    fn turn(&self, turn: &Speaking, page: &mut Page<'_>) -> io::Result<()> {
        let (start, end) = (self.x(turn.ms.start), self.x(turn.ms.end));
        if start >= end {
            return Ok(());
        }
        let paint = SPEAKERS.get(turn.speaker).copied().unwrap_or(6);
        page.open_link(&turn.anchor)?;
        page.plain("title", &turn.told)?;
        page.void(
            "rect",
            &[
                ("class", &format_args!("turn s{paint}")),
                ("x", &percent(start)),
                ("width", &percent(end - start)),
                ("y", &(turn.speaker as u64 * LANE)),
                ("height", &(LANE - 1)),
            ],
        )?;
        page.close()
    }

    /// Where the recording was cut.
    fn edges(&self, top: u64, base: u64, page: &mut Page<'_>) -> io::Result<()> {
        for (is_cut, x) in [(self.ms.start > 0, 0.0), (self.goes_on, 1.0)] {
            if is_cut {
                let x = percent(x);
                page.void("line", &[("class", &"edge"), ("x1", &x), ("x2", &x), ("y1", &top), ("y2", &base)])?;
            }
        }
        Ok(())
    }

    fn axis(&self, base: u64, page: &mut Page<'_>) -> io::Result<()> {
        page.void("line", &[("class", &"base"), ("x2", &"100%"), ("y1", &base), ("y2", &base)])?;
        for at in marks(self.ms) {
            let x = self.x(at);
            page.void(
                "line",
                &[("class", &"base"), ("x1", &percent(x)), ("x2", &percent(x)), ("y1", &base), ("y2", &(base + 4))],
            )?;
            let class = if x < 0.04 {
                "mark first"
            } else if x > 0.96 {
                "mark last"
            } else {
                "mark"
            };
            page.element("text", &[("class", &class), ("x", &percent(x)), ("y", &(base + 17))], place(at))?;
        }
        Ok(())
    }

    /// How far from the left, of 1, a place is; one outside is at the edge.
    fn x(&self, ms: u64) -> f64 {
        let (start, end) = (self.ms.start, self.ms.end.max(self.ms.start + 1));
        (ms.clamp(start, end) - start) as f64 / (end - start) as f64
    }
}

fn percent(x: f64) -> String {
    format!("{:.3}%", x * 100.0)
}

/// The line around a channel, to the right above the middle and back below it.
fn outline(peaks: &[u8], loudest: u8) -> String {
    // A line where it is silent.
    let height = |peak: &u8| (u64::from(*peak) * (HALF - 2) / u64::from(loudest.max(1))).clamp(1, HALF);
    let mut path = format!("M0 {HALF}");
    // Writing to a string does not fail.
    for (at, peak) in peaks.iter().enumerate() {
        let _ = write!(path, "V{}H{}", HALF - height(peak), at + 1);
    }
    for (at, peak) in peaks.iter().enumerate().rev() {
        let _ = write!(path, "V{}H{at}", HALF + height(peak));
    }
    path.push('Z');
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outline_goes_round_every_bucket_and_is_a_line_where_it_is_silent() {
        assert_eq!(outline(&[0, 64, 128], 128), "M0 100V99H1V51H2V2H3V198H2V149H1V101H0Z");
        assert_eq!(outline(&[], 0), "M0 100Z");
        // Nothing is drawn beyond the edge.
        assert_eq!(outline(&[255], 128), "M0 100V0H1V200H0Z");
    }
}
