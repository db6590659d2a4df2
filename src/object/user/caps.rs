//! How often a user was sent to, as far as something limits it: a vendor's rule for one device and day, and the app's own
//! caps. A push counts once, however often it is asked about: by a retry, by another of its pages, by a job that runs twice.

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::{
    model::{
        policy::Cap,
        push::Category,
        time::{Day, DayZone, Millis},
    },
    wire::user::{Rule, Spend, Spent},
};

#[cfg(test)]
mod tests;

/// So many pushes are remembered: more than count at once by caps (four categories of 100 at most) and by vendors' rules (64
/// devices of 8 a day at most).
const SENDS_MAX: usize = 1_000;

/// All vendors who count what one device gets have their day in China.
const ZONE: DayZone = DayZone::China;

/// A key is one push for so long (law 2), seconds: what comes under it later is another one.
const KEY_SECS: u64 = 86_400;

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
    devices: Vec<SentTo>,
    /// Another call has passed on its account: it stays, whoever gives it back. Written down with the next change.
    shared: bool,
    /// By its tag.
    campaign: Option<u32>,
    clicked: bool,
}

/// A device that a push went to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
struct SentTo {
    tag: u32,
    /// It counts on this day at its vendor, where that counts.
    day: Option<Day>,
}

impl Caps {
    /// Nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Asks whether a push may go to each of these devices, and counts what passes. What passes anew has to be written down.
    pub fn spend(&mut self, ask: &Spend, now: Millis) -> Vec<Spent> {
        self.0.retain(|sent| sent.until > now);
        let is_same = |sent: &&Sent| ask.again || now < sent.at.plus_secs(KEY_SECS);
        let known = self.place(&ask.push).filter(|at| self.0.get(*at).as_ref().is_some_and(is_same));
        let before = known.and_then(|at| self.0.get(at));
        let (at, had) = before.map_or((now, Vec::new()), |sent| (sent.at, sent.devices.clone()));
        if known.is_none()
            && let Some(rule) = self.governed(ask)
        {
            return vec![Spent::Governed(rule); ask.devices.len()];
        }
        if known.is_none()
            && let Some(until) = self.full(ask, now)
        {
            return vec![Spent::User(until); ask.devices.len()];
        }
        let windows = ask.caps.iter().map(|cap| u64::from(cap.window_secs));
        let governed = (!ask.rules.is_empty()).then_some(GOVERNED_SECS);
        let mut until = windows.chain(governed).map(|secs| at.plus_secs(secs)).max().unwrap_or_default();
        let today = now.day(ZONE);
        let mut fresh = Vec::new();
        let mut answers = Vec::new();
        for place in &ask.devices {
            let to = SentTo { tag: place.tag, day: place.per_day.map(|_| today) };
            answers.push(if had.contains(&to) || fresh.contains(&to) {
                Spent::Known
            } else if place.per_day.is_some_and(|most| self.sent(to) >= most as usize) {
                Spent::Device(today.end(ZONE))
            } else {
                if place.per_day.is_some() {
                    until = until.max(today.end(ZONE));
                }
                fresh.push(to);
                Spent::Counted
            });
        }
        if let Some(sent) = known.and_then(|at| self.0.get_mut(at)) {
            // Another caller has passed on its account. What counts anew, on a later day, is this caller's own.
            sent.shared |= !ask.again && answers.contains(&Spent::Known);
        }
        if fresh.is_empty() {
            return answers;
        }
        match known.and_then(|at| self.0.get_mut(at)) {
            Some(sent) => {
                sent.devices.extend(fresh);
                sent.until = sent.until.max(until);
            }
            None => self.remember(ask, at, until, fresh),
        }
        answers
    }

    fn remember(&mut self, ask: &Spend, at: Millis, until: Millis, devices: Vec<SentTo>) {
        let Spend { push, category, campaign, .. } = ask.clone();
        let sent = Sent { push, category, at, until, devices, shared: false, campaign, clicked: false };
        self.0.insert(self.0.partition_point(|sent| sent.at <= at), sent);
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
        for tag in devices {
            // The last time that it was counted: on an earlier day it may have gone out.
            if let Some(last) = sent.devices.iter().rposition(|to| to.tag == *tag) {
                sent.devices.remove(last);
            }
        }
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

    /// The first rule by which the user does not care for this, by its place in the policy.
    fn governed(&self, ask: &Spend) -> Option<usize> {
        ask.rules.iter().find(|rule| self.holds(rule, ask)).map(|rule| rule.at)
    }

    /// Fewer sends than a rule looks at say nothing.
    fn holds(&self, rule: &Rule, ask: &Spend) -> bool {
        let meant = |sent: &&Sent| {
            sent.category == ask.category && (!rule.by_campaign || sent.campaign == ask.campaign)
        };
        let (mut sends, mut clicks) = (0, 0);
        for sent in self.0.iter().rev().filter(meant).take(rule.sends as usize) {
            sends += 1;
            clicks += i64::from(sent.clicked);
        }
        sends == i64::from(rule.sends) && rule.click_rate_under.is_above(clicks, sends)
    }

    fn place(&self, push: &str) -> Option<usize> {
        self.0.iter().rposition(|sent| sent.push == push)
    }

    /// How many pushes have gone to a device on a day.
    fn sent(&self, to: SentTo) -> usize {
        self.0.iter().filter(|sent| sent.devices.contains(&to)).count()
    }

    /// Until when the caps let no more of a category pass, if they do not.
    fn full(&self, ask: &Spend, now: Millis) -> Option<Millis> {
        let until = |cap: &Cap| {
            let sent = self.0.iter().filter(|sent| sent.category == ask.category);
            let ends = sent.map(|sent| sent.at.plus_secs(cap.window_secs.into()));
            let ends: Vec<Millis> = ends.filter(|end| *end > now).collect();
            ends.get(ends.len().checked_sub(cap.most as usize)?).copied()
        };
        ask.caps.iter().filter_map(until).max()
    }
}
