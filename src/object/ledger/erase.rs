//! A user is erased: the name goes from every row that has it, what waits for the user is taken back, and what would send
//! again is forgotten. Counts stay: they name nobody.

use super::{Fault, Ledger, Place, Record, Store};
use crate::{
    line::resolve::ERASED,
    model::{
        delivery::{Delivery, Recipient, State},
        ids::UserId,
        page::Page,
        time::{Day, Millis},
    },
    wire::{
        ledger::{Outcome, Target},
        text,
    },
};

/// Rows changed in one call.
const ROUND: u32 = 200;

impl Ledger {
    /// Goes over some rows; `Erased` says where to go on.
    pub fn erase(
        &mut self,
        store: &mut impl Store,
        user: &UserId,
        after: Option<(Day, String)>,
        now: Millis,
    ) -> Result<Outcome, Fault> {
        self.now = now;
        let Ok(nobody) = UserId::parse(ERASED) else { return Ok(Outcome::Erased(0, None)) };
        // As it stands in JSON, quotes included.
        let needle = text::write(user);
        let mut found = 0;
        for day in store.days()? {
            let from = match &after {
                Some((at, _)) if day < *at => continue,
                Some((at, key)) if day == *at => key.as_str(),
                Some(_) | None => "",
            };
            let keys = store.mentions(day, &needle, from, ROUND)?;
            let whole = keys.len() < ROUND as usize;
            let mut last = None;
            for key in keys {
                last = Some((day, key.clone()));
                found += u32::from(self.unname(store, (day, key), user, &nobody)?);
            }
            if !whole {
                return Ok(Outcome::Erased(found, last));
            }
        }
        Ok(Outcome::Erased(found, None))
    }

    /// Takes the name out of one row. `true`: it was there.
    fn unname(
        &mut self,
        store: &mut impl Store,
        place: Place,
        user: &UserId,
        nobody: &UserId,
    ) -> Result<bool, Fault> {
        match self.row(store, &place)?.map(|row| row.record) {
            Some(Record::Page(before)) => {
                let mut after = before.clone();
                let found = anonymous(&mut after, user, nobody, self.now);
                self.put_page(store, place, before, after)?;
                Ok(found)
            }
            Some(Record::Head(_)) => Ok(false),
            // Targets of a queued push.
            None => {
                let stored = store.work(place.0, &place.1)?.unwrap_or_default();
                let Ok(list) = text::read::<Vec<Target>>(&stored) else { return Ok(false) };
                let list: Vec<Target> = list.into_iter().map(|target| unnamed(target, user)).collect();
                let after = text::write(&list);
                if after != stored {
                    store.put_targets(place.0, &place.1, &after)?;
                }
                Ok(after != stored)
            }
        }
    }
}

/// `true`: the page named the user.
fn anonymous(page: &mut Page, user: &UserId, nobody: &UserId, now: Millis) -> bool {
    let mut found = false;
    for delivery in &mut page.deliveries {
        let recipient = match &delivery.recipient {
            Recipient::User(of) if of == user => Recipient::User(nobody.clone()),
            // The device's id is the user's too.
            Recipient::Device(of, _) | Recipient::Missing(of, _) if of == user => {
                Recipient::User(nobody.clone())
            }
            Recipient::User(_) | Recipient::Device(..) | Recipient::Missing(..) | Recipient::Token(_) => {
                continue;
            }
        };
        found = true;
        take_back(delivery, now);
        delivery.recipient = recipient;
    }
    found
}

fn take_back(delivery: &mut Delivery, now: Millis) {
    if delivery.state.waits() {
        delivery.go(State::Cancelled, None, Some("the user was erased".into()), now);
    }
}

fn unnamed(target: Target, user: &UserId) -> Target {
    match target {
        Target::User(of) | Target::Device(of, _) if of == *user => Target::Nobody,
        other @ (Target::User(_) | Target::Device(..) | Target::Token(..) | Target::Nobody) => other,
    }
}
