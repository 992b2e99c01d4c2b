//! The crate `age` at the same work: seals and opens so many bytes for one X25519 recipient, and prints the seconds.

use std::io::{Read, Write};
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let len: usize = std::env::args().nth(1).ok_or("give a length")?.parse()?;
    let plain: Vec<u8> = (0..len as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
    let identity = age::x25519::Identity::generate();
    let recipient = identity.to_public();
    let start = Instant::now();
    let encryptor = age::Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient))?;
    let mut sealed = Vec::with_capacity(len + len / 1000 + 1000);
    let mut writer = encryptor.wrap_output(&mut sealed)?;
    writer.write_all(&plain)?;
    writer.finish()?;
    let sealing = start.elapsed();
    let start = Instant::now();
    let mut opened = Vec::with_capacity(len);
    let identity: &dyn age::Identity = &identity;
    age::Decryptor::new(&sealed[..])?.decrypt(std::iter::once(identity))?.read_to_end(&mut opened)?;
    assert!(opened == plain);
    println!("{} {}", sealing.as_secs_f64(), start.elapsed().as_secs_f64());
    Ok(())
}
