//! Step 3: users → devices. Pure half: which users are asked for, and what their records mean for the targets named.
//! Never a platform the user does not have.

use crate::{
    model::{
        delivery::Recipient,
        device::{Address, Permission, Platform},
        ids::UserId,
        once::Once,
        push::{Category, Message},
        table::Table,
        time::Millis,
    },
    wire::{ledger::Target, user::Reach},
};

/// Stands where the name of an erased user stood.
pub const ERASED: &str = "(erased)";

/// What is known of the users asked for. Every user asked for has an entry.
pub type Directory = Table<UserId, Known>;

/// What is known of a user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Devices.
    pub devices: Vec<Reach>,
    /// Categories that are not wanted.
    pub opt_out: Vec<Category>,
    /// When the user's quiet hours end, if it is one of them and they hold this push back.
    pub hush: Option<Millis>,
}

/// How a recipient is reached, and what stands against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// Where.
    pub address: Address,
    /// Whether the user allows it.
    pub permission: Permission,
    /// The day of its last word, since the epoch, where that is known.
    pub seen: Option<u64>,
    /// The user does not want this category.
    pub opted_out: bool,
    /// Not before.
    pub hush: Option<Millis>,
}

/// One recipient, and how it is reached where it can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Who.
    pub recipient: Recipient,
    /// What the device runs, where that is known.
    pub platform: Option<Platform>,
    /// How. `None`: there is no device.
    pub reach: Option<Reached>,
}

/// Each user once, in the order named.
pub fn users(to: &[Target]) -> Vec<UserId> {
    let mut once = Once::default();
    let user = |target: &Target| match target {
        Target::User(user) | Target::Device(user, _) => once.first(&[user.as_str()]).then(|| user.clone()),
        Target::Token(..) | Target::Nobody => None,
    };
    to.iter().filter_map(user).collect()
}

/// What the targets come to: each device whose token is of the push's kind, once, in the order named.
pub fn found(to: &[Target], directory: &Directory, message: &Message) -> Vec<Found> {
    let nothing = Known::default();
    let mut all: Vec<Found> = Vec::new();
    let mut once = Once::default();
    let mut add = |found: Found| {
        let first = match &found.recipient {
            Recipient::User(user) => once.first(&[user.as_str()]),
            Recipient::Device(user, device) => once.first(&[user.as_str(), device.as_str()]),
            Recipient::Missing(user, device) => once.first(&[user.as_str(), device.as_str(), "missing"]),
            Recipient::Token(at) => once.first(&["", &at.to_string()]),
        };
        if first {
            all.push(found);
        }
    };
    for target in to {
        match target {
            Target::User(user) => {
                let known = directory.get(user).unwrap_or(&nothing);
                let of_kind = || known.devices.iter().filter(|device| meant(device, message));
                if of_kind().next().is_none() {
                    add(nobody(Recipient::User(user.clone())));
                }
                for device in of_kind() {
                    add(reached(user, device, known, message.category));
                }
            }
            Target::Device(user, id) => {
                let known = directory.get(user).unwrap_or(&nothing);
                let named = |device: &&Reach| device.id == *id && meant(device, message);
                match known.devices.iter().find(named) {
                    Some(device) => add(reached(user, device, known, message.category)),
                    None => add(nobody(Recipient::Missing(user.clone(), id.clone()))),
                }
            }
            // A name that a user may have: what is said of it is not looked up.
            Target::Nobody => {
                if let Ok(name) = UserId::parse(ERASED) {
                    add(nobody(Recipient::User(name)));
                }
            }
            Target::Token(index, address) => add(Found {
                recipient: Recipient::Token(*index),
                platform: None,
                reach: Some(Reached {
                    address: (**address).clone(),
                    permission: Permission::Unknown,
                    seen: None,
                    opted_out: false,
                    hush: None,
                }),
            }),
        }
    }
    all
}

/// The token is of the push's kind, and of the activity that it is about.
fn meant(device: &Reach, message: &Message) -> bool {
    let activity = message.activity.as_ref();
    device.kind == message.kind && activity.is_none_or(|of| of.reaches(device.activity.as_deref()))
}

fn nobody(recipient: Recipient) -> Found {
    Found { recipient, platform: None, reach: None }
}

fn reached(user: &UserId, device: &Reach, known: &Known, category: Category) -> Found {
    Found {
        recipient: Recipient::Device(user.clone(), device.id.clone()),
        platform: device.platform,
        reach: Some(Reached {
            address: device.address.clone(),
            permission: device.permission,
            seen: device.seen,
            opted_out: known.opt_out.contains(&category),
            hush: known.hush,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{ids::DeviceId, kind::Kind, secret::Secret},
        vendor::Vendor,
    };

    fn user(id: &str) -> UserId {
        UserId::parse(id).unwrap()
    }

    fn device(id: &str) -> Reach {
        Reach {
            id: DeviceId::parse(id).unwrap(),
            platform: None,
            address: Address { vendor: Vendor::Fcm, token: Secret::new(id), environment: None, topic: None },
            permission: Permission::Granted,
            seen: None,
            kind: Kind::Alert,
            activity: None,
        }
    }

    fn of(kind: Kind) -> Message {
        let push = crate::line::parse::push::push(br#"{"to":{"users":["a"]},"data":{"a":"b"}}"#).unwrap();
        Message { kind, ..push.message }
    }

    fn with(devices: Vec<Reach>) -> Known {
        Known { devices, ..Known::default() }
    }

    #[test]
    fn what_is_named_twice_is_found_once() {
        let to = [
            Target::User(user("a")),
            Target::User(user("a")),
            Target::User(user("nobody")),
            Target::Device(user("a"), DeviceId::parse("d1").unwrap()),
            Target::Device(user("b"), DeviceId::parse("lost").unwrap()),
        ];
        assert_eq!(users(&to), [user("a"), user("nobody"), user("b")]);
        let directory = Directory::from([
            (user("a"), with(vec![device("d1"), device("d2")])),
            (user("nobody"), with(vec![])),
            (user("b"), with(vec![device("d3")])),
        ]);
        let recipients: Vec<Recipient> =
            found(&to, &directory, &of(Kind::Alert)).into_iter().map(|found| found.recipient).collect();
        assert_eq!(
            recipients,
            [
                Recipient::Device(user("a"), DeviceId::parse("d1").unwrap()),
                Recipient::Device(user("a"), DeviceId::parse("d2").unwrap()),
                Recipient::User(user("nobody")),
                Recipient::Missing(user("b"), DeviceId::parse("lost").unwrap()),
            ]
        );
    }

    #[test]
    fn a_push_reaches_tokens_of_its_own_kind() {
        let call = Reach { kind: Kind::Voip, ..device("phone/voip") };
        let directory = Directory::from([
            (user("a"), with(vec![device("phone"), call])),
            (user("b"), with(vec![device("d")])),
        ]);
        let to = [
            Target::User(user("a")),
            Target::User(user("b")),
            Target::Device(user("b"), DeviceId::parse("d").unwrap()),
        ];
        let names = |kind| -> Vec<Recipient> {
            found(&to, &directory, &of(kind)).into_iter().map(|found| found.recipient).collect()
        };
        assert_eq!(
            names(Kind::Voip),
            [
                Recipient::Device(user("a"), DeviceId::parse("phone/voip").unwrap()),
                Recipient::User(user("b")),
                Recipient::Missing(user("b"), DeviceId::parse("d").unwrap()),
            ]
        );
        assert_eq!(names(Kind::Alert).len(), 2);
    }

    #[test]
    fn a_live_activity_is_reached_by_its_id_and_a_start_by_its_type() {
        let of = |id: &str, kind, activity: Option<&str>| Reach {
            kind,
            activity: activity.map(str::to_owned),
            ..device(id)
        };
        let all = vec![
            of("one", Kind::LiveActivity, Some("order-1")),
            of("two", Kind::LiveActivity, Some("order-2")),
            of("ride", Kind::LiveActivityStart, Some("Ride")),
            of("meal", Kind::LiveActivityStart, Some("Meal")),
            of("any", Kind::LiveActivityStart, None),
        ];
        let directory = Directory::from([(user("a"), with(all))]);
        let names = |json: &str| -> Vec<String> {
            let push = crate::line::parse::push::push(json.as_bytes()).unwrap();
            let found = found(&crate::line::page::targets(push.to), &directory, &push.message);
            let name = |found: &Found| match &found.recipient {
                Recipient::Device(_, id) => id.as_str().to_owned(),
                _ => "-".to_owned(),
            };
            found.iter().map(name).collect()
        };
        let update = |to: &str, id: &str| {
            let activity = format!(r#"{{"event":"update","state":{{}}{id}}}"#);
            names(&format!(r#"{{"to":{to},"type":"live_activity","activity":{activity}}}"#))
        };
        let (users, one) = (r#"{"users":["a"]}"#, r#"{"devices":[{"user":"a","device":"one"}]}"#);
        assert_eq!(update(users, r#","id":"order-2""#), ["two"]);
        assert_eq!(update(users, r#","id":"order-3""#), ["-"]);
        assert_eq!(update(one, ""), ["one"]);
        assert_eq!(update(one, r#","id":"order-2""#), ["-"]);
        let start = r#""activity":{"event":"start","state":{},"attributes_type":"Ride","attributes":{}}"#;
        let start = format!(
            r#"{{"to":{users},"type":"live_activity_start","notification":{{"title":"t"}},{start}}}"#
        );
        assert_eq!(names(&start), ["ride", "any"]);
    }
}
