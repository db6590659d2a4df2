//! Meizu's Flyme Push.
//!
//! - Documents: <https://github.com/MEIZUPUSH/PushAPI>
//!
//! Promises: one call for up to 100 tokens of equal content, signed as Meizu publishes it; the answer names the tokens that
//! failed and why. Meizu has no id that tells a repeated try from a new message.

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

/// Meizu.
pub const SPEC: Spec = Spec {
    name: "meizu",
    hosts: &["server-api-push.meizu.com"],
    day_zone: DayZone::China,
    stale_days: 90,
    platforms: &[Platform::Android],
    list_max: 100,
    shows_only: true,
    bearer: Bearer::Made,
    keys: &[Key::digits("app_id"), Key::secret("app_secret"), RECEIPTS],
    held: Some(|keys| keys.get("app_secret").to_owned()),
    exchange: None,
    // Meizu drops messages to phones that are offline if it does not know the address.
    called_back: Some(CalledBack { max: URL_MAX, registered: true }),
    kept: KEPT,
    class: CLASS,
    shows: &[],
    retry_secs: exponential,
    token: |text| {
        opaque(text, "-_", "a token of `meizu` has 1 to 512 characters: letters, digits, `-` and `_`")
    },
    draft: draft::draft,
    check_options: refuse_own,
    prepare: None,
    request: request::request,
    receipts: Some(receipts::RECEIPTS),
    classify: classify::classify,
};

/// The address that is registered in Meizu's console.
const RECEIPTS: Key = Key {
    form: "the address that is registered in the console: `https://`, at most 128 visible ASCII characters",
    of: |text| {
        let scheme = text.starts_with("https://") || text.starts_with("http://");
        scheme && text.len() <= URL_MAX && text.bytes().all(|b| b.is_ascii_graphic())
    },
    ..Key::id("receipts").or_none()
};
/// Most bytes of it.
const URL_MAX: usize = 128;
/// In `messageJson`.
const KEPT: &[&str] = &["/clickTypeInfo/parameters", "/extra"];
const CLASS: &[&str] = &["/noticeBarInfo/noticeMsgType"];
