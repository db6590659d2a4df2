//! Whole requests, literally, and what the options and the limit make of them.

mod kinds;

use serde_json::{Value, json};

use super::{Facts, draft, request, token};
use crate::{
    model::{
        device::Environment,
        push::{Category, Message, Notification},
        time::Millis,
    },
    vendor::{
        Draft, TooLarge, Vendor,
        sample::{self, NOW, address, body, full, ids, message, object, push},
    },
};

const TOKEN: &str = "00AA11bb22cc33dd44ee55ff6677889900aa11bb22cc33dd44ee55ff66778899";

fn made(message: &Message) -> Draft {
    draft(message, &push(), NOW, NOW).unwrap()
}

fn header(draft: &Draft, wanted: &str) -> Option<String> {
    draft.headers.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.fill(&ids()))
}

fn with_options(message: Message, options: Value) -> Message {
    let mut message = message;
    message.options.apns = object(options);
    message
}

fn facts() -> Facts {
    Facts {
        team_id: "TEAM123456".into(),
        key_id: "KEY1234567".into(),
        topic: Some("com.example.demo".into()),
        environment: Environment::Production,
    }
}

#[test]
fn tokens_are_whole_bytes_in_hex() {
    for good in ["00", "aF"].map(|byte| byte.repeat(32)) {
        assert_eq!(token(&good), Ok(()));
    }
    assert_eq!(token(&"a".repeat(400)), Ok(()));
    for bad in
        ["a".repeat(30), "a".repeat(33), "a".repeat(402), "g".repeat(32), format!("{}/..", "0".repeat(29))]
    {
        assert!(token(&bad).is_err(), "{bad}");
    }
    assert!(token("").is_err());
}

/// What Apple gets: a changed literal here is a changed request.
#[test]
fn every_categorys_request_is_pinned() {
    let head = |category: Category| {
        let draft = made(&Message { collapse: Some("c-1".into()), ..full(category) });
        let names = ["apns-push-type", "apns-priority", "apns-expiration", "apns-collapse-id"];
        let head = names.map(|name| header(&draft, name).unwrap()).join(" ");
        (head, body(&draft))
    };
    let im = r#"{"aps":{"alert":{"body":"Body","title":"Title"},"badge":3,"interruption-level":"active","mutable-content":1,"relevance-score":1.0,"sound":"chime.caf","thread-id":"c-1"},"ep_guard":"account","ep_id":"<id>","ep_image":"https://a.example/b.png","ep_link":"app://order/4711","ep_skip_splash":"1","k":"v"}"#;
    assert_eq!(head(Category::Im), ("alert 10 1796184000 c-1".into(), im.into()));
    let order = im.replace("1.0", "0.8");
    assert_eq!(head(Category::Order), ("alert 10 1795838400 c-1".into(), order));
    let follow = r#"{"aps":{"alert":{"body":"Body","title":"Title"},"badge":3,"interruption-level":"passive","mutable-content":1,"relevance-score":0.4,"sound":"chime.caf","thread-id":"follow"},"ep_guard":"open","ep_id":"<id>","ep_image":"https://a.example/b.png","ep_link":"app://order/4711","k":"v"}"#;
    assert_eq!(head(Category::Follow), ("alert 5 1795665600 c-1".into(), follow.into()));
    let marketing = follow.replace("0.4", "0.1").replace(r#"thread-id":"follow"#, r#"thread-id":"spring"#);
    assert_eq!(head(Category::Marketing), ("alert 5 1795665600 c-1".into(), marketing));
}

#[test]
fn a_plain_message_rings_for_persons_only() {
    let plain = |category| body(&made(&message(category)));
    assert_eq!(
        plain(Category::Im),
        r#"{"aps":{"alert":{"body":"Body","title":"Title"},"interruption-level":"active","relevance-score":1.0,"sound":"default"},"ep_guard":"account","ep_id":"<id>","k":"v"}"#
    );
    assert_eq!(
        plain(Category::Marketing),
        r#"{"aps":{"alert":{"body":"Body","title":"Title"},"interruption-level":"passive","relevance-score":0.1},"ep_guard":"open","ep_id":"<id>","k":"v"}"#
    );
}

#[test]
fn a_badge_alone_makes_no_noise_and_zero_clears() {
    let notification = Some(Notification { badge: Some(0), ..Notification::default() });
    let draft = made(&Message { notification, ..message(Category::Im) });
    let aps: Value = serde_json::from_str(&body(&draft)).unwrap();
    assert_eq!(aps["aps"], json!({"badge": 0, "interruption-level": "active", "relevance-score": 1.0}));
    assert_eq!(header(&draft, "apns-push-type").unwrap(), "alert");
}

#[test]
fn a_message_without_notification_is_a_background_push() {
    let draft = made(&Message { notification: None, ..message(Category::Order) });
    assert_eq!(
        body(&draft),
        r#"{"aps":{"content-available":1},"ep_guard":"account","ep_id":"<id>","k":"v"}"#
    );
    assert_eq!(header(&draft, "apns-push-type").unwrap(), "background");
    assert_eq!(header(&draft, "apns-priority").unwrap(), "5");
    assert_eq!(header(&draft, "apns-collapse-id"), None);
}

#[test]
fn the_whole_request_is_pinned() {
    let (mut to, draft) = (address(Vendor::Apns, TOKEN), made(&message(Category::Im)));
    let sent = request(&facts(), &draft, &to, &ids(), "JWT").unwrap();
    assert_eq!(sent.url, format!("https://api.push.apple.com/3/device/{}", TOKEN.to_lowercase()));
    let delivery = ids().delivery;
    assert_eq!(
        sent.headers,
        [
            ("authorization", "bearer JWT"),
            ("apns-topic", "com.example.demo"),
            ("apns-id", ids().uuid().as_str()),
            ("content-type", "application/json"),
            ("apns-push-type", "alert"),
            ("apns-priority", "10"),
            ("apns-expiration", "1796184000"),
            ("apns-collapse-id", delivery.as_str()),
        ]
        .map(|(name, value)| (name, value.to_owned()))
    );
    assert!(sent.body.text().unwrap().contains(&format!(r#""ep_id":"{delivery}""#)), "{sent:?}");
    to.environment = Some(Environment::Sandbox);
    to.topic = Some("com.example.other".into());
    let sent = request(&Facts { topic: None, ..facts() }, &draft, &to, &ids(), "JWT").unwrap();
    assert!(sent.url.starts_with("https://api.sandbox.push.apple.com/3/device/"), "{}", sent.url);
    assert!(sent.headers.contains(&("apns-topic", "com.example.other".into())));
}

#[test]
fn nothing_is_sent_without_a_topic() {
    let to = address(Vendor::Apns, TOKEN);
    let refused =
        request(&Facts { topic: None, ..facts() }, &made(&message(Category::Im)), &to, &ids(), "JWT");
    assert!(refused.unwrap_err().contains("topic"));
}

#[test]
fn now_or_never_is_sent_as_zero() {
    let expiration =
        |ttl| header(&made(&Message { ttl, ..message(Category::Im) }), "apns-expiration").unwrap();
    assert_eq!(expiration(0), "0");
    assert_eq!(expiration(1), "1795579201");
    let late =
        draft(&Message { ttl: 2_592_000, ..message(Category::Im) }, &push(), NOW, Millis(999)).unwrap();
    assert_eq!(header(&late, "apns-expiration").unwrap(), "2592000");
}

#[test]
fn options_are_merged_last_but_never_over_our_own_fields() {
    let options = json!({
        "aps": {"interruption-level": "time-sensitive", "sound": null, "alert": {"subtitle": "S"}},
        "k": "other", "extra": {"deep": 1}, "ep_guard": "open"
    });
    let draft = made(&with_options(message(Category::Order), options));
    assert_eq!(
        body(&draft),
        r#"{"aps":{"alert":{"body":"Body","subtitle":"S","title":"Title"},"interruption-level":"time-sensitive","relevance-score":0.8},"ep_guard":"account","ep_id":"<id>","extra":{"deep":1},"k":"other"}"#
    );
}

#[test]
fn options_set_the_free_headers() {
    let headers =
        json!({"headers": {"apns-priority": "1", "apns-expiration": "7", "apns-collapse-id": "other"}});
    let draft = made(&with_options(message(Category::Im), headers));
    let head = ["apns-push-type", "apns-priority", "apns-expiration", "apns-collapse-id"];
    assert_eq!(head.map(|name| header(&draft, name).unwrap()), ["alert", "1", "7", "other"]);
    assert!(!body(&draft).contains("headers"), "{}", body(&draft));
}

#[test]
fn headers_follow_the_final_payload() {
    let kind = |message: Message, options: Value| {
        let draft = made(&with_options(message, options));
        ["apns-push-type", "apns-priority"].map(|name| header(&draft, name).unwrap()).join(" ")
    };
    let silent = || Message { notification: None, ..message(Category::Im) };
    assert_eq!(kind(silent(), json!({"headers": {"apns-priority": "10"}})), "background 5");
    assert_eq!(kind(silent(), json!({"aps": {"badge": 1}})), "alert 10");
    assert_eq!(kind(silent(), json!({"aps": {"content-available": null}})), "alert 10");
    assert_eq!(kind(message(Category::Im), json!({"aps": {"content-available": 1}})), "alert 10");
    let hidden = json!({"aps": {"content-available": 1, "alert": null, "sound": null}});
    assert_eq!(kind(message(Category::Im), hidden), "background 5");
}

/// A message whose payload has `bytes` with the longest delivery id.
fn of_size(bytes: usize) -> Message {
    let with = |length: usize| {
        let mut message = message(Category::Im);
        message.notification.as_mut().unwrap().body = Some("x".repeat(length));
        message
    };
    let empty = made(&with(0)).body.max_len();
    with(bytes - empty)
}

#[test]
fn a_payload_of_4096_bytes_passes_whole_and_one_of_4097_is_shortened() {
    let whole = made(&of_size(4_096));
    assert_eq!((whole.body.max_len(), whole.shortened), (4_096, false));
    let cut = made(&of_size(4_097));
    assert!(cut.shortened && cut.body.max_len() <= 4_096, "{}", cut.body.max_len());
    assert!(body(&cut).contains("x…\""), "{}", body(&cut));
}

#[test]
fn a_body_is_cut_between_emoji() {
    let family = "👨‍👩‍👧‍👦";
    let mut message = message(Category::Im);
    message.notification.as_mut().unwrap().body = Some(family.repeat(300));
    let draft = made(&message);
    let payload: Value = serde_json::from_str(&body(&draft)).unwrap();
    let text = payload["aps"]["alert"]["body"].as_str().unwrap();
    let kept = text.strip_suffix('…').unwrap();
    assert_eq!(kept.replace(family, ""), "");
    assert!(draft.body.max_len() <= 4_096 && draft.body.max_len() + family.len() > 4_096);
}

#[test]
fn what_cannot_be_cut_is_too_large() {
    let mut large = message(Category::Im);
    large.data.insert("big".into(), "x".repeat(4_096));
    assert!(draft(&large, &push(), NOW, NOW).unwrap_err().bytes > 4_096);
    // A body that the options bring is the caller's own: it stays as it is.
    let options = json!({"aps": {"alert": {"body": "x".repeat(4_096)}}});
    let large = with_options(sample::message(Category::Im), options);
    assert!(matches!(draft(&large, &push(), NOW, NOW), Err(TooLarge { limit: 4_096, .. })));
}
