//! The send rate of an account, as a schedule: one time from which on there is room. Each send moves it on by as long as the
//! rate allows for it (virtual scheduling of the generic cell rate algorithm, ITU-T I.371; a token bucket that holds one
//! page).
//!
//! Large pushes keep to it exactly: what has no room within some seconds comes back later, each page at a time of its own, so
//! that a push of a million is not offered again and again. Single messages are counted and never wait: they are few, or
//! nobody has asked.

use crate::model::time::Millis;

/// A worker waits at most so long for its turn, microseconds.
const WAIT_MAX: u64 = 5_000_000;
const SECOND: u64 = 1_000_000;
/// Nothing is put off for longer than this at once, microseconds.
const PUT_OFF_MAX: u64 = 86_400_000_000;

/// The schedule in memory, microseconds since the epoch. It is not written down: one that is lost begins a second from now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rate {
    /// There is room from here on.
    next: u64,
    /// What was put off has its time before this.
    promised: u64,
}

/// How many of a page have room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Room {
    /// So many.
    pub n: u64,
    /// When so many milliseconds are over.
    pub wait_ms: u64,
}

impl Rate {
    /// After a sleep: what was let through before fits into the second that is left out. After a crash what still waits for its
    /// turn comes on top, some seconds' worth.
    pub fn load(now: Millis) -> Self {
        Self { next: micros(now).saturating_add(SECOND), promised: 0 }
    }

    /// How many of `n` may go, and when. At most a second's worth at once. What does go has to be [taken](Self::take).
    pub fn room(&mut self, n: u64, per_second: u64, now: Millis) -> Room {
        match self.clock(now) {
            wait if wait > WAIT_MAX => Room::default(),
            wait => Room { n: n.min(per_second), wait_ms: wait.div_ceil(1_000) },
        }
    }

    /// So many go, in the room that there was.
    pub fn take(&mut self, n: u64, per_second: u64) {
        self.next = self.next.saturating_add(length(n, per_second));
    }

    /// So many go, whether there is room or not. They do not push away what asks for it.
    pub fn count(&mut self, n: u64, per_second: u64, now: Millis) {
        let wait = self.clock(now);
        let more = length(n, per_second).min(WAIT_MAX.saturating_sub(wait));
        self.next = self.next.saturating_add(more);
    }

    /// When so many may come back that have no room: each at its own time.
    pub fn put_off(&mut self, n: u64, per_second: u64, now: Millis) -> Millis {
        let at = self.promised.min(micros(now).saturating_add(PUT_OFF_MAX)).max(self.next);
        self.promised = at.saturating_add(length(n.min(per_second), per_second));
        Millis(at.div_ceil(1_000))
    }

    /// How long it is until there is room, microseconds: never more than a page and the wait for it, also where the clock has
    /// run back.
    fn clock(&mut self, now: Millis) -> u64 {
        let now = micros(now);
        self.next = self.next.min(now.saturating_add(WAIT_MAX + SECOND)).max(now);
        self.next - now
    }
}

/// How long so many take, microseconds.
fn length(n: u64, per_second: u64) -> u64 {
    n.saturating_mul(SECOND).div_ceil(per_second.max(1))
}

fn micros(at: Millis) -> u64 {
    at.0.saturating_mul(1_000)
}

#[cfg(test)]
mod tests;
