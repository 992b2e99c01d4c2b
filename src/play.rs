//! Play: the owner listens to a stretch of a recording without opening the rest.

use std::io::Write;
use std::ops::Range;

use crate::audio::{AudioInfo, Cut, cut, probe};
use crate::error::Result;
use crate::retrieve::Record;

impl Record {
    /// What a recording says of itself, if it is recognised.
    ///
    /// # Errors
    /// As [`part`](Record::part).
    pub fn audio(&self, number: usize) -> Result<Option<AudioInfo>> {
        Ok(probe(&mut self.part(number)?))
    }

    /// Writes the stretch `ms` (milliseconds from the beginning) of a recording as a file that plays, opening only what
    /// it touches: see [`audio::cut`](crate::audio::cut()).
    ///
    /// # Errors
    /// As [`part`](Record::part) and [`audio::cut`](crate::audio::cut()).
    pub fn cut_audio(&self, number: usize, ms: Range<u64>, out: &mut impl Write) -> Result<Cut> {
        cut(&mut self.part(number)?, ms, out)
    }
}
