//! 64 KiB from random places of a long part, against the same of a plain file.

use std::error::Error;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Instant;

use rustix::fs::{Advice, fadvise};
use strongroom::{PartReader, RecordId};

use crate::room::Room;
use crate::work::{Numbers, median};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const RANGE: usize = 64 * 1024;

/// The medians of one read, in seconds.
pub struct Times {
    /// Part and file stay open.
    pub kept: (f64, f64),
    /// Both are opened for each read.
    pub opened: (f64, f64),
    /// Part and file stay open, and the system's page cache holds nothing of them.
    pub cold: (f64, f64),
    /// The record is read and its part opened, against opening the file.
    pub record: f64,
}

/// Reads in turns from part 1 of `id`, whose object is the file at `object`, and from the file at `plain`.
pub fn run(room: &Room, id: RecordId, object: &Path, plain: &Path, count: usize) -> Result<Times> {
    // The last round left neither in the page cache.
    for file in [object, plain] {
        std::io::copy(&mut File::open(file)?, &mut std::io::sink())?;
    }
    let record = room.record(id)?;
    let (part, file) = (record.part(1)?, File::open(plain)?);
    let mut numbers = Numbers::new(5);
    let (mut ours, mut theirs) = (vec![0; RANGE], vec![0; RANGE]);
    let mut times: [Vec<f64>; 7] = Default::default();
    for _ in 0..count {
        let offset = numbers.below(part.len() - RANGE as u64);
        let from_part = |part: PartReader, buf: &mut [u8]| part.read_range(offset, buf);
        times[0].push(timed(|| Ok(part.read_range(offset, &mut ours)?))?);
        times[1].push(timed(|| Ok(file.read_exact_at(&mut theirs, offset)?))?);
        assert!(ours == theirs, "a range came back wrong");
        times[2].push(timed(|| Ok(from_part(record.part(1)?, &mut ours)?))?);
        times[3].push(timed(|| Ok(File::open(plain)?.read_exact_at(&mut theirs, offset)?))?);
        times[4].push(timed(|| Ok(from_part(room.record(id)?.part(1)?, &mut ours)?))?);
        assert!(ours == theirs, "a range came back wrong");
    }
    let object = File::open(object)?;
    for _ in 0..count.div_ceil(4) {
        let offset = numbers.below(part.len() - RANGE as u64);
        for file in [&file, &object] {
            fadvise(file, 0, None, Advice::DontNeed)?;
        }
        times[5].push(timed(|| Ok(part.read_range(offset, &mut ours)?))?);
        times[6].push(timed(|| Ok(file.read_exact_at(&mut theirs, offset)?))?);
        assert!(ours == theirs, "a range came back wrong");
    }
    let [a, b, c, d, e, f, g] = times.map(|t| median(&t));
    Ok(Times { kept: (a, b), opened: (c, d), cold: (f, g), record: e })
}

fn timed(work: impl FnOnce() -> Result<()>) -> Result<f64> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed().as_secs_f64())
}
