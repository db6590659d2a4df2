//! A message in Honor's JSON, but for its tokens.

use serde_json::{Map, Value, json};

use super::{BODY_MAX, TTL_MAX};
use crate::vendor::{
    Draft, Ids, TooLarge, Vendor,
    draft::object,
    payload::{self, Limits, Shown, Tap, data, intent, number, tap},
    spec::Brief,
};

/// Lines have no length of their own, only the whole has.
const LIMITS: Limits = Limits { title: BODY_MAX, body: BODY_MAX, bytes: BODY_MAX };

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
        ("data", Some(Value::Object(data).to_string().into())),
        ("android", Some(Value::Object(android))),
    ])
}

fn notification(brief: &Brief<'_>, shown: &Shown, data: &Map<String, Value>) -> Map<String, Value> {
    let message = brief.message;
    let given = message.notification.as_ref();
    let click = match tap(message) {
        Tap::Open => json!({"type": 3}),
        Tap::Web(url) => json!({"type": 2, "url": url}),
        Tap::Link(link) => json!({"type": 1, "intent": intent(link, data)}),
    };
    object([
        ("title", Some(shown.title.as_str().into())),
        ("body", Some(shown.body.as_str().into())),
        ("clickAction", Some(click)),
        ("notifyId", message.collapse.as_deref().map(|key| number(key).into())),
        ("tag", Some(message.collapse.clone().unwrap_or_else(|| Ids::hole(brief.push)).into())),
        ("image", given.and_then(|given| given.image.as_deref()).map(Value::from)),
        ("badge", given.and_then(|given| given.badge).map(|n| json!({"setNum": n.min(99)}))),
    ])
}
