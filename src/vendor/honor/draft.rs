//! A message in Honor's JSON, but for its tokens.

use serde_json::{Map, Value, json};

use super::{BODY_MAX, TTL_MAX};
use crate::vendor::{
    Draft, Ids, TooLarge, Vendor,
    draft::object,
    payload::{self, Limits, Shown, click, data, number},
    spec::Brief,
};
use crate::wire::text;

/// Lines have no length of their own, only the whole has: with what the request has beside the message.
const LIMITS: Limits = Limits { title: BODY_MAX, body: BODY_MAX, bytes: BODY_MAX - BESIDE.len() };
const BESIDE: &str = r#""token":[],"#;

/// Writes the message.
pub(super) fn draft(brief: &Brief<'_>) -> Result<Draft, TooLarge> {
    payload::draft(brief, Vendor::Honor, &LIMITS, &|shown| write(brief, shown))
}

fn write(brief: &Brief<'_>, shown: Option<&Shown>) -> Map<String, Value> {
    let message = brief.message;
    let data = data(message, brief.push);
    let android = object([
        ("ttl", Some(format!("{}s", message.ttl.clamp(1, TTL_MAX)).into())),
        ("biTag", Some(Ids::hole(brief.push).into())),
        ("notification", shown.map(|shown| Value::Object(notification(brief, shown, &data)))),
    ]);
    object([
        ("data", Some(text::write(&Value::Object(data)).into())),
        ("android", Some(Value::Object(android))),
    ])
}

fn notification(brief: &Brief<'_>, shown: &Shown, data: &Map<String, Value>) -> Map<String, Value> {
    let message = brief.message;
    let given = message.notification.as_ref();
    object([
        ("title", Some(shown.title.as_str().into())),
        ("body", Some(shown.body.as_str().into())),
        ("clickAction", Some(click(message, data))),
        ("notifyId", message.collapse.as_deref().map(|key| number(key).into())),
        ("tag", Some(message.collapse.clone().unwrap_or_else(|| Ids::hole(brief.push)).into())),
        ("image", given.and_then(|given| given.image.as_deref()).map(Value::from)),
        ("badge", given.and_then(|given| given.badge).map(|n| json!({"setNum": n.min(99)}))),
    ])
}
