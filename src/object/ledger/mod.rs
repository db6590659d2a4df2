//! The ledger of one shard, as pure steps over a [`Store`]: nothing is lost, nothing begins twice, everything has one
//! state.
//!
//! The rows are the truth. In memory stand, as a cache: what has to be looked at and when, the records of late, and the
//! counts of the hours that are not closed. A ledger that wakes without memory reads what it needs: a begin or a settle
//! needs its own row only; an alarm and the funnel need the sums of what is not closed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::value::RawValue;

use crate::{
    model::{
        delivery::Reason,
        ids::PushId,
        page::{Dropped, Head, Page, Part, SLICE},
        time::{Day, DayZone, Millis},
    },
    wire::ledger::{CHUNK, End, Outcome, Sliced, Taken},
};

mod alarm;
pub mod funnel;
#[cfg(test)]
mod memory;
pub mod page;
mod read;
pub mod store;
#[cfg(test)]
mod tests;

pub use alarm::{Job, Round};
use funnel::Counts;
pub use store::{Fault, Record, Row, Store, Sum, Work};

/// How long things are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Idempotency keys, milliseconds.
    pub keys_ms: u64,
    /// Pushes, days.
    pub days: u64,
}

/// Hours that are closed stay so long, days.
pub const HOURS_DAYS: u64 = 92;
/// Deliveries that are held in memory between begin and settle.
const RECENT_MAX: usize = 5_000;
/// Slices of a push that is due at once which its caller offers to the queue.
pub const OFFERED_BY_CALLER: u32 = 100;

/// A row's table and key.
type Place = (Day, String);

/// A ledger's memory.
#[derive(Debug)]
pub struct Ledger {
    keep: Keep,
    /// What has to be looked at, when, and in which hour it counts.
    due: BTreeMap<Place, (Millis, u64)>,
    /// Records of late.
    recent: HashMap<Place, Row>,
    recent_size: usize,
    /// `due` knows everything that the rows know, and `hours` the counts of all hours that are not closed.
    awake: bool,
    hours: BTreeMap<u64, Counts>,
    closed: BTreeSet<u64>,
    /// Slices of a head up to which pages were offered to the queue.
    offered: HashMap<Place, u32>,
    /// When the present step began.
    now: Millis,
}

/// The hour of an instant, since the epoch.
pub fn hour(at: Millis) -> u64 {
    at.0 / 3_600_000
}

fn day(at: Millis) -> Day {
    at.day(DayZone::Utc)
}

fn key(push: &PushId, part: Part) -> String {
    format!("{}{part}", push.tail())
}

impl Ledger {
    /// Knows nothing.
    pub fn new(keep: Keep) -> Self {
        Self {
            keep,
            due: BTreeMap::new(),
            recent: HashMap::new(),
            recent_size: 0,
            awake: false,
            hours: BTreeMap::new(),
            closed: BTreeSet::new(),
            offered: HashMap::new(),
            now: Millis(0),
        }
    }

    /// Writes a page down. `Exists`: its key is taken. `Nothing`: its push was cancelled, or has expired.
    pub fn begin(
        &mut self,
        store: &mut impl Store,
        page: Page,
        work: &str,
        now: Millis,
    ) -> Result<Outcome, Fault> {
        self.now = now;
        let place = (day(page.due), key(&page.push, page.part));
        match page.part {
            Part::Whole if page.body.is_some() => {
                if let Some(known) = self.taken_key(store, &page.push, &place)? {
                    return Ok(Outcome::Exists(Box::new(known)));
                }
            }
            Part::Whole => {}
            Part::Slice(..) => {
                let head_place = (place.0, key(&page.push, Part::Whole));
                let head = match self.row(store, &head_place)?.map(|row| row.record) {
                    Some(Record::Head(head)) => head,
                    Some(Record::Page(_)) | None => return Ok(Outcome::Nothing),
                };
                if head.dropped.is_some() || head.expires <= now || self.row(store, &place)?.is_some() {
                    return Ok(Outcome::Nothing);
                }
            }
        }
        let work = Work::Set(if page.open() { work } else { "" });
        self.put(store, place, None, Record::Page(page), work)?;
        Ok(Outcome::Done)
    }

    /// Writes a queued push down.
    pub fn queue(
        &mut self,
        store: &mut impl Store,
        head: Head,
        work: &str,
        targets: &[Box<RawValue>],
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
        self.put(store, place.clone(), None, Record::Head(head), Work::Set(work))?;
        self.offered.insert(place.clone(), first);
        self.due.insert(place, (look, hour));
        Ok(Outcome::Done)
    }

    /// Applies what became of deliveries.
    pub fn settle(
        &mut self,
        store: &mut impl Store,
        push: &PushId,
        part: Part,
        ends: &[End],
        now: Millis,
    ) -> Result<Outcome, Fault> {
        self.now = now;
        let Some((place, mut after)) = self.page(store, push, part)? else { return Ok(Outcome::Nothing) };
        let before = after.clone();
        page::settle(&mut after, ends, now);
        self.put_page(store, place, before, after)?;
        Ok(Outcome::Done)
    }

    /// Undoes a begin of which nothing was sent.
    pub fn abort(&mut self, store: &mut impl Store, push: &PushId, part: Part) -> Result<Outcome, Fault> {
        let Some((place, before)) = self.page(store, push, part)? else { return Ok(Outcome::Nothing) };
        store.remove(place.0, &place.1)?;
        self.count(store, &before, -1)?;
        self.forget(&place);
        Ok(Outcome::Done)
    }

    /// Takes what is due of a page.
    pub fn take(
        &mut self,
        store: &mut impl Store,
        push: &PushId,
        part: Part,
        now: Millis,
    ) -> Result<Outcome, Fault> {
        self.now = now;
        let Some((place, mut after)) = self.page(store, push, part)? else { return Ok(Outcome::Nothing) };
        let before = after.clone();
        let due = page::take(&mut after, now);
        let head = match part {
            Part::Whole => None,
            Part::Slice(..) => store.work(place.0, &key(push, Part::Whole))?,
        };
        let work = store.work(place.0, &place.1)?;
        self.put_page(store, place, before, after.clone())?;
        if due.is_empty() {
            return Ok(Outcome::Nothing);
        }
        let raw = |text: Option<String>| text.and_then(|text| RawValue::from_string(text).ok());
        Ok(Outcome::Taken(Box::new(Taken { page: after, due, work: raw(work), head: raw(head) })))
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
        let work = store.work(place.0, &place.1)?.and_then(|text| RawValue::from_string(text).ok());
        let (Some(work), true) = (work, n > 0) else { return Ok(Outcome::Nothing) };
        let number = first / CHUNK;
        let chunk = store.work(place.0, &targets_key(push, number))?;
        let chunk = chunk.and_then(|text| Some((number * CHUNK, RawValue::from_string(text).ok()?)));
        Ok(Outcome::Slice(Box::new(Sliced { head, work, first, n, chunk })))
    }

    /// Takes back what has not been sent, and says what is known then.
    pub fn cancel(&mut self, store: &mut impl Store, push: &PushId, now: Millis) -> Result<Outcome, Fault> {
        self.now = now;
        let Some(place) = self.find(store, push)? else { return Ok(Outcome::Nothing) };
        if let Some(Row { record: Record::Head(mut head), .. }) = self.row(store, &place)?
            && head.dropped.is_none()
        {
            let before = Record::Head(head.clone());
            let waiting = self.waiting(store, &place, &head)?;
            if waiting > 0 {
                head.dropped = Some(Dropped { reason: None, targets: waiting, at: now });
                self.put(store, place.clone(), Some(before), Record::Head(head), Work::Keep)?;
            }
        }
        for sum in store.sums(place.0, &place.1)?.into_iter().filter(|sum| sum.due.is_some()) {
            let place = (place.0, sum.key);
            let Some(Row { record: Record::Page(before), .. }) = self.row(store, &place)? else { continue };
            let mut after = before.clone();
            if page::cancel(&mut after, now) {
                self.put_page(store, place, before, after)?;
            }
        }
        self.get(store, push, None)
    }

    /// Drops what waits of a head that has expired.
    fn expire(
        &mut self,
        store: &mut impl Store,
        place: Place,
        mut head: Head,
        now: Millis,
    ) -> Result<(), Fault> {
        let before = Record::Head(head.clone());
        let targets = self.waiting(store, &place, &head)?;
        if targets > 0 {
            head.dropped = Some(Dropped { reason: Some(Reason::Expired), targets, at: now });
            self.put(store, place, Some(before), Record::Head(head), Work::Keep)?;
        } else {
            self.due.remove(&place);
        }
        Ok(())
    }

    /// Writes a changed page; an unchanged one costs nothing.
    fn put_page(
        &mut self,
        store: &mut impl Store,
        place: Place,
        before: Page,
        after: Page,
    ) -> Result<(), Fault> {
        if before == after {
            return Ok(());
        }
        let work = if after.open() { Work::Keep } else { Work::Clear };
        self.put(store, place, Some(Record::Page(before)), Record::Page(after), work)
    }

    /// The one way in which a row changes: the row, what has to be looked at, and the counts go together.
    fn put(
        &mut self,
        store: &mut impl Store,
        place: Place,
        before: Option<Record>,
        after: Record,
        work: Work<'_>,
    ) -> Result<(), Fault> {
        let (due, hour) = match &after {
            Record::Page(page) => (page::next(page), hour(page.due)),
            Record::Head(head) => (head_due(head), hour(head.due)),
        };
        let row = Row { due, hour, record: after };
        store.put(place.0, &place.1, &row, work)?;
        if let Some(before) = &before {
            self.count_record(store, before, hour, -1)?;
        }
        self.count_record(store, &row.record, hour, 1)?;
        match due {
            Some(at) => {
                self.due.insert(place.clone(), (at, hour));
                self.remember(place, row);
            }
            None => self.forget(&place),
        }
        Ok(())
    }

    fn count(&mut self, store: &mut impl Store, page: &Page, times: i64) -> Result<(), Fault> {
        self.count_record(store, &Record::Page(page.clone()), hour(page.due), times)
    }

    /// Counts a record in its hour: in memory while the hour is open, in its row when it is closed. A ledger that is not
    /// awake counts open hours when it wakes.
    fn count_record(
        &mut self,
        store: &mut impl Store,
        record: &Record,
        hour: u64,
        times: i64,
    ) -> Result<(), Fault> {
        if self.awake && !self.closed.contains(&hour) {
            self.hours.entry(hour).or_default().add(&Counts::of(record), times);
            return Ok(());
        }
        if !self.awake && hour >= self::hour(self.now) {
            return Ok(());
        }
        if let Some(mut counts) = store.closed(hour)? {
            counts.add(&Counts::of(record), times);
            store.close(hour, &counts)?;
        }
        Ok(())
    }
}

/// A head is looked at when it is due, and again until all its targets are taken over.
fn head_due(head: &Head) -> Option<Millis> {
    head.dropped.is_none().then_some(head.due)
}

fn targets_key(push: &PushId, chunk: u32) -> String {
    format!("{}-{chunk:04}", push.tail())
}
