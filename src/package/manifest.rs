use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::id::{TenantId, TransferId, VaultId, hex, unhex};
use crate::time::Timestamp;

/// The version of the document that this build writes.
const VERSION: u32 = 1;
/// Bytes of one at the most.
const MAX: usize = 64 * 1024;

/// `transfer.json`: what a package is, and what its files hash to. The ledger's entry has the digest of it. SPEC "Package".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Manifest {
    pub(crate) transfer: TransferId,
    pub(crate) vault: VaultId,
    pub(crate) tenant: TenantId,
    /// SHA-256 of the agreement's text.
    pub(crate) agreement: [u8; 32],
    pub(crate) purpose: String,
    /// The recipient's age key.
    pub(crate) recipient: String,
    pub(crate) created: Timestamp,
    /// From when on it is not to be opened any more.
    pub(crate) expires: Timestamp,
    /// Until when what is in it may be kept.
    pub(crate) keep_until: Timestamp,
    /// Until when a signed receipt is due.
    pub(crate) receipt_by: Timestamp,
    pub(crate) kinds: Vec<String>,
    pub(crate) fields: Vec<String>,
    pub(crate) subjects: String,
    pub(crate) records: u64,
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    /// SHA-256 of `manifest-sha256.txt`.
    pub(crate) payload: [u8; 32],
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    version: u32,
    transfer: String,
    vault: String,
    tenant: String,
    agreement: String,
    purpose: String,
    recipient: String,
    created: String,
    expires: String,
    keep_until: String,
    receipt_by: String,
    kinds: Vec<String>,
    fields: Vec<String>,
    subjects: String,
    records: u64,
    files: u64,
    bytes: u64,
    manifest_sha256: String,
}

impl Manifest {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let wire = Wire {
            version: VERSION,
            transfer: self.transfer.to_string(),
            vault: self.vault.to_string(),
            tenant: self.tenant.to_string(),
            agreement: hex(&self.agreement),
            purpose: self.purpose.clone(),
            recipient: self.recipient.clone(),
            created: self.created.to_string(),
            expires: self.expires.to_string(),
            keep_until: self.keep_until.to_string(),
            receipt_by: self.receipt_by.to_string(),
            kinds: self.kinds.clone(),
            fields: self.fields.clone(),
            subjects: self.subjects.clone(),
            records: self.records,
            files: self.files,
            bytes: self.bytes,
            manifest_sha256: hex(&self.payload),
        };
        // Strings, numbers and lists of strings always serialise.
        let mut text = serde_json::to_vec_pretty(&wire).unwrap_or_else(|_| unreachable!("strings and numbers"));
        text.push(b'\n');
        text
    }

    /// Parses one. Only what [`to_bytes`](Self::to_bytes) writes is accepted, to the byte.
    ///
    /// # Errors
    /// `Tampered` if it is none; `Unsupported` if it is of a later version.
    pub(crate) fn from_bytes(text: &[u8]) -> Result<Self> {
        let doing = "parsing a package's transfer.json";
        let bad = || Error::new(ErrorKind::Tampered, doing);
        if text.len() > MAX {
            return Err(bad());
        }
        let wire = serde_json::from_slice::<Wire>(text).map_err(|_| {
            #[derive(Deserialize)]
            struct Version {
                version: u32,
            }
            let later = serde_json::from_slice::<Version>(text).is_ok_and(|v| v.version > VERSION);
            if later { Error::new(ErrorKind::Unsupported, doing) } else { bad() }
        })?;
        let digest = |text: &str| unhex(text).and_then(|b| <[u8; 32]>::try_from(b).ok()).ok_or_else(bad);
        let time = |text: &str| text.parse::<Timestamp>().map_err(|_| bad());
        let manifest = Self {
            transfer: wire.transfer.parse().map_err(|_| bad())?,
            vault: wire.vault.parse().map_err(|_| bad())?,
            tenant: wire.tenant.parse().map_err(|_| bad())?,
            agreement: digest(&wire.agreement)?,
            purpose: wire.purpose,
            recipient: wire.recipient,
            created: time(&wire.created)?,
            expires: time(&wire.expires)?,
            keep_until: time(&wire.keep_until)?,
            receipt_by: time(&wire.receipt_by)?,
            kinds: wire.kinds,
            fields: wire.fields,
            subjects: wire.subjects,
            records: wire.records,
            files: wire.files,
            bytes: wire.bytes,
            payload: digest(&wire.manifest_sha256)?,
        };
        if wire.version == VERSION && manifest.to_bytes() == text { Ok(manifest) } else { Err(bad()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_parses_back_and_every_other_spelling_of_it_is_refused() {
        let time = Timestamp::from_unix_ms(1_710_605_360_701);
        let manifest = Manifest {
            transfer: TransferId::from_bytes([1; 16]),
            vault: VaultId::from_bytes([2; 16]),
            tenant: TenantId::from_bytes([3; 16]),
            agreement: [4; 32],
            purpose: "quality \"assurance\"".into(),
            recipient: "age1".into(),
            created: time,
            expires: time,
            keep_until: time,
            receipt_by: time,
            kinds: vec!["audio".into()],
            fields: vec![],
            subjects: "pseudonyms".into(),
            records: 1,
            files: 2,
            bytes: 3,
            payload: [5; 32],
        };
        let bytes = manifest.to_bytes();
        assert_eq!(Manifest::from_bytes(&bytes).unwrap(), manifest);
        let text = String::from_utf8(bytes).unwrap();
        for other in [
            text.trim_end().to_owned(),
            text.replace("\": 3", "\":3"),
            text.replace("\"records\": 1,", "\"records\": 1, \"more\": 1,"),
            text.replace("0505", "0A05"),
            text.replace("\"version\": 1", "\"version\": 0"),
        ] {
            assert_ne!(other, text);
            assert_eq!(Manifest::from_bytes(other.as_bytes()).unwrap_err().kind(), ErrorKind::Tampered, "{other}");
        }
        let later = text.replace("\"version\": 1", "\"version\": 2");
        assert_eq!(Manifest::from_bytes(later.as_bytes()).unwrap_err().kind(), ErrorKind::Tampered);
        let later = later.replace("\"bytes\"", "\"octets\"");
        assert_eq!(Manifest::from_bytes(later.as_bytes()).unwrap_err().kind(), ErrorKind::Unsupported);
    }
}
