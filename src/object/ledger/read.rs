//! What a ledger finds in its rows.

use super::{Fault, Ledger, Part, Place, RECENT_MAX, Record, Row, Store, day, funnel::Counts, key};
use crate::{
    model::{
        ids::PushId,
        page::{Head, Page},
        time::Millis,
    },
    wire::ledger::{Known, Outcome},
};

/// After every hour that a calendar knows; JavaScript's numbers hold it.
const HOURS_END: u64 = 1 << 40;
/// Pages in one answer.
const PAGES: u32 = 10;

impl Ledger {
    /// What is known of a push, its pages behind a row key.
    pub fn get(&mut self, store: &impl Store, push: &PushId, after: Option<&str>) -> Result<Outcome, Fault> {
        let Some(place) = self.find(store, push)? else { return Ok(Outcome::Nothing) };
        match self.row(store, &place)?.map(|row| row.record) {
            Some(record) => Ok(Outcome::Known(Box::new(self.known(store, &place, record, after)?))),
            None => Ok(Outcome::Nothing),
        }
    }

    /// Whether a push of the same idempotency key is here.
    pub fn holds(&mut self, store: &impl Store, push: &PushId, now: Millis) -> Result<Outcome, Fault> {
        self.now = now;
        let own = (day(push.created()), key(push, Part::Whole));
        let held = self.taken_key(store, push, &own)?;
        Ok(held.map_or(Outcome::Nothing, |known| Outcome::Exists(Box::new(known))))
    }

    /// Counts of the hours from `from` until before `to`.
    pub fn funnel(&mut self, store: &impl Store, from: u64, to: u64) -> Result<Outcome, Fault> {
        self.wake(store)?;
        let mut counts = Counts::default();
        for (_, closed) in store.closed_between(from, to)? {
            counts.add(&closed, 1);
        }
        let wanted = self.hours.iter().filter(|(hour, _)| from <= **hour && **hour < to);
        for open in wanted.map(|(_, counts)| counts) {
            counts.add(open, 1);
        }
        Ok(Outcome::Funnel(counts.cells()))
    }

    /// Reads what memory has to know: what is to be looked at, and the counts of the hours that are not closed.
    pub(super) fn wake(&mut self, store: &impl Store) -> Result<(), Fault> {
        if self.awake {
            return Ok(());
        }
        self.hours.clear();
        self.closed.clear();
        for (hour, _) in store.closed_between(0, HOURS_END)? {
            self.closed.insert(hour, ());
        }
        for day in store.days()? {
            for sum in store.awake(day)? {
                let place = (day, sum.key);
                if let Some(due) = sum.due {
                    self.due.entry(place).or_insert((due, sum.hour));
                }
                if !self.closed.contains_key(&sum.hour) {
                    self.hours.entry(sum.hour).or_default().add(&sum.counts, 1);
                }
            }
        }
        self.awake = true;
        Ok(())
    }

    /// The push whose idempotency key this id was made from, if it still holds the key; or that has this very row.
    pub(super) fn taken_key(
        &mut self,
        store: &impl Store,
        push: &PushId,
        own: &Place,
    ) -> Result<Option<Known>, Fault> {
        let since = Millis(self.now.0.saturating_sub(self.keep.keys_ms));
        for day in store.days()?.into_iter().filter(|have| *have >= day(since)) {
            let place = (day, key(push, Part::Whole));
            let Some(Row { record, .. }) = self.row(store, &place)? else { continue };
            let created = match &record {
                Record::Page(page) => page.push.created(),
                Record::Head(head) => head.push.created(),
            };
            if created > since || place == *own {
                return self.known(store, &place, record, None).map(Some);
            }
        }
        Ok(None)
    }

    fn known(
        &self,
        store: &impl Store,
        place: &Place,
        record: Record,
        after: Option<&str>,
    ) -> Result<Known, Fault> {
        match record {
            Record::Page(page) => {
                let counts = Counts::of_page(&page);
                let counts = counts.states().into_iter().collect();
                Ok(Known { head: None, counts, waiting: 0, pages: vec![page], next: None })
            }
            Record::Head(head) => {
                let mut counts = Counts::default();
                for sum in store.sums(place.0, &place.1)? {
                    counts.add(&sum.counts, 1);
                }
                let rows = store.list(place.0, &format!("{}.", place.1), after.unwrap_or_default(), PAGES)?;
                let next = rows.last().filter(|_| rows.len() == PAGES as usize).map(|(key, _)| key.clone());
                let page = |(_, row): (String, Row)| match row.record {
                    Record::Page(page) => Some(page),
                    Record::Head(_) => None,
                };
                Ok(Known {
                    head: Some(head),
                    waiting: u32::try_from(counts.waiting()).unwrap_or_default(),
                    counts: counts.states().into_iter().collect(),
                    pages: rows.into_iter().filter_map(page).collect(),
                    next,
                })
            }
        }
    }

    /// Targets of a head that no page has taken over.
    pub(super) fn waiting(&self, store: &impl Store, place: &Place, head: &Head) -> Result<u32, Fault> {
        let taken: i64 =
            store.sums(place.0, &format!("{}.", place.1))?.iter().map(|sum| sum.counts.waiting()).sum();
        Ok(u32::try_from(i64::from(head.targets) + taken).unwrap_or_default())
    }

    /// Where a push is: in the table of the day it was made, or of the day it was planned for.
    pub(super) fn find(&mut self, store: &impl Store, push: &PushId) -> Result<Option<Place>, Fault> {
        let key = key(push, Part::Whole);
        let made = day(push.created());
        let days = store.days()?;
        let (first, others): (Vec<_>, Vec<_>) = days.into_iter().partition(|day| *day == made);
        for day in first.into_iter().chain(others) {
            let place = (day, key.clone());
            let id = match self.row(store, &place)?.map(|row| row.record) {
                Some(Record::Page(page)) => page.push,
                Some(Record::Head(head)) => head.push,
                None => continue,
            };
            if id == *push {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    pub(super) fn page(
        &mut self,
        store: &impl Store,
        push: &PushId,
        part: Part,
    ) -> Result<Option<(Place, Page)>, Fault> {
        let own = (day(push.created()), key(push, part));
        let place = if self.recent.contains_key(&own) {
            own
        } else {
            let Some(place) = self.find(store, push)? else { return Ok(None) };
            (place.0, key(push, part))
        };
        Ok(match self.take_row(store, &place)?.map(|row| row.record) {
            Some(Record::Page(page)) if page.push == *push => Some((place, page)),
            Some(Record::Page(_) | Record::Head(_)) | None => None,
        })
    }

    pub(super) fn head(&mut self, store: &impl Store, push: &PushId) -> Result<Option<(Place, Head)>, Fault> {
        let Some(place) = self.find(store, push)? else { return Ok(None) };
        Ok(match self.row(store, &place)?.map(|row| row.record) {
            Some(Record::Head(head)) => Some((place, head)),
            Some(Record::Page(_)) | None => None,
        })
    }

    /// Takes a row out of memory, or reads it: whoever takes it writes it back, or the memory is given up.
    fn take_row(&mut self, store: &impl Store, place: &Place) -> Result<Option<Row>, Fault> {
        match self.recent.remove(place) {
            Some(row) => Ok(Some(row)),
            None => store.get(place.0, &place.1),
        }
    }

    pub(super) fn row(&self, store: &impl Store, place: &Place) -> Result<Option<Row>, Fault> {
        match self.recent.get(place) {
            Some(row) => Ok(Some(row.clone())),
            None => store.get(place.0, &place.1),
        }
    }

    pub(super) fn remember(&mut self, place: Place, row: Row) {
        if self.recent_size >= RECENT_MAX {
            self.recent.clear();
            self.recent_size = 0;
        }
        self.recent_size += match &row.record {
            Record::Page(page) => page.deliveries.len(),
            Record::Head(_) => 1,
        };
        self.recent.insert(place, row);
    }

    pub(super) fn forget(&mut self, place: &Place) {
        self.due.remove(place);
        self.recent.remove(place);
    }
}
