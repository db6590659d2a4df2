//! A draft, its tokens, a bearer → the HTTP request.

use super::SPEC;
use crate::vendor::{Body, Facts, Outbound, payload::with_member, spec::Call};

/// The request for all tokens of a call.
pub(super) fn request(facts: &Facts, call: &Call<'_>) -> Result<Outbound, &'static str> {
    let host = SPEC.hosts.first().ok_or("no host")?;
    let project = facts.open("project_id").ok_or("the credential has no `project_id`")?;
    let target = format!("{{\"token\":{}}}", call.token_list());
    let mut headers = vec![
        ("authorization", format!("Bearer {}", call.bearer)),
        ("content-type", "application/json; charset=utf-8".to_owned()),
    ];
    headers.extend(call.draft.headers.iter().map(|(name, value)| (*name, value.fill(call.ids))));
    Ok(Outbound {
        url: format!("https://{host}/v3/{project}/messages:send"),
        headers,
        body: Body::Text(with_member(&call.draft.body.fill(call.ids), "target", &target)),
    })
}
