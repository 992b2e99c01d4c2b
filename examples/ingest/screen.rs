//! What a person sees: bars on a terminal, plain lines elsewhere.

use std::error::Error;
use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// As `println!`, for readers that may stop listening: `… | head` must not end an ingest.
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write;
        let _ = writeln!(std::io::stdout(), $($text)*);
    }};
}
pub(crate) use say;

/// A bar over `bytes`, or on no terminal a line when it is done.
pub struct Progress {
    bar: ProgressBar,
    what: String,
}

impl Progress {
    pub fn new(what: impl Into<String>, bytes: u64) -> Self {
        let (bar, what) = (ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr()), what.into());
        let style = ProgressStyle::with_template("{msg:24} [{bar:32}] {bytes:>10}/{total_bytes} {bytes_per_sec:>12}");
        if let Ok(style) = style {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(what.clone());
        Self { bar, what }
    }

    pub fn bar(&self) -> &ProgressBar {
        &self.bar
    }

    pub fn done(self) {
        let (bytes, seconds) = (self.bar.position(), self.bar.elapsed().as_secs_f64());
        self.bar.finish_and_clear();
        say!("{:24} {:>10} in {seconds:.2} s", self.what, size(bytes));
    }
}

/// An error and its reasons in one line; the last of ours without one says of which kind it is.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    match (error.source(), error.downcast_ref::<strongroom::Error>()) {
        (Some(reason), _) => format!("{error}: {}", chain(reason)),
        (None, Some(ours)) => format!("{error}: {:?}", ours.kind()),
        (None, None) => error.to_string(),
    }
}

/// Without what a terminal would obey: a file may be called anything.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

pub fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

pub fn heading(text: &str) {
    if std::io::stdout().is_terminal() {
        say!("\n\x1b[1m{text}\x1b[0m");
    } else {
        say!("\n{text}");
    }
}
