//! Leases that are out: blocks of grants that isolates use without asking. They are counted as granted already; that they are out
//! is remembered for what is shown, and in memory only.

use crate::{
    model::time::Millis,
    wire::account::{Class, LEASE_MS, Lease},
};

/// A lease ends so long before its window, milliseconds: the clocks of isolates may differ.
const BEFORE_MS: u64 = 1_000;
/// Of what is left of a limit a lease takes no more than this part, so that the last grants are there for whoever asks.
const PART: u64 = 8;
/// A lease is no larger than this part of a limit, because what an isolate takes with it when it dies counts as used;
const OF_LIMIT: u64 = 100;
/// all that are out together are no more than this part: a deployment ends all isolates at once.
const ALL_OF_LIMIT: u64 = 20;

/// Those that are out.
#[derive(Debug, Default)]
pub(super) struct Leases {
    out: Vec<(Class, Lease)>,
    last: u64,
}

/// How large a lease may be, of a limit of which so much is left and so much is out.
pub(super) fn most(limit: u64, left: u64, reserved: u64) -> u64 {
    (limit / OF_LIMIT).min(left / PART).min((limit / ALL_OF_LIMIT).saturating_sub(reserved))
}

impl Leases {
    /// Gives one out, in a window that ends then. `None`: it is not worth it.
    pub(super) fn give(&mut self, class: Class, n: u64, resets_at: Millis, now: Millis) -> Option<Lease> {
        let until = Millis((now.0 + LEASE_MS).min(resets_at.0.saturating_sub(BEFORE_MS)));
        if n == 0 || until <= now {
            return None;
        }
        self.out.retain(|(_, lease)| lease.until > now);
        // An object that has slept does not give an old number to a new lease.
        self.last = self.last.saturating_add(1).max(now.0);
        let lease = Lease { id: self.last, n, until };
        self.out.push((class, lease));
        Some(lease)
    }

    /// One has come back.
    pub(super) fn ended(&mut self, id: u64) {
        self.out.retain(|(_, lease)| lease.id != id);
    }

    /// How many grants are out of what counts so.
    pub(super) fn reserved(&self, counts: impl Fn(Class) -> bool, now: Millis) -> u64 {
        let out = self.out.iter().filter(|(class, lease)| lease.until > now && counts(*class));
        out.map(|(_, lease)| lease.n).sum()
    }
}
