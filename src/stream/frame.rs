use crate::encoding::padded_len;
use crate::secret::Plain;

/// `u32(length) || content || zeros`, `padded(4 + length)` bytes: how what has nobody else to tell its length is sealed.
pub(crate) fn frame(content: &[u8]) -> Plain {
    let padded = padded_len(4 + content.len() as u64) as usize;
    let mut plain = Plain::from(Vec::with_capacity(padded));
    // A head or a message, which limits keep far below 4 GiB.
    plain.extend_from_slice(&(content.len() as u32).to_be_bytes());
    plain.extend_from_slice(content);
    plain.resize(padded, 0);
    plain
}

/// The content of a frame; nothing if a byte of it is not as [`frame`] makes it.
pub(crate) fn unframe(plain: &[u8]) -> Option<&[u8]> {
    let (len, rest) = plain.split_first_chunk::<4>()?;
    let (content, padding) = rest.split_at_checked(u32::from_be_bytes(*len) as usize)?;
    let whole = padding.iter().all(|b| *b == 0) && plain.len() as u64 == padded_len(4 + content.len() as u64);
    whole.then_some(content)
}
