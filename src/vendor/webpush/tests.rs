//! What a browser gets, literally; what the options and the limit make of it; and which subscriptions are taken.

mod answers;
mod endpoints;

use serde_json::{Value, json};

use super::{Endpoint, Facts, Subscription, canonical_token, draft, preview, reaches, request, token};
use crate::{
    crypto::{base64url, ece::Random},
    line::parse::{json::Json, reader::Field},
    model::{
        problem::Code,
        push::{Category, Guard, Message, Notification},
    },
    vendor::{
        Body, Draft, Hosts, TooLarge, Vendor,
        sample::{self, address, body, full, ids, message, object, push},
    },
};

/// The keys are those of RFC 8291 appendix A.
const TOKEN: &str = r#"{"endpoint":"https://updates.push.services.mozilla.com/wpush/v2/gAAAA-_x","keys":{"auth":"BTBZMqHH6r4Tts7J_aSIgg","p256dh":"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"}}"#;

fn made(message: &Message) -> Draft {
    draft(message, &push()).unwrap()
}

fn json_of(draft: &Draft) -> Value {
    serde_json::from_str(&body(draft)).unwrap()
}

fn header(draft: &Draft, wanted: &str) -> Option<String> {
    draft.headers.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.fill(&ids()))
}

fn with_options(mut message: Message, options: Value) -> Message {
    message.options.webpush = object(options);
    message
}

fn with_link(mut message: Message, link: &str) -> Message {
    message.notification.as_mut().unwrap().link = Some(link.into());
    message
}

fn facts() -> Facts {
    Facts { subject: "mailto:push@example.com".into(), public_key: "BPub".into() }
}

#[test]
fn a_subscription_has_one_text_however_it_comes() {
    let given: Value = serde_json::from_str(TOKEN).unwrap();
    let (p256dh, auth) = (given["keys"]["p256dh"].as_str().unwrap(), given["keys"]["auth"].as_str().unwrap());
    let standard = |text: &str| text.replace('-', "+").replace('_', "/");
    let browsers = json!({
        "keys": {"p256dh": format!("{}=", standard(p256dh)), "auth": format!("{}==", standard(auth))},
        "expirationTime": null,
        "endpoint": "HTTPS://Updates.Push.services.mozilla.com:443/wpush/v2/gAAAA-_x",
    });
    let read = |json: &Value| {
        let json = Json::parse(&json.to_string()).unwrap();
        Vendor::Webpush.read_token(Field { json, at: "/token".into() })
    };
    for form in [given, browsers.clone(), json!(TOKEN), json!(browsers.to_string())] {
        assert_eq!(read(&form).as_deref(), Ok(TOKEN), "{form}");
    }
    assert_eq!((canonical_token(&browsers.to_string()).as_str(), token(TOKEN)), (TOKEN, Ok(())));
    let subscription = Subscription::parse(TOKEN).unwrap();
    assert_eq!(
        (subscription.token().as_str(), Endpoint::of_token(TOKEN)),
        (TOKEN, Some(subscription.endpoint))
    );
    let shown = format!("{:?}", Subscription::parse(TOKEN).unwrap());
    assert!(!shown.contains("gAAAA") && !shown.contains("BTBZ"), "{shown}");
}

#[test]
fn what_is_no_subscription_is_refused_and_the_place_named() {
    let read = |json: Value| {
        let field = Field { json: Json::parse(&json.to_string()).unwrap(), at: "/token".into() };
        let problem = Vendor::Webpush.read_token(field).unwrap_err();
        assert!(!problem.detail.contains("gAAAA"), "{}", problem.detail);
        (problem.code, problem.pointer.unwrap())
    };
    let with = |path: &str, value: Value| {
        let mut json: Value = serde_json::from_str(TOKEN).unwrap();
        *json.pointer_mut(path).unwrap() = value;
        json
    };
    let mut more: Value = serde_json::from_str(TOKEN).unwrap();
    more["colour"] = json!("red");
    let mut late: Value = serde_json::from_str(TOKEN).unwrap();
    late["expirationTime"] = json!("soon");
    for (json, code, at) in [
        (with("/endpoint", json!("http://a.example/x")), Code::InvalidToken, "/token/endpoint"),
        (with("/endpoint", json!(1)), Code::WrongType, "/token/endpoint"),
        (with("/keys/p256dh", json!("AAAA")), Code::InvalidToken, "/token/keys/p256dh"),
        (with("/keys/p256dh", json!(base64url::encode(&[4; 65]))), Code::InvalidToken, "/token/keys/p256dh"),
        (with("/keys/auth", json!("AAAA")), Code::InvalidToken, "/token/keys/auth"),
        (with("/keys", json!({})), Code::MissingField, "/token/keys/p256dh"),
        (more, Code::UnknownField, "/token/colour"),
        (late, Code::WrongType, "/token/expirationTime"),
        (json!({}), Code::MissingField, "/token/endpoint"),
        (json!("https://web.push.apple.com/x"), Code::InvalidToken, "/token"),
        (json!(TOKEN.replace("https", "http")), Code::InvalidToken, "/token"),
        (json!([]), Code::WrongType, "/token"),
        (json!(null), Code::WrongType, "/token"),
    ] {
        assert_eq!(read(json.clone()), (code, at.to_owned()), "{json}");
    }
    assert!(token("").is_err() && token("{}").is_err());
    assert_eq!(canonical_token("abc"), "abc");
}

/// Registered while it was allowed: the list is asked again before each send.
#[test]
fn a_host_that_is_no_longer_allowed_is_not_reached() {
    let own = TOKEN.replace("updates.push.services.mozilla.com", "push.example.org");
    let to = address(Vendor::Webpush, &own);
    assert_eq!(reaches(&to, &Hosts::parse("push.example.org").unwrap()), Ok(()));
    assert!(reaches(&to, &Hosts::default()).unwrap_err().contains("WEBPUSH_HOSTS"));
    assert_eq!(reaches(&address(Vendor::Webpush, TOKEN), &Hosts::default()), Ok(()));
    assert!(reaches(&address(Vendor::Webpush, "abc"), &Hosts::default()).is_err());
}

/// What a service worker gets: a changed literal here is a changed payload.
#[test]
fn every_categorys_payload_is_pinned() {
    let written = |category| {
        let draft = made(&full(category));
        let head = ["ttl", "urgency", "topic"].map(|name| header(&draft, name).unwrap()).join(" ");
        (head.replace(&ids().delivery, "<id>"), body(&draft))
    };
    let im = r#"{"app_badge":3,"notification":{"body":"Body","data":{"ep_guard":"account","ep_id":"<id>","ep_link":"app://order/4711","ep_skip_splash":"1","k":"v"},"image":"https://a.example/b.png","tag":"<id>","title":"Title"}}"#;
    assert_eq!(written(Category::Im), ("604800 high <id>".into(), im.into()));
    assert_eq!(written(Category::Order), ("259200 high <id>".into(), im.into()));
    let follow = r#"{"app_badge":3,"notification":{"body":"Body","data":{"ep_guard":"open","ep_id":"<id>","ep_link":"app://order/4711","k":"v"},"image":"https://a.example/b.png","tag":"follow","title":"Title"}}"#;
    assert_eq!(written(Category::Follow), ("86400 low follow".into(), follow.into()));
    let marketing = follow.replace(r#""tag":"follow""#, r#""tag":"spring""#);
    assert_eq!(written(Category::Marketing), ("86400 very-low spring".into(), marketing));
}

#[test]
fn only_persons_are_rung_for() {
    let silent = |message: &Message| json_of(&made(message))["notification"]["silent"].clone();
    let plain = Category::ALL.map(|category| silent(&message(category)));
    assert_eq!(plain, [Value::Null, Value::Null, json!(true), json!(true)]);
    assert_eq!(silent(&full(Category::Marketing)), Value::Null, "the caller wants a sound");
}

/// W3C Push API: a browser shows it by itself. `navigate` is what makes it possible.
#[test]
fn an_open_message_with_a_title_and_an_https_link_is_declarative() {
    let open = with_link(full(Category::Marketing), "HTTPS://a.example/spring");
    assert_eq!(
        body(&made(&open)),
        r#"{"app_badge":3,"mutable":true,"notification":{"body":"Body","data":{"ep_guard":"open","ep_id":"<id>","ep_link":"HTTPS://a.example/spring","k":"v"},"image":"https://a.example/b.png","navigate":"HTTPS://a.example/spring","tag":"spring","title":"Title"},"web_push":8030}"#
    );
    let declarative = |message: &Message| json_of(&made(message))["web_push"] == 8_030;
    assert!(declarative(&open));
    assert!(!declarative(&Message { guard: Guard::Account, ..open.clone() }));
    assert!(!declarative(&full(Category::Marketing)), "the link is not https");
    let mut untitled = open;
    untitled.notification.as_mut().unwrap().title = None;
    assert!(!declarative(&untitled));
    let mut guarded = with_link(full(Category::Im), "https://a.example/x");
    assert!(!declarative(&guarded));
    assert_eq!(json_of(&made(&guarded))["notification"]["navigate"], "https://a.example/x");
    guarded = with_options(guarded, json!({"web_push": 8030}));
    assert!(declarative(&guarded), "the caller knows better");
}

#[test]
fn what_shows_no_text_is_data_and_wakes_no_low_battery() {
    let silent = made(&Message { notification: None, ..message(Category::Im) });
    assert_eq!(body(&silent), r#"{"data":{"ep_guard":"account","ep_id":"<id>","k":"v"}}"#);
    assert_eq!(header(&silent, "urgency").as_deref(), Some("normal"));
    assert_eq!(header(&silent, "topic"), None);
    let badge = Some(Notification { badge: Some(0), ..Notification::default() });
    let badge = made(&Message { notification: badge, ..message(Category::Follow) });
    assert_eq!(body(&badge), r#"{"app_badge":0,"data":{"ep_guard":"open","ep_id":"<id>","k":"v"}}"#);
    let collapse = Some("sync".to_owned());
    let collapsed = made(&Message { notification: None, collapse, ..message(Category::Im) });
    assert_eq!(header(&collapsed, "topic").as_deref(), Some("sync"));
}

/// The whole request; what is in the body is compared in `crypto::ece` byte for byte.
#[test]
fn the_whole_request_is_pinned() {
    let (to, draft) = (address(Vendor::Webpush, TOKEN), made(&message(Category::Im)));
    let random: Random = [7; 48];
    let sent = request(&facts(), &draft, &to, &ids(), "JWT", Some(&random)).unwrap();
    assert_eq!(sent.url, "https://updates.push.services.mozilla.com/wpush/v2/gAAAA-_x");
    // base64url of the first 24 bytes of SHA-256 of the delivery's id.
    let topic = super::class::topic(&ids().delivery);
    assert_eq!(topic.len(), 32);
    assert_eq!(
        sent.headers,
        [
            ("authorization", "vapid t=JWT, k=BPub"),
            ("content-encoding", "aes128gcm"),
            ("content-type", "application/octet-stream"),
            ("ttl", "604800"),
            ("urgency", "high"),
            ("topic", topic.as_str()),
        ]
        .map(|(name, value)| (name, value.to_owned()))
    );
    let Body::Bytes(bytes) = &sent.body else { panic!("not encrypted") };
    assert_eq!(bytes.len(), 86 + draft.body.fill(&ids()).len() + 17);
    assert_eq!(bytes[..16], [7; 16], "the salt is the one that was given");
    let again = request(&facts(), &draft, &to, &ids(), "JWT", Some(&[8; 48])).unwrap();
    assert_ne!(again.body, sent.body);
    assert!(request(&facts(), &draft, &to, &ids(), "JWT", None).is_err());
    assert!(request(&facts(), &draft, &to, &ids(), "JWT", Some(&[0; 48])).is_err());
    let shown = preview(&facts(), &draft, &to, &ids(), "hidden").unwrap();
    assert_eq!(shown.url, "https://updates.push.services.mozilla.com/hidden");
    assert_eq!(shown.headers[0], ("authorization", "vapid t=hidden, k=BPub".to_owned()));
    assert_eq!(shown.body, Body::Text(draft.body.fill(&ids())));
}

/// The vector was made with `printf order-4711 | openssl sha256 -binary | head -c 24 | basenc --base64url`.
#[test]
fn every_topic_is_32_characters_of_base64url() {
    assert_eq!(super::class::topic("order-4711"), "Fz0N2_8DQZP6znzmDT9YtBaUCkwpMG-a");
    for tag in ["", "x", "订单 4711", &"x".repeat(256)] {
        let topic = super::class::topic(tag);
        assert!(topic.len() == 32 && topic.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
    }
}

#[test]
fn ttl_is_capped_at_four_weeks_and_zero_stays() {
    let ttl = |ttl| header(&made(&Message { ttl, ..message(Category::Im) }), "ttl").unwrap();
    assert_eq!([ttl(0), ttl(2_419_200), ttl(2_592_000)], ["0", "2419200", "2419200"]);
}

#[test]
fn options_are_merged_last_but_never_over_our_own_fields() {
    let options = json!({
        "headers": {"urgency": "normal", "topic": "other"},
        "notification": {"requireInteraction": true, "tag": null, "data": {"k": null, "more": 1, "ep_guard": "open"}},
        "own": [1]
    });
    let draft = made(&with_options(message(Category::Im), options));
    assert_eq!(
        body(&draft),
        r#"{"notification":{"body":"Body","data":{"ep_guard":"account","ep_id":"<id>","more":1},"requireInteraction":true,"title":"Title"},"own":[1]}"#
    );
    assert_eq!(header(&draft, "urgency").as_deref(), Some("normal"));
    assert_eq!(header(&draft, "topic").as_deref(), Some("other"));
    let gone = made(&with_options(message(Category::Im), json!({"notification": null})));
    assert_eq!(body(&gone), r#"{"data":{"ep_guard":"account","ep_id":"<id>"}}"#);
}

/// A message whose payload has `bytes` with the longest delivery id.
fn of_size(bytes: usize) -> Message {
    let with = |length: usize| {
        let mut message = message(Category::Marketing);
        message.notification.as_mut().unwrap().body = Some("x".repeat(length));
        message
    };
    let empty = made(&with(0)).body.max_len();
    with(bytes - empty)
}

#[test]
fn a_payload_of_3993_bytes_passes_whole_and_one_of_3994_is_shortened() {
    let whole = made(&of_size(3_993));
    assert_eq!((whole.body.max_len(), whole.shortened), (3_993, false));
    let cut = made(&of_size(3_994));
    assert!(cut.shortened && cut.body.max_len() <= 3_993, "{}", cut.body.max_len());
    assert!(body(&cut).contains("x…\""), "{}", body(&cut));
    let mut large = sample::message(Category::Im);
    large.data.insert("big".into(), "x".repeat(3_993));
    assert!(matches!(draft(&large, &push()), Err(TooLarge { limit: 3_993, .. })));
}
