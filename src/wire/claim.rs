//! The `Claim` object: who holds a device id, or a token. The one place where two users' registrations meet.

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::{
    crypto::hash,
    model::{
        device::{Address, Source},
        ids::{DeviceId, Tenant, UserId},
        time::Millis,
    },
    vendor::Vendor,
};

/// Durable Object binding.
pub const BINDING: &str = "CLAIM";

/// What is claimed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Key {
    /// A device id.
    Device(DeviceId),
    /// A vendor's token, by its SHA-256 in hex.
    Token(Vendor, String),
}

impl Key {
    /// Of an address's token.
    pub fn token(address: &Address) -> Self {
        Self::Token(address.vendor, hash::sha256_hex(address.token.reveal().as_bytes()))
    }

    /// The object's name.
    pub fn name(&self, tenant: &Tenant) -> String {
        match self {
            Self::Device(device) => format!("claim:{tenant}:device:{device}"),
            Self::Token(vendor, sha256) => format!("claim:{tenant}:{}:{sha256}", vendor.name()),
        }
    }
}

/// A call.
#[derive(Debug, Clone, Serialize_tuple, Deserialize_tuple)]
pub struct Request {
    /// The app and which life of it.
    pub tenant: Tenant,
    /// What is claimed.
    pub key: Key,
    /// What to do.
    pub call: Call,
}

/// What can be asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// It is this user's now.
    Claim(Claim),
    /// It is this user's no longer.
    /// In order: whose; attempts up to this one are meant.
    Release(UserId, Millis),
}

/// A claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Claim {
    /// Whose.
    pub holder: Holder,
    /// The user's attempt: words on an earlier one do not count.
    pub at: Millis,
    /// It was interrupted and is carried on, and so yields to claims of others that came later.
    pub again: bool,
    /// Who asks. A line of an import takes nothing from anybody; an app takes a device id from another user only with the token
    /// that is on file there, which only the phone knows; a backend may do everything.
    pub source: Source,
    /// Names the device's token: the first 16 digits of its SHA-256.
    pub token: String,
}

/// Who holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Holder {
    /// The user.
    pub user: UserId,
    /// The user's device.
    pub device: DeviceId,
}

/// What came of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The caller holds it since this epoch, and whoever held it before has been told.
    Yours(u64),
    /// Somebody else has claimed it later.
    Later,
    /// The same user has asked for it later.
    Stale,
    /// It has moved, but who held it before could not be told yet: to be asked again.
    Untold,
    /// Nothing to say.
    Done,
}

/// The answer.
#[derive(Debug, Clone, Copy, Serialize_tuple, Deserialize_tuple)]
pub struct Reply {
    /// What came of it.
    pub outcome: Outcome,
    /// Rows written.
    pub rows: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_pinned() {
        let text = r#"[["shop",1],{"token":["fcm","ab"]},{"claim":[["u","d"],7,true,"client","00"]}]"#;
        let call: Request = crate::wire::text::read(text).unwrap();
        assert_eq!(serde_json::to_string(&call).unwrap(), text);
        assert_eq!(call.key.name(&call.tenant), "claim:shop.1:fcm:ab");
    }
}
