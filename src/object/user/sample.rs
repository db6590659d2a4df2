//! What the tests of this folder share.

use super::{About, Home, Step};
use crate::{
    crypto::hash,
    model::{
        device::{Address, Permission, Platform, Registration, Source},
        ids::DeviceId,
        secret::Secret,
        time::Millis,
    },
    vendor::Vendor,
    wire::{
        claim::Outcome,
        user::{Done, Gone},
    },
};

pub(super) const HOUR: u64 = 3_600_000;
/// Noon of a day.
pub(super) const NOON: u64 = 20_000 * 24 * HOUR + 12 * HOUR;

pub(super) fn id(text: &str) -> DeviceId {
    DeviceId::parse(text).unwrap()
}

pub(super) fn registration(token: &str) -> Registration {
    Registration {
        platform: Platform::Ios,
        address: Address { vendor: Vendor::Apns, token: Secret::new(token), environment: None, topic: None },
        permission: Permission::Granted,
        app_version: None,
        locale: None,
        time_zone: None,
        kind: Default::default(),
        activity: None,
    }
}

/// Registers a device, and its claims are granted at once.
pub(super) fn put(home: &mut Home, device: &str, registration: Registration, now: Millis) -> Step {
    let mut step = home.put(id(device), registration, Source::Backend, now);
    if let Some(ask) = step.claim.take() {
        let granted = home.claimed(&ask, [Some(Outcome::Yours(now.0)); 2], now);
        assert_eq!(granted.done, Done::Changed);
        step.writes = granted.writes;
        step.copy |= granted.copy;
    }
    step
}

pub(super) fn gone(token: &str, since: Option<u64>, remove: bool) -> Vec<Gone> {
    let token_sha256 = hash::sha256_hex(token.as_bytes());
    vec![Gone { device: id("d"), token_sha256, since: since.map(Millis), remove, reported: false }]
}

pub(super) fn registered_at(at: u64) -> Home {
    let mut home = Home::load(Vec::new(), About::default(), Millis(at - 1));
    assert_eq!(put(&mut home, "d", registration("t"), Millis(at)).done, Done::Created);
    home
}
