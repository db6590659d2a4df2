//! A draft, one subscription, a bearer, randomness → the HTTP request.

use super::{TOPIC, class::topic, credential::Facts, endpoint::Endpoint, subscription::Subscription};
use crate::{
    crypto::ece::{Once, Random, encrypt},
    model::device::Address,
    vendor::{Body, Draft, Ids, Outbound},
};

/// The request for one device. The randomness is used up by it.
pub fn request(
    facts: &Facts,
    draft: &Draft,
    to: &Address,
    ids: &Ids,
    bearer: &str,
    random: Option<&Random>,
) -> Result<Outbound, &'static str> {
    let subscription = Subscription::parse(to.token.reveal()).map_err(|_| "not a subscription")?;
    let once = random.and_then(Once::new).ok_or("no randomness")?;
    let plain = draft.body.fill(ids);
    let body = encrypt(plain.as_bytes(), &subscription.receiver, &once).ok_or("too large to encrypt")?;
    let headers = head(facts, draft, ids, bearer);
    Ok(Outbound { url: subscription.endpoint.url(), headers, body: Body::Bytes(body) })
}

/// The same for people: the payload in the open, and of the endpoint no more than its host.
pub fn preview(facts: &Facts, draft: &Draft, to: &Address, ids: &Ids, hidden: &str) -> Option<Outbound> {
    let url = format!("{}/{hidden}", Endpoint::of_token(to.token.reveal())?.origin());
    let headers = head(facts, draft, ids, hidden);
    Some(Outbound { url, headers, body: Body::Text(draft.body.fill(ids)) })
}

fn head(facts: &Facts, draft: &Draft, ids: &Ids, bearer: &str) -> Vec<(&'static str, String)> {
    let mut headers = vec![
        ("authorization", format!("vapid t={bearer}, k={}", facts.public_key)),
        ("content-encoding", "aes128gcm".to_owned()),
        ("content-type", "application/octet-stream".to_owned()),
    ];
    headers.extend(draft.headers.iter().map(|(name, value)| {
        let value = value.fill(ids);
        (*name, if *name == TOPIC { topic(&value) } else { value })
    }));
    headers
}
