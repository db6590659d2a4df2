//! Web Push: messages to browsers through whichever push service each of them has (RFC 8030), encrypted for one
//! browser each (RFC 8291), authorised by a JWT that is signed here for one service each (VAPID, RFC 8292).
//!
//! - Mozilla's answers: <https://mozilla-services.github.io/autopush-rs/errors.html>
//! - Apple's: <https://developer.apple.com/documentation/usernotifications/sending-web-push-notifications-in-web-apps-and-browsers>
//! - Declarative messages: <https://www.w3.org/TR/push-api/#declarative-push-message>
//!
//! Google documents no answers; its sentences are those that senders have written down.
//!
//! Promises: a subscription leads to a push service or nowhere; every isolate signs the byte-identical JWT for a
//! service within a 6-hour step; no two messages share a salt or a key; only words that a service is known for, or
//! the status that RFC 8030 gives them, call a subscription dead.

mod class;
mod classify;
mod credential;
mod draft;
mod endpoint;
mod options;
mod request;
mod subscription;
#[cfg(test)]
mod tests;

pub use self::{
    classify::classify,
    credential::{Credential, Facts, step},
    draft::draft,
    endpoint::{Endpoint, Hosts, service},
    options::check_options,
    request::{preview, request},
    subscription::Subscription,
};

use super::{
    Facts as AnyFacts, Split,
    spec::{Bearer, Spec, exponential},
};
use crate::model::{device::Address, time::DayZone};

/// What the project knows of it.
pub const SPEC: Spec = Spec {
    name: "webpush",
    // Those of the push services: `service` knows them.
    hosts: &[],
    day_zone: DayZone::Utc,
    // No time is named: our choice.
    stale_days: 90,
    // A browser is on any of them, and so is an app with a push service of its own (UnifiedPush).
    platforms: &[],
    list_max: 1,
    shows_only: false,
    bearer: Bearer::Made,
    keys: &[],
    held: None,
    exchange: None,
    called_back: None,
    kept: &[],
    class: &[],
    shows: &[],
    retry_secs: exponential,
    token,
    draft: |brief| draft(brief.message, brief.push),
    check_options,
    prepare: None,
    request: |facts, call| match facts {
        AnyFacts::Webpush(facts) => call
            .first()
            .and_then(|to| request(facts, call.draft, to.address, to.ids, call.bearer, call.random)),
        AnyFacts::Apns(_) | AnyFacts::Fcm(_) | AnyFacts::Keys(_) => Err("not a credential of `webpush`"),
    },
    receipts: None,
    classify: |reply, _, now| Split::all(classify(reply, now)),
};

/// Longest `TTL`, seconds: four weeks, the least of what the services keep a message for.
const TTL_MAX: u32 = 2_419_200;
/// What is said of a subscription that leads elsewhere.
const NOT_ALLOWED: &str = "the endpoint's host is none of the known push services': if it is your own, name it in the setting \
                           WEBPUSH_HOSTS";
/// The header that is hashed.
const TOPIC: &str = "topic";
/// Milliseconds after its first word for which a subscription may be unknown at its own push service (second-hand: seen
/// at Google's).
pub const SETTLING_MS: u64 = 60_000;

/// Whether a subscription leads to a push service that is allowed now. It was when the device registered; the list may
/// have changed since.
pub fn reaches(to: &Address, more: &Hosts) -> Result<(), &'static str> {
    let endpoint = Endpoint::of_token(to.token.reveal()).ok_or(subscription::FORM)?;
    endpoint.service(more).map(|_| ()).ok_or(NOT_ALLOWED)
}

/// The origin of a device's push service: `aud` of the JWT that it is shown.
pub fn audience(to: &Address) -> String {
    Endpoint::of_token(to.token.reveal()).map(|endpoint| endpoint.origin()).unwrap_or_default()
}

/// Checks a subscription's form.
pub fn token(text: &str) -> Result<(), &'static str> {
    Subscription::parse(text).map(|_| ()).map_err(|_| subscription::FORM)
}

/// The one text of a subscription; what is none stays as it is.
pub fn canonical_token(text: &str) -> String {
    Subscription::parse(text).map_or_else(|_| text.to_owned(), |subscription| subscription.token())
}
