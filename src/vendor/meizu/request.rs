//! A draft, its tokens, a secret → the HTTP request.

use serde_json::Value;

use super::SPEC;
use crate::{
    crypto::hash,
    vendor::{Facts, Outbound, exchange::post_form, payload::form, spec::Call},
};

/// `sign`: the parameters in the order of their names as `name=value` with nothing between, the secret behind, and of that
/// the MD5.
pub(super) fn sign(sorted: &[(&str, &str)], secret: &str) -> String {
    let all: String = sorted.iter().map(|(name, value)| format!("{name}={value}")).collect();
    hash::md5_hex(format!("{all}{secret}").as_bytes())
}

/// The request for all tokens of a call.
pub(super) fn request(facts: &Facts, call: &Call<'_>) -> Result<Outbound, &'static str> {
    let host = SPEC.hosts.first().ok_or("no host")?;
    let app = facts.open("app_id").ok_or("the credential has no `app_id`")?;
    let (message, tokens) = (call.draft.body.fill(call.ids), call.tokens().collect::<Vec<_>>().join(","));
    let sign = sign(&[("appId", app), ("messageJson", &message), ("pushIds", &tokens)], call.bearer);
    let (app, message, tokens, sign) =
        (Value::from(app), Value::from(message), Value::from(tokens), Value::from(sign));
    let body = form([("appId", &app), ("messageJson", &message), ("pushIds", &tokens), ("sign", &sign)]);
    Ok(post_form(&format!("https://{host}/garcia/api/server/push/varnished/pushByPushId"), body))
}
