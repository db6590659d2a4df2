//! A draft, its tokens, a bearer → the HTTP request.

use super::SPEC;
use crate::vendor::{Body, Facts, Outbound, payload::with_member, spec::Call};

/// The request for all tokens of a call.
pub(super) fn request(facts: &Facts, call: &Call<'_>) -> Result<Outbound, &'static str> {
    let host = SPEC.hosts.first().ok_or("no host")?;
    let app = facts.open("app_id").ok_or("the credential has no `app_id`")?;
    Ok(Outbound {
        url: format!("https://{host}/api/v1/{app}/sendMessage"),
        headers: vec![
            ("authorization", format!("Bearer {}", call.bearer)),
            ("timestamp", call.now.0.to_string()),
            ("content-type", "application/json; charset=UTF-8".to_owned()),
        ],
        body: Body::Text(with_member(&call.draft.body.fill(call.ids), "token", &call.token_list())),
    })
}
