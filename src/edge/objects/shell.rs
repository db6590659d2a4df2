//! What every object's shell has: its rows, the state it holds in memory, and the read copy that it publishes.

use std::cell::{Cell, OnceCell, RefCell};

use worker::Env;

use super::{
    super::{
        cx::now,
        glue::{self, Failed},
        log,
    },
    rows::{Rows, Table},
    state::State,
};
use crate::{
    crypto::hash,
    model::time::{DayZone, Millis},
};

/// Seconds after a change at which an alarm looks whether its copy was written: before the platform puts the object to sleep
/// (some ten seconds), which would then have to write once more to be sure.
const LOOK_SECS: u64 = 5;
/// Seconds after which KV is asked again that has refused more than once.
const AGAIN_SECS: u64 = 30;
/// KV takes one write per second and key.
const WRITE_MS: u64 = 1_000;
/// What KV says when the free plan's writes of a day are used up (unverified: as users report it).
const DAY_IS_OVER: &str = "limit exceeded for the day";

/// Where an object keeps under which key its copy lies: an alarm does not say whose object it is.
pub(super) struct Place {
    /// Makes the table, where it is not one of the object's own.
    pub(super) make: &'static str,
    pub(super) keep: &'static str,
    pub(super) read: &'static str,
    pub(super) forget: &'static str,
}

/// In a table of its own.
pub(super) const PLACE: Place = Place {
    make: "CREATE TABLE IF NOT EXISTS place (id INTEGER PRIMARY KEY, key TEXT NOT NULL)",
    keep: "INSERT OR IGNORE INTO place (id, key) VALUES (1, ?)",
    read: "SELECT key FROM place",
    forget: "DELETE FROM place",
};

/// State `T`, loaded once; the rows it is loaded from.
pub(super) struct Shell<T> {
    pub(super) state: State,
    pub(super) env: Env,
    tables: &'static [Table],
    place: Place,
    rows: OnceCell<Rows>,
    held: RefCell<Option<T>>,
    copying: Cell<bool>,
    copy_again: Cell<bool>,
    /// The copy is as the state is. Nothing is known of it after a wake.
    copied: Cell<bool>,
    /// When an alarm will look at the copy.
    looking: Cell<Option<Millis>>,
    /// When the copy was last written.
    wrote: Cell<Millis>,
    /// Writes that KV has refused since the last one that it took.
    failures: Cell<u32>,
    /// KV refuses to write; it may take one at this time.
    refused: Cell<Option<Millis>>,
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
    pub(super) fn new(state: State, env: Env, tables: &'static [Table], place: Place) -> Self {
        Self {
            state,
            env,
            tables,
            place,
            rows: OnceCell::new(),
            held: RefCell::new(None),
            copying: Cell::new(false),
            copy_again: Cell::new(false),
            copied: Cell::new(false),
            looking: Cell::new(None),
            wrote: Cell::new(Millis(0)),
            failures: Cell::new(0),
            refused: Cell::new(None),
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
    pub(super) async fn changed(&self, key: &str, copy: bool) -> worker::Result<()> {
        if copy {
            self.copied.set(false);
        }
        let rows = self.rows()?;
        rows.write(self.place.make, Vec::new())?;
        rows.write(self.place.keep, vec![key.into()])?;
        self.look_at(now().plus_secs(LOOK_SECS)).await
    }

    /// Sets the alarm, where none is set that comes early enough: a row written.
    pub(super) async fn look_at(&self, at: Millis) -> worker::Result<()> {
        if self.looking.get().is_some_and(|set| set <= at) {
            return Ok(());
        }
        self.looking.set(Some(at));
        self.rows()?.count(1);
        let set = self.state.set_alarm(at).await;
        if set.is_err() {
            self.looking.set(None);
        }
        set
    }

    /// The alarm has come.
    pub(super) fn looked(&self) {
        self.looking.set(None);
    }

    /// Under which key the copy lies.
    pub(super) fn place(&self) -> worker::Result<Option<String>> {
        let rows = self.rows()?;
        rows.write(self.place.make, Vec::new())?;
        Ok(rows.read(self.place.read)?.into_iter().flatten().next())
    }

    /// Nothing is left of the object.
    pub(super) fn forget_place(&self) -> worker::Result<()> {
        self.rows()?.write(self.place.forget, Vec::new())
    }

    /// The copy is as the state is, as far as is known.
    pub(super) fn is_copied(&self) -> bool {
        self.copied.get()
    }

    /// KV refuses to write until then, as far as is known. One refusal may be about this one key: it is not one yet.
    pub(super) fn refused_until(&self) -> Option<Millis> {
        self.refused.get().filter(|until| *until > now())
    }

    /// Writes the read copy in KV; an empty text removes it. Two calls that change the state one after the other must not
    /// leave the older copy behind, and KV takes one write per second and key. So one writer at a time is under way and
    /// writes the latest state; what comes too early for KV is left to the alarm. A write that fails fails no call: the
    /// object still knows, and the alarm tries again.
    pub(super) async fn copy(&self, binding: &'static str, key: &str, latest: impl Fn(&T) -> String) {
        self.copy_again.set(true);
        if self.copying.replace(true) {
            return;
        }
        let _turn = Turn(&self.copying);
        while self.copy_again.get() {
            let free = Millis(self.wrote.get().0 + WRITE_MS);
            if free > now() {
                // A failure here is that of the alarm that is set already: it comes later.
                let _ = self.look_at(free).await;
                return;
            }
            self.copy_again.set(false);
            let text = self.held.borrow().as_ref().map(&latest);
            let written = match text {
                Some(text) => glue::write(&self.env, binding, key, &text).await,
                // A step that failed has emptied the memory: the alarm loads it again.
                None => Err(Failed("the state is not in memory".into())),
            };
            self.wrote.set(now());
            if let Err(failed) = written {
                log::error("kv_write_failed", &[("binding", binding), ("why", &failed.0)]);
                self.failures.set(self.failures.get() + 1);
                self.refused.set(refused_until(&failed, self.failures.get(), key));
                let _ = self.look_at(Millis(now().0 + WRITE_MS)).await;
                return;
            }
            self.failures.set(0);
            self.refused.set(None);
        }
        self.copied.set(true);
    }

    /// An alarm: was the copy of the last change written? One that is not known to be is written again.
    pub(super) async fn look(
        &self,
        binding: &'static str,
        load: impl FnOnce(&Rows) -> worker::Result<T>,
        latest: impl Fn(&T) -> String,
    ) -> worker::Result<()> {
        self.looked();
        if self.copied.get() {
            return Ok(());
        }
        self.with(load, |_, _| Ok(()))?;
        let Some(key) = self.place()? else { return Ok(()) };
        self.copy(binding, &key, &latest).await;
        if self.copied.get() {
            return Ok(());
        }
        self.look_at(self.refused_until().unwrap_or(now().plus_secs(1))).await
    }
}

/// When KV will write again. The free plan's daily limit ends at midnight UTC (Cloudflare, "Workers KV limits"); the objects
/// that it has refused come back spread over an hour. Anything else may be over soon.
fn refused_until(failed: &Failed, times: u32, key: &str) -> Option<Millis> {
    if !failed.0.contains(DAY_IS_OVER) {
        return (times > 1).then(|| now().plus_secs(AGAIN_SECS));
    }
    let [a, b, ..] = hash::sha256(key.as_bytes());
    Some(now().day(DayZone::Utc).end(DayZone::Utc).plus_secs(u64::from(u16::from_be_bytes([a, b])) % 3_600))
}
