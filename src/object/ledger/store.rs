//! What a ledger asks of its database. The shell has it in SQLite; the tests have it in memory, where a crash is a
//! ledger that is dropped and made again on the same store.

use serde::{Deserialize, Serialize};

use super::funnel::Counts;
use crate::model::{
    page::{Head, Page},
    time::{Day, Millis},
};

/// The database failed. Its words are for the log.
#[derive(Debug)]
pub struct Fault(pub String);

/// What a row is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// Deliveries.
    Page(Page),
    /// A queued push.
    Head(Head),
}

/// One row of a day's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// When it has to be looked at; `None`: never again.
    pub due: Option<Millis>,
    /// The hour in which it counts, since the epoch.
    pub hour: u64,
    /// What it is about.
    pub record: Record,
}

/// What a ledger keeps of a row in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    /// Its key.
    pub key: String,
    /// When it has to be looked at.
    pub due: Option<Millis>,
    /// The hour in which it counts.
    pub hour: u64,
    /// What it counts.
    pub counts: Counts,
}

/// What becomes of a row's work when the row is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work<'a> {
    /// The row is new, and this is its work; empty: none.
    Set(&'a str),
    /// It stays.
    Keep,
    /// It is not needed any more.
    Clear,
}

/// A database: a table of rows per day, and the hours that are closed.
pub trait Store {
    /// Days that have a table, in order.
    fn days(&self) -> Result<Vec<Day>, Fault>;
    /// One row.
    fn get(&self, day: Day, key: &str) -> Result<Option<Row>, Fault>;
    /// What sending a row again needs.
    fn work(&self, day: Day, key: &str) -> Result<Option<String>, Fault>;
    /// Rows of which the key begins with `prefix` and comes behind `after`, in order.
    fn list(&self, day: Day, prefix: &str, after: &str, most: u32) -> Result<Vec<(String, Row)>, Fault>;
    /// Keys of rows behind `after` that hold a text, in order.
    fn mentions(&self, day: Day, text: &str, after: &str, most: u32) -> Result<Vec<String>, Fault>;
    /// Sums of rows of which the key begins with `prefix`.
    fn sums(&self, day: Day, prefix: &str) -> Result<Vec<Sum>, Fault>;
    /// Sums of rows that have to be looked at, or that count in an hour that is not closed.
    fn awake(&self, day: Day) -> Result<Vec<Sum>, Fault>;
    /// Writes a row and what it counts: one row written.
    fn put(&mut self, day: Day, key: &str, row: &Row, counts: &Counts, work: Work<'_>) -> Result<(), Fault>;
    /// Writes a row of targets: work, and nothing to look at.
    fn put_targets(&mut self, day: Day, key: &str, targets: &str) -> Result<(), Fault>;
    /// Takes a row away.
    fn remove(&mut self, day: Day, key: &str) -> Result<(), Fault>;
    /// Drops a day's table: no row written.
    fn drop_day(&mut self, day: Day) -> Result<(), Fault>;
    /// Counts of a closed hour.
    fn closed(&self, hour: u64) -> Result<Option<Counts>, Fault>;
    /// All closed hours from one until before another.
    fn closed_between(&self, from: u64, to: u64) -> Result<Vec<(u64, Counts)>, Fault>;
    /// Closes an hour, or changes a closed one: one row written.
    fn close(&mut self, hour: u64, counts: &Counts) -> Result<(), Fault>;
    /// Until when KV cannot be trusted.
    fn distrust(&self) -> Result<Millis, Fault>;
    /// Sets it: one row written.
    fn set_distrust(&mut self, until: Millis) -> Result<(), Fault>;
    /// Forgets closed hours before this one.
    fn forget_before(&mut self, hour: u64) -> Result<(), Fault>;
}
