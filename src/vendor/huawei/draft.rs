//! A message in the JSON of `message`, but for its tokens.

use serde_json::{Map, Value, json};

use super::{BODY_MAX, TTL_MAX};
use crate::vendor::{
    Draft, Ids, TooLarge, Vendor,
    draft::object,
    payload::{self, Limits, Shown, click, data, number},
    spec::Brief,
};
use crate::wire::text;

/// Lines have no length of their own, only the whole has: with what the request has around the message.
const LIMITS: Limits = Limits { title: BODY_MAX, body: BODY_MAX, bytes: BODY_MAX - AROUND.len() };
const AROUND: &str = r#"{"validate_only":false,"message":"token":[],}"#;

/// Writes the message.
pub(super) fn draft(brief: &Brief<'_>) -> Result<Draft, TooLarge> {
    payload::draft(brief, Vendor::Huawei, &LIMITS, &|shown| write(brief, shown))
}

fn write(brief: &Brief<'_>, shown: Option<&Shown>) -> Map<String, Value> {
    let message = brief.message;
    let data = data(message, brief.push);
    let android = object([
        ("ttl", Some(format!("{}s", message.ttl.clamp(1, TTL_MAX)).into())),
        ("bi_tag", Some(Ids::hole(brief.push).into())),
        ("receipt_id", brief.receipt_id.map(Value::from)),
        // What still waits for the phone is replaced within one of a hundred groups.
        ("collapse_key", message.collapse.as_deref().map(|key| (number(key) % 100 + 1).into())),
        ("notification", shown.map(|shown| Value::Object(notification(brief, shown, &data)))),
    ]);
    object([
        ("data", Some(text::write(&Value::Object(data)).into())),
        ("android", Some(Value::Object(android))),
    ])
}

fn notification(brief: &Brief<'_>, shown: &Shown, data: &Map<String, Value>) -> Map<String, Value> {
    let given = brief.message.notification.as_ref();
    object([
        ("title", Some(shown.title.as_str().into())),
        ("body", Some(shown.body.as_str().into())),
        ("click_action", Some(click(brief.message, data))),
        ("tag", Some(brief.message.collapse.clone().unwrap_or_else(|| Ids::hole(brief.push)).into())),
        ("image", given.and_then(|given| given.image.as_deref()).map(Value::from)),
        // The launcher also wants the activity's name: `options.huawei.android.notification.badge.class`.
        ("badge", given.and_then(|given| given.badge).map(|n| json!({"set_num": n.min(99)}))),
    ])
}
