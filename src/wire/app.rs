//! The `App` object: owns one app's record, and is the only writer of its read copy in KV `APPS`.

use crate::model::table::Table;

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::{
    crypto::seal::Sealed,
    model::{
        app::{App, KeyRecord, UserTokenKey},
        ids::AppId,
        policy::Policy,
    },
    vendor::{Facts, Vendor},
};

/// Durable Object binding.
pub const BINDING: &str = "APP";
/// KV binding of the read copy.
pub const COPY: &str = "APPS";
/// Most keys of one app.
pub const KEYS_MAX: usize = 32;

/// The object's name, and the key of its copy in KV.
pub fn name(app: &AppId) -> String {
    format!("app:{app}")
}

/// A call, with the app's id: an object cannot ask for its own name.
#[derive(Debug, Clone, Serialize_tuple, Deserialize_tuple)]
pub struct Request {
    /// The app.
    pub app: AppId,
    /// What to do.
    pub call: Call,
}

/// A credential on its way into the record: sealed before it leaves the isolate that parsed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct NewCredential {
    /// Under `SEAL_KEY`.
    pub sealed: Sealed,
    /// The open part.
    pub facts: Facts,
}

/// What can be asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// The record.
    Get,
    /// Create or change: what is not named stays as it is.
    /// In order: `None` removes the vendor's credential; replaces the whole policy; replaces all keys of user tokens.
    Put(Table<Vendor, Option<NewCredential>>, Option<Box<Policy>>, Option<Vec<UserTokenKey>>),
    /// Forget the app; its id may be used again, and starts from nothing.
    Delete,
    /// Add a key.
    /// The record, digest included.
    AddKey(KeyRecord),
    /// Remove a key.
    RevokeKey(String),
}

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Done {
    /// Asked only.
    Read,
    /// The app was made.
    Created,
    /// The app was changed.
    Changed,
    /// The app or the key is gone.
    Removed,
    /// No such app.
    Missing,
    /// No such key.
    MissingKey,
    /// The app has as many keys as allowed.
    Full,
}

/// The answer.
#[derive(Debug, Clone, Serialize_tuple, Deserialize_tuple)]
pub struct Reply {
    /// What became of the call.
    pub done: Done,
    /// The record afterwards.
    pub app: Option<App>,
    /// Rows written.
    pub rows: u32,
}
