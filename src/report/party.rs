use std::io;

use crate::agreement::{RecipientCard, RecipientClass};
use crate::html::Page;
use crate::id::hex;

/// Characters of a name in brief.
const BRIEF: usize = 40;

/// A recipient: whoever holds one signing key.
pub(super) struct Party {
    /// As its newest agreement has it.
    pub(super) name: String,
    /// None if nothing is kept of the agreement that it was sent something under.
    pub(super) card: Option<RecipientCard>,
    /// Another has the same name.
    pub(super) is_homonym: bool,
}

impl Party {
    /// What it is, for those who read its name: `Service provider, DE`.
    pub(super) fn described(&self) -> String {
        let Some(card) = &self.card else { return "Its agreement is not kept".to_owned() };
        let described = format!("{}, {}", class(card.class()), card.country());
        if self.is_homonym { format!("{described}, {}", key(card)) } else { described }
    }

    /// Its name, or so much of it as fits into a table or beside a chart: the page has all of it elsewhere.
    pub(super) fn brief(&self) -> String {
        if self.name.chars().count() <= BRIEF {
            return self.name.clone();
        }
        self.name.chars().take(BRIEF - 1).chain(['…']).collect()
    }

    /// Its name in brief, and what tells it from others of that name.
    pub(super) fn write(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.quoted(&self.brief())?;
        match self.card.as_ref().filter(|_| self.is_homonym) {
            Some(card) => page.element("small", &[("class", &"quiet")], format_args!(" {}", key(card))),
            None => Ok(()),
        }
    }
}

/// By which those of one name are told apart.
fn key(card: &RecipientCard) -> String {
    format!("key {}…", &hex(card.key().as_bytes())[..16])
}

pub(super) fn class(class: RecipientClass) -> &'static str {
    match class {
        RecipientClass::Affiliate => "Company of the tenant's group",
        RecipientClass::Reseller => "Reseller of the tenant's services",
        RecipientClass::ServiceProvider => "Service provider",
        RecipientClass::MarketingPartner => "Marketing partner",
        RecipientClass::Successor => "Successor in the tenant's business",
    }
}
