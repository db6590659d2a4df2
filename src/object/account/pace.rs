//! How fast an account lets deliveries pass, whatever its quotas: its circuit breaker and its send rate.

use super::{COUNTED_MS, State, Taken};
use crate::{
    model::time::Millis,
    object::breaker::{Change, Let, Open},
    vendor::{Vendor, rules},
    wire::account::{Admit, Devices, Grant, Report},
};

/// A send rate, and how many deliveries are one of what it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Speed {
    per_second: u64,
    each: u64,
}

impl Speed {
    fn of(admit: &Admit, vendor: Vendor, devices: Devices) -> Option<Self> {
        let rule = rules::rate(vendor);
        let per_second = admit.rate.or_else(|| rule.map(|rule| rule.per_second(devices)))?;
        let requests = rule.is_none_or(|rule| rule.requests);
        let each = if requests { vendor.spec().list_max as u64 } else { 1 };
        Some(Self { per_second: per_second.into(), each: each.max(1) })
    }

    fn counted(self, n: u64) -> u64 {
        n.div_ceil(self.each)
    }
}

/// What may pass before quotas are asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gate {
    /// So many at most.
    pub n: u64,
    /// With these words: the rest of the grant is the quotas'.
    pub grant: Grant,
    probe: bool,
    speed: Option<Speed>,
}

impl Gate {
    /// What the quotas are asked for: nobody gets grants ahead of an account in trouble.
    pub fn narrow(&self, admit: &Admit) -> Admit {
        let lease = if self.grant.trouble { 0 } else { admit.lease };
        Admit { n: self.n, lease, ..admit.clone() }
    }
}

impl State {
    /// It is in trouble, or may soon be: whoever sends asks first, and nobody gets grants for later.
    pub fn in_trouble(&self, now: Millis) -> bool {
        self.breaker.in_trouble(now)
    }

    /// Whether the census has to be asked first: the vendor's rate depends on how many devices there are.
    pub fn rate_wants_devices(&self, admit: &Admit, vendor: Vendor, now: Millis) -> bool {
        admit.large
            && admit.rate.is_none()
            && rules::rate(vendor).is_some_and(rules::Rate::grows)
            && now.0.saturating_sub(self.asked_at.0) >= COUNTED_MS
    }

    /// How many may pass now. What does pass has to be [told](Self::passed).
    pub fn gate(&mut self, admit: &Admit, vendor: Vendor, now: Millis) -> Gate {
        let mut gate = Gate { n: admit.n, speed: Speed::of(admit, vendor, self.devices), ..Gate::default() };
        gate.grant.trouble = self.in_trouble(now);
        match (self.breaker.lets(now), gate.speed) {
            (Let::Probe(n), _) => (gate.n, gate.probe) = (gate.n.min(n), true),
            (Let::Wait(until, reason), _) => {
                gate.n = 0;
                (gate.grant.rest, gate.grant.open_for) = (Some(until), Some(reason));
            }
            (Let::All, Some(speed)) if admit.large => {
                let room = self.rate.room(speed.counted(admit.n), speed.per_second, now);
                gate.n = gate.n.min(room.n.saturating_mul(speed.each));
                gate.grant.wait_ms = room.wait_ms;
            }
            (Let::All, _) => {}
        }
        gate
    }

    /// So many of those that asked have passed a gate; the others learn when to come back. `true`: what is kept has changed.
    pub fn passed(&mut self, gate: &mut Gate, admit: &Admit, taken: Taken, now: Millis) -> bool {
        let granted = taken.granted + taken.lower.map_or(0, |lower| lower.n);
        let ahead = taken.lease.map_or(0, |lease| lease.n);
        let probe = gate.probe && granted > 0;
        if probe {
            gate.grant.probe = self.breaker.probe(now);
        }
        if let Some(speed) = gate.speed.filter(|_| granted > 0) {
            if admit.large && !gate.probe {
                self.rate.take(speed.counted(granted), speed.per_second);
            } else {
                self.rate.count(speed.counted(granted + ahead), speed.per_second, now);
            }
        }
        // Where a quota lets fewer pass it speaks for the rest.
        if granted == gate.n && granted < admit.n && gate.grant.rest.is_none() {
            (gate.grant.rest, gate.grant.open_for) = match (self.breaker.lets(now), gate.speed) {
                (Let::Wait(until, reason), _) => (Some(until), Some(reason)),
                (Let::All | Let::Probe(_), Some(speed)) => {
                    let n = speed.counted(admit.n - granted);
                    (Some(self.rate.put_off(n, speed.per_second, now)), None)
                }
                (Let::All | Let::Probe(_), None) => (None, None),
            };
        }
        probe
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

#[cfg(test)]
mod tests;
