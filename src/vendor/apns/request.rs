//! A draft, one address, a bearer → the HTTP request.

use super::{HOSTS, credential::Facts};
use crate::{
    model::device::{Address, Environment},
    vendor::{Body, Draft, Ids, Outbound},
};

/// The request for one device. `Err`: nobody names a topic.
pub fn request(
    facts: &Facts,
    draft: &Draft,
    to: &Address,
    ids: &Ids,
    bearer: &str,
) -> Result<Outbound, &'static str> {
    let topic = facts.topic(to)?;
    let [production, sandbox] = HOSTS;
    let host = match facts.environment(to) {
        Environment::Production => production,
        Environment::Sandbox => sandbox,
    };
    let mut headers = vec![
        ("authorization", format!("bearer {bearer}")),
        ("apns-topic", topic.to_owned()),
        ("apns-id", ids.uuid.clone()),
        ("content-type", "application/json".to_owned()),
    ];
    headers.extend(draft.headers.iter().map(|(name, value)| (*name, value.fill(ids))));
    let url = format!("https://{host}/3/device/{}", to.token.reveal().to_ascii_lowercase());
    Ok(Outbound { url, headers, body: Body::Text(draft.body.fill(ids)) })
}
