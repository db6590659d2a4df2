//! Whether "bad token" answers can be believed, where a wrong credential, topic or environment of ours would be
//! answered alike: only while the same account is seen to accept others (design, fine points).
//!
//! The memory is in the object only. Losing it errs to the safe side: with nothing seen accepted, nothing is removed.

use crate::model::time::Millis;

/// How long an answer is remembered.
const MEMORY_MS: u64 = 3_600_000;
/// From how many answers on the share of doubtful ones counts.
const SHARE_FROM: u64 = 20;

/// Answers seen under one setting.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    accepted: u64,
    doubtful: u64,
    since: Millis,
}

impl Seen {
    /// Adds what an isolate saw and says whether the doubtful ones may remove their tokens.
    pub fn judge(&mut self, accepted: u64, doubtful: u64, now: Millis) -> bool {
        if now.0.saturating_sub(self.since.0) > MEMORY_MS {
            *self = Self { since: now, ..Self::default() };
        }
        self.accepted += accepted;
        self.doubtful += doubtful;
        let all = self.accepted + self.doubtful;
        if all < SHARE_FROM {
            self.accepted > 0 && self.accepted >= self.doubtful
        } else {
            self.doubtful * 5 <= all
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The two cases that the design names.
    #[test]
    fn twenty_five_single_ones_remove_nothing_and_two_of_a_batch_do() {
        let mut seen = Seen::default();
        assert!((0..25).all(|n| !seen.judge(0, 1, Millis(n))));
        assert!(Seen::default().judge(23, 2, Millis(0)));
    }

    #[test]
    fn a_share_that_is_too_large_is_not_believed() {
        assert!(Seen::default().judge(1, 1, Millis(0)));
        assert!(!Seen::default().judge(1, 2, Millis(0)));
        assert!(!Seen::default().judge(15, 5, Millis(0)));
        assert!(Seen::default().judge(16, 4, Millis(0)));
    }

    #[test]
    fn what_was_seen_is_forgotten_after_an_hour() {
        let mut seen = Seen::default();
        assert!(seen.judge(10, 1, Millis(1)));
        assert!(!seen.judge(0, 1, Millis(2 * MEMORY_MS)));
    }
}
