//! Step 9: the end → JSON. Also the other bodies that go out.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::begin::{Batch, Entry};
use crate::{
    model::{
        app::{App, Credential, KeyRecord},
        delivery::{Delivery, Reason, Recipient, State},
        device::Device,
        ids::UserId,
        secret::Secret,
    },
    vendor::Vendor,
};

#[derive(Serialize)]
struct PushReply<'a> {
    id: &'a str,
    status: &'static str,
    counts: BTreeMap<State, usize>,
    deliveries: Vec<DeliveryReply<'a>>,
}

#[derive(Serialize)]
struct DeliveryReply<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<&'a str>,
    /// For raw tokens: the JSON pointer of the target in the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vendor: Option<Vendor>,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vendor_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    shortened: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
}

/// The answer to `POST /v1/push`.
pub fn push(batch: &Batch) -> String {
    let mut counts = BTreeMap::new();
    for entry in &batch.entries {
        *counts.entry(entry.delivery.state).or_insert(0) += 1;
    }
    let deliveries = batch.entries.iter().map(delivery).collect();
    text(&PushReply { id: batch.id.as_str(), status: "done", counts, deliveries })
}

fn delivery(entry: &Entry) -> DeliveryReply<'_> {
    let Delivery { recipient, vendor, state, reason, vendor_id, detail, shortened, until } = &entry.delivery;
    let (user, device, target) = match recipient {
        Recipient::User(user) => (Some(user.as_str()), None, None),
        Recipient::Device(user, device) | Recipient::Missing(user, device) => {
            (Some(user.as_str()), Some(device.as_str()), None)
        }
        Recipient::Token(index) => (None, None, Some(format!("/to/tokens/{index}"))),
    };
    DeliveryReply {
        user,
        device,
        target,
        vendor: *vendor,
        state: *state,
        reason: *reason,
        vendor_id: vendor_id.as_deref(),
        detail: detail.as_deref(),
        shortened: *shortened,
        until: until.map(|at| at.rfc3339()),
    }
}

/// An app: what may be shown of it.
pub fn app(app: &App) -> String {
    let credentials: BTreeMap<_, _> =
        app.credentials.iter().map(|(vendor, credential)| (vendor, shown(credential))).collect();
    let keys: Vec<Value> = app.keys.iter().map(key_record).collect();
    text(&json!({
        "id": app.id, "credentials": credentials, "policy": app.policy, "keys": keys,
        "created_at": app.created_at.rfc3339(), "updated_at": app.updated_at.rfc3339(),
    }))
}

/// The open part, and under which seal key the rest lies: after a change of `SEAL_KEY` it tells what is still to be
/// given again.
fn shown(credential: &Credential) -> Value {
    let mut shown = serde_json::to_value(&credential.facts).unwrap_or_default();
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("sealed_with".into(), credential.sealed.key_id.as_str().into());
    }
    shown
}

fn key_record(key: &KeyRecord) -> Value {
    let mut shown = json!({"id": key.id, "scopes": key.scopes, "created_at": key.created_at.rfc3339()});
    if let (Some(name), Some(fields)) = (&key.name, shown.as_object_mut()) {
        fields.insert("name".into(), name.clone().into());
    }
    shown
}

/// A key that was made: the one time it is shown.
pub fn new_key(record: &KeyRecord, key: &Secret) -> String {
    let mut shown = key_record(record);
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("key".into(), key.reveal().into());
    }
    text(&shown)
}

/// A device. Its token is not shown: whoever may read devices need not be able to send to them elsewhere.
pub fn device(device: &Device) -> Value {
    let Device { id, registration, token_since, seen_at, suspect_since } = device;
    let mut shown = serde_json::to_value(registration).unwrap_or_default();
    if let Some(fields) = shown.as_object_mut() {
        fields.remove("token");
        fields.insert("device".into(), id.as_str().into());
        fields.insert("token_since".into(), token_since.rfc3339().into());
        fields.insert("seen_at".into(), seen_at.rfc3339().into());
        if let Some(since) = suspect_since {
            fields.insert("suspect_since".into(), since.rfc3339().into());
        }
    }
    shown
}

/// A user with devices.
pub fn user(user: &UserId, devices: &[Device]) -> String {
    let devices: Vec<Value> = devices.iter().map(device).collect();
    text(&json!({"user": user, "devices": devices}))
}

/// Plain data never fails to serialize.
fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
