//! The read copy of a user in KV: what a push needs, and nothing else.

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::{
    model::{
        device::{Address, Device, Environment, Permission, Platform},
        ids::DeviceId,
        kind::Kind,
        preferences::QuietHours,
        push::Category,
        secret::Secret,
        time::Millis,
    },
    vendor::Vendor,
};

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
    /// The day of its last word that was written down, since the epoch.
    pub seen: Option<u64>,
    /// What the token is for.
    pub kind: Kind,
    /// For which Live Activity, or type of them.
    pub activity: Option<String>,
}

/// [`Reach`] as it is written. It is read for every push, and serde's `flatten` reads by way of a buffer.
#[derive(Serialize_tuple, Deserialize_tuple)]
struct ReachRow {
    id: DeviceId,
    platform: Option<Platform>,
    vendor: Vendor,
    token: Secret,
    environment: Option<Environment>,
    topic: Option<String>,
    permission: Permission,
    seen: Option<u64>,
    kind: Kind,
    // Few devices have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    activity: Option<String>,
}

impl From<ReachRow> for Reach {
    fn from(row: ReachRow) -> Self {
        let ReachRow { id, platform, vendor, token, environment, topic, permission, seen, kind, activity } =
            row;
        let address = Address { vendor, token, environment, topic };
        Self { id, platform, address, permission, seen, kind, activity }
    }
}

impl From<Reach> for ReachRow {
    fn from(reach: Reach) -> Self {
        let Reach { id, platform, address, permission, seen, kind, activity } = reach;
        let Address { vendor, token, environment, topic } = address;
        Self { id, platform, vendor, token, environment, topic, permission, seen, kind, activity }
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
            seen: Some(device.alive().0),
            kind: device.registration.kind,
            activity: device.registration.activity.clone(),
        }
    }
}

/// The value in KV.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Copy {
    /// The user's devices.
    pub devices: Vec<Reach>,
    /// Categories that are not wanted.
    pub opt_out: Vec<Category>,
    /// When nothing may ring.
    pub quiet: Option<Quiet>,
    /// When it was written.
    pub at: Millis,
}

/// A copy so young is not trusted, milliseconds: KV takes one write per second, so the next one may be on its way.
pub const FRESH_MS: u64 = 3_000;

/// Quiet hours, and the time zone whose clock they go by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Quiet {
    /// When.
    pub hours: QuietHours,
    /// IANA name.
    pub zone: String,
}
