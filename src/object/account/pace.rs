//! How fast an account lets deliveries pass, whatever its quotas: its circuit breaker.

use super::State;
use crate::{
    model::time::Millis,
    object::breaker::{Change, Let, Open},
    wire::account::{Admit, Pace, Report},
};

/// What may pass before quotas are asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gate {
    /// So many at most.
    pub n: u64,
    /// With these words.
    pub pace: Pace,
    probe: bool,
}

impl State {
    /// It is in trouble, or may soon be: whoever sends asks first, and nobody gets grants for later.
    pub fn in_trouble(&self, now: Millis) -> bool {
        self.breaker.in_trouble(now)
    }

    /// How many may pass now. What does pass has to be [told](Self::passed).
    pub fn gate(&mut self, admit: &Admit, now: Millis) -> Gate {
        let (n, until, probe) = match self.breaker.lets(now) {
            Let::All => (admit.n, None, false),
            Let::Probe(n) => (admit.n.min(n), Some((now, None)), true),
            Let::Wait(until, reason) => (0, Some((until, Some(reason))), false),
        };
        let trouble = self.in_trouble(now);
        let rest = until.filter(|_| n < admit.n);
        Gate { n, pace: Pace { trouble, probe: None, rest }, probe }
    }

    /// So many have passed a gate. `true`: what is kept has changed.
    pub fn passed(&mut self, gate: &mut Gate, granted: u64, now: Millis) -> bool {
        // Where a quota lets fewer pass it speaks for the rest.
        gate.pace.rest = gate.pace.rest.filter(|_| granted == gate.n);
        if !gate.probe || granted == 0 {
            return false;
        }
        gate.pace.probe = self.breaker.probe(now);
        if let (Some(rest), Let::Wait(until, reason)) = (&mut gate.pace.rest, self.breaker.lets(now)) {
            *rest = (until, Some(reason));
        }
        true
    }

    /// What a worker tells of its sends.
    pub fn report(&mut self, report: &Report, now: Millis) -> Change {
        self.breaker.report(report, now)
    }

    /// The circuit breaker, where it is not closed.
    pub fn breaker(&self) -> Option<Open> {
        self.breaker.kept()
    }
}
