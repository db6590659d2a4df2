//! A message in the JSON that a service worker reads, sized to fit, and the headers beside it.
//!
//! `notification` is what `showNotification(title, options)` takes, so a worker can hand it on as it is, and its
//! `data` comes back with the tap. A message that shows no text has `data` alone.

use serde_json::{Map, Value};

use super::{
    TOPIC, TTL_MAX,
    class::{class, tag},
    options::HEADERS,
};
use crate::{
    crypto::ece::PLAIN_MAX,
    model::{
        ids::PushId,
        push::{Guard, Message, Notification},
        table::gather,
    },
    vendor::{
        Draft, Template, TooLarge,
        draft::{fit, merge, object, own_fields},
    },
    wire::text,
};

/// Marks a declarative message, which a browser shows by itself (W3C Push API; the number is that of the RFC).
const DECLARATIVE: u16 = 8_030;

/// Writes the payload of a push, `options.webpush` merged last, its text cut where that makes it fit.
pub fn draft(message: &Message, push: &PushId) -> Result<Draft, TooLarge> {
    let mut patch = message.options.webpush.clone();
    let headers = patch.remove(HEADERS).unwrap_or_default();
    let whole = shown(message).and_then(|shown| shown.body.as_deref());
    let written = |body: Option<&str>| {
        let payload = Value::Object(payload(message, push, &patch, body));
        Template::new(text::write(&payload), push)
    };
    let first = written(whole);
    let cut = if first.max_len() <= PLAIN_MAX {
        None
    } else {
        fit(whole, PLAIN_MAX, |body| written(body).max_len())?
    };
    let body = cut.as_deref().map_or(first, |cut| written(Some(cut)));
    Ok(Draft { body, headers: head(message, push, &headers), shortened: cut.is_some() })
}

fn shown(message: &Message) -> Option<&Notification> {
    message.notification.as_ref().filter(|shown| shown.title.is_some() || shown.body.is_some())
}

fn payload(
    message: &Message,
    push: &PushId,
    patch: &Map<String, Value>,
    body: Option<&str>,
) -> Map<String, Value> {
    let shown = shown(message);
    let declarative = shown.is_some_and(|shown| declarative(message, shown));
    let badge = message.notification.as_ref().and_then(|notification| notification.badge);
    let mut payload = object([
        ("web_push", declarative.then(|| DECLARATIVE.into())),
        ("notification", shown.map(|shown| Value::Object(notification(message, push, shown, body)))),
        ("app_badge", badge.map(Value::from)),
        // Where a worker is there, it may still change what is shown.
        ("mutable", declarative.then_some(true.into())),
    ]);
    add_data(
        &mut payload,
        gather(message.data.iter().map(|(name, value)| (name.clone(), value.as_str().into()))),
    );
    merge(&mut payload, patch);
    add_data(&mut payload, own_fields(message, push));
    payload
}

/// Adds to `data`, where the worker finds it after the tap: in the notification, if one is shown.
fn add_data(payload: &mut Map<String, Value>, more: Map<String, Value>) {
    let of_shown = payload.get("notification").is_some_and(Value::is_object);
    let holder =
        if of_shown { payload.get_mut("notification").and_then(Value::as_object_mut) } else { Some(payload) };
    let data = holder.map(|holder| holder.entry("data").or_insert_with(|| Value::Object(Map::new())));
    if let Some(Value::Object(data)) = data {
        data.extend(more);
    }
}

/// Only a title and an https link make a declarative message. One that is for one account only is not declarative:
/// whether it is shown is for the app to decide, and Safari would show it whoever is there.
fn declarative(message: &Message, shown: &Notification) -> bool {
    message.guard == Guard::Open && shown.title.is_some() && navigate(shown).is_some()
}

fn navigate(shown: &Notification) -> Option<&str> {
    shown.link.as_deref().filter(|link| link.get(..8).is_some_and(|it| it.eq_ignore_ascii_case("https://")))
}

fn notification(
    message: &Message,
    push: &PushId,
    shown: &Notification,
    body: Option<&str>,
) -> Map<String, Value> {
    // A sound cannot be chosen, only silence.
    let silent = class(message.category).silent && shown.sound.is_none();
    object([
        ("title", shown.title.as_deref().map(Value::from)),
        ("body", body.map(Value::from)),
        ("image", shown.image.as_deref().map(Value::from)),
        ("navigate", navigate(shown).map(Value::from)),
        ("tag", tag(message, push, true).map(Value::from)),
        ("silent", silent.then_some(true.into())),
    ])
}

/// The headers that depend on the push. What shows nothing wakes no device whose battery is low. `topic` is still the
/// tag here: it is hashed for each device, because it may be the delivery's own id.
fn head(message: &Message, push: &PushId, given: &Value) -> Vec<(&'static str, Template)> {
    let given = |name: &str| given.get(name).and_then(Value::as_str).map(str::to_owned);
    let shown = shown(message).is_some();
    let usual = match class(message.category).urgency {
        "high" if !shown => "normal",
        urgency => urgency,
    };
    let head = [
        ("ttl", Some(message.ttl.min(TTL_MAX).to_string())),
        ("urgency", Some(given("urgency").unwrap_or_else(|| usual.to_owned()))),
        (TOPIC, given("topic").or_else(|| tag(message, push, shown))),
    ];
    head.into_iter().filter_map(|(name, value)| Some((name, Template::new(value?, push)))).collect()
}
