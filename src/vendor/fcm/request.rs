//! A draft, one address, a bearer → the HTTP request.

use super::{HOSTS, credential::Facts};
use crate::{
    model::device::Address,
    vendor::{Body, Draft, Ids, Outbound, payload::with_member},
    wire::text,
};

/// The request for one device.
pub fn request(facts: &Facts, draft: &Draft, to: &Address, ids: &Ids, bearer: &str) -> Outbound {
    let [host, _] = HOSTS;
    let message = with_member(&draft.body.fill(ids), "token", &text::write(to.token.reveal()));
    Outbound {
        url: ["https://", host, "/v1/projects/", &facts.project_id, "/messages:send"].concat(),
        headers: vec![
            ("authorization", ["Bearer ", bearer].concat()),
            ("content-type", "application/json".to_owned()),
        ],
        body: Body::Text(["{\"message\":", &message, "}"].concat()),
    }
}
