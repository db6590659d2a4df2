//! JPush (Aurora): a service of its own that hands on to the phone makers' channels.
//!
//! - Requests: <https://docs.jiguang.cn/jpush/server/push/rest_api_v3_push>
//! - Classes: <https://docs.jiguang.cn/jpush/practice/vendor_classification_quota>
//!
//! The table of codes is that of 2019 and what has been seen since: the one online could not be read in full.
//!
//! Promises: one call for up to 1,000 registration ids of equal content; `cid` is the same for every try, and JPush sends it once
//! (that a `cid` made by the sender is taken like one that was fetched is unverified).

mod classify;
mod draft;
mod request;
#[cfg(test)]
mod tests;

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{
    draft::refuse_own,
    keys::Key,
    spec::{Bearer, Spec, exponential, opaque},
};
use crate::model::time::DayZone;

/// JPush.
pub const SPEC: Spec = Spec {
    name: "jpush",
    hosts: &["api.jpush.cn"],
    day_zone: DayZone::China,
    // A registration id is no target any more after 255 days.
    stale_days: 90,
    platforms: &[],
    list_max: 1_000,
    shows_only: false,
    bearer: Bearer::Made,
    keys: &[Key::id("app_key"), Key::secret("master_secret")],
    held: Some(|keys| STANDARD.encode(format!("{}:{}", keys.get("app_key"), keys.get("master_secret")))),
    exchange: None,
    called_back: None,
    kept: KEPT,
    class: CLASS,
    shows: &["/notification"],
    retry_secs: exponential,
    token: |text| {
        opaque(text, "-_", "a token of `jpush` has 1 to 512 characters: letters, digits, `-` and `_`")
    },
    draft: draft::draft,
    check_options: refuse_own,
    prepare: None,
    request: request::request,
    receipts: None,
    classify: classify::classify,
};

/// Beside targets and ids: messages of other kinds, which would have no class.
const KEPT: &[&str] = &[
    "/cid",
    "/platform",
    "/audience",
    "/callback",
    "/sms_message",
    "/notification_3rd",
    "/inapp_message",
    "/live_activity",
    "/message/extras",
    "/notification/android/extras",
    "/notification/ios/extras",
    "/notification/hmos/extras",
    "/options/cid",
    "/options/sendno",
    "/options/override_msg_id",
];
const CLASS: &[&str] = &[
    "/notification/android/category",
    "/notification/hmos/category",
    "/options/classification",
    "/options/third_party_channel",
];
