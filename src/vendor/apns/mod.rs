//! Apple Push Notification service: one request per device over HTTP/2, authorised by a JWT that is signed here.
//!
//! - Requests: <https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns>
//! - Payload: <https://developer.apple.com/documentation/usernotifications/generating-a-remote-notification>
//! - Answers: <https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns>
//!
//! Apple's pages were read through public notes that quote them, so each figure here is second-hand where it is not
//! confirmed by the source of a client library (WalletConnect/a2, element-hq/sygnal).
//!
//! Promises: every isolate signs the byte-identical JWT within a 40-minute step; the headers follow the final
//! payload; every try of a delivery carries the same `apns-id`; only Apple's own words call a token dead.

mod class;
mod classify;
mod credential;
mod draft;
mod kind;
mod options;
mod request;
#[cfg(test)]
mod tests;

pub use self::{
    classify::classify,
    credential::{Credential, Facts, step},
    draft::draft,
    options::check_options,
    request::request,
};

use super::{
    Facts as AnyFacts, Split,
    spec::{Bearer, Spec},
};
use crate::model::{device::Platform, time::DayZone};

/// What the project knows of it.
pub const SPEC: Spec = Spec {
    name: "apns",
    hosts: &HOSTS,
    day_zone: DayZone::Utc,
    // No time is named: our choice.
    stale_days: 90,
    platforms: &[Platform::Ios, Platform::Macos],
    list_max: 1,
    shows_only: false,
    bearer: Bearer::Made,
    keys: &[],
    held: None,
    exchange: None,
    called_back: None,
    kept: &[],
    class: &[],
    shows: &["/aps/alert", "/aps/badge", "/aps/sound"],
    retry_secs,
    token,
    draft: |brief| draft(brief.message, brief.push, brief.due, brief.now),
    check_options,
    prepare: None,
    request: |facts, call| match facts {
        AnyFacts::Apns(facts) => {
            call.first().and_then(|to| request(facts, call.draft, to.address, to.ids, call.bearer))
        }
        AnyFacts::Fcm(_) | AnyFacts::Webpush(_) | AnyFacts::Keys(_) => Err("not a credential of `apns`"),
    },
    receipts: None,
    classify: |reply, _, now| Split::all(classify(reply, now)),
};

/// Apple's rule is quick tries, then 15 minutes (vendor page, 1.6). At most an hour.
fn retry_secs(tries: u32) -> u32 {
    match tries {
        0 | 1 => 1,
        2 => 5,
        later => (900 << (later - 3).min(2)).min(3_600),
    }
}

/// Hosts that requests go to: production, sandbox.
pub const HOSTS: [&str; 2] = ["api.push.apple.com", "api.sandbox.push.apple.com"];

/// Most bytes of `apns-collapse-id`.
const COLLAPSE_MAX: usize = 64;

/// Checks a device token's form. Apple fixes no length; today's tokens have 32 bytes.
pub fn token(text: &str) -> Result<(), &'static str> {
    if (32..=400).contains(&text.len())
        && text.len().is_multiple_of(2)
        && text.bytes().all(|b| b.is_ascii_hexdigit())
    {
        Ok(())
    } else {
        Err("a token of `apns` has 16 to 200 bytes, written in hex")
    }
}

/// What a header can carry unchanged: visible ASCII, spaces only between. Nothing else survives every client and
/// proxy on the way.
fn header_safe(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b' '..=b'~')) && text.trim() == text && !text.is_empty()
}
