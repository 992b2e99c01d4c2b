use std::io;

use super::chart::Series;
use super::number::{Grouped, short};
use super::page::Page;
use super::period::{Bar, Span};

/// Heights in pixels. Widths are parts of whatever width there is, so that letters keep their size on every screen.
const PLOT: f64 = 200.0;
/// Above the plot: the totals, and what the smallest counts add.
const TOP: f64 = 36.0;
const BASE: f64 = TOP + PLOT;
const AXIS: f64 = 40.0;
/// A count that is not zero is at least so high.
const LEAST: f64 = 3.0;
/// So many bars have room, be there fewer: one month is no wall.
const PLACES: usize = 8;
/// Of a bar's place.
const GAP: f64 = 0.22;
/// What is laid over the paint, and how it is turned.
const TEXTURES: [(&str, i32); 8] = [
    ("", 0),
    ("M0 0h1.6v6h-1.6z", 45),
    ("M2 2h2v2h-2z", 0),
    ("M0 0h1.6v6h-1.6z", -45),
    ("", 0),
    ("M0 0h1.4v6h-1.4zM1.4 0h4.6v1.4h-4.6z", 45),
    ("M0 0h6v1.6h-6z", 0),
    ("M0 0h1.6v6h-1.6z", 0),
];
/// The widths that labels are chosen for, and a character's.
const WIDE: usize = 620;
const NARROW: usize = 270;
const CHARACTER: usize = 7;

/// The picture of a chart that has at least one bar.
pub(super) struct Plot<'a> {
    pub(super) id: &'static str,
    pub(super) title: &'a str,
    pub(super) described: &'a str,
    pub(super) series: &'a [Series<'a>],
    pub(super) span: Span,
    pub(super) bars: &'a [Bar],
}

impl Plot<'_> {
    pub(super) fn write(&self, page: &mut Page<'_>) -> io::Result<()> {
        let (title, described) = (format!("{}-title", self.id), format!("{}-described", self.id));
        let (step, top) = scale(self.bars.iter().map(Bar::total).max().unwrap_or(0));
        page.open("div", &[("class", &"plot")])?;
        page.open(
            "svg",
            &[
                ("role", &"img"),
                ("aria-labelledby", &title),
                ("aria-describedby", &described),
                ("width", &"100%"),
                ("height", &(BASE + AXIS)),
            ],
        )?;
        page.element("title", &[("id", &title)], self.title)?;
        page.element("desc", &[("id", &described)], self.described)?;
        self.fills(page)?;
        for n in (0..=top / step).map(|n| n * step) {
            let y = BASE - height(n, top);
            page.void("line", &[("class", &"grid"), ("x2", &"100%"), ("y1", &y), ("y2", &y)])?;
            page.element("text", &[("class", &"scale"), ("x", &-8), ("y", &(y + 4.0))], short(n))?;
        }
        let longest = self.bars.iter().map(|bar| short(bar.total()).len()).max().unwrap_or(0);
        for (at, bar) in self.bars.iter().enumerate() {
            self.bar(at, bar, (top, longest), page)?;
        }
        page.void("line", &[("class", &"base"), ("x2", &"100%"), ("y1", &BASE), ("y2", &BASE)])?;
        if self.span.is_within_a_year() {
            self.short_names(page)?;
        }
        self.years(page)?;
        page.close()?;
        page.close()
    }

    /// Each series has its colour and its texture: neighbours differ on grey paper and to every eye.
    fn fills(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.open("defs", &[])?;
        for (paint, (texture, turn)) in self.series.iter().filter_map(|of| Some((of.paint, TEXTURES.get(of.paint)?))) {
            page.open(
                "pattern",
                &[
                    ("id", &format_args!("{}-fill-{paint}", self.id)),
                    ("class", &format_args!("s{paint}")),
                    ("width", &6),
                    ("height", &6),
                    ("patternUnits", &"userSpaceOnUse"),
                    ("patternTransform", &format_args!("rotate({turn})")),
                ],
            )?;
            page.void("rect", &[("class", &"paint"), ("width", &6), ("height", &6)])?;
            page.void("path", &[("class", &"texture"), ("d", texture)])?;
            page.close()?;
        }
        page.close()
    }

    fn bar(&self, at: usize, bar: &Bar, (top, longest): (u128, usize), page: &mut Page<'_>) -> io::Result<()> {
        let place = self.place();
        let (x, width) = (place * (at as f64 + GAP / 2.0), place * (1.0 - GAP));
        let mut y = BASE;
        page.open("g", &[])?;
        let heights = heights(&bar.counts, top);
        let pieces = self.series.iter().zip(bar.counts.iter().zip(heights));
        for (Series { paint, name, .. }, (n, height)) in pieces.filter(|(_, (n, _))| **n > 0) {
            y -= height;
            page.open(
                "rect",
                &[
                    ("class", &"bar"),
                    ("x", &format_args!("{x:.3}%")),
                    ("width", &format_args!("{width:.3}%")),
                    ("y", &format_args!("{y:.1}")),
                    ("height", &format_args!("{height:.1}")),
                    ("fill", &fill(self.id, *paint)),
                ],
            )?;
            page.plain("title", format_args!("{}: {name} {}", bar.name(), Grouped(*n)))?;
            page.close()?;
        }
        if bar.total() > 0 && step_for(self.bars.len(), longest + 1, WIDE) == 1 {
            let class = if step_for(self.bars.len(), longest + 1, NARROW) == 1 { "total" } else { "total wide" };
            let y = format!("{:.1}", y - 6.0);
            page.element("text", &[("class", &class), ("x", &self.middle(at)), ("y", &y)], short(bar.total()))?;
        }
        page.close()
    }

    fn short_names(&self, page: &mut Page<'_>) -> io::Result<()> {
        let (wide, narrow) = (step_for(self.bars.len(), 4, WIDE), step_for(self.bars.len(), 4, NARROW));
        // What a phone shows is among what a wide screen shows.
        let narrow = narrow.next_multiple_of(wide);
        for (at, bar) in self.bars.iter().enumerate().step_by(wide) {
            let class = if at % narrow == 0 { "label" } else { "label wide" };
            let y = BASE + 16.0;
            page.element("text", &[("class", &class), ("x", &self.middle(at)), ("y", &y)], bar.short_name())?;
        }
        Ok(())
    }

    /// Each year where it begins.
    fn years(&self, page: &mut Page<'_>) -> io::Result<()> {
        let begins = |at: &usize| *at == 0 || self.bars[*at].year() != self.bars[at - 1].year();
        let begins: Vec<usize> = (0..self.bars.len()).filter(begins).collect();
        let (wide, narrow) = (step_for(begins.len(), 6, WIDE), step_for(begins.len(), 6, NARROW));
        let narrow = narrow.next_multiple_of(wide);
        for (n, at) in begins.iter().enumerate().step_by(wide) {
            let class = if n % narrow == 0 { "year" } else { "year wide" };
            let y = BASE + if self.span.is_within_a_year() { 34.0 } else { 18.0 };
            page.element("text", &[("class", &class), ("x", &self.middle(*at)), ("y", &y)], self.bars[*at].year())?;
        }
        Ok(())
    }

    fn middle(&self, at: usize) -> String {
        format!("{:.3}%", self.place() * (at as f64 + 0.5))
    }

    /// The part of the width that belongs to a bar, in hundredths.
    fn place(&self) -> f64 {
        100.0 / self.bars.len().max(PLACES) as f64
    }
}

/// How a series is painted, in the picture and in its legend.
pub(super) fn fill(id: &str, paint: usize) -> String {
    format!("url(#{id}-fill-{paint})")
}

/// Every how many of `n` labels there is room for.
fn step_for(n: usize, characters: usize, width: usize) -> usize {
    (n * characters * CHARACTER).div_ceil(width).max(1)
}

fn height(n: u128, top: u128) -> f64 {
    n as f64 / top as f64 * PLOT
}

/// Of a bar's pieces, from the bottom. What a small one is given to be seen is taken from the largest, so that the bar
/// ends where its total is, if it can.
fn heights(counts: &[u128], top: u128) -> Vec<f64> {
    let least = |n: &u128| if *n == 0 { 0.0 } else { height(*n, top).max(LEAST) };
    let mut heights: Vec<f64> = counts.iter().map(least).collect();
    let excess = heights.iter().sum::<f64>() - height(counts.iter().sum(), top);
    if let Some(largest) = heights.iter_mut().max_by(|a, b| a.total_cmp(b)) {
        *largest = (*largest - excess).max(LEAST.min(*largest));
    }
    heights
}

/// The step between the lines of the scale and its top: at most five steps of 1, 2 or 5 times a power of ten.
fn scale(most: u128) -> (u128, u128) {
    let least = most.div_ceil(4).max(1);
    let mut power = 1;
    while power * 10 <= least {
        power *= 10;
    }
    let step = [1, 2, 5].into_iter().map(|n| n * power).find(|step| *step >= least).unwrap_or(power * 10);
    (step, most.div_ceil(step).max(1) * step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_ends_at_its_total_however_small_its_pieces() {
        let of = |counts: &[u128], top| heights(counts, top).iter().sum::<f64>();
        assert!((of(&[1_000_000, 1, 0, 1], 1_000_002) - PLOT).abs() < 1e-6);
        assert_eq!(heights(&[1_000_000, 1, 0, 1], 1_000_002)[1..], [LEAST, 0.0, LEAST]);
        // Too little to give.
        assert_eq!(heights(&[1, 1, 1], 1_000_000), [LEAST; 3]);
        assert_eq!(heights(&[0, 0], 1), [0.0; 2]);
    }

    #[test]
    fn the_scale_has_round_steps_and_reaches_the_highest_bar() {
        for (most, step, top) in [
            (0, 1, 1),
            (1, 1, 1),
            (4, 1, 4),
            (5, 2, 6),
            (62, 20, 80),
            (100, 50, 100),
            (4_812, 2_000, 6_000),
            (u128::from(u64::MAX), 5_000_000_000_000_000_000, 20_000_000_000_000_000_000),
        ] {
            assert_eq!(scale(most), (step, top), "{most}");
        }
    }
}
