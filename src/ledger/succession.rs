use super::desk::Ledger;
use super::message::{Kind, Message};
use super::standing::Lag;
use super::stored::StoredLog;
use crate::encoding::enc;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{TenantId, hex, random, unhex};
use crate::key::{PublicKey, Signing};
use crate::store::{End, Mark};
use crate::tlog::{Checkpoint, Hash, empty_root, origin_of};

/// Details of a `restored` entry that hold one each are named so, and by the generation of the log that ended.
const DETAIL: &str = "loss-";
/// The detail that names the key of the log itself, for one who knows only that of the log before.
const KEY: &str = "log-key";

/// That a log ends where an old copy of it was put back, and which one goes on: signed by the key of the log that ends. It
/// is no head of that log, so that there are never two of one size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Succession {
    /// The log that ends.
    pub(crate) origin: String,
    /// What is left of it.
    pub(crate) kept: (u64, Hash),
    /// What it had grown to; nothing if nobody knows.
    pub(crate) had: Option<(u64, Hash)>,
    signature: [u8; 64],
}

impl Succession {
    /// Signs that the log that `kept` is of ends there, for the log of the origin `successor`.
    pub(crate) fn sign(key: &Signing, kept: &Checkpoint, had: Option<(u64, Hash)>, successor: &str) -> Self {
        let (origin, kept) = (kept.origin.clone(), (kept.size, kept.root));
        let unsigned = Self { origin, kept, had, signature: [0; 64] };
        Self { signature: key.sign(&unsigned.statement(successor)), ..unsigned }
    }

    /// # Errors
    /// `Tampered` if it is of another log than `key`'s, or for another than `successor`, or anything in it was changed.
    pub(crate) fn verify(&self, key: &PublicKey, successor: &str) -> Result<()> {
        let own = Self { origin: origin_of(key), ..self.clone() };
        key.verify(&own.statement(successor), &self.signature, "verifying that a ledger goes on in another")
    }

    /// `ENC("log-succession"; origin, successor, u64(size) || root, the same of what it had or nothing)`.
    fn statement(&self, successor: &str) -> Vec<u8> {
        let head = |(size, root): &(u64, Hash)| [&size.to_be_bytes()[..], root].concat();
        let (kept, had) = (head(&self.kept), self.had.as_ref().map(head).unwrap_or_default());
        enc("log-succession", &[self.origin.as_bytes(), successor.as_bytes(), &kept, &had])
    }

    /// The name and value of the detail that says so.
    pub(crate) fn to_detail(&self, generation: u32) -> (String, String) {
        let head = |(size, root): &(u64, Hash)| format!("{size} {}", hex(root));
        let had = self.had.as_ref().map_or("unknown".to_owned(), head);
        let value = format!("{} {} {had} {}", self.origin, head(&self.kept), hex(&self.signature));
        (format!("{DETAIL}{generation}"), value)
    }

    /// The key of the log that an entry says it begins, where old copies of others were put back.
    pub(crate) fn key(message: &Message) -> Option<PublicKey> {
        let key = message.details.get(KEY).filter(|_| message.kind == Kind::Restored);
        PublicKey::from_bytes(unhex(key?)?.try_into().ok()?).ok()
    }

    /// All that an entry says, without having verified them.
    pub(crate) fn all(message: &Message) -> Vec<Self> {
        let details = message.details.iter().filter(|(name, _)| name.starts_with(DETAIL));
        let details = details.filter(|_| message.kind == Kind::Restored);
        details.filter_map(|(_, value)| Self::parse(value)).collect()
    }

    fn parse(value: &str) -> Option<Self> {
        let head = |size: &str, root: &str| Some((size.parse::<u64>().ok()?, unhex(root)?.try_into().ok()?));
        let (origin, kept, had, signature) = match value.split(' ').collect::<Vec<_>>()[..] {
            [origin, size, root, "unknown", signature] => (origin, head(size, root)?, None, signature),
            [origin, size, root, had, then, signature] => {
                (origin, head(size, root)?, Some(head(had, then)?), signature)
            }
            _ => return None,
        };
        Some(Self { origin: origin.to_owned(), kept, had, signature: unhex(signature)?.try_into().ok()? })
    }
}

impl Ledger {
    /// A generation for a log that a restore opens, above all that are known, by 1 to 2^24 at random: of one that the copy
    /// and the anchor forgot, its key may have signed already, and must not sign again.
    pub(crate) fn fresh_generation(known: u32) -> Result<u32> {
        let mut step = [0; 4];
        random(&mut step[1..])?;
        let fresh = known.checked_add(1 + u32::from_be_bytes(step));
        fresh.ok_or_else(|| Error::new(ErrorKind::TooLarge, "finding a number for a ledger after many restores"))
    }

    /// What the entry that begins the log `successor` says of it and of those that ended, by name.
    ///
    /// # Errors
    /// `WrongKey` if one of them is not the operator's; `Tampered` if its head does not verify.
    pub(crate) fn successions(&self, lags: &[Lag], successor: &PublicKey) -> Result<Vec<(String, String)>> {
        let own = (KEY.to_owned(), successor.to_string());
        let successor = origin_of(successor);
        let one = |lag: &Lag| {
            let (kept, key) = (self.kept(lag)?, self.log_keys().log_key(lag.tenant, lag.generation));
            let had = lag.mark.filter(|mark| mark.end.is_none_or(|end| !end.unknown));
            // What is kept was there.
            let had = had.map(|mark| (mark.size, mark.root).max((kept.size, kept.root)));
            Ok(Succession::sign(&key, &kept, had, &successor).to_detail(lag.generation))
        };
        lags.iter().map(one).chain([Ok(own)]).collect()
    }

    /// What is left of a log.
    fn kept(&self, lag: &Lag) -> Result<Checkpoint> {
        let key = self.log_key(lag.tenant, lag.generation);
        let row = self.room.store.logs(lag.tenant)?.into_iter().find(|row| row.n == lag.log);
        let Some(row) = row else { return Ok(Checkpoint { origin: origin_of(&key), size: 0, root: empty_root() }) };
        if row.key != key {
            return Err(Error::new(ErrorKind::WrongKey, "signing that a ledger goes on in another"));
        }
        let head = StoredLog { store: &*self.room.store, row }.checkpoint()?;
        head.verify(&key)?;
        Ok(head.checkpoint().clone())
    }

    /// Notes in the anchor that nothing may be appended to these logs any more, durably. In `log`, if there is one yet,
    /// their tenant's ledger goes on.
    pub(crate) fn end(&self, logs: impl Iterator<Item = (i64, Mark)>, log: Option<i64>) -> Result<()> {
        let successor = log.and_then(|log| u32::try_from(log).ok());
        let end = Some(End { successor, unknown: false });
        self.room.anchor.raise(&logs.map(|(log, mark)| (log, Mark { end, ..mark })).collect::<Vec<_>>())?;
        self.room.anchor.sync()
    }

    /// The mark of a log as it stands now, for one that has none.
    pub(crate) fn mark_of(&self, tenant: TenantId, stored: &StoredLog<'_>) -> Result<Mark> {
        let head = stored.checkpoint()?;
        head.verify(&stored.row.key)?;
        let Checkpoint { size, root, .. } = *head.checkpoint();
        Ok(Mark { size, root, tenant, generation: stored.row.generation, end: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn a_succession_is_what_the_ended_log_signed_for_that_successor_and_nothing_else() {
        let key = Signing::from_seed(&Secret::from_fn(|s| *s = [0x61; 32]));
        let public = key.public_key();
        let kept = Checkpoint { origin: origin_of(&public), size: 12, root: [1; 32] };
        for had in [Some((20, [2; 32])), None] {
            let signed = Succession::sign(&key, &kept, had, "next");
            let (name, value) = signed.to_detail(7);
            assert_eq!(name, "loss-7");
            let parsed = Succession::parse(&value).unwrap();
            assert_eq!(parsed, signed);
            parsed.verify(&public, "next").unwrap();
            let other = Signing::from_seed(&Secret::from_fn(|s| *s = [0x62; 32])).public_key();
            assert!(parsed.verify(&other, "next").is_err());
            assert!(parsed.verify(&public, "another").is_err());
            for changed in [
                Succession { kept: (13, [1; 32]), ..parsed.clone() },
                Succession { kept: (12, [3; 32]), ..parsed.clone() },
                Succession { had: Some((21, [2; 32])), ..parsed.clone() },
                Succession { had: if had.is_some() { None } else { Some((12, [1; 32])) }, ..parsed.clone() },
            ] {
                assert!(changed.verify(&public, "next").is_err(), "{changed:?}");
            }
            for other in
                [value.replace("12", "x"), format!("{value}0"), format!("{value} more"), value.replace(' ', "")]
            {
                assert!(Succession::parse(&other).is_none(), "{other}");
            }
        }
    }
}
