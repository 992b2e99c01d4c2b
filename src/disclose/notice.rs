use super::desk::Case;
use super::kept::{ORDER, decode};
use super::status::{Book, OrderStatus};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{OrderId, TenantId};
use crate::ledger::{Receipt, check_text};
use crate::order::DisclosureNotice;
use crate::retrieve::{PaperPlace, TenantSession};
use crate::store::Act;
use crate::time::Timestamp;
use crate::vault::Vault;

impl Vault {
    /// Tells the tenant of an order that it must not have been told of until now: from this entry on, it reads every entry of
    /// the order that was withheld from it. The notice is for a letter.
    ///
    /// # Errors
    /// [`Refused`](ErrorKind::Refused) before the gag is over; [`AlreadyExists`](ErrorKind::AlreadyExists) if the tenant was
    /// told; [`NotFound`](ErrorKind::NotFound) if there is no such order; else as the disk.
    pub fn give_notice(&self, tenant: TenantId, order: OrderId, by: &str) -> Result<(DisclosureNotice, Receipt)> {
        check_text(by, "giving a notice without somebody whom a ledger can name")?;
        self.deciding(tenant, order, "giving a notice", |case, status| case.give_notice(&status, by, Timestamp::now()))
    }

    /// Orders whose tenant should have been told by now and was not, of all tenants.
    ///
    /// # Errors
    /// As [`orders`](Self::orders).
    pub fn overdue_notices(&self) -> Result<Vec<OrderStatus>> {
        let now = Timestamp::now();
        let mut overdue = Vec::new();
        for tenant in self.tenants()? {
            overdue.extend(self.orders(tenant.id)?.into_iter().filter(|status| status.notice_is_overdue(now)));
        }
        Ok(overdue)
    }
}

impl Case<'_> {
    fn give_notice(&self, status: &OrderStatus, by: &str, now: Timestamp) -> Result<(DisclosureNotice, Receipt)> {
        if status.noticed.is_some() {
            return Err(Error::new(ErrorKind::AlreadyExists, "giving a notice that was given"));
        }
        if let Some(until) = status.order.terms().gag_until.filter(|until| now < *until) {
            let why = format!("the tenant must not be told before {until}");
            return Err(Error::new(ErrorKind::Refused, "giving a notice").because(why));
        }
        let records = match (&status.disclosed, &status.produced) {
            (Some(_), Some(produced)) => produced.records.len() as u64,
            _ => 0,
        };
        let outcome = match &status.review {
            _ if status.disclosed.is_some() => "disclosed".to_owned(),
            Some(review) => review.outcome.to_string(),
            None => "received".to_owned(),
        };
        let (tell, notice) = self.notice(by, &status.order, &outcome, records)?;
        let recorded = self.decide(tell, Act::None, Vec::new())?;
        Ok((notice, Receipt::clone(&recorded.receipt)))
    }
}

impl TenantSession {
    /// Every order about this tenant's records that it may know of, in the order in which they came in.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if what is kept of one does not open; else as the database.
    pub fn orders(&self) -> Result<Vec<OrderStatus>> {
        let book = Book::of(&self.room, (self.tenant(), ORDER), self.operator(), |book| {
            self.each_paper(ORDER, PaperPlace::default(), |paper| {
                let bad = || Error::new(ErrorKind::Tampered, "reading what is kept of an order");
                book.learn(paper.about.ok_or_else(bad)?, (paper.log, paper.seq), decode(&paper.bytes)?)
            })
        })?;
        Ok(book.orders)
    }
}
