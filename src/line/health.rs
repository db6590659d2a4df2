//! `GET /v1/devices/health`: what the census has counted, as an operator reads it.

use serde_json::{Map, Value, json};

use crate::{
    model::{
        policy::Policy,
        table::gather,
        time::{Day, DayZone, Millis},
    },
    vendor::Vendor,
    wire::{
        account::Devices,
        census::{Entry, Kind, Reply},
        user::DEAD_DAYS,
    },
};

/// Devices of one vendor by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct States {
    live: u64,
    stale: u64,
    permission_off: u64,
    dead: u64,
}

/// The answer, from all objects of the census.
pub fn health(policy: &Policy, counted: &[Reply], now: Millis) -> String {
    let mut vendors: Vec<(Vendor, States)> = Vendor::ALL.map(|vendor| (vendor, States::default())).to_vec();
    let mut total = States::default();
    let today = now.day(DayZone::Utc).0;
    // A user who never comes back reports no more: what was dead long ago counts no longer.
    let counts = |entry: &Entry| entry.kind != Kind::Dead || entry.day + DEAD_DAYS > today;
    for (entry, n) in counted.iter().flat_map(|reply| &reply.devices).filter(|(entry, _)| counts(entry)) {
        let of = vendors.iter_mut().filter(|(vendor, _)| *vendor == entry.vendor).map(|(_, states)| states);
        for states in of.chain([&mut total]) {
            *match entry.kind {
                Kind::Dead => &mut states.dead,
                Kind::Denied => &mut states.permission_off,
                Kind::Granted | Kind::Provisional | Kind::Unknown => {
                    if policy.stale(entry.vendor, Some(entry.day), now).is_some() {
                        &mut states.stale
                    } else {
                        &mut states.live
                    }
                }
            } += n;
        }
    }
    let states = |states: &States| {
        let States { live, stale, permission_off, dead } = states;
        json!({"live": live, "stale": stale, "permission_off": permission_off, "dead": dead})
    };
    let mut days: Vec<(u64, u64)> = Vec::new();
    for (day, users) in counted.iter().flat_map(|reply| &reply.without) {
        match days.iter_mut().find(|(other, _)| other == day) {
            Some((_, sum)) => *sum += users,
            None => days.push((*day, *users)),
        }
    }
    let without: Vec<Value> =
        days.into_iter().map(|(day, users)| json!({"day": date(Day(day)), "users": users})).collect();
    let refused = counted.iter().filter_map(|reply| reply.refused_until).max().filter(|until| *until > now);
    let copies = match refused {
        Some(until) => json!({"state": "refused", "until": until.rfc3339()}),
        None => json!({"state": "ok"}),
    };
    vendors.retain(|(_, states)| *states != States::default());
    let vendors: Map<String, Value> =
        gather(vendors.iter().map(|(vendor, of)| (vendor.name().to_owned(), states(of))));
    json!({"total": states(&total), "vendors": vendors, "users_without_device": without, "copies": copies})
        .to_string()
}

/// The devices that a vendor's limits depend on.
pub fn devices(counted: &[Reply], vendor: Vendor) -> Devices {
    let mut devices = Devices::default();
    let of = counted.iter().flat_map(|reply| &reply.devices).filter(|(entry, _)| entry.vendor == vendor);
    for (entry, n) in of {
        let (installed, enabled) = match entry.kind {
            Kind::Dead => (false, false),
            Kind::Denied => (true, false),
            Kind::Granted | Kind::Provisional | Kind::Unknown => (true, true),
        };
        devices.installed += n * u64::from(installed);
        devices.enabled += n * u64::from(enabled);
    }
    devices
}

/// `2026-11-25`.
fn date(day: Day) -> String {
    let end = day.end(DayZone::Utc);
    Millis(end.0.saturating_sub(1)).rfc3339().chars().take(10).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_counted_by_vendor_and_state() {
        let now = Millis(20_000 * 86_400_000);
        let of = |text: &str, n: u64| (Entry::try_from(text.to_owned()).unwrap(), n);
        let counted = [
            Reply {
                devices: vec![of("fcm g 19999", 3), of("fcm u 19969", 2), of("fcm d 20000", 4)],
                without: vec![(19_999, 7)],
                ..Reply::default()
            },
            Reply {
                devices: vec![
                    of("apns p 19950", 1),
                    of("apns x 19990", 5),
                    of("apns x 19970", 9),
                    of("fcm g 20000", 10),
                ],
                without: vec![(19_999, 1), (20_000, 2)],
                refused_until: Some(Millis(now.0 + 1)),
                ..Reply::default()
            },
        ];
        let shown: Value = serde_json::from_str(&health(&Policy::default(), &counted, now)).unwrap();
        assert_eq!(shown["vendors"]["fcm"], json!({"live": 13, "stale": 2, "permission_off": 4, "dead": 0}));
        assert_eq!(shown["vendors"]["apns"], json!({"live": 1, "stale": 0, "permission_off": 0, "dead": 5}));
        assert_eq!(shown["total"], json!({"live": 14, "stale": 2, "permission_off": 4, "dead": 5}));
        let (installed, enabled) = (19, 15);
        assert_eq!(devices(&counted, Vendor::Fcm), Devices { installed, enabled });
        assert_eq!(devices(&counted, Vendor::Apns), Devices { installed: 1, enabled: 1 });
        assert_eq!(devices(&counted, Vendor::Vivo), Devices::default());
        let days = json!([{"day": "2024-10-03", "users": 8}, {"day": "2024-10-04", "users": 2}]);
        assert_eq!(shown["users_without_device"], days);
        assert_eq!(shown["copies"]["state"], "refused");
    }
}
