//! A draft, its tokens, a secret → the HTTP request.

use serde_json::{Map, Value};

use super::{SPEC, draft::payload};
use crate::{
    vendor::{
        Facts, Outbound,
        exchange::post_form,
        payload::{form, short},
        spec::Call,
    },
    wire::text,
};

/// The request for all tokens of a call.
pub(super) fn request(facts: &Facts, call: &Call<'_>) -> Result<Outbound, &'static str> {
    let [cn, ru, india, eu, global] = SPEC.hosts else { return Err("no host") };
    let host = match facts.open("region") {
        None | Some("cn") => cn,
        Some("ru") => ru,
        Some("in") => india,
        Some("eu") => eu,
        Some(_) => global,
    };
    let package = facts.open("package").ok_or("the credential has no `package`")?;
    let mut fields: Map<String, Value> = text::read(&call.draft.body.fill(call.ids)).unwrap_or_default();
    let data = fields.get("payload").map(payload).unwrap_or_default();
    fields.insert("payload".into(), data.into());
    fields.insert("registration_id".into(), call.tokens().collect::<Vec<_>>().join(",").into());
    fields.insert("restricted_package_name".into(), package.into());
    // Of messages with the same key a phone shows the first only: a repeated try does not ring twice.
    fields.insert("extra.jobkey".into(), short(&call.ids.uuid(), 20).into());
    let mut request = post_form(
        &format!("https://{host}/v3/message/regid"),
        form(fields.iter().map(|(name, value)| (name.as_str(), value))),
    );
    request.headers.push(("authorization", format!("key={}", call.bearer)));
    Ok(request)
}
