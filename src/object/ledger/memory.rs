//! The database of the tests: it survives the ledgers that are made on it, and counts the rows written.

use std::{cell::Cell, collections::BTreeMap};

use super::{Fault, Row, Store, Sum, Work, funnel::Counts};
use crate::model::time::{Day, Millis};
use crate::wire::text;

#[derive(Default)]
struct Stored {
    row: Option<Row>,
    work: Option<String>,
}

/// Tables in memory.
#[derive(Default)]
pub(super) struct Memory {
    days: BTreeMap<Day, BTreeMap<String, Stored>>,
    hours: BTreeMap<u64, Counts>,
    distrust: Millis,
    pub(super) written: u32,
    pub(super) scans: Cell<u32>,
}

impl Memory {
    /// Counts per hour, made from all rows and from nothing else.
    pub(super) fn recount(&self) -> BTreeMap<u64, Counts> {
        let mut hours: BTreeMap<u64, Counts> = BTreeMap::new();
        for row in self.rows() {
            hours.entry(row.hour).or_default().add(&Counts::of(&row.record), 1);
        }
        hours.retain(|_, counts| !counts.is_empty());
        hours
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.days.values().flat_map(BTreeMap::values).filter_map(|stored| stored.row.as_ref())
    }

    pub(super) fn works(&self) -> usize {
        self.days.values().flat_map(BTreeMap::values).filter(|stored| stored.work.is_some()).count()
    }

    fn day(&self, day: Day) -> impl Iterator<Item = (&String, &Row)> {
        let rows = self.days.get(&day).into_iter().flatten();
        rows.filter_map(|(key, stored)| Some((key, stored.row.as_ref()?)))
    }
}

fn sum((key, row): (&String, &Row)) -> Sum {
    Sum { key: key.clone(), due: row.due, hour: row.hour, counts: Counts::of(&row.record) }
}

impl Store for Memory {
    fn days(&self) -> Result<Vec<Day>, Fault> {
        Ok(self.days.keys().copied().collect())
    }

    fn get(&self, day: Day, key: &str) -> Result<Option<Row>, Fault> {
        Ok(self.days.get(&day).and_then(|rows| rows.get(key)?.row.clone()))
    }

    fn work(&self, day: Day, key: &str) -> Result<Option<String>, Fault> {
        Ok(self.days.get(&day).and_then(|rows| rows.get(key)?.work.clone()))
    }

    fn list(&self, day: Day, prefix: &str, after: &str, most: u32) -> Result<Vec<(String, Row)>, Fault> {
        let found = self.day(day).filter(|(key, _)| key.starts_with(prefix) && key.as_str() > after);
        Ok(found.take(most as usize).map(|(key, row)| (key.clone(), row.clone())).collect())
    }

    fn mentions(&self, day: Day, text: &str, after: &str, most: u32) -> Result<Vec<String>, Fault> {
        let holds = |stored: &Stored| match (&stored.row, &stored.work) {
            (Some(row), _) => text::write(&row.record).contains(text),
            (None, work) => work.as_ref().is_some_and(|work| work.contains(text)),
        };
        let rows = self.days.get(&day).into_iter().flatten();
        let keys =
            rows.filter(|(key, stored)| key.as_str() > after && holds(stored)).map(|(key, _)| key.clone());
        Ok(keys.take(most as usize).collect())
    }

    fn sums(&self, day: Day, prefix: &str) -> Result<Vec<Sum>, Fault> {
        Ok(self.day(day).filter(|(key, _)| key.starts_with(prefix)).map(sum).collect())
    }

    fn awake(&self, day: Day) -> Result<Vec<Sum>, Fault> {
        self.scans.set(self.scans.get() + 1);
        let awake = |row: &Row| row.due.is_some() || !self.hours.contains_key(&row.hour);
        Ok(self.day(day).filter(|(_, row)| awake(row)).map(sum).collect())
    }

    fn put(&mut self, day: Day, key: &str, row: &Row, counts: &Counts, work: Work<'_>) -> Result<(), Fault> {
        assert_eq!(*counts, Counts::of(&row.record), "counts of another record");
        self.written += 1;
        let rows = self.days.entry(day).or_default();
        match work {
            Work::Set(text) => {
                let work = (!text.is_empty()).then(|| text.to_owned());
                rows.insert(key.to_owned(), Stored { row: Some(row.clone()), work });
            }
            Work::Keep | Work::Clear => {
                // As `UPDATE` does: what is not there stays so.
                let Some(stored) = rows.get_mut(key) else { return Ok(()) };
                stored.row = Some(row.clone());
                if work == Work::Clear {
                    stored.work = None;
                }
            }
        }
        Ok(())
    }

    fn put_targets(&mut self, day: Day, key: &str, targets: &str) -> Result<(), Fault> {
        self.written += 1;
        let stored = Stored { row: None, work: Some(targets.to_owned()) };
        self.days.entry(day).or_default().insert(key.to_owned(), stored);
        Ok(())
    }

    fn remove(&mut self, day: Day, key: &str) -> Result<(), Fault> {
        self.written += 1;
        self.days.entry(day).or_default().remove(key);
        Ok(())
    }

    fn drop_day(&mut self, day: Day) -> Result<(), Fault> {
        self.days.remove(&day);
        Ok(())
    }

    fn closed(&self, hour: u64) -> Result<Option<Counts>, Fault> {
        Ok(self.hours.get(&hour).cloned())
    }

    fn closed_between(&self, from: u64, to: u64) -> Result<Vec<(u64, Counts)>, Fault> {
        Ok(self.hours.range(from..to).map(|(hour, counts)| (*hour, counts.clone())).collect())
    }

    fn close(&mut self, hour: u64, counts: &Counts) -> Result<(), Fault> {
        self.written += 1;
        self.hours.insert(hour, counts.clone());
        Ok(())
    }

    fn distrust(&self) -> Result<Millis, Fault> {
        Ok(self.distrust)
    }

    fn set_distrust(&mut self, until: Millis) -> Result<(), Fault> {
        self.written += 1;
        self.distrust = until;
        Ok(())
    }

    fn forget_before(&mut self, hour: u64) -> Result<(), Fault> {
        self.hours = self.hours.split_off(&hour);
        Ok(())
    }
}
