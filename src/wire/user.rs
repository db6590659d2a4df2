//! The `User` object: owns one user's devices, and is the only writer of their read copy in KV `DEVICES`.

use serde::{Deserialize, Serialize};

use crate::{
    model::{
        device::{Address, Device, Environment, Permission, Platform, Registration},
        ids::{DeviceId, Tenant, UserId},
        secret::Secret,
        time::Millis,
    },
    vendor::Vendor,
};

/// Durable Object binding.
pub const BINDING: &str = "USER";
/// KV binding of the read copy.
pub const COPY: &str = "DEVICES";
/// Most devices of one user.
pub const DEVICES_MAX: usize = 64;

/// The object's name, and the key of its copy in KV.
pub fn name(tenant: &Tenant, user: &UserId) -> String {
    format!("user:{tenant}:{user}")
}

/// A call, with the object's own name: an object cannot ask for it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    /// What [`name`] gives.
    pub name: String,
    /// What to do.
    pub call: Call,
}

/// What can be asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// All devices.
    Get,
    /// Register or refresh one.
    Put {
        /// Which.
        device: DeviceId,
        /// What it says.
        registration: Box<Registration>,
    },
    /// Forget one.
    Delete {
        /// Which.
        device: DeviceId,
    },
    /// A vendor called tokens dead.
    Gone {
        /// Which.
        items: Vec<Gone>,
    },
}

/// A vendor's word on one device's token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    /// The device it was sent to.
    pub device: DeviceId,
    /// SHA-256 of the token it was sent to: a newer token is not touched.
    pub token_sha256: String,
    /// From when on, where the vendor says so.
    pub since: Option<Millis>,
    /// The word is good enough to remove the token; else it is only marked.
    pub remove: bool,
}

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
}

/// The answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Reply {
    /// What became of the call.
    pub done: Done,
    /// All devices, afterwards.
    pub devices: Vec<Device>,
    /// Rows written.
    pub rows: u32,
}

/// What a push needs of a device: the read copy holds nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "ReachRow", into = "ReachRow")]
pub struct Reach {
    /// Which.
    pub id: DeviceId,
    /// What it runs.
    pub platform: Option<Platform>,
    /// How it is reached.
    pub address: Address,
    /// Whether the user allows it.
    pub permission: Permission,
}

/// [`Reach`] as it is written. It is read for every push, and serde's `flatten` reads by way of a buffer.
#[derive(Serialize, Deserialize)]
struct ReachRow {
    id: DeviceId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    platform: Option<Platform>,
    vendor: Vendor,
    token: Secret,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    environment: Option<Environment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    topic: Option<String>,
    permission: Permission,
}

impl From<ReachRow> for Reach {
    fn from(row: ReachRow) -> Self {
        let ReachRow { id, platform, vendor, token, environment, topic, permission } = row;
        Self { id, platform, address: Address { vendor, token, environment, topic }, permission }
    }
}

impl From<Reach> for ReachRow {
    fn from(reach: Reach) -> Self {
        let Reach { id, platform, address, permission } = reach;
        let Address { vendor, token, environment, topic } = address;
        Self { id, platform, vendor, token, environment, topic, permission }
    }
}

impl Reach {
    /// Of a device on file.
    pub fn of(device: &Device) -> Self {
        Self {
            id: device.id.clone(),
            platform: Some(device.registration.platform),
            address: device.registration.address.clone(),
            permission: device.registration.permission,
        }
    }
}

/// The value in KV.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copy {
    /// The user's devices.
    pub devices: Vec<Reach>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copy_in_kv_is_pinned() {
        let text = r#"{"devices":[{"id":"iphone","platform":"ios","vendor":"apns","token":"00ff","environment":"sandbox","topic":"com.example","permission":"granted"},{"id":"a","vendor":"fcm","token":"t","permission":"unknown"}]}"#;
        let copy: Copy = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&copy).unwrap(), text);
    }

    #[test]
    fn calls_are_pinned() {
        let text = r#"{"name":"user:shop.1:u42","call":{"gone":{"items":[{"device":"d","token_sha256":"ab","since":7,"remove":true}]}}}"#;
        let call: Request = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&call).unwrap(), text);
    }
}
