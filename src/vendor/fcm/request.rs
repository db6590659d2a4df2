//! A draft, one address, a bearer → the HTTP request.

use serde_json::Value;

use super::{HOSTS, credential::Facts};
use crate::{
    model::device::Address,
    vendor::{Body, Draft, Ids, Outbound},
};

/// The request for one device.
pub fn request(facts: &Facts, draft: &Draft, to: &Address, ids: &Ids, bearer: &str) -> Outbound {
    const HEAD: &str = "{\"message\":{";
    let [host, _] = HOSTS;
    let token = Value::from(to.token.reveal());
    // A draft's message is never empty: our own fields are in it.
    let body = draft.body.fill(ids).replacen(HEAD, &format!("{HEAD}\"token\":{token},"), 1);
    Outbound {
        url: format!("https://{host}/v1/projects/{}/messages:send", facts.project_id),
        headers: vec![
            ("authorization", format!("Bearer {bearer}")),
            ("content-type", "application/json".to_owned()),
        ],
        body: Body::Text(body),
    }
}
