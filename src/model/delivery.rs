//! A delivery: one push to one device. Has exactly one state at any time.

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use super::{
    device::Platform,
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
    /// Waits for its next try.
    Retrying,
    /// Taken back before it was sent.
    Cancelled,
    /// Waits for the time at which it may be sent; the reason says why.
    Held,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Sending,
        Self::Accepted,
        Self::Skipped,
        Self::Failed,
        Self::Unknown,
        Self::Retrying,
        Self::Cancelled,
        Self::Held,
    ];

    /// It goes on from here by itself.
    pub fn open(self) -> bool {
        match self {
            Self::Sending | Self::Retrying | Self::Held => true,
            Self::Accepted | Self::Skipped | Self::Failed | Self::Unknown | Self::Cancelled => false,
        }
    }

    /// Nothing of it is at a vendor: it can be taken back, or end with its `ttl`.
    pub fn waits(self) -> bool {
        match self {
            Self::Retrying | Self::Held => true,
            Self::Sending
            | Self::Accepted
            | Self::Skipped
            | Self::Failed
            | Self::Unknown
            | Self::Cancelled => false,
        }
    }

    /// The name in the contract.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sending => "sending",
            Self::Accepted => "accepted",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Retrying => "retrying",
            Self::Cancelled => "cancelled",
            Self::Held => "held",
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
    /// Its `ttl` ended before it could be sent.
    Expired,
    /// The user does not want messages of this category.
    OptedOut,
    /// The user's quiet hours.
    QuietHours,
    /// The device has given no sign of life for so long that marketing is not sent to it.
    Stale,
    /// The vendor's class for this category needs a word of the app's policy first.
    NoClass,
    /// The vendor has no messages that show nothing.
    NotShown,
    /// A newer message took its place at the vendor before it came to the phone.
    Replaced,
    /// This device, or its user, has had as many such messages as it may have.
    Cap,
    /// The app's policy holds back what users do not care for.
    Governed,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 21] = [
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
        Self::Expired,
        Self::OptedOut,
        Self::QuietHours,
        Self::Stale,
        Self::NoClass,
        Self::NotShown,
        Self::Replaced,
        Self::Cap,
        Self::Governed,
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
            Self::Expired => "expired",
            Self::OptedOut => "opted_out",
            Self::QuietHours => "quiet_hours",
            Self::Stale => "stale",
            Self::NoClass => "no_class",
            Self::NotShown => "not_shown",
            Self::Replaced => "replaced",
            Self::Cap => "cap",
            Self::Governed => "governed",
        }
    }
}

/// What was heard of a delivery after its vendor had it: the furthest it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// The vendor took it and reported later that it did not arrive; the reason says why.
    Lost,
    /// It came to the phone.
    Received,
    /// It was shown.
    Shown,
    /// It was tapped.
    Clicked,
}

/// Whom a delivery is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Delivery {
    /// For whom.
    pub recipient: Recipient,
    /// What the device runs, where that is known.
    pub platform: Option<Platform>,
    /// Through whom.
    pub vendor: Option<Vendor>,
    /// Where it is.
    pub state: State,
    /// Since when.
    pub since: Millis,
    /// Why it went no further.
    pub reason: Option<Reason>,
    /// The vendor's id of the message.
    pub vendor_id: Option<String>,
    /// In words: the vendor's own, or ours.
    pub detail: Option<String>,
    /// The body was shortened to fit.
    pub shortened: bool,
    /// When it could pass (end of the quota window), or is tried again.
    pub until: Option<Millis>,
    /// Tries begun.
    pub tries: u32,
    /// A request may have left for the vendor.
    pub sent: bool,
    /// First four bytes of SHA-256 of the token it went to: receipts name tokens, and a token is not kept here.
    pub tag: u32,
    /// What was heard of it since, and when.
    pub seen: Option<(Seen, Millis)>,
    /// The vendor has reported, before its answer to a try was known, that it did not arrive: why; in words.
    pub lost: Option<(Reason, String)>,
    /// What it was before, oldest first.
    pub trace: Vec<Step>,
    /// It went in the vendor's lowest class: its own had no more. Last: in rows of before it was thought of it is missing.
    #[serde(default)]
    pub downgraded: bool,
}

/// Something a delivery has been.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Step {
    /// From when on.
    pub at: Millis,
    /// What.
    pub state: State,
    /// Why.
    pub reason: Option<Reason>,
    /// In words.
    pub detail: Option<String>,
}

/// Steps kept of one delivery: twelve tries have fewer.
const TRACE_MAX: usize = 32;

impl Delivery {
    /// Begun.
    pub fn sending(
        recipient: Recipient,
        vendor: Vendor,
        platform: Option<Platform>,
        shortened: bool,
        now: Millis,
    ) -> Self {
        Self {
            shortened,
            tries: 1,
            platform,
            vendor: Some(vendor),
            ..Self::new(recipient, State::Sending, now)
        }
    }

    /// Not sent, on purpose.
    pub fn skipped(
        recipient: Recipient,
        vendor: Option<Vendor>,
        platform: Option<Platform>,
        reason: Reason,
        detail: Option<String>,
        now: Millis,
    ) -> Self {
        Self { vendor, platform, reason: Some(reason), detail, ..Self::new(recipient, State::Skipped, now) }
    }

    /// Not sent before a time.
    pub fn held(
        recipient: Recipient,
        vendor: Vendor,
        platform: Option<Platform>,
        reason: Reason,
        until: Millis,
        now: Millis,
    ) -> Self {
        let (vendor, until) = (Some(vendor), Some(until));
        Self { vendor, platform, reason: Some(reason), until, ..Self::new(recipient, State::Held, now) }
    }

    fn new(recipient: Recipient, state: State, now: Millis) -> Self {
        Self {
            recipient,
            platform: None,
            vendor: None,
            state,
            since: now,
            reason: None,
            vendor_id: None,
            detail: None,
            shortened: false,
            until: None,
            tries: 0,
            sent: false,
            tag: 0,
            seen: None,
            lost: None,
            trace: Vec::new(),
            downgraded: false,
        }
    }

    /// It has come to the phone, whatever its vendor's answer was.
    pub fn arrived(&self) -> bool {
        self.seen.is_some_and(|(seen, _)| seen >= Seen::Received)
    }

    /// Tries that were made, the present one included: those in which its account let nothing pass are not among them.
    pub fn tried(&self) -> u32 {
        if self.trace.len() >= TRACE_MAX {
            return self.tries;
        }
        let states = self.trace.iter().map(|step| step.state).chain([self.state]);
        states.fold(0, |n, state| n + u32::from(state == State::Sending))
    }

    /// Waits for its account. That its turn had come is no step: it was not tried, and waits on as before.
    pub fn wait(&mut self, until: Millis, reason: Option<Reason>, detail: Option<String>, now: Millis) {
        if self.state == State::Sending {
            let before = self.trace.pop_if(|step| step.state == State::Retrying);
            self.since = before.map_or(now, |step| step.at);
            (self.state, self.reason, self.detail) = (State::Retrying, reason, detail);
        } else {
            self.go(State::Retrying, reason, detail, now);
        }
        self.until = Some(until);
    }

    /// Goes on to another state; what it was goes into the trace.
    pub fn go(&mut self, state: State, reason: Option<Reason>, detail: Option<String>, now: Millis) {
        if self.trace.len() < TRACE_MAX {
            self.trace.push(Step {
                at: self.since,
                state: self.state,
                reason: self.reason,
                detail: self.detail.take(),
            });
        }
        (self.state, self.since, self.until) = (state, now, None);
        (self.reason, self.detail) = (reason, detail);
    }
}
