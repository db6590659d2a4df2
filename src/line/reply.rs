//! Step 9: the end → JSON. Also the other bodies that go out.

use crate::model::table::Table;

use serde::Serialize;
use serde_json::{Value, json};

use super::receipts;
use crate::{
    config::Config,
    model::{
        app::{App, Credential, KeyRecord, UserTokenKey},
        delivery::{Delivery, Reason, Recipient, Seen, State},
        device::{Device, Environment, Permission, Platform, Registration, Source},
        ids::UserId,
        kind::Kind,
        page::{Dropped, Head, Page},
        preferences::{Preferences, QuietHours},
        push::Category,
        secret::Secret,
        table::gather,
        time::Millis,
    },
    vendor::Vendor,
    wire::{
        ledger::Known,
        text,
        user::{Advice, Erased, Person},
    },
};

#[derive(Serialize)]
struct PushReply<'a> {
    id: &'a str,
    status: &'static str,
    counts: Table<&'static str, u64>,
    deliveries: Vec<DeliveryReply<'a>>,
}

/// What `GET /v1/push/{id}` says beside the deliveries.
#[derive(Serialize)]
struct KnownReply<'a> {
    id: &'a str,
    status: &'static str,
    category: Category,
    #[serde(skip_serializing_if = "Option::is_none")]
    campaign: Option<&'a str>,
    created_at: String,
    due_at: String,
    expires_at: String,
    percent: u64,
    counts: Table<&'static str, u64>,
    deliveries: Vec<DeliveryReply<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<&'a str>,
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
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    downgraded: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    /// How far it is known to have come, and since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    seen: Option<Seen>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seen_at: Option<String>,
    /// Begun so far; a delivery has at most twelve.
    #[serde(skip_serializing_if = "Option::is_none")]
    tries: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    trace: Vec<StepReply<'a>>,
}

#[derive(Serialize)]
struct StepReply<'a> {
    at: String,
    step: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

/// The answer to `POST /v1/push` where the caller has waited.
pub fn push(page: &Page) -> String {
    let mut counts = Table::new();
    for delivery in &page.deliveries {
        *counts.entry(delivery.state.name()).or_insert(0) += 1;
    }
    let status = status(&counts);
    let deliveries = page.deliveries.iter().map(|have| delivery(have, false)).collect();
    text(&PushReply { id: page.push.as_str(), status, counts, deliveries })
}

/// The answer to `POST /v1/push` where the push was queued.
pub fn queued(head: &Head, now: Millis) -> String {
    let status = if head.due > now { "scheduled" } else { "queued" };
    let due_at = head.due.rfc3339();
    text(&json!({"id": head.push, "status": status, "due_at": due_at, "counts": {"queued": head.targets}}))
}

/// What is known of a push.
pub fn known(known: &Known, now: Millis) -> String {
    let mut counts: Table<&'static str, u64> =
        gather(known.counts.iter().map(|(state, n)| (state.name(), *n)));
    if known.waiting > 0 {
        counts.insert("queued", known.waiting.into());
    }
    let total: u64 = counts.values().sum();
    let open: u64 =
        ["queued", "sending", "retrying", "held"].iter().filter_map(|name| counts.get(name)).sum();
    let percent = ((total - open) * 100).checked_div(total).unwrap_or(100);
    let status = match &known.head {
        Some(head) if head.due > now && known.waiting > 0 => "scheduled",
        Some(Head { dropped: Some(Dropped { reason: None, .. }), .. }) if open == 0 => "cancelled",
        Some(_) | None => self::status(&counts),
    };
    let about =
        known.head.as_ref().map(|head| (&head.push, head.category, &head.campaign, head.due, head.expires));
    let page = known.pages.first();
    let Some((id, category, campaign, due, expires)) = about
        .or_else(|| page.map(|page| (&page.push, page.category, &page.campaign, page.due, page.expires)))
    else {
        return String::new();
    };
    text(&KnownReply {
        id: id.as_str(),
        status,
        category,
        campaign: campaign.as_deref(),
        created_at: id.created().rfc3339(),
        due_at: due.rfc3339(),
        expires_at: expires.rfc3339(),
        percent,
        counts,
        deliveries: known
            .pages
            .iter()
            .flat_map(|page| &page.deliveries)
            .map(|have| delivery(have, true))
            .collect(),
        next: known.next.as_deref().and_then(|key| key.get(id.tail().len()..)),
    })
}

/// Where a push is as a whole.
fn status(counts: &Table<&'static str, u64>) -> &'static str {
    let some = |name: &str| counts.get(name).is_some_and(|n| *n > 0);
    match (some("queued"), some("sending"), some("retrying") || some("held")) {
        (true, ..) if counts.len() == 1 => "queued",
        (true, ..) | (_, true, _) => "sending",
        (false, false, true) => "retrying",
        (false, false, false) => "done",
    }
}

fn delivery(delivery: &Delivery, with_trace: bool) -> DeliveryReply<'_> {
    let (user, device, target) = match &delivery.recipient {
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
        vendor: delivery.vendor,
        state: delivery.state,
        reason: delivery.reason,
        vendor_id: delivery.vendor_id.as_deref(),
        detail: delivery.detail.as_deref(),
        shortened: delivery.shortened,
        downgraded: delivery.downgraded,
        until: delivery.until.map(|at| at.rfc3339()),
        seen: delivery.seen.map(|(seen, _)| seen),
        seen_at: delivery.seen.map(|(_, at)| at.rfc3339()),
        tries: with_trace.then_some(delivery.tried()),
        trace: if with_trace { trace(delivery) } else { Vec::new() },
    }
}

/// Everything a delivery has been, and what it is.
fn trace(delivery: &Delivery) -> Vec<StepReply<'_>> {
    let Delivery { state, since, reason, detail, trace, .. } = delivery;
    let earlier = trace.iter().map(|step| (step.at, step.state, step.reason, step.detail.as_deref()));
    earlier
        .chain([(*since, *state, *reason, detail.as_deref())])
        .map(|(at, step, reason, detail)| StepReply { at: at.rfc3339(), step, reason, detail })
        .collect()
}

/// An app: what may be shown of it. Where its vendors report to is shown to the admin, who may do everything.
pub fn app(app: &App, config: &Config) -> String {
    let (tenant, keys) = (app.tenant(), &config.seal_keys);
    let reporting = app.credentials.keys().filter(|vendor| vendor.spec().receipts.is_some());
    let receipts: Table<_, _> =
        gather(reporting.map(|vendor| (vendor, receipts::path(keys, &tenant, *vendor))));
    let untold = app.credentials.iter().filter_map(|(vendor, credential)| {
        Some((vendor, receipts::url(config, &tenant, *vendor, &credential.facts).err()?.words()?))
    });
    let untold: Table<_, _> = gather(untold);
    let credentials: Table<_, _> =
        gather(app.credentials.iter().map(|(vendor, credential)| (vendor, shown(credential))));
    let own_keys: Vec<Value> = app.keys.iter().map(key_record).collect();
    let user_token_keys: Vec<Value> = app.user_token_keys.iter().map(user_token_key).collect();
    text(&json!({
        "id": app.id, "credentials": credentials, "receipts": receipts, "receipts_untold": untold, "policy": app.policy, "keys": own_keys,
        "user_token_keys": user_token_keys, "created_at": app.created_at.rfc3339(), "updated_at": app.updated_at.rfc3339(),
    }))
}

/// The open part, and under which seal key the rest lies: after a change of `SEAL_KEY` it tells what is still to be
/// given again.
fn shown(credential: &Credential) -> Value {
    let mut shown = serde_json::to_value(&credential.facts).unwrap_or_default();
    // Under the vendor's name, which is the name of the field that this becomes.
    if let Some(facts) = shown.as_object_mut().and_then(|vendor| vendor.values_mut().next()) {
        shown = facts.take();
    }
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("sealed_with".into(), credential.sealed.key_id.as_str().into());
    }
    shown
}

/// A key of user tokens: of the secret one only under which seal key it lies.
fn user_token_key(key: &UserTokenKey) -> Value {
    match key {
        UserTokenKey::Hs256(sealed) => json!({"alg": "HS256", "sealed_with": sealed.key_id}),
        UserTokenKey::Es256(point) => json!({"alg": "ES256", "public_point": point}),
    }
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

/// A device as it is shown. Its token is not: whoever may read devices need not be able to send to them elsewhere.
#[derive(Serialize)]
struct DeviceReply<'a> {
    device: &'a str,
    platform: Platform,
    vendor: Vendor,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<Environment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<Kind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    activity: Option<&'a str>,
    permission: Permission,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    locale: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_zone: Option<&'a str>,
    source: Source,
    created_at: String,
    token_since: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    seen_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suspect_since: Option<String>,
}

fn device_reply(device: &Device) -> DeviceReply<'_> {
    let Registration { platform, address, permission, app_version, locale, time_zone, kind, activity } =
        &device.registration;
    DeviceReply {
        device: device.id.as_str(),
        platform: *platform,
        vendor: address.vendor,
        environment: address.environment,
        topic: address.topic.as_deref(),
        kind: (*kind != Kind::Alert).then_some(*kind),
        activity: activity.as_deref(),
        permission: *permission,
        app_version: app_version.as_deref(),
        locale: locale.as_deref(),
        time_zone: time_zone.as_deref(),
        source: device.source,
        created_at: device.created_at.rfc3339(),
        token_since: device.token_since.rfc3339(),
        seen_at: (device.seen_at > Millis(0)).then(|| device.seen_at.rfc3339()),
        suspect_since: device.suspect_since.map(Millis::rfc3339),
    }
}

/// A device.
pub fn device(device: &Device) -> String {
    text(&device_reply(device))
}

#[derive(Serialize)]
struct UserReply<'a> {
    user: &'a UserId,
    devices: Vec<DeviceReply<'a>>,
    preferences: PreferencesReply<'a>,
    dead: Vec<DeadReply<'a>>,
}

#[derive(Serialize)]
struct DeadReply<'a> {
    device: &'a str,
    vendor: Vendor,
    at: String,
}

/// In the form in which they are changed.
#[derive(Serialize)]
struct PreferencesReply<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    locale: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_zone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quiet_hours: Option<&'a QuietHours>,
    opt_out: Table<&'static str, bool>,
    tags: &'a [String],
}

/// A user: devices, preferences, and what vendors called dead of late.
pub fn user(user: &UserId, person: &Person) -> String {
    let Person { devices, preferences, dead } = person;
    let Preferences { locale, time_zone, quiet_hours, opt_out, tags } = preferences;
    text(&UserReply {
        user,
        devices: devices.iter().map(device_reply).collect(),
        preferences: PreferencesReply {
            locale: locale.as_deref(),
            time_zone: time_zone.as_deref(),
            quiet_hours: quiet_hours.as_ref(),
            opt_out: gather(opt_out.iter().map(|category| (category.name(), true))),
            tags,
        },
        dead: dead
            .iter()
            .map(|dead| DeadReply {
                device: dead.device.as_str(),
                vendor: dead.vendor,
                at: dead.at.rfc3339(),
            })
            .collect(),
    })
}

/// What was erased of a user.
pub fn erased(user: &UserId, erased: &Erased) -> String {
    let Erased { devices, preferences, claims, copy, pending } = erased;
    text(&json!({
        "user": user, "devices": devices, "preferences": preferences, "claims": claims, "copy": copy,
        "pending": pending,
    }))
}

/// Whether to ask for permission.
pub fn advice(advice: &Advice) -> String {
    let mut shown = json!({"advice": advice.advise, "reason": advice.reason, "missed": advice.missed});
    if let (Some(at), Some(fields)) = (advice.again_at, shown.as_object_mut()) {
        fields.insert("again_at".into(), at.rfc3339().into());
    }
    text(&shown)
}

/// Plain data never fails to serialize.
fn text(value: &impl Serialize) -> String {
    text::write(value)
}
