//! A message in Google's JSON, sized to fit.
//!
//! A message that shows no text (no `notification`, or nothing but a badge) goes out as data alone: Android would
//! show an empty notification for it (from memory, unverified), and it has no badge without one.

use serde_json::{Map, Value};

use super::{
    PAYLOAD_MAX, TTL_MAX,
    class::{class, collapse_key, label, tag},
};
use crate::{
    model::{
        ids::PushId,
        push::{Message, Notification},
        table::gather,
    },
    vendor::{
        Draft, Template, TooLarge,
        draft::{fit, merge, object, own_fields},
    },
    wire::text,
};

/// Writes the message but for the token, `options.fcm` merged last, its text cut where that makes it fit.
pub fn draft(message: &Message, push: &PushId) -> Result<Draft, TooLarge> {
    let whole = shown(message).and_then(|shown| shown.body.as_deref());
    let written = |body: Option<&str>| Template::new(text::write(&write(message, push, body)), push);
    let first = written(whole);
    // What counts is a part of the whole: most need no measuring.
    let cut = if first.max_len() <= PAYLOAD_MAX {
        None
    } else {
        fit(whole, PAYLOAD_MAX, |body| measure(&write(message, push, body), push))?
    };
    let body = cut.as_deref().map_or(first, |cut| written(Some(cut)));
    Ok(Draft { body, headers: Vec::new(), shortened: cut.is_some() })
}

fn shown(message: &Message) -> Option<&Notification> {
    message.notification.as_ref().filter(|shown| shown.title.is_some() || shown.body.is_some())
}

fn write(message: &Message, push: &PushId, body: Option<&str>) -> Map<String, Value> {
    let shown = shown(message);
    let data = gather(message.data.iter().map(|(name, value)| (name.clone(), value.as_str().into())));
    let mut written = object([
        ("notification", shown.map(|shown| Value::Object(notification(shown, body)))),
        ("android", Some(Value::Object(android(message, push, shown)))),
        ("data", Some(Value::Object(data))),
        ("fcm_options", Some(Value::Object(object([("analytics_label", Some(label(message).into()))])))),
    ]);
    merge(&mut written, &message.options.fcm);
    sign(&mut written, own_fields(message, push));
    written
}

fn notification(shown: &Notification, body: Option<&str>) -> Map<String, Value> {
    object([
        ("title", shown.title.as_deref().map(Value::from)),
        ("body", body.map(Value::from)),
        ("image", shown.image.as_deref().map(Value::from)),
    ])
}

fn android(message: &Message, push: &PushId, shown: Option<&Notification>) -> Map<String, Value> {
    let class = class(message.category);
    let priority = if shown.is_some() { class.priority } else { "NORMAL" };
    let notification = shown.map(|shown| {
        object([
            ("channel_id", Some(message.category.name().into())),
            ("tag", Some(tag(message, push).into())),
            ("sound", shown.sound.as_deref().or(class.sound).map(Value::from)),
            ("notification_count", shown.badge.map(Value::from)),
            ("visibility", Some(class.visibility.into())),
            ("notification_priority", Some(class.notification_priority.into())),
        ])
    });
    object([
        ("priority", Some(priority.into())),
        ("ttl", Some([itoa::Buffer::new().format(message.ttl.min(TTL_MAX)), "s"].concat().into())),
        ("collapse_key", collapse_key(message, shown.is_some()).map(Value::from)),
        ("notification", notification.map(Value::Object)),
    ])
}

/// Puts our own fields into the data, and into a platform's data where the options bring some: a phone gets that
/// instead. They come last: nothing a caller gives replaces them.
fn sign(written: &mut Map<String, Value>, own: Map<String, Value>) {
    for platform in ["android", "webpush"] {
        if let Some(Value::Object(data)) = written.get_mut(platform).and_then(|part| part.get_mut("data")) {
            data.extend(own.clone());
        }
    }
    let data = written.entry("data").or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(data) = data {
        data.extend(own);
    }
}

/// Bytes that count against the limit: names and values of `notification` and `data` as an Android phone would get
/// them, its own fields in place of the common ones; a value that is not a text counts as its JSON. Google says "keys
/// and values" without saying whether the fields under `android` count: counting them errs on the safe side.
fn measure(written: &Map<String, Value>, push: &PushId) -> usize {
    let part =
        |of: Option<&Value>, name: &str| of.and_then(|of| of.get(name)).and_then(Value::as_object).cloned();
    let android = written.get("android");
    let common = |name: &str| written.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
    let mut shown = common("notification");
    shown.extend(part(android, "notification").unwrap_or_default());
    let data = part(android, "data").unwrap_or_else(|| common("data"));
    let bytes = |(name, value): (&String, &Value)| {
        let text = value.as_str().map_or_else(|| text::write(value), str::to_owned);
        name.len() + Template::new(text, push).max_len()
    };
    shown.iter().chain(&data).map(bytes).sum()
}
