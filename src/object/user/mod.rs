//! One user: devices, what the user wants, and what is owed to other objects. Pure steps; the shell writes what a step says.
//!
//! A device is used only while the `Claim` objects of its id and of its token say that this user holds them. A registration
//! is written down as pending first, so that whatever dies, the object's alarm carries it on.

use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::{
    model::{
        device::{Device, Source},
        ids::{DeviceId, UserId},
        preferences::Preferences,
        table::Table,
        time::{DayZone, Millis},
    },
    wire::{
        census::{Entry, Kind},
        claim::{Claim, Holder, Key},
        user::{Copy, DEAD_DAYS, Dead, Done, GUARD_MS, Missed, Person, Quiet, Reach},
    },
};

pub mod caps;
mod devices;
mod gone;
mod wishes;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;

/// A claim that is no longer wanted is freed only when the pushes that were let through before have left.
const RELEASE_AFTER_MS: u64 = GUARD_MS + 1_000;
/// No call takes longer, milliseconds.
const UNDER_WAY_MS: u64 = 60_000;
/// So many dead devices are remembered.
const DEAD_MAX: usize = 16;

/// What stands in the one row beside the devices.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct About {
    /// What the user wants.
    pub preferences: Preferences,
    /// Claims to free.
    pub owed: Vec<Owed>,
    /// Devices that vendors called dead of late.
    pub dead: Vec<Dead>,
    /// Personal messages that were not sent, by day.
    pub missed: Vec<(u64, Missed)>,
    /// When the app was last told that now is a good moment to ask for permission, and on which device.
    pub advised: Option<(Millis, DeviceId)>,
}

/// A claim to free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Owed {
    /// Of what.
    pub key: Key,
    /// Attempts up to this one.
    pub upto: Millis,
    /// Not before.
    pub after: Millis,
}

/// So much of a token's hash tells it from others.
const TOKEN_NAME: usize = 16;

/// A registration that has to be claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Who asks decides what may be taken from others.
    pub source: Source,
    /// The device.
    pub device: DeviceId,
    /// When it was asked for: names the attempt.
    pub at: Millis,
    /// The device id, and the token.
    pub keys: [Key; 2],
}

/// A user's state.
#[derive(Debug, Default)]
pub struct Home {
    devices: Vec<Device>,
    about: About,
    woke_at: Millis,
    /// Last words since the object woke. "Still here" is kept in memory only, so that it costs no row.
    heard: Table<DeviceId, Millis>,
    /// Epochs of losses that pending devices were told of: of the device id, and of the token.
    lost: Table<DeviceId, (u64, u64)>,
    /// Registrations that wait for their claims: nothing that they claim is freed meanwhile.
    under_way: Vec<Ask>,
    /// What guarded pushes were told holds until then.
    guarded_until: Millis,
    /// What was sent of late, once somebody has asked: a row of its own.
    pub caps: Option<caps::Caps>,
}

/// A row to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Insert or replace a device.
    Put(Box<Device>),
    /// Remove one.
    Remove(DeviceId),
    /// The row beside the devices.
    About,
}

/// What a step comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What became of the call.
    pub done: Done,
    /// Rows to write.
    pub writes: Vec<Write>,
    /// Something that a push needs has changed: the read copy is to be written.
    pub copy: bool,
    /// To be claimed.
    pub claim: Option<Ask>,
}

impl Ask {
    /// What one of the two claims says; `again`: it was interrupted.
    pub fn claim(&self, user: UserId, again: bool) -> Claim {
        let token = self.keys.iter().find_map(|key| match key {
            Key::Token(_, sha256) => sha256.get(..TOKEN_NAME),
            Key::Device(_) => None,
        });
        let holder = Holder { user, device: self.device.clone() };
        Claim { holder, at: self.at, again, source: self.source, token: token.unwrap_or_default().to_owned() }
    }
}

impl Step {
    /// Nothing changes.
    pub fn nothing(done: Done) -> Self {
        Self { done, writes: Vec::new(), copy: false, claim: None }
    }

    /// Another step of the same call; the row beside the devices is written once, and last.
    fn merge(&mut self, other: Self) {
        self.copy |= other.copy;
        let about = self.writes.contains(&Write::About) || other.writes.contains(&Write::About);
        self.writes.extend(other.writes);
        self.writes.retain(|write| *write != Write::About);
        if about {
            self.writes.push(Write::About);
        }
    }

    fn about(&mut self) {
        if !self.writes.contains(&Write::About) {
            self.writes.push(Write::About);
        }
    }
}

impl Home {
    /// From the rows on file.
    pub fn load(devices: Vec<Device>, about: About, now: Millis) -> Self {
        Self { devices, about, woke_at: now, ..Self::default() }
    }

    /// All devices, by id.
    pub fn devices(&self) -> &[Device] {
        &self.devices
    }

    /// One device.
    pub fn device(&self, id: &DeviceId) -> Option<&Device> {
        self.devices.iter().find(|device| device.id == *id)
    }

    /// The row beside the devices; `None`: there is nothing to keep.
    pub fn about(&self) -> Option<&About> {
        (self.about != About::default()).then_some(&self.about)
    }

    /// Everything, with last words that are not written down.
    pub fn person(&self, now: Millis) -> Person {
        let mut devices = self.devices.clone();
        for device in &mut devices {
            device.seen_at = self.heard.get(&device.id).copied().unwrap_or_default().max(device.seen_at);
        }
        let dead = self.about.dead.iter().filter(|dead| fresh(dead, now)).cloned();
        Person { devices, preferences: self.about.preferences.clone(), dead: dead.collect() }
    }

    /// There is nothing about this user.
    pub fn is_empty(&self) -> bool {
        self.devices.is_empty() && self.about.preferences == Preferences::default()
    }

    /// What a push needs: the read copy.
    pub fn copy(&self) -> Copy {
        let usable = self.devices.iter().filter(|device| device.usable());
        let preferences = &self.about.preferences;
        let quiet = preferences.quiet_hours.clone().map(|hours| Quiet { hours, zone: self.zone() });
        Copy {
            devices: usable.map(Reach::of).collect(),
            opt_out: preferences.opt_out.clone(),
            quiet,
            at: Millis(0),
        }
    }

    /// Whose clock quiet hours go by: the user's word, else that of the device seen last.
    fn zone(&self) -> String {
        let of_device = || {
            let with_zone = self.devices.iter().filter(|device| device.registration.time_zone.is_some());
            with_zone.max_by_key(|device| device.seen_at)?.registration.time_zone.clone()
        };
        let zone = self.about.preferences.time_zone.clone().or_else(of_device);
        zone.unwrap_or_else(|| "UTC".to_owned())
    }

    /// Something is being claimed: what a push needs will change in a moment.
    pub fn pending(&self) -> bool {
        self.devices.iter().any(|device| !device.usable())
    }

    /// A guarded push is told what holds: no device leaves before that is over.
    pub fn guard(&mut self, now: Millis) {
        self.guarded_until = Millis(now.0 + GUARD_MS);
    }

    /// How long to wait before somebody else may be told that a device is theirs. An object that has just woken does not
    /// know what it had told before.
    pub fn guarded(&self, now: Millis) -> u64 {
        let until = self.guarded_until.0.max(self.woke_at.0 + GUARD_MS);
        until.saturating_sub(now.0)
    }

    /// The same, of what is known.
    pub fn guarded_for_sure(&self, now: Millis) -> u64 {
        self.guarded_until.0.saturating_sub(now.0)
    }

    /// For the counts of all devices: kind, vendor and day of each.
    pub fn entries(&self, now: Millis) -> Vec<Entry> {
        let entry = |device: &Device| Entry {
            vendor: device.registration.address.vendor,
            kind: Kind::of(device.registration.permission),
            day: device.alive().0,
        };
        let dead = self.about.dead.iter().filter(|dead| fresh(dead, now));
        let day = |at: Millis| at.day(DayZone::Utc).0;
        let dead = dead.map(|dead| Entry { vendor: dead.vendor, kind: Kind::Dead, day: day(dead.at) });
        self.devices.iter().filter(|device| device.usable()).map(entry).chain(dead).collect()
    }

    /// Registrations that were not decided when they should have been.
    pub fn undecided(&mut self) -> Vec<Ask> {
        let asks: Vec<Ask> = self.devices.iter().filter_map(Self::ask).collect();
        self.under_way.extend(asks.iter().cloned());
        asks
    }

    /// Registrations that nobody carries on: their object died.
    pub fn interrupted(&mut self) -> Vec<Ask> {
        let asks = self.devices.iter().filter_map(Self::ask);
        let asks: Vec<Ask> = asks.filter(|ask| !self.under_way.contains(ask)).collect();
        self.under_way.extend(asks.iter().cloned());
        asks
    }

    /// Claims to free now; `early`: nothing that was let through is waited for any more. What is being claimed anew stays.
    pub fn owed(&self, early: bool, now: Millis) -> Vec<Owed> {
        let waits = |ask: &Ask, key: &Key| ask.keys.contains(key) && ask.at.0 + UNDER_WAY_MS > now.0;
        let free = |owed: &&Owed| {
            (early || owed.after <= now) && !self.under_way.iter().any(|ask| waits(ask, &owed.key))
        };
        self.about.owed.iter().filter(free).cloned().collect()
    }

    /// When the next claim is to be freed.
    pub fn next_owed(&self) -> Option<Millis> {
        self.about.owed.iter().map(|owed| owed.after).min()
    }

    /// A claim was freed.
    pub fn freed(&mut self, owed: &Owed) -> Step {
        let before = self.about.owed.len();
        self.about.owed.retain(|have| have != owed);
        let mut step = Step::nothing(Done::Unchanged);
        if self.about.owed.len() != before {
            step.about();
        }
        step
    }

    /// Forgets everything but what is owed.
    pub fn erase(&mut self, now: Millis) -> Step {
        let ids: Vec<DeviceId> = self.devices.iter().map(|device| device.id.clone()).collect();
        let mut step = Step { copy: true, ..Step::nothing(Done::Removed) };
        for id in ids {
            step.merge(self.remove(&id, Done::Removed, now));
        }
        self.about = About { owed: std::mem::take(&mut self.about.owed), ..About::default() };
        step.about();
        step
    }

    fn ask(device: &Device) -> Option<Ask> {
        if device.usable() {
            return None;
        }
        let keys = [Key::Device(device.id.clone()), Key::token(&device.registration.address)];
        Some(Ask { source: device.source, device: device.id.clone(), at: device.asked_at, keys })
    }
}

/// It was called dead not long ago.
fn fresh(dead: &Dead, now: Millis) -> bool {
    dead.at.day(DayZone::Utc).0 + DEAD_DAYS > now.day(DayZone::Utc).0
}
