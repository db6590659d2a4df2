//! Step 8: answers → final states, dead tokens, unused quota. Pure half: what each verdict makes of its delivery, and
//! which "dead token" answers are believed.
//!
//! A wrong credential, topic or environment of ours makes every token look dead. So two rules stand before a removal
//! (law 6): if most of a batch turns dead at once nothing of it is removed, and an answer that a wrong setting would
//! also explain removes only while the same account is seen to accept others; that memory is the `Account` object's.

use std::collections::BTreeMap;

use super::begin::{Batch, Entry};
use crate::{
    crypto::hash,
    model::{
        delivery::{Delivery, Reason, Recipient, State},
        ids::UserId,
        outcome::{Certainty, Outcome, RetryWhy, Verdict},
        time::Millis,
    },
    vendor::Vendor,
    wire::user::Gone,
};

/// From how many answers on "most of a batch" means something.
const BATCH_MIN: usize = 20;

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
}

/// A token that was called dead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dead {
    /// Whose.
    pub user: UserId,
    /// The word on it; `remove` is decided later.
    pub gone: Gone,
}

/// What is left to do when the states are final.
#[derive(Debug, Default)]
pub struct Aftermath {
    /// Per vendor and blame.
    pub weigh: BTreeMap<(Vendor, String), Weigh>,
    /// Per vendor: deliveries that took a grant and did not use it.
    pub unused: BTreeMap<Vendor, u64>,
}

/// Makes every delivery's state final.
pub fn settle(batch: &mut Batch, tried: Vec<Tried>, now: Millis) -> Aftermath {
    let mut after = Aftermath::default();
    for Tried { entry, blame, verdict } in tried {
        let Some(entry) = batch.entries.get_mut(entry) else { continue };
        let Some(vendor) = entry.delivery.vendor else { continue };
        let weigh = after.weigh.entry((vendor, blame)).or_default();
        match &verdict.outcome {
            Outcome::Accepted { .. } => weigh.accepted += 1,
            Outcome::TokenGone { since, certainty } => {
                if let Some(dead) = dead(entry, *since) {
                    match certainty {
                        Certainty::Certain => weigh.certain.push(dead),
                        Certainty::Ambiguous => weigh.ambiguous.push(dead),
                    }
                }
            }
            Outcome::Retry { .. }
            | Outcome::Rejected
            | Outcome::TooLarge
            | Outcome::Credentials(_)
            | Outcome::Unknown => {}
        }
        if !used(&verdict.outcome) {
            *after.unused.entry(vendor).or_default() += 1;
        }
        apply(&mut entry.delivery, verdict, now);
    }
    for entry in &mut batch.entries {
        if entry.delivery.state != State::Sending {
            continue;
        }
        // Nothing was even tried: nothing may be left without an end.
        if let Some(vendor) = entry.delivery.vendor {
            *after.unused.entry(vendor).or_default() += 1;
        }
        let not_tried = Outcome::Retry { after: None, why: RetryWhy::Unavailable };
        apply(&mut entry.delivery, Verdict::new(not_tried, "not sent"), now);
    }
    after
}

/// Whether the vendor may have counted it. What may have arrived counts.
fn used(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Accepted { .. } | Outcome::Unknown => true,
        Outcome::TokenGone { .. }
        | Outcome::Retry { .. }
        | Outcome::Rejected
        | Outcome::TooLarge
        | Outcome::Credentials(_) => false,
    }
}

fn dead(entry: &Entry, since: Option<Millis>) -> Option<Dead> {
    let (Recipient::Device(user, device), Some(address)) = (&entry.delivery.recipient, &entry.address) else {
        return None;
    };
    let token_sha256 = hash::sha256_hex(address.token.reveal().as_bytes());
    Some(Dead {
        user: user.clone(),
        gone: Gone { device: device.clone(), token_sha256, since, remove: false },
    })
}

fn apply(delivery: &mut Delivery, verdict: Verdict, now: Millis) {
    let (state, reason) = match verdict.outcome {
        Outcome::Accepted { id } => {
            delivery.vendor_id = id;
            (State::Accepted, None)
        }
        Outcome::TokenGone { .. } => (State::Failed, Some(Reason::TokenGone)),
        Outcome::Retry { after, why } => {
            delivery.until = after.map(|secs| now.plus_secs(u64::from(secs)));
            let reason = match why {
                RetryWhy::RateLimited => Reason::RateLimited,
                RetryWhy::Unavailable => Reason::VendorUnavailable,
            };
            (State::Failed, Some(reason))
        }
        Outcome::Rejected => (State::Failed, Some(Reason::VendorRejected)),
        Outcome::TooLarge => (State::Failed, Some(Reason::TooLarge)),
        Outcome::Credentials(_) => (State::Failed, Some(Reason::Credentials)),
        Outcome::Unknown => (State::Unknown, Some(Reason::NoAnswer)),
    };
    delivery.state = state;
    delivery.reason = reason;
    delivery.detail = verdict.detail;
}

impl Weigh {
    /// Most of a batch turned dead at once: our own setting is suspected, nothing is removed.
    pub fn mass(&self) -> bool {
        let dead = self.certain.len() + self.ambiguous.len();
        let answered = dead + usize::try_from(self.accepted).unwrap_or(usize::MAX);
        answered >= BATCH_MIN && dead * 2 > answered
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
    let mut users: BTreeMap<UserId, Vec<Gone>> = BTreeMap::new();
    for Dead { user, gone } in words {
        users.entry(user).or_default().push(gone);
    }
    users.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{
            device::Address,
            ids::{DeviceId, PushId},
            outcome::Again,
            secret::Secret,
        },
        vendor::Ids,
    };

    fn batch(n: usize) -> Batch {
        let id = PushId::new(Millis(0), [0; 10]);
        let entry = |n: usize| Entry {
            delivery: Delivery::sending(
                Recipient::Device(UserId::parse(format!("u{n}")).unwrap(), DeviceId::parse("d").unwrap()),
                Vendor::Apns,
                false,
            ),
            ids: Ids::new(&id, n),
            address: Some(Address {
                vendor: Vendor::Apns,
                token: Secret::new(format!("t{n}")),
                environment: None,
                topic: None,
            }),
        };
        Batch { entries: (0..n).map(entry).collect(), id, drafts: BTreeMap::new() }
    }

    fn gone(certainty: Certainty) -> Outcome {
        Outcome::TokenGone { since: Some(Millis(7)), certainty }
    }

    fn run(outcomes: Vec<Outcome>) -> (Batch, Aftermath) {
        let mut batch = batch(outcomes.len());
        let tried = outcomes.into_iter().enumerate().map(|(entry, outcome)| Tried {
            entry,
            blame: "b".into(),
            verdict: Verdict::new(outcome, "words"),
        });
        let tried = tried.collect();
        let after = settle(&mut batch, tried, Millis(1_000));
        (batch, after)
    }

    #[test]
    fn every_outcome_has_one_state() {
        let (batch, after) = run(vec![
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
            batch.entries.iter().map(|entry| (entry.delivery.state, entry.delivery.reason)).collect();
        assert_eq!(
            states,
            [
                (State::Accepted, None),
                (State::Failed, Some(Reason::TokenGone)),
                (State::Failed, Some(Reason::RateLimited)),
                (State::Failed, Some(Reason::VendorUnavailable)),
                (State::Failed, Some(Reason::VendorRejected)),
                (State::Failed, Some(Reason::TooLarge)),
                (State::Failed, Some(Reason::Credentials)),
                (State::Unknown, Some(Reason::NoAnswer)),
            ]
        );
        assert_eq!(batch.entries[0].delivery.vendor_id.as_deref(), Some("v"));
        assert_eq!(batch.entries[2].delivery.until, Some(Millis(61_000)));
        assert_eq!(after.unused[&Vendor::Apns], 6, "accepted and unknown keep their grant");
    }

    #[test]
    fn nothing_is_left_without_an_end() {
        let mut batch = batch(2);
        let verdict = Verdict::accepted(None);
        let after = settle(&mut batch, vec![Tried { entry: 1, blame: "b".into(), verdict }], Millis(0));
        let states: Vec<_> = batch.entries.iter().map(|entry| entry.delivery.state).collect();
        assert_eq!(states, [State::Failed, State::Accepted]);
        assert_eq!(after.unused[&Vendor::Apns], 1);
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
        batch.entries[0].delivery.recipient = Recipient::Token(0);
        let verdict = Verdict::new(gone(Certainty::Certain), "Unregistered");
        let after = settle(&mut batch, vec![Tried { entry: 0, blame: "b".into(), verdict }], Millis(0));
        assert!(after.weigh[&(Vendor::Apns, "b".to_owned())].certain.is_empty());
        assert_eq!(batch.entries[0].delivery.reason, Some(Reason::TokenGone));
    }
}
