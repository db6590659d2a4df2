//! One app at one vendor: what may pass today, by the app's own limits and by the vendor's.

use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use super::{
    bearer::Bearers,
    breaker::{Breaker, Open},
    quota::{Counter, Mark},
    rate::Rate,
};
use crate::{
    model::{
        push::Category,
        table::{Table, gather},
        time::Millis,
    },
    vendor::{
        Vendor,
        rules::{self, PerDay},
    },
    wire::account::{Admit, Bearer, Class, Devices, Level, Pool},
};

/// How long the census' word on devices is good, milliseconds.
const COUNTED_MS: u64 = 600_000;
/// When it is asked again that has not answered, milliseconds.
const AGAIN_MS: u64 = 10_000;

/// The newest limit of the app's own: the revision of the app that says it, and the limit.
pub type Rule = (u64, Option<u64>);

/// What the object holds in memory.
#[derive(Debug, Default)]
pub struct State {
    counters: Table<Pool, Counter>,
    limits: Table<Category, Rule>,
    /// Pools of which the vendor has said that its day has no more.
    closed: Table<Pool, Millis>,
    devices: Devices,
    /// When the census was last asked for them.
    asked_at: Millis,
    /// The access tokens.
    pub bearers: Bearers,
    breaker: Breaker,
    rate: Rate,
}

/// What is written, in one row: a change of any of it costs one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Kept {
    marks: Vec<(Pool, Mark)>,
    /// An isolate that is behind does not bring an older limit back after the object has slept.
    limits: Vec<(Category, Rule)>,
    closed: Vec<(Pool, Millis)>,
    devices: Devices,
    asked_at: Millis,
    #[serde(default)]
    breaker: Option<Open>,
}

/// What a request to pass comes to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Taken {
    /// How many may pass.
    pub granted: u64,
    /// They count against a limit of the app's own.
    pub own: bool,
    /// What is kept has changed: it is to be written before the answer leaves.
    pub write: bool,
}

impl State {
    /// From what was written.
    pub fn load(kept: Kept, bearer: Option<Bearer>, vendor: Vendor, now: Millis) -> Self {
        let today = now.day(vendor.day_zone());
        let counter = |(pool, mark)| (pool, Counter::load(Some(mark), today));
        Self {
            counters: gather(kept.marks.into_iter().map(counter)),
            limits: gather(kept.limits),
            closed: gather(kept.closed),
            devices: kept.devices,
            asked_at: kept.asked_at,
            bearers: Bearers::load(bearer),
            breaker: Breaker::load(kept.breaker),
            rate: Rate::load(now),
        }
    }

    /// What is to be written.
    pub fn keep(&self, now: Millis) -> Kept {
        let closed = self.closed.iter().filter(|(_, until)| **until > now);
        Kept {
            marks: self.counters.iter().map(|(pool, counter)| (*pool, counter.mark())).collect(),
            limits: self.limits.iter().map(|(category, rule)| (*category, *rule)).collect(),
            closed: closed.map(|(pool, until)| (*pool, *until)).collect(),
            devices: self.devices,
            asked_at: self.asked_at,
            breaker: self.breaker.kept(),
        }
    }

    /// Whether the census has to be asked first. The limit is never below its rule's least: until that is used up nobody needs to
    /// know how many devices there are.
    pub fn wants_devices(&self, admit: &Admit, vendor: Vendor, now: Millis) -> bool {
        let Some(rule) = per_day(vendor, admit.class.goes_as) else { return false };
        let known = now.0.saturating_sub(self.asked_at.0) < COUNTED_MS;
        !known
            && self.closed_until(admit.class, vendor, now).is_none()
            && self.left(Pool::Public, rule.limit(self.devices), vendor, now) < admit.n
    }

    /// What the census says. Where it does not answer the last count holds, and it is asked again in a little while.
    pub fn set_devices(&mut self, devices: Option<Devices>, now: Millis) {
        self.asked_at = match devices {
            Some(_) => now,
            None => Millis(now.0.saturating_sub(COUNTED_MS - AGAIN_MS)),
        };
        self.devices = devices.unwrap_or(self.devices);
    }

    /// The devices that the vendor's limit is reckoned with.
    pub fn devices(&self) -> Devices {
        self.devices
    }

    fn left(&self, pool: Pool, limit: u64, vendor: Vendor, now: Millis) -> u64 {
        let today = now.day(vendor.day_zone());
        self.counters.get(&pool).map_or(limit, |counter| counter.left(limit, today))
    }

    /// Lets deliveries of a class pass, as many as every limit on them lets. Of two callers the one with the newer copy of the
    /// app says the app's limit: an isolate that is behind does not bring an older, higher one back.
    pub fn take(&mut self, admit: &Admit, vendor: Vendor, now: Millis) -> Taken {
        // Who asks for a bearer only says nothing of limits.
        if admit.n == 0 {
            return Taken::default();
        }
        let Class { category, goes_as } = admit.class;
        let (known, said) = (self.limits.get(&category).copied(), (admit.policy, admit.limit));
        let newest = known.filter(|known| known.0 > admit.policy).unwrap_or(said);
        self.limits.insert(category, newest);
        // A changed limit is written also where it lets nothing pass.
        let mut write = known.and_then(|known| known.1) != newest.1;
        let own = newest.1.map(|limit| (Pool::Category(category), limit));
        if self.closed_until(admit.class, vendor, now).is_some() {
            return Taken { granted: 0, own: own.is_some(), write };
        }
        let vendors = per_day(vendor, goes_as).map(|rule| (Pool::Public, rule.limit(self.devices)));
        let today = now.day(vendor.day_zone());
        let pools: Vec<(Pool, u64)> = own.into_iter().chain(vendors).collect();
        let left = |(pool, limit): &(Pool, u64)| self.left(*pool, *limit, vendor, now);
        let granted = pools.iter().map(left).chain([admit.n]).min().unwrap_or_default();
        for (pool, limit) in pools {
            let counter = self.counters.entry(pool).or_insert_with(|| Counter::load(None, today));
            write |= counter.take(granted, limit, today, now).write.is_some();
        }
        Taken { granted, own: own.is_some(), write }
    }

    /// The vendor says that its day has no more of a class.
    pub fn close(&mut self, class: Class, vendor: Vendor, now: Millis) {
        let until = self.closed.entry(refused_pool(class, vendor)).or_default();
        *until = vendor.refused_until(now).max(*until);
    }

    /// Until when the vendor has refused more of a class.
    pub fn closed_until(&self, class: Class, vendor: Vendor, now: Millis) -> Option<Millis> {
        self.closed.get(&refused_pool(class, vendor)).copied().filter(|until| *until > now)
    }

    /// When what is asked for now may pass that does not: the window's end, or a little later where the vendor only seemed to refuse.
    pub fn until(&self, class: Class, vendor: Vendor, now: Millis) -> Millis {
        self.closed_until(class, vendor, now).unwrap_or_else(|| vendor.resets_at(now))
    }

    /// Takes back what was granted in the window that ends at `resets_at`; `own`: it counted against the app's own limit.
    pub fn give_back(&mut self, class: Class, n: u64, own: bool, resets_at: Millis, vendor: Vendor) {
        // The last millisecond of the window names its day.
        let day = Millis(resets_at.0.saturating_sub(1)).day(vendor.day_zone());
        let own = own.then_some(Pool::Category(class.category));
        let vendors = per_day(vendor, class.goes_as).map(|_| Pool::Public);
        for pool in own.into_iter().chain(vendors) {
            if let Some(counter) = self.counters.get_mut(&pool) {
                counter.give_back(n, day);
            }
        }
    }

    /// How full each pool is.
    pub fn levels(&self, vendor: Vendor, now: Millis) -> Vec<Level> {
        let today = now.day(vendor.day_zone());
        let pools = Category::ALL.map(Pool::Category).into_iter().chain([Pool::Public]);
        let level = |pool| {
            let granted = self.counters.get(&pool).map_or(0, |counter| counter.granted(today));
            Level { pool, granted, closed: self.closed.get(&pool).copied() }
        };
        pools.map(level).filter(|level| level.granted > 0 || level.closed_at(now).is_some()).collect()
    }

    /// A mark runs ahead of what was granted.
    pub fn is_ahead(&self) -> bool {
        self.counters.values().any(Counter::is_ahead)
    }

    /// Brings the marks that ran ahead back to what was granted.
    pub fn trim(&mut self) {
        for (_, counter) in self.counters.iter_mut() {
            counter.trim();
        }
    }
}

/// The vendor's limit on what goes as a category.
fn per_day(vendor: Vendor, goes_as: Category) -> Option<PerDay> {
    rules::rule(vendor, goes_as)?.per_day
}

/// What a vendor's refusal is about: all that it limits together, or the category alone.
fn refused_pool(class: Class, vendor: Vendor) -> Pool {
    if rules::limits(vendor, class.goes_as) { Pool::Public } else { Pool::Category(class.category) }
}

pub mod pace;

#[cfg(test)]
mod tests;
