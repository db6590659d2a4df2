//! What vendors report of messages later: a module's `receipts` reads its vendor's body into [`Receipt`]s. Codes that a module
//! does not know are passed over: they say nothing of a delivery that could be relied on.

use serde_json::Value;

use super::{said, words::words};
use crate::{
    model::{
        delivery::{Reason, Seen},
        ids::PushId,
    },
    wire::ledger::Event,
};

/// How a vendor reports.
pub struct Receipts {
    /// The reports in a body. `None`: it is not of the vendor's form.
    pub read: fn(&str) -> Option<Vec<Receipt>>,
    /// What the vendor wants to be answered.
    pub answer: &'static str,
    /// It can sign its calls: with `callback_user` and `callback_secret` of the credential.
    pub signs: bool,
}

/// One report about tokens of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Our own name of the call, which the vendor has carried along.
    pub tag: String,
    /// The tokens it is about.
    pub tokens: Vec<String>,
    /// What it says.
    pub event: Event,
}

/// Most tokens of one body.
pub const TOKENS_MAX: usize = 10_000;

/// The push and the number in it that a delivery's id (`ep_id`, and what vendors carry along) names.
pub fn place(id: &str) -> Option<(PushId, u32)> {
    let (push, n) = id.split_once('.')?;
    Some((PushId::parse(push)?, n.parse().ok()?))
}

/// It came to the phone.
pub(super) const RECEIVED: Event = Event::Seen(Seen::Received);
/// It was tapped.
pub(super) const CLICKED: Event = Event::Seen(Seen::Clicked);

/// It did not arrive, with the vendor's code.
pub(super) fn lost(reason: Reason, code: impl std::fmt::Display) -> Event {
    Event::Lost(reason, words(&format!("receipt {code}")))
}

/// A report with these parts, if all are there.
pub(super) fn receipt(tag: Option<&Value>, tokens: Option<&Value>, event: Option<Event>) -> Option<Receipt> {
    let tokens = match tokens? {
        Value::String(list) => list.split(',').map(|token| token.trim().to_owned()).collect(),
        Value::Array(list) => list.iter().filter_map(|token| token.as_str().map(str::to_owned)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return None,
    };
    Some(Receipt { tag: said::text(tag?)?, tokens, event: event? })
}

/// Reports in an object whose names are message ids: what is behind each is a report (Xiaomi, vivo, Meizu).
pub(super) fn by_message(body: &str, event: fn(&Value) -> Option<Event>) -> Option<Vec<Receipt>> {
    let body: Value = serde_json::from_str(body).ok()?;
    let reports = body.as_object()?.values();
    Some(reports.filter_map(|one| receipt(one.get("param"), one.get("targets"), event(one))).collect())
}

/// Reports of Huawei and of Honor, which was Huawei's: `{"statuses": [{token, biTag, …}]}`.
pub(super) fn statuses(body: &str, event: fn(i64, &Value) -> Option<Event>) -> Option<Vec<Receipt>> {
    let body: Value = serde_json::from_str(body).ok()?;
    let one = |one: &Value| {
        // Version 2 of Huawei's reports has its code one level deeper.
        let code = one.get("status").or_else(|| one.get("deliveryStatus")?.get("result"));
        receipt(one.get("biTag"), one.get("token"), event(said::number(code?)?, one))
    };
    Some(body.get("statuses")?.as_array()?.iter().filter_map(one).collect())
}

/// A field of a form.
pub(super) fn form_field(body: &str, name: &str) -> Option<String> {
    let value = body.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
    let spaces = value.replace('+', " ");
    Some(percent_encoding::percent_decode_str(&spaces).decode_utf8().ok()?.into_owned())
}

/// The success answer of Huawei and Honor.
pub(super) const SUCCESS: &str = r#"{"code":"0","message":"success"}"#;
