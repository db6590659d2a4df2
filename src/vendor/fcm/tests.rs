//! Whole requests, literally; what the options and the limit make of them; and every row of the table of errors.

use serde_json::{Value, json};

use super::{Facts, classify, draft, request, token};
use crate::{
    model::{
        outcome::{Again, Certainty, Outcome, Reply, RetryWhy, Verdict},
        push::{Category, Message, Notification},
        time::Millis,
    },
    vendor::{
        Draft, TooLarge, Vendor,
        sample::{self, address, full, ids, message, object, push},
    },
};

fn made(message: &Message) -> Draft {
    draft(message, &push()).unwrap()
}

/// A draft's message, where the request has it.
fn body(draft: &Draft) -> String {
    format!("{{\"message\":{}}}", sample::body(draft))
}

fn json_of(draft: &Draft) -> Value {
    serde_json::from_str::<Value>(&body(draft)).unwrap()["message"].clone()
}

fn with_options(mut message: Message, options: Value) -> Message {
    message.options.fcm = object(options);
    message
}

#[test]
fn tokens_are_of_googles_alphabet() {
    let real_form = format!("fGw0qy4TQfmX9k7-ab_12:APA91b{}", "Hx-_9".repeat(27));
    for good in [real_form.as_str(), "a", &"a".repeat(4_096)] {
        assert_eq!(token(good), Ok(()));
    }
    for bad in ["", "a/b", "a b", "a\nb", "a\0", "é", "a\"b", &"a".repeat(4_097)] {
        assert!(token(bad).is_err(), "{bad:?}");
    }
}

/// What Google gets: a changed literal here is a changed request.
#[test]
fn every_categorys_request_is_pinned() {
    let written = |category| body(&made(&full(category)));
    assert_eq!(
        written(Category::Im),
        r#"{"message":{"android":{"notification":{"channel_id":"im","notification_count":3,"notification_priority":"PRIORITY_HIGH","sound":"chime.caf","tag":"<id>","visibility":"PRIVATE"},"priority":"HIGH","ttl":"604800s"},"data":{"ep_guard":"account","ep_id":"<id>","ep_link":"app://order/4711","ep_skip_splash":"1","k":"v"},"fcm_options":{"analytics_label":"im"},"notification":{"body":"Body","image":"https://a.example/b.png","title":"Title"}}}"#
    );
    assert_eq!(
        written(Category::Order),
        r#"{"message":{"android":{"notification":{"channel_id":"order","notification_count":3,"notification_priority":"PRIORITY_HIGH","sound":"chime.caf","tag":"<id>","visibility":"PRIVATE"},"priority":"HIGH","ttl":"259200s"},"data":{"ep_guard":"account","ep_id":"<id>","ep_link":"app://order/4711","ep_skip_splash":"1","k":"v"},"fcm_options":{"analytics_label":"order"},"notification":{"body":"Body","image":"https://a.example/b.png","title":"Title"}}}"#
    );
    assert_eq!(
        written(Category::Follow),
        r#"{"message":{"android":{"collapse_key":"follow","notification":{"channel_id":"follow","notification_count":3,"notification_priority":"PRIORITY_DEFAULT","sound":"chime.caf","tag":"follow","visibility":"PUBLIC"},"priority":"NORMAL","ttl":"86400s"},"data":{"ep_guard":"open","ep_id":"<id>","ep_link":"app://order/4711","k":"v"},"fcm_options":{"analytics_label":"follow"},"notification":{"body":"Body","image":"https://a.example/b.png","title":"Title"}}}"#
    );
    assert_eq!(
        written(Category::Marketing),
        r#"{"message":{"android":{"collapse_key":"marketing","notification":{"channel_id":"marketing","notification_count":3,"notification_priority":"PRIORITY_LOW","sound":"chime.caf","tag":"spring","visibility":"PUBLIC"},"priority":"NORMAL","ttl":"86400s"},"data":{"ep_guard":"open","ep_id":"<id>","ep_link":"app://order/4711","k":"v"},"fcm_options":{"analytics_label":"mkt-spring"},"notification":{"body":"Body","image":"https://a.example/b.png","title":"Title"}}}"#
    );
}

#[test]
fn the_whole_request_is_pinned() {
    let facts = Facts { project_id: "parcels-1".into(), client_email: "a@b".into() };
    let draft = made(&Message { notification: None, ..message(Category::Im) });
    let sent = request(&facts, &draft, &address(Vendor::Fcm, "abc:DEF-_1"), &ids(), "ya29.x");
    assert_eq!(sent.url, "https://fcm.googleapis.com/v1/projects/parcels-1/messages:send");
    let headers = [("authorization", "Bearer ya29.x"), ("content-type", "application/json")];
    assert_eq!(sent.headers, headers.map(|(name, value)| (name, value.to_owned())));
    assert_eq!(
        sent.body.text().unwrap().replace(&ids().delivery, "<id>"),
        r#"{"message":{"token":"abc:DEF-_1","android":{"priority":"NORMAL","ttl":"604800s"},"data":{"ep_guard":"account","ep_id":"<id>","k":"v"},"fcm_options":{"analytics_label":"im"}}}"#
    );
}

#[test]
fn a_collapse_value_is_the_tag_and_where_nothing_is_shown_the_key() {
    let collapse = Some("订单 4711".to_owned());
    let shown = json_of(&made(&Message { collapse: collapse.clone(), ..message(Category::Order) }));
    assert_eq!(shown["android"]["notification"]["tag"], "订单 4711");
    assert_eq!(shown["android"]["collapse_key"], Value::Null);
    let silent = json_of(&made(&Message { collapse, notification: None, ..message(Category::Order) }));
    assert_eq!(silent["android"]["collapse_key"], "订单 4711");
}

#[test]
fn what_shows_no_text_is_data_of_normal_priority() {
    let badge = Some(Notification { badge: Some(3), ..Notification::default() });
    for notification in [None, badge] {
        let written = json_of(&made(&Message { notification, ..message(Category::Im) }));
        assert_eq!(written["android"], json!({"priority": "NORMAL", "ttl": "604800s"}));
        assert_eq!(written["notification"], Value::Null);
    }
}

#[test]
fn persons_are_rung_for_and_others_are_not() {
    let sound = |category| json_of(&made(&message(category)))["android"]["notification"]["sound"].clone();
    assert_eq!(Category::ALL.map(sound), [json!("default"), json!("default"), Value::Null, Value::Null]);
}

#[test]
fn ttl_is_capped_at_googles_maximum() {
    let ttl = |ttl| json_of(&made(&Message { ttl, ..message(Category::Im) }))["android"]["ttl"].clone();
    assert_eq!([ttl(0), ttl(2_419_200), ttl(2_592_000)], ["0s", "2419200s", "2419200s"]);
}

#[test]
fn options_are_merged_last_but_never_over_our_own_fields() {
    let options = json!({
        "android": {"ttl": "60s", "notification": {"color": "#ff0000", "sound": null}, "data": {"only": "android"}},
        "webpush": {"data": {"only": "web"}},
        "data": {"k": null, "more": "1", "ep_guard": "open"}
    });
    let written = json_of(&made(&with_options(message(Category::Im), options)));
    assert_eq!(written["android"]["ttl"], "60s");
    assert_eq!(written["android"]["notification"]["color"], "#ff0000");
    assert_eq!(written["android"]["notification"]["sound"], Value::Null);
    assert_eq!(written["data"], json!({"ep_guard": "account", "ep_id": "<id>", "more": "1"}));
    assert_eq!(
        written["android"]["data"],
        json!({"ep_guard": "account", "ep_id": "<id>", "only": "android"})
    );
    assert_eq!(written["webpush"]["data"], json!({"ep_guard": "account", "ep_id": "<id>", "only": "web"}));
}

/// Bytes that count, with the longest delivery id: counted here by hand.
fn bytes_of(draft: &Draft) -> usize {
    let written = json_of(draft);
    let parts = [&written["notification"], &written["android"]["notification"], &written["data"]];
    let fields = parts.into_iter().flat_map(|part| part.as_object().unwrap());
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    fields.map(|(name, value)| name.len() + text(value).replace("<id>", &"x".repeat(35)).len()).sum()
}

/// A message of so many bytes.
fn of_size(bytes: usize) -> Message {
    let with = |length: usize| {
        let mut message = full(Category::Im);
        message.notification.as_mut().unwrap().body = Some("x".repeat(length));
        message
    };
    let empty = bytes_of(&made(&with(0)));
    with(bytes - empty)
}

#[test]
fn a_message_of_4096_bytes_passes_whole_and_one_of_4097_is_shortened() {
    let whole = made(&of_size(4_096));
    assert_eq!((bytes_of(&whole), whole.shortened), (4_096, false));
    let cut = made(&of_size(4_097));
    assert_eq!((bytes_of(&cut), cut.shortened), (4_096, true));
    assert!(body(&cut).contains("x…\""), "{}", body(&cut));
}

#[test]
fn a_body_is_cut_between_emoji() {
    let family = "👨‍👩‍👧‍👦";
    let mut message = message(Category::Im);
    message.notification.as_mut().unwrap().body = Some(family.repeat(300));
    let draft = made(&message);
    let written = json_of(&draft);
    let kept = written["notification"]["body"].as_str().unwrap().strip_suffix('…').unwrap();
    assert_eq!(kept.replace(family, ""), "");
    assert!(bytes_of(&draft) <= 4_096 && bytes_of(&draft) + family.len() > 4_096);
}

#[test]
fn what_cannot_be_cut_is_too_large() {
    let mut large = message(Category::Im);
    large.data.insert("big".into(), "x".repeat(4_096));
    assert!(matches!(draft(&large, &push()), Err(TooLarge { limit: 4_096, .. })));
    // A phone gets its own data in place of the common one.
    let large = with_options(large, json!({"android": {"data": {"small": "x"}}}));
    assert!(draft(&large, &push()).is_ok());
    // A body that the options bring is the caller's own: it stays as it is.
    let body = json!({"notification": {"body": "x".repeat(4_096)}});
    assert!(draft(&with_options(sample::message(Category::Im), body), &push()).is_err());
}

fn reply(status: u16, body: &str) -> Reply {
    Reply { status, body: body.into(), whole: true, ..Reply::default() }
}

const ANY: Outcome = Outcome::Retry { after: Some(10), why: RetryWhy::Unavailable };
const SLOWER: Outcome = Outcome::Retry { after: Some(60), why: RetryWhy::RateLimited };
const NO: Outcome = Outcome::Credentials(Again::No);
const NEW: Outcome = Outcome::Credentials(Again::NewToken);
const GONE: Outcome = Outcome::TokenGone { since: None, certainty: Certainty::Certain };
const DOUBT: Outcome = Outcome::TokenGone { since: None, certainty: Certainty::Ambiguous };

/// Every row of the vendor page's table 2.4, with bodies of Google's form.
#[test]
fn every_code_of_the_table_has_its_outcome() {
    let rows: [(&str, Outcome, &str); 20] = [
        (
            r#"{"error":{"code":400,"message":"The registration token is not a valid FCM registration token","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"INVALID_ARGUMENT"}]}}"#,
            DOUBT,
            "INVALID_ARGUMENT: The registration token is not a valid FCM registration token",
        ),
        (
            r#"{"error":{"code":400,"message":"Request contains an invalid argument.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"INVALID_ARGUMENT"}]}}"#,
            Outcome::Rejected,
            "INVALID_ARGUMENT: Request contains an invalid argument.",
        ),
        (
            r#"{"error":{"code":400,"message":"Invalid registration token","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"INVALID_ARGUMENT"},{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"message.token","description":"Invalid registration token"}]}]}}"#,
            GONE,
            "INVALID_ARGUMENT (message.token): Invalid registration token",
        ),
        (
            r#"{"error":{"code":400,"message":"Invalid fid","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"message.fid","description":"Invalid fid"}]}]}}"#,
            GONE,
            "INVALID_ARGUMENT (message.fid): Invalid fid",
        ),
        (
            r#"{"error":{"code":400,"message":"Invalid value at 'message.data[0].value' (TYPE_STRING), 1","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"message.data[0].value","description":"Invalid value"}]}]}}"#,
            Outcome::Rejected,
            "INVALID_ARGUMENT (message.data[0].value): Invalid value at 'message.data[0].value' (TYPE_STRING), 1",
        ),
        (
            r#"{"error":{"code":400,"message":"bad","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"INVALID_ARGUMENT"},{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"message.token"},{"field":"message.android.ttl"}]}]}}"#,
            Outcome::Rejected,
            "INVALID_ARGUMENT (message.token, message.android.ttl): bad",
        ),
        (
            r#"{"error":{"code":400,"message":"Invalid JSON payload received. Unexpected token.","status":"INVALID_ARGUMENT"}}"#,
            Outcome::Rejected,
            "INVALID_ARGUMENT: Invalid JSON payload received. Unexpected token.",
        ),
        (
            r#"{"error":{"code":400,"message":"Message too big","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"INVALID_ARGUMENT"}]}}"#,
            Outcome::TooLarge,
            "INVALID_ARGUMENT: Message too big",
        ),
        (
            r#"{"error":{"code":401,"message":"Request had invalid authentication credentials.","status":"UNAUTHENTICATED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"ACCESS_TOKEN_EXPIRED","domain":"googleapis.com"}]}}"#,
            NEW,
            "UNAUTHENTICATED: Request had invalid authentication credentials.",
        ),
        (
            r#"{"error":{"code":401,"message":"Auth error from APNS or Web Push Service","status":"UNAUTHENTICATED","details":[{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"THIRD_PARTY_AUTH_ERROR"},{"@type":"type.googleapis.com/google.firebase.fcm.v1.ApnsError","statusCode":403,"reason":"InvalidProviderToken"}]}}"#,
            NO,
            "THIRD_PARTY_AUTH_ERROR: Auth error from APNS or Web Push Service",
        ),
        (
            r#"{"error":{"code":401,"message":"Auth error","status":"UNAUTHENTICATED","details":[{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"APNS_AUTH_ERROR"}]}}"#,
            NO,
            "APNS_AUTH_ERROR: Auth error",
        ),
        (
            r#"{"error":{"code":403,"message":"SenderId mismatch","status":"PERMISSION_DENIED","details":[{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"SENDER_ID_MISMATCH"}]}}"#,
            DOUBT,
            "SENDER_ID_MISMATCH: SenderId mismatch",
        ),
        (
            r#"{"error":{"code":403,"message":"Permission denied","status":"PERMISSION_DENIED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"IAM_PERMISSION_DENIED"}]}}"#,
            NO,
            "PERMISSION_DENIED: Permission denied",
        ),
        (
            r#"{"error":{"code":404,"message":"Requested entity was not found.","status":"NOT_FOUND","details":[{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"UNREGISTERED"}]}}"#,
            GONE,
            "UNREGISTERED: Requested entity was not found.",
        ),
        (
            r#"{"error":{"code":404,"message":"Requested entity was not found.","status":"NOT_FOUND"}}"#,
            NO,
            "NOT_FOUND: Requested entity was not found.",
        ),
        (
            r#"{"error":{"code":429,"message":"Quota exceeded","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"QUOTA_EXCEEDED"}]}}"#,
            SLOWER,
            "QUOTA_EXCEEDED: Quota exceeded",
        ),
        (
            r#"{"error":{"code":429,"message":"Resource has been exhausted","status":"RESOURCE_EXHAUSTED"}}"#,
            SLOWER,
            "RESOURCE_EXHAUSTED: Resource has been exhausted",
        ),
        (
            r#"{"error":{"code":500,"message":"Internal error encountered.","status":"INTERNAL","details":[{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"INTERNAL"}]}}"#,
            ANY,
            "INTERNAL: Internal error encountered.",
        ),
        (
            r#"{"error":{"code":503,"message":"The service is currently unavailable.","status":"UNAVAILABLE","details":[{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"UNAVAILABLE"}]}}"#,
            ANY,
            "UNAVAILABLE: The service is currently unavailable.",
        ),
        (
            r#"{"error":{"code":500,"message":"Internal error encountered.","status":"INTERNAL","details":[{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"UNSPECIFIED_ERROR"}]}}"#,
            ANY,
            "UNSPECIFIED_ERROR: Internal error encountered.",
        ),
    ];
    for (body, outcome, detail) in rows {
        let status = serde_json::from_str::<Value>(body).unwrap()["error"]["code"].as_u64().unwrap();
        let verdict = classify(&reply(status.try_into().unwrap(), body), Millis(0));
        assert_eq!(verdict, Verdict::new(outcome, detail), "{body}");
    }
}
