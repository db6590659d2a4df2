//! A secret for an access token: what the vendors' exchanges have in common. The `Account` object makes them.

use serde_json::Value;

use super::{Body, Keys, Outbound, payload::form, words::words};
use crate::{
    model::{
        delivery::Reason,
        outcome::{Answer, Reply},
        secret::Secret,
        time::Millis,
    },
    wire::{account::Bearer, text},
};

/// A new token is asked for so long before the old one ends, seconds.
const MARGIN: u64 = 300;

/// How a vendor gives access tokens.
pub struct Exchange {
    /// The request.
    pub request: fn(&Keys, Millis) -> Outbound,
    /// The token in the answer and for how many seconds it is good. `Err`: why there is none.
    pub read: fn(&Reply, &Value) -> Read,
}

/// A token and for how many seconds it is good, or why there is none.
pub(super) type Read = Result<(String, u64), (Reason, String)>;

impl Exchange {
    /// The token in the answer. `revision` is that of the credential it was asked for with. Asking twice harms nothing, so
    /// silence is trouble of the vendor's and no more.
    pub fn bearer(&self, answer: &Answer, revision: u64, now: Millis) -> Result<Bearer, (Reason, String)> {
        let down = |why: &str| (Reason::VendorUnavailable, format!("access token: {why}"));
        let reply = match answer {
            Answer::Reply(reply) => reply,
            Answer::NotSent(why) | Answer::Silence(why) => return Err(down(why)),
            Answer::Late => return Err(down("not asked for")),
        };
        let body: Option<Value> = serde_json::from_str(&reply.body).ok().filter(|_| reply.whole);
        let Some(body) = body else { return Err(not_the_vendor(reply)) };
        let (token, life) = (self.read)(reply, &body)?;
        // It becomes a header or a form's field.
        if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(not_the_vendor(reply));
        }
        let renew_at = now.plus_secs(life.saturating_sub(MARGIN).max(life / 2));
        Ok(Bearer { token: Secret::new(token), renew_at, revision })
    }
}

fn not_the_vendor(reply: &Reply) -> (Reason, String) {
    (
        Reason::VendorUnavailable,
        format!("access token: HTTP {} from something that is not the vendor", reply.status),
    )
}

/// The request of a client for itself (RFC 6749 section 4.4), the client's secret in the form (section 2.3.1).
pub(super) fn client_credentials(url: &str, keys: &Keys) -> Outbound {
    let field = |name: &str| Value::from(keys.get(name));
    let (id, secret) = (field("client_id"), field("client_secret"));
    let grant = Value::from("client_credentials");
    let body = form([("grant_type", &grant), ("client_id", &id), ("client_secret", &secret)]);
    post_form(url, body)
}

/// A form to be sent.
pub(super) fn post_form(url: &str, body: String) -> Outbound {
    let headers = vec![("content-type", "application/x-www-form-urlencoded; charset=utf-8".to_owned())];
    Outbound { url: url.to_owned(), headers, body: Body::Text(body) }
}

/// The answer to it (RFC 6749 sections 5.1 and 5.2).
pub(super) fn oauth(reply: &Reply, body: &Value) -> Read {
    let text = |name: &str| {
        body.get(name).map(|value| value.as_str().map_or_else(|| text::write(value), str::to_owned))
    };
    if let (200, Some(token)) = (reply.status, body.get("access_token").and_then(Value::as_str)) {
        return Ok((token.to_owned(), body.get("expires_in").and_then(Value::as_u64).unwrap_or(2 * MARGIN)));
    }
    let error = text("error").unwrap_or_default();
    let reason = match reply.status {
        429 | 503 => Reason::RateLimited,
        400..=405 => Reason::Credentials,
        _ => Reason::VendorUnavailable,
    };
    let more = text("error_description").or_else(|| text("sub_error")).unwrap_or_default();
    Err((reason, format!("access token: HTTP {} {}: {}", reply.status, words(&error), words(&more))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vendor::sample::NOW;

    const OAUTH: Exchange =
        Exchange { request: |keys, _| client_credentials("https://a.example/t", keys), read: oauth };

    fn answer(status: u16, body: &str) -> Answer {
        Answer::Reply(Reply { status, body: body.into(), whole: true, ..Reply::default() })
    }

    #[test]
    fn a_token_is_used_until_shortly_before_its_end() {
        let life = |body: &str| OAUTH.bearer(&answer(200, body), 7, NOW).unwrap();
        let bearer = life(r#"{"access_token":"a\/b+c","expires_in":3600,"token_type":"Bearer"}"#);
        assert_eq!((bearer.token.reveal(), bearer.revision), ("a/b+c", 7));
        assert_eq!(bearer.renew_at.0 - NOW.0, 3_300_000);
        assert_eq!(life(r#"{"access_token":"t","expires_in":400}"#).renew_at.0 - NOW.0, 200_000);
        assert_eq!(life(r#"{"access_token":"t"}"#).renew_at.0 - NOW.0, 300_000);
    }

    #[test]
    fn every_refusal_has_its_reason() {
        for (status, body, reason) in [
            (400, r#"{"error":1101,"sub_error":20002}"#, Reason::Credentials),
            (401, r#"{"error":"unauthorized_client","error_description":"x"}"#, Reason::Credentials),
            (403, "{}", Reason::Credentials),
            (503, "{}", Reason::RateLimited),
            (429, "{}", Reason::RateLimited),
            (500, "{}", Reason::VendorUnavailable),
            (404, "{}", Reason::Credentials),
            (405, "{}", Reason::Credentials),
            (404, "<html>", Reason::VendorUnavailable),
            (200, "{}", Reason::VendorUnavailable),
            (200, "<html>", Reason::VendorUnavailable),
            (200, r#"{"access_token":"a b"}"#, Reason::VendorUnavailable),
        ] {
            assert_eq!(OAUTH.bearer(&answer(status, body), 1, NOW).unwrap_err().0, reason, "{status} {body}");
        }
        for answer in [Answer::NotSent("x".into()), Answer::Silence("x".into()), Answer::Late] {
            assert_eq!(OAUTH.bearer(&answer, 1, NOW).unwrap_err().0, Reason::VendorUnavailable);
        }
    }
}
