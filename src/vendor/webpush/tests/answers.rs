//! Every row of the tables of answers, in the services' own words.
//!
//! Mozilla's form is that of autopush-rs, `autoendpoint/src/error.rs`; Google's and Microsoft's words are those that
//! senders have reported (web-push-libs, zaru/webpush, rpush and others).

use crate::{
    model::{
        outcome::{Again, Certainty, Outcome, Reply, RetryWhy, Verdict},
        time::Millis,
    },
    vendor::webpush::classify,
};

const GONE: Outcome = Outcome::TokenGone { since: None, certainty: Certainty::Certain };
const DOUBT: Outcome = Outcome::TokenGone { since: None, certainty: Certainty::Ambiguous };
const NO: Outcome = Outcome::Credentials(Again::No);
const LATER: Outcome = Outcome::Retry { after: None, why: RetryWhy::Unavailable };
const SLOWER: Outcome = Outcome::Retry { after: None, why: RetryWhy::RateLimited };

fn reply(status: u16, body: &str) -> Reply {
    Reply { status, body: body.into(), whole: true, ..Reply::default() }
}

fn verdict(status: u16, body: &str) -> Verdict {
    classify(&reply(status, body), Millis(0))
}

#[test]
fn mozillas_numbers() {
    for (status, errno, message, outcome) in [
        (400, 101, "Missing necessary crypto keys", Outcome::Rejected),
        (400, 108, "Invalid router type", GONE),
        (400, 110, "Invalid crypto keys specified", Outcome::Rejected),
        (400, 111, "Missing TTL value", Outcome::Rejected),
        (400, 112, "Invalid TTL value specified", Outcome::Rejected),
        (400, 113, "Invalid Topic value", Outcome::Rejected),
        (400, 114, "Invalid Topic value", Outcome::Rejected),
        (401, 109, "Invalid Authentication", NO),
        (401, 109, "VAPID public key mismatch", DOUBT),
        (404, 102, "Invalid token", GONE),
        (410, 103, "UAID not found", GONE),
        (410, 105, "Endpoint became unavailable during request", GONE),
        (410, 106, "No such subscription", GONE),
        (413, 104, "Data payload too large", Outcome::TooLarge),
        (500, 999, "Unknown error", LATER),
        (502, 900, "Internal Bridge misconfiguration", LATER),
        (502, 901, "Internal Bridge authentication failed", LATER),
        (502, 902, "Internal Bridge timeout", LATER),
        (502, 903, "Internal Bridge received an unrecoverable error", LATER),
        (503, 201, "Use exponential back-off for retries", LATER),
        (503, 202, "Immediate retry ok", Outcome::Retry { after: Some(1), why: RetryWhy::Unavailable }),
    ] {
        let body = format!(
            r#"{{"code":{status},"errno":{errno},"error":"Some","message":"{message}","more_info":"http://autopush.readthedocs.io/en/latest/http.html#error-codes"}}"#
        );
        let expected = Verdict::new(outcome, format!("errno {errno}: {message}"));
        assert_eq!(verdict(status, &body), expected, "{errno}");
    }
    let busy = r#"{"code":503,"errno":201,"error":"Service Unavailable","message":"m","more_info":""}"#;
    let busy = Reply { retry_after: Some("120".into()), ..reply(503, busy) };
    let later = Outcome::Retry { after: Some(120), why: RetryWhy::Unavailable };
    assert_eq!(classify(&busy, Millis(0)).outcome, later);
    let without = r#"{"code":500,"errno":null,"error":"Internal Server Error","message":"General error","more_info":""}"#;
    assert_eq!(verdict(500, without), Verdict::new(LATER, "HTTP 500: General error"));
}

#[test]
fn apples_reasons() {
    for (status, reason, outcome) in [
        (400, "BadTtl", Outcome::Rejected),
        (400, "BadUrgency", Outcome::Rejected),
        (400, "BadWebPushTopic", Outcome::Rejected),
        (400, "BadWebPushRequest", Outcome::Rejected),
        (403, "BadJwtToken", NO),
        (403, "BadVapidPublicKey", NO),
        (400, "VapidPkHashMismatch", DOUBT),
        (403, "VapidPkHashMismatch", DOUBT),
        (400, "BadDeviceToken", DOUBT),
        (410, "Unregistered", GONE),
        (410, "ExpiredToken", GONE),
        (413, "PayloadTooLarge", Outcome::TooLarge),
        (429, "TooManyRequests", SLOWER),
        (500, "InternalServerError", LATER),
        (503, "ServiceUnavailable", LATER),
        (503, "Shutdown", LATER),
        // New ones, by their status.
        (400, "NewInSafari30", Outcome::Rejected),
        (403, "NewInSafari30", NO),
        (404, "NewInSafari30", DOUBT),
        (410, "NewInSafari30", GONE),
    ] {
        let verdict = verdict(status, &format!(r#"{{"reason":"{reason}"}}"#));
        assert_eq!(verdict.outcome, outcome, "{reason}");
        assert!(verdict.detail.unwrap().starts_with(reason));
    }
    assert!(verdict(403, r#"{"reason":"BadJwtToken"}"#).detail.unwrap().contains("`subject`"));
}

#[test]
fn googles_sentences() {
    let page = |title: &str, status: u16| {
        format!(
            "<HTML>\n<HEAD>\n<TITLE>{title}</TITLE>\n</HEAD>\n<BODY BGCOLOR=\"#FFFFFF\" TEXT=\"#000000\">\n<H1>{title}</H1>\n<H2>Error {status}</H2>\n</BODY>\n</HTML>\n"
        )
    };
    for (status, body, outcome, detail) in [
        (
            410,
            "push subscription has unsubscribed or expired.\n",
            GONE,
            "HTTP 410: push subscription has unsubscribed or expired.",
        ),
        (
            404,
            "A valid push subscription endpoint should be specified in the URL as such: https://fcm.googleapis.com/wp/dHIoDxE7Hdg:APA91bH1Zj0kNa...\n",
            GONE,
            "HTTP 404: A valid push subscription endpoint should be specified in the URL as such: …",
        ),
        (
            403,
            "the VAPID credentials in the authorization header do not correspond to the credentials used to create the subscriptions.\n",
            DOUBT,
            "HTTP 403: the VAPID credentials in the authorization header do not correspond to the credentials used to create the subscriptions.",
        ),
        (
            403,
            "the key in the authorization header does not correspond to the sender ID used to subscribe this user. Please ensure you are using the correct sender ID and server Key from the Firebase console.\n",
            DOUBT,
            "HTTP 403: the key in the authorization header does not correspond to the sender ID used to subscribe this user. Please ensure you are using the correct sender ID and server Key from the Firebase console.",
        ),
        (
            403,
            "aud claim in the token MUST include the origin of the push resource URL\n",
            NO,
            "HTTP 403: aud claim in the token MUST include the origin of the push resource URL",
        ),
        (
            401,
            "authorization header must be specified\n",
            NO,
            "HTTP 401: authorization header must be specified",
        ),
        (410, &page("NotRegistered", 410), GONE, "HTTP 410"),
        (400, &page("UnauthorizedRegistration", 400), NO, "HTTP 400"),
    ] {
        assert_eq!(verdict(status, body), Verdict::new(outcome, detail), "{body}");
    }
}

/// Microsoft says it with the status, and so do services that nobody has a table of.
#[test]
fn what_says_nothing_is_judged_by_its_status() {
    for (status, outcome) in [
        (301, Outcome::Rejected),
        (302, Outcome::Rejected),
        (400, Outcome::Rejected),
        (401, NO),
        (403, NO),
        (404, DOUBT),
        (405, Outcome::Rejected),
        (406, SLOWER),
        (408, LATER),
        (410, GONE),
        (413, Outcome::TooLarge),
        (422, Outcome::Rejected),
        (429, SLOWER),
        (500, LATER),
        (503, LATER),
        (522, LATER),
    ] {
        assert_eq!(verdict(status, ""), Verdict::new(outcome.clone(), format!("HTTP {status}")), "{status}");
        let other = verdict(status, r#"{"error":"something","http":1}"#);
        assert_eq!(other.outcome, outcome, "{status}");
    }
}

#[test]
fn what_no_service_said_is_never_a_dead_subscription() {
    let proxy = "<html>\r\n<head><title>404 Not Found</title></head></html>";
    let google = "<!DOCTYPE html><html lang=en><title>Error 404 (Not Found)!!1</title>";
    for page in [proxy, google, " <?xml version=\"1.0\"?><Error/>"] {
        for status in [302, 400, 401, 403, 404, 406, 410, 413] {
            assert_eq!(verdict(status, page), Verdict::not_the_vendor(status), "{status}");
        }
        assert_eq!(verdict(429, page).outcome, SLOWER);
        assert_eq!(verdict(502, page).outcome, LATER);
    }
    let gone = "push subscription has unsubscribed or expired.";
    for status in [404, 410] {
        let cut = Reply { whole: false, ..reply(status, gone) };
        assert_eq!(classify(&cut, Millis(0)), Verdict::not_the_vendor(status));
    }
}

#[test]
fn an_acceptance_keeps_the_services_id_whatever_the_body() {
    let id = |location: Option<&str>, apns_id: Option<&str>, status: u16| {
        let own = |text: &str| text.to_owned();
        let accepted =
            Reply { location: location.map(own), apns_id: apns_id.map(own), ..reply(status, "<html>") };
        classify(&accepted, Millis(0))
    };
    let google = "https://fcm.googleapis.com/0:1500415314455276%31bd1c9631bd1c96";
    assert_eq!(
        id(Some(google), None, 201),
        Verdict::accepted(Some("0:1500415314455276%31bd1c9631bd1c96".into()))
    );
    let mozilla = "https://updates.push.services.mozilla.com/m/gAAAAABX-_=";
    assert_eq!(id(Some(mozilla), None, 201), Verdict::accepted(Some("gAAAAABX-_=".into())));
    assert_eq!(id(None, Some("8E1B7D0C"), 201), Verdict::accepted(Some("8E1B7D0C".into())));
    for status in [200, 201, 202, 204] {
        for odd in [None, Some(""), Some("https://a.example/"), Some("a b"), Some("x/\u{e9}")] {
            assert_eq!(id(odd, None, status), Verdict::accepted(None), "{odd:?}");
        }
        assert_eq!(id(Some(&"x".repeat(256)), None, status), Verdict::accepted(None));
    }
}

#[test]
fn a_wait_that_is_asked_for_is_kept() {
    let after = |status: u16, value: &str| {
        let reply = Reply { retry_after: Some(value.into()), ..reply(status, "") };
        match classify(&reply, Millis(0)).outcome {
            Outcome::Retry { after, .. } => after,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(after(429, "30"), Some(30));
    assert_eq!(after(406, "30"), Some(30));
    assert_eq!(after(503, "0"), Some(1));
    assert_eq!(after(503, "soon"), None);
    assert_eq!(after(500, "99999"), Some(3_600));
}

#[test]
fn an_endpoint_that_a_service_quotes_is_left_out_of_the_detail() {
    let said = "no such endpoint https://push.example.org/up/secret?x (see http://a.example)";
    assert_eq!(verdict(404, said).detail.as_deref(), Some("HTTP 404: no such endpoint … (see …"));
}
