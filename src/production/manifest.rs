use serde::Serialize;

use super::wanted::Cover;
use crate::id::hex;

/// The version of the document that this build writes.
const VERSION: u32 = 1;

/// `disclosure.json`: what a package is, and what its files hash to. The ledger's entry has the digest of it. SPEC
/// "Disclosure package".
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    pub(crate) cover: Cover,
    pub(crate) profile: &'static str,
    pub(crate) bates: Option<Range>,
    pub(crate) records: u64,
    pub(crate) documents: u64,
    pub(crate) redacted: u64,
    pub(crate) withheld: u64,
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    /// SHA-256 of `manifest-sha256.txt`.
    pub(crate) payload: [u8; 32],
}

/// The numbers of a volume's documents.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Range {
    pub(crate) volume: String,
    pub(crate) first: String,
    pub(crate) last: String,
}

#[derive(Serialize)]
struct Wire<'a> {
    version: u32,
    order: String,
    order_sha256: String,
    vault: String,
    tenant: String,
    tenant_name: &'a str,
    authority: &'a str,
    reference: &'a str,
    basis: &'a str,
    created: String,
    profile: &'a str,
    bates: Option<&'a Range>,
    records: u64,
    documents: u64,
    redacted: u64,
    withheld: u64,
    files: u64,
    bytes: u64,
    manifest_sha256: String,
}

impl Manifest {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let Self { cover, profile, bates, records, documents, redacted, withheld, files, bytes, payload } = self;
        let wire = Wire {
            version: VERSION,
            order: cover.order.to_string(),
            order_sha256: hex(&cover.order_hash),
            vault: cover.vault.to_string(),
            tenant: cover.tenant.to_string(),
            tenant_name: &cover.tenant_name,
            authority: &cover.authority,
            reference: &cover.reference,
            basis: &cover.basis,
            created: cover.created.to_string(),
            profile,
            bates: bates.as_ref(),
            records: *records,
            documents: *documents,
            redacted: *redacted,
            withheld: *withheld,
            files: *files,
            bytes: *bytes,
            manifest_sha256: hex(payload),
        };
        // Strings and numbers always serialise.
        let mut text = serde_json::to_vec_pretty(&wire).unwrap_or_else(|_| unreachable!("strings and numbers"));
        text.push(b'\n');
        text
    }
}
