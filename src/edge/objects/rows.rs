//! SQLite of one object, counting the rows that are written: they are what is paid for.

use std::cell::Cell;

use worker::{SqlStorage, SqlStorageValue, State};

/// A table of an object.
pub(super) struct Table {
    pub(super) name: &'static str,
    /// `CREATE TABLE IF NOT EXISTS …`
    pub(super) make: &'static str,
}

/// The object's database.
pub(super) struct Rows {
    sql: SqlStorage,
    tables: &'static [Table],
    made: Cell<bool>,
    written: Cell<u32>,
}

impl Rows {
    /// Opens it. Its tables are made by the first write: an object that is only asked (for an app or a user that does
    /// not exist, say) writes nothing.
    pub(super) fn open(state: &State, tables: &'static [Table]) -> worker::Result<Self> {
        let rows = Self { sql: state.storage().sql(), tables, made: Cell::new(false), written: Cell::new(0) };
        // By name: the platform has tables of its own in the same database.
        let names: Vec<String> = tables.iter().map(|table| format!("'{}'", table.name)).collect();
        let known = format!("SELECT name FROM sqlite_master WHERE name IN ({})", names.join(", "));
        rows.made.set(rows.select(&known, Vec::new())?.len() == tables.len());
        Ok(rows)
    }

    /// Runs a statement that writes.
    pub(super) fn write(&self, statement: &str, values: Vec<SqlStorageValue>) -> worker::Result<()> {
        if !self.made.get() {
            for table in self.tables {
                self.run(table.make, Vec::new())?;
            }
            self.made.set(true);
        }
        self.run(statement, values)
    }

    /// Runs a statement that reads. Every row is a list of texts.
    pub(super) fn read(&self, statement: &str) -> worker::Result<Vec<Vec<String>>> {
        self.read_with(statement, Vec::new())
    }

    /// The same with values in the statement's holes.
    pub(super) fn read_with(
        &self,
        statement: &str,
        values: Vec<SqlStorageValue>,
    ) -> worker::Result<Vec<Vec<String>>> {
        if self.made.get() { self.select(statement, values) } else { Ok(Vec::new()) }
    }

    fn run(&self, statement: &str, values: Vec<SqlStorageValue>) -> worker::Result<()> {
        let cursor = self.sql.exec(statement, values)?;
        self.count(u32::try_from(cursor.rows_written()).unwrap_or(u32::MAX));
        Ok(())
    }

    /// The same, also where no table has been made yet.
    pub(super) fn select(
        &self,
        statement: &str,
        values: Vec<SqlStorageValue>,
    ) -> worker::Result<Vec<Vec<String>>> {
        let cursor = self.sql.exec(statement, values)?;
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
