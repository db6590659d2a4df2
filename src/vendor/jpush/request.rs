//! A draft, its tokens, a secret → the HTTP request.

use super::SPEC;
use crate::vendor::{Body, Facts, Outbound, payload::with_member, spec::Call};

/// The request for all registration ids of a call.
pub(super) fn request(facts: &Facts, call: &Call<'_>) -> Result<Outbound, &'static str> {
    let host = SPEC.hosts.first().ok_or("no host")?;
    let app = facts.open("app_key").ok_or("the credential has no `app_key`")?;
    let cid = crate::wire::text::write(&format!("{app}-{}", call.ids.uuid()));
    let audience = format!("{{\"registration_id\":{}}}", call.token_list());
    let body = with_member(&call.draft.body.fill(call.ids), "audience", &audience);
    // A registration id belongs to one platform: all of them fit.
    let body = with_member(&with_member(&body, "platform", "\"all\""), "cid", &cid);
    Ok(Outbound {
        url: format!("https://{host}/v3/push"),
        headers: vec![
            ("authorization", format!("Basic {}", call.bearer)),
            ("content-type", "application/json".to_owned()),
        ],
        body: Body::Text(body),
    })
}
