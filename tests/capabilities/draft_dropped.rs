#![deny(unused_must_use)]

use strongroom::{Channel, Draft, Ingestor, PartKind, Result};

fn ingests(ingestor: &Ingestor) -> Result<()> {
    let draft = Draft::new(Channel::Voice).part(PartKind::Transcript, "text/plain", &b"Hello."[..]);
    ingestor.ingest(draft)?;
    Ok(())
}

fn main() {}
