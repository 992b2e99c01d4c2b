//! How an entry is made once its place is known.

use std::sync::Arc;

use super::desk::{Line, PAPERS, Paper, Reader, Signer, Tell, Told};
use super::entry::EntryPlace;
use super::message::{MAX_MESSAGE, Message, RecordSet};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{EpochId, TenantId, VaultId, random};
use crate::key::OperatorKey;
use crate::order::{WITHHELD, Withheld};
use crate::period::FirstBlock;
use crate::secret::Secret;
use crate::store::{NewEntry, NewPaper, Position};
use crate::tlog::{Leaf, origin_of};

/// What a message is sealed with.
pub(super) struct Sealing {
    pub(super) epoch: EpochId,
    pub(super) chain: u32,
    pub(super) message_key: Secret,
    pub(super) shred: Secret,
    pub(super) slot: Slot,
}

pub(super) enum Slot {
    At(u64),
    FirstOf(Arc<FirstBlock>),
}

/// Everything of an entry but its place.
pub(super) struct Maker {
    pub(super) vault: VaultId,
    pub(super) tenant: TenantId,
    pub(super) operator: Arc<OperatorKey>,
    pub(super) tell: Tell,
    pub(super) signer: Signer,
    pub(super) sealing: Sealing,
    pub(super) line: Line,
}

impl Maker {
    /// The entry, or nothing if there is nothing to tell.
    pub(super) fn make(self, position: &Position<'_>) -> Result<Option<NewEntry>> {
        let Self { vault, tenant, operator, tell, signer, sealing, line } = self;
        let Tell { kind, actor, basis, purpose, records, payload, refers, mut details, papers, gag } = tell;
        let records = match records {
            Told::Added if position.added.is_empty() => return Ok(None),
            Told::Added => Some(RecordSet::of_headers(position.added.iter().copied())),
            Told::Set(set) => Some(set),
            Told::None => None,
        };
        if let Some(before) = position.predecessor {
            details.insert("predecessor".to_owned(), before.origin.clone());
            details.insert("predecessor-size".to_owned(), before.size.to_string());
            details.insert("predecessor-root".to_owned(), crate::id::hex(&before.root));
        }
        if !papers.is_empty() {
            let topics: Vec<&str> = papers.iter().map(|paper| paper.topic).collect();
            details.insert(PAPERS.to_owned(), topics.join(" "));
        }
        let refers = match refers {
            Some((log, seq)) if log != position.log => {
                // Begun before the log was rotated, or restored: that number here is another entry's.
                details.insert("began-log".to_owned(), origin_of(&log));
                details.insert("began-entry".to_owned(), seq.to_string());
                None
            }
            refers => refers.map(|(_, seq)| seq),
        };
        let mut nonce = [0; 32];
        random(&mut nonce)?;
        let (log, seq, time) = (position.origin.to_owned(), position.seq, position.time);
        let message = Message { log, seq, time, kind, actor, basis, purpose, records, payload, refers, details, nonce };
        let bytes = message.to_bytes();
        if bytes.len() > MAX_MESSAGE {
            return Err(Error::new(ErrorKind::TooLarge, "writing a ledger's entry"));
        }
        let Sealing { epoch, chain, message_key, shred, slot } = sealing;
        let slot = match slot {
            Slot::At(slot) => Some(slot),
            Slot::FirstOf(block) => block.slot(),
        };
        let slot = slot.ok_or_else(|| Error::new(ErrorKind::Io, "drawing a slot for an entry"))?;
        let place = EntryPlace { vault, tenant, epoch, chain, log: position.log, seq };
        // Of an entry that the tenant must not read yet, the gag's key stands for the tenant's.
        let message_key = gag.as_ref().map_or(message_key, |gag| gag.key().message_key(&position.log, seq));
        let operators_key = operator.paper_key(vault, tenant);
        let sealed = place.seal(&message_key, &shred, &bytes)?;
        let seal = |Paper { topic, about, bytes, reader }: Paper| {
            let key = match reader {
                Reader::Tenant => &message_key,
                Reader::Operator => &operators_key,
            };
            let body = place.seal_paper(topic, about, key, &shred, &bytes)?;
            Ok(NewPaper { topic, about, body })
        };
        let mut papers: Vec<NewPaper> = papers.into_iter().map(seal).collect::<Result<_>>()?;
        if let Some(gag) = &gag {
            let withheld = Withheld::new((vault, tenant), (position.log, seq), gag, |body| operator.sign(body));
            papers.push(NewPaper { topic: WITHHELD, about: None, body: withheld.to_bytes() });
        }
        let leaf = Leaf::sign(&bytes, &signer.key, signer.sign).to_bytes();
        // Called once.
        let _ = line.set(bytes);
        Ok(Some(NewEntry { leaf, epoch, chain, slot, message: sealed, papers }))
    }
}
