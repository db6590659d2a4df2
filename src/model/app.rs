//! An app (tenant): sealed credentials, policy, hashed keys. The `App` object owns this record, KV `APPS` holds a
//! copy of it, and every isolate remembers it for some seconds.

use crate::model::table::Table;

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use super::{
    ids::{AppId, Tenant},
    policy::Policy,
    time::Millis,
};
use crate::{
    crypto::seal::Sealed,
    vendor::{Facts, Vendor},
};

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Send.
    Push,
    /// Register, read and remove devices.
    Devices,
    /// Read results and counters.
    Read,
    /// Make and revoke keys.
    Manage,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Push, Self::Devices, Self::Read, Self::Manage];

    /// The name in the contract.
    pub fn name(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Devices => "devices",
            Self::Read => "read",
            Self::Manage => "manage",
        }
    }
}

/// A key as it is stored: the key itself is shown once and forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct KeyRecord {
    /// Names the key in calls that revoke it.
    pub id: String,
    /// SHA-256 of the whole key, hex. A plain digest is enough: the key holds 160 random bits.
    pub sha256: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// For people.
    pub name: Option<String>,
    /// When it was made.
    pub created_at: Millis,
}

/// An app as the `App` object, KV and the isolates hold it. Holds no secret in the open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct App {
    /// Chosen by the operator.
    pub id: AppId,
    /// Which life of this id.
    pub generation: u32,
    /// Grows with every change: of two copies the one with the higher number is newer.
    pub revision: u64,
    /// Credentials per vendor, sealed.
    pub credentials: Table<Vendor, Credential>,
    /// The operator's rules.
    pub policy: Policy,
    /// Keys, oldest first.
    pub keys: Vec<KeyRecord>,
    /// Verify user tokens, in this order.
    pub user_token_keys: Vec<UserTokenKey>,
    /// When the app was made.
    pub created_at: Millis,
    /// When it was last changed.
    pub updated_at: Millis,
}

impl App {
    /// Whose data this is.
    pub fn tenant(&self) -> Tenant {
        Tenant { app: self.id.clone(), generation: self.generation }
    }
}

/// A key that verifies user tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserTokenKey {
    /// The shared secret, under `SEAL_KEY`.
    Hs256(Sealed),
    /// The public point: SEC 1, base64.
    Es256(String),
}

/// Most of them: the present one, and those that tokens of before were signed with.
pub const USER_TOKEN_KEYS_MAX: usize = 4;

/// One vendor's credential, sealed, with what may be shown of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Credential {
    /// The credential itself, under `SEAL_KEY`.
    pub sealed: Sealed,
    /// The app's revision that brought it: tokens made from an older one are void.
    pub revision: u64,
    /// The open part: what sending needs without opening the seal, and what an operator recognises it by.
    pub facts: Facts,
}
