//! Xiaomi's MiPush.
//!
//! - Requests: <https://dev.mi.com/xiaomihyperos/documentation/detail?pId=1559>
//! - Codes: <https://dev.mi.com/xiaomihyperos/documentation/detail?pId=1560>
//! - Limits: <https://dev.mi.com/xiaomihyperos/documentation/detail?pId=1656>
//!
//! A regId does not tell in which region its phone is; the credential names one (unverified: one region per app).
//!
//! Promises: one call for up to 1,000 tokens of equal content; the data travels as base64url JSON in `payload`, because senders
//! differ in how often Xiaomi decodes it; most dead tokens are known from receipts only.

mod classify;
mod draft;
mod receipts;
mod request;
#[cfg(test)]
mod tests;

use super::{
    draft::refuse_own,
    keys::Key,
    spec::{Bearer, CalledBack, Spec, exponential, opaque},
};
use crate::model::{device::Platform, time::DayZone};

/// Xiaomi.
pub const SPEC: Spec = Spec {
    name: "xiaomi",
    hosts: &[
        "api.xmpush.xiaomi.com",
        "ru-api.xmpush.global.xiaomi.com",
        "idmb-api.xmpush.global.xiaomi.com",
        "fr-api.xmpush.global.xiaomi.com",
        "sgp-api.xmpush.global.xiaomi.com",
    ],
    day_zone: DayZone::China,
    // A regId dies after so many days without a connection.
    stale_days: 30,
    platforms: &[Platform::Android],
    list_max: 1_000,
    shows_only: true,
    bearer: Bearer::Made,
    keys: &[Key::secret("app_secret"), Key::id("package"), REGION],
    held: Some(|keys| keys.get("app_secret").to_owned()),
    exchange: None,
    called_back: Some(CalledBack { max: 200, registered: false }),
    kept: KEPT,
    class: CLASS,
    shows: &[],
    retry_secs: exponential,
    token: |text| opaque(text, "+/=-_", "a token of `xiaomi` has 1 to 512 characters of base64"),
    draft: draft::draft,
    check_options: refuse_own,
    prepare: None,
    request: request::request,
    receipts: Some(receipts::RECEIPTS),
    classify: classify::classify,
};

const REGION: Key = Key {
    form: "cn, ru, in, eu or global",
    of: |text| matches!(text, "cn" | "ru" | "in" | "eu" | "global"),
    ..Key::id("region").or_none()
};
const KEPT: &[&str] = &[
    "/registration_id",
    "/restricted_package_name",
    "/payload",
    "/pass_through",
    "/extra.callback",
    "/extra.callback.param",
    "/extra.callback.type",
    "/extra.jobkey",
];
const CLASS: &[&str] = &["/extra.channel_id", "/extra.template_id"];
