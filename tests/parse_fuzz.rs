//! Law 8, no panic: whatever a caller sends, every parser answers with a value or with a problem that has a code and a
//! body that is JSON. A panic here would be an instance that aborts.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

use edgepush::{
    line::{
        authenticate,
        parse::{app, device, event, import, push, route, simulation, text, wish},
    },
    model::{
        ids::{AppId, DeviceId, PushId, UserId},
        policy::Policy,
        problem::{Code, Problem},
        push::{Category, Push},
        table::gather,
        time::{Millis, retry_after},
    },
    vendor::{Brief, Hosts, Vendor, rules},
};
use proptest::{collection::vec, prelude::*};
use serde_json::{Map, Value, json};

/// Requests that are taken, with every field that there is: what mutations start from.
fn valid() -> Vec<Value> {
    let hex = "0a".repeat(32);
    let notification = json!({
        "title": "Sent", "body": "Your parcel has left", "image": "https://a.example/b.png", "link": "app://order/4711",
        "badge": 3, "sound": "default",
    });
    let subscription = json!({
        "endpoint": "https://updates.push.services.mozilla.com/wpush/v2/gAAAAA-_", "expirationTime": null,
        "keys": {
            "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "auth": "BTBZMqHH6r4Tts7J_aSIgg",
        },
    });
    vec![
        json!({
            "to": {
                "users": ["u42"], "devices": [{"user": "u42", "device": "iphone"}],
                "tokens": [
                    {"vendor": "apns", "token": hex, "environment": "sandbox", "topic": "com.example"},
                    {"vendor": "fcm", "token": "cX1yZq3vT0mK8pLrN5uWs2:APA91b-_"},
                    {"vendor": "webpush", "token": subscription},
                ],
            },
            "category": "order", "campaign": "spring", "notification": notification, "data": {"order": "4711"},
            "collapse": "order-4711", "ttl": 86400, "guard": "account", "online": "first", "on_unknown": "resend",
            "send": "now", "wait": true, "type": "alert",
            "options": {
                "apns": {"aps": {"interruption-level": "time-sensitive"}, "headers": {"apns-priority": "5"}},
                "fcm": {"android": {"priority": "HIGH"}},
                "webpush": {"notification": {"requireInteraction": true}, "headers": {"urgency": "high", "topic": "t"}},
            },
        }),
        json!({
            "platform": "ios", "vendor": "apns", "token": hex, "environment": "sandbox", "topic": "com.example",
            "kind": "alert", "permission": "granted", "app_version": "5.1 (77)", "locale": "zh-Hant-TW",
            "time_zone": "America/Argentina/Ushuaia",
        }),
        json!({
            "credentials": {
                "apns": {
                    "team_id": "TEAM123456", "key_id": "KEY1234567", "topic": "com.example", "environment": "sandbox",
                    "private_key": include_str!("fixtures/rfc6979-p256.TEST.pem"),
                },
                "fcm": null,
                "webpush": {
                    "subject": "mailto:push@example.com", "private_key": "ya-p2EW6dRZrXCFXZ7HWk05Qw9s26JsSe4piKxIPZyE",
                },
            },
            "policy": {
                "quota": {"fcm": {"marketing": {"per_day": 100000}}}, "link_schemes": ["https", "app"],
                "stale_days": {"fcm": 30}, "per_second": {"meizu": 100}, "vendor_quota": {"vivo": {"per_day": 9, "free": ["follow"]}}, "advice": {"every_days": 7, "missed_min": 1},
                "app_kind": "news", "per_device": false, "caps": {"marketing": [{"most": 3, "in": 86400}]},
                "govern": [{"category": "im", "campaign": "c", "click_rate_under": 0.01, "sends": 20, "of": "app", "wait": 0}],
            },
            "user_token_key": [{"alg": "HS256", "secret": "0123456789abcdef0123456789abcdef"}],
        }),
        json!({"scopes": ["push", "devices", "read", "manage"], "name": "backend"}),
        json!({
            "locale": "de-CH", "time_zone": "Europe/Zurich", "opt_out": {"marketing": true, "im": null}, "tags": ["a"],
            "quiet_hours": {"from": "22:00", "to": "07:00", "categories": ["follow"]},
        }),
        json!({"events": [{"type": "permission", "user": "u42", "device": "iphone", "permission": "denied"}]}),
        json!({"user": "u42", "device": "pixel", "platform": "android", "vendor": "fcm", "token": "cX1y:APA91b-_"}),
        json!({"to": {"audience": "spring"}, "category": "follow", "ttl": 0}),
    ]
}

/// A problem is whole: its code is one of the list, its body is JSON that says the same, and what was sent does not
/// come back in it unless as a name.
fn check(problem: &Problem) {
    assert!(Code::ALL.contains(&problem.code));
    let body: Value = serde_json::from_str(&problem.json()).unwrap();
    assert_eq!(body["code"], problem.code.as_str());
    assert!(!problem.detail.is_empty());
    assert!(problem.pointer.as_deref().is_none_or(|pointer| pointer.is_empty() || pointer.starts_with('/')));
}

/// A policy that names every class.
fn naming() -> Policy {
    let named = || gather(Category::ALL.map(|category| (category, Map::new())));
    let classes = gather(Vendor::ALL.map(|vendor| (vendor, named())));
    Policy { classes, lower_class: true, ..Policy::default() }
}

/// What a parser takes, the vendors can make a request of.
fn drafted(push: Push) {
    let id = PushId::new(Millis(0), [0; 10]);
    for vendor in Vendor::ALL {
        // Too large is an answer as well.
        let class = rules::class(vendor, push.message.category, &naming());
        let class = class.expect("what needs more than to be named goes as marketing");
        let brief = Brief {
            message: &push.message,
            push: &id,
            due: Millis(0),
            now: Millis(0),
            class: &class,
            receipt_id: None,
            callback: None,
        };
        let _ = vendor.draft(&brief);
    }
    for address in push.to.tokens {
        assert_eq!(address.vendor.token(address.token.reveal()), Ok(()));
        let _ = address.vendor.allows(&address, &Hosts::default());
    }
}

/// Every parser of a body, whatever the body was meant for.
fn parse_all(bytes: &[u8]) -> Vec<Result<(), Problem>> {
    let results = vec![
        push::push(bytes).map(drafted),
        device::registration(bytes).map(drop),
        app::app(bytes).map(drop),
        app::key(bytes).map(drop),
        wish::wish(bytes).map(drop),
        event::events(bytes).map(drop),
        import::line(bytes).map(drop),
        simulation::simulation(bytes).map(drafted),
    ];
    results.iter().filter_map(|result| result.as_ref().err()).for_each(check);
    results
}

/// Any JSON: names of the contract among the names, its words among the texts.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        4 => prop::sample::select(vec![
            "", "now", "account", "im", "apns", "fcm", "webpush", "ios", "granted", "push", "app://x", "https://a.example/", "javascript:x", "https://web.push.apple.com/x", "mailto:a@b.example", "{\"endpoint\":\"\"}",
            "\u{0}", "\u{85}", "..", "de-CH", "UTC", "👨‍👩‍👧‍👦", "-----BEGIN PRIVATE KEY-----", "true", "9007199254740993",
        ]).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => "[0-9a-f]{32,64}",
    ];
    let number = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| Value::from(if number.is_finite() { number } else { 0.5 })),
        Just(json!(-0.0)),
        Just(json!(1e308)),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        number,
        word.prop_map(Value::String),
    ];
    let name = prop_oneof![
        8 => prop::sample::select(vec![
            "to", "users", "devices", "tokens", "user", "device", "vendor", "token", "category", "notification", "title",
            "body", "image", "link", "badge", "sound", "data", "collapse", "ttl", "guard", "online", "send", "wait", "type",
            "options", "apns", "fcm", "webpush", "endpoint", "keys", "p256dh", "auth", "subject", "aps", "headers", "platform", "kind", "permission", "locale", "time_zone", "topic",
            "environment", "credentials", "policy", "quota", "per_day", "link_schemes", "scopes", "name", "private_key",
            "team_id", "key_id", "quiet_hours", "from", "opt_out", "tags", "events", "user_token_key", "alg", "secret", "public_key", "stale_days", "per_second", "advice", "caps", "most", "in", "govern", "click_rate_under", "sends", "of", "wait", "project_id", "client_email", "token_uri", "android", "alert",
        ]).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::Array),
            vec((name.clone(), inner), 0..6).prop_map(|members| Value::Object(Map::from_iter(members))),
        ]
    })
}

/// Pointers of all values within a value, the root among them.
fn places(value: &Value, at: &str, into: &mut Vec<String>) {
    into.push(at.to_owned());
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, item)| places(item, &format!("{at}/{n}"), into))
        }
        Value::Object(map) => map.iter().for_each(|(name, item)| {
            places(item, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), into);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// One change to a valid request.
#[derive(Debug, Clone)]
enum Change {
    Replace(Value),
    Remove,
    Add(String, Value),
    /// As often as that: for arrays and texts.
    Repeat(usize),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => any_json().prop_map(Change::Replace),
        1 => Just(Change::Remove),
        2 => (any::<String>(), any_json()).prop_map(|(name, value)| Change::Add(name, value)),
        1 => (0..300usize).prop_map(Change::Repeat),
    ]
}

fn apply(request: &mut Value, place: &str, change: Change) {
    let (parent, last) = place.rsplit_once('/').unwrap_or_default();
    match change {
        Change::Replace(value) => {
            if let Some(target) = request.pointer_mut(place) {
                *target = value;
            }
        }
        Change::Remove => match request.pointer_mut(parent) {
            Some(Value::Object(map)) => {
                map.remove(last);
            }
            Some(Value::Array(items)) => items.clear(),
            _ => {}
        },
        Change::Add(name, value) => match request.pointer_mut(place) {
            Some(Value::Object(map)) => {
                map.insert(name, value);
            }
            Some(Value::Array(items)) => items.push(value),
            _ => {}
        },
        Change::Repeat(times) => match request.pointer_mut(place) {
            Some(Value::Array(items)) => {
                *items = items.iter().cycle().take(items.len() * times).cloned().collect()
            }
            Some(Value::String(text)) => *text = text.repeat(times),
            _ => {}
        },
    }
}

proptest! {
    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..300)) {
        parse_all(&bytes);
    }

    #[test]
    fn any_text(text in ".{0,200}") {
        parse_all(text.as_bytes());
    }

    #[test]
    fn any_json_at_all(json in any_json()) {
        parse_all(json.to_string().as_bytes());
    }

    #[test]
    fn valid_requests_changed_in_one_to_three_places(
        which in 0..7usize,
        changes in vec((any::<prop::sample::Index>(), change()), 1..4),
    ) {
        let mut request = valid()[which].clone();
        for (place, change) in changes {
            let mut all = Vec::new();
            places(&request, "", &mut all);
            apply(&mut request, &all[place.index(all.len())], change);
        }
        parse_all(request.to_string().as_bytes());
    }

    #[test]
    fn valid_requests_with_bytes_changed(
        which in 0..7usize,
        at in any::<prop::sample::Index>(),
        bytes in vec(any::<u8>(), 0..4),
        remove in 0..40usize,
    ) {
        let mut request = valid()[which].to_string().into_bytes();
        let from = at.index(request.len());
        let to = (from + remove).min(request.len());
        request.splice(from..to, bytes);
        parse_all(&request);
    }

    #[test]
    fn any_path_and_header(raw in ".{0,200}", percent in "(%[0-9a-fA-F%]{0,2}|[a-z.]){0,60}", method in "[A-Z]{0,8}") {
        for text in [&raw, &percent] {
            for result in [
                text::path_id(text, "user", |id: String| UserId::parse(id)).map(drop),
                text::path_id(text, "device", |id: String| DeviceId::parse(id)).map(drop),
                text::path_id(text, "app", |id: String| AppId::parse(id)).map(drop),
                authenticate::bearer(Some(text)).map(drop),
                authenticate::bearer(Some(&format!("Bearer {text}"))).map(drop),
                authenticate::bearer(Some(&format!("Bearer epk_{text}"))).map(drop),
                route::find(&method, text).map(drop).map_err(|miss| miss.problem),
                route::find("PUT", &format!("/v1/users/{text}/devices/{text}")).map(drop).map_err(|miss| miss.problem),
            ] {
                result.as_ref().err().into_iter().for_each(check);
            }
            let _ = retry_after(text, Millis(0), 1);
            for vendor in Vendor::ALL {
                let _ = vendor.token(text);
                let _ = vendor.canonical_token(text);
            }
        }
    }

    /// What is taken as an id can stand in a path and comes back from it as it was.
    #[test]
    fn an_id_comes_back_from_its_path(id in ".{1,40}") {
        if let Ok(user) = UserId::parse(id.clone()) {
            let encoded: String = id.bytes().map(|byte| format!("%{byte:02X}")).collect();
            prop_assert_eq!(text::path_id(&encoded, "user", |id: String| UserId::parse(id)), Ok(user));
        }
    }
}

fn codes(bytes: &[u8]) -> Vec<Option<Code>> {
    parse_all(bytes).into_iter().map(|result| result.err().map(|problem| problem.code)).collect()
}

#[test]
fn the_valid_requests_are_valid() {
    for (n, request) in valid().into_iter().enumerate() {
        let result = parse_all(request.to_string().as_bytes()).into_iter().nth(n).unwrap();
        assert_eq!(result, Ok(()), "{request}");
    }
}

/// As deep as the JSON reader goes, and far deeper: within a free object, where nothing else ends the way down.
#[test]
fn deep_nesting_has_an_end() {
    let all = |code| [Some(code); 8];
    for deep in ["[".repeat(100_000), "{\"a\":".repeat(100_000), "[".repeat(1_000) + &"]".repeat(1_000)] {
        assert_eq!(codes(deep.as_bytes()), all(Code::InvalidJson));
    }
    for depth in [10, 100, 120, 127, 128, 1_000] {
        let free = format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        let request = format!(
            r#"{{"to":{{"users":["u"]}},"options":{{"apns":{{"aps":{{"x":{free}}}}},"fcm":{{"data":{free}}}}}}}"#
        );
        parse_all(request.as_bytes());
        parse_all(format!(r#"{{"credentials":{{"fcm":{free},"apns":{free}}}}}"#).as_bytes());
        let list = format!(r#"{{"to":{{"users":{}1{}}}}}"#, "[".repeat(depth), "]".repeat(depth));
        parse_all(list.as_bytes());
    }
}

#[test]
fn numbers_out_of_all_bounds_are_refused() {
    let with = |field: &str, number: &str| {
        format!(r#"{{"to":{{"users":["u"]}},"notification":{{"title":"t"}},"{field}":{number}}}"#)
    };
    let push = |body: String| push::push(body.as_bytes()).err().map(|problem| problem.code);
    for number in
        ["18446744073709551616", "-9223372036854775809", "1e400", "-1", "3.0", "1E0", "0.1", &"9".repeat(400)]
    {
        let code = push(with("ttl", number)).expect("refused");
        assert!(matches!(code, Code::InvalidValue | Code::InvalidJson), "{number}: {code:?}");
    }
    for not_json in ["NaN", "Infinity", "01", "+1", "0x10", "1_000", ".5", "1."] {
        assert_eq!(push(with("ttl", not_json)), Some(Code::InvalidJson), "{not_json}");
    }
    let quota =
        |number: &str| format!(r#"{{"policy":{{"quota":{{"fcm":{{"im":{{"per_day":{number}}}}}}}}}}}"#);
    assert!(app::app(quota("1000000000000").as_bytes()).is_ok());
    for number in ["1000000000001", "18446744073709551615", "-0.5"] {
        assert_eq!(app::app(quota(number).as_bytes()).unwrap_err().code, Code::InvalidValue, "{number}");
    }
}

/// A surrogate without its other half is no text; with it, it is one character.
#[test]
fn lone_surrogates_are_not_text() {
    let with = |text: &str| format!(r#"{{"to":{{"users":["u"]}},"notification":{{"title":"{text}"}}}}"#);
    for lone in [r"\ud800", r"\udc00", r"\ud83d\ud83d", r"\ude00\ud83d", r"a\ud800\u0041"] {
        assert_eq!(push::push(with(lone).as_bytes()).unwrap_err().code, Code::InvalidJson, "{lone}");
    }
    let title = push::push(with(r"\ud83d\ude00").as_bytes()).unwrap().message.notification.unwrap().title;
    assert_eq!(title.as_deref(), Some("😀"));
    // The same as bytes: UTF-8 has no surrogates (RFC 3629 section 3).
    let mut bytes = with("X").into_bytes();
    let at = bytes.iter().position(|byte| *byte == b'X').unwrap();
    bytes.splice(at..=at, [0xed, 0xa0, 0x80]);
    assert_eq!(codes(&bytes), [Some(Code::InvalidUtf8); 8]);
    // A mark of byte order is not JSON (RFC 8259 section 8.1).
    assert_eq!(codes("\u{feff}{}".as_bytes()), [Some(Code::InvalidJson); 8]);
}

#[test]
fn what_stands_twice_is_refused_at_every_depth() {
    for (json, at) in [
        (r#"{"to":{"users":["u"]},"to":{"users":["u"]},"data":{"a":"b"}}"#, "/to"),
        (r#"{"to":{"users":["u"],"users":["u"]},"data":{"a":"b"}}"#, "/to/users"),
        (
            r#"{"to":{"users":["u"]},"options":{"fcm":{"android":[{"x":1,"x":1}]}}}"#,
            "/options/fcm/android/0/x",
        ),
    ] {
        let problem = push::push(json.as_bytes()).unwrap_err();
        assert_eq!((problem.code, problem.pointer.as_deref()), (Code::DuplicateField, Some(at)));
    }
}
