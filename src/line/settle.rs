//! Step 8: answers → ends, dead tokens, unused quota. Pure half: what each verdict makes of its delivery, and
//! which "dead token" answers are believed.
//!
//! A wrong credential, topic or environment of ours makes every token look dead. So two rules stand before a removal
//! (law 6): if most of a batch turns dead at once nothing of it is removed, and an answer that a wrong setting would
//! also explain removes only while the same account is seen to accept others; that memory is the `Account` object's.

use crate::model::table::Table;

use super::{admit, begin::Batch, pace};
use crate::{
    crypto::hash,
    model::{
        delivery::{Delivery, Reason, Recipient, State},
        device::Address,
        ids::UserId,
        outcome::{Certainty, Outcome, RetryWhy, Verdict},
        page::Page,
        policy::Over,
        time::Millis,
    },
    vendor::Vendor,
    wire::{
        account::Report,
        ledger::{End, To},
        user::{Call, Gone},
    },
};

/// From how many answers on their shares mean something.
const BATCH_MIN: usize = 20;
/// Words for those who are called dead with too many others.
const SUSPECT: &str = "so many tokens of this batch were called dead that our credential, topic or environment is suspected; none was removed";

/// One try that has ended.
#[derive(Debug)]
pub struct Tried {
    /// Which entry of the batch.
    pub entry: usize,
    /// Which of our settings a "dead token" answer could also be blamed on.
    pub blame: String,
    /// What came of it.
    pub verdict: Verdict,
}

/// Answers of one account under one setting, to be weighed together.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Weigh {
    /// Tokens the vendor took.
    pub accepted: u64,
    /// Tokens called dead in words that can mean nothing else.
    pub certain: Vec<Dead>,
    /// Tokens called dead in words that can.
    pub ambiguous: Vec<Dead>,
    /// Tokens of the same batch that were called dead before: reports of it come one by one.
    pub before: usize,
}

/// A token that was called dead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dead {
    /// Whose.
    pub user: UserId,
    /// The word on it; `remove` is decided later.
    pub gone: Gone,
}

/// What is left to do when the ends are written down.
#[derive(Debug, Default)]
pub struct Aftermath {
    /// Per vendor and blame.
    pub weigh: Table<(Vendor, String), Weigh>,
    /// Per vendor, and whether in the lower class: deliveries that took a grant and did not use it.
    pub unused: Table<(Vendor, bool), u64>,
    /// Devices of which a vendor says that notifications are switched off.
    pub muted: Vec<Dead>,
    /// Vendors, and whether in the lower class, that say that there is no more of it today.
    pub closed: Vec<(Vendor, bool)>,
    /// Per vendor: how its sends went.
    pub went: Vec<(Vendor, Report)>,
    /// What users' objects have counted and was not sent.
    pub back: Vec<(UserId, Call)>,
}

/// What has become of this try of every delivery under way.
///
/// `over`: what the app wants of messages that a vendor's quota refuses.
pub fn settle(batch: &Batch, tried: Vec<Tried>, over: &[Over], now: Millis) -> (Vec<End>, Aftermath) {
    let mut after = Aftermath::default();
    let mut ends: Table<usize, End> = Table::new();
    let mut dead_at = Vec::new();
    for Tried { entry: at, blame, verdict } in tried {
        let Some((delivery, address)) = under_way(batch, at) else { continue };
        let downgraded = batch.entries.get(at).is_some_and(|entry| entry.downgraded);
        let passed = (address.vendor, downgraded);
        let under = (address.vendor, blame);
        pace::note(&mut after.went, address.vendor, &verdict);
        if matches!(verdict.outcome, Outcome::TokenGone { .. }) {
            dead_at.push((at, under.clone()));
        }
        let weigh = after.weigh.entry(under).or_default();
        match &verdict.outcome {
            Outcome::Accepted { .. } => weigh.accepted += 1,
            Outcome::TokenGone { since, certainty } => {
                if let Some(dead) = dead(delivery, address, *since) {
                    match certainty {
                        Certainty::Certain => weigh.certain.push(dead),
                        Certainty::Ambiguous => weigh.ambiguous.push(dead),
                    }
                }
            }
            Outcome::Muted => after.muted.extend(dead(delivery, address, None)),
            Outcome::Quota if !after.closed.contains(&passed) => after.closed.push(passed),
            Outcome::Quota => {}
            Outcome::Retry { .. }
            | Outcome::Rejected
            | Outcome::TooLarge
            | Outcome::Capped
            | Outcome::Credentials(_)
            | Outcome::Unknown => {}
        }
        if !used(&verdict.outcome) {
            *after.unused.entry(passed).or_default() += 1;
        }
        // A page that has just begun has the tags of these addresses.
        let tag = batch.again.then(|| hash::tag(address.token.reveal())).filter(|tag| *tag != delivery.tag);
        let Page { category, expires, .. } = batch.page;
        let until = address.vendor.refused_until(now);
        let next = admit::refused(over, category, downgraded, until, expires, now);
        ends.insert(at, End { tag, downgraded, ..end(at, delivery.tries, verdict, next) });
    }
    // What the gateway does not believe it does not pass on either: a backend would forget its users.
    for (at, under) in dead_at {
        if after.weigh.get(&under).is_some_and(Weigh::suspect)
            && let Some(end) = ends.get_mut(&at)
        {
            end.reason = Some(Reason::Credentials);
            end.detail = Some(format!("{}: {SUSPECT}", end.detail.take().unwrap_or_default()));
        }
    }
    for (at, entry) in batch.entries.iter().enumerate() {
        let Some(delivery) = batch.page.deliveries.get(at) else { continue };
        if delivery.state != State::Sending || ends.contains_key(&at) {
            continue;
        }
        let (to, reason, detail) = match (&entry.end, &entry.address) {
            (Some(end), address) => {
                if let Some(address) = address {
                    *after.unused.entry((address.vendor, entry.downgraded)).or_default() += 1;
                }
                end.clone()
            }
            // Nothing was even tried: nothing may be left without an end.
            (None, Some(address)) => {
                *after.unused.entry((address.vendor, entry.downgraded)).or_default() += 1;
                (To::Retry(None), Reason::VendorUnavailable, Some("not sent".into()))
            }
            (None, None) => continue,
        };
        let tries = delivery.tries;
        let reason = Some(reason);
        let downgraded = entry.downgraded;
        ends.insert(at, End { at: place(at), tries, to, sent: false, reason, detail, tag: None, downgraded });
    }
    (ends.into_iter().map(|(_, end)| end).collect(), after)
}

/// Users of whom personal messages were not sent because notifications are off on every device that was meant.
pub fn missed(batch: &Batch) -> Vec<UserId> {
    let page = &batch.page;
    if !page.category.personal() || batch.again {
        return Vec::new();
    }
    let (mut off, mut on) = (Vec::new(), Vec::new());
    for delivery in &page.deliveries {
        let Recipient::Device(user, _) = &delivery.recipient else { continue };
        if delivery.reason == Some(Reason::PermissionOff) {
            off.push(user.clone());
        } else {
            on.push(user);
        }
    }
    off.dedup();
    off.retain(|user| !on.contains(&user));
    off
}

/// Nothing of what is due of a page could be sent.
pub fn not_sent(page: &Page, due: &[u32], why: &str) -> Vec<End> {
    let sending = page.deliveries.iter().enumerate().filter(|(at, _)| due.contains(&place(*at)));
    let end = |(at, delivery): (usize, &Delivery)| End {
        at: place(at),
        tries: delivery.tries,
        to: To::Retry(None),
        sent: false,
        reason: Some(Reason::VendorUnavailable),
        detail: Some(format!("not sent: {why}")),
        tag: None,
        downgraded: false,
    };
    sending.map(end).collect()
}

fn under_way(batch: &Batch, at: usize) -> Option<(&Delivery, &Address)> {
    let address = batch.entries.get(at)?.address.as_ref()?;
    Some((batch.page.deliveries.get(at)?, address))
}

fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// Whether the vendor may have counted it. What may have arrived counts.
fn used(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Accepted { .. } | Outcome::Unknown => true,
        Outcome::TokenGone { .. }
        | Outcome::Retry { .. }
        | Outcome::Rejected
        | Outcome::TooLarge
        | Outcome::Quota
        | Outcome::Capped
        | Outcome::Muted
        | Outcome::Credentials(_) => false,
    }
}

fn dead(delivery: &Delivery, address: &Address, since: Option<Millis>) -> Option<Dead> {
    let Recipient::Device(user, device) = &delivery.recipient else { return None };
    let token_sha256 = hash::sha256_hex(address.token.reveal().as_bytes());
    Some(Dead {
        user: user.clone(),
        gone: Gone { device: device.clone(), token_sha256, since, remove: false, reported: false },
    })
}

/// `next`: when a message that the vendor's quota refuses may go out, if it is to wait.
fn end(at: usize, tries: u32, verdict: Verdict, next: Option<Millis>) -> End {
    let (to, reason) = match verdict.outcome {
        Outcome::Accepted { id } => (To::Accepted(id), None),
        Outcome::TokenGone { .. } => (To::Failed, Some(Reason::TokenGone)),
        Outcome::Retry { after, why: RetryWhy::RateLimited | RetryWhy::DeviceLimited } => {
            (To::Retry(after), Some(Reason::RateLimited))
        }
        Outcome::Retry { after, why: RetryWhy::Unavailable } => {
            (To::Retry(after), Some(Reason::VendorUnavailable))
        }
        Outcome::Rejected => (To::Failed, Some(Reason::VendorRejected)),
        Outcome::TooLarge => (To::Failed, Some(Reason::TooLarge)),
        Outcome::Quota => (next.map_or(To::Failed, To::Held), Some(Reason::Quota)),
        Outcome::Capped => (To::Failed, Some(Reason::Cap)),
        Outcome::Muted => (To::Failed, Some(Reason::PermissionOff)),
        Outcome::Credentials(_) => (To::Failed, Some(Reason::Credentials)),
        Outcome::Unknown => (To::Unknown, Some(Reason::NoAnswer)),
    };
    let (sent, detail) = (verdict.left, verdict.detail);
    End { at: place(at), tries, to, sent, reason, detail, tag: None, downgraded: false }
}

impl Weigh {
    /// Most of a batch turned dead at once: our own setting is suspected, nothing is removed.
    pub fn mass(&self) -> bool {
        self.answered() >= BATCH_MIN && self.dead() * 2 > self.answered()
    }

    /// The same, or more than a fifth in words that a wrong setting of ours would also explain (vendor page, section 0).
    pub fn suspect(&self) -> bool {
        self.mass() || (self.answered() >= BATCH_MIN && self.ambiguous.len() * 5 > self.answered())
    }

    fn answered(&self) -> usize {
        self.dead().saturating_add(usize::try_from(self.accepted).unwrap_or(usize::MAX))
    }

    fn dead(&self) -> usize {
        self.certain.len() + self.ambiguous.len() + self.before
    }

    /// The words to pass on to the `User` objects, once it is known whether ambiguous ones are believed.
    pub fn words(&self, believe_ambiguous: bool) -> Vec<Dead> {
        let mass = self.mass();
        let with = |dead: &Dead, remove| Dead { gone: Gone { remove, ..dead.gone.clone() }, ..dead.clone() };
        let certain = self.certain.iter().map(|dead| with(dead, !mass));
        let ambiguous = self.ambiguous.iter().map(|dead| with(dead, !mass && believe_ambiguous));
        certain.chain(ambiguous).collect()
    }
}

/// Groups words by the user whose object is told.
pub fn by_user(words: Vec<Dead>) -> Vec<(UserId, Vec<Gone>)> {
    let mut users: Table<UserId, Vec<Gone>> = Table::new();
    for Dead { user, gone } in words {
        users.entry(user).or_default().push(gone);
    }
    users.into_iter().collect()
}

#[cfg(test)]
pub(crate) mod tests;
