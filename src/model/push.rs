//! A push: one request to send, after parsing. From here on nothing is unchecked text.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use super::{
    device::Address,
    ids::{AudienceId, DeviceId, UserId},
    kind::{Activity, Kind},
    table::Table,
    time::Millis,
};
use crate::vendor::Vendor;

/// What a message is *for*. Without a word it is marketing: the class every vendor limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// A person wrote to a person.
    Im,
    /// Something the user bought, sold or booked has moved.
    Order,
    /// News of somebody or something the user follows.
    Follow,
    /// Everything else.
    #[default]
    Marketing,
}

impl Category {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Im, Self::Order, Self::Follow, Self::Marketing];

    /// The name in the contract.
    pub fn name(self) -> &'static str {
        match self {
            Self::Im => "im",
            Self::Order => "order",
            Self::Follow => "follow",
            Self::Marketing => "marketing",
        }
    }

    /// How long a message is worth delivering when the push does not say: seconds, as the vendor page proposes.
    pub fn default_ttl(self) -> u32 {
        match self {
            Self::Im => 7 * 86_400,
            Self::Order => 3 * 86_400,
            Self::Follow | Self::Marketing => 86_400,
        }
    }

    /// A message that concerns one person only, and is worth repeating rather than losing.
    pub fn personal(self) -> bool {
        match self {
            Self::Im | Self::Order => true,
            Self::Follow | Self::Marketing => false,
        }
    }
}

/// Whom a tap may land for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guard {
    /// Only the account the push was made for.
    Account,
    /// Anyone on the device.
    Open,
}

impl Guard {
    /// The name in the contract and in `ep_guard`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Open => "open",
        }
    }
}

/// Whether an open socket is tried before the vendor's channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Online {
    /// The socket, then the vendor.
    First,
    /// The vendor only.
    Never,
}

/// What happens to a delivery whose end is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnUnknown {
    /// Once more, under the same ids, so that phone and vendor replace instead of ringing twice.
    Resend,
    /// It stays unknown.
    Keep,
}

/// What is shown.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize_tuple, Deserialize_tuple)]
pub struct Notification {
    /// First line.
    pub title: Option<String>,
    /// Text.
    pub body: Option<String>,
    /// Picture, https.
    pub image: Option<String>,
    /// Where a tap leads.
    pub link: Option<String>,
    /// Number on the icon; 0 clears it.
    pub badge: Option<u32>,
    /// `default` or a file of the app.
    pub sound: Option<String>,
}

/// Whom it goes to, as the caller named them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize_tuple, Deserialize_tuple)]
pub struct Targets {
    /// All devices of these users.
    pub users: Vec<UserId>,
    /// These devices of these users.
    pub devices: Vec<(UserId, DeviceId)>,
    /// Tokens that belong to nobody here.
    pub tokens: Vec<Address>,
    /// A stored list of users, and nobody else.
    pub audience: Option<AudienceId>,
}

impl Targets {
    /// How many were named one by one.
    pub fn len(&self) -> usize {
        self.users.len() + self.devices.len() + self.tokens.len()
    }

    /// Nobody was named.
    pub fn is_empty(&self) -> bool {
        self.len() == 0 && self.audience.is_none()
    }
}

/// Fields that are merged last into the vendor's own JSON (JSON Merge Patch, RFC 7396).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Options {
    /// Into the APNs payload; `headers` beside it.
    pub apns: Map<String, Value>,
    /// Into the FCM `message`.
    pub fcm: Map<String, Value>,
    /// Into the payload of Web Push; `headers` beside it. Left away where there is none: pushes of before it was
    /// thought of are on file, and compare equal.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub webpush: Map<String, Value>,
    /// Into the JSON, or the form's fields, of the other vendors.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub more: Table<Vendor, Map<String, Value>>,
}

impl Options {
    /// Of one of the vendors that have no field of their own here.
    pub fn of(&self, vendor: Vendor) -> Option<&Map<String, Value>> {
        self.more.get(&vendor)
    }
}

/// Everything about a push but whom it goes to and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Message {
    /// What it is for.
    pub category: Category,
    /// Names the campaign in counts.
    pub campaign: Option<String>,
    /// What is shown; absent: a background push.
    pub notification: Option<Notification>,
    /// For the app.
    pub data: BTreeMap<String, String>,
    /// A later message with the same value replaces this one.
    pub collapse: Option<String>,
    /// Seconds it is worth delivering; 0: now or never.
    pub ttl: u32,
    /// Whom a tap may land for.
    pub guard: Guard,
    /// Socket before vendor?
    pub online: Online,
    /// What to do when the end is not known.
    pub on_unknown: OnUnknown,
    /// Per vendor, merged last.
    pub options: Options,
    /// It reaches tokens of this kind.
    pub kind: Kind,
    /// What it does to a Live Activity.
    pub activity: Option<Activity>,
}

impl Message {
    /// It shows a text that is more than blanks.
    pub fn shows_text(&self) -> bool {
        let says = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.trim().is_empty());
        self.notification.as_ref().is_some_and(|shown| says(&shown.title) || says(&shown.body))
    }
}

/// When a push is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// At once.
    #[default]
    Now,
    /// At an instant.
    At(Millis),
}

/// One request to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// Whom.
    pub to: Targets,
    /// What.
    pub message: Message,
    /// When.
    pub when: When,
    /// The caller waits for the end.
    pub wait: bool,
}
