//! How often a user was sent to, as far as something limits it: a vendor's rule for one device and day, and the app's own
//! caps. A push counts once, however often it is asked about: by a retry, by another of its pages, by a job that runs twice.

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::{
    model::{
        push::Category,
        time::{DayZone, Millis},
    },
    wire::user::{Spend, Spent},
};

#[cfg(test)]
mod tests;

/// So many pushes are remembered: more than count at once by caps (four categories of 100 at most) and by vendors' rules (64
/// devices of 8 a day at most).
const SENDS_MAX: usize = 1_000;

/// All vendors who count what one device gets have their day in China.
const ZONE: DayZone = DayZone::China;

/// What a rule on clicks looks at is remembered for so long, seconds: 30 days.
const GOVERNED_SECS: u64 = 2_592_000;

/// What a user's object remembers of pushes, the oldest first: one row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caps(Vec<Sent>);

/// A push that passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
struct Sent {
    push: String,
    category: Category,
    at: Millis,
    /// It counts for something until then.
    until: Millis,
    /// Devices, and the day of each at its vendor; 0 where that does not count.
    devices: Vec<(u32, u64)>,
    /// Another call has passed on its account: it stays, whoever gives it back. Written down with the next change.
    shared: bool,
    campaign: u32,
    clicked: bool,
}

impl Caps {
    /// Nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Asks whether a push may go to each of these devices, and counts what passes. What passes anew has to be written down.
    pub fn spend(&mut self, ask: &Spend, now: Millis) -> Vec<Spent> {
        self.0.retain(|sent| sent.until > now);
        let known = self.place(&ask.push);
        let before = known.and_then(|at| self.0.get_mut(at));
        let (at, had) = match before {
            Some(sent) => {
                sent.shared |= !ask.again;
                (sent.at, sent.devices.clone())
            }
            None => (now, Vec::new()),
        };
        if known.is_none()
            && let Some(rule) = self.governed(ask)
        {
            return vec![Spent::Governed(rule); ask.devices.len()];
        }
        if known.is_none()
            && let Some(until) = self.full(ask.category, &ask.caps, now)
        {
            return vec![Spent::User(until); ask.devices.len()];
        }
        let mut until = ask.caps.iter().map(|(_, secs)| at.plus_secs(*secs)).max().unwrap_or_default();
        if !ask.govern.is_empty() {
            until = until.max(at.plus_secs(GOVERNED_SECS));
        }
        let today = now.day(ZONE);
        let mut fresh = Vec::new();
        let mut answers = Vec::new();
        for (device, limit) in &ask.devices {
            let counted = (*device, if *limit > 0 { today.0 } else { 0 });
            answers.push(if had.contains(&counted) || fresh.contains(&counted) {
                Spent::Known
            } else if *limit > 0 && self.sent_to(counted) >= *limit {
                Spent::Device(today.end(ZONE))
            } else {
                if *limit > 0 {
                    until = until.max(today.end(ZONE));
                }
                fresh.push(counted);
                Spent::Counted
            });
        }
        if !fresh.is_empty() {
            self.count(ask, known, at, until, fresh);
        }
        answers
    }

    fn count(
        &mut self,
        ask: &Spend,
        known: Option<usize>,
        at: Millis,
        until: Millis,
        fresh: Vec<(u32, u64)>,
    ) {
        if let Some(sent) = known.and_then(|at| self.0.get_mut(at)) {
            sent.devices.extend(fresh);
            sent.until = sent.until.max(until);
            return;
        }
        let Spend { push, category, campaign, .. } = ask.clone();
        let place = self.0.partition_point(|sent| sent.at <= at);
        self.0.insert(
            place,
            Sent { push, category, at, until, devices: fresh, shared: false, campaign, clicked: false },
        );
        if self.0.len() > SENDS_MAX {
            // Whatever a category is too many of, it takes no other one's place.
            let oldest = self.0.iter().position(|sent| sent.category == category).unwrap_or_default();
            self.0.remove(oldest);
        }
    }

    /// Gives back what was counted and not sent. `false`: nothing has changed.
    pub fn unspend(&mut self, push: &str, devices: &[u32]) -> bool {
        let Some(at) = self.place(push) else { return false };
        let Some(sent) = self.0.get_mut(at).filter(|sent| !sent.shared) else { return false };
        let before = sent.devices.len();
        sent.devices.retain(|(have, _)| !devices.contains(have));
        let changed = sent.devices.len() != before;
        if sent.devices.is_empty() {
            self.0.remove(at);
        }
        changed
    }

    /// Messages of pushes were clicked. `false`: nothing has changed.
    pub fn clicked(&mut self, pushes: &[String]) -> bool {
        let mut changed = false;
        for sent in self.0.iter_mut().filter(|sent| !sent.clicked && pushes.contains(&sent.push)) {
            (sent.clicked, changed) = (true, true);
        }
        changed
    }

    /// The first rule by which the user does not care for this. Fewer sends than a rule looks at say nothing.
    fn governed(&self, ask: &Spend) -> Option<usize> {
        ask.govern.iter().enumerate().position(|(at, (under, sends))| {
            let (mut n, mut clicks) = (0, 0);
            for sent in self.0.iter().rev() {
                let meant =
                    sent.category == ask.category && (at < ask.whole || sent.campaign == ask.campaign);
                if meant && n < *sends {
                    n += 1;
                    clicks += u64::from(sent.clicked);
                }
            }
            n == *sends && clicks * 1_000_000 < u64::from(*under) * n
        })
    }

    fn place(&self, push: &str) -> Option<usize> {
        self.0.iter().position(|sent| sent.push == push)
    }

    /// How many pushes have gone to a device on a day.
    fn sent_to(&self, counted: (u32, u64)) -> u64 {
        self.0.iter().filter(|sent| sent.devices.contains(&counted)).count() as u64
    }

    /// Until when the caps let no more of a category pass, if they do not.
    fn full(&self, category: Category, caps: &[(u32, u64)], now: Millis) -> Option<Millis> {
        let until = |(most, secs): &(u32, u64)| {
            let ends = self.0.iter().filter(|sent| sent.category == category);
            let ends = ends.map(|sent| sent.at.plus_secs(*secs)).filter(|end| *end > now);
            let ends: Vec<Millis> = ends.collect();
            ends.get(ends.len().checked_sub(*most as usize)?).copied()
        };
        caps.iter().filter_map(until).max()
    }
}
