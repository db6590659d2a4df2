//! What a `User` object answers.

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use super::{Copy, Spent};
use crate::{
    model::{device::Device, ids::DeviceId, preferences::Preferences, time::Millis},
    vendor::Vendor,
};

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Done {
    /// Asked only.
    Read,
    /// A device that was not there before.
    Created,
    /// Something a push needs has changed.
    Changed,
    /// The device said what was known already.
    Unchanged,
    /// A device is gone.
    Removed,
    /// No such device.
    Missing,
    /// The user has as many devices as allowed.
    Full,
    /// Another user has registered the device at the same time and holds it now.
    Taken,
    /// Written down, but it is not decided yet whose the device is.
    Undecided,
}

/// The answer.
#[derive(Debug, Clone, Serialize_tuple, Deserialize_tuple)]
pub struct Reply {
    /// What became of the call.
    pub done: Done,
    /// What was asked for.
    pub shown: Shown,
    /// Rows written, here and by the objects that were asked.
    pub rows: u32,
}

/// What a call shows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// Nothing.
    #[default]
    Nothing,
    /// JSON for the caller: the object has made it, nobody on the way looks into it.
    Text(String),
    /// What a push needs.
    Reach(Copy),
    /// Of each device that was asked about.
    Spent(Vec<Spent>),
}

/// Everything about a user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// By id.
    pub devices: Vec<Device>,
    /// What the user wants.
    pub preferences: Preferences,
    /// Devices that vendors called dead of late.
    pub dead: Vec<Dead>,
}

impl Person {
    /// Nothing is on file.
    pub fn is_empty(&self) -> bool {
        self.devices.is_empty() && self.preferences == Preferences::default() && self.dead.is_empty()
    }
}

/// Dead devices are shown and counted so long, days.
pub const DEAD_DAYS: u64 = 30;

/// A device that was removed on a vendor's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Dead {
    /// Which.
    pub device: DeviceId,
    /// Whose word it was.
    pub vendor: Vendor,
    /// When.
    pub at: Millis,
}

/// What the app should do about permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Advise {
    /// Nothing: it is granted.
    Nothing,
    /// Ask for permission.
    Ask,
    /// Show the way to the settings: the system does not ask twice.
    Settings,
    /// Not now.
    Wait,
}

/// Whether now is a good moment to ask for permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// What to do.
    pub advise: Advise,
    /// Why.
    pub reason: String,
    /// `im` and `order` messages missed in these seven days.
    pub missed: Missed,
    /// When to ask again.
    pub again_at: Option<Millis>,
}

/// Messages that were not sent because notifications are switched off, by category, up to [`MISSED_MAX`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missed {
    /// Messages of a person.
    #[serde(default)]
    pub im: u32,
    /// Of an order.
    #[serde(default)]
    pub order: u32,
}

/// Counting ends here: each is a row.
pub const MISSED_MAX: u32 = 20;

/// What was erased.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Erased {
    /// Devices.
    pub devices: u32,
    /// There were preferences.
    pub preferences: bool,
    /// Claims that were freed.
    pub claims: u32,
    /// The copy in KV is gone.
    pub copy: bool,
    /// Something did not answer; the object goes on by itself.
    pub pending: bool,
}
