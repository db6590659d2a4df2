//! The circuit breaker of an account: a vendor that is in trouble is left alone for a while, and tried with little before
//! everything that waits goes to it.
//!
//! Closed, open until a time, half-open from then on: one page may try with a few deliveries, and what it says decides.
//! Only trouble is told, with what went well since the last word; nobody asks and nothing is written while all is well.

use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::{
    model::{delivery::Reason, time::Millis},
    wire::account::Report,
};

/// Trouble is weighed over so long, milliseconds.
const WINDOW_MS: u64 = 30_000;
/// So many deliveries in trouble may open it, where they are more than half.
const TROUBLE_MIN: u64 = 5;
/// It is open for so long; twice as long after each probe that fails.
const FIRST_MS: u64 = 15_000;
/// But not longer, unless the vendor asks for more.
const LONGEST_MS: u64 = 300_000;
/// The longest wait that a vendor is believed to ask for.
const ASKED_MAX_MS: u64 = 3_600_000;
/// Most deliveries of a probe.
const PROBE_MAX: u64 = 3;
/// A probe that has not reported by then is given up: its worker is dead.
const PROBE_MS: u64 = 60_000;
/// How soon others look again while a probe is under way.
const LOOK_MS: u64 = 5_000;

/// The breaker in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Breaker {
    open: Option<Open>,
    /// When; what went well; what did not.
    recent: Vec<(Millis, u64, u64)>,
    /// The latest time before which the vendor wanted nothing.
    asked: Millis,
}

/// An opening. It is written down with each change, so it outlives the object's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Open {
    /// Until when; half-open from then on.
    pub until: Millis,
    /// What opened it.
    pub reason: Reason,
    /// How long this opening is, milliseconds: a clock that runs back does not make it longer.
    length: u64,
    /// How long it would have been without the vendor's own word: what is doubled.
    step: u64,
    /// A probe is under way; its name is the time at which it is given up.
    probe: Option<Millis>,
}

/// Who may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Let {
    /// Everybody.
    All,
    /// So many, to see.
    Probe(u64),
    /// Nobody before this time; why.
    Wait(Millis, Reason),
}

/// What a report has changed: to be written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing that is kept.
    None,
    /// It is open, from now on or for longer.
    Opened(Reason),
    /// It is closed.
    Closed,
    /// A probe has ended without a word.
    Freed,
}

impl Breaker {
    /// From what was written.
    pub fn load(open: Option<Open>) -> Self {
        Self { open, ..Self::default() }
    }

    /// What is to be written, and what is shown.
    pub fn kept(&self) -> Option<Open> {
        self.open
    }

    /// It is not closed, or may soon not be: whoever sends asks first.
    pub fn in_trouble(&self, now: Millis) -> bool {
        self.open.is_some() || self.recent.iter().any(|(at, ..)| within(*at, WINDOW_MS, now))
    }

    /// Who may pass now. A probe has to be [begun](Self::probe).
    pub fn lets(&mut self, now: Millis) -> Let {
        self.clock(now);
        match self.open {
            None => Let::All,
            Some(Open { until, reason, .. }) if until > now => Let::Wait(until, reason),
            Some(Open { probe: Some(end), reason, .. }) if end > now => {
                Let::Wait(end.min(Millis(now.0.saturating_add(LOOK_MS))), reason)
            }
            Some(_) => Let::Probe(PROBE_MAX),
        }
    }

    /// A probe leaves: its name.
    pub fn probe(&mut self, now: Millis) -> Option<Millis> {
        let open = self.open.as_mut()?;
        open.probe = Some(Millis(now.0.saturating_add(PROBE_MS)));
        open.probe
    }

    /// What a worker tells.
    pub fn report(&mut self, report: &Report, now: Millis) -> Change {
        self.clock(now);
        let Report { went, trouble, after, limited, probe } = *report;
        let reason = if bad(trouble - limited.min(trouble), limited) {
            Reason::RateLimited
        } else {
            Reason::VendorUnavailable
        };
        if after > 0 {
            let asked = Millis(now.0.saturating_add((u64::from(after) * 1_000).min(ASKED_MAX_MS)));
            self.asked = self.asked.max(asked);
        }
        let Some(open) = &mut self.open else {
            if trouble == 0 {
                return Change::None;
            }
            self.recent.push((now, went, trouble));
            let sum = |sum: (u64, u64), (_, went, trouble): &(Millis, u64, u64)| {
                (sum.0.saturating_add(*went), sum.1.saturating_add(*trouble))
            };
            let (went, trouble) = self.recent.iter().fold((0, 0), sum);
            if trouble < TROUBLE_MIN || !bad(went, trouble) {
                return Change::None;
            }
            return self.go_open(FIRST_MS, FIRST_MS, reason, now);
        };
        if probe.is_some() && probe == open.probe {
            open.probe = None;
            if bad(went, trouble) {
                let step = open.step.saturating_mul(2).min(LONGEST_MS);
                return self.go_open(step, step, reason, now);
            }
            // The vendor may have asked for more time in between.
            if went == 0 || open.until > now {
                return Change::Freed;
            }
            self.open = None;
            return Change::Closed;
        }
        // A late word of what left before: it opens nothing, but the vendor may ask for more time.
        if after > 0 && whole(self.asked) > open.until && self.asked > now {
            let step = open.step;
            return self.go_open(0, step, reason, now);
        }
        Change::None
    }

    fn go_open(&mut self, wait: u64, step: u64, reason: Reason, now: Millis) -> Change {
        let until = whole(Millis(now.0.saturating_add(wait)).max(self.asked));
        let until = self.open.map_or(until, |open| open.until.max(until));
        let length = until.0.saturating_sub(now.0);
        let probe = self.open.and_then(|open| open.probe);
        self.open = Some(Open { until, reason, length, step, probe });
        self.recent.clear();
        Change::Opened(reason)
    }

    /// Nothing lasts longer than it was meant to, also where the clock has run back; what is old is forgotten.
    fn clock(&mut self, now: Millis) {
        let most = |ms| Millis(now.0.saturating_add(ms));
        self.recent.retain(|(at, ..)| within(*at, WINDOW_MS, now));
        self.asked = self.asked.min(most(ASKED_MAX_MS));
        if let Some(open) = &mut self.open {
            open.until = open.until.min(most(open.length));
            // One that left after now is not waited for.
            open.probe = open.probe.filter(|end| *end <= most(PROBE_MS));
        }
    }
}

/// More than half.
fn bad(went: u64, trouble: u64) -> bool {
    trouble > went
}

fn within(at: Millis, ms: u64, now: Millis) -> bool {
    at <= now && now.0 - at.0 < ms
}

/// Whole seconds: words that come together write one row.
fn whole(at: Millis) -> Millis {
    Millis(at.0.div_ceil(1_000).saturating_mul(1_000))
}

#[cfg(test)]
mod tests;
