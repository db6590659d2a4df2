//! A message in Apple's JSON, sized to fit, and the headers that follow from it.

use serde_json::{Map, Value};

use super::{
    class::{class, collapse_id, thread_id},
    kind::{Form, SUFFIX, activity, form},
    options::HEADERS,
};
use crate::{
    model::{
        ids::PushId,
        kind::Kind,
        push::{Message, Notification},
        table::gather,
        time::Millis,
    },
    vendor::{
        Draft, Template, TooLarge,
        draft::{fit, merge, object, own_fields},
    },
    wire::text,
};

/// Writes the payload of a push, `options.apns` merged last, its body cut where that makes it fit.
pub fn draft(message: &Message, push: &PushId, due: Millis, now: Millis) -> Result<Draft, TooLarge> {
    let mut patch = message.options.apns.clone();
    let headers = patch.remove(HEADERS).unwrap_or_default();
    let whole = message.notification.as_ref().and_then(|shown| shown.body.as_deref());
    let written = |body: Option<&str>| {
        let payload = payload(message, push, due, &patch, body);
        let body = Template::new(text::write(&payload), push);
        (payload, body)
    };
    let first = written(whole);
    let limit = form(message.kind).limit;
    let cut =
        if first.1.max_len() <= limit { None } else { fit(whole, limit, |body| written(body).1.max_len())? };
    let (payload, body) = cut.as_deref().map_or(first, |cut| written(Some(cut)));
    Ok(Draft { headers: head(message, push, now, &payload, &headers), body, shortened: cut.is_some() })
}

/// Custom keys stand beside `aps`. Ours come last: nothing a caller gives replaces them.
fn payload(
    message: &Message,
    push: &PushId,
    due: Millis,
    patch: &Map<String, Value>,
    body: Option<&str>,
) -> Map<String, Value> {
    let mut payload: Map<String, Value> =
        gather(message.data.iter().map(|(name, value)| (name.clone(), value.as_str().into())));
    let mut aps = aps(message, body);
    if let Some(of) = &message.activity {
        aps.extend(activity(of, due));
    }
    payload.insert("aps".into(), Value::Object(aps));
    merge(&mut payload, patch);
    payload.extend(own_fields(message, push));
    // Apple has no field for a picture: a service extension of the app loads it.
    if let Some(image) = message.notification.as_ref().and_then(|shown| shown.image.as_deref()) {
        payload.insert("ep_image".into(), image.into());
    }
    payload
}

fn aps(message: &Message, body: Option<&str>) -> Map<String, Value> {
    let Some(shown) = &message.notification else {
        return form(message.kind)
            .alone
            .map(|(name, flag)| (name.to_owned(), flag.into()))
            .into_iter()
            .collect();
    };
    let class = class(message.category);
    let alert = alert(shown, body);
    // A badge alone makes no noise.
    let sound = shown.sound.as_deref().or(class.sound.filter(|_| alert.is_some()));
    object([
        ("alert", alert),
        ("badge", shown.badge.map(Value::from)),
        ("sound", sound.map(Value::from)),
        ("thread-id", thread_id(message).map(Value::from)),
        ("interruption-level", Some(class.interruption_level.into())),
        ("relevance-score", Some(class.relevance_score.into())),
        ("mutable-content", shown.image.is_some().then(|| 1.into())),
    ])
}

fn alert(shown: &Notification, body: Option<&str>) -> Option<Value> {
    let alert = object([("title", shown.title.as_deref().map(Value::from)), ("body", body.map(Value::from))]);
    (!alert.is_empty()).then_some(Value::Object(alert))
}

/// The headers that depend on the push. They follow the final payload, whatever the options made of it: a
/// background push with priority 10 is an error, and so is a push type that does not match.
fn head(
    message: &Message,
    push: &PushId,
    now: Millis,
    payload: &Map<String, Value>,
    given: &Value,
) -> Vec<(&'static str, Template)> {
    let given = |name: &str| given.get(name).and_then(Value::as_str).map(str::to_owned);
    let Form { push_type, suffix, priority, now_or_never, .. } = form(message.kind);
    let (push_type, priority) = match priority {
        _ if message.kind == Kind::Alert && is_background(payload) => ("background", "5".to_owned()),
        Some(priority) => (push_type, priority.to_owned()),
        None => {
            (push_type, given("apns-priority").unwrap_or_else(|| class(message.category).priority.into()))
        }
    };
    let expiration = given("apns-expiration").unwrap_or_else(|| match message.ttl {
        ttl if ttl == 0 || now_or_never => "0".into(),
        ttl => now.plus_secs(ttl.into()).secs().to_string(),
    });
    let replaces = message.kind == Kind::Alert || message.collapse.is_some();
    let own = || replaces.then(|| collapse_id(message, push, push.created())).flatten();
    let collapse = given("apns-collapse-id").or_else(own);
    let head = [
        ("apns-push-type", Some(push_type.to_owned())),
        ("apns-priority", Some(priority)),
        ("apns-expiration", Some(expiration)),
        ("apns-collapse-id", collapse),
        (SUFFIX, Some(suffix.to_owned()).filter(|suffix| !suffix.is_empty())),
    ];
    head.into_iter().filter_map(|(name, value)| Some((name, Template::new(value?, push)))).collect()
}

fn is_background(payload: &Map<String, Value>) -> bool {
    let Some(aps) = payload.get("aps") else { return false };
    let wakes = aps.get("content-available").is_some_and(|value| *value == 1);
    wakes && ["alert", "badge", "sound"].iter().all(|name| aps.get(name).is_none())
}
