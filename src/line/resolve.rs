//! Step 3: users → devices. Pure half: which users are asked for, and what their records mean for the targets named.
//! Never a platform the user does not have.

use std::collections::HashMap;

use crate::{
    model::{
        delivery::Recipient,
        device::{Address, Permission},
        ids::UserId,
        push::Targets,
    },
    wire::user::Reach,
};

/// The devices of the users asked for. Every user asked for has an entry.
pub type Directory = HashMap<UserId, Vec<Reach>>;

/// One recipient, and how it is reached where it can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Who.
    pub recipient: Recipient,
    /// How, and whether the user allows it. `None`: there is no device.
    pub reach: Option<(Address, Permission)>,
}

/// Each user once, in the order named.
pub fn users(to: &Targets) -> Vec<UserId> {
    let mut users: Vec<UserId> = Vec::new();
    for user in to.users.iter().chain(to.devices.iter().map(|(user, _)| user)) {
        if !users.contains(user) {
            users.push(user.clone());
        }
    }
    users
}

/// What the targets come to: each device once, in the order named.
pub fn found(to: &Targets, directory: &Directory) -> Vec<Found> {
    let mut all: Vec<Found> = Vec::new();
    let mut add = |found: Found| {
        if !all.iter().any(|have| have.recipient == found.recipient) {
            all.push(found);
        }
    };
    for user in &to.users {
        let devices = directory.get(user).map(Vec::as_slice).unwrap_or_default();
        if devices.is_empty() {
            add(Found { recipient: Recipient::User(user.clone()), reach: None });
        }
        for device in devices {
            add(reached(user, device));
        }
    }
    for (user, id) in &to.devices {
        match directory.get(user).and_then(|devices| devices.iter().find(|device| device.id == *id)) {
            Some(device) => add(reached(user, device)),
            None => add(Found { recipient: Recipient::Missing(user.clone(), id.clone()), reach: None }),
        }
    }
    for (index, address) in to.tokens.iter().enumerate() {
        add(Found {
            recipient: Recipient::Token(index),
            reach: Some((address.clone(), Permission::Unknown)),
        });
    }
    all
}

fn reached(user: &UserId, device: &Reach) -> Found {
    Found {
        recipient: Recipient::Device(user.clone(), device.id.clone()),
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
            address: Address { vendor: Vendor::Fcm, token: Secret::new(id), environment: None, topic: None },
            permission: Permission::Granted,
        }
    }

    #[test]
    fn what_is_named_twice_is_found_once() {
        let to = Targets {
            users: vec![user("a"), user("a"), user("nobody")],
            devices: vec![
                (user("a"), DeviceId::parse("d1").unwrap()),
                (user("b"), DeviceId::parse("lost").unwrap()),
            ],
            tokens: vec![],
        };
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
