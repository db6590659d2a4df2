//! Honor Push.
//!
//! - Requests and access tokens: Honor's own posts, <https://my.oschina.net/u/5873522/blog/10140231>
//!
//! Honor's pages for developers could not be read: what is built on other senders' code is marked so in `classify`. The most
//! tokens of one request (1,000) and the limit of a body (4,096 bytes) are unverified, too.
//!
//! Promises: one call for all tokens of equal content; a token is dead when Honor lists it as expired, and one listed as
//! failed is tried again; a marketing message has no picture, with which it might fail.

mod classify;
mod draft;
mod receipts;
mod request;
#[cfg(test)]
mod tests;

use super::{
    draft::refuse_own,
    exchange::{Exchange, client_credentials, oauth},
    keys::Key,
    spec::{Bearer, Spec, exponential, opaque},
};
use crate::model::{device::Platform, time::DayZone};

/// Honor.
pub const SPEC: Spec = Spec {
    name: "honor",
    hosts: &["push-api.cloud.honor.com", "iam.developer.honor.com"],
    day_zone: DayZone::China,
    stale_days: 90,
    platforms: &[Platform::Android],
    list_max: 1_000,
    shows_only: false,
    bearer: Bearer::Given,
    keys: &[Key::digits("app_id"), Key::id("client_id"), Key::secret("client_secret")],
    held: None,
    exchange: Some(Exchange { request: |keys, _| client_credentials(TOKEN_URL, keys), read: oauth }),
    called_back: None,
    kept: KEPT,
    class: CLASS,
    shows: &["/android/notification"],
    retry_secs: exponential,
    token: |text| {
        opaque(text, "-_:", "a token of `honor` has 1 to 512 characters: letters, digits, `-`, `_` and `:`")
    },
    draft: draft::draft,
    check_options: refuse_own,
    prepare: None,
    request: request::request,
    receipts: Some(receipts::RECEIPTS),
    classify: classify::classify,
};

const TOKEN_URL: &str = "https://iam.developer.honor.com/auth/token";
/// The outer `notification` has a picture too, which a marketing message must not have.
const KEPT: &[&str] = &["/token", "/data", "/notification", "/android/data", "/android/biTag"];
const CLASS: &[&str] = &["/android/notification/importance", "/android/notification/image"];
/// Most bytes of a request without its tokens (unverified).
const BODY_MAX: usize = 4_096;
/// Longest `ttl`, seconds: 15 days.
const TTL_MAX: u32 = 1_296_000;
