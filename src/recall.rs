//! Recall: third parties are asked, with the tenant's signature, to delete what they were sent, and their answers kept.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::agreement::{Agreement, DeletionAcknowledgement, DeletionRequest, DeletionResult, Transferred};
use crate::encoding::codec;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{RecordId, hex};
use crate::key::PublicKey;
use crate::ledger::{Kind, Receipt, RecordSet, Told};
use crate::retrieve::{PaperPlace, TenantSession};
use crate::time::Timestamp;
use crate::tlog::origin_of;
use crate::transfer::{SentTransfer, TransferQuery};

/// The topic of the papers that requests and answers are kept in.
const TOPIC: &str = "deletion";
const VERSION: u16 = 1;
const MAX: u64 = 1 << 20;
/// Transfers and records in one request: a longer list makes several. Of its 256 KiB a transfer takes less than 250 bytes, and
/// a record's name 48.
const MAX_TRANSFERS: usize = 1_000;
const MAX_RECORDS: usize = 4_000;
const MAX_BYTES: usize = 240_000;

/// A request to delete, and what became of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Deletion {
    /// What the recipient is asked for: to be sent to it, again if need be.
    pub request: DeletionRequest,
    /// The recipient's name.
    pub recipient: String,
    /// The ledger that tells of the request, and the number of its entry.
    pub entry: (PublicKey, u64),
    /// Its last answer, if one was recorded.
    pub answer: Option<DeletionAcknowledgement>,
    /// The entries that tell of its answers, the last one's last.
    pub answer_entries: Vec<(PublicKey, u64)>,
}

impl Deletion {
    /// Whether an answer is due at `now` that nobody has recorded.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.answer.is_none() && now >= self.request.due()
    }
}

#[derive(Serialize, Deserialize)]
enum Said {
    Asked { recipient: String, note: String },
    Answered { note: String },
}

impl TenantSession {
    /// Asks every third party that was sent one of these records, or may have been, to delete it: gives the signed requests,
    /// each of which the ledger tells of. To be handed to the recipients. None if nobody was sent any.
    ///
    /// Records are named as each recipient knows them. Whatever a transfer of unknown outcome or one that failed was to
    /// hold counts as sent.
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported) if the tenant's key, or the former one that signed the agreement, does not
    /// sign here: give it to the session [`with_former`](Self::with_former);
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a reason that is empty or longer than 1,024 bytes, or a due time that
    /// has passed; else as the disk. Requests that were told of before are in [`deletions`](Self::deletions).
    pub fn request_deletion(
        &self,
        records: impl IntoIterator<Item = RecordId>,
        due: Timestamp,
        reason: &str,
    ) -> Result<Vec<DeletionRequest>> {
        let wanted: HashSet<RecordId> = records.into_iter().collect();
        let mut holding = self.holding(&wanted)?;
        let sent = self.transfers(&TransferQuery::all())?.into_iter().filter(SentTransfer::may_have_arrived);
        let mut by_agreement: BTreeMap<[u8; 16], Vec<(Transferred, Vec<RecordId>)>> = BTreeMap::new();
        for sent in sent {
            let Some(held) = holding.remove(&sent.id) else { continue };
            let (ids, names): (Vec<_>, Vec<_>) =
                held.into_iter().map(|held| (held.record, held.name.to_string())).unzip();
            let (log, seq) = (origin_of(&sent.entry.0), sent.entry.1);
            let all = by_agreement.entry(sent.agreement).or_default();
            // Names beyond what one request holds go into the next.
            for (ids, names) in ids.chunks(MAX_RECORDS).zip(names.chunks(MAX_RECORDS)) {
                let transferred = Transferred { log: log.clone(), seq, records: names.iter().cloned().collect() };
                all.push((transferred, ids.to_vec()));
            }
        }
        let (now, mut requests) = (Timestamp::now(), Vec::new());
        let agreements = self.agreements()?;
        let missing = || Error::new(ErrorKind::Damaged, "looking up the agreement that something was sent under");
        for (id, transfers) in by_agreement {
            let newest = agreements.iter().find(|standing| standing.agreement.id() == id);
            let agreement = &newest.ok_or_else(missing)?.agreement;
            for (transfers, ids) in portions(transfers) {
                requests.push((self.signed_request(agreement, transfers, now, due, reason)?, ids, agreement));
            }
        }
        // All are signed before one is told of.
        for (request, ids, agreement) in &requests {
            self.tell_request(request, ids, agreement)?;
        }
        Ok(requests.into_iter().map(|(request, ..)| request).collect())
    }

    /// Records what a recipient did about a request.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if it answers no request of this tenant; [`Tampered`](ErrorKind::Tampered) if the
    /// one who was asked did not sign it; [`AlreadyExists`](ErrorKind::AlreadyExists) if it answered that all was deleted,
    /// or has given this answer before; else as the disk.
    pub fn record_deletion(&self, answer: &DeletionAcknowledgement) -> Result<Receipt> {
        let doing = "recording the answer to a deletion request";
        let asked = self.deletions()?.into_iter().find(|deletion| deletion.request.id() == answer.request());
        let asked = asked.ok_or_else(|| Error::new(ErrorKind::NotFound, doing))?;
        answer.verify(&asked.request)?;
        // Who had deleted some of it may have deleted all since.
        let settled = |given: &DeletionAcknowledgement| given.result() == DeletionResult::Deleted || given == answer;
        if asked.answer.as_ref().is_some_and(settled) {
            return Err(Error::new(ErrorKind::AlreadyExists, doing));
        }
        let mut tell = self.tell(Kind::DeletionAnswered).detail("request", hex(&answer.request()));
        tell = tell.detail("recipient", &asked.recipient).detail("result", answer.result());
        tell.payload = Some(answer.hash());
        let paper = encode(&Said::Answered { note: answer.to_string() })?;
        self.say(tell.paper(TOPIC, Some(answer.request()), paper))
    }

    /// Every request to delete, and what was answered: the oldest first.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if one does not open or verify; else as the database.
    pub fn deletions(&self) -> Result<Vec<Deletion>> {
        let bad = || Error::new(ErrorKind::Tampered, "reading a deletion request");
        let (mut all, mut places) = (Vec::<Deletion>::new(), HashMap::new());
        for paper in self.papers(TOPIC, PaperPlace::default())? {
            let id = paper.about.ok_or_else(bad)?;
            let said: Said = codec::decode_versioned(VERSION, &paper.bytes, MAX, "a deletion request")?;
            match said {
                Said::Asked { recipient, note } => {
                    let request: DeletionRequest = note.parse()?;
                    if request.id() != id {
                        return Err(bad());
                    }
                    places.insert(id, all.len());
                    let entry = (paper.log, paper.seq);
                    all.push(Deletion { request, recipient, entry, answer: None, answer_entries: Vec::new() });
                }
                Said::Answered { note } => {
                    let answer: DeletionAcknowledgement = note.parse()?;
                    let asked = places.get(&id).and_then(|at| all.get_mut(*at)).ok_or_else(bad)?;
                    answer.verify(&asked.request)?;
                    asked.answer = Some(answer);
                    asked.answer_entries.push((paper.log, paper.seq));
                }
            }
        }
        Ok(all)
    }

    fn signed_request(
        &self,
        agreement: &Agreement,
        transfers: Vec<Transferred>,
        issued: Timestamp,
        due: Timestamp,
        reason: &str,
    ) -> Result<DeletionRequest> {
        let mut request = DeletionRequest::new(agreement, transfers, issued, due, reason)?;
        let doing = "signing a deletion request with a key that does not sign here";
        let opener = self.opener_signing_as(&agreement.tenant_key());
        request.sign(opener.ok_or_else(|| Error::new(ErrorKind::Unsupported, doing))?)?;
        Ok(request)
    }

    fn tell_request(&self, request: &DeletionRequest, ids: &[RecordId], agreement: &Agreement) -> Result<()> {
        let recipient = agreement.recipient().name().to_owned();
        let mut tell = self.tell(Kind::RecipientsTold).detail("request", hex(&request.id()));
        tell = tell.detail("recipient", &recipient).detail("due", request.due());
        tell.payload = Some(request.hash());
        tell.records = Told::Set(RecordSet::of_ids(ids.iter().copied()));
        let paper = encode(&Said::Asked { recipient, note: request.to_string() })?;
        self.say(tell.paper(TOPIC, Some(request.id()), paper)).map(drop)
    }
}

/// As many transfers and records at once as a request holds, and the records' ids.
fn portions(transfers: Vec<(Transferred, Vec<RecordId>)>) -> Vec<(Vec<Transferred>, Vec<RecordId>)> {
    let mut portions: Vec<(Vec<Transferred>, Vec<RecordId>)> = Vec::new();
    for (transferred, ids) in transfers {
        let fits = |(there, held): &&mut (Vec<Transferred>, Vec<RecordId>)| {
            let twice = there.iter().any(|other| (&other.log, other.seq) == (&transferred.log, transferred.seq));
            let (transfers, records) = (there.len() + 1, held.len() + ids.len());
            let fits = transfers * 250 + records * 48 <= MAX_BYTES;
            !twice && fits && transfers <= MAX_TRANSFERS && records <= MAX_RECORDS
        };
        match portions.last_mut().filter(fits) {
            Some((there, held)) => {
                there.push(transferred);
                held.extend(ids);
            }
            None => portions.push((vec![transferred], ids)),
        }
    }
    portions
}

fn encode(said: &Said) -> Result<Vec<u8>> {
    codec::encode_versioned(VERSION, said, MAX, "a deletion request")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::{Country, ProtectionProfile, RecipientCard, RecipientClass, Terms};
    use crate::id::{TenantId, VaultId};
    use crate::key::{Identity, Suite, TenantCard};
    use crate::record::PartKind;

    #[test]
    fn a_request_that_is_full_in_whatever_way_is_one_that_can_be_written() {
        let [tenant, party] = [(); 2].map(|()| Identity::generate_for(Suite::X25519).unwrap());
        let card = TenantCard::new(VaultId::from_bytes([1; 16]), TenantId::from_bytes([2; 16]), &tenant);
        let (class, country) = (RecipientClass::Affiliate, Country::new("DE").unwrap());
        let recipient = RecipientCard::new("Quality GmbH", class, &party, "x@example.com", country).unwrap();
        let (now, log) = (Timestamp::from_unix_ms(0), tenant.public_key());
        let terms = Terms::new(recipient, ProtectionProfile::weakest(), now, Timestamp::from_unix_ms(1));
        let terms = terms.purpose("training").kind(PartKind::Audio).retention_days(1).receipt_hours(1);
        let agreement = Agreement::new(&card, log, log, terms).unwrap();
        for (transfers, each) in [(1_000, 4), (2_500, 1), (1, MAX_RECORDS), (1_500, 3), (3, 2_000)] {
            let transfers = (0..transfers).map(|seq| {
                let ids: Vec<RecordId> = (0..each).map(|_| RecordId::generate().unwrap()).collect();
                let records = ids.iter().map(ToString::to_string).collect();
                let seq = i64::MAX as u64 - seq;
                (Transferred { log: origin_of(&log), seq, records }, ids)
            });
            let all: Vec<_> = transfers.collect();
            let wanted = all.len() * each;
            let portions = portions(all);
            assert_eq!(portions.iter().map(|(_, ids)| ids.len()).sum::<usize>(), wanted);
            for (transfers, _) in portions {
                // As long as a reason may be.
                DeletionRequest::new(&agreement, transfers, now, now, "\u{10FFFF}".repeat(256)).unwrap();
            }
        }
    }
}
