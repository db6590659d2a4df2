//! `POST /v1/quota:simulate`: what a push would come to against the quotas, were it sent now. Pure half: which users of an audience
//! stand for all of them, what was planned for them, and what of that each account would let pass. The last is asked of the
//! account's own step, so the answer and what happens then cannot differ.

use serde_json::{Map, Value};

use super::{
    admit, health,
    plan::{Decided, Decision, Plan},
    quota::Account,
    resolve::Directory,
};
use crate::{
    model::{
        app::App,
        delivery::{Reason, Recipient},
        push::Message,
        time::Millis,
    },
    object::account::State,
    vendor::Vendor,
    wire::{
        account::{Admit, Devices},
        census::Reply,
        ledger::To,
        text,
    },
};

/// Users of a larger audience who stand for all of them: so many places, evenly spread, and so many users in each.
pub const SAMPLE: (u32, u32) = (50, 20);

/// What was planned, counted.
#[derive(Debug, Default)]
pub struct Tally {
    /// Of a larger audience: users that it has, and that stand for them.
    sample: Option<(u64, u64)>,
    users: u64,
    unknown: u64,
    sent: [u64; Vendor::ALL.len()],
    skipped: [u64; Reason::ALL.len()],
    held: u64,
}

impl Tally {
    /// For an audience of so many users, of whom so many are looked up.
    pub fn of(users: u32, sampled: usize) -> Self {
        let (users, sampled) = (u64::from(users), sampled as u64);
        Self { sample: (users > sampled).then_some((users, sampled)), ..Self::default() }
    }

    /// Adds what was planned for so many users. Of those that are not in the directory nothing is known.
    pub fn add(&mut self, users: usize, directory: &Directory, plan: &Plan) {
        self.users += users as u64;
        for Decided { recipient, decision, .. } in &plan.decisions {
            let count = match (decision, recipient) {
                (Decision::Send(address), _) => self.sent.get_mut(address.vendor as usize),
                (Decision::Skip { .. }, Recipient::User(user) | Recipient::Missing(user, _))
                    if !directory.contains_key(user) =>
                {
                    Some(&mut self.unknown)
                }
                (Decision::Skip { reason, .. }, _) => self.skipped.get_mut(*reason as usize),
                (Decision::Hold { .. }, _) => Some(&mut self.held),
            };
            if let Some(n) = count {
                *n += 1;
            }
        }
    }

    /// What was counted in the sample, for all.
    fn scale(&self, n: u64) -> u64 {
        self.sample.map_or(n, |(of, sampled)| (n * of + sampled / 2) / sampled.max(1))
    }
}

/// The answer.
pub fn simulate(
    app: &App,
    message: &Message,
    tally: &Tally,
    accounts: &[Account],
    counted: &[Reply],
    now: Millis,
) -> String {
    let count = |all: &[u64], at: usize| tally.scale(all.get(at).copied().unwrap_or_default());
    let (mut at_vendors, mut skipped, mut shown) = (Map::new(), Map::new(), Map::new());
    for account in accounts {
        let n = count(&tally.sent, account.vendor as usize);
        if n > 0 {
            let one = one(app, message, n, account, counted, now);
            at_vendors.insert(account.vendor.name().to_owned(), one.into());
        }
    }
    for reason in Reason::ALL {
        let n = count(&tally.skipped, reason as usize);
        if n > 0 {
            put(&mut skipped, &[(reason.name(), n)]);
        }
    }
    let users = tally.sample.map_or(tally.users, |(of, _)| of);
    let (unknown, held) = (tally.scale(tally.unknown), tally.scale(tally.held));
    put(&mut shown, &[("users", users), ("unknown", unknown), ("held", held)]);
    if let Some((of, sampled)) = tally.sample {
        put(&mut shown, &[("sampled", sampled), ("of", of)]);
    }
    shown.insert("category".to_owned(), message.category.name().into());
    shown.insert("accounts".to_owned(), at_vendors.into());
    shown.insert("skipped".to_owned(), skipped.into());
    text::write(&Value::Object(shown))
}

fn put(shown: &mut Map<String, Value>, numbers: &[(&str, u64)]) {
    for (name, n) in numbers {
        shown.insert((*name).to_owned(), (*n).into());
    }
}

/// What becomes of so many deliveries at one vendor.
fn one(
    app: &App,
    message: &Message,
    n: u64,
    account: &Account,
    counted: &[Reply],
    now: Millis,
) -> Map<String, Value> {
    let Account { vendor, levels, devices, .. } = account;
    // As the account has counted them, or will when it needs them.
    let new = health::devices(counted, *vendor);
    let devices = Devices {
        installed: devices.installed.max(new.installed),
        enabled: devices.enabled.max(new.enabled),
    };
    let mut state = State::shown(levels, devices, *vendor, now);
    let class = admit::class(app, *vendor, message.category);
    // As if a refusal were remembered: the account is asked in any case.
    let ask = admit::ask(app, *vendor, class, usize::try_from(n).unwrap_or(usize::MAX), true, true, false);
    let expires = now.plus_secs(message.ttl.into());
    let lower = admit::lower(app, *vendor, message.category, expires, now);
    let taken = ask.map(|ask| state.take(&Admit { lower, ..ask }, *vendor, now)).unwrap_or_default();
    let (pass, downgraded) = (taken.granted, taken.lower.map_or(0, |lower| lower.n));
    let rest = n.saturating_sub(pass + downgraded);
    let (over, until) = (app.policy.over_quota(message.category), state.until(class, *vendor, now));
    let (wait, dropped, until) = match admit::no_quota(over, message.category, until, expires).0 {
        To::Held(at) => (rest, 0, at),
        To::Skipped(_) | To::Accepted(_) | To::Failed | To::Unknown | To::Retry(_) | To::Wait(_) => {
            (0, rest, until)
        }
    };
    let mut shown = Map::new();
    let numbers =
        [("deliveries", n), ("pass", pass), ("downgraded", downgraded), ("wait", wait), ("dropped", dropped)];
    put(&mut shown, &numbers);
    if rest > 0 {
        shown.insert("until".to_owned(), until.rfc3339().into());
    }
    shown
}

#[cfg(test)]
mod tests;
