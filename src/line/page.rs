//! Targets and the pages they come to: a queued push is cut into slices of targets, and a slice into as many pages as its
//! users' devices fill.

use crate::model::table::Table;

use super::resolve::{Directory, ERASED};
use crate::{
    model::{
        delivery::Recipient,
        device::Address,
        once::Once,
        page::{PAGE_MAX, Page},
        push::{Message, Targets},
        table::gather,
        time::Millis,
    },
    wire::ledger::{CHUNK, Target},
};

/// Targets in the order named: users, devices, tokens.
pub fn targets(to: Targets) -> Vec<Target> {
    let Targets { users, devices, tokens, audience: _ } = to;
    let users = users.into_iter().map(Target::User);
    let devices = devices.into_iter().map(|(user, device)| Target::Device(user, device));
    let tokens = tokens.into_iter().enumerate().map(|(at, address)| Target::Token(at, Box::new(address)));
    users.chain(devices).chain(tokens).collect()
}

/// The same for a push of many pages, cut into what one row holds. What is named twice would be sent by two pages that do
/// not know of each other, so it is taken out here.
pub fn chunks(to: Targets) -> Vec<Vec<Target>> {
    let mut once = Once::default();
    let mut all = targets(to);
    // Users stand before devices: a device of a user who is named as a whole is named twice.
    all.retain(|target| match target {
        Target::User(user) => once.first(&[user.as_str()]),
        Target::Device(user, device) => {
            !once.has(&[user.as_str()]) && once.first(&[user.as_str(), device.as_str()])
        }
        Target::Token(_, address) => {
            let token = address.vendor.canonical_token(address.token.reveal());
            once.first(&["", address.vendor.name(), &token])
        }
        Target::Nobody => true,
    });
    all.chunks(CHUNK as usize).map(<[Target]>::to_vec).collect()
}

/// How many of the targets fit one page: at least one of them.
pub fn fit(targets: &[Target], directory: &Directory) -> usize {
    let mut deliveries = 0;
    let fits = targets.iter().take_while(|target| {
        deliveries += match target {
            Target::User(user) => directory.get(user).map_or(1, |known| known.devices.len().max(1)),
            Target::Device(..) | Target::Token(..) | Target::Nobody => 1,
        };
        deliveries <= PAGE_MAX
    });
    fits.count().max(1)
}

/// The message as it goes out now: what is left of its `ttl`. Now or never stays so.
pub fn message(message: Message, due: Millis, now: Millis) -> Message {
    let gone = now.0.saturating_sub(due.0) / 1_000;
    let left = u64::from(message.ttl).saturating_sub(gone).max(u64::from(message.ttl.min(1)));
    Message { ttl: u32::try_from(left).unwrap_or(message.ttl), ..message }
}

/// The targets of the deliveries that are due, for another try.
pub fn again(page: &Page, due: &[u32], tokens: &Table<usize, Address>) -> Vec<Target> {
    let target = |at: &u32| match &page.deliveries.get(*at as usize)?.recipient {
        Recipient::Device(user, device) | Recipient::Missing(user, device) => {
            Some(Target::Device(user.clone(), device.clone()))
        }
        Recipient::User(user) if user.as_str() == ERASED => Some(Target::Nobody),
        Recipient::User(user) => Some(Target::User(user.clone())),
        Recipient::Token(index) => Some(Target::Token(*index, Box::new(tokens.get(index)?.clone()))),
    };
    due.iter().filter_map(target).collect()
}

/// The raw tokens among targets, for another try.
pub fn tokens(targets: &[Target]) -> Table<usize, Address> {
    let token = |target: &Target| match target {
        Target::Token(index, address) => Some((*index, (**address).clone())),
        Target::User(_) | Target::Device(..) | Target::Nobody => None,
    };
    gather(targets.iter().filter_map(token))
}
