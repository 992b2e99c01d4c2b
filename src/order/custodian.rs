use std::fmt;

use zeroize::Zeroizing;

use super::approval::{Approval, ITEM};
use super::request::{OrderRequest, Stage};
use super::withheld::{GagKey, Withheld};
use crate::epoch::Chain;
use crate::error::{Error, ErrorKind, Result};
use crate::id::EpochId;
use crate::key::{Opener, PublicKey};
use crate::seal::{Place, Sharing};
use crate::secret::Secret;
use crate::stream::unwrap;
use crate::time::Timestamp;

/// One who holds a share of the power to open a tenant's records when the law requires it. Works offline: from a file to a
/// file.
///
/// ```no_run
/// use strongroom::{Custodian, Identity, OrderRequest};
/// # fn approve(operator: strongroom::PublicKey) -> Result<(), Box<dyn std::error::Error>> {
/// let custodian = Custodian::new(Identity::read_file("custodian.identity")?, operator);
/// let request = OrderRequest::from_bytes(&std::fs::read("order.request")?)?;
/// println!("{request}");
/// std::fs::write("order.approval", custodian.approve(&request)?.to_bytes())?;
/// # Ok(())
/// # }
/// ```
pub struct Custodian {
    opener: Box<dyn Opener>,
    operator: PublicKey,
}

impl Custodian {
    /// With its identity, or whatever door leads to it, and the key of the operator whose requests it answers. That key must
    /// come from elsewhere than a request.
    pub fn new(opener: impl Opener + 'static, operator: PublicKey) -> Self {
        Self { opener: Box::new(opener), operator }
    }

    /// Opens this custodian's shares of what the request lists, and of nothing else, and seals them to the request's one-time
    /// key. Print the request before: it says what is approved.
    ///
    /// # Errors
    /// [`Refused`](ErrorKind::Refused) if another operator asks, or the request has expired; [`WrongKey`](ErrorKind::WrongKey)
    /// if this is no custodian of any of it, or its key does not sign; [`Tampered`](ErrorKind::Tampered) if a share is not what
    /// was sealed to it.
    pub fn approve(&self, request: &OrderRequest) -> Result<Approval> {
        self.approve_at(request, Timestamp::now())
    }

    pub(super) fn approve_at(&self, request: &OrderRequest, now: Timestamp) -> Result<Approval> {
        let doing = "approving a request";
        if request.operator() != self.operator {
            return Err(Error::new(ErrorKind::Refused, doing).because("another operator signed it"));
        }
        if now >= request.expires() {
            return Err(Error::new(ErrorKind::Refused, doing).because("it has expired"));
        }
        let wrong = || Error::new(ErrorKind::WrongKey, doing).because("it asks for no share of this custodian");
        let recipient = self.opener.recipient();
        let (key, _) = self.opener.sign(&[]).ok_or_else(wrong)?;
        if request.policies_of(recipient, &key).is_empty() {
            return Err(wrong());
        }
        let mut shares = Zeroizing::new(vec![0; request.items() * ITEM]);
        let mut walk: Option<(EpochId, u32, Chain)> = None;
        let bad = || Error::new(ErrorKind::Tampered, "opening a custodian's share");
        let items = shares.chunks_exact_mut(ITEM).zip(request.sealed_under()?);
        for (at, (item, (epoch, policy))) in items.enumerate() {
            let Some(number) = policy.number_of(recipient, &key) else { continue };
            let share = match request.stage() {
                Stage::Find => epoch.open_as_custodian(number, &*self.opener)?.1,
                Stage::Open | Stage::Drill => {
                    let header = request.records.get(at).ok_or_else(bad)?;
                    let (here, mut chain) = match walk.take() {
                        Some((of, here, chain)) if of == header.epoch => (here, chain),
                        _ => (0, epoch.open_as_custodian(number, &*self.opener)?.0),
                    };
                    if header.seq >= crate::epoch::EPOCH_RECORDS {
                        return Err(bad());
                    }
                    // The request lists them in this order.
                    (here..header.seq).for_each(|_| chain.advance());
                    let message_key = chain.message_key();
                    walk = Some((header.epoch, header.seq, chain));
                    let (commitment, sealed) = header.shares.get(usize::from(number) - 1).ok_or_else(bad)?;
                    let sharing = Sharing { policy: epoch.policy(), threshold: policy.threshold() };
                    let place = Place::of(header);
                    let context = place.share_context(sharing, number, policy.custodians().len() as u8);
                    let share = Secret::from_slice(&unwrap(&message_key, &context, sealed)?).ok_or_else(bad)?;
                    if place.share_commitment(number, &share) != *commitment {
                        return Err(bad());
                    }
                    share
                }
            };
            item[0] = 1;
            item[1..].copy_from_slice(share.expose_secret());
        }
        Approval::new(request, &*self.opener, &shares, now)
    }

    /// The key of entries that are withheld from a tenant, for when the day has come on which the tenant is to be told: so that
    /// it can be told though the operator does not.
    ///
    /// # Errors
    /// [`Refused`](ErrorKind::Refused) before that day; [`WrongKey`](ErrorKind::WrongKey) if it was not sealed to this custodian.
    pub fn lift(&self, withheld: &Withheld) -> Result<GagKey> {
        withheld.open(&*self.opener, Timestamp::now())
    }
}

impl fmt::Debug for Custodian {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Custodian({})", self.opener.recipient())
    }
}
