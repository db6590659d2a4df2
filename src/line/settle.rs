//! Step 8: answers → ends, dead tokens, unused quota. Pure half: what each verdict makes of its delivery, and
//! which "dead token" answers are believed.
//!
//! A wrong credential, topic or environment of ours makes every token look dead. So two rules stand before a removal
//! (law 6): if most of a batch turns dead at once nothing of it is removed, and an answer that a wrong setting would
//! also explain removes only while the same account is seen to accept others; that memory is the `Account` object's.

use crate::model::table::Table;

use super::{admit, begin::Batch};
use crate::{
    crypto::hash,
    model::{
        app::Over,
        delivery::{Delivery, Reason, Recipient, State},
        device::Address,
        ids::UserId,
        outcome::{Certainty, Outcome, RetryWhy, Verdict},
        page::Page,
        time::Millis,
    },
    vendor::Vendor,
    wire::{
        ledger::{End, To},
        user::Gone,
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
    /// Per vendor: deliveries that took a grant and did not use it.
    pub unused: Table<Vendor, u64>,
    /// Devices of which a vendor says that notifications are switched off.
    pub muted: Vec<Dead>,
    /// Vendors of whom a class has no more today, as they say.
    pub closed: Vec<Vendor>,
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
        let under = (address.vendor, blame);
        let weigh = after.weigh.entry(under.clone()).or_default();
        match &verdict.outcome {
            Outcome::Accepted { .. } => weigh.accepted += 1,
            Outcome::TokenGone { since, certainty } => {
                dead_at.push((at, under));
                if let Some(dead) = dead(delivery, address, *since) {
                    match certainty {
                        Certainty::Certain => weigh.certain.push(dead),
                        Certainty::Ambiguous => weigh.ambiguous.push(dead),
                    }
                }
            }
            Outcome::Muted => after.muted.extend(dead(delivery, address, None)),
            Outcome::Quota if !after.closed.contains(&address.vendor) => after.closed.push(address.vendor),
            Outcome::Quota => {}
            Outcome::Retry { .. }
            | Outcome::Rejected
            | Outcome::TooLarge
            | Outcome::Capped
            | Outcome::Credentials(_)
            | Outcome::Unknown => {}
        }
        if !used(&verdict.outcome) {
            *after.unused.entry(address.vendor).or_default() += 1;
        }
        let tag = Some(hash::tag(address.token.reveal())).filter(|tag| *tag != delivery.tag);
        let mut end = end(at, delivery.tries, verdict);
        if end.reason == Some(Reason::Quota) {
            let until = address.vendor.refused_until(now);
            let (to, ..) = admit::no_quota(over, until, batch.page.expires);
            if matches!(to, To::Held(_)) {
                end.to = to;
            }
        }
        ends.insert(at, End { tag, ..end });
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
            (Some(end), _) => end.clone(),
            // Nothing was even tried: nothing may be left without an end.
            (None, Some(address)) => {
                *after.unused.entry(address.vendor).or_default() += 1;
                (To::Retry(None), Reason::VendorUnavailable, Some("not sent".into()))
            }
            (None, None) => continue,
        };
        let tries = delivery.tries;
        let reason = Some(reason);
        ends.insert(at, End { at: place(at), tries, to, sent: false, reason, detail, tag: None });
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

fn end(at: usize, tries: u32, verdict: Verdict) -> End {
    let (to, reason) = match verdict.outcome {
        Outcome::Accepted { id } => (To::Accepted(id), None),
        Outcome::TokenGone { .. } => (To::Failed, Some(Reason::TokenGone)),
        Outcome::Retry { after, why: RetryWhy::RateLimited } => (To::Retry(after), Some(Reason::RateLimited)),
        Outcome::Retry { after, why: RetryWhy::Unavailable } => {
            (To::Retry(after), Some(Reason::VendorUnavailable))
        }
        Outcome::Rejected => (To::Failed, Some(Reason::VendorRejected)),
        Outcome::TooLarge => (To::Failed, Some(Reason::TooLarge)),
        Outcome::Quota => (To::Failed, Some(Reason::Quota)),
        Outcome::Capped => (To::Failed, Some(Reason::Cap)),
        Outcome::Muted => (To::Failed, Some(Reason::PermissionOff)),
        Outcome::Credentials(_) => (To::Failed, Some(Reason::Credentials)),
        Outcome::Unknown => (To::Unknown, Some(Reason::NoAnswer)),
    };
    End { at: place(at), tries, to, sent: verdict.left, reason, detail: verdict.detail, tag: None }
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
mod tests {
    use super::*;
    use crate::{
        line::begin::Entry,
        model::{
            ids::{DeviceId, PushId},
            outcome::Again,
            page::Part,
            push::{Category, OnUnknown},
            secret::Secret,
        },
        object::ledger::page,
        vendor::Ids,
    };

    fn batch(n: usize) -> Batch {
        let id = PushId::new(Millis(0), [0; 10]);
        let address = |n: usize| Address {
            vendor: Vendor::Apns,
            token: Secret::new(format!("t{n}")),
            environment: None,
            topic: None,
        };
        let recipient = |n: usize| {
            Recipient::Device(UserId::parse(format!("u{n}")).unwrap(), DeviceId::parse("d").unwrap())
        };
        let sending = |n| Delivery::sending(recipient(n), Vendor::Apns, None, false, Millis(0));
        let page = Page {
            push: id.clone(),
            part: Part::Whole,
            category: Category::Marketing,
            campaign: None,
            due: Millis(0),
            expires: Millis(86_400_000),
            on_unknown: OnUnknown::Keep,
            body: None,
            took: 0,
            deliveries: (0..n).map(sending).collect(),
        };
        let entry =
            |n: usize| Entry { ids: Ids::new(&id, n), address: Some(address(n)), end: None, tried: false };
        Batch { page, entries: (0..n).map(entry).collect(), drafts: Table::new(), again: false }
    }

    fn gone(certainty: Certainty) -> Outcome {
        Outcome::TokenGone { since: Some(Millis(7)), certainty }
    }

    fn run(outcomes: Vec<Outcome>) -> (Page, Aftermath) {
        let mut batch = batch(outcomes.len());
        let tried = outcomes.into_iter().enumerate().map(|(entry, outcome)| Tried {
            entry,
            blame: "b".into(),
            verdict: Verdict::new(outcome, "words"),
        });
        let (ends, after) = settle(&batch, tried.collect(), &[], Millis(1_000));
        page::settle(&mut batch.page, &ends, Millis(1_000));
        (batch.page, after)
    }

    #[test]
    fn every_outcome_has_one_state() {
        let (page, after) = run(vec![
            Outcome::Accepted { id: Some("v".into()) },
            gone(Certainty::Certain),
            Outcome::Retry { after: Some(60), why: RetryWhy::RateLimited },
            Outcome::Retry { after: None, why: RetryWhy::Unavailable },
            Outcome::Rejected,
            Outcome::TooLarge,
            Outcome::Credentials(Again::No),
            Outcome::Unknown,
        ]);
        let states: Vec<_> =
            page.deliveries.iter().map(|delivery| (delivery.state, delivery.reason)).collect();
        assert_eq!(
            states,
            [
                (State::Accepted, None),
                (State::Failed, Some(Reason::TokenGone)),
                (State::Retrying, Some(Reason::RateLimited)),
                (State::Retrying, Some(Reason::VendorUnavailable)),
                (State::Failed, Some(Reason::VendorRejected)),
                (State::Failed, Some(Reason::TooLarge)),
                (State::Failed, Some(Reason::Credentials)),
                (State::Unknown, Some(Reason::NoAnswer)),
            ]
        );
        assert_eq!(page.deliveries[0].vendor_id.as_deref(), Some("v"));
        let until = page.deliveries[2].until.unwrap();
        assert!((Millis(61_000)..Millis(76_000)).contains(&until), "{until:?}");
        assert_eq!(after.unused[&Vendor::Apns], 6, "accepted and unknown keep their grant");
    }

    #[test]
    fn a_vendors_refusal_closes_its_class_and_what_it_refused_may_wait() {
        let states = |over: &[Over], expires| {
            let mut batch = batch(3);
            batch.page.expires = expires;
            let verdict = |outcome| Verdict::new(outcome, "words");
            let outcomes = [Outcome::Quota, Outcome::Quota, Outcome::Capped].into_iter().enumerate();
            let tried = outcomes.map(|(entry, outcome)| Tried {
                entry,
                blame: "b".into(),
                verdict: verdict(outcome),
            });
            let (ends, after) = settle(&batch, tried.collect(), over, Millis(40_000_000));
            assert_eq!(after.closed, [Vendor::Apns]);
            assert_eq!(after.unused[&Vendor::Apns], 3);
            page::settle(&mut batch.page, &ends, Millis(1_000));
            batch.page.deliveries.into_iter().map(|delivery| (delivery.state, delivery.reason)).collect()
        };
        let dropped: Vec<_> = states(&[Over::Drop], Millis(200_000_000));
        let (quota, cap) = (Some(Reason::Quota), (State::Failed, Some(Reason::Cap)));
        assert_eq!(dropped, [(State::Failed, quota), (State::Failed, quota), cap]);
        assert_eq!(
            states(&[Over::Later], Millis(200_000_000)),
            [(State::Held, quota), (State::Held, quota), cap]
        );
        assert_eq!(states(&[Over::Later], Millis(80_000_000)), dropped);
    }

    #[test]
    fn nothing_is_left_without_an_end() {
        let mut batch = batch(3);
        batch.end(Vendor::Apns, 2, &(To::Skipped(None), Reason::Quota, None));
        let verdict = Verdict::accepted(None);
        let (ends, after) =
            settle(&batch, vec![Tried { entry: 1, blame: "b".into(), verdict }], &[], Millis(0));
        page::settle(&mut batch.page, &ends, Millis(0));
        let states: Vec<_> = batch.page.deliveries.iter().map(|delivery| delivery.state).collect();
        assert_eq!(states, [State::Retrying, State::Accepted, State::Skipped]);
        assert_eq!(after.unused[&Vendor::Apns], 1, "what was not granted is not given back");
    }

    #[test]
    fn certain_words_remove_unless_most_of_a_batch_is_dead() {
        let accepted = || Outcome::Accepted { id: None };
        let mixed = |dead: usize, alive: usize| {
            let outcomes = (0..dead).map(|_| gone(Certainty::Certain)).chain((0..alive).map(|_| accepted()));
            let (_, after) = run(outcomes.collect());
            after.weigh[&(Vendor::Apns, "b".to_owned())]
                .words(false)
                .iter()
                .filter(|dead| dead.gone.remove)
                .count()
        };
        assert_eq!(mixed(1, 0), 1);
        assert_eq!(mixed(10, 10), 10);
        assert_eq!(mixed(11, 9), 0);
        assert_eq!(mixed(25, 0), 0);
        assert_eq!(mixed(19, 0), 19, "too few to speak of a batch");
    }

    #[test]
    fn too_many_ambiguous_words_of_a_batch_are_our_own_fault_and_said_to_be() {
        let run = |dead: usize, alive: usize| {
            let outcomes = (0..dead).map(|_| gone(Certainty::Ambiguous));
            let outcomes = outcomes.chain((0..alive).map(|_| Outcome::Accepted { id: None }));
            let (page, after) = run(outcomes.collect());
            (page.deliveries[0].reason, after.weigh[&(Vendor::Apns, "b".to_owned())].suspect())
        };
        assert_eq!(run(5, 20), (Some(Reason::TokenGone), false));
        assert_eq!(run(12, 13), (Some(Reason::Credentials), true));
        assert_eq!(run(6, 14), (Some(Reason::Credentials), true));
        assert_eq!(run(3, 2), (Some(Reason::TokenGone), false), "too few to speak of a batch");
    }

    #[test]
    fn ambiguous_words_remove_only_when_believed() {
        let (_, after) = run(vec![gone(Certainty::Ambiguous), Outcome::Accepted { id: None }]);
        let weigh = &after.weigh[&(Vendor::Apns, "b".to_owned())];
        assert_eq!((weigh.accepted, weigh.ambiguous.len()), (1, 1));
        assert!(weigh.words(true)[0].gone.remove);
        assert!(!weigh.words(false)[0].gone.remove);
        assert_eq!(weigh.words(true)[0].gone.token_sha256, hash::sha256_hex(b"t0"));
        assert_eq!(by_user(weigh.words(true)).len(), 1);
    }

    #[test]
    fn a_raw_token_has_no_owner_to_be_told() {
        let mut batch = batch(1);
        batch.page.deliveries[0].recipient = Recipient::Token(0);
        let verdict = Verdict::new(gone(Certainty::Certain), "Unregistered");
        let (ends, after) =
            settle(&batch, vec![Tried { entry: 0, blame: "b".into(), verdict }], &[], Millis(0));
        assert!(after.weigh[&(Vendor::Apns, "b".to_owned())].certain.is_empty());
        assert_eq!(ends[0].reason, Some(Reason::TokenGone));
    }
}
