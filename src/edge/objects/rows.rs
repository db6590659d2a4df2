//! SQLite of one object, counting the rows that are written: they are what is paid for.

use std::cell::Cell;

use worker::{SqlStorage, SqlStorageValue, State};

/// The object's database.
pub(super) struct Rows {
    sql: SqlStorage,
    tables: &'static [&'static str],
    made: Cell<bool>,
    written: Cell<u32>,
}

impl Rows {
    /// Opens it. Its tables are made by the first write: an object that is only asked (for an app or a user that does
    /// not exist, say) writes nothing.
    pub(super) fn open(state: &State, tables: &'static [&'static str]) -> worker::Result<Self> {
        let rows = Self { sql: state.storage().sql(), tables, made: Cell::new(false), written: Cell::new(0) };
        let known =
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '!_cf!_%' ESCAPE '!'";
        rows.made.set(!rows.select(known)?.is_empty());
        Ok(rows)
    }

    /// Runs a statement that writes.
    pub(super) fn write(&self, statement: &str, values: Vec<SqlStorageValue>) -> worker::Result<()> {
        if !self.made.get() {
            for table in self.tables {
                self.run(table, Vec::new())?;
            }
            self.made.set(true);
        }
        self.run(statement, values)
    }

    /// Runs a statement that reads. Every row is a list of texts.
    pub(super) fn read(&self, statement: &str) -> worker::Result<Vec<Vec<String>>> {
        if self.made.get() { self.select(statement) } else { Ok(Vec::new()) }
    }

    fn run(&self, statement: &str, values: Vec<SqlStorageValue>) -> worker::Result<()> {
        let cursor = self.sql.exec(statement, values)?;
        self.count(u32::try_from(cursor.rows_written()).unwrap_or(u32::MAX));
        Ok(())
    }

    fn select(&self, statement: &str) -> worker::Result<Vec<Vec<String>>> {
        let cursor = self.sql.exec(statement, None)?;
        cursor.raw().map(|row| row.map(|values| values.into_iter().map(text).collect())).collect()
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

fn text(value: SqlStorageValue) -> String {
    match value {
        SqlStorageValue::String(text) => text,
        SqlStorageValue::Integer(number) => number.to_string(),
        SqlStorageValue::Null
        | SqlStorageValue::Boolean(_)
        | SqlStorageValue::Float(_)
        | SqlStorageValue::Blob(_) => String::new(),
    }
}
