//! Devices: what a registration, a claim's answer, a loss and a removal change.

use super::{Ask, Home, Owed, RELEASE_AFTER_MS, Step, Write};
use crate::{
    model::{
        device::{Device, Hold, Permission, Registration, Source},
        ids::DeviceId,
        time::{DayZone, Millis},
    },
    wire::{
        claim::{Key, Outcome},
        user::{DEVICES_MAX, Done, Loss},
    },
};

/// "Still here" is written down, with the read copy, once in so many days: that is how exactly the last word is known
/// after the object has slept.
pub(super) const SEEN_DAYS: u64 = 7;

impl Home {
    /// A device registers, or says that it is still here. A line of an import is no word of the device's own, and says nothing
    /// against what the device has said itself: so an import can be repeated.
    pub fn put(&mut self, id: DeviceId, registration: Registration, source: Source, now: Millis) -> Step {
        let asked_at = self.attempt(now);
        let own = source != Source::Import;
        let word = if own { now } else { Millis(0) };
        let Some(device) = self.devices.iter_mut().find(|device| device.id == id) else {
            if self.devices.len() >= DEVICES_MAX {
                return Step::nothing(Done::Full);
            }
            let device = Device {
                id: id.clone(),
                registration,
                hold: Hold::Pending,
                asked_at,
                source,
                created_at: now,
                token_since: now,
                seen_at: word,
                suspect_since: None,
                doubted_at: None,
            };
            let at = self.devices.partition_point(|other| other.id < id);
            self.devices.insert(at, device);
            return self.claim(&id, Done::Created, now);
        };
        if own {
            self.heard.insert(id.clone(), now);
        } else if device.source != Source::Import
            || device.seen_at > Millis(0)
            || self.heard.contains_key(&id)
        {
            return Step::nothing(Done::Unchanged);
        }
        let before = Key::token(&device.registration.address);
        let moved = before != Key::token(&registration.address);
        if moved || !device.usable() {
            let done = if device.usable() { Done::Changed } else { Done::Created };
            if moved {
                device.token_since = now;
                self.about.owed.push(Owed { key: before, upto: device.asked_at, after: free_at(now) });
            }
            (device.registration, device.source) = (registration, source);
            (device.hold, device.asked_at) = (Hold::Pending, asked_at);
            device.seen_at = device.seen_at.max(word);
            (device.suspect_since, device.doubted_at) = (None, None);
            let mut step = self.claim(&id, done, now);
            if moved {
                step.about();
            }
            return step;
        }
        let same = device.registration == registration;
        let copy = device.registration.address != registration.address
            || device.registration.permission != registration.permission
            || device.registration.kind != registration.kind
            || device.registration.activity != registration.activity
            || (device.registration.time_zone != registration.time_zone
                && self.about.preferences.quiet_hours.is_some());
        let written = !own || now.day(DayZone::Utc).0 < device.seen_at.day(DayZone::Utc).0 + SEEN_DAYS;
        if same && written && (device.suspect_since.is_none() || !own) {
            return Step::nothing(Done::Unchanged);
        }
        device.registration = registration;
        let copy = copy || !written;
        // Its day moves with the copy's, or the copy would never learn of it.
        if copy {
            device.seen_at = device.seen_at.max(word);
        }
        if own {
            (device.suspect_since, device.doubted_at) = (None, None);
        }
        let done = if same { Done::Unchanged } else { Done::Changed };
        Step { writes: vec![Write::Put(Box::new(device.clone()))], copy, ..Step::nothing(done) }
    }

    /// The name of another attempt: greater than that of any before.
    fn attempt(&self, now: Millis) -> Millis {
        let devices = self.devices.iter().map(|device| device.asked_at);
        let last = devices.chain(self.about.owed.iter().map(|owed| owed.upto)).max();
        last.map_or(now, |last| now.max(Millis(last.0 + 1)))
    }

    /// A registration that is pending now is to be claimed. Another device of the same user that had the token goes.
    fn claim(&mut self, id: &DeviceId, done: Done, now: Millis) -> Step {
        let mut step = Step::nothing(done);
        self.lost.remove(id);
        let before = self.about.dead.len();
        self.about.dead.retain(|dead| dead.device != *id);
        if self.about.dead.len() != before {
            step.about();
        }
        let Some(device) = self.device(id).cloned() else { return step };
        if device.source != Source::Import {
            self.heard.insert(id.clone(), now);
        }
        step.writes.push(Write::Put(Box::new(device.clone())));
        let token = Key::token(&device.registration.address);
        let with_token =
            |other: &&Device| other.id != *id && Key::token(&other.registration.address) == token;
        step.claim = Self::ask(&device);
        let others: Vec<DeviceId> =
            self.devices.iter().filter(with_token).map(|other| other.id.clone()).collect();
        for other in others {
            step.merge(self.remove(&other, Done::Removed, now));
        }
        self.under_way.extend(step.claim.clone());
        step
    }

    /// What the `Claim` objects answered to a registration.
    pub fn claimed(&mut self, ask: &Ask, answers: [Option<Outcome>; 2], now: Millis) -> Step {
        if let Some(at) = self.under_way.iter().position(|other| other == ask) {
            self.under_way.remove(at);
        }
        let present =
            |device: &&mut Device| device.id == ask.device && !device.usable() && device.asked_at == ask.at;
        let Some(device) = self.devices.iter_mut().find(present) else {
            return self.stray(ask, answers, now);
        };
        let (lost_device, lost_token) = self.lost.get(&ask.device).copied().unwrap_or_default();
        match answers {
            [Some(Outcome::Yours(device_epoch)), Some(Outcome::Yours(token_epoch))] => {
                if device_epoch < lost_device || token_epoch < lost_token {
                    return self.remove(&ask.device, Done::Taken, now);
                }
                self.lost.remove(&ask.device);
                device.hold = Hold::Ours(device_epoch, token_epoch);
                Step {
                    writes: vec![Write::Put(Box::new(device.clone()))],
                    copy: true,
                    ..Step::nothing(Done::Changed)
                }
            }
            [Some(Outcome::Later), _] | [_, Some(Outcome::Later)] => {
                self.remove(&ask.device, Done::Taken, now)
            }
            [Some(Outcome::Yours(_) | Outcome::Stale | Outcome::Untold | Outcome::Done) | None, _] => {
                Step::nothing(Done::Undecided)
            }
        }
    }

    /// The answer to a registration that another one, or a removal, has overtaken: what it has claimed, or may have, and what
    /// nothing else of this user claims by now, is given back.
    fn stray(&mut self, ask: &Ask, answers: [Option<Outcome>; 2], now: Millis) -> Step {
        let known = self.device(&ask.device).is_some();
        let mut step = Step::nothing(if known { Done::Changed } else { Done::Taken });
        for (key, answer) in ask.keys.iter().zip(answers) {
            match answer {
                Some(Outcome::Later | Outcome::Stale) => continue,
                Some(Outcome::Yours(_) | Outcome::Untold | Outcome::Done) | None => {}
            }
            let uses = |device: &Device| match key {
                Key::Device(id) => device.id == *id,
                Key::Token(..) => Key::token(&device.registration.address) == *key,
            };
            if !self.devices.iter().any(uses) {
                self.about.owed.push(Owed { key: key.clone(), upto: ask.at, after: free_at(now) });
                step.about();
            }
        }
        step
    }

    /// Somebody else holds a device or its token now.
    pub fn lost(&mut self, loss: &Loss, now: Millis) -> Step {
        let Some(device) = self.device(&loss.device) else { return Step::nothing(Done::Missing) };
        let token = |sha256: &String| matches!(Key::token(&device.registration.address), Key::Token(_, have) if have == *sha256);
        let of_token = loss.token_sha256.is_some();
        if !loss.token_sha256.as_ref().is_none_or(token) {
            return Step::nothing(Done::Unchanged);
        }
        match device.hold {
            Hold::Ours(device_epoch, token_epoch) => {
                let ours = if of_token { token_epoch } else { device_epoch };
                if ours < loss.epoch {
                    self.remove(&loss.device, Done::Removed, now)
                } else {
                    Step::nothing(Done::Unchanged)
                }
            }
            Hold::Pending => {
                let (device, token) = self.lost.entry(loss.device.clone()).or_default();
                let epoch = if of_token { token } else { device };
                *epoch = loss.epoch.max(*epoch);
                Step::nothing(Done::Unchanged)
            }
        }
    }

    /// A device leaves.
    pub fn delete(&mut self, id: &DeviceId, now: Millis) -> Step {
        if self.device(id).is_none() {
            return Step::nothing(Done::Missing);
        }
        self.remove(id, Done::Removed, now)
    }

    /// Takes a device out; its claims, as far as they are still ours, are owed back.
    pub(super) fn remove(&mut self, id: &DeviceId, done: Done, now: Millis) -> Step {
        let Some(at) = self.devices.iter().position(|device| device.id == *id) else {
            return Step::nothing(done);
        };
        let device = self.devices.remove(at);
        self.heard.remove(id);
        self.lost.remove(id);
        let (upto, after) = (device.asked_at, free_at(now));
        let token = Key::token(&device.registration.address);
        self.about.owed.push(Owed { key: Key::Device(device.id), upto, after });
        self.about.owed.push(Owed { key: token, upto, after });
        let mut step = Step { copy: true, ..Step::nothing(done) };
        step.writes.push(Write::Remove(id.clone()));
        step.about();
        step
    }

    /// The app reports whether notifications are allowed.
    pub fn permission(&mut self, id: &DeviceId, permission: Permission, now: Millis) -> Step {
        self.heard.insert(id.clone(), now);
        let Some(device) = self.devices.iter_mut().find(|device| device.id == *id) else {
            self.heard.remove(id);
            return Step::nothing(Done::Missing);
        };
        if device.registration.permission == permission {
            return Step::nothing(Done::Unchanged);
        }
        device.registration.permission = permission;
        device.seen_at = now;
        let copy = device.usable();
        Step { writes: vec![Write::Put(Box::new(device.clone()))], copy, ..Step::nothing(Done::Changed) }
    }
}

/// When a claim that is given up now is freed.
fn free_at(now: Millis) -> Millis {
    Millis(now.0 + RELEASE_AFTER_MS)
}
