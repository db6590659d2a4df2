//! OPPO's push (HeyTap), which OnePlus and realme phones use too (unverified).
//!
//! - Documents: <https://open.oppomobile.com/new/developmentDoc>, ids 11234 (access tokens), 11236 (notification), 11238
//!   (requests), 13189 (classes)
//!
//! Promises: one call for up to 1,000 tokens, each with its delivery's own id; which host a token belongs to is read from the
//! token. Whether one access token serves both hosts is unverified: if it does not, phones abroad end with `credentials`.
//! Most dead tokens are known from receipts only.

mod access_token;
mod classify;
mod draft;
mod receipts;
mod request;
#[cfg(test)]
mod tests;

use super::{
    draft::refuse_own,
    exchange::Exchange,
    keys::Key,
    spec::{Bearer, CalledBack, Spec, exponential, opaque},
};
use crate::model::{device::Platform, time::DayZone};
pub(super) use request::host;

/// OPPO.
pub const SPEC: Spec = Spec {
    name: "oppo",
    hosts: &["api.push.oppomobile.com", "api-intl.push.oppomobile.com"],
    day_zone: DayZone::China,
    // A token dies after so many days offline.
    stale_days: 30,
    platforms: &[Platform::Android],
    list_max: 1_000,
    shows_only: true,
    bearer: Bearer::Given,
    keys: &[Key::secret("app_key"), Key::secret("master_secret")],
    held: None,
    exchange: Some(Exchange { request: access_token::request, read: access_token::read }),
    called_back: Some(CalledBack { max: 200, registered: false }),
    kept: KEPT,
    class: CLASS,
    shows: &[],
    retry_secs: exponential,
    token: |text| {
        opaque(text, "_-", "a token of `oppo` has 1 to 512 characters: letters, digits, `_` and `-`")
    },
    draft: draft::draft,
    check_options: refuse_own,
    prepare: None,
    request: request::request,
    receipts: Some(receipts::RECEIPTS),
    classify: classify::classify,
};

/// In `notification`. The vendor's samples also have names in camelCase.
const KEPT: &[&str] = &[
    "/app_message_id",
    "/appMessageId",
    "/action_parameters",
    "/actionParameters",
    "/call_back_url",
    "/callBackUrl",
    "/call_back_parameter",
    "/callBackParameter",
];
const CLASS: &[&str] = &[
    "/channel_id",
    "/channelId",
    "/category",
    "/notify_level",
    "/notifyLevel",
    "/private_msg_template_id",
    "/privateMsgTemplateId",
];
