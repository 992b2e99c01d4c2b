use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crate::error::Result;
use crate::retrieve::PartReader;
use crate::secret::Plain;
use crate::stream::read_full;

/// Bytes that are read at once.
pub(super) const BLOCK: usize = 256 * 1024;
/// Blocks that wait to be taken. With the one that is read and the one that is taken, memory stays at 1 MiB.
const WAITING: usize = 2;

/// Hands a part to `take` while another thread reads what comes next of it.
pub(super) fn read_ahead(mut part: PartReader, take: impl FnOnce(&mut dyn Read) -> Result<()>) -> Result<()> {
    if part.len() <= 2 * BLOCK as u64 {
        return take(&mut part);
    }
    let (give, blocks) = sync_channel(WAITING);
    let (give_back, empty) = sync_channel::<Plain>(WAITING + 2);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            loop {
                let mut block = empty.try_recv().unwrap_or_default();
                block.resize(BLOCK, 0);
                let read = read_full(&mut part, &mut block).map(|len| {
                    block.truncate(len);
                    block
                });
                // The last is empty: that it comes says that the end is proven.
                let last = read.as_ref().map_or(true, |block| block.is_empty());
                // Whoever gave up takes no more.
                if give.send(read).is_err() || last {
                    return;
                }
            }
        });
        take(&mut Ahead { blocks, give_back, block: Plain::default(), taken: 0, ended: false })
    })
}

struct Ahead {
    blocks: Receiver<io::Result<Plain>>,
    give_back: SyncSender<Plain>,
    block: Plain,
    taken: usize,
    ended: bool,
}

impl Read for Ahead {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.block.len() && !self.ended {
            let next = self.blocks.recv().map_err(|_| io::Error::from(io::ErrorKind::UnexpectedEof))?;
            // It may be gone already.
            let _ = self.give_back.try_send(std::mem::replace(&mut self.block, next?));
            self.taken = 0;
            self.ended = self.block.is_empty();
        }
        let left = self.block.get(self.taken..).unwrap_or_default();
        let n = left.len().min(buf.len());
        buf[..n].copy_from_slice(&left[..n]);
        self.taken += n;
        Ok(n)
    }
}
