//! SQLite of one object, counting the rows that are written: they are what is paid for.

use std::cell::Cell;

use serde::Serialize;
use wasm_bindgen::JsValue;
use worker::State;

use super::super::glue;
use crate::wire::text;

/// A table of an object.
pub(super) struct Table {
    pub(super) name: &'static str,
    /// `CREATE TABLE IF NOT EXISTS …`
    pub(super) make: &'static str,
}

/// A value in a statement's hole. All values of a statement cross to JavaScript as one JSON text: each crossing costs more
/// than the text does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum Value {
    Null,
    /// Below 2^53: JavaScript's numbers.
    Number(u64),
    Text(String),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

/// The object's database.
pub(super) struct Rows {
    sql: JsValue,
    tables: &'static [Table],
    made: Cell<bool>,
    written: Cell<u32>,
}

impl Rows {
    /// Opens it. Its tables are made by the first write: an object that is only asked (for an app or a user that does
    /// not exist, say) writes nothing.
    pub(super) fn open(state: &State, tables: &'static [Table]) -> worker::Result<Self> {
        let rows = Self {
            sql: state.storage().sql().as_ref().clone(),
            tables,
            made: Cell::new(false),
            written: Cell::new(0),
        };
        // By name: the platform has tables of its own in the same database.
        let names: Vec<String> = tables.iter().map(|table| format!("'{}'", table.name)).collect();
        let known = format!("SELECT name FROM sqlite_master WHERE name IN ({})", names.join(", "));
        let known = rows.select(&known, Vec::new())?.len();
        if known > 0 && known < tables.len() {
            // An object of an earlier version: what it has is read, what is new is made.
            rows.make()?;
        }
        rows.made.set(known > 0);
        Ok(rows)
    }

    /// Runs a statement that writes.
    pub(super) fn write(&self, statement: &str, values: Vec<Value>) -> worker::Result<()> {
        if !self.made.get() {
            self.make()?;
            self.made.set(true);
        }
        self.run(statement, &values)
    }

    fn make(&self) -> worker::Result<()> {
        self.tables.iter().try_for_each(|table| self.run(table.make, &[]))
    }

    /// Runs a statement that reads. Every row is a list of texts.
    pub(super) fn read(&self, statement: &str) -> worker::Result<Vec<Vec<String>>> {
        self.read_with(statement, Vec::new())
    }

    /// The same with values in the statement's holes.
    pub(super) fn read_with(&self, statement: &str, values: Vec<Value>) -> worker::Result<Vec<Vec<String>>> {
        if self.made.get() { self.select(statement, values) } else { Ok(Vec::new()) }
    }

    fn run(&self, statement: &str, values: &[Value]) -> worker::Result<()> {
        let written = glue::sql_write(&self.sql, statement, &text::write(values));
        self.count(written.map_err(|failed| worker::Error::RustError(failed.0))?);
        Ok(())
    }

    /// The same, also where no table has been made yet.
    pub(super) fn select(&self, statement: &str, values: Vec<Value>) -> worker::Result<Vec<Vec<String>>> {
        let rows = glue::sql_read(&self.sql, statement, &text::write(&values));
        Ok(crate::wire::text::read(&rows.map_err(|failed| worker::Error::RustError(failed.0))?)?)
    }

    /// Rows that something else than a statement has written: an alarm that was set is one.
    pub(super) fn count(&self, n: u32) {
        self.written.set(self.written.get().saturating_add(n));
    }

    /// Rows written since this was last asked.
    pub(super) fn take_written(&self) -> u32 {
        self.written.take()
    }
}
