//! A message in the JSON of API v3, but for its tokens.

use serde_json::{Map, Value, json};

use super::super::huawei::{BODY_MAX, TTL_MAX};
use crate::vendor::{
    Draft, Ids, Template, TooLarge, Vendor,
    draft::object,
    payload::{self, Limits, Shown, Tap, data, number, tap},
    spec::Brief,
};
use crate::wire::text;

/// Lines have no length of their own, only the whole has: with what the request has beside the message.
const LIMITS: Limits = Limits { title: BODY_MAX, body: BODY_MAX, bytes: BODY_MAX - BESIDE.len() };
const BESIDE: &str = r#""target":{"token":[]},"#;

/// The header that says what a payload is.
pub(super) const PUSH_TYPE: &str = "push-type";

/// Writes the message.
pub(super) fn draft(brief: &Brief<'_>) -> Result<Draft, TooLarge> {
    let draft = payload::draft(brief, Vendor::Harmony, &LIMITS, &|shown| write(brief, shown))?;
    // Notification, or background data.
    let push_type = if payload::texts(brief.message).is_some() { "0" } else { "6" };
    Ok(Draft { headers: vec![(PUSH_TYPE, Template::new(push_type.to_owned(), brief.push))], ..draft })
}

fn write(brief: &Brief<'_>, shown: Option<&Shown>) -> Map<String, Value> {
    let message = brief.message;
    let data = Value::Object(data(message, brief.push));
    let group = message.collapse.as_deref().filter(|_| shown.is_some()).map(|key| (number(key) % 101).into());
    let payload = match shown {
        Some(shown) => json!({"notification": notification(brief, shown, data)}),
        None => json!({"extraData": text::write(&data)}),
    };
    let options = object([
        ("ttl", Some(message.ttl.clamp(1, TTL_MAX).into())),
        ("biTag", Some(Ids::hole(brief.push).into())),
        ("receiptId", brief.receipt_id.map(Value::from)),
        ("collapseKey", group),
    ]);
    object([("payload", Some(payload)), ("pushOptions", Some(Value::Object(options)))])
}

fn notification(brief: &Brief<'_>, shown: &Shown, data: Value) -> Map<String, Value> {
    let message = brief.message;
    let given = message.notification.as_ref();
    // There is no tap that opens a page of the web: the app finds the link in the data.
    let click = match tap(message) {
        Tap::Open | Tap::Web(_) => json!({"actionType": 0, "data": data}),
        Tap::Link(link) => json!({"actionType": 1, "uri": link, "data": data}),
    };
    object([
        ("title", Some(shown.title.as_str().into())),
        ("body", Some(shown.body.as_str().into())),
        ("clickAction", Some(click)),
        ("notifyId", message.collapse.as_deref().map(|key| number(key).into())),
        // The phone shows one of the same id only, for a day: a repeated try does not ring twice.
        ("appMessageId", Some(Ids::hole(brief.push).into())),
        ("image", given.and_then(|given| given.image.as_deref()).map(Value::from)),
        ("badge", given.and_then(|given| given.badge).map(|n| json!({"setNum": n.min(99)}))),
    ])
}
