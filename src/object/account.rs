//! One app at one vendor: what may pass today, by the app's own limits and by the vendor's.

use serde_tuple::{Deserialize_tuple, Serialize_tuple};

mod leases;

use self::leases::Leases;
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
    wire::account::{Admit, Bearer, Class, Devices, Lease, Level, Lowered, Pool, Return},
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
    /// The vendor's limit, where the app has told it.
    told: Rule,
    /// Pools of which the vendor has said that its day has no more.
    closed: Table<Pool, Millis>,
    devices: Devices,
    /// When the census was last asked for them.
    asked_at: Millis,
    leases: Leases,
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
    #[serde(default)]
    told: Rule,
}

/// What a request to pass comes to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Taken {
    /// How many may pass.
    pub granted: u64,
    /// They count against a limit of the app's own.
    pub own: bool,
    /// What passes of the rest in the lower class.
    pub lower: Option<Lowered>,
    /// Grants ahead.
    pub lease: Option<Lease>,
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
            told: kept.told,
            closed: gather(kept.closed),
            devices: kept.devices,
            asked_at: kept.asked_at,
            leases: Leases::default(),
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
            told: self.told,
        }
    }

    /// Whether the census has to be asked first. The limit is never below its rule's least: until that is used up nobody needs to
    /// know how many devices there are.
    pub fn wants_devices(&self, admit: &Admit, vendor: Vendor, now: Millis) -> bool {
        let known = admit.vendors.is_some() || now.0.saturating_sub(self.asked_at.0) < COUNTED_MS;
        let classes = [admit.class].into_iter().chain(admit.lower.map(|lower| lower.class));
        let short = |class: Class| {
            per_day(vendor, class.goes_as).is_some_and(|rule| {
                self.closed_until(class, vendor, now).is_none()
                    && self.left(Pool::Public, rule.limit(self.devices), vendor, now) < admit.n
            })
        };
        !known && classes.into_iter().any(short)
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

    /// Lets deliveries of a class pass, as many as every limit on them lets, and of the rest as many as the limits on the lower class
    /// let.
    pub fn take(&mut self, admit: &Admit, vendor: Vendor, now: Millis) -> Taken {
        // Who asks for a bearer only says nothing of limits.
        if admit.n == 0 {
            return Taken::default();
        }
        let mut taken = self.pass(admit, admit.lease, vendor, now);
        let rest = admit.n.saturating_sub(taken.granted);
        if let Some(lower) = admit.lower.filter(|_| rest > 0) {
            let admit = Admit { class: lower.class, limit: lower.limit, n: rest, ..admit.clone() };
            let lowered = self.pass(&admit, 0, vendor, now);
            let until = vendor.resets_at(now);
            taken.lower = Some(Lowered { n: lowered.granted, own: lowered.own, until });
            taken.write |= lowered.write;
        }
        taken
    }

    /// Of two callers the one with the newer copy of the app says the app's limit: an isolate that is behind does not bring an
    /// older, higher one back.
    fn pass(&mut self, admit: &Admit, ahead: u64, vendor: Vendor, now: Millis) -> Taken {
        let (class, Class { category, goes_as }) = (admit.class, admit.class);
        let (known, said) = (self.limits.get(&category).copied(), (admit.policy, admit.limit));
        let newest = known.filter(|known| known.0 > admit.policy).unwrap_or(said);
        self.limits.insert(category, newest);
        // A changed limit is written also where it lets nothing pass.
        let write = known.and_then(|known| known.1) != newest.1;
        let own = newest.1.map(|limit| (Pool::Category(category), limit));
        let write = self.tell(admit) || write;
        let mut taken = Taken { own: own.is_some(), write, ..Taken::default() };
        if self.closed_until(class, vendor, now).is_some() {
            return taken;
        }
        let of_rule = |rule: PerDay| self.told.1.unwrap_or_else(|| rule.limit(self.devices));
        let vendors = per_day(vendor, goes_as).map(|rule| (Pool::Public, of_rule(rule)));
        let today = now.day(vendor.day_zone());
        let pools: Vec<(Pool, u64)> = own.into_iter().chain(vendors).collect();
        let left = |(pool, limit): &(Pool, u64)| self.left(*pool, *limit, vendor, now);
        taken.granted = pools.iter().map(left).chain([admit.n]).min().unwrap_or_default();
        let most = |(pool, limit): &(Pool, u64)| {
            let left = self.left(*pool, *limit, vendor, now).saturating_sub(taken.granted);
            leases::most(*limit, left, self.reserved(*pool, vendor, now))
        };
        let ahead = pools.iter().map(most).min().unwrap_or_default().min(ahead);
        if taken.granted == admit.n {
            taken.lease = self.leases.give(class, ahead, vendor.resets_at(now), now);
        }
        let all = taken.granted + taken.lease.map_or(0, |lease| lease.n);
        for (pool, limit) in pools {
            let counter = self.counters.entry(pool).or_insert_with(|| Counter::load(None, today));
            taken.write |= counter.take(all, limit, today, now).write.is_some();
        }
        taken
    }

    /// The vendor's limit by the newest word of the app. `true`: it has changed.
    fn tell(&mut self, admit: &Admit) -> bool {
        let before = self.told.1;
        if admit.policy >= self.told.0 {
            self.told = (admit.policy, admit.vendors);
        }
        self.told.1 != before
    }

    /// Grants in leases that have not ended.
    fn reserved(&self, pool: Pool, vendor: Vendor, now: Millis) -> u64 {
        let counts = |class: Class| match pool {
            Pool::Category(category) => class.category == category,
            Pool::Public => per_day(vendor, class.goes_as).is_some(),
        };
        self.leases.reserved(counts, now)
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

    /// Takes back what was granted and not used.
    pub fn give_back(&mut self, back: &Return, vendor: Vendor) {
        let Return { class, resets_at, n, own, close: _, lease } = *back;
        self.leases.ended(lease);
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
            let reserved = self.reserved(pool, vendor, now).min(granted);
            Level { pool, granted, reserved, closed: self.closed.get(&pool).copied() }
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
mod shown;

#[cfg(test)]
mod tests;
