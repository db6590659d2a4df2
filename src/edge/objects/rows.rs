//! SQLite of one object, counting the rows that are written: they are what is paid for.

use std::cell::Cell;

use js_sys::JsString;
use wasm_bindgen::JsValue;

use super::{
    super::glue::{self, known},
    state::State,
};
pub(super) use crate::wire::values::Value;
use crate::wire::values::list;

/// A table of an object.
pub(super) struct Table {
    pub(super) name: &'static str,
    /// `CREATE TABLE IF NOT EXISTS …`
    pub(super) make: &'static str,
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
        let rows = Self { sql: state.database(), tables, made: Cell::new(false), written: Cell::new(0) };
        // By name: the platform has tables of its own in the same database.
        let names: Vec<String> = tables.iter().map(|table| format!("'{}'", table.name)).collect();
        let select = format!("SELECT name FROM sqlite_master WHERE name IN ({})", names.join(", "));
        let have = rows.select(&select.into(), &[])?.len();
        if have > 0 && have < tables.len() {
            // An object of an earlier version: what it has is read, what is new is made.
            rows.make()?;
        }
        rows.made.set(have > 0);
        Ok(rows)
    }

    /// Runs a statement that writes.
    pub(super) fn write(&self, statement: &'static str, values: Vec<Value>) -> worker::Result<()> {
        self.write_as(&known(statement), &values)
    }

    /// The same with a statement that is not a text of the program.
    pub(super) fn write_as(&self, statement: &JsString, values: &[Value]) -> worker::Result<()> {
        if !self.made.get() {
            self.make()?;
            self.made.set(true);
        }
        self.run(statement, values)
    }

    fn make(&self) -> worker::Result<()> {
        self.tables.iter().try_for_each(|table| self.run(&known(table.make), &[]))
    }

    /// Runs a statement that reads. Every row is a list of texts.
    pub(super) fn read(&self, statement: &'static str) -> worker::Result<Vec<Vec<String>>> {
        self.read_as(&known(statement), &[])
    }

    /// The same with values in the statement's holes.
    pub(super) fn read_with(
        &self,
        statement: &'static str,
        values: Vec<Value>,
    ) -> worker::Result<Vec<Vec<String>>> {
        self.read_as(&known(statement), &values)
    }

    /// The same with a statement that is not a text of the program.
    pub(super) fn read_as(&self, statement: &JsString, values: &[Value]) -> worker::Result<Vec<Vec<String>>> {
        if self.made.get() { self.select(statement, values) } else { Ok(Vec::new()) }
    }

    fn run(&self, statement: &JsString, values: &[Value]) -> worker::Result<()> {
        let written = glue::sql_write(&self.sql, statement, &list(values));
        self.count(written.map_err(|failed| worker::Error::RustError(failed.0))?);
        Ok(())
    }

    /// The same, also where no table has been made yet.
    pub(super) fn select(&self, statement: &JsString, values: &[Value]) -> worker::Result<Vec<Vec<String>>> {
        let rows = glue::sql_read(&self.sql, statement, &list(values));
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
