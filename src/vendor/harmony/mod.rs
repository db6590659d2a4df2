//! Huawei Push Kit for HarmonyOS NEXT (5 and later): API v3, authorised by a JWT that a service account's key signs (PS256).
//!
//! - Requests: <https://developer.huawei.com/consumer/cn/doc/harmonyos-references/push-scenariozed-api-request-struct>
//! - JWT: <https://developer.huawei.com/consumer/cn/doc/harmonyos-guides/push-jwt-token>
//! - Answers: <https://developer.huawei.com/consumer/cn/doc/harmonyos-references/push-scenariozed-api-response>
//!
//! A PS256 signature is never the same twice, and with a key of 4,096 bits it takes some 60 ms of CPU in the wasm (2,048: 14 ms;
//! WebCrypto in workerd: 4 and 0.6 ms; `node tests/bench/main.ts sign`). The `Account` object makes one in 50 minutes for all
//! isolates: too seldom to be worth a second, asynchronous way to sign that no test on the host could reach.
//!
//! Promises: those of [`super::huawei`]; a message that shows nothing goes as background data (push type 6).

mod classify;
mod credential;
mod draft;
mod request;
#[cfg(test)]
mod tests;

pub use credential::Credential;

use super::{
    draft::refuse_own,
    spec::{Bearer, Spec, exponential, opaque},
};
use crate::model::{device::Platform, time::DayZone};

/// HarmonyOS NEXT.
pub const SPEC: Spec = Spec {
    name: "harmony",
    hosts: &["push-api.cloud.huawei.com"],
    day_zone: DayZone::China,
    stale_days: 30,
    platforms: &[Platform::Harmonyos],
    list_max: 1_000,
    shows_only: false,
    bearer: Bearer::Given,
    keys: &[],
    held: None,
    exchange: None,
    called_back: None,
    kept: KEPT,
    class: CLASS,
    shows: &["/payload/notification"],
    retry_secs: exponential,
    token: |text| {
        opaque(text, "-_:", "a token of `harmony` has 1 to 512 characters: letters, digits, `-`, `_` and `:`")
    },
    draft: draft::draft,
    check_options: refuse_own,
    prepare: None,
    request: request::request,
    receipts: Some(super::huawei::receipts::RECEIPTS),
    classify: classify::classify,
};

const KEPT: &[&str] = &[
    "/target",
    "/payload/extraData",
    "/payload/notification/clickAction/data",
    "/payload/notification/appMessageId",
    "/pushOptions/biTag",
];
const CLASS: &[&str] = &["/payload/notification/category"];
