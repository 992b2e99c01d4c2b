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
        self.deciding(tenant, order, "giving a notice", |case, status| {
            if let Some(until) = status.gagged(Timestamp::now()) {
                let why = format!("the tenant must not be told before {until}");
                return Err(Error::new(ErrorKind::Refused, "giving a notice").because(why));
            }
            case.give_notice(&status, None, by)
        })
    }

    /// Tells the tenant of an order before the day until which it must not know: the authority or a court allows it, or the day
    /// was written down wrongly. As [`give_notice`](Self::give_notice); its entry says `reason`.
    ///
    /// # Errors
    /// [`Refused`](ErrorKind::Refused) if the tenant may be told by [`give_notice`](Self::give_notice); else as there.
    pub fn lift_gag(
        &self,
        tenant: TenantId,
        order: OrderId,
        reason: &str,
        by: &str,
    ) -> Result<(DisclosureNotice, Receipt)> {
        let doing = "lifting a gag with words that a ledger cannot tell";
        check_text(by, doing)?;
        check_text(reason, doing)?;
        self.deciding(tenant, order, "lifting a gag", |case, status| {
            if status.noticed.is_none() && status.gagged(Timestamp::now()).is_none() {
                let why = "nothing keeps the tenant from being told";
                return Err(Error::new(ErrorKind::Refused, "lifting a gag").because(why));
            }
            case.give_notice(&status, Some(reason), by)
        })
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
    fn give_notice(&self, status: &OrderStatus, lifted: Option<&str>, by: &str) -> Result<(DisclosureNotice, Receipt)> {
        if status.noticed.is_some() {
            return Err(Error::new(ErrorKind::AlreadyExists, "giving a notice that was given"));
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
        let (mut tell, notice) = self.notice(by, &status.order, &outcome, records)?;
        if let Some(reason) = lifted {
            tell = tell.detail("lifted", reason);
        }
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
