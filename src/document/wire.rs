//! How the values of documents stand in JSON: as text.

use std::fmt::Display;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serializer};

/// What prints and parses.
pub(crate) mod text {
    use super::*;

    pub(crate) fn serialize<T: Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub(crate) fn deserialize<'de, T: FromStr, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
        String::deserialize(from)?.parse().map_err(|_| D::Error::custom("no such value"))
    }
}

/// Bytes as hexadecimal digits.
pub(crate) mod hex {
    use super::*;
    use crate::id::unhex;

    pub(crate) fn serialize<const N: usize, S: Serializer>(bytes: &[u8; N], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&crate::id::hex(bytes))
    }

    pub(crate) fn deserialize<'de, const N: usize, D: Deserializer<'de>>(from: D) -> Result<[u8; N], D::Error> {
        let bytes = unhex(&String::deserialize(from)?).and_then(|bytes| bytes.try_into().ok());
        bytes.ok_or_else(|| D::Error::custom("no such digits"))
    }
}

/// A digest that may be absent.
pub(crate) mod hex_if_any {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(bytes: &Option<[u8; 32]>, to: S) -> Result<S::Ok, S::Error> {
        match bytes {
            Some(bytes) => hex::serialize(bytes, to),
            None => to.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<[u8; 32]>, D::Error> {
        hex::deserialize(from).map(Some)
    }
}

/// An Ed25519 public key as hexadecimal digits.
pub(crate) mod key {
    use super::*;
    use crate::key::PublicKey;

    pub(crate) fn serialize<S: Serializer>(key: &PublicKey, to: S) -> Result<S::Ok, S::Error> {
        hex::serialize(key.as_bytes(), to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<PublicKey, D::Error> {
        PublicKey::from_bytes(hex::deserialize(from)?).map_err(|_| D::Error::custom("no such key"))
    }
}

/// Kinds of parts.
pub(crate) mod kinds {
    use std::collections::BTreeSet;

    use super::*;
    use crate::record::PartKind;

    /// Those that a document can name.
    pub(crate) const ALL: [PartKind; 7] = [
        PartKind::Audio,
        PartKind::Transcript,
        PartKind::Chat,
        PartKind::Email,
        PartKind::Attachment,
        PartKind::Analysis,
        PartKind::Original,
    ];

    pub(crate) fn serialize<S: Serializer>(kinds: &BTreeSet<PartKind>, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(kinds.iter().map(PartKind::to_string))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeSet<PartKind>, D::Error> {
        let find = |word: &String| ALL.into_iter().find(|kind| kind.to_string() == *word);
        let kinds = Vec::<String>::deserialize(from)?.iter().map(find).collect::<Option<_>>();
        kinds.ok_or_else(|| D::Error::custom("no such kind"))
    }
}

/// Identifiers as URIs.
pub(crate) mod identifiers {
    use super::*;
    use crate::record::Identifier;

    pub(crate) fn serialize<S: Serializer>(identifiers: &[Identifier], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(identifiers.iter().map(Identifier::to_string))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Identifier>, D::Error> {
        let identifiers = Vec::<String>::deserialize(from)?.iter().map(|text| parse(text)).collect::<Option<_>>();
        identifiers.ok_or_else(|| D::Error::custom("no such identifier"))
    }

    fn parse(text: &str) -> Option<Identifier> {
        let (scheme, value) = text.split_once(':')?;
        match scheme {
            "tel" => Identifier::tel(value),
            "mailto" => Identifier::mailto(value),
            "customer" => Identifier::customer(value),
            _ => return None,
        }
        .ok()
    }
}
