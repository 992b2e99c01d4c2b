use std::path::Path;
use std::{fmt, fs};

use super::message::Message;
use crate::error::{Error, Result};
use crate::key::PublicKey;
use crate::tlog::{InclusionProof, Policy, openssh, pem};

/// What its tenant, or anybody whom the tenant shows it to, can hold against a ledger: an entry's message, and the proof
/// that the log includes it. Verified offline, also by programs that nobody here wrote.
#[derive(Clone, PartialEq, Eq)]
pub struct Receipt {
    pub(crate) message: Vec<u8>,
    pub(crate) proof: InclusionProof,
    pub(crate) actor: PublicKey,
    pub(crate) log: PublicKey,
}

impl Receipt {
    /// A receipt from its parts, as files hold them.
    pub fn new(message: Vec<u8>, proof: InclusionProof, actor: PublicKey, log: PublicKey) -> Self {
        Self { message, proof, actor, log }
    }

    /// The entry's number in its log.
    pub fn seq(&self) -> u64 {
        self.proof.index
    }

    /// The exact bytes that the leaf is a hash of.
    pub fn message(&self) -> &[u8] {
        &self.message
    }

    /// The proof that the log includes them.
    pub fn proof(&self) -> &InclusionProof {
        &self.proof
    }

    /// The key that signed the leaf.
    pub fn actor(&self) -> PublicKey {
        self.actor
    }

    /// The log's key, as the receipt has it. Compare it with the one that you know.
    pub fn log(&self) -> PublicKey {
        self.log
    }

    /// Verifies the receipt against a log's key that you know, and says what the entry says.
    ///
    /// # Errors
    /// [`Tampered`](crate::ErrorKind::Tampered) if anything does not hold, or the message names another log or place.
    pub fn verify(&self, log: &PublicKey) -> Result<Message> {
        self.proof.verify(&self.message, &self.actor, log)?;
        let message = Message::from_bytes(&self.message)?;
        let place = (message.log.as_str(), message.seq);
        if place == (crate::tlog::origin_of(log).as_str(), self.proof.index) {
            return Ok(message);
        }
        Err(Error::new(crate::error::ErrorKind::Tampered, "comparing a receipt's message with its place"))
    }

    /// Writes the receipt into a folder: `NUMBER.json`, `NUMBER.tlog-proof`, `NUMBER.sigsum-proof`, where NUMBER is the
    /// entry's of eight digits, and the keys and policies that programs want beside them: `actor-NUMBER.pub`, `log.pem`,
    /// `log.vkey`, `policy.c2sp`, `policy.sigsum`.
    ///
    /// Of a log's only entry there is no Sigsum proof: its programs do not agree what one looks like.
    ///
    /// # Errors
    /// As the file system.
    pub fn write(&self, folder: impl AsRef<Path>) -> Result<()> {
        let folder = folder.as_ref();
        fs::create_dir_all(folder).map_err(|e| Error::from_io(e, "writing a receipt"))?;
        for (name, content) in self.evidence()? {
            fs::write(folder.join(name), content).map_err(|e| Error::from_io(e, "writing a receipt"))?;
        }
        Ok(())
    }

    /// The files of [`write`](Self::write), by their names.
    pub(crate) fn evidence(&self) -> Result<Vec<(String, Vec<u8>)>> {
        let mut files = self.files()?;
        files.extend(log_files(&Policy::new(&self.log, [])?));
        files.push((format!("actor-{:08}.pub", self.seq()), openssh(&self.actor).into_bytes()));
        Ok(files)
    }

    /// The files of this receipt alone.
    pub(crate) fn files(&self) -> Result<Vec<(String, Vec<u8>)>> {
        let name = |ending: &str| format!("{:08}.{ending}", self.seq());
        let mut files =
            vec![(name("json"), self.message.clone()), (name("tlog-proof"), self.proof.to_tlog_proof().into_bytes())];
        if self.proof.checkpoint.checkpoint().size > 1 {
            files.push((name("sigsum-proof"), self.proof.to_sigsum_proof(&self.log)?.into_bytes()));
        }
        Ok(files)
    }
}

impl fmt::Debug for Receipt {
    /// Without the message, which names people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { message, proof, actor: _, log } = self;
        write!(f, "Receipt(entry {} of {log}, {} bytes)", proof.index, message.len())
    }
}

/// What programs want to know of a log.
pub(crate) fn log_files(policy: &Policy) -> Vec<(String, Vec<u8>)> {
    let (log, vkey) = (&policy.log(), policy.log_verifier());
    vec![
        ("log.vkey".to_owned(), format!("{vkey}\n").into_bytes()),
        ("log.pem".to_owned(), pem(log).into_bytes()),
        ("log.pub".to_owned(), format!("{log}\n").into_bytes()),
        ("policy.c2sp".to_owned(), policy.to_c2sp().into_bytes()),
        ("policy.sigsum".to_owned(), policy.to_sigsum().into_bytes()),
    ]
}
