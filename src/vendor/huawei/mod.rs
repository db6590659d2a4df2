//! Huawei Push Kit for EMUI, HarmonyOS to 4 and Android with HMS Core: API v1, or v2 where the credential names a project.
//! Devices with HarmonyOS NEXT (5 and later) are [`super::harmony`]'s; a token does not tell which it is.
//!
//! - Requests: <https://developer.huawei.com/consumer/cn/doc/HMSCore-References/https-send-api-0000001050986197>
//! - Access tokens: <https://developer.huawei.com/consumer/cn/doc/HMSCore-Guides/oauth2-0000001212610981>
//! - Codes: <https://developer.huawei.com/consumer/cn/doc/HMSCore-Guides/commonerror-0000001059816656>
//!
//! Promises: one call for up to 1,000 tokens of equal content; a token that the vendor names is dead, but when it calls all
//! of a request dead our own settings are suspected too; no `category` that the app has not been granted.

mod classify;
pub(super) mod codes;
mod draft;
pub(super) mod receipts;
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

/// Huawei.
pub const SPEC: Spec = Spec {
    name: "huawei",
    hosts: &["push-api.cloud.huawei.com", "oauth-login.cloud.huawei.com"],
    day_zone: DayZone::China,
    // Huawei asks senders to leave devices alone that were offline for so long (receipt 10).
    stale_days: 30,
    platforms: &[Platform::Android],
    list_max: 1_000,
    shows_only: false,
    bearer: Bearer::Given,
    keys: &[
        Key::digits("client_id"),
        Key::secret("client_secret"),
        Key::digits("project_id").or_none(),
        Key::secret("callback_user").or_none(),
        Key::secret("callback_secret").or_none(),
        Key::id("receipt_id").or_none(),
    ],
    held: None,
    exchange: Some(Exchange { request: |keys, _| client_credentials(TOKEN_URL, keys), read: oauth }),
    called_back: None,
    kept: KEPT,
    class: CLASS,
    shows: &["/android/notification", "/notification"],
    retry_secs: exponential,
    token: |text| {
        opaque(text, "-_:", "a token of `huawei` has 1 to 512 characters: letters, digits, `-`, `_` and `:`")
    },
    draft: draft::draft,
    check_options: refuse_own,
    prepare: None,
    request: request::request,
    receipts: Some(receipts::RECEIPTS),
    classify: classify::classify,
};

const TOKEN_URL: &str = "https://oauth-login.cloud.huawei.com/oauth2/v3/token";
/// In `message`.
const KEPT: &[&str] = &["/token", "/topic", "/condition", "/data", "/android/data", "/android/bi_tag"];
const CLASS: &[&str] = &["/android/category", "/android/notification/importance"];
/// Most bytes of a request without its tokens.
pub(super) const BODY_MAX: usize = 4_096;
/// Longest `ttl`, seconds: 15 days.
pub(super) const TTL_MAX: u32 = 1_296_000;
