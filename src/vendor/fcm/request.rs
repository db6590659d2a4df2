//! A draft, one address, a bearer → the HTTP request.

use super::{HOSTS, credential::Facts};
use crate::{
    model::device::Address,
    vendor::{Body, Draft, Ids, Outbound},
    wire::text,
};

/// The request for one device.
pub fn request(facts: &Facts, draft: &Draft, to: &Address, ids: &Ids, bearer: &str) -> Outbound {
    const HEAD: &str = "{\"message\":{";
    let [host, _] = HOSTS;
    let filled = draft.body.fill(ids);
    // A draft's message is never empty: our own fields are in it.
    let rest = filled.strip_prefix(HEAD).unwrap_or_default();
    let body = [HEAD, "\"token\":", &text::write(to.token.reveal()), ",", rest].concat();
    Outbound {
        url: ["https://", host, "/v1/projects/", &facts.project_id, "/messages:send"].concat(),
        headers: vec![
            ("authorization", ["Bearer ", bearer].concat()),
            ("content-type", "application/json".to_owned()),
        ],
        body: Body::Text(body),
    }
}
