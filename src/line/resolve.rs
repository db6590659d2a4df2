//! Step 3: users → devices. Pure half: which users are asked for, and what their records mean for the targets named.
//! Never a platform the user does not have.

use std::collections::{HashMap, HashSet};

use crate::{
    model::{
        delivery::Recipient,
        device::{Address, Permission, Platform},
        ids::UserId,
    },
    wire::{ledger::Target, user::Reach},
};

/// The devices of the users asked for. Every user asked for has an entry.
pub type Directory = HashMap<UserId, Vec<Reach>>;

/// One recipient, and how it is reached where it can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Who.
    pub recipient: Recipient,
    /// What the device runs, where that is known.
    pub platform: Option<Platform>,
    /// How, and whether the user allows it. `None`: there is no device.
    pub reach: Option<(Address, Permission)>,
}

/// Each user once, in the order named.
pub fn users(to: &[Target]) -> Vec<UserId> {
    let mut seen = HashSet::new();
    let user = |target: &Target| match target {
        Target::User(user) | Target::Device(user, _) => seen.insert(user.clone()).then(|| user.clone()),
        Target::Token(..) => None,
    };
    to.iter().filter_map(user).collect()
}

/// What the targets come to: each device once, in the order named.
pub fn found(to: &[Target], directory: &Directory) -> Vec<Found> {
    let mut all: Vec<Found> = Vec::new();
    let mut seen = HashSet::new();
    let mut add = |found: Found| {
        if seen.insert(found.recipient.clone()) {
            all.push(found);
        }
    };
    for target in to {
        match target {
            Target::User(user) => {
                let devices = directory.get(user).map(Vec::as_slice).unwrap_or_default();
                if devices.is_empty() {
                    add(nobody(Recipient::User(user.clone())));
                }
                for device in devices {
                    add(reached(user, device));
                }
            }
            Target::Device(user, id) => {
                match directory.get(user).and_then(|devices| devices.iter().find(|device| device.id == *id)) {
                    Some(device) => add(reached(user, device)),
                    None => add(nobody(Recipient::Missing(user.clone(), id.clone()))),
                }
            }
            Target::Token(index, address) => add(Found {
                recipient: Recipient::Token(*index),
                platform: None,
                reach: Some(((**address).clone(), Permission::Unknown)),
            }),
        }
    }
    all
}

fn nobody(recipient: Recipient) -> Found {
    Found { recipient, platform: None, reach: None }
}

fn reached(user: &UserId, device: &Reach) -> Found {
    Found {
        recipient: Recipient::Device(user.clone(), device.id.clone()),
        platform: device.platform,
        reach: Some((device.address.clone(), device.permission)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{ids::DeviceId, secret::Secret},
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
        }
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
            (user("a"), vec![device("d1"), device("d2")]),
            (user("nobody"), vec![]),
            (user("b"), vec![device("d3")]),
        ]);
        let recipients: Vec<Recipient> =
            found(&to, &directory).into_iter().map(|found| found.recipient).collect();
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
}
