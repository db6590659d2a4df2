//! A message in vivo's JSON, but for the app, its tokens and its id.

use serde_json::{Map, Value, json};

use crate::vendor::{
    Draft, Ids, TooLarge, Vendor,
    draft::object,
    payload::{self, Limits, Shown, Tap, chars, data, data_fits, intent, number, tap},
    spec::Brief,
};
use crate::wire::text;

/// Characters; the size of the whole is not documented, that of the data is.
const LIMITS: Limits = Limits { title: 40, body: 100, bytes: 8_192 };
/// Most characters of `clientCustomMap`, names and values.
const DATA_MAX: usize = 1_024;
/// The one name in it: no more than ten pairs may be there, and the names in the data are the caller's.
const DATA: &str = "ep_data";
/// `timeToLive`, seconds.
const TTL: (u32, u32) = (60, 86_400);

/// Writes the message.
pub(super) fn draft(brief: &Brief<'_>) -> Result<Draft, TooLarge> {
    data_fits(brief, DATA_MAX - DATA.len(), chars)?;
    payload::draft(brief, Vendor::Vivo, &LIMITS, &|shown| write(brief, shown))
}

fn write(brief: &Brief<'_>, shown: Option<&Shown>) -> Map<String, Value> {
    let message = brief.message;
    let data = text::write(&Value::Object(data(message, brief.push)));
    let (skip, content) = match tap(message) {
        Tap::Open => (1, None),
        Tap::Web(url) => (2, Some(url.into())),
        Tap::Link(link) => (4, Some(intent(link, &Map::new()).into())),
    };
    object([
        ("title", shown.map(|shown| shown.title.as_str().into())),
        ("content", shown.map(|shown| shown.body.as_str().into())),
        ("notifyType", Some(4.into())),
        ("timeToLive", Some(message.ttl.clamp(TTL.0, TTL.1).into())),
        ("sendOnline", (message.ttl == 0).then(|| true.into())),
        ("skipType", Some(skip.into())),
        ("skipContent", content),
        ("clientCustomMap", Some(json!({DATA: data}))),
        ("notifyId", message.collapse.as_deref().map(|key| number(key).into())),
        ("extra", extra(brief)),
    ])
}

/// Where vivo reports to: an address that its console knows, for lists too, or one that is told, for single tokens.
fn extra(brief: &Brief<'_>) -> Option<Value> {
    let param = Ids::hole(brief.push);
    match (brief.receipt_id, brief.callback) {
        // The key's name is unverified.
        (Some(id), _) => Some(json!({"callback.id": id, "callback.param": param})),
        (None, Some(url)) => Some(json!({"callback": url, "callback.param": param})),
        (None, None) => None,
    }
}
