//! Step 6, without a call: grants that this isolate holds ahead. A lease is a block of them with an end; while it lasts a push of
//! a limited class passes without asking the `Account` object.
//!
//! Law 4 holds because a lease is counted as granted when it is given out. What is left of it goes back with the next question, or
//! by itself when the lease has ended; what an isolate takes with it when it dies counts as used, and a lease is small where the
//! limit is small. Whose traffic is slow never leases.

use crate::{
    model::time::Millis,
    wire::account::{Class, Grant, LEASE_MS, Return},
};

/// Most that is asked for ahead.
const WANT_MAX: u64 = 1_000;
/// While somebody asks for a lease nobody else does, milliseconds.
const ASKING_MS: u64 = 1_000;

/// What one isolate holds of one class of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Purse {
    held: Option<Held>,
    /// When a lease was last asked for.
    asked_at: Millis,
    /// When anybody last asked.
    seen_at: Millis,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Held {
    id: u64,
    /// Given out.
    n: u64,
    left: u64,
    until: Millis,
    grants: Grants,
    /// Under which revision of the app.
    policy: u64,
}

/// What is needed to give grants back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Grants {
    /// When their window ends.
    pub resets_at: Millis,
    /// They count against a limit of the app's own.
    pub own: bool,
}

/// What a question to the account says of leases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// So many ahead.
    pub lease: u64,
    /// What is left of the last one.
    pub back: Option<Return>,
}

impl Purse {
    /// Lets deliveries pass out of what is held.
    pub fn take(&mut self, n: u64, policy: u64, now: Millis) -> Option<Grants> {
        let held = self.held.as_mut().filter(|held| held.policy == policy && held.until > now)?;
        held.left = held.left.checked_sub(n)?;
        Some(held.grants)
    }

    /// What has not been used after all stays here, if it is of the same kind. `false`: it is to go back to the account.
    pub fn put_back(&mut self, n: u64, grants: Grants, now: Millis) -> bool {
        let Some(held) = self.held.as_mut().filter(|held| held.grants == grants && held.until > now) else {
            return false;
        };
        held.left += n;
        true
    }

    /// The account has to be asked for so many: what is wished for beside. Traffic that comes quickly gets ahead: twice as much as
    /// last time where that was used up, about as much as was used where it was not.
    pub fn wish(&mut self, n: u64, class: Class, now: Millis) -> Wish {
        let quick = now.0.saturating_sub(self.seen_at.0) < LEASE_MS;
        self.seen_at = now;
        if now.0.saturating_sub(self.asked_at.0) < ASKING_MS {
            return Wish::default();
        }
        let lease = match &self.held {
            Some(held) if held.until > now => held.n.saturating_mul(2),
            Some(held) => held.n.saturating_sub(held.left).saturating_mul(5) / 4,
            None => n.saturating_mul(4),
        };
        let lease = if quick { lease.min(WANT_MAX) } else { 0 };
        if lease > 0 {
            self.asked_at = now;
        }
        Wish { lease, back: self.end(class) }
    }

    /// What the account gave.
    pub fn put(&mut self, grant: &Grant, policy: u64) {
        let Some(lease) = grant.lease else { return };
        let grants = Grants { resets_at: grant.until, own: grant.own };
        self.asked_at = Millis(0);
        let mut held = Held { id: lease.id, n: lease.n, left: lease.n, until: lease.until, grants, policy };
        // One that came late: both are one now, and end when the first of them does.
        if let Some(first) = self.held.take().filter(|first| first.grants == grants && first.policy == policy)
        {
            held.left += first.left;
            held.until = held.until.min(first.until);
        }
        self.held = Some(held);
    }

    /// A lease has ended: what is left of it. `None`: it is not this one any more, or nothing is left.
    pub fn ended(&mut self, id: u64, class: Class) -> Option<Return> {
        self.held.as_ref().filter(|held| held.id == id)?;
        self.end(class)
    }

    fn end(&mut self, class: Class) -> Option<Return> {
        let Held { id, left, grants: Grants { resets_at, own }, .. } = self.held.take()?;
        Some(Return { class, resets_at, n: left, own, close: false, lease: id })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        model::push::Category,
        object::account::State,
        vendor::Vendor,
        wire::account::{Admit, Lease},
    };

    const CLASS: Class = Class { category: Category::Marketing, goes_as: Category::Marketing };
    const T: Millis = Millis(1_000_000);

    fn grant(id: u64, n: u64, until: Millis) -> Grant {
        let lease = Some(Lease { id, n, until });
        Grant { n: 1, until: Millis(9_000_000), own: true, lease, ..Grant::default() }
    }

    fn after(ms: u64) -> Millis {
        Millis(T.0 + ms)
    }

    #[test]
    fn slow_traffic_never_leases() {
        let mut purse = Purse::default();
        for n in 1..9 {
            assert_eq!(purse.wish(1, CLASS, after(n * LEASE_MS)), Wish::default());
        }
    }

    #[test]
    fn quick_traffic_leases_more_and_more_and_one_at_a_time() {
        let mut purse = Purse::default();
        assert_eq!(purse.wish(1, CLASS, T).lease, 0);
        assert_eq!(purse.wish(1, CLASS, after(1)).lease, 4);
        assert_eq!(purse.wish(1, CLASS, after(2)).lease, 0, "somebody is asking");
        purse.put(&grant(7, 4, after(LEASE_MS)), 3);
        for _ in 0..4 {
            assert_eq!(purse.take(1, 3, after(3)), Some(Grants { resets_at: Millis(9_000_000), own: true }));
        }
        assert_eq!(purse.take(1, 3, after(3)), None);
        let wish = purse.wish(1, CLASS, after(4));
        assert_eq!((wish.lease, wish.back.map(|back| (back.lease, back.n))), (8, Some((7, 0))));
    }

    #[test]
    fn a_lease_that_comes_late_joins_the_other() {
        let mut purse = Purse::default();
        purse.put(&grant(7, 10, after(5)), 3);
        purse.put(&grant(8, 4, after(9)), 3);
        assert!(purse.take(12, 3, T).is_some());
        assert_eq!(purse.take(1, 3, after(5)), None, "the first has ended");
        assert_eq!((purse.ended(7, CLASS), purse.ended(8, CLASS).map(|back| back.n)), (None, Some(2)));
    }

    #[test]
    fn an_ended_or_outdated_lease_lets_nothing_pass_and_goes_back_once() {
        let mut purse = Purse::default();
        purse.put(&grant(7, 10, after(5)), 3);
        assert_eq!(purse.take(1, 4, T), None, "the policy has changed");
        assert!(purse.take(2, 3, T).is_some());
        assert_eq!(purse.take(1, 3, after(5)), None, "it has ended");
        assert_eq!(purse.ended(6, CLASS), None, "another one");
        let back = purse.ended(7, CLASS).unwrap();
        assert_eq!((back.n, back.lease, back.own), (8, 7, true));
        assert_eq!(purse.ended(7, CLASS), None);
    }

    #[test]
    fn what_was_not_used_stays_where_it_is_of_the_same_kind() {
        let mut purse = Purse::default();
        let grants = Grants { resets_at: Millis(9_000_000), own: true };
        assert!(!purse.put_back(1, grants, T));
        purse.put(&grant(7, 10, after(5)), 3);
        assert!(purse.put_back(3, grants, T));
        assert!(!purse.put_back(1, Grants { own: false, ..grants }, T));
        assert!(!purse.put_back(1, grants, after(5)));
        assert_eq!(purse.ended(7, CLASS).map(|back| back.n), Some(13));
    }

    #[derive(Debug, Clone)]
    enum Op {
        /// Which isolate, how many, how many of them are refused by the vendor and come back.
        Send(usize, u64, u64),
        /// The request that brought the lease wakes.
        End(usize),
        Kill(usize),
        Wait(u64),
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            12 => (0..4_usize, 1..60_u64, 0..9_u64).prop_map(|(at, n, back)| Op::Send(at, n, back)),
            2 => (0..4_usize).prop_map(Op::End),
            1 => (0..4_usize).prop_map(Op::Kill),
            3 => prop_oneof![0..900_u64, 5_000..12_000_u64].prop_map(Op::Wait),
        ]
    }

    proptest! {
        /// Isolates with their leases, one account, against a sum: what has left never passes the limit; what nobody has taken along
        /// into death is all there again when the leases have ended.
        #[test]
        fn isolates_never_pass_a_limit_together(ops in prop::collection::vec(op(), 1..120), limit in 100..6_000_u64) {
            let (vendor, mut now) = (Vendor::Fcm, Millis(86_400_000 * 20_000));
            let (mut account, mut purses) = (State::default(), vec![Purse::default(); 4]);
            let (mut sent, mut killed) = (0, false);
            let ended = |account: &mut State, purse: &mut Purse| {
                if let Some(back) = purse.end(CLASS) {
                    account.give_back(&back, vendor);
                }
            };
            for op in ops {
                match op {
                    Op::Send(at, n, back) => {
                        let purse = &mut purses[at];
                        let (granted, grants) = match purse.take(n, 1, now) {
                            Some(grants) => (n, grants),
                            None => {
                                let Wish { lease, back } = purse.wish(n, CLASS, now);
                                let admit = Admit { n, limit: Some(limit), lease, back, ..Admit::of(CLASS, 1, 1) };
                                let taken = account.take(&admit, vendor, now);
                                let grant = Grant { n: taken.granted, until: vendor.resets_at(now), own: taken.own, lease: taken.lease, ..Grant::default() };
                                purse.put(&grant, 1);
                                (grant.n, Grants { resets_at: grant.until, own: grant.own })
                            }
                        };
                        let back = back.min(granted);
                        sent += granted - back;
                        if back > 0 && !purse.put_back(back, grants, now) {
                            let Grants { resets_at, own } = grants;
                            account.give_back(&Return { class: CLASS, resets_at, n: back, own, close: false, lease: 0 }, vendor);
                        }
                    }
                    Op::End(at) => ended(&mut account, &mut purses[at]),
                    Op::Kill(at) => {
                        killed |= purses[at].held.as_ref().is_some_and(|held| held.left > 0);
                        purses[at] = Purse::default();
                    }
                    Op::Wait(ms) => now = Millis(now.0 + ms),
                }
                prop_assert!(sent <= limit, "{sent} of {limit}");
            }
            for purse in &mut purses {
                ended(&mut account, purse);
            }
            let granted: u64 = account.levels(vendor, now).iter().map(|level| level.granted).sum();
            prop_assert!(granted <= limit && (granted == sent || (killed && granted > sent)), "{granted} {sent}");
        }
    }
}
