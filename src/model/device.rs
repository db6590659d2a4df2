//! A device: one installation of the app, with the one token through which it is reached.

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use super::{
    ids::DeviceId,
    kind::Kind,
    secret::Secret,
    time::{Day, DayZone, Millis},
};
use crate::vendor::Vendor;

/// What the device runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    /// iOS, iPadOS, watchOS.
    Ios,
    /// macOS.
    Macos,
    /// Android.
    Android,
    /// HarmonyOS NEXT: 5 and later.
    Harmonyos,
    /// A browser.
    Web,
}

impl Platform {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Ios, Self::Macos, Self::Android, Self::Harmonyos, Self::Web];

    /// The name in the contract.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ios => "ios",
            Self::Macos => "macos",
            Self::Android => "android",
            Self::Harmonyos => "harmonyos",
            Self::Web => "web",
        }
    }
}

/// Which of Apple's two worlds issued the token: fixed by the app's `aps-environment` entitlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// Development builds.
    Sandbox,
    /// TestFlight and the App Store.
    Production,
}

/// Whether the user lets the app show notifications, as the app last reported it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Allowed.
    Granted,
    /// Switched off: nothing is sent.
    Denied,
    /// Allowed quietly (iOS provisional authorization).
    Provisional,
    /// Not reported.
    #[default]
    Unknown,
}

/// Where a vendor delivers to: the token and what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Address {
    /// Whose token it is.
    pub vendor: Vendor,
    /// The vendor's token, in the vendor's own form.
    pub token: Secret,
    /// APNs only: which environment. Absent: the credential's default.
    pub environment: Option<Environment>,
    /// APNs only: the bundle id. Absent: the credential's default.
    pub topic: Option<String>,
}

/// What a registration says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Registration {
    /// What the device runs.
    pub platform: Platform,
    /// How it is reached.
    pub address: Address,
    /// Whether notifications are allowed.
    pub permission: Permission,
    /// The app's version, as the app writes it.
    pub app_version: Option<String>,
    /// BCP 47 language tag.
    pub locale: Option<String>,
    /// IANA time zone name.
    pub time_zone: Option<String>,
    /// What the token is for.
    pub kind: Kind,
    /// Of a Live Activity's token: which activity; of one that starts them: the type of their attributes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity: Option<String>,
}

/// Where a device was learnt of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The app itself, with a user token.
    Client,
    /// The app's backend, with a key.
    Backend,
    /// A line of an import.
    Import,
}

/// Whether device and token are this user's: the `Claim` objects say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// Asked for, not yet answered: nothing is sent to it.
    Pending,
    /// Ours since these epochs: of the device id and of the token.
    Ours(u64, u64),
}

/// A registration on file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Device {
    /// Chosen by the client.
    pub id: DeviceId,
    /// What it said of itself.
    pub registration: Registration,
    /// Whether it is this user's.
    pub hold: Hold,
    /// When that was last asked for: names the attempt, and is greater than that of any attempt of this user before.
    pub asked_at: Millis,
    /// Who brought this token.
    pub source: Source,
    /// When.
    pub created_at: Millis,
    /// When this token was first heard of here.
    pub token_since: Millis,
    /// The last word of its own that was written down; 0: it has given none, a line of an import is not its own word. "Still
    /// here" is not written down for a week, so this is exact to a week.
    pub seen_at: Millis,
    /// When the vendor first called the token dead without that being enough to remove it.
    pub suspect_since: Option<Millis>,
    /// When a word that the token is dead since some time was doubted: it could not be told from an older state.
    pub doubted_at: Option<Millis>,
}

impl Device {
    /// The day of its last sign of life, or of its registration where it has given none.
    pub fn alive(&self) -> Day {
        self.seen_at.max(self.created_at).day(DayZone::Utc)
    }

    /// A push can go to it.
    pub fn usable(&self) -> bool {
        matches!(self.hold, Hold::Ours(..))
    }
}
