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

    /// What has not been used after all stays here, if it is of the same kind and no more than was given out; gives how many are to go
    /// back to the account.
    pub fn put_back(&mut self, n: u64, grants: Grants, now: Millis) -> u64 {
        let Some(held) = self.held.as_mut().filter(|held| held.grants == grants && held.until > now) else {
            return n;
        };
        let stay = n.min(held.n.saturating_sub(held.left));
        held.left += stay;
        n - stay
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

    /// What the account gave. What cannot be held is given back: at once.
    pub fn put(&mut self, grant: &Grant, class: Class, policy: u64) -> Option<Return> {
        let lease = grant.lease?;
        let grants = Grants { resets_at: grant.until, own: grant.own };
        self.asked_at = Millis(0);
        let mut held = Held { id: lease.id, n: lease.n, left: lease.n, until: lease.until, grants, policy };
        match self.held.take() {
            // One that came late: both are one now, and end when the first of them does.
            Some(first) if first.grants == grants && first.policy == policy => {
                held.left += first.left;
                held.n += first.n;
                held.until = held.until.min(first.until);
                self.held = Some(held);
                None
            }
            // Of another revision of the app, or another window: the newer one stays.
            Some(first) if (first.policy, first.grants.resets_at) > (policy, grants.resets_at) => {
                self.held = Some(first);
                Some(held.back(class))
            }
            first => {
                self.held = Some(held);
                first.map(|first| first.back(class))
            }
        }
    }

    /// A lease has ended: what is left of it. `None`: it is not this one any more.
    pub fn ended(&mut self, id: u64, class: Class) -> Option<Return> {
        self.held.as_ref().filter(|held| held.id == id)?;
        self.end(class)
    }

    fn end(&mut self, class: Class) -> Option<Return> {
        self.held.take().map(|held| held.back(class))
    }

    /// Something is held.
    pub fn holds(&self) -> bool {
        self.held.is_some()
    }

    /// One that nobody remembers: it wishes for nothing.
    pub fn without(now: Millis) -> Self {
        Self { asked_at: now, ..Self::default() }
    }
}

impl Held {
    fn back(self, class: Class) -> Return {
        let Self { id, left, grants: Grants { resets_at, own }, .. } = self;
        Return { class, resets_at, n: left, own, close: false, lease: id }
    }
}

#[cfg(test)]
mod tests;
