//! Queued pushes: a head that names its targets, and the slices that pages are made of.

use super::{Counts, Fault, Ledger, Part, Place, Record, Row, Store, Work, day, hour, key, page};
use crate::{
    model::{
        delivery::Reason,
        ids::PushId,
        page::{Dropped, Head, SLICE},
        time::Millis,
    },
    wire::{
        ledger::{CHUNK, Outcome, Sliced},
        text::Raw,
    },
};

/// Slices of a push that is due at once which its caller offers to the queue.
pub const OFFERED_BY_CALLER: u32 = 100;

impl Ledger {
    /// Writes a queued push down.
    pub fn queue(
        &mut self,
        store: &mut impl Store,
        head: Head,
        work: &str,
        targets: &[Raw],
        now: Millis,
    ) -> Result<Outcome, Fault> {
        self.now = now;
        let place = (day(head.due), key(&head.push, Part::Whole));
        if head.body.is_some()
            && let Some(known) = self.taken_key(store, &head.push, &place)?
        {
            return Ok(Outcome::Exists(Box::new(known)));
        }
        for (n, chunk) in (0u32..).zip(targets) {
            store.put_targets(place.0, &targets_key(&head.push, n), chunk.get())?;
        }
        // Whoever queues a push that is due offers its first pages.
        let first = if head.due > now { 0 } else { head.slices().min(OFFERED_BY_CALLER) };
        let look = match (head.due > now, head.slices() > first) {
            (true, _) => head.due,
            (false, true) => Millis(now.0 + 1_000),
            (false, false) => Millis(now.0 + page::SILENT_MS),
        };
        let hour = hour(head.due);
        self.put(store, place.clone(), &Counts::default(), Record::Head(head), Work::Set(work))?;
        self.offered.insert(place.clone(), first);
        self.due.insert(place, (look, hour));
        Ok(Outcome::Done)
    }

    /// What a page of a queued push is to be made of. `Nothing`: it is there, or will never be.
    pub fn slice(
        &mut self,
        store: &mut impl Store,
        push: &PushId,
        slice: u32,
        part: u32,
        now: Millis,
    ) -> Result<Outcome, Fault> {
        let Some((place, head)) = self.head(store, push)? else { return Ok(Outcome::Nothing) };
        if head.dropped.is_some() || head.expires <= now || head.due > now {
            return Ok(Outcome::Nothing);
        }
        let pages = store.list(place.0, &format!("{}.{slice:06}.", push.tail()), "", SLICE)?;
        if pages.len() != part as usize {
            return Ok(Outcome::Nothing);
        }
        let took = |row: &Row| match &row.record {
            Record::Page(page) => page.took,
            Record::Head(_) => 0,
        };
        let begun: u32 = pages.iter().map(|(_, row)| took(row)).sum();
        let first = slice.saturating_mul(SLICE).saturating_add(begun);
        let n = head.targets.saturating_sub(first).min(SLICE.saturating_sub(begun));
        let work = store.work(place.0, &place.1)?.and_then(Raw::new);
        let (Some(work), true) = (work, n > 0) else { return Ok(Outcome::Nothing) };
        let number = first / CHUNK;
        let chunk = store.work(place.0, &targets_key(push, number))?;
        let chunk = chunk.and_then(|text| Some((number * CHUNK, Raw::new(text)?)));
        Ok(Outcome::Slice(Box::new(Sliced { head, work, first, n, chunk })))
    }

    /// Takes back what has not been sent, and says what is known then.
    pub fn cancel(&mut self, store: &mut impl Store, push: &PushId, now: Millis) -> Result<Outcome, Fault> {
        self.now = now;
        let Some(place) = self.find(store, push)? else { return Ok(Outcome::Nothing) };
        if let Some(Row { record: Record::Head(mut head), .. }) = self.row(store, &place)?
            && head.dropped.is_none()
        {
            let before = Counts::of_head(&head);
            let waiting = self.waiting(store, &place, &head)?;
            if waiting > 0 {
                head.dropped = Some(Dropped { reason: None, targets: waiting, at: now });
                self.put(store, place.clone(), &before, Record::Head(head), Work::Keep)?;
            }
        }
        for sum in store.sums(place.0, &place.1)?.into_iter().filter(|sum| sum.due.is_some()) {
            let place = (place.0, sum.key);
            let Some(Row { record: Record::Page(mut page), .. }) = self.row(store, &place)? else { continue };
            let before = Counts::of_page(&page);
            if page::cancel(&mut page, now) {
                self.put_changed(store, place, &before, page)?;
            }
        }
        self.get(store, push, None)
    }

    /// Drops what waits of a head that has expired.
    pub(super) fn expire(
        &mut self,
        store: &mut impl Store,
        place: Place,
        mut head: Head,
        now: Millis,
    ) -> Result<(), Fault> {
        let before = Counts::of_head(&head);
        let targets = self.waiting(store, &place, &head)?;
        if targets > 0 {
            head.dropped = Some(Dropped { reason: Some(Reason::Expired), targets, at: now });
            self.put(store, place, &before, Record::Head(head), Work::Keep)?;
        } else {
            self.due.remove(&place);
        }
        Ok(())
    }
}

fn targets_key(push: &PushId, chunk: u32) -> String {
    format!("{}-{chunk:04}", push.tail())
}
