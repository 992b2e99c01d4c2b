//! Exhibits: the pages inside a production on which a person reads what was produced. One page is the index, and each
//! record has one: who took part, the recording as a picture beside what was said, and the digests of every file.
//!
//! Pure: they write what they are told, the same every time. They link to files beside them and play them; they load
//! nothing from elsewhere and run nothing.

mod span;
mod occasion;
mod file;
mod axis;
mod wave;
mod turns;
mod writing;
mod sound;
mod record;
mod index;
#[cfg(test)]
mod tests;

pub(crate) use file::{Absence, File, Made};
pub(crate) use index::{IndexPage, IndexRow, Left};
pub(crate) use occasion::{Occasion, party};
pub(crate) use record::{BUCKETS, RecordPage};
pub(crate) use sound::{Gap, Sound};
pub(crate) use writing::Writing;

const STYLE: &str = include_str!("exhibit.css");
