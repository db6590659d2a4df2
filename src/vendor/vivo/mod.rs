//! vivo Push, also of iQOO phones (unverified).
//!
//! - Documents: <https://dev.vivo.com.cn/documentCenter/doc/362> and its neighbours, API 2.9.2
//!
//! Promises: one token goes by `/message/send`, two to 1,000 of equal content by one saved message and one list; what shows
//! something has the same `requestId` with every try, and vivo sends it once. Codes that senders have written down are marked unverified in `classify`.

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
    spec::{Bearer, CalledBack, Prepare, Spec, exponential, opaque},
};
use crate::model::{device::Platform, time::DayZone};

/// vivo.
pub const SPEC: Spec = Spec {
    name: "vivo",
    hosts: &["api-push.vivo.com.cn"],
    day_zone: DayZone::China,
    // vivo counts devices that were online within so many days, and calls others inactive.
    stale_days: 14,
    platforms: &[Platform::Android],
    list_max: 1_000,
    shows_only: true,
    bearer: Bearer::Given,
    keys: &[
        Key::digits("app_id"),
        Key::secret("app_key"),
        Key::secret("app_secret"),
        Key::id("receipt_id").or_none(),
    ],
    held: None,
    exchange: Some(Exchange { request: access_token::request, read: access_token::read }),
    called_back: Some(CalledBack { max: 128, registered: false }),
    kept: KEPT,
    class: CLASS,
    shows: &[],
    retry_secs: exponential,
    token: |text| {
        opaque(text, "-_", "a token of `vivo` has 1 to 512 characters: letters, digits, `-` and `_`")
    },
    draft: draft::draft,
    check_options: refuse_own,
    prepare: Some(Prepare { request: request::save, read: classify::task }),
    request: request::request,
    receipts: Some(receipts::RECEIPTS),
    classify: classify::classify,
};

const KEPT: &[&str] = &["/appId", "/regId", "/regIds", "/alias", "/requestId", "/clientCustomMap", "/extra"];
const CLASS: &[&str] = &["/classification", "/category"];
