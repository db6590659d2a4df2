//! A draft, one address, a bearer → the HTTP request.

use super::{HOSTS, credential::Facts, kind::SUFFIX};
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
    // What a push's type adds to the bundle id is added once, also where the operator gave it.
    let (suffixes, headers): (Vec<_>, Vec<_>) = draft.headers.iter().partition(|(name, _)| *name == SUFFIX);
    let suffix = suffixes.first().map(|(_, value)| value.fill(ids)).unwrap_or_default();
    let topic = facts.topic(to)?;
    let bundle = topic.strip_suffix(suffix.as_str()).unwrap_or(topic);
    let [production, sandbox] = HOSTS;
    let host = match facts.environment(to) {
        Environment::Production => production,
        Environment::Sandbox => sandbox,
    };
    let mut sent = vec![
        ("authorization", ["bearer ", bearer].concat()),
        ("apns-topic", [bundle, suffix.as_str()].concat()),
        ("apns-id", ids.uuid()),
        ("content-type", "application/json".to_owned()),
    ];
    sent.extend(headers.into_iter().map(|(name, value)| (*name, value.fill(ids))));
    let url = ["https://", host, "/3/device/", &to.token.reveal().to_ascii_lowercase()].concat();
    Ok(Outbound { url, headers: sent, body: Body::Text(draft.body.fill(ids)) })
}
