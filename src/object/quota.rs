//! One counter: how many of a class have passed in one of the vendor's days.
//!
//! Law 4: granted ≤ limit, whatever the concurrency and after a crash. The object is single-threaded and a step has no
//! await, so two calls cannot grant the same. Memory is lost at any moment, so before anything is granted a *mark*
//! that is at least as high is written; what a crash forgets counts as used. A mark per grant would be a row per push:
//! while grants come quickly the mark runs ahead in blocks, and when they stop it is written down again as it is.

use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::model::time::{Day, Millis};

/// Grants that follow within this time make the next block twice as large.
const QUICK_MS: u64 = 1_000;
/// Most a mark runs ahead, and most a crash can cost of a day's limit.
const BLOCK_MAX: u64 = 1_000;

/// What is written: a day and how many of it count as used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Mark {
    /// The vendor's day.
    pub day: Day,
    /// At least as many as were granted.
    pub used: u64,
}

/// A counter in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counter {
    day: Day,
    granted: u64,
    marked: u64,
    block: u64,
    marked_at: Millis,
}

/// What a request to pass comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Take {
    /// How many may pass.
    pub granted: u64,
    /// To be written before the answer leaves.
    pub write: Option<Mark>,
}

impl Counter {
    /// From what was written, or from nothing.
    pub fn load(mark: Option<Mark>, today: Day) -> Self {
        // A clock that has run back stays in the later day, here as in `take`.
        let mark = mark.filter(|mark| mark.day >= today).unwrap_or(Mark { day: today, used: 0 });
        let used = mark.used;
        Self { day: mark.day, granted: used, marked: used, block: 1, marked_at: Millis(0) }
    }

    /// Lets up to `n` pass. A day that is over starts the next one from 0; a clock that runs back stays in the later
    /// day, so that nothing is granted twice.
    pub fn take(&mut self, n: u64, limit: u64, today: Day, now: Millis) -> Take {
        if today > self.day {
            *self = Self { day: today, granted: 0, marked: 0, block: 1, marked_at: self.marked_at };
        }
        let granted = n.min(limit.saturating_sub(self.granted));
        self.granted += granted;
        if self.granted <= self.marked {
            return Take { granted, write: None };
        }
        let quick = now.0.saturating_sub(self.marked_at.0) < QUICK_MS;
        self.block = if quick { (self.block * 2).min(block_max(limit)) } else { 1 };
        self.marked = (self.granted + self.block - 1).min(limit.max(self.granted));
        self.marked_at = now;
        Take { granted, write: Some(self.mark()) }
    }

    /// How many more may pass.
    pub fn left(&self, limit: u64, today: Day) -> u64 {
        limit.saturating_sub(self.granted(today))
    }

    /// How many have passed today.
    pub fn granted(&self, today: Day) -> u64 {
        if today > self.day { 0 } else { self.granted }
    }

    /// Takes back what was granted on a day and not used. Another day's grants are over.
    pub fn give_back(&mut self, n: u64, day: Day) {
        if day == self.day {
            self.granted = self.granted.saturating_sub(n);
        }
    }

    /// The mark is above what was granted.
    pub fn is_ahead(&self) -> bool {
        self.marked > self.granted
    }

    /// When grants have stopped: the mark as it really is.
    pub fn trim(&mut self) -> Option<Mark> {
        if !self.is_ahead() {
            return None;
        }
        self.marked = self.granted;
        self.block = 1;
        Some(self.mark())
    }

    /// What is to be written.
    pub fn mark(&self) -> Mark {
        Mark { day: self.day, used: self.marked }
    }
}

/// A crash costs at most 1 % of the limit.
fn block_max(limit: u64) -> u64 {
    (limit / 100).clamp(1, BLOCK_MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY: Day = Day(20_000);

    #[test]
    fn small_limits_are_written_one_by_one() {
        let mut counter = Counter::load(None, DAY);
        for n in 1..=3 {
            let take = counter.take(1, 50, DAY, Millis(n));
            assert_eq!(take, Take { granted: 1, write: Some(Mark { day: DAY, used: n }) });
        }
        assert_eq!(counter.take(100, 50, DAY, Millis(9)).granted, 47);
        assert_eq!(counter.take(1, 50, DAY, Millis(9)).granted, 0);
        counter.give_back(2, DAY);
        assert_eq!(counter.take(9, 50, DAY, Millis(9)), Take { granted: 2, write: None });
    }

    #[test]
    fn slow_traffic_never_runs_ahead() {
        let mut counter = Counter::load(None, DAY);
        for n in 1..=20u64 {
            counter.take(1, 1_000_000, DAY, Millis(n * 5_000));
            assert!(!counter.is_ahead());
        }
    }

    #[test]
    fn quick_traffic_writes_few_rows_and_is_trimmed() {
        let mut counter = Counter::load(None, DAY);
        let writes = (0..10_000u64)
            .filter(|n| counter.take(1, 1_000_000, DAY, Millis(1_000 + n / 10)).write.is_some())
            .count();
        assert!(writes <= 30, "{writes}");
        let mark = counter.trim().unwrap();
        assert_eq!(mark.used, 10_000);
        assert_eq!(counter.trim(), None);
        assert_eq!(Counter::load(Some(mark), DAY).take(1, 10_000, DAY, Millis(0)).granted, 0);
    }

    #[test]
    fn a_new_day_starts_from_nothing_and_an_old_one_does_not_come_back() {
        let mut counter = Counter::load(Some(Mark { day: DAY, used: 5 }), DAY);
        assert_eq!(counter.take(9, 5, DAY, Millis(0)).granted, 0);
        assert_eq!(counter.take(9, 5, Day(DAY.0 + 1), Millis(0)).granted, 5);
        assert_eq!(counter.take(9, 5, DAY, Millis(0)).granted, 0, "the clock ran back");
        counter.give_back(3, DAY);
        assert_eq!(counter.take(9, 5, Day(DAY.0 + 1), Millis(0)).granted, 0, "yesterday's grants are over");
    }

    #[derive(Debug, Clone)]
    enum Op {
        Take(u64),
        GiveBack(u64),
        Trim,
        /// A quiet time: the alarm trims, then the object leaves memory.
        Sleep,
        Crash,
        Wait(u64),
        Limit(u64),
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            4 => (1..50u64).prop_map(Op::Take),
            2 => (1..50u64).prop_map(Op::GiveBack),
            1 => Just(Op::Trim),
            1 => Just(Op::Sleep),
            1 => Just(Op::Crash),
            1 => (0..3_000u64).prop_map(Op::Wait),
            1 => (0..5_000u64).prop_map(Op::Limit),
        ]
    }

    proptest! {
        /// Against a plain count of what is out: never over the limit that held when it was granted, every write is
        /// at least what was granted, and without a crash the whole limit can be used.
        #[test]
        fn never_over_the_limit(ops in proptest::collection::vec(op(), 1..200)) {
            let (mut limit, mut now, mut out, mut written, mut crashed) = (2_000u64, 0u64, 0u64, None, false);
            let mut counter = Counter::load(None, DAY);
            for op in ops {
                match op {
                    Op::Take(n) => {
                        let take = counter.take(n, limit, DAY, Millis(now));
                        out += take.granted;
                        written = take.write.or(written);
                        prop_assert!(take.granted == 0 || out <= limit);
                        prop_assert!(written.map_or(0, |mark: Mark| mark.used) >= out);
                        if take.granted < n && !crashed {
                            prop_assert!(out >= limit, "all of it can be used");
                        }
                    }
                    Op::GiveBack(n) => {
                        let back = n.min(out);
                        counter.give_back(back, DAY);
                        out -= back;
                    }
                    Op::Trim => written = counter.trim().or(written),
                    Op::Sleep => {
                        written = counter.trim().or(written);
                        counter = Counter::load(written, DAY);
                    }
                    Op::Crash => {
                        counter = Counter::load(written, DAY);
                        crashed = true;
                    }
                    Op::Wait(ms) => now += ms,
                    Op::Limit(new) => limit = new,
                }
            }
        }
    }
}
