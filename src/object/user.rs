//! One user's devices: what a registration, a removal and a vendor's word on a token change.

use std::collections::HashMap;

use crate::{
    crypto::hash,
    model::{
        device::{Device, Registration},
        ids::DeviceId,
        time::{DayZone, Millis},
    },
    wire::user::{DEVICES_MAX, Done, Gone},
};

/// A second word on a token counts if it comes so long after the first, milliseconds.
const SECOND_WORD_MS: u64 = 60_000;

/// The devices, and what was heard of them since the object woke. "Still here" is kept in memory only, so that it
/// costs no row; the first one of a day is written.
#[derive(Debug, Default)]
pub struct Devices {
    devices: Vec<Device>,
    woke_at: Millis,
    heard: HashMap<DeviceId, Millis>,
}

/// A row to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Insert or replace.
    Put(Device),
    /// Remove.
    Remove(DeviceId),
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
}

impl Step {
    fn nothing(done: Done) -> Self {
        Self { done, writes: Vec::new(), copy: false }
    }
}

impl Devices {
    /// From the rows on file.
    pub fn load(devices: Vec<Device>, now: Millis) -> Self {
        Self { devices, woke_at: now, heard: HashMap::new() }
    }

    /// All of them, by id.
    pub fn all(&self) -> &[Device] {
        &self.devices
    }

    /// A device registers, or says that it is still here.
    pub fn put(&mut self, id: DeviceId, registration: Registration, now: Millis) -> Step {
        self.heard.insert(id.clone(), now);
        let Some(device) = self.devices.iter_mut().find(|device| device.id == id) else {
            if self.devices.len() >= DEVICES_MAX {
                self.heard.remove(&id);
                return Step::nothing(Done::Full);
            }
            let device = Device {
                id,
                registration,
                token_since: now,
                seen_at: now,
                suspect_since: None,
                doubted_at: None,
            };
            let at = self.devices.partition_point(|other| other.id < device.id);
            self.devices.insert(at, device.clone());
            return Step { done: Done::Created, writes: vec![Write::Put(device)], copy: true };
        };
        let same = device.registration == registration;
        let copy = device.registration.address != registration.address
            || device.registration.permission != registration.permission;
        let known_today = device.seen_at.day(DayZone::Utc) == now.day(DayZone::Utc);
        if same && known_today && device.suspect_since.is_none() {
            return Step::nothing(Done::Unchanged);
        }
        if device.registration.address != registration.address {
            device.token_since = now;
        }
        device.registration = registration;
        device.seen_at = now;
        (device.suspect_since, device.doubted_at) = (None, None);
        let done = if same { Done::Unchanged } else { Done::Changed };
        Step { done, writes: vec![Write::Put(device.clone())], copy }
    }

    /// A device leaves.
    pub fn delete(&mut self, id: &DeviceId) -> Step {
        let before = self.devices.len();
        self.devices.retain(|device| device.id != *id);
        self.heard.remove(id);
        if self.devices.len() == before {
            return Step::nothing(Done::Missing);
        }
        Step { done: Done::Removed, writes: vec![Write::Remove(id.clone())], copy: true }
    }

    /// A vendor called tokens dead.
    pub fn gone(&mut self, items: Vec<Gone>, now: Millis) -> Step {
        let mut step = Step::nothing(Done::Unchanged);
        for gone in items {
            match self.weigh(&gone, now) {
                Fate::Keep => {}
                Fate::Suspect => {
                    if let Some(device) = self.devices.iter_mut().find(|device| device.id == gone.device) {
                        device.suspect_since = device.suspect_since.or(Some(now));
                        device.doubted_at = gone.remove.then_some(now);
                        step.writes.push(Write::Put(device.clone()));
                    }
                }
                Fate::Remove => {
                    let removed = self.delete(&gone.device);
                    step.done = removed.done;
                    step.copy |= removed.copy;
                    step.writes.extend(removed.writes);
                }
            }
        }
        step
    }

    fn weigh(&self, gone: &Gone, now: Millis) -> Fate {
        let Some(device) = self.devices.iter().find(|device| device.id == gone.device) else {
            return Fate::Keep;
        };
        let token = device.registration.address.token.reveal();
        if hash::sha256_hex(token.as_bytes()) != gone.token_sha256 {
            return Fate::Keep;
        }
        let doubt = if device.suspect_since.is_some() { Fate::Keep } else { Fate::Suspect };
        if !gone.remove {
            return doubt;
        }
        let Some(since) = gone.since else {
            let known_for = now.0.saturating_sub(device.token_since.0);
            let settled = known_for >= device.registration.address.vendor.settling_ms();
            return if settled { Fate::Remove } else { doubt };
        };
        let heard = self.heard.get(&device.id).copied();
        if since <= heard.unwrap_or(device.seen_at) {
            return Fate::Keep;
        }
        // A word after the one on file may have been heard before the object last woke, and not been written: but on
        // the same day only, since the first word of a day is.
        let unwritten = device.seen_at.day(DayZone::Utc).end(DayZone::Utc).min(self.woke_at);
        let last_word = heard.unwrap_or(device.seen_at.max(unwritten));
        if since > last_word {
            return Fate::Remove;
        }
        // Two answers of one moment are one word of the vendor's.
        match device.doubted_at {
            Some(at) if now.0.saturating_sub(at.0) >= SECOND_WORD_MS => Fate::Remove,
            Some(_) => Fate::Keep,
            None => Fate::Suspect,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Keep,
    Suspect,
    Remove,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{
            device::{Address, Permission, Platform},
            secret::Secret,
        },
        vendor::Vendor,
    };

    const HOUR: u64 = 3_600_000;
    /// Noon of a day.
    const NOON: u64 = 20_000 * 24 * HOUR + 12 * HOUR;

    fn id(text: &str) -> DeviceId {
        DeviceId::parse(text).unwrap()
    }

    fn registration(token: &str) -> Registration {
        Registration {
            platform: Platform::Ios,
            address: Address {
                vendor: Vendor::Apns,
                token: Secret::new(token),
                environment: None,
                topic: None,
            },
            permission: Permission::Granted,
            app_version: None,
            locale: None,
            time_zone: None,
        }
    }

    fn gone(token: &str, since: Option<u64>, remove: bool) -> Vec<Gone> {
        let token_sha256 = hash::sha256_hex(token.as_bytes());
        vec![Gone { device: id("d"), token_sha256, since: since.map(Millis), remove }]
    }

    fn registered_at(at: u64) -> Devices {
        let mut devices = Devices::load(Vec::new(), Millis(at - 1));
        assert_eq!(devices.put(id("d"), registration("t"), Millis(at)).done, Done::Created);
        devices
    }

    #[test]
    fn still_here_costs_nothing_on_a_day_that_is_known() {
        let mut devices = registered_at(NOON);
        let again = devices.put(id("d"), registration("t"), Millis(NOON + HOUR));
        assert_eq!(again, Step::nothing(Done::Unchanged));
        let tomorrow = devices.put(id("d"), registration("t"), Millis(NOON + 24 * HOUR));
        assert_eq!((tomorrow.done, tomorrow.writes.len(), tomorrow.copy), (Done::Unchanged, 1, false));
    }

    #[test]
    fn only_what_a_push_needs_writes_the_copy() {
        let mut devices = registered_at(NOON);
        let newer = Registration { app_version: Some("2".into()), ..registration("t") };
        let step = devices.put(id("d"), newer.clone(), Millis(NOON));
        assert_eq!((step.done, step.writes.len(), step.copy), (Done::Changed, 1, false));
        let denied = Registration { permission: Permission::Denied, ..newer };
        assert!(devices.put(id("d"), denied, Millis(NOON)).copy);
        assert!(devices.put(id("d"), registration("t2"), Millis(NOON)).copy);
    }

    #[test]
    fn the_sixty_fifth_device_is_refused() {
        let mut devices = Devices::load(Vec::new(), Millis(0));
        for n in 0..64 {
            assert_eq!(devices.put(id(&n.to_string()), registration("t"), Millis(1)).done, Done::Created);
        }
        assert_eq!(devices.put(id("64"), registration("t"), Millis(1)), Step::nothing(Done::Full));
        assert_eq!(devices.put(id("63"), registration("t"), Millis(1)).done, Done::Unchanged);
    }

    #[test]
    fn a_word_without_a_time_removes() {
        let mut devices = registered_at(NOON);
        let step = devices.gone(gone("t", None, true), Millis(NOON));
        assert_eq!((step.done, step.writes, step.copy), (Done::Removed, vec![Write::Remove(id("d"))], true));
    }

    /// A push service may not know a brand-new subscription yet.
    #[test]
    fn a_subscription_is_not_removed_within_its_first_minute() {
        let mut devices = Devices::load(Vec::new(), Millis(NOON - 1));
        let mut browser = registration("t");
        browser.address.vendor = Vendor::Webpush;
        devices.put(id("d"), browser, Millis(NOON));
        let said = |devices: &mut Devices, at| devices.gone(gone("t", None, true), Millis(at));
        assert_eq!(said(&mut devices, NOON + 1_000).done, Done::Unchanged);
        assert_eq!(devices.all()[0].suspect_since, Some(Millis(NOON + 1_000)));
        assert_eq!(said(&mut devices, NOON + 59_999), Step::nothing(Done::Unchanged));
        assert_eq!(said(&mut devices, NOON + 60_000).done, Done::Removed);
    }

    #[test]
    fn a_word_on_an_older_token_changes_nothing() {
        let mut devices = registered_at(NOON);
        assert_eq!(devices.gone(gone("older", None, true), Millis(NOON)), Step::nothing(Done::Unchanged));
    }

    #[test]
    fn a_time_before_the_devices_last_word_changes_nothing() {
        let mut devices = registered_at(NOON);
        devices.put(id("d"), registration("t"), Millis(NOON + HOUR));
        for since in [NOON - 1, NOON, NOON + HOUR] {
            assert_eq!(
                devices.gone(gone("t", Some(since), true), Millis(NOON + HOUR)),
                Step::nothing(Done::Unchanged)
            );
        }
        assert_eq!(
            devices.gone(gone("t", Some(NOON + HOUR + 1), true), Millis(NOON + 2 * HOUR)).done,
            Done::Removed
        );
    }

    /// After a wake the last word is known to the day only: doubt keeps, a second word removes.
    #[test]
    fn doubt_keeps_and_a_second_word_removes() {
        let on_file = registered_at(NOON).all().to_vec();
        let mut devices = Devices::load(on_file.clone(), Millis(NOON + 6 * HOUR));
        let step = devices.gone(gone("t", Some(NOON + HOUR), true), Millis(NOON + 6 * HOUR));
        assert_eq!((step.done, step.writes.len(), step.copy), (Done::Unchanged, 1, false));
        assert_eq!(devices.all()[0].suspect_since, Some(Millis(NOON + 6 * HOUR)));
        let again =
            |devices: &mut Devices, at| devices.gone(gone("t", Some(NOON + HOUR), true), Millis(at)).done;
        assert_eq!(again(&mut devices, NOON + 6 * HOUR + 500), Done::Unchanged, "the same word, heard twice");
        assert_eq!(again(&mut devices, NOON + 7 * HOUR), Done::Removed);

        let mut devices = Devices::load(on_file.clone(), Millis(NOON + 6 * HOUR));
        devices.gone(gone("t", None, false), Millis(NOON + 6 * HOUR));
        assert_eq!(
            again(&mut devices, NOON + 7 * HOUR),
            Done::Unchanged,
            "what was not believed is no first word"
        );

        let mut devices = Devices::load(on_file.clone(), Millis(NOON + 2 * HOUR));
        let later_than_it_woke =
            devices.gone(gone("t", Some(NOON + 3 * HOUR), true), Millis(NOON + 4 * HOUR));
        assert_eq!(later_than_it_woke.done, Done::Removed);

        let mut devices = Devices::load(on_file, Millis(NOON + 72 * HOUR));
        let next_day = devices.gone(gone("t", Some(NOON + 13 * HOUR), true), Millis(NOON + 72 * HOUR));
        assert_eq!(next_day.done, Done::Removed);
    }

    #[test]
    fn a_word_that_is_not_believed_marks_once_and_a_sign_of_life_clears() {
        let mut devices = registered_at(NOON);
        assert_eq!(devices.gone(gone("t", None, false), Millis(NOON + 1)).writes.len(), 1);
        assert_eq!(devices.gone(gone("t", None, false), Millis(NOON + 2)), Step::nothing(Done::Unchanged));
        assert_eq!(devices.put(id("d"), registration("t"), Millis(NOON + 3)).writes.len(), 1);
        assert_eq!(devices.all()[0].suspect_since, None);
    }
}
