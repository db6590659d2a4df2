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

/// Seconds after a change at which an alarm looks whether its copy was written.
const LOOK_SECS: u64 = 30;
/// Where the copy lies: an alarm does not say whose object it is.
const PLACE: &str = "CREATE TABLE IF NOT EXISTS place (id INTEGER PRIMARY KEY, key TEXT NOT NULL)";

/// State `T`, loaded once; the rows it is loaded from.
pub(super) struct Shell<T> {
    pub(super) state: State,
    pub(super) env: Env,
    tables: &'static [Table],
    rows: OnceCell<Rows>,
    held: RefCell<Option<T>>,
    copying: Cell<bool>,
    copy_again: Cell<bool>,
    /// The copy is as the state is. Nothing is known of it after a wake.
    copied: Cell<bool>,
    /// An alarm will look at the copy.
    looking: Cell<bool>,
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
            copied: Cell::new(false),
            looking: Cell::new(false),
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

    /// To be called with nothing awaited since the rows of a change were written: an alarm is set together with them, so
    /// that also a call that dies before its copy is written leaves somebody who writes it.
    pub(super) async fn changed(&self, key: &str) -> worker::Result<()> {
        self.copied.set(false);
        if self.looking.replace(true) {
            return Ok(());
        }
        let rows = self.rows()?;
        rows.write(PLACE, Vec::new())?;
        rows.write("INSERT OR IGNORE INTO place (id, key) VALUES (1, ?)", vec![key.into()])?;
        self.look_later().await
    }

    async fn look_later(&self) -> worker::Result<()> {
        self.rows()?.count(1);
        self.state.storage().set_alarm(Duration::from_secs(LOOK_SECS)).await
    }

    /// Writes the read copy in KV; an empty text removes it. Two calls that change the state one after the other must not
    /// leave the older copy behind, and KV takes one write per second and key. So one writer at a time is under way and
    /// writes the latest state; a call that finds one under way leaves its state to it. A write that fails fails no
    /// call: the object still knows, and the alarm tries again.
    pub(super) async fn copy(&self, binding: &str, key: &str, latest: impl Fn(&T) -> String) {
        self.copy_again.set(true);
        if self.copying.replace(true) {
            return;
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
                return;
            }
        }
        self.copied.set(true);
    }

    /// An alarm: was the copy of the last change written? One that is not known to be is written again.
    pub(super) async fn look(
        &self,
        binding: &str,
        load: impl FnOnce(&Rows) -> worker::Result<T>,
        latest: impl Fn(&T) -> String,
    ) -> worker::Result<()> {
        self.looking.set(false);
        if self.copied.get() {
            return Ok(());
        }
        self.with(load, |_, _| Ok(()))?;
        self.rows()?.write(PLACE, Vec::new())?;
        let place = self.rows()?.read("SELECT key FROM place")?;
        let Some(key) = place.into_iter().flatten().next() else { return Ok(()) };
        self.copy(binding, &key, &latest).await;
        if self.copied.get() || self.looking.replace(true) {
            return Ok(());
        }
        self.look_later().await
    }
}
