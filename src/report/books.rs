use std::collections::HashMap;

use super::contract::Contract;
use super::party::Party;
use crate::agree::Standing;
use crate::agreement::RecipientCard;
use crate::key::PublicKey;
use crate::transfer::SentTransfer;

/// Who the parties are, by their keys, and what every revision says.
pub(super) struct Books {
    parties: Vec<Party>,
    by_key: HashMap<PublicKey, usize>,
    by_name: HashMap<String, usize>,
    /// The card and number of every revision, by its hash.
    revisions: HashMap<[u8; 32], (PublicKey, u32)>,
}

impl Books {
    pub(super) fn new(agreed: &[Vec<Standing>]) -> Self {
        let mut books =
            Self { parties: Vec::new(), by_key: HashMap::new(), by_name: HashMap::new(), revisions: HashMap::new() };
        let mut all: Vec<&Standing> = agreed.iter().flatten().collect();
        // The newest card of a key is how it is called.
        all.sort_by_key(|standing| (standing.since, standing.entry.1));
        for standing in all {
            let (agreement, card) = (&standing.agreement, standing.agreement.recipient());
            books.revisions.insert(agreement.hash(), (card.key(), agreement.revision()));
            let at = books.party_of(card);
            books.parties[at].name = card.name().to_owned();
            books.parties[at].card = Some(card.clone());
        }
        books
    }

    pub(super) fn party_of(&mut self, card: &RecipientCard) -> usize {
        let parties = &mut self.parties;
        *self.by_key.entry(card.key()).or_insert_with(|| {
            parties.push(Party { name: card.name().to_owned(), card: Some(card.clone()), is_homonym: false });
            parties.len() - 1
        })
    }

    /// Whom a transfer was to, and under which revision.
    pub(super) fn recipient(
        &mut self,
        sent: &SentTransfer,
        contract: Option<&Contract>,
    ) -> (Option<usize>, Option<u32>) {
        let revision = sent.agreement_hash.and_then(|hash| self.revisions.get(&hash)).copied();
        if let Some((key, revision)) = revision {
            return (self.by_key.get(&key).copied(), Some(revision));
        }
        if let Some(contract) = contract.filter(|_| sent.agreement_hash.is_none()) {
            return (Some(contract.party), None);
        }
        let Some(name) = &sent.recipient else { return (None, None) };
        let parties = &mut self.parties;
        let at = *self.by_name.entry(name.clone()).or_insert_with(|| {
            parties.push(Party { name: name.clone(), card: None, is_homonym: false });
            parties.len() - 1
        });
        (Some(at), None)
    }

    /// The party that has a key.
    pub(super) fn of_key(&self, key: &PublicKey) -> Option<usize> {
        self.by_key.get(key).copied()
    }

    pub(super) fn finish(mut self) -> Vec<Party> {
        let mut names: HashMap<String, usize> = HashMap::new();
        self.parties.iter().for_each(|party| *names.entry(party.name.clone()).or_default() += 1);
        for party in &mut self.parties {
            party.is_homonym = names.get(&party.name).is_some_and(|n| *n > 1);
        }
        self.parties
    }
}
