//! The exchange of a signed assertion for an access token (RFC 7523), and what its answers mean.

use serde_json::Value;

use super::credential::Credential;
use crate::{
    model::{
        delivery::Reason,
        outcome::{Answer, Reply},
        secret::Secret,
        time::Millis,
    },
    vendor::{Body, Outbound, words::words},
    wire::account::Bearer,
};

/// The one place that a key's signature is sent to.
pub(super) const TOKEN_URL: &str = "https://oauth2.googleapis.com/token";

/// A new token is asked for so long before the old one ends, seconds.
const MARGIN: u64 = 300;
/// No token of Google's lasts longer, seconds.
const LIFE_MAX: u64 = 3_600;

impl Credential {
    /// The request for an access token. `None`: the key does not sign.
    pub fn token_request(&self, now: Millis) -> Option<Outbound> {
        let assertion = self.assertion(now)?;
        // A JWT is of an alphabet that needs no encoding in a form.
        let body =
            format!("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={assertion}");
        let headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
        Some(Outbound { url: TOKEN_URL.to_owned(), headers, body: Body::Text(body) })
    }
}

/// The access token in the answer. `revision` is that of the credential it was asked for with. Asking twice harms
/// nothing, so silence is trouble of the vendor's and no more.
pub fn bearer_from(answer: &Answer, revision: u64, now: Millis) -> Result<Bearer, (Reason, String)> {
    let reply = match answer {
        Answer::Reply(reply) => reply,
        Answer::NotSent(why) | Answer::Silence(why) => {
            return Err((Reason::VendorUnavailable, format!("access token: {why}")));
        }
        Answer::Late => return Err((Reason::VendorUnavailable, "access token: not asked for".into())),
    };
    let body: Option<Value> = serde_json::from_str(&reply.body).ok().filter(|_| reply.whole);
    let Some(body) = body else { return Err(not_google(reply.status)) };
    if reply.status != 200 {
        return Err(refusal(reply, &body));
    }
    let token = body.get("access_token").and_then(Value::as_str);
    // It becomes a header.
    let token = token.filter(|token| !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic()));
    let token = token.ok_or_else(|| not_google(reply.status))?;
    let life = body.get("expires_in").and_then(Value::as_u64).unwrap_or(MARGIN).min(LIFE_MAX);
    let renew_at = now.plus_secs(life.saturating_sub(MARGIN).max(life / 2));
    Ok(Bearer { token: Secret::new(token), renew_at, revision })
}

fn not_google(status: u16) -> (Reason, String) {
    (Reason::VendorUnavailable, format!("access token: HTTP {status} from something that is not Google"))
}

/// OAuth errors (RFC 6749 section 5.2): a code and a sentence.
fn refusal(reply: &Reply, body: &Value) -> (Reason, String) {
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let (error, said) = (text("error"), words(text("error_description")));
    let reason = match reply.status {
        429 => Reason::RateLimited,
        400..=403 if !error.is_empty() => Reason::Credentials,
        _ => Reason::VendorUnavailable,
    };
    let advice = match (reason, error) {
        (Reason::Credentials, "invalid_grant") => {
            "; the account or its key was deleted or replaced, or the gateway's clock is wrong: make a new key \
             (Project settings → Service accounts) and PUT it as `credentials.fcm`"
        }
        (Reason::Credentials, _) => {
            "; check that the service account may use the Firebase Cloud Messaging API"
        }
        _ => "",
    };
    (reason, format!("access token: HTTP {} {}: {said}{advice}", reply.status, words(error)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vendor::sample::{NOW, RSA_TEST_KEY};

    fn answer(status: u16, body: &str) -> Answer {
        Answer::Reply(Reply { status, body: body.into(), whole: true, ..Reply::default() })
    }

    fn lasts(expires_in: &str) -> u64 {
        let body =
            format!(r#"{{"access_token":"ya29.a-b_c","expires_in":{expires_in},"token_type":"Bearer"}}"#);
        let bearer = bearer_from(&answer(200, &body), 7, NOW).unwrap();
        assert_eq!((bearer.token.reveal(), bearer.revision), ("ya29.a-b_c", 7));
        (bearer.renew_at.0 - NOW.0) / 1_000
    }

    #[test]
    fn a_token_is_used_until_shortly_before_its_end() {
        assert_eq!(lasts("3599"), 3_299);
        assert_eq!(lasts("400"), 200);
        assert_eq!(lasts("0"), 0);
        assert_eq!(lasts("999999999999"), 3_300);
        assert_eq!(lasts("\"soon\""), 150);
    }

    #[test]
    fn the_request_is_a_form_with_one_assertion() {
        let file = serde_json::json!({
            "type": "service_account", "project_id": "parcels-1", "private_key_id": "kid1",
            "private_key": RSA_TEST_KEY, "client_email": "push@parcels-1.iam.gserviceaccount.com"
        });
        let json = crate::line::parse::json::Json::parse(&file.to_string()).unwrap();
        let credential = Credential::parse(json, "").unwrap();
        let request = credential.token_request(NOW).unwrap();
        assert_eq!(request.url, "https://oauth2.googleapis.com/token");
        assert_eq!(request.headers, [("content-type", "application/x-www-form-urlencoded".to_owned())]);
        let assertion = credential.assertion(NOW).unwrap();
        assert_eq!(
            request.body.text().unwrap(),
            format!("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={assertion}")
        );
    }

    #[test]
    fn every_refusal_has_its_reason() {
        let unavailable = Reason::VendorUnavailable;
        for (status, body, reason) in [
            (
                400,
                r#"{"error":"invalid_grant","error_description":"Invalid JWT Signature."}"#,
                Reason::Credentials,
            ),
            (
                400,
                r#"{"error":"invalid_scope","error_description":"Invalid OAuth scope"}"#,
                Reason::Credentials,
            ),
            (401, r#"{"error":"invalid_client","error_description":"no"}"#, Reason::Credentials),
            (401, r#"{"error":"unauthorized_client"}"#, Reason::Credentials),
            (403, r#"{"error":"access_denied"}"#, Reason::Credentials),
            (429, r#"{"error":"rate_limit_exceeded"}"#, Reason::RateLimited),
            (429, "{}", Reason::RateLimited),
            (500, r#"{"error":"internal_failure"}"#, unavailable),
            (503, "{}", unavailable),
            (400, "<html>", unavailable),
            (400, "{}", unavailable),
            (404, r#"{"error":"not_found"}"#, unavailable),
            (502, "", unavailable),
            (302, "", unavailable),
            (200, "", unavailable),
            (200, "<html>", unavailable),
            (200, "{}", unavailable),
            (200, r#"{"access_token":""}"#, unavailable),
            (200, r#"{"access_token":"a\r\nx: y"}"#, unavailable),
        ] {
            assert_eq!(bearer_from(&answer(status, body), 1, NOW).unwrap_err().0, reason, "{status} {body}");
        }
        for answer in [Answer::NotSent("x".into()), Answer::Silence("x".into())] {
            assert_eq!(bearer_from(&answer, 1, NOW).unwrap_err().0, unavailable);
        }
        let cut = Answer::Reply(Reply { status: 200, body: "{}".into(), whole: false, ..Reply::default() });
        assert_eq!(bearer_from(&cut, 1, NOW).unwrap_err().0, unavailable);
    }

    #[test]
    fn a_refused_key_is_told_in_googles_words_and_with_what_to_do() {
        let body = r#"{"error":"invalid_grant","error_description":"Invalid JWT Signature."}"#;
        let detail = bearer_from(&answer(400, body), 1, NOW).unwrap_err().1;
        assert!(
            detail.starts_with("access token: HTTP 400 invalid_grant: Invalid JWT Signature.; the account")
        );
        assert!(detail.contains("clock") && detail.contains("credentials.fcm"), "{detail}");
    }
}
