use std::collections::BTreeSet;

use super::wish::Subjects;
use crate::agreement::Field;
use crate::encoding::enc;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{RecordId, random};
use crate::kdf::exp;
use crate::key::{Opener, Recipient};
use crate::record::{Channel, Head, Identifier, Role, Subject};
use crate::secret::Secret;
use crate::time::Timestamp;

/// Who is called what towards one recipient for one purpose.
///
/// `K = EXP(pseudonym root, ENC("pseudonym"; recipient, purpose))`; a subject is
/// `"p-" || hex(EXP(K, ENC("pseudonym-subject"; scheme, value))[..16])`, a record the UUID of version 8 with the bits of
/// `EXP(K, ENC("pseudonym-record"; record))[..16]`. Without the root, which only the tenant has, nobody finds out what is
/// behind one, or whether two of different recipients are of the same.
pub(crate) struct Pseudonyms(Secret);

impl Pseudonyms {
    /// Nothing if the tenant's key is held where it gives no pseudonyms.
    pub(crate) fn of(opener: &dyn Opener, recipient: &Recipient, purpose: &str) -> Option<Self> {
        let key = opener.pseudonym_key(&enc("pseudonym", &[&recipient.to_field(), purpose.as_bytes()]))?;
        Some(Self(Secret::from_fn(|k| k.copy_from_slice(&key[..]))))
    }

    pub(crate) fn subject(&self, who: &Identifier) -> String {
        let key = exp(&self.0, &enc("pseudonym-subject", &[who.scheme().as_bytes(), who.value().as_bytes()]));
        format!("p-{}", crate::id::hex(&key.expose_secret()[..16]))
    }

    pub(crate) fn record(&self, record: RecordId) -> RecordId {
        let key = exp(&self.0, &enc("pseudonym-record", &[record.as_bytes()]));
        let mut name = [0; 16];
        name.copy_from_slice(&key.expose_secret()[..16]);
        uuid(name)
    }
}

fn uuid(mut bytes: [u8; 16]) -> RecordId {
    bytes[6] = bytes[6] & 0x0F | 0x80;
    bytes[8] = bytes[8] & 0x3F | 0x80;
    RecordId::from_bytes(bytes)
}

/// What is left of what a record says about itself.
pub(super) struct Minimiser {
    pub(super) fields: BTreeSet<Field>,
    pub(super) subjects: Subjects,
    pub(super) pseudonyms: Option<Pseudonyms>,
    /// Stands where a time must stand and none may be told.
    pub(super) created: Timestamp,
}

impl Minimiser {
    pub(super) fn new(
        fields: BTreeSet<Field>,
        subjects: Subjects,
        pseudonyms: Option<Pseudonyms>,
        created: Timestamp,
    ) -> Result<Self> {
        if subjects == Subjects::Pseudonyms && pseudonyms.is_none() {
            let doing = "making pseudonyms with a key that is held where it gives none";
            return Err(Error::new(ErrorKind::Unsupported, doing));
        }
        Ok(Self { fields, subjects, pseudonyms, created })
    }

    pub(super) fn may(&self, field: Field) -> bool {
        self.fields.contains(&field)
    }

    /// Whether nothing that a record says of itself is kept back, so that an original document may go as well.
    pub(super) fn says_everything(&self) -> bool {
        self.subjects == Subjects::Named && Field::ALL.iter().all(|field| self.may(*field))
    }

    /// Whether those who took part may be named and recognised.
    pub(super) fn names_everybody(&self) -> bool {
        self.subjects == Subjects::Named && self.may(Field::SubjectNames) && self.may(Field::SubjectIdentifiers)
    }

    /// What the recipient calls a record: never what we call it, so that two recipients cannot compare.
    pub(super) fn name(&self, record: RecordId) -> Result<RecordId> {
        match &self.pseudonyms {
            Some(pseudonyms) => Ok(pseudonyms.record(record)),
            None => {
                let mut name = [0; 16];
                random(&mut name)?;
                Ok(uuid(name))
            }
        }
    }

    /// The head without what may not go. Its parts are not in it.
    pub(super) fn head(&self, head: &Head) -> Head {
        let Head {
            ingested: _,
            start,
            duration_ms,
            channel,
            direction,
            agent,
            queue,
            language,
            tags,
            policy_version,
            subjects,
            // The producer's own name for it would be the same towards everybody.
            idempotency_key: _,
            amends: _,
            parts: _,
        } = head.clone();
        Head {
            ingested: self.created,
            start: start.filter(|_| self.may(Field::Start)),
            duration_ms: duration_ms.filter(|_| self.may(Field::Duration)),
            channel: if self.may(Field::Channel) { channel } else { Channel::Other("undisclosed".to_owned()) },
            direction: direction.filter(|_| self.may(Field::Direction)),
            agent: agent.filter(|_| self.may(Field::Agent)),
            queue: queue.filter(|_| self.may(Field::Queue)),
            language: language.filter(|_| self.may(Field::Language)),
            tags: if self.may(Field::Tags) { tags } else { Vec::new() },
            policy_version: policy_version.filter(|_| self.may(Field::PolicyVersion)),
            subjects: subjects.into_iter().filter_map(|subject| self.subject(subject)).collect(),
            idempotency_key: None,
            amends: None,
            parts: Vec::new(),
        }
    }

    fn subject(&self, subject: Subject) -> Option<Subject> {
        let Subject { role, name, identifiers } = subject;
        let role = if self.may(Field::SubjectRoles) { role } else { Role::Other("party".to_owned()) };
        match self.subjects {
            Subjects::LeftOut => None,
            Subjects::Named => Some(Subject {
                role,
                name: name.filter(|_| self.may(Field::SubjectNames)),
                identifiers: if self.may(Field::SubjectIdentifiers) { identifiers } else { Vec::new() },
            }),
            Subjects::Pseudonyms => {
                let pseudonyms = self.pseudonyms.as_ref()?;
                let called = |who: &Identifier| Identifier::customer(&pseudonyms.subject(who)).ok();
                Some(Subject { role, name: None, identifiers: identifiers.iter().filter_map(called).collect() })
            }
        }
    }
}
