use std::fmt::Display;
use std::io::Write;
use std::ops::ControlFlow;

use sha2::{Digest, Sha256};

use super::content;
use super::minimise::{Minimiser, Pseudonyms};
use super::pack::{Packed, Source, pack};
use super::paper::{self, Authorised, Held, HeldRecord, Step};
use super::plan::{Choice, TransferPlan};
use super::wish::{Transfer, Wish};
use crate::age;
use crate::agree::{Permit, Standing, refused};
use crate::agreement::{Agreement, Field};
use crate::bagit::Verify;
use crate::bundle::{BUNDLE_TEXT, Counted, PackageProgress, PackageStage, Watch, proceed};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{TransferId, hex};
use crate::key::PublicKey;
use crate::ledger::{Begun, Kind, Receipt, RecordSet, Told, check_text, clip};
use crate::package::{AGREEMENT, MANIFEST, Manifest, ROTATION};
use crate::restrict::Restrictions;
use crate::retrieve::TenantSession;
use crate::store::Act;
use crate::time::Timestamp;

/// What was sent.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SentPackage {
    /// The transfer's id, for [`TenantSession::transfer_again`] and what comes of it.
    pub id: TransferId,
    /// The entry that authorised it.
    pub authorised: Receipt,
    /// The entry that tells that all of it was given out.
    pub completed: Receipt,
    /// What went, and what did not.
    pub plan: TransferPlan,
    /// Bytes of the package before it was sealed.
    pub bytes: u64,
}

impl TenantSession {
    /// Says what a transfer would send and what it would leave out, and why. Nothing leaves, and nothing is written but
    /// that this session read the records.
    ///
    /// # Errors
    /// [`Refused`](ErrorKind::Refused) if the agreement does not allow it, with every reason;
    /// [`Unsupported`](ErrorKind::Unsupported) if pseudonyms are asked for and the tenant's key is held where it gives
    /// none; [`TooLarge`](ErrorKind::TooLarge) above 30,000 records or files; as [`read`](Self::read).
    pub fn plan_transfer(&self, transfer: &Transfer) -> Result<TransferPlan> {
        let doing = "planning a transfer";
        check_text(&transfer.purpose, "planning a transfer without a purpose that a ledger can name")?;
        let permit = self.permit_for(transfer)?.map_err(|why| refused(doing, &why))?;
        self.choice(&permit, transfer, Timestamp::now())?.plan(self, transfer)
    }

    /// Sends records to the third party of an agreement, as an age file that only it opens.
    ///
    /// All that goes is read and hashed first. Then the ledger says, durably, what is sent to whom under which agreement,
    /// with the digest of all of it; then the package is written to `out`, with the proof of that entry inside. Before
    /// every record it is asked again whether the agreement still stands and nobody in the record asked to be left out.
    /// Whatever ends it, the ledger says how: completed, failed, refused; if this process dies or cannot say it, that nobody knows.
    ///
    /// `watch` is told of every piece and may end it. Memory: a few MiB for each core that hashes, which are eight at the
    /// most, and some 600 bytes for each file. `out` is flushed, not synced.
    ///
    /// # Errors
    /// [`Refused`](ErrorKind::Refused) if the agreement does not allow it or does so no more, or nothing is left to be
    /// sent, with the reason, which is in the ledger as well; [`Cancelled`](ErrorKind::Cancelled) if `watch` ended it;
    /// as `out`; else as [`plan_transfer`](Self::plan_transfer). What was written to `out` until then is no package:
    /// no program takes it for a whole one.
    pub fn transfer(
        &self,
        transfer: &Transfer,
        out: impl Write,
        mut watch: impl FnMut(PackageProgress) -> ControlFlow<()>,
    ) -> Result<SentPackage> {
        self.conclude_left();
        self.send(transfer, None, out, &mut watch)
    }

    /// Sends again what a transfer was to send that failed or whose outcome nobody knows: the same records, parts and
    /// fields, as far as they may go now, under the newest revision of the same agreement, and no more where that allows
    /// more. The ledger has an entry of its own for it, which names the one before: nobody gets a second copy in silence.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if there was no such transfer; [`AlreadyExists`](ErrorKind::AlreadyExists) if it
    /// or one that repeats it was completed, goes on, or was received by the recipient's receipt; else as
    /// [`transfer`](Self::transfer).
    pub fn transfer_again(
        &self,
        id: TransferId,
        out: impl Write,
        mut watch: impl FnMut(PackageProgress) -> ControlFlow<()>,
    ) -> Result<SentPackage> {
        self.conclude_left();
        let (sent, held) = self.unfinished(id)?;
        let records = held.records.iter().map(|held| held.record);
        let mut transfer = Transfer::of(sent.agreement, sent.purpose, records);
        // What was not named was all that was agreed then, which more may have been added to.
        let missing = || Error::new(ErrorKind::NotFound, "looking an agreement up");
        let mut agreed = self.agreed()?.into_iter();
        let of = |standing: &Standing| Some(standing.agreement.hash()) == sent.agreement_hash;
        let revisions = agreed.find(|revisions| revisions.iter().any(of)).ok_or_else(missing)?;
        let (then, now) = (revisions.iter().find(|then| of(then)), revisions.last());
        let (then, now) = then.zip(now).ok_or_else(missing)?;
        let (then, now) = (then.agreement.terms(), now.agreement.terms());
        let kinds = held.wish.kinds(then).into_iter().filter(|kind| now.kinds.contains(kind)).collect();
        let fields = held.wish.fields(then).intersection(&now.fields).copied().collect();
        transfer.wish = Wish { kinds: Some(kinds), fields: Some(fields), ..held.wish };
        self.send(&transfer, Some(id), out, &mut watch)
    }

    fn send(
        &self,
        transfer: &Transfer,
        again: Option<TransferId>,
        out: impl Write,
        watch: Watch<'_>,
    ) -> Result<SentPackage> {
        check_text(&transfer.purpose, "starting a transfer without a purpose that a ledger can name")?;
        let mut permit = match self.permit_for(transfer)? {
            Ok(permit) => permit,
            Err(why) => return Err(self.refuse(transfer, None, &why)),
        };
        let created = Timestamp::now();
        let recipient = Some(permit.agreement.recipient().name().to_owned());
        let choice = self.choice(&permit, transfer, created)?;
        let mut packed = pack(self, choice.plan(self, transfer)?, choice, watch)?;
        // What took hours to hash must still be allowed.
        if let Err(e) = permit.check(self, &transfer.purpose) {
            return Err(if e.kind() == ErrorKind::Refused { self.refuse(transfer, recipient, &why(&e)) } else { e });
        }
        if packed.plan.records.is_empty() {
            return Err(self.refuse(transfer, recipient, "nothing is left to be sent"));
        }
        let (id, agreement) = (TransferId::generate()?, permit.agreement.clone());
        let manifest = manifest(id, &agreement, transfer, created, &packed);
        let mut sending = Sending::authorise(self, id, &agreement, &packed, again, &manifest)?;
        let authorised = sending.authorised.clone();
        let released = release(self, &authorised, &mut packed, &mut permit, &manifest, out, watch);
        match released {
            Ok(bytes) => {
                // It has not failed, whether or not the ledger can say now that it has not.
                sending.begun.given_out = true;
                let step = Step::Completed { at: Timestamp::now() };
                let completed = sending.conclude(Kind::TransferCompleted, &step, ("bytes", bytes))?;
                Ok(SentPackage { id, authorised, completed, plan: packed.plan, bytes })
            }
            Err(error) => {
                sending.fail(clip(&failure(&error)));
                Err(error)
            }
        }
    }

    fn permit_for(&self, transfer: &Transfer) -> Result<Result<Permit, String>> {
        let Transfer { agreement, purpose, records: _, wish } = transfer;
        let fields: Option<Vec<Field>> = wish.fields.as_ref().map(|fields| fields.iter().copied().collect());
        match self.permit(agreement, purpose, wish.kinds.as_deref(), fields.as_deref())? {
            Ok(permit) => Ok(match self.disbelieved(&permit.agreement) {
                Some(why) => Err(why.to_owned()),
                None => Ok(permit),
            }),
            Err(why) => Ok(Err(why)),
        }
    }

    /// Why the recipient would not believe the entry about what is sent under an agreement, if it would not.
    fn disbelieved(&self, agreement: &Agreement) -> Option<&'static str> {
        let believed = [agreement.tenant_key(), agreement.operator()].contains(&self.signs_as());
        (!believed).then_some("the agreement is of a former card, whose key no longer signs: revise it")
    }

    fn choice<'a>(&self, permit: &Permit, transfer: &'a Transfer, created: Timestamp) -> Result<Choice<'a>> {
        let terms = permit.agreement.terms();
        let Transfer { purpose, wish, .. } = transfer;
        let (kinds, fields) = (wish.kinds(terms), wish.fields(terms));
        let pseudonyms = Pseudonyms::of(self.opener(), permit.agreement.recipient().recipient(), purpose);
        let minimiser = Minimiser::new(fields, wish.subjects, pseudonyms, created)?;
        let mut restrictions = Restrictions::default();
        restrictions.learn(self)?;
        let agreement = permit.agreement.clone();
        Ok(Choice { agreement, purpose, wish, kinds, minimiser, restrictions })
    }

    /// Writes that something was not sent, and gives the error that says so.
    fn refuse(&self, transfer: &Transfer, recipient: Option<String>, why: &str) -> Error {
        let (at, purpose) = (Timestamp::now(), transfer.purpose.clone());
        let step = Step::Refused { at, agreement: transfer.agreement, recipient, purpose, reason: why.to_owned() };
        let said = (|| {
            let mut tell = self.tell(Kind::TransferRefused).detail("agreement-id", hex(&transfer.agreement));
            tell.purpose = Some(transfer.purpose.clone());
            let id = TransferId::generate()?;
            let tell = tell.detail("transfer", id).detail("reason", clip(why));
            self.say(tell.paper(paper::TOPIC, Some(*id.as_bytes()), paper::encode(&step)?))
        })();
        match said {
            Ok(_) => refused("sending records to a third party", why),
            // Nothing left, but the ledger does not say so: the disk's fault comes first.
            Err(e) => e,
        }
    }
}

/// What went wrong, in words that hold nothing of a record.
fn failure(error: &Error) -> String {
    match error.kind() {
        ErrorKind::Refused => why(error),
        _ => error.to_string(),
    }
}

/// Why it was refused, without what was being done.
fn why(error: &Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

fn manifest(
    id: TransferId,
    agreement: &Agreement,
    transfer: &Transfer,
    created: Timestamp,
    packed: &Packed<'_>,
) -> Manifest {
    let Packed { plan, archive, choice, .. } = packed;
    let (keep_until, terms) = (agreement.keep_until(created), agreement.terms());
    Manifest {
        transfer: id,
        vault: agreement.vault(),
        tenant: agreement.tenant(),
        agreement: agreement.hash(),
        purpose: transfer.purpose.clone(),
        recipient: agreement.recipient().recipient().to_string(),
        created,
        expires: keep_until.min(terms.valid_until),
        keep_until,
        receipt_by: agreement.receipt_by(created),
        kinds: choice.kinds.iter().map(ToString::to_string).collect(),
        fields: choice.minimiser.fields.iter().map(ToString::to_string).collect(),
        subjects: choice.wish.subjects.as_str().to_owned(),
        records: plan.records.len() as u64,
        files: archive.files() as u64,
        bytes: archive.octets(),
        payload: archive.manifest_sha256(),
    }
}

/// A transfer that the ledger has authorised and that has no outcome yet. Dropped before all of it was given out, it has failed.
struct Sending<'s> {
    session: &'s TenantSession,
    id: TransferId,
    purpose: String,
    authorised: Receipt,
    begun: Begun,
}

impl<'s> Sending<'s> {
    /// Writes that it is about to be sent, and what. From here on the ledger waits for an outcome.
    fn authorise(
        session: &'s TenantSession,
        id: TransferId,
        agreement: &Agreement,
        packed: &Packed<'_>,
        again: Option<TransferId>,
        manifest: &Manifest,
    ) -> Result<Self> {
        let payload = Sha256::digest(manifest.to_bytes()).into();
        let Packed { plan, choice, .. } = packed;
        let authorised = Authorised {
            at: manifest.created,
            agreement: agreement.id(),
            hash: agreement.hash(),
            recipient: agreement.recipient().name().to_owned(),
            key: manifest.recipient.clone(),
            purpose: manifest.purpose.clone(),
            records: manifest.records,
            files: manifest.files,
            bytes: manifest.bytes,
            left_out: plan.left_out(),
            restricted: plan.restricted(),
            payload,
            receipt_by: manifest.receipt_by,
            keep_until: manifest.keep_until,
            again: again.map(|id| *id.as_bytes()),
        };
        let held = |planned: &super::plan::PlannedRecord| HeldRecord {
            record: planned.record,
            name: planned.name,
            parts: planned.parts.iter().filter_map(|part| u16::try_from(*part).ok()).collect(),
        };
        let held = Held { wish: choice.wish.clone(), records: plan.records.iter().map(held).collect() };
        let mut tell = session.tell(Kind::TransferAuthorised).detail("agreement", hex(&manifest.agreement));
        tell = tell.detail("agreement-id", hex(&agreement.id())).detail("transfer", id);
        tell =
            tell.detail("recipient", agreement.recipient().name()).detail("recipient-key", agreement.recipient().key());
        tell = tell.detail("left-out", plan.left_out()).detail("restricted", plan.restricted());
        tell = match again {
            Some(again) => tell.detail("again", again),
            None => tell,
        };
        tell.purpose = Some(manifest.purpose.clone());
        tell.payload = Some(payload);
        // By the recipient's names: the entry goes with the package, and the digest of our own ids would tell two recipients
        // that they have the same record.
        tell.records = Told::Set(RecordSet::of_ids(plan.records.iter().map(|planned| planned.name)));
        let about = Some(*id.as_bytes());
        let tell = tell.paper(paper::TOPIC, about, paper::encode(&Step::Authorised(Box::new(authorised)))?);
        let tell = tell.paper(paper::RECORDS, about, paper::encode(&held)?);
        // A crash from here on leaves an act without an outcome, which the next process concludes.
        let recorded = session.record(tell, Act::Begin("transfer"))?;
        let (authorised, begun) = (Receipt::clone(&recorded.receipt), session.begun(recorded));
        Ok(Self { session, id, purpose: manifest.purpose.clone(), authorised, begun })
    }

    /// Writes how it ended, and `more` of that by name.
    fn conclude(&mut self, kind: Kind, step: &Step, more: (&str, impl Display)) -> Result<Receipt> {
        let over = || Error::new(ErrorKind::Io, "concluding a transfer that is over");
        let end = self.begun.end().ok_or_else(over)?;
        let mut tell = self.session.tell(kind).detail("transfer", self.id).detail(more.0, more.1);
        tell.purpose = Some(self.purpose.clone());
        tell.refers = self.begun.entry();
        let tell = tell.paper(paper::TOPIC, Some(*self.id.as_bytes()), paper::encode(step)?);
        let concluded = self.session.record(tell, end);
        self.begun.ended(&concluded);
        concluded.map(|concluded| Receipt::clone(&concluded.receipt))
    }

    /// Writes that it ended before its end. If that cannot be said, it is said later that nobody knows.
    fn fail(&mut self, reason: String) {
        let step = Step::Failed { at: Timestamp::now(), reason: reason.clone() };
        let _ = self.conclude(Kind::TransferFailed, &step, ("reason", reason));
    }
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        if self.begun.entry().is_some() && !self.begun.given_out {
            self.fail("it was given up".to_owned());
        }
    }
}

/// Gives out what the ledger said would go. The proof of that is taken, and goes with it.
fn release(
    session: &TenantSession,
    receipt: &Receipt,
    packed: &mut Packed<'_>,
    permit: &mut Permit,
    manifest: &Manifest,
    out: impl Write,
    watch: Watch<'_>,
) -> Result<u64> {
    let agreement = permit.agreement.clone();
    let Packed { plan, archive, sources, sorted, choice } = packed;
    // Whoever keeps the tenant's key may have signed something else.
    receipt.verify(&receipt.log())?;
    archive.tag_file(AGREEMENT, agreement.to_string())?;
    archive.tag_file(MANIFEST, manifest.to_bytes())?;
    let mut custody = receipt.evidence()?;
    custody.extend(rotations(session, agreement.log(), receipt.log())?);
    for (name, bytes) in custody {
        archive.tag_file(&format!("custody/{name}"), bytes)?;
    }
    let top = format!("transfer-{}", manifest.transfer);
    let sealed = age::Writer::new(out, std::slice::from_ref(agreement.recipient().recipient()))?;
    let mut writer = archive.write(&top, manifest.created, sealed)?;
    let (mut done, of) = (0, plan.bytes);
    while let Some(file) = writer.next_file() {
        let missing = || Error::new(ErrorKind::Io, "looking up where a package's file comes from");
        let source = sources.get(file.added).ok_or_else(missing)?;
        let at = match source {
            Source::Bundle => {
                writer.put(&mut &BUNDLE_TEXT[..], Verify::Length)?;
                continue;
            }
            Source::Part(at, _) | Source::Vcon(at) => *at,
        };
        let (planned, sorted) = (plan.records.get(at).ok_or_else(missing)?, sorted.get(at).ok_or_else(missing)?);
        permit.check(session, &manifest.purpose)?;
        choice.restrictions.learn(session)?;
        let record = session.read(planned.record)?;
        if let Some(why) = choice.forbids(record.head()) {
            return Err(refused("going on with a transfer", &why.to_string()));
        }
        match source {
            Source::Part(_, part) => {
                let medium = sorted.media.iter().find(|medium| medium.part == *part).ok_or_else(missing)?;
                medium.read(&record, |content| {
                    let tell = |bytes| {
                        done += bytes;
                        proceed(&mut *watch, PackageStage::Sending, done, of)
                    };
                    // What a vault opens is what was sealed: its length is all that can differ.
                    writer.put(&mut Counted { content, tell }, Verify::Length)
                })?;
            }
            _ => {
                let document = content::document(&record, planned, sorted, &choice.minimiser)?;
                // Made again: it must be what the ledger has the digest of.
                writer.put(&mut &document[..], Verify::Sha256)?;
                done += sorted.inline_bytes(&record);
                proceed(&mut *watch, PackageStage::Sending, done, of)?;
            }
        }
    }
    let bytes = writer.archive_len();
    writer.finish()?.finish()?;
    Ok(bytes)
}

/// Proofs that the log which the agreement names was followed by others, up to the one that has the entry.
fn rotations(session: &TenantSession, from: PublicKey, to: PublicKey) -> Result<Vec<(String, Vec<u8>)>> {
    let logs = session.logs()?;
    let (mut key, mut next) = (from, logs.iter().position(|log| log.key() == from).map_or(0, |at| at + 1));
    let mut files = Vec::new();
    for step in 1.. {
        if key == to {
            break;
        }
        // Where an old copy of it was put back, the log has no closing entry: the one that goes on says so first.
        let mut restored = None;
        for (at, log) in logs.iter().enumerate().skip(next) {
            if log.succession(&key)?.is_some() {
                restored = Some(at);
            }
        }
        let before = next.checked_sub(1).and_then(|at| logs.get(at));
        let (at, receipt) = match (restored, before) {
            (Some(at), _) => (at, logs[at].receipt(0)?),
            (None, Some(log)) if next < logs.len() => (next, log.receipt(log.size().saturating_sub(1))?),
            (None, _) => break,
        };
        files.extend(receipt.files()?.into_iter().filter_map(|(name, bytes)| {
            let (_, ending) = name.split_once('.')?;
            Some((format!("{ROTATION}{step:04}.{ending}"), bytes))
        }));
        (key, next) = (logs[at].key(), at + 1);
    }
    Ok(files)
}
