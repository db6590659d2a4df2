//! SQLite of one object, counting the rows that are written: they are what is paid for.

use std::cell::Cell;

use worker::{SqlStorage, SqlStorageValue, State};

/// The object's database.
pub(super) struct Rows {
    sql: SqlStorage,
    written: Cell<u32>,
}

impl Rows {
    /// Opens it and makes the tables that are missing.
    pub(super) fn open(state: &State, tables: &[&str]) -> worker::Result<Self> {
        let rows = Self { sql: state.storage().sql(), written: Cell::new(0) };
        for table in tables {
            rows.write(table, Vec::new())?;
        }
        Ok(rows)
    }

    /// Runs a statement that writes.
    pub(super) fn write(&self, statement: &str, values: Vec<SqlStorageValue>) -> worker::Result<()> {
        let cursor = self.sql.exec(statement, values)?;
        self.count(u32::try_from(cursor.rows_written()).unwrap_or(u32::MAX));
        Ok(())
    }

    /// Runs a statement that reads. Every row is a list of texts.
    pub(super) fn read(&self, statement: &str) -> worker::Result<Vec<Vec<String>>> {
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
