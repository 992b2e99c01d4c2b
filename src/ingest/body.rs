use std::io::Read;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};

use ring::digest::{Context, SHA256};

use crate::encoding::padded_len;
use crate::error::{Error, ErrorKind, Result};
use crate::record::{Content, Digests, Draft};
use crate::secret::{Plain, Secret};
use crate::store::{MAX_INLINE, ObjectName, ObjectWriter, Objects};
use crate::stream::{CHUNK, Sealer, read_full, sealed_len};

/// Plaintext bytes read at once; a part that ends within them is sealed in one piece.
const BLOCK: usize = 16 * CHUNK;
/// Blocks that may wait for the hash or the disk. With two queues that share the blocks, memory stays near 2 MiB.
const QUEUE: usize = 3;

/// A sealed part.
pub(super) struct Body {
    /// Bytes before padding.
    pub(super) len: u64,
    pub(super) sealed_len: u64,
    /// SHA-256 of the sealed bytes.
    pub(super) digest: [u8; 32],
    /// SHA-256 of the plaintext where it was asked for.
    pub(super) content: Option<[u8; 32]>,
    /// The sealed bytes, unless they are an object.
    pub(super) inline: Option<Vec<u8>>,
}

/// Seals everything that `source` gives, padded, into memory if it is small and into an object if not.
pub(super) fn seal(
    source: &mut (dyn Read + Send + '_),
    key: &Secret,
    context: &[u8],
    mut digests: Digests,
    objects: &dyn Objects,
    name: ObjectName,
) -> Result<Body> {
    let first = first_block(source)?;
    digests.update(&first);
    if first.len() == BLOCK {
        return seal_long(source, first, key, context, digests, objects.create(name)?);
    }
    // Before anything is written: a part that is not what its producer says costs nothing.
    let content = digests.finish()?;
    let (len, mut plain) = (first.len() as u64, Plain::from(first));
    plain.resize(padded_len(len) as usize, 0);
    let mut sealed = Vec::with_capacity(sealed_len(plain.len() as u64) as usize);
    let sealer: Sealer = Sealer::start(key, context, &mut sealed)?;
    sealer.whole(&plain, &mut sealed)?;
    let (sealed_len, digest) = (sealed.len() as u64, digest(&sealed));
    let inline = if sealed_len <= MAX_INLINE {
        Some(sealed)
    } else {
        let mut object = objects.create(name)?;
        object.write(&sealed)?;
        object.finish()?;
        None
    };
    Ok(Body { len, sealed_len, digest, content, inline })
}

/// Three at work on one part: this thread reads and seals, one hashes, one writes.
fn seal_long(
    source: &mut (dyn Read + Send + '_),
    first: Vec<u8>,
    key: &Secret,
    context: &[u8],
    mut digests: Digests,
    object: Box<dyn ObjectWriter>,
) -> Result<Body> {
    std::thread::scope(|scope| {
        let (to_hash, hash) = sync_channel::<Arc<Vec<u8>>>(QUEUE);
        let (to_disk, disk) = sync_channel(QUEUE);
        let hashing = scope.spawn(move || {
            let mut context = Context::new(&SHA256);
            hash.iter().for_each(|block| context.update(&block));
            context.finish()
        });
        let writing = scope.spawn(move || write(object, disk));

        let mut sealed_len = 0;
        let mut give = |sealed: &mut Vec<u8>| {
            sealed_len += sealed.len() as u64;
            let block = Arc::new(std::mem::replace(sealed, Vec::with_capacity(BLOCK + BLOCK / 512)));
            // A receiver that is gone has failed; its thread tells why.
            to_hash.send(Arc::clone(&block)).is_ok() && to_disk.send(Block::Sealed(block)).is_ok()
        };
        let sealing = (|| {
            let mut sealed = Vec::with_capacity(BLOCK + BLOCK / 512);
            let mut sealer: Sealer = Sealer::start(key, context, &mut sealed)?;
            let (mut block, mut len) = (first, 0);
            while !block.is_empty() {
                len += block.len() as u64;
                sealer.update(&block, &mut sealed)?;
                if !give(&mut sealed) {
                    return Ok(None);
                }
                block.resize(BLOCK, 0);
                let got = read_full(source, &mut block).map_err(source_failed)?;
                block.truncate(got);
                digests.update(&block);
            }
            let content = digests.finish()?;
            pad(
                &mut sealer,
                len,
                &mut |sealed| if sealed.len() >= BLOCK && !give(sealed) { Err(stopped()) } else { Ok(()) },
                &mut sealed,
            )?;
            sealer.finish(&mut sealed)?;
            Ok(give(&mut sealed).then_some((len, content)))
        })();
        if matches!(sealing, Ok(Some(_))) {
            let _ = to_disk.send(Block::Complete);
        }
        drop((to_hash, to_disk));
        let digest = hashing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let written = writing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let (len, content) = match (sealing, written) {
            // A disk that failed explains why sealing stopped.
            (Ok(Some(done)), Ok(())) => done,
            (Err(error), Ok(())) => return Err(error),
            (_, Err(error)) => return Err(error),
            (Ok(None), Ok(())) => return Err(stopped()),
        };
        let digest = digest.as_ref().try_into().map_err(|_| stopped())?;
        Ok(Body { len, sealed_len, digest, content, inline: None })
    })
}

/// What a long part's writer is told.
enum Block {
    Sealed(Arc<Vec<u8>>),
    /// The part is whole. Without this last word it is given up.
    Complete,
}

fn write(mut object: Box<dyn ObjectWriter>, blocks: Receiver<Block>) -> Result<()> {
    for block in blocks {
        match block {
            Block::Sealed(bytes) => object.write(&bytes)?,
            Block::Complete => return object.finish(),
        }
    }
    Ok(())
}

/// Seals the zeros that fill a part of `len` bytes up to its padded length.
fn pad(
    sealer: &mut Sealer,
    len: u64,
    full: &mut dyn FnMut(&mut Vec<u8>) -> Result<()>,
    sealed: &mut Vec<u8>,
) -> Result<()> {
    let mut missing = padded_len(len) - len;
    while missing > 0 {
        let zeros = &[0; CHUNK][..missing.min(CHUNK as u64) as usize];
        sealer.update(zeros, sealed)?;
        missing -= zeros.len() as u64;
        full(sealed)?;
    }
    Ok(())
}

/// Reads and hashes a draft without sealing it.
pub(super) fn content_of(mut draft: Draft<'_>) -> Result<[u8; 32]> {
    let mut content = Content::of(&draft)?;
    let mut block = vec![0; BLOCK];
    for part in &mut draft.parts {
        let mut digests = Digests::new(part.producer_digest(), true);
        let mut len = 0;
        loop {
            let got = read_full(part.source(), &mut block).map_err(source_failed)?;
            if got == 0 {
                break;
            }
            digests.update(&block[..got]);
            len += got as u64;
        }
        if let Some(digest) = digests.finish()? {
            content.part(len, &digest);
        }
    }
    Ok(content.finish())
}

pub(super) fn digest(bytes: &[u8]) -> [u8; 32] {
    let mut digest = [0; 32];
    digest.copy_from_slice(ring::digest::digest(&SHA256, bytes).as_ref());
    digest
}

/// Reads up to a block, in memory that grows with what comes.
fn first_block(source: &mut (dyn Read + Send + '_)) -> Result<Vec<u8>> {
    let mut block = Vec::with_capacity(8 * 1024);
    source.take(BLOCK as u64).read_to_end(&mut block).map_err(source_failed)?;
    Ok(block)
}

fn source_failed(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Source, "reading a part from its source").because(error)
}

fn stopped() -> Error {
    Error::new(ErrorKind::Io, "sealing a part whose writer stopped")
}
