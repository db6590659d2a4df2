//! A ledger's database in SQLite: a table of rows per day, and the closed hours.
//!
//! A page is one row with its deliveries packed inside; its key is the primary key and the idempotency key at once. What
//! is over is dropped with its day's table, which writes no row.

use std::cell::RefCell;

use js_sys::JsString;

use super::super::{
    super::glue::{known, known_for},
    rows::{Rows, Table, Value},
};
use crate::{
    model::{
        table::{self, gather},
        time::{Day, Millis},
    },
    object::ledger::{Fault, Row, Store, Sum, Work, funnel::Counts},
    wire::{ledger::Cell, text},
};

/// Tables that are always there.
pub(super) const TABLES: &[Table] = &[
    Table {
        name: "hour",
        make: "CREATE TABLE IF NOT EXISTS hour (hour INTEGER PRIMARY KEY, counts TEXT NOT NULL)",
    },
    Table {
        name: "owner",
        make: "CREATE TABLE IF NOT EXISTS owner (id INTEGER PRIMARY KEY, tenant TEXT NOT NULL)",
    },
    Table {
        name: "distrust",
        make: "CREATE TABLE IF NOT EXISTS distrust (id INTEGER PRIMARY KEY, until INTEGER NOT NULL)",
    },
];

/// The days that have a table, as far as they are known.
pub(super) type Days = RefCell<Option<table::Table<Day, ()>>>;

/// The database, for one step.
pub(super) struct Sql<'a> {
    pub(super) rows: &'a Rows,
    pub(super) days: &'a Days,
}

fn fault(error: impl std::fmt::Display) -> Fault {
    Fault(error.to_string())
}

/// Every key that begins with `prefix` lies between it and this.
fn end(prefix: &str) -> String {
    format!("{prefix}\u{10ffff}")
}

const MAKE: &str = "CREATE TABLE IF NOT EXISTS {page} (key TEXT PRIMARY KEY, due INTEGER, hour INTEGER, counts TEXT, record TEXT, \
                    work TEXT) WITHOUT ROWID";

/// A statement that finds sums.
macro_rules! sums {
    ($which:literal) => {
        concat!("SELECT key, due, hour, counts FROM {page} WHERE counts IS NOT NULL AND ", $which)
    };
}

/// A statement about a day's table, which it calls `{page}`.
fn of_day(statement: &'static str, day: Day) -> JsString {
    known_for(statement, day.0, || statement.replace("{page}", &format!("page_{}", day.0)))
}

fn millis(text: &str) -> Option<Millis> {
    text.parse().ok().map(Millis)
}

impl Sql<'_> {
    fn has(&self, day: Day) -> Result<bool, Fault> {
        Ok(self.days()?.contains(&day))
    }

    fn read(&self, day: Day, rest: &'static str, values: Vec<Value>) -> Result<Vec<Vec<String>>, Fault> {
        if !self.has(day)? {
            return Ok(Vec::new());
        }
        self.rows.read_as(&of_day(rest, day), &values).map_err(fault)
    }

    fn write(&self, day: Day, statement: &'static str, values: Vec<Value>) -> Result<(), Fault> {
        if !self.has(day)? {
            self.rows.write_as(&of_day(MAKE, day), &[]).map_err(fault)?;
            if let Some(days) = self.days.borrow_mut().as_mut() {
                days.insert(day, ());
            }
        }
        self.rows.write_as(&of_day(statement, day), &values).map_err(fault)
    }

    fn some_sums(&self, day: Day, statement: &'static str, values: Vec<Value>) -> Result<Vec<Sum>, Fault> {
        let sum = |row: Vec<String>| match <[String; 4]>::try_from(row) {
            Ok([key, due, hour, counts]) => Ok(Sum {
                key,
                due: millis(&due),
                hour: hour.parse().map_err(fault)?,
                counts: read_counts(&counts)?,
            }),
            Err(_) => Err(fault("a row without its columns")),
        };
        self.read(day, statement, values)?.into_iter().map(sum).collect()
    }
}

fn read_counts(text: &str) -> Result<Counts, Fault> {
    let cells: Vec<Cell> = text::read(text).map_err(fault)?;
    Ok(Counts::from_cells(cells))
}

fn counts_text(counts: &Counts) -> String {
    text::write(&counts.cells())
}

impl Store for Sql<'_> {
    fn days(&self) -> Result<Vec<Day>, Fault> {
        if let Some(days) = self.days.borrow().as_ref() {
            return Ok(days.keys().copied().collect());
        }
        let names = self
            .rows
            .select(
                &known("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'page\\_%' ESCAPE '\\'"),
                &[],
            )
            .map_err(fault)?;
        let day = |name: String| name.strip_prefix("page_").and_then(|day| day.parse().ok()).map(Day);
        let days: table::Table<Day, ()> =
            gather(names.into_iter().flatten().filter_map(day).map(|day| (day, ())));
        let all = days.keys().copied().collect();
        self.days.replace(Some(days));
        Ok(all)
    }

    fn get(&self, day: Day, key: &str) -> Result<Option<Row>, Fault> {
        let found = self.read(
            day,
            "SELECT due, hour, record FROM {page} WHERE key = ? AND record IS NOT NULL",
            vec![key.into()],
        )?;
        found.into_iter().next().map(row).transpose()
    }

    fn work(&self, day: Day, key: &str) -> Result<Option<String>, Fault> {
        let found =
            self.read(day, "SELECT work FROM {page} WHERE key = ? AND work IS NOT NULL", vec![key.into()])?;
        Ok(found.into_iter().flatten().next())
    }

    fn list(&self, day: Day, prefix: &str, after: &str, most: u32) -> Result<Vec<(String, Row)>, Fault> {
        let statement = "SELECT due, hour, record, key FROM {page} WHERE key >= ? AND key < ? AND key > ? AND record \
                         IS NOT NULL ORDER BY key LIMIT ?";
        let values = vec![prefix.into(), end(prefix).into(), after.into(), u64::from(most).into()];
        let with_key = |mut columns: Vec<String>| {
            let key = columns.pop().unwrap_or_default();
            Ok((key, row(columns)?))
        };
        self.read(day, statement, values)?.into_iter().map(with_key).collect()
    }

    fn mentions(&self, day: Day, text: &str, after: &str, most: u32) -> Result<Vec<String>, Fault> {
        let statement = "SELECT key FROM {page} WHERE key > ? AND (instr(record, ?) > 0 OR (record IS NULL AND \
                         instr(work, ?) > 0)) ORDER BY key LIMIT ?";
        let values = vec![after.into(), text.into(), text.into(), u64::from(most).into()];
        Ok(self.read(day, statement, values)?.into_iter().flatten().collect())
    }

    fn sums(&self, day: Day, prefix: &str) -> Result<Vec<Sum>, Fault> {
        self.some_sums(
            day,
            sums!("key >= ? AND key < ? ORDER BY key"),
            vec![prefix.into(), end(prefix).into()],
        )
    }

    fn awake(&self, day: Day) -> Result<Vec<Sum>, Fault> {
        let open = sums!("(due IS NOT NULL OR hour NOT IN (SELECT hour FROM hour))");
        self.some_sums(day, open, Vec::new())
    }

    fn put(&mut self, day: Day, key: &str, row: &Row, counts: &Counts, work: Work<'_>) -> Result<(), Fault> {
        let due = row.due.map_or(Value::Null, |due| due.0.into());
        let counts = counts_text(counts);
        let record = text::write(&row.record);
        let columns = vec![due, row.hour.into(), counts.into(), record.into()];
        let (statement, rest) = match work {
            Work::Set(work) => (
                "INSERT OR REPLACE INTO {page} (due, hour, counts, record, work, key) VALUES (?, ?, ?, ?, ?, ?)",
                vec![if work.is_empty() { Value::Null } else { work.into() }, key.into()],
            ),
            Work::Keep => (
                "UPDATE {page} SET due = ?, hour = ?, counts = ?, record = ? WHERE key = ?",
                vec![key.into()],
            ),
            Work::Clear => (
                "UPDATE {page} SET due = ?, hour = ?, counts = ?, record = ?, work = NULL WHERE key = ?",
                vec![key.into()],
            ),
        };
        self.write(day, statement, columns.into_iter().chain(rest).collect())
    }

    fn put_targets(&mut self, day: Day, key: &str, targets: &str) -> Result<(), Fault> {
        let statement = "INSERT OR REPLACE INTO {page} (key, work) VALUES (?, ?)";
        self.write(day, statement, vec![key.into(), targets.into()])
    }

    fn remove(&mut self, day: Day, key: &str) -> Result<(), Fault> {
        self.write(day, "DELETE FROM {page} WHERE key = ?", vec![key.into()])
    }

    fn drop_day(&mut self, day: Day) -> Result<(), Fault> {
        self.rows.write_as(&of_day("DROP TABLE IF EXISTS {page}", day), &[]).map_err(fault)?;
        if let Some(days) = self.days.borrow_mut().as_mut() {
            days.remove(&day);
        }
        Ok(())
    }

    fn closed(&self, hour: u64) -> Result<Option<Counts>, Fault> {
        let found = self.rows.read_with("SELECT counts FROM hour WHERE hour = ?", vec![hour.into()]);
        found.map_err(fault)?.into_iter().flatten().next().map(|text| read_counts(&text)).transpose()
    }

    fn closed_between(&self, from: u64, to: u64) -> Result<Vec<(u64, Counts)>, Fault> {
        let statement = "SELECT hour, counts FROM hour WHERE hour >= ? AND hour < ?";
        let found = self.rows.read_with(statement, vec![from.into(), to.into()]).map_err(fault)?;
        let hour = |row: Vec<String>| match <[String; 2]>::try_from(row) {
            Ok([hour, counts]) => Ok((hour.parse().map_err(fault)?, read_counts(&counts)?)),
            Err(_) => Err(fault("a row without its columns")),
        };
        found.into_iter().map(hour).collect()
    }

    fn close(&mut self, hour: u64, counts: &Counts) -> Result<(), Fault> {
        let values = vec![hour.into(), counts_text(counts).into()];
        self.rows.write("INSERT OR REPLACE INTO hour (hour, counts) VALUES (?, ?)", values).map_err(fault)
    }

    fn distrust(&self) -> Result<Millis, Fault> {
        let until = self.rows.read("SELECT until FROM distrust").map_err(fault)?;
        let until = until.into_iter().flatten().next().and_then(|until| until.parse().ok());
        Ok(until.map(Millis).unwrap_or_default())
    }

    fn set_distrust(&mut self, until: Millis) -> Result<(), Fault> {
        let insert = "INSERT OR REPLACE INTO distrust (id, until) VALUES (1, ?)";
        self.rows.write(insert, vec![until.0.into()]).map_err(fault)
    }

    fn forget_before(&mut self, hour: u64) -> Result<(), Fault> {
        self.rows.write("DELETE FROM hour WHERE hour < ?", vec![hour.into()]).map_err(fault)
    }
}

fn row(columns: Vec<String>) -> Result<Row, Fault> {
    let Ok([due, hour, record]) = <[String; 3]>::try_from(columns) else {
        return Err(fault("a row without its columns"));
    };
    Ok(Row {
        due: millis(&due),
        hour: hour.parse().map_err(fault)?,
        record: text::read(&record).map_err(fault)?,
    })
}
