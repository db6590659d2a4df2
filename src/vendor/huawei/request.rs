//! A draft, its tokens, a bearer → the HTTP request.

use super::SPEC;
use crate::vendor::{Body, Facts, Outbound, payload::with_member, spec::Call};

/// The request for all tokens of a call.
pub(super) fn request(facts: &Facts, call: &Call<'_>) -> Result<Outbound, &'static str> {
    let host = SPEC.hosts.first().ok_or("no host")?;
    let path = match (facts.open("project_id"), facts.open("client_id")) {
        (Some(project), _) => format!("v2/{project}"),
        (None, Some(client)) => format!("v1/{client}"),
        (None, None) => return Err("the credential has no `client_id`"),
    };
    let message = with_member(&call.draft.body.fill(call.ids), "token", &call.token_list());
    Ok(Outbound {
        url: format!("https://{host}/{path}/messages:send"),
        headers: vec![
            ("authorization", format!("Bearer {}", call.bearer)),
            ("content-type", "application/json; charset=utf-8".to_owned()),
        ],
        body: Body::Text(format!("{{\"validate_only\":false,\"message\":{message}}}")),
    })
}
