//! `POST /v1/push:explain`: what a push would come to, with the vendor's JSON as it would go out. Tokens, bearers and the secrets
//! of receipts' addresses are not shown.

use serde_json::{Value, json};

use super::{begin::Batch, receipts};
use crate::{
    config::Config,
    model::{
        app::App,
        delivery::{Delivery, Recipient, State},
        push::Category,
        table::gather,
    },
    vendor::Outbound,
    wire::text,
};

/// Stands where a token, bearer or secret would.
const HIDDEN: &str = "hidden";

/// The answer.
pub fn explain(config: &Config, app: &App, category: Category, batch: &Batch) -> String {
    let deliveries = batch.page.deliveries.iter().enumerate();
    let deliveries: Vec<Value> =
        deliveries.map(|(at, delivery)| one(app, category, batch, at, delivery)).collect();
    let queued = batch.page.deliveries.len() > super::parse::targets::DEVICES_MAX;
    let shown = json!({
        "category": category,
        "send_at": batch.page.due.rfc3339(),
        "expires_at": batch.page.expires.rfc3339(),
        "on_unknown": batch.page.on_unknown,
        "queued": queued,
        "deliveries": deliveries,
    });
    receipts::hide(config, app, text::write(&shown), HIDDEN)
}

fn one(app: &App, category: Category, batch: &Batch, at: usize, delivery: &Delivery) -> Value {
    let would = match delivery.state {
        State::Held => "hold",
        State::Sending | State::Retrying => "send",
        State::Accepted | State::Skipped | State::Failed | State::Unknown | State::Cancelled => "skip",
    };
    let mut shown = json!({"would": would});
    let Some(fields) = shown.as_object_mut() else { return shown };
    match &delivery.recipient {
        Recipient::User(user) => {
            fields.insert("user".into(), json!(user));
        }
        Recipient::Device(user, device) | Recipient::Missing(user, device) => {
            fields.insert("user".into(), json!(user));
            fields.insert("device".into(), json!(device));
        }
        Recipient::Token(index) => {
            fields.insert("target".into(), json!(format!("/to/tokens/{index}")));
        }
    }
    if let Some(reason) = delivery.reason {
        fields.insert("reason".into(), json!(reason));
    }
    if let Some(detail) = &delivery.detail {
        fields.insert("detail".into(), json!(detail));
    }
    if let Some(until) = delivery.until {
        fields.insert("until".into(), json!(until.rfc3339()));
    }
    let Some(vendor) = delivery.vendor else { return shown };
    fields.insert("vendor".into(), json!(vendor));
    if would == "send" {
        fields.insert("shortened".into(), json!(delivery.shortened));
        fields.insert("per_day".into(), json!(app.policy.per_day(vendor, category)));
        fields.insert("request".into(), request(app, batch, at).unwrap_or_default());
    }
    shown
}

fn request(app: &App, batch: &Batch, at: usize) -> Option<Value> {
    let entry = batch.entries.get(at)?;
    let address = entry.address.as_ref()?;
    let facts = &app.credentials.get(&address.vendor)?.facts;
    let draft = batch.drafts.get(&address.vendor)?;
    let Outbound { url, headers, body } =
        facts.preview(draft, address, &entry.ids, HIDDEN, batch.page.due)?;
    let headers: serde_json::Map<String, Value> =
        gather(headers.into_iter().map(|(name, value)| (name.to_owned(), value.into())));
    let body: Option<Value> =
        body.text().map(|text| serde_json::from_str(text).unwrap_or_else(|_| text.into()));
    Some(json!({"url": url, "headers": headers, "body": body}))
}
