//! Google's answer → a verdict: by FCM's own code, then by the canonical status, then by the HTTP status.

use serde_json::Value;

use crate::{
    model::{
        outcome::{Again, Certainty, Outcome, Reply, RetryWhy, Verdict},
        time::{Millis, retry_after},
    },
    vendor::words::words,
};

/// Shortest wait, seconds (second-hand: Google's page on scale says never sooner).
const WAIT_MIN: u32 = 10;
/// The wait of a sender that is told to slow down but not for how long, seconds.
const SLOW_DOWN: u32 = 60;

/// What came of a request. Every refusal of Google's is JSON with an `error`: anything else was said by something on
/// the way.
pub fn classify(reply: &Reply, now: Millis) -> Verdict {
    if matches!(reply.status, 200..=299) {
        return Verdict::accepted(message_id(&reply.body));
    }
    let fault = Fault::read(reply).filter(|_| reply.status >= 400);
    let Some(fault) = fault else { return Verdict::not_the_vendor(reply.status) };
    let asked = reply.retry_after.as_deref().and_then(|value| retry_after(value, now, WAIT_MIN));
    let outcome = by_code(&fault, asked).unwrap_or_else(|| by_status(reply.status, asked));
    Verdict::new(outcome, fault.detail())
}

/// The last part of `projects/<project>/messages/<id>`, as text.
fn message_id(body: &str) -> Option<String> {
    let body: Value = serde_json::from_str(body).ok()?;
    let id = body.get("name")?.as_str()?.rsplit('/').next()?;
    (!id.is_empty()).then(|| id.to_owned())
}

/// `google.rpc.Status` with FCM's details.
struct Fault {
    /// FCM's own code.
    code: Option<String>,
    /// Google's canonical status.
    status: String,
    /// Fields of the request that it is about.
    fields: Vec<String>,
    message: String,
}

impl Fault {
    fn read(reply: &Reply) -> Option<Self> {
        let body: Value = serde_json::from_str(&reply.body).ok().filter(|_| reply.whole)?;
        let error = body.get("error")?;
        error.as_object()?;
        let text = |of: &Value, name: &str| of.get(name).and_then(Value::as_str).map(str::to_owned);
        let list =
            |of: &Value, name: &str| of.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        let details = list(error, "details");
        let of_type = |wanted: &'static str| {
            details.iter().filter(move |detail| {
                detail.get("@type").and_then(Value::as_str).is_some_and(|kind| kind.ends_with(wanted))
            })
        };
        let violations = of_type("/google.rpc.BadRequest").flat_map(|detail| list(detail, "fieldViolations"));
        Some(Self {
            code: of_type("/google.firebase.fcm.v1.FcmError").find_map(|detail| text(detail, "errorCode")),
            status: text(error, "status").unwrap_or_default(),
            fields: violations.filter_map(|violation| text(&violation, "field")).collect(),
            message: text(error, "message").unwrap_or_default(),
        })
    }

    /// Code, fields and Google's sentence, each bounded.
    fn detail(&self) -> String {
        let code = words(self.code.as_deref().unwrap_or(&self.status));
        let fields = if self.fields.is_empty() {
            String::new()
        } else {
            format!(" ({})", words(&self.fields.join(", ")))
        };
        format!("{code}{fields}: {}", words(&self.message))
    }
}

fn limited(asked: Option<u32>) -> Outcome {
    Outcome::Retry { after: Some(asked.unwrap_or(SLOW_DOWN)), why: RetryWhy::RateLimited }
}

fn unavailable(asked: Option<u32>) -> Outcome {
    Outcome::Retry { after: Some(asked.unwrap_or(WAIT_MIN)), why: RetryWhy::Unavailable }
}

/// The table of codes. Without one of FCM's own, a 404 speaks of the project and a 401 of our access token.
fn by_code(fault: &Fault, asked: Option<u32>) -> Option<Outcome> {
    let gone = |certainty| Outcome::TokenGone { since: None, certainty };
    Some(match fault.code.as_deref().unwrap_or(&fault.status) {
        "UNREGISTERED" => gone(Certainty::Certain),
        "SENDER_ID_MISMATCH" => gone(Certainty::Ambiguous),
        "INVALID_ARGUMENT" => invalid_argument(fault),
        "QUOTA_EXCEEDED" | "RESOURCE_EXHAUSTED" => limited(asked),
        "INTERNAL" | "UNAVAILABLE" => unavailable(asked),
        // The key that the operator gave Firebase for APNs or Web Push, not ours.
        "THIRD_PARTY_AUTH_ERROR" | "APNS_AUTH_ERROR" => Outcome::Credentials(Again::No),
        "UNAUTHENTICATED" => Outcome::Credentials(Again::NewToken),
        "PERMISSION_DENIED" | "NOT_FOUND" => Outcome::Credentials(Again::No),
        _ => return None,
    })
}

/// One code for a bad token, a bad payload and one that is too large. Where no field is named only the sentence tells
/// them apart: without a word of the registration token nothing is said about it, since a payload of ours that Google
/// refuses would otherwise cost live tokens. Google's sentences are not documented: the ones below are from memory
/// (unverified).
fn invalid_argument(fault: &Fault) -> Outcome {
    let of_token = |field: &String| matches!(field.as_str(), "message.token" | "message.fid");
    let message = fault.message.to_ascii_lowercase();
    if !fault.fields.is_empty() && fault.fields.iter().all(of_token) {
        Outcome::TokenGone { since: None, certainty: Certainty::Certain }
    } else if !fault.fields.is_empty() {
        Outcome::Rejected
    } else if ["too big", "too large", "message size"].iter().any(|words| message.contains(words)) {
        Outcome::TooLarge
    } else if fault.code.is_some() && message.contains("registration token") {
        Outcome::TokenGone { since: None, certainty: Certainty::Ambiguous }
    } else {
        Outcome::Rejected
    }
}

/// For codes that are not in the table.
fn by_status(status: u16, asked: Option<u32>) -> Outcome {
    match status {
        401 => Outcome::Credentials(Again::NewToken),
        403 | 404 => Outcome::Credentials(Again::No),
        413 => Outcome::TooLarge,
        429 => limited(asked),
        408 | 500.. => unavailable(asked),
        _ => Outcome::Rejected,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ANY: Outcome = Outcome::Retry { after: Some(10), why: RetryWhy::Unavailable };
    const SLOWER: Outcome = Outcome::Retry { after: Some(60), why: RetryWhy::RateLimited };
    const NO: Outcome = Outcome::Credentials(Again::No);
    const NEW: Outcome = Outcome::Credentials(Again::NewToken);

    fn reply(status: u16, body: &str) -> Reply {
        Reply { status, body: body.into(), whole: true, ..Reply::default() }
    }

    #[test]
    fn an_unknown_code_is_kept_and_judged_by_its_status() {
        for (status, outcome) in [
            (400, Outcome::Rejected),
            (401, NEW),
            (403, NO),
            (404, NO),
            (408, ANY),
            (413, Outcome::TooLarge),
            (429, SLOWER),
            (500, ANY),
            (504, ANY),
        ] {
            let body = r#"{"error":{"status":"SOMETHING","message":"m","details":[{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"NEW_IN_2030"}]}}"#;
            assert_eq!(
                classify(&reply(status, body), Millis(0)),
                Verdict::new(outcome, "NEW_IN_2030: m"),
                "{status}"
            );
        }
        let canonical = r#"{"error":{"status":"ABORTED","message":"m"}}"#;
        assert_eq!(
            classify(&reply(409, canonical), Millis(0)),
            Verdict::new(Outcome::Rejected, "ABORTED: m")
        );
    }

    #[test]
    fn what_google_did_not_say_is_never_a_dead_token() {
        let unregistered = r#"{"error":{"code":404,"status":"NOT_FOUND","details":[{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"UNREGISTERED"}]}}"#;
        let cut = unregistered.trim_end_matches('}');
        for reply in [
            Reply { whole: false, ..reply(404, unregistered) },
            reply(404, cut),
            reply(404, ""),
            reply(404, "<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>"),
            reply(404, r#"{"error":"not found"}"#),
            reply(404, "[]"),
            reply(502, "<html>Bad Gateway</html>"),
            reply(504, ""),
            reply(522, "error code: 522"),
            reply(302, unregistered),
            reply(301, ""),
        ] {
            assert_eq!(classify(&reply, Millis(0)), Verdict::not_the_vendor(reply.status), "{reply:?}");
        }
    }

    #[test]
    fn an_acceptance_keeps_googles_id_as_text_whatever_the_body() {
        let id = |body: &str| classify(&reply(200, body), Millis(0));
        let name = r#"{"name":"projects/p/messages/0:1500415314455276%31bd1c9631bd1c96"}"#;
        assert_eq!(id(name), Verdict::accepted(Some("0:1500415314455276%31bd1c9631bd1c96".into())));
        let large = r#"{"name":"projects/p/messages/90071992547409931234"}"#;
        assert_eq!(id(large), Verdict::accepted(Some("90071992547409931234".into())));
        for unreadable in ["", "<html>", "{", r#"{"name":7}"#, r#"{"name":"projects/p/messages/"}"#] {
            assert_eq!(id(unreadable), Verdict::accepted(None), "{unreadable}");
        }
    }

    #[test]
    fn a_wait_that_is_asked_for_is_kept_above_ten_seconds() {
        let after = |status: u16, code: &str, value: &str| {
            let body = format!(r#"{{"error":{{"status":"{code}"}}}}"#);
            let reply = Reply { retry_after: Some(value.into()), ..reply(status, &body) };
            match classify(&reply, Millis(784_111_777_000)).outcome {
                Outcome::Retry { after, .. } => after,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(after(429, "RESOURCE_EXHAUSTED", "30"), Some(30));
        assert_eq!(after(429, "RESOURCE_EXHAUSTED", "0"), Some(10));
        assert_eq!(after(429, "RESOURCE_EXHAUSTED", "soon"), Some(60));
        assert_eq!(after(503, "UNAVAILABLE", "Sun, 06 Nov 1994 08:51:37 GMT"), Some(120));
        assert_eq!(after(503, "UNAVAILABLE", "Sun, 06 Nov 1994 08:40:37 GMT"), Some(10));
        assert_eq!(after(500, "INTERNAL", "99999"), Some(3_600));
    }

    #[test]
    fn a_token_that_google_quotes_is_left_out_of_the_detail() {
        let token = format!("fGw0qy4TQfmX9k7-ab_12:APA91b{}", "Hx-_9".repeat(27));
        let body =
            json!({"error": {"status": "INVALID_ARGUMENT", "message": format!("Bad token '{token}'")}});
        let detail = classify(&reply(400, &body.to_string()), Millis(0)).detail;
        assert_eq!(detail.as_deref(), Some("INVALID_ARGUMENT: Bad token '…'"));
    }
}
