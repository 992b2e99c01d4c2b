//! C2SP tlog-tiles: names and contents of the files that a log is published as.

use super::leaf::Leaf;

/// Hashes in a full tile, entries in a full bundle.
pub const TILE: u64 = 256;

/// The name of a tile of `width` hashes of nodes `(8 level, ..)`.
pub fn tile_path(level: u8, index: u64, width: u64) -> String {
    format!("tile/{level}/{}", number(index, width))
}

/// The name of a bundle of `width` entries.
pub fn entries_path(index: u64, width: u64) -> String {
    format!("tile/entries/{}", number(index, width))
}

/// Groups of three digits, all but the last with an `x`, and how many there are if fewer than 256.
fn number(index: u64, width: u64) -> String {
    let mut text = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        text = format!("x{:03}/{text}", rest % 1000);
        rest /= 1000;
    }
    if width < TILE { format!("{text}.p/{width}") } else { text }
}

/// A bundle: each entry behind its length in 16 bits.
pub fn bundle<'a>(leaves: impl IntoIterator<Item = &'a Leaf>) -> Vec<u8> {
    let entry = |leaf: &Leaf| [&128u16.to_be_bytes()[..], &leaf.to_bytes()].concat();
    leaves.into_iter().flat_map(entry).collect()
}
