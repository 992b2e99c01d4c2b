#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(clippy::expect_used, clippy::unwrap_used)]

// words
mod error;
mod time;
mod html;
mod id;
pub mod encoding;
pub mod bagit;
// keys
mod secret;
mod kdf;
pub mod stream;
mod key;
pub mod tlog;
pub mod age;
mod shares;
mod index;
mod epoch;
// things
mod record;
pub mod audio;
mod text;
pub mod vcon;
pub mod mail;
pub mod chat;
mod document;
mod redact;
mod agreement;
mod seal;
mod order;
// room
mod store;
mod room;
mod period;
mod ledger;
mod vault;
// acts
mod enrol;
mod ingest;
mod retrieve;
mod clock;
mod publish;
#[cfg(feature = "witness")]
mod witness;
mod audit;
mod search;
mod export;
mod play;
mod restrict;
mod hold;
mod erase;
mod bundle;
mod exhibit;
mod production;
mod disclose;
mod transparency;
mod package;
mod agree;
mod transfer;
mod recall;
mod report;
mod check;
mod restore;
// proof
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod spec_examples;

pub use agree::Standing;
pub use agreement::{
    AccessControl, Agreement, AtRest, Country, DeletionAcknowledgement, DeletionRequest, DeletionResult,
    DeliveryReceipt, Field, InTransit, KeyCustody, Logging, Onward, ProtectionProfile, RecipientCard, RecipientClass,
    Refusal, Scope, Shortfall, SubProcessors, Terms, TransferPolicy, TransferRules, Transferred,
};
pub use audit::{AuditFinding, AuditReport, Auditor, Entry, ExportedLog, State, TenantLog};
pub use bundle::{MAX_PACKAGE_RECORDS, PackageProgress, PackageStage};
pub use check::{CheckReport, Finding, FindingKind, Swept};
pub use disclose::{
    Disclosed, Drilled, Numbered, OrderReview, OrderState, OrderStatus, Permission, Produced, Quorum, TenantConsent,
};
pub use epoch::{EPOCH_RECORDS, EPOCH_TIME, EpochHeader};
pub use erase::{DeferredDeletion, Erased, HeldRecord, Released};
pub use error::{Error, ErrorKind, Result};
pub use export::Exported;
pub use hold::{Hold, Matter, PlacedHold, RELEASE_TIME, ReleaseProposal};
pub use id::{EpochId, OrderId, RecordId, TenantId, TransferId, VaultId};
pub use ingest::{Ingested, Ingestor};
pub use key::{
    CardHash, ClockKey, CustodianKey, DisclosurePolicy, Identity, Opener, OperatorKey, PolicyHash, PublicKey,
    Recipient, Suite, TenantCard, TenantPin, WriterKey,
};
pub use ledger::{
    Behind, Kind, LedgerHead, Message, Obstacle, Receipt, RecordSet, Sink, SinkError, SinkOptions, SinkStatus,
};
pub use order::{
    Approval, ApprovalFault, Authority, Custodian, DisclosureConsent, DisclosureNotice, DisclosureOrder, GagKey,
    LegalBasis, MAX_ORDER_RECORDS, OrderRequest, OrderScope, OrderTerms, ReviewOutcome, Stage, Withheld,
};
pub use package::{Package, PackageOptions};
pub use production::{ProductionOptions, ProductionProfile};
pub use publish::FolderSink;
pub use recall::Deletion;
pub use record::{
    Channel, Coercion, DialPlan, Direction, Draft, DraftPart, Head, Identifier, Imported, MAX_HEAD, PartHeader,
    PartInfo, PartKind, ProducerDigest, RecordHeader, Role, Subject,
};
pub use redact::{Redacted, Redaction, Redactions};
pub use report::TransfersPage;
pub use restore::{Loss, Restoration, Restored};
pub use restrict::Restriction;
pub use retrieve::{Access, Cursor, Listed, Listing, Page, PartReader, Record, TenantSession};
pub use room::Tenant;
pub use search::{Match, Matches, Pattern, Place, Progress};
pub use text::{Text, Turn};
pub use time::Timestamp;
pub use transfer::{
    Exclusion, PlannedRecord, SentPackage, SentRecord, SentTransfer, Subjects, Transfer, TransferOutcome, TransferPlan,
    TransferQuery, WhyExcluded,
};
pub use transparency::{OrderOutcome, OrderRecord, TransparencyReport};
pub use vault::{Vault, VaultOptions};
#[cfg(feature = "witness")]
pub use witness::{Witness, WitnessRefusal};
