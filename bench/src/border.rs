//! What crosses the border: age files against the crate `age`, vCons in and out.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use strongroom::{Identity, Listing, Suite, age, vcon};

use crate::Result;
use crate::room::Room;
use crate::table::Table;
use crate::work::{audio, median};

/// Seals and opens `len` bytes for one X25519 recipient: seconds of each.
fn ours(len: usize) -> Result<(f64, f64)> {
    let (plain, identity) = (audio(len), Identity::generate_for(Suite::X25519)?);
    let start = Instant::now();
    let mut writer = age::Writer::new(Vec::with_capacity(len + len / 1000 + 1000), &[identity.recipient().clone()])?;
    writer.write_all(&plain)?;
    let sealed = writer.finish()?;
    let sealing = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let mut opened = Vec::with_capacity(len);
    age::Reader::new(&sealed[..], &identity)?.read_to_end(&mut opened)?;
    assert!(opened == plain);
    Ok((sealing, start.elapsed().as_secs_f64()))
}

pub fn age_files(rounds: usize, smaller: usize, table: &mut Table) -> Result<()> {
    let len = 100_000_000 / smaller;
    let peer = std::env::current_exe()?.with_file_name("strongroom-bench-age");
    let (mut us, mut them) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        us.push(ours(len)?);
        if peer.exists() {
            let said = Command::new(&peer).arg(len.to_string()).output()?;
            let said = String::from_utf8(said.stdout)?;
            let (seal, open) = said.trim().split_once(' ').ok_or("the crate age said nothing")?;
            them.push((seal.parse()?, open.parse()?));
        }
    }
    type Of = fn(&(f64, f64)) -> f64;
    for (name, of) in [("seal", (|t| t.0) as Of), ("open", |t| t.1)] {
        let rate = |times: &[(f64, f64)]| len as f64 / 1e6 / median(&times.iter().map(of).collect::<Vec<_>>());
        let beside = if them.is_empty() {
            "the crate age was not built".to_owned()
        } else {
            format!("crate age {:.0} MB/s, ratio {:.2}", rate(&them), rate(&us) / rate(&them))
        };
        table.beside(&format!("age file of 100 MB, {name}"), format!("{:.0} MB/s", rate(&us)), beside);
    }
    Ok(())
}

/// A chat of twenty messages.
fn document(n: usize) -> Vec<u8> {
    let message = |at: usize| {
        format!(
            r#"{{"type":"text","start":"2026-03-01T10:{at:02}:00Z","parties":[0,1],"originator":{},"mimetype":"text/plain","body":"message {at} of chat {n}: thank you for calling, my account number is {}"}}"#,
            at % 2,
            n * 7
        )
    };
    let messages: Vec<String> = (0..20).map(message).collect();
    format!(
        r#"{{"vcon":"0.0.1","uuid":"018f0001-7e8a-8000-8000-{n:012x}","created_at":"2026-03-01T10:00:00Z","parties":[{{"tel":"+4930{n:07}","role":"customer"}},{{"name":"Louis","role":"agent"}}],"dialog":[{}],"analysis":[],"attachments":[]}}"#,
        messages.join(",")
    )
    .into_bytes()
}

pub fn vcons(rounds: usize, smaller: usize, dir: &Path, table: &mut Table) -> Result<()> {
    let count = 2000 / smaller;
    let documents: Vec<Vec<u8>> = (0..count).map(document).collect();
    let bytes: usize = documents.iter().map(Vec::len).sum();
    let (mut parsing, mut importing, mut exporting) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let room = Room::new(&dir.join("vault"), 0)?;
        let start = Instant::now();
        for document in &documents {
            drop(vcon::Import::new().import(document)?);
        }
        parsing.push(start.elapsed().as_secs_f64());
        let start = Instant::now();
        for batch in documents.chunks(500) {
            let drafts =
                batch.iter().map(|d| Ok(vcon::Import::new().import(d)?.into_draft())).collect::<Result<Vec<_>>>()?;
            room.ingestor.ingest_batch(drafts)?;
        }
        importing.push(start.elapsed().as_secs_f64());
        let start = Instant::now();
        let page = room.session.list(&Listing::by_commit().limit(count))?;
        let exported = room.session.export(page.items.iter().map(|i| i.id), dir.join("bag"), |_| {})?;
        assert_eq!(exported.records as usize, count);
        exporting.push(start.elapsed().as_secs_f64());
        fs::remove_dir_all(dir)?;
    }
    let size = bytes / count;
    for (name, times) in
        [("parsed and normalised", parsing), ("imported and durable", importing), ("exported as a bag", exporting)]
    {
        table.note(
            &format!("vCons of {size} bytes, 20 messages, {name}"),
            format!("{:.0} /s", count as f64 / median(&times)),
        );
    }
    Ok(())
}
