//! The table of medians.

use std::fmt;

use crate::work::{Work, median};

/// Who did the work.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Versus {
    Us,
    Files,
    Sqlite,
    Sqlite16K,
    SqlCipher,
}

/// What is asked of a workload.
#[derive(Clone, Copy)]
pub enum Target {
    /// So many times the rate of another.
    AtLeast(Versus, f64),
    /// So many a second.
    Rate(f64),
}

/// One workload: the seconds of every round, by who did it.
pub struct Row {
    name: &'static str,
    work: Work,
    targets: &'static [Target],
    seconds: [Vec<f64>; 5],
}

impl Row {
    pub fn new(name: &'static str, work: Work, targets: &'static [Target]) -> Self {
        Self { name, work, targets, seconds: Default::default() }
    }

    pub fn add(&mut self, versus: Versus, seconds: f64) {
        self.seconds[versus as usize].push(seconds);
    }

    fn rate(&self, versus: Versus) -> Option<f64> {
        let seconds = &self.seconds[versus as usize];
        let amount = match self.work {
            Work::Audio { len, count } => (len * count) as f64 / 1e6,
            Work::Texts { count, .. } | Work::Get { count, .. } => count as f64,
        };
        (!seconds.is_empty()).then(|| amount / median(seconds))
    }

    /// The median of the rounds' ratios: what slows one round down slows both.
    fn ratio(&self, versus: Versus) -> Option<f64> {
        let (ours, theirs) = (&self.seconds[Versus::Us as usize], &self.seconds[versus as usize]);
        let ratios: Vec<f64> = ours.iter().zip(theirs).map(|(a, b)| b / a).collect();
        (!ratios.is_empty()).then(|| median(&ratios))
    }

    fn verdict(&self) -> String {
        let verdicts = self.targets.iter().map(|target| {
            let (what, held) = match *target {
                Target::AtLeast(versus, least) => {
                    let name = ["", "files", "SQLite", "SQLite 16K", "SQLCipher"][versus as usize];
                    (format!("{least:.1} x {name}"), self.ratio(versus).map(|r| r >= least))
                }
                Target::Rate(least) => (format!("{least:.0}/s"), self.rate(Versus::Us).map(|r| r >= least)),
            };
            format!("{what} {}", held.map_or("not measured", word))
        });
        verdicts.collect::<Vec<_>>().join("; ")
    }
}

fn word(held: bool) -> &'static str {
    if held { "holds" } else { "MISSED" }
}

/// Everything that was measured.
pub struct Table {
    rows: Vec<Row>,
    singles: Vec<[String; 4]>,
    rounds: usize,
    with_cipher: bool,
}

impl Table {
    pub fn new(rows: Vec<Row>, rounds: usize, with_cipher: bool) -> Self {
        Self { rows, singles: Vec::new(), rounds, with_cipher }
    }

    /// Adds a figure with a target of its own.
    pub fn single(&mut self, name: &str, figure: String, beside: Option<String>, target: &str, held: bool) {
        let target = format!("{target} {}", word(held));
        self.singles.push([name.to_owned(), figure, beside.unwrap_or_default(), target]);
    }

    /// Adds a figure beside a peer's.
    pub fn beside(&mut self, name: &str, figure: String, beside: String) {
        self.singles.push([name.to_owned(), figure, beside, String::new()]);
    }

    /// Adds a figure that nothing is asked of.
    pub fn note(&mut self, name: &str, figure: String) {
        self.singles.push([name.to_owned(), figure, String::new(), String::new()]);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sqlcipher = if self.with_cipher { "" } else { " (SQLCipher was not built)" };
        writeln!(
            f,
            "Medians of {} interleaved rounds; in brackets strongroom's rate in that of the peer{sqlcipher}.\n",
            self.rounds
        )?;
        let heads = ["ingest", "strongroom", "plain files", "SQLite", "SQLite 16K", "SQLCipher", "target"];
        let mut lines: Vec<Vec<String>> = vec![heads.map(String::from).to_vec()];
        for row in &self.rows {
            let unit = if matches!(row.work, Work::Audio { .. }) { "MB/s" } else { "/s" };
            let number = |rate: f64| format!("{rate:.0} {unit}");
            let mut line = vec![row.name.to_owned(), row.rate(Versus::Us).map_or(String::new(), number)];
            for versus in [Versus::Files, Versus::Sqlite, Versus::Sqlite16K, Versus::SqlCipher] {
                let both = row.rate(versus).zip(row.ratio(versus));
                line.push(both.map_or("-".into(), |(rate, ratio)| format!("{} ({ratio:.2})", number(rate))));
            }
            line.push(row.verdict());
            lines.push(line);
        }
        if !self.rows.is_empty() {
            write_aligned(f, &lines)?;
            writeln!(f)?;
        }
        let mut lines = vec![["figure", "strongroom", "beside", "target"].map(String::from).to_vec()];
        lines.extend(self.singles.iter().map(|s| s.to_vec()));
        if !self.singles.is_empty() {
            write_aligned(f, &lines)?;
        }
        Ok(())
    }
}

fn write_aligned(f: &mut fmt::Formatter<'_>, lines: &[Vec<String>]) -> fmt::Result {
    let columns = lines[0].len();
    let width = |c: usize| lines.iter().map(|l| l[c].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for (at, line) in lines.iter().enumerate() {
        let cells: Vec<String> = line.iter().zip(&widths).map(|(cell, w)| format!("{cell:<w$}")).collect();
        writeln!(f, "| {} |", cells.join(" | "))?;
        if at == 0 {
            let rule: Vec<String> = widths.iter().map(|w| "-".repeat(*w)).collect();
            writeln!(f, "| {} |", rule.join(" | "))?;
        }
    }
    Ok(())
}
