//! What a vendor's word on a token changes: only the vendor's word removes, and only if it is about the device as it is now.

use super::{DEAD_MAX, Home, Step, Write, devices::SEEN_DAYS};
use crate::{
    crypto::hash,
    model::{
        device::{Device, Permission},
        time::{Day, DayZone, Millis},
    },
    wire::user::{Dead, Done, Gone},
};

/// A second word on a token counts if it comes so long after the first, milliseconds.
const SECOND_WORD_MS: u64 = 60_000;

impl Home {
    /// A vendor called tokens dead.
    pub fn gone(&mut self, items: Vec<Gone>, now: Millis) -> Step {
        let mut step = Step::nothing(Done::Unchanged);
        for gone in items {
            match self.weigh(&gone, now) {
                Fate::Keep => {}
                Fate::Suspect => {
                    if let Some(device) = self.devices.iter_mut().find(|device| device.id == gone.device) {
                        device.suspect_since = device.suspect_since.or(Some(now));
                        device.doubted_at = gone.remove.then_some(said(&gone, now));
                        step.writes.push(Write::Put(Box::new(device.clone())));
                    }
                }
                Fate::Remove => {
                    let vendor = self.device(&gone.device).map(|device| device.registration.address.vendor);
                    let removed = self.remove(&gone.device, Done::Removed, now);
                    step.done = removed.done;
                    step.merge(removed);
                    self.about.dead.extend(vendor.map(|vendor| Dead {
                        device: gone.device,
                        vendor,
                        at: now,
                    }));
                    let old = self.about.dead.len().saturating_sub(DEAD_MAX);
                    self.about.dead.drain(..old);
                }
            }
        }
        step
    }

    /// A vendor says that notifications are switched off: as if the app had reported it, but no sign of life, and nothing
    /// against what the device is known to have said since.
    pub fn muted(&mut self, items: &[Gone]) -> Step {
        let mut step = Step::nothing(Done::Unchanged);
        for word in items {
            let news = |had: &Device| {
                let heard = self.heard.get(&had.id).copied().unwrap_or(had.seen_at);
                had.registration.permission != Permission::Denied
                    && word.since.is_none_or(|since| since > heard)
            };
            let meant = self.meant(word).is_some_and(news);
            let device = self.devices.iter_mut().find(|device| meant && device.id == word.device);
            let Some(device) = device else { continue };
            device.registration.permission = Permission::Denied;
            step.done = Done::Changed;
            step.copy |= device.usable();
            step.writes.push(Write::Put(Box::new(device.clone())));
        }
        step
    }

    /// The device that a word is about, if it still has the token that the word is about.
    fn meant(&self, word: &Gone) -> Option<&Device> {
        let device = self.device(&word.device)?;
        let token = device.registration.address.token.reveal();
        (hash::sha256_hex(token.as_bytes()) == word.token_sha256).then_some(device)
    }

    fn weigh(&self, gone: &Gone, now: Millis) -> Fate {
        let Some(device) = self.meant(gone) else { return Fate::Keep };
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
        // A word after the one on file may have been heard before the object last woke, and not been written: but within
        // a week only, since the first word after that is.
        let Day(seen) = device.seen_at.day(DayZone::Utc);
        let unwritten = Day(seen + SEEN_DAYS - 1).end(DayZone::Utc).min(self.woke_at);
        let last_word = heard.unwrap_or(device.seen_at.max(unwritten));
        if since > last_word {
            return Fate::Remove;
        }
        // Two answers of one moment are one word of the vendor's, and so is a report that comes again.
        match device.doubted_at {
            Some(at) if said(gone, now).0.saturating_sub(at.0) >= SECOND_WORD_MS => Fate::Remove,
            Some(_) => Fate::Keep,
            None => Fate::Suspect,
        }
    }
}

/// When a word was said.
fn said(gone: &Gone, now: Millis) -> Millis {
    gone.since.filter(|_| gone.reported).unwrap_or(now)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Keep,
    Suspect,
    Remove,
}
