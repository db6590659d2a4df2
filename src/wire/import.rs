//! The `Import` object: registers some lines of an import. It keeps nothing: it is there because one invocation may only make so
//! many calls, and an import needs several per line.

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::model::ids::Tenant;

/// Durable Object binding.
pub const BINDING: &str = "IMPORT";
/// Lines in one call.
pub const LINES: usize = 100;
/// Objects of an app, and calls at once.
pub const LANES: u32 = 4;

/// The object's name.
pub fn name(tenant: &Tenant, lane: u32) -> String {
    format!("import:{tenant}:{lane}")
}

/// A call.
#[derive(Debug, Clone, Serialize_tuple, Deserialize_tuple)]
pub struct Request {
    /// The app and which life of it.
    pub tenant: Tenant,
    /// Each with its number; `None`: it was too long.
    pub lines: Vec<(u64, Option<String>)>,
    /// Results of lines that were refused only.
    pub terse: bool,
}

/// What became of the lines.
#[derive(Debug, Clone, Default, Serialize_tuple, Deserialize_tuple)]
pub struct Reply {
    /// A line of JSON for each, in their order.
    pub results: String,
    /// How they went.
    pub tally: Tally,
}

/// Lines by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Devices that were not there before.
    pub created: u64,
    /// Devices that have changed.
    pub changed: u64,
    /// Devices that were known like this.
    pub unchanged: u64,
    /// Lines that were refused.
    pub failed: u64,
    /// Rows written.
    pub rows_written: u64,
}

impl Tally {
    /// Together.
    pub fn add(&mut self, other: Self) {
        self.created += other.created;
        self.changed += other.changed;
        self.unchanged += other.unchanged;
        self.failed += other.failed;
        self.rows_written += other.rows_written;
    }
}
