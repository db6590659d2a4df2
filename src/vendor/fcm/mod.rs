//! Firebase Cloud Messaging, HTTP v1: one request per device, authorised by an access token that is fetched with a
//! service account's key.
//!
//! - Requests: <https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages>
//! - Answers: <https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode>
//! - Access tokens: <https://developers.google.com/identity/protocols/oauth2/service-account>
//!
//! What is written is for Android. An Apple device or a browser reached through FCM gets what FCM makes of the common
//! fields; its own come through `options.fcm`.
//!
//! Promises: a message that shows nothing goes out with normal priority; every try of a delivery carries the same
//! `ep_id` and, where nothing else is to be replaced, the same `tag`; only Google's own words call a token dead.

mod access_token;
mod class;
mod classify;
mod credential;
mod draft;
mod options;
mod request;
#[cfg(test)]
mod tests;

pub use self::{
    access_token::bearer_from,
    classify::classify,
    credential::{Credential, Facts},
    draft::draft,
    options::check_options,
    request::request,
};

use super::{
    Facts as AnyFacts, Split,
    spec::{Bearer, Spec, exponential},
};
use crate::model::time::DayZone;

/// What the project knows of it.
pub const SPEC: Spec = Spec {
    name: "fcm",
    hosts: &HOSTS,
    day_zone: DayZone::Utc,
    // Google calls a token stale after a month (vendor page, 2.6).
    stale_days: 30,
    // Apple devices (through APNs) and browsers, too.
    platforms: &[],
    list_max: 1,
    shows_only: false,
    bearer: Bearer::Given,
    keys: &[],
    held: None,
    exchange: None,
    called_back: None,
    kept: &[],
    class: &[],
    shows: &["/notification", "/android/notification", "/apns/payload/aps/alert", "/webpush/notification"],
    // Google's rule: exponential from 10 s (vendor page, 2.5).
    retry_secs: exponential,
    token,
    draft: |brief| draft(brief.message, brief.push),
    check_options,
    prepare: None,
    request: |facts, call| match facts {
        AnyFacts::Fcm(facts) => {
            call.first().map(|to| request(facts, call.draft, to.address, to.ids, call.bearer))
        }
        AnyFacts::Apns(_) | AnyFacts::Webpush(_) | AnyFacts::Keys(_) => Err("not a credential of `fcm`"),
    },
    receipts: None,
    classify: |reply, _, now| Split::all(classify(reply, now)),
};

/// Hosts that requests go to: messages, access tokens.
pub const HOSTS: [&str; 2] = ["fcm.googleapis.com", "oauth2.googleapis.com"];

/// Most bytes of keys and values.
const PAYLOAD_MAX: usize = 4_096;
/// Longest `ttl`, seconds: four weeks.
const TTL_MAX: u32 = 2_419_200;

/// Checks a device token's form. Google calls it opaque; all tokens seen are of this alphabet.
pub fn token(text: &str) -> Result<(), &'static str> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b':' | b'.');
    if (1..=4_096).contains(&text.len()) && text.bytes().all(allowed) {
        Ok(())
    } else {
        Err("a token of `fcm` has 1 to 4096 characters: letters, digits, `-`, `_`, `:` and `.`")
    }
}
