use super::checkpoint::{SignedCheckpoint, origin_of};
use super::key::{KeyKind, VerifierKey};
use crate::error::{Error, ErrorKind, Result};
use crate::id::hex;
use crate::key::PublicKey;

/// Witnesses of a policy, at the most: so many every reader of C2SP tlog-policy should take.
const MAX_WITNESSES: usize = 32;

/// Which log is believed, and how many of which witnesses must have cosigned a checkpoint of it: a C2SP tlog-policy of one
/// log and one group.
///
/// The witnesses are cosigners, and all keys are different: one that signed under two names would count twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    log: VerifierKey,
    witnesses: Vec<VerifierKey>,
    quorum: usize,
}

impl Policy {
    /// Believes this log. Knows these witnesses, but asks for none of them.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if a witness is no cosigner, two have the same key or one has the log's,
    /// whatever their names, or there are more than 32.
    pub fn new(log: &PublicKey, witnesses: impl Into<Vec<VerifierKey>>) -> Result<Self> {
        let (log, witnesses) = (VerifierKey::new(origin_of(log), KeyKind::Log, *log)?, witnesses.into());
        let bad = |why: &'static str| Error::new(ErrorKind::InvalidInput, "making a policy of witnesses").because(why);
        if witnesses.len() > MAX_WITNESSES {
            return Err(bad("there are too many"));
        }
        for (at, witness) in witnesses.iter().enumerate() {
            if witness.kind() != KeyKind::Cosigner {
                return Err(bad("a key is not a cosigner's"));
            }
            let mut others = witnesses[..at].iter().chain([&log]).map(VerifierKey::public_key);
            if others.any(|key| key == witness.public_key()) {
                return Err(bad("a key stands twice"));
            }
        }
        Ok(Self { log, witnesses, quorum: 0 })
    }

    /// And asks for so many of the witnesses.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if there are fewer.
    pub fn quorum(mut self, count: usize) -> Result<Self> {
        if count > self.witnesses.len() {
            return Err(Error::new(ErrorKind::InvalidInput, "asking for more witnesses than a policy knows"));
        }
        self.quorum = count;
        Ok(self)
    }

    /// The log's key.
    pub fn log(&self) -> PublicKey {
        self.log.public_key()
    }

    /// The log as notes name it.
    pub fn log_verifier(&self) -> &VerifierKey {
        &self.log
    }

    /// The witnesses.
    pub fn witnesses(&self) -> &[VerifierKey] {
        &self.witnesses
    }

    /// How many of them must have cosigned.
    pub fn threshold(&self) -> usize {
        self.quorum
    }

    /// Checks a checkpoint's signatures. Gives the witnesses that cosigned it, and when, in seconds since 1970, the latest
    /// first: the quorum has been there since the time that stands at number `threshold - 1`.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if the log did not sign it, or a line of a witness does not verify;
    /// [`Unwitnessed`](ErrorKind::Unwitnessed) if too few cosigned it.
    pub fn verify(&self, checkpoint: &SignedCheckpoint) -> Result<Vec<(&VerifierKey, u64)>> {
        checkpoint.verify(&self.log())?;
        let mut signed = Vec::new();
        for witness in &self.witnesses {
            signed.extend(checkpoint.cosigned_by(witness)?.map(|time| (witness, time)));
        }
        if signed.len() < self.quorum {
            return Err(Error::new(ErrorKind::Unwitnessed, "counting the witnesses of a checkpoint"));
        }
        signed.sort_by_key(|(_, time)| std::cmp::Reverse(*time));
        Ok(signed)
    }

    /// As C2SP tlog-policy has it, with verifier keys.
    pub fn to_c2sp(&self) -> String {
        self.text(self.log.to_string(), VerifierKey::to_string)
    }

    /// Parses what [`to_c2sp`](Self::to_c2sp) writes, and nothing else: C2SP tlog-policy allows more than one log and
    /// group, in more spellings.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if it is something else.
    pub fn from_c2sp(text: &str) -> Result<Self> {
        let parse = || {
            let mut lines = text.lines();
            let log: VerifierKey = lines.next()?.strip_prefix("log ")?.parse().ok()?;
            let keys = text.lines().filter_map(|line| line.strip_prefix("witness ")?.split(' ').nth(1));
            let witnesses = keys.map(|key| key.parse().ok()).collect::<Option<Vec<VerifierKey>>>()?;
            let group = lines.find_map(|line| line.strip_prefix("group witnesses ")?.split(' ').next());
            let quorum = group.map_or(Some(0), |count| count.parse().ok())?;
            let policy = Self::new(&log.public_key(), witnesses).ok()?.quorum(quorum).ok()?;
            (policy.to_c2sp() == text).then_some(policy)
        };
        parse().ok_or_else(|| Error::new(ErrorKind::InvalidInput, "parsing a policy of witnesses"))
    }

    /// As Sigsum has it, with keys of 64 hexadecimal digits.
    pub fn to_sigsum(&self) -> String {
        self.text(self.log().to_string(), |witness| hex(witness.public_key().as_bytes()))
    }

    fn text(&self, log: String, key: impl Fn(&VerifierKey) -> String) -> String {
        let mut text = format!("log {log}\n");
        for (number, witness) in (1..).zip(&self.witnesses) {
            text.push_str(&format!("witness w{number} {}\n", key(witness)));
        }
        if self.quorum == 0 {
            return text + "quorum none\n";
        }
        let members: String = (1..=self.witnesses.len()).map(|number| format!(" w{number}")).collect();
        text + &format!("group witnesses {}{members}\nquorum witnesses\n", self.quorum)
    }
}
