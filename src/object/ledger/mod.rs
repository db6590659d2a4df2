//! The ledger of one shard, as pure steps over a [`Store`]: nothing is lost, nothing begins twice, everything has one
//! state.
//!
//! The rows are the truth. In memory stand, as a cache: what has to be looked at and when, the records of late, and the
//! counts of the hours that are not closed. A ledger that wakes without memory reads what it needs: a begin or a settle
//! needs its own row only; an alarm and the funnel need the sums of what is not closed.

use std::collections::{BTreeMap, HashMap};

use crate::{
    model::{
        ids::PushId,
        page::{Head, Page, Part},
        table::Table,
        time::{Day, DayZone, Millis},
    },
    wire::{
        ledger::{End, Outcome, Taken},
        text::Raw,
    },
};

mod alarm;
mod erase;
pub mod funnel;
mod hear;
#[cfg(test)]
mod memory;
pub mod page;
mod queued;
mod read;
pub mod store;
#[cfg(test)]
mod tests;

pub use alarm::{Job, Round};
use funnel::Counts;
pub use queued::OFFERED_BY_CALLER;
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
    hours: Table<u64, Counts>,
    closed: Table<u64, ()>,
    /// Slices of a head up to which pages were offered to the queue.
    offered: HashMap<Place, u32>,
    /// Until when KV cannot be trusted; `None`: not read yet.
    distrust: Option<Millis>,
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
    match part {
        // Nearly every push; nothing to format.
        Part::Whole => push.tail().to_owned(),
        Part::Slice(..) => format!("{}{part}", push.tail()),
    }
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
            hours: Table::new(),
            closed: Table::new(),
            offered: HashMap::new(),
            distrust: None,
            now: Millis(0),
        }
    }

    /// KV does not write copies. A page whose devices were looked up there is not begun until that is over.
    pub fn set_distrust(&mut self, store: &mut impl Store, until: Millis) -> Result<Outcome, Fault> {
        if until > self.distrust(store)? {
            store.set_distrust(until)?;
            self.distrust = Some(until);
        }
        Ok(Outcome::Done)
    }

    fn distrust(&mut self, store: &impl Store) -> Result<Millis, Fault> {
        let until = match self.distrust {
            Some(until) => until,
            None => store.distrust()?,
        };
        self.distrust = Some(until);
        Ok(until)
    }

    /// Whether a page must not begin with what KV says.
    pub fn refuses(
        &mut self,
        store: &impl Store,
        copies: bool,
        now: Millis,
    ) -> Result<Option<Outcome>, Fault> {
        if !copies {
            return Ok(None);
        }
        Ok(Some(self.distrust(store)?).filter(|until| *until > now).map(Outcome::Distrust))
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
        self.put(store, place, &Counts::default(), Record::Page(page), work)?;
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
        let Some((place, mut page)) = self.page(store, push, part)? else { return Ok(Outcome::Nothing) };
        let before = Counts::of_page(&page);
        if page::settle(&mut page, ends, now) {
            self.put_changed(store, place, &before, page)?;
        }
        Ok(Outcome::Done)
    }

    /// Undoes a begin of which nothing was sent.
    pub fn abort(&mut self, store: &mut impl Store, push: &PushId, part: Part) -> Result<Outcome, Fault> {
        let Some((place, before)) = self.page(store, push, part)? else { return Ok(Outcome::Nothing) };
        store.remove(place.0, &place.1)?;
        let mut change = Counts::default();
        let at = hour(before.due);
        change.add(&Counts::of_page(&before), -1);
        self.count(store, at, &change)?;
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
        let raw = |text: Option<String>| text.and_then(Raw::new);
        let distrust = self.distrust(store)?;
        Ok(Outcome::Taken(Box::new(Taken { page: after, due, work: raw(work), head: raw(head), distrust })))
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
        self.put_changed(store, place, &Counts::of_page(&before), after)
    }

    /// Writes a page that has changed, with what it counted before.
    fn put_changed(
        &mut self,
        store: &mut impl Store,
        place: Place,
        before: &Counts,
        after: Page,
    ) -> Result<(), Fault> {
        let work = if after.open() { Work::Keep } else { Work::Clear };
        self.put(store, place, before, Record::Page(after), work)
    }

    /// The one way in which a row changes: the row, what has to be looked at, and the counts go together. `before`: what it has
    /// counted so far.
    fn put(
        &mut self,
        store: &mut impl Store,
        place: Place,
        before: &Counts,
        after: Record,
        work: Work<'_>,
    ) -> Result<(), Fault> {
        let (due, hour) = match &after {
            Record::Page(page) => (page::next(page), hour(page.due)),
            Record::Head(head) => (head_due(head), hour(head.due)),
        };
        let row = Row { due, hour, record: after };
        let counts = Counts::of(&row.record);
        store.put(place.0, &place.1, &row, &counts, work)?;
        let mut change = counts;
        change.add(before, -1);
        self.count(store, hour, &change)?;
        match due {
            Some(at) => {
                self.due.insert(place.clone(), (at, hour));
                self.remember(place, row);
            }
            None => self.forget(&place),
        }
        Ok(())
    }

    /// Counts a change in its hour: in memory while the hour is open, in its row when it is closed. A ledger that is not
    /// awake counts open hours when it wakes.
    fn count(&mut self, store: &mut impl Store, hour: u64, change: &Counts) -> Result<(), Fault> {
        if change.is_empty() {
            return Ok(());
        }
        if self.awake && !self.closed.contains_key(&hour) {
            self.hours.entry(hour).or_default().add(change, 1);
            return Ok(());
        }
        if !self.awake && hour >= self::hour(self.now) {
            return Ok(());
        }
        if let Some(mut counts) = store.closed(hour)? {
            counts.add(change, 1);
            store.close(hour, &counts)?;
        }
        Ok(())
    }
}

/// A head is looked at when it is due, and again until all its targets are taken over.
fn head_due(head: &Head) -> Option<Millis> {
    head.dropped.is_none().then_some(head.due)
}
