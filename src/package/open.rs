use std::fmt;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use ring::digest::{SHA256, digest};

use super::{AGREEMENT, MANIFEST, Manifest, ROTATION};
use crate::age;
use crate::agreement::{Agreement, DeliveryReceipt};
use crate::bagit::{self, Bag};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{TransferId, unhex};
use crate::key::{Identity, PublicKey};
use crate::ledger::{Kind, Message, Receipt, Succession};
use crate::time::Timestamp;
use crate::tlog::InclusionProof;

/// What a recipient knows before a package comes, and how much it takes.
#[derive(Clone, Debug, Default)]
pub struct PackageOptions {
    agreement: Option<[u8; 32]>,
    limit: Option<u64>,
    now: Option<Timestamp>,
}

impl PackageOptions {
    /// A package under whatever agreement this recipient signed, of at most 1 TiB.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only under this agreement, in the recipient's own copy.
    #[must_use]
    pub fn agreement(mut self, agreement: &Agreement) -> Self {
        self.agreement = Some(agreement.hash());
        self
    }

    /// At most so many bytes once it is unpacked.
    #[must_use]
    pub fn limit(mut self, bytes: u64) -> Self {
        self.limit = Some(bytes);
        self
    }

    /// As if it were then.
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Self {
        self.now = Some(now);
        self
    }
}

/// A package that was opened and whose proofs hold: the records are in its folder, as a BagIt bag of vCons.
pub struct Package {
    folder: PathBuf,
    manifest: Manifest,
    agreement: Agreement,
    message: Message,
    receipt: Receipt,
}

impl Package {
    /// Opens a package into a folder that is not there yet. The folder comes to be only when everything holds: the age
    /// file is whole and for this recipient; the bag is what its manifests say; the agreement in it is signed by this
    /// recipient and the tenant; the ledger's entry that authorised it names the agreement and the digest of everything,
    /// is in a tree whose head the log signed that the agreement names, or one that goes on where this one ended, as its last
    /// entry says or, after a restore, its key; and it has not expired. Until then it is in `<folder>.opening`, which must
    /// not be there before; after a crash, that or `<folder>.opening.part` is left and can be removed.
    ///
    /// Memory: bounded, however large it is.
    ///
    /// # Errors
    /// [`WrongKey`](ErrorKind::WrongKey) if it is for somebody else; [`InvalidInput`](ErrorKind::InvalidInput) if it is no
    /// age file; [`Tampered`](ErrorKind::Tampered) if a proof, digest or signature does not hold, or it is cut;
    /// [`Refused`](ErrorKind::Refused) if it has expired or is under another agreement; [`TooLarge`](ErrorKind::TooLarge)
    /// above the limit; [`AlreadyExists`](ErrorKind::AlreadyExists) if one of the folders is there; else as the file
    /// system.
    pub fn open(
        input: impl Read,
        identity: &Identity,
        folder: impl AsRef<Path>,
        options: &PackageOptions,
    ) -> Result<Self> {
        let folder = folder.as_ref();
        if folder.try_exists().map_err(|e| Error::from_io(e, "opening a package"))? {
            return Err(Error::new(ErrorKind::AlreadyExists, "opening a package into a folder that is there"));
        }
        let opening = folder.with_added_extension("opening");
        let mut file = age::Reader::new(input, identity)?;
        let known = bagit::Limits::default();
        let limits = bagit::Limits { bytes: options.limit.unwrap_or(known.bytes), ..known };
        // It leaves nothing if it fails: from here on, the folder is ours.
        bagit::unpack(&mut file, &opening, limits)?;
        let opened = (|| {
            // The archive's end is not the age file's: what is behind it is zeros, and the last chunk says that it is.
            std::io::copy(&mut file, &mut std::io::sink()).map_err(|e| Error::from_io(e, "reading a package's end"))?;
            Self::verify(&opening, identity, options)
        })();
        let package = opened.and_then(|package| {
            // Only what holds gets the name that was asked for.
            fs::rename(&package.folder, folder).map_err(|e| Error::from_io(e, "naming an opened package"))?;
            Ok(Self { folder: folder.to_owned(), ..package })
        });
        let _ = fs::remove_dir_all(&opening);
        package
    }

    /// As [`open`](Self::open), for a bag that some other program decrypted and unpacked: `age`, then `tar`.
    ///
    /// # Errors
    /// As there.
    pub fn verify(folder: impl AsRef<Path>, identity: &Identity, options: &PackageOptions) -> Result<Self> {
        let folder = folder.as_ref();
        let bad = |what: &'static str| Error::new(ErrorKind::Tampered, what);
        let report = Bag::open(folder)?.verify()?;
        if !report.is_valid() {
            return Err(bad("comparing a package with its manifests").because(faults(&report)));
        }
        let manifest = read(folder, MANIFEST)?;
        let payload = digest(&SHA256, &manifest);
        let manifest = Manifest::from_bytes(&manifest)?;
        let agreement: Agreement = text(folder, AGREEMENT)?.parse()?;
        agreement.verify()?;

        let (recipient, key) = (identity.recipient(), identity.public_key());
        let card = agreement.recipient();
        if (card.recipient(), card.key()) != (recipient, key) || manifest.recipient != recipient.to_string() {
            return Err(Error::new(ErrorKind::WrongKey, "opening a package that is for somebody else"));
        }
        let named = (manifest.agreement, manifest.vault, manifest.tenant);
        if named != (agreement.hash(), agreement.vault(), agreement.tenant()) {
            return Err(bad("comparing a package with the agreement in it"));
        }
        if options.agreement.is_some_and(|hash| hash != manifest.agreement) {
            return Err(Error::new(ErrorKind::Refused, "opening a package under another agreement"));
        }
        let (terms, created) = (agreement.terms(), manifest.created);
        let agreed = terms.purposes.contains(&manifest.purpose)
            && (terms.valid_from..terms.valid_until).contains(&created)
            && manifest.keep_until == agreement.keep_until(created);
        if !agreed {
            return Err(bad("comparing what a package is for with what was agreed"));
        }
        let sums = read(folder, "manifest-sha256.txt")?;
        if digest(&SHA256, &sums).as_ref() != manifest.payload {
            return Err(bad("comparing a package's files with its transfer.json"));
        }

        let receipt = authorisation(folder, &agreement)?;
        let message = receipt.verify(&receipt.log())?;
        let told = |name: &str| message.details.get(name).map(String::as_str);
        let says = message.kind == Kind::TransferAuthorised
            && message.payload.as_ref().map(<[u8; 32]>::as_slice) == Some(payload.as_ref())
            && told("agreement") == Some(crate::id::hex(&manifest.agreement).as_str())
            && told("transfer") == Some(manifest.transfer.to_string().as_str())
            && message.purpose.as_deref() == Some(manifest.purpose.as_str());
        if !says {
            return Err(bad("comparing a package with the ledger's entry about it"));
        }
        let now = options.now.unwrap_or_else(Timestamp::now);
        if now >= manifest.expires {
            return Err(Error::new(ErrorKind::Refused, "opening a package that has expired"));
        }
        Ok(Self { folder: folder.to_owned(), manifest, agreement, message, receipt })
    }

    /// The bag with everything that came.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The vCons of the records, sorted by their names. Their media are in `data/files`, under the names that the vCons'
    /// URLs end in.
    ///
    /// # Errors
    /// As the file system.
    pub fn vcons(&self) -> Result<Vec<PathBuf>> {
        let failed = |e| Error::from_io(e, "listing a package's records");
        let entries = fs::read_dir(self.folder.join("data/vcons")).map_err(failed)?;
        let mut found = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>().map_err(failed)?;
        found.sort();
        Ok(found)
    }

    /// The transfer's id.
    pub fn transfer(&self) -> TransferId {
        self.manifest.transfer
    }

    /// What it was sent for.
    pub fn purpose(&self) -> &str {
        &self.manifest.purpose
    }

    /// How many records are in it.
    pub fn records(&self) -> u64 {
        self.manifest.records
    }

    /// Until when what is in it may be kept.
    pub fn keep_until(&self) -> Timestamp {
        self.manifest.keep_until
    }

    /// Until when the tenant wants a signed receipt.
    pub fn receipt_by(&self) -> Timestamp {
        self.manifest.receipt_by
    }

    /// The agreement that it was sent under.
    pub fn agreement(&self) -> &Agreement {
        &self.agreement
    }

    /// The ledger's entry that authorised it, as it was verified.
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// The proof of that entry.
    pub fn proof(&self) -> &Receipt {
        &self.receipt
    }

    /// Signs that all of it was received, now: for the tenant, who records it.
    ///
    /// # Errors
    /// [`WrongKey`](ErrorKind::WrongKey) if `identity` is not the recipient's.
    pub fn receipt(&self, identity: &Identity) -> Result<DeliveryReceipt> {
        let payload = self.message.payload.unwrap_or_default();
        let (log, seq) = (self.message.log.as_str(), self.message.seq);
        let mut receipt = DeliveryReceipt::new(&self.agreement, log, seq, payload, Timestamp::now())?;
        receipt.sign(identity)?;
        Ok(receipt)
    }
}

/// The proof of the entry that authorised a package: of the one entry whose files are there, in the log that the agreement
/// names or one that followed it.
fn authorisation(folder: &Path, agreement: &Agreement) -> Result<Receipt> {
    let bad = || Error::new(ErrorKind::Tampered, "looking for the ledger's entry in a package");
    let entries = fs::read_dir(folder.join("custody")).map_err(|e| Error::from_io(e, "reading a package"))?;
    let names: Vec<String> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let mut numbers = names.iter().filter_map(|name| name.strip_suffix(".tlog-proof"));
    let mut numbers = numbers.by_ref().filter(|number| !number.starts_with(ROTATION));
    let (Some(number), None) = (numbers.next(), numbers.next()) else { return Err(bad()) };
    let mut log = agreement.log();
    for step in 1.. {
        let name = format!("{ROTATION}{step:04}");
        if !names.contains(&format!("{name}.tlog-proof")) {
            break;
        }
        let told = Message::from_bytes(&read(folder, &format!("custody/{name}.json"))?)?;
        if let Some(next) = Succession::key(&told) {
            // An old copy was put back: the proof is of the log that goes on, and the one before signed which that is.
            let message = proof(folder, &name, next, &[agreement.operator()])?.verify(&next)?;
            let signed = Succession::all(&message).iter().any(|s| s.verify(&log, &message.log).is_ok());
            if !signed {
                return Err(bad());
            }
            log = next;
            continue;
        }
        let message = proof(folder, &name, log, &[agreement.operator()])?.verify(&log)?;
        let next = message.details.get("successor-key").and_then(|key| unhex(key)?.try_into().ok());
        let next = next.filter(|_| message.kind == Kind::LogClosed).ok_or_else(bad)?;
        log = PublicKey::from_bytes(next)?;
    }
    // The tenant itself, or the operator for a tenant whose key is held elsewhere. Nobody else authorises a transfer.
    proof(folder, number, log, &[agreement.tenant_key(), agreement.operator()])
}

/// The receipt of an entry from its files, signed by one of these.
fn proof(folder: &Path, name: &str, log: PublicKey, actors: &[PublicKey]) -> Result<Receipt> {
    let message = read(folder, &format!("custody/{name}.json"))?;
    let sigsum = text(folder, &format!("custody/{name}.sigsum-proof"))?;
    let leaf = InclusionProof::from_sigsum_proof(&sigsum, &message, &log)?.leaf;
    let proof = InclusionProof::from_tlog_proof(&text(folder, &format!("custody/{name}.tlog-proof"))?, leaf)?;
    let known = |key: &&PublicKey| digest(&SHA256, key.as_bytes()).as_ref() == proof.leaf.key_hash;
    let actor = actors.iter().find(known).copied();
    let actor =
        actor.ok_or_else(|| Error::new(ErrorKind::Tampered, "looking up who signed an entry about a package"))?;
    Ok(Receipt::new(message, proof, actor, log))
}

/// What is wrong with a bag, without the names that others chose.
fn faults(report: &bagit::Report) -> String {
    let faults = report.findings.iter().filter(|finding| !finding.is_warning()).count();
    format!("{faults} files are not as they are listed")
}

fn read(folder: &Path, name: &str) -> Result<Vec<u8>> {
    const MAX: u64 = 64 << 20;
    let doing = "reading a package's file";
    let file = fs::File::open(folder.join(name)).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Error::new(ErrorKind::Tampered, "looking for a file of a package").because(e),
        _ => Error::from_io(e, doing),
    })?;
    let mut bytes = Vec::new();
    file.take(MAX + 1).read_to_end(&mut bytes).map_err(|e| Error::from_io(e, doing))?;
    if bytes.len() as u64 > MAX { Err(Error::new(ErrorKind::TooLarge, doing)) } else { Ok(bytes) }
}

fn text(folder: &Path, name: &str) -> Result<String> {
    let bytes = read(folder, name)?;
    String::from_utf8(bytes).map_err(|_| Error::new(ErrorKind::Tampered, "reading a package's file"))
}

impl fmt::Debug for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { folder: _, manifest, agreement: _, message: _, receipt: _ } = self;
        write!(f, "Package({}, {} records)", manifest.transfer, manifest.records)
    }
}
