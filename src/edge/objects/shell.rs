//! What every object's shell has: its rows, the state it holds in memory, and the read copy that it publishes.

use std::{
    cell::{Cell, OnceCell, RefCell},
    time::Duration,
};

use worker::{Env, State};

use super::{
    super::{
        glue::{self, Failed},
        log,
    },
    rows::{Rows, Table},
};

/// Seconds until a failed write of the copy is tried again.
const RETRY_SECS: u64 = 30;
/// Keys of copies that could not be written.
const COPY_DUE: &str = "CREATE TABLE IF NOT EXISTS copy_due (key TEXT PRIMARY KEY) WITHOUT ROWID";

/// State `T`, loaded once; the rows it is loaded from.
pub(super) struct Shell<T> {
    pub(super) state: State,
    pub(super) env: Env,
    tables: &'static [Table],
    rows: OnceCell<Rows>,
    held: RefCell<Option<T>>,
    copying: Cell<bool>,
    copy_again: Cell<bool>,
}

/// Ends the turn of a writer, also when its future is dropped.
struct Turn<'a>(&'a Cell<bool>);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl<T> Shell<T> {
    /// Nothing is read before the first call.
    pub(super) fn new(state: State, env: Env, tables: &'static [Table]) -> Self {
        Self {
            state,
            env,
            tables,
            rows: OnceCell::new(),
            held: RefCell::new(None),
            copying: Cell::new(false),
            copy_again: Cell::new(false),
        }
    }

    /// The database, its tables made.
    pub(super) fn rows(&self) -> worker::Result<&Rows> {
        if let Some(rows) = self.rows.get() {
            return Ok(rows);
        }
        let rows = Rows::open(&self.state, self.tables)?;
        Ok(self.rows.get_or_init(|| rows))
    }

    /// Runs a step on the state, loading it first where memory is empty. A step that fails (a row that could not be
    /// written) empties the memory: the rows are the truth.
    pub(super) fn with<R>(
        &self,
        load: impl FnOnce(&Rows) -> worker::Result<T>,
        step: impl FnOnce(&mut T, &Rows) -> worker::Result<R>,
    ) -> worker::Result<R> {
        let rows = self.rows()?;
        let held = self.held.take();
        let mut state = held.map_or_else(|| load(rows), Ok)?;
        let result = step(&mut state, rows)?;
        self.held.replace(Some(state));
        Ok(result)
    }

    /// Runs a step on the state if it is in memory.
    pub(super) fn if_held(
        &self,
        step: impl FnOnce(&mut T, &Rows) -> worker::Result<()>,
    ) -> worker::Result<()> {
        let Some(mut state) = self.held.take() else { return Ok(()) };
        step(&mut state, self.rows()?)?;
        self.held.replace(Some(state));
        Ok(())
    }

    /// Writes the read copy in KV; an empty text removes it. `false`: it could not be written, and is due.
    ///
    /// Two calls that change the state one after the other must not leave the older copy behind, and KV takes one
    /// write per second and key. So one writer at a time is under way and writes the latest state; a call that finds
    /// one under way leaves its state to it. A write that fails fails no call: the object still knows, and an alarm
    /// tries again.
    pub(super) async fn copy(
        &self,
        binding: &str,
        key: &str,
        latest: impl Fn(&T) -> String,
    ) -> worker::Result<bool> {
        self.copy_again.set(true);
        if self.copying.replace(true) {
            return Ok(true);
        }
        let _turn = Turn(&self.copying);
        while self.copy_again.replace(false) {
            let text = self.held.borrow().as_ref().map(&latest);
            let written = match text {
                Some(text) => glue::write(&self.env, binding, key, &text).await,
                // A step that failed has emptied the memory: the alarm loads it again.
                None => Err(Failed("the state is not in memory".into())),
            };
            if let Err(failed) = written {
                log::error("kv_write_failed", &[("binding", binding), ("why", &failed.0)]);
                let rows = self.rows()?;
                rows.write(COPY_DUE, Vec::new())?;
                rows.write("INSERT OR REPLACE INTO copy_due (key) VALUES (?)", vec![key.into()])?;
                rows.count(1);
                self.state.storage().set_alarm(Duration::from_secs(RETRY_SECS)).await?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// An alarm: copies that could not be written are due. One stays due until it is written.
    pub(super) async fn copy_due(
        &self,
        binding: &str,
        load: impl FnOnce(&Rows) -> worker::Result<T>,
        latest: impl Fn(&T) -> String,
    ) -> worker::Result<()> {
        self.with(load, |_, _| Ok(()))?;
        let rows = self.rows()?;
        rows.write(COPY_DUE, Vec::new())?;
        let keys = rows.read("SELECT key FROM copy_due")?;
        for key in keys.into_iter().flatten() {
            if self.copy(binding, &key, &latest).await? {
                rows.write("DELETE FROM copy_due WHERE key = ?", vec![key.into()])?;
            }
        }
        Ok(())
    }
}
