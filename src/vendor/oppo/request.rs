//! A draft, its tokens, a bearer → the HTTP request.

use serde_json::Value;

use super::SPEC;
use crate::vendor::{Facts, Outbound, exchange::post_form, payload::form, spec::Call};

/// Which host a token belongs to: `<brand>_CN_<id>`, `CN_<id>` and bare ids are of the mainland.
pub(in crate::vendor) fn host(token: &str) -> &'static str {
    let parts: Vec<&str> = token.split('_').collect();
    let mainland = matches!(parts.as_slice(), [_] | ["CN", _] | [_, "CN", _]);
    SPEC.hosts.get(usize::from(!mainland)).copied().unwrap_or_default()
}

/// The request for all tokens of a call, which are of one host. Each message carries its delivery's own id.
pub(super) fn request(_facts: &Facts, call: &Call<'_>) -> Result<Outbound, &'static str> {
    let host = host(call.first()?.address.token.reveal());
    let one = |to: &crate::vendor::spec::To<'_>| {
        let token = Value::from(to.address.token.reveal());
        format!(
            "{{\"target_type\":2,\"target_value\":{token},\"notification\":{}}}",
            call.draft.body.fill(to.ids)
        )
    };
    let messages = format!("[{}]", call.to.iter().map(one).collect::<Vec<_>>().join(","));
    let (token, messages) = (Value::from(call.bearer), Value::from(messages));
    let body = form([("auth_token", &token), ("messages", &messages)]);
    Ok(post_form(&format!("https://{host}/server/v1/message/notification/unicast_batch"), body))
}
