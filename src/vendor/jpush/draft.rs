//! A message in JPush's JSON, but for its targets and its id.

use serde_json::{Map, Value, json};

use crate::vendor::{
    Draft, TooLarge, Vendor,
    draft::object,
    payload::{self, Limits, Shown, Tap, data, data_fits, tap},
    spec::Brief,
};

/// The vendors behind cut the lines by themselves; of the whole Android's part may have 4,000 bytes, and so has each of the
/// three parts that are written for other phones.
const LIMITS: Limits = Limits { title: 1_000, body: 1_000, bytes: 8_000 };
/// Most bytes of the data.
const DATA_MAX: usize = 2_000;
/// Longest `time_to_live`, seconds: ten days for those who pay. Others have three, and JPush refuses more.
const TTL_MAX: u32 = 259_200;

/// Opens the app on Android: without an `intent` a tap may do nothing (its page on taps, kits from 4.2.2 on).
const HOME: &str = "intent:#Intent;action=android.intent.action.MAIN;end";

/// Writes the message.
pub(super) fn draft(brief: &Brief<'_>) -> Result<Draft, TooLarge> {
    data_fits(brief, DATA_MAX, str::len)?;
    payload::draft(brief, Vendor::Jpush, &LIMITS, &|shown| write(brief, shown))
}

fn write(brief: &Brief<'_>, shown: Option<&Shown>) -> Map<String, Value> {
    let message = brief.message;
    let extras = Value::Object(data(message, brief.push));
    let options = json!({"time_to_live": message.ttl.min(TTL_MAX)});
    object([
        ("notification", shown.map(|shown| notification(brief, shown, &extras))),
        // What shows nothing goes through JPush's own connection, where there is one.
        ("message", shown.is_none().then(|| json!({"msg_content": "", "extras": extras}))),
        ("options", Some(options)),
    ])
}

fn notification(brief: &Brief<'_>, shown: &Shown, extras: &Value) -> Value {
    let message = brief.message;
    let given = message.notification.as_ref();
    let url = match tap(message) {
        Tap::Open => None,
        Tap::Web(link) | Tap::Link(link) => Some(link),
    };
    let badge = given.and_then(|given| given.badge);
    let to = |url: &str| Some(json!({"url": url}));
    json!({
        "android": object([
            ("alert", Some(shown.body.as_str().into())),
            ("title", Some(shown.title.as_str().into())),
            ("intent", to(url.unwrap_or(HOME))),
            ("badge_set_num", badge.map(|n| n.min(99).into())),
            ("extras", Some(extras.clone())),
        ]),
        "hmos": object([
            ("alert", Some(shown.body.as_str().into())),
            ("title", Some(shown.title.as_str().into())),
            ("intent", to(url.unwrap_or("action.system.home"))),
            ("badge_set_num", badge.map(|n| n.min(99).into())),
            ("extras", Some(extras.clone())),
        ]),
        "ios": object([
            ("alert", Some(json!({"title": shown.title, "body": shown.body}))),
            ("sound", given.and_then(|given| given.sound.as_deref()).map(Value::from)),
            ("badge", badge.map(Value::from)),
            ("extras", Some(extras.clone())),
        ]),
    })
}
