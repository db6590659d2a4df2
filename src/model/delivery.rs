//! A delivery: one push to one device. Has exactly one state at any time.

use serde::{Deserialize, Serialize};

use super::{
    ids::{DeviceId, UserId},
    time::Millis,
};
use crate::vendor::Vendor;

/// Where a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Begun, not ended.
    Sending,
    /// The vendor has it.
    Accepted,
    /// Not sent, on purpose; the reason says why.
    Skipped,
    /// Sent or tried, refused; the reason says why.
    Failed,
    /// The request left, no answer came.
    Unknown,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Sending, Self::Accepted, Self::Skipped, Self::Failed, Self::Unknown];

    /// The name in the contract.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sending => "sending",
            Self::Accepted => "accepted",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// Why a delivery went no further: one closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The user has no device on file, or not the one named.
    NoDevice,
    /// The user has switched notifications off on this device.
    PermissionOff,
    /// The same token is already in this push.
    Duplicate,
    /// The app has no credential for this vendor, or the credential names no topic and the device neither.
    NoCredentials,
    /// The class has no quota left until the vendor's window ends.
    Quota,
    /// The payload is over the vendor's limit, also with its body shortened as far as it goes.
    TooLarge,
    /// The vendor says that the token is dead.
    TokenGone,
    /// The vendor refuses this message.
    VendorRejected,
    /// The vendor refuses our credential, or would not give a token for it.
    Credentials,
    /// The vendor limits our rate.
    RateLimited,
    /// The vendor is in trouble, or something else answered in its place.
    VendorUnavailable,
    /// The request left and no answer came.
    NoAnswer,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::NoDevice,
        Self::PermissionOff,
        Self::Duplicate,
        Self::NoCredentials,
        Self::Quota,
        Self::TooLarge,
        Self::TokenGone,
        Self::VendorRejected,
        Self::Credentials,
        Self::RateLimited,
        Self::VendorUnavailable,
        Self::NoAnswer,
    ];

    /// The name in the contract.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoDevice => "no_device",
            Self::PermissionOff => "permission_off",
            Self::Duplicate => "duplicate",
            Self::NoCredentials => "no_credentials",
            Self::Quota => "quota",
            Self::TooLarge => "too_large",
            Self::TokenGone => "token_gone",
            Self::VendorRejected => "vendor_rejected",
            Self::Credentials => "credentials",
            Self::RateLimited => "rate_limited",
            Self::VendorUnavailable => "vendor_unavailable",
            Self::NoAnswer => "no_answer",
        }
    }
}

/// Whom a delivery is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// A user without a device that could be meant.
    User(UserId),
    /// A device on file.
    Device(UserId, DeviceId),
    /// A device that was named and is not on file.
    Missing(UserId, DeviceId),
    /// A raw token, by its place in `to.tokens`.
    Token(usize),
}

/// One push to one device, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// For whom.
    pub recipient: Recipient,
    /// Through whom.
    pub vendor: Option<Vendor>,
    /// Where it is.
    pub state: State,
    /// Why it went no further.
    pub reason: Option<Reason>,
    /// The vendor's id of the message.
    pub vendor_id: Option<String>,
    /// In words: the vendor's own, or ours.
    pub detail: Option<String>,
    /// The body was shortened to fit.
    pub shortened: bool,
    /// When it could pass (end of the quota window, the vendor's Retry-After).
    pub until: Option<Millis>,
}

impl Delivery {
    /// Begun.
    pub fn sending(recipient: Recipient, vendor: Vendor, shortened: bool) -> Self {
        Self {
            recipient,
            vendor: Some(vendor),
            state: State::Sending,
            reason: None,
            vendor_id: None,
            detail: None,
            shortened,
            until: None,
        }
    }

    /// Not sent, on purpose.
    pub fn skipped(
        recipient: Recipient,
        vendor: Option<Vendor>,
        reason: Reason,
        detail: Option<String>,
    ) -> Self {
        Self {
            recipient,
            vendor,
            state: State::Skipped,
            reason: Some(reason),
            vendor_id: None,
            detail,
            shortened: false,
            until: None,
        }
    }
}
