//! Whole requests, literally, and every row of the table of codes.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    model::{outcome::Outcome, push::Category},
    vendor::{
        Facts, Outbound, TooLarge, Vendor,
        sample::{
            self, alone, assert_noise_is_harmless, facts, fields, full, ids, message, policy, short, verdict,
        },
    },
};

const XIAOMI: Vendor = Vendor::Xiaomi;

fn app() -> Facts {
    facts(&[("package", "com.example.shop")])
}

fn made(category: Category, tokens: &[&str]) -> Outbound {
    sample::request(XIAOMI, &app(), &full(category), &policy(XIAOMI), tokens)
}

#[test]
fn one_form_for_all_tokens_of_equal_content() {
    let request = made(Category::Im, &["t1", "t2"]);
    assert_eq!(request.url, "https://api.xmpush.xiaomi.com/v3/message/regid");
    assert!(request.headers.contains(&("authorization", "key=bearer".to_owned())));
    let fields = fields(&request);
    let payload = URL_SAFE_NO_PAD.decode(&fields["payload"]).unwrap();
    let data = format!(
        r#"{{"ep_guard":"account","ep_id":"{}","ep_link":"app://order/4711","ep_skip_splash":"1","k":"v"}}"#,
        ids().delivery
    );
    assert_eq!(String::from_utf8(payload).unwrap(), data);
    let id = ids().delivery;
    let wanted = [
        ("description", "Body"),
        ("extra.badge", "3"),
        ("extra.callback", "https://push.example/v1/receipts/a/b/c"),
        ("extra.callback.param", id.as_str()),
        ("extra.callback.type", "243"),
        ("extra.channel_id", "ch1"),
        ("extra.intent_uri", "intent://order/4711#Intent;scheme=app;end"),
        ("extra.notify_effect", "2"),
        ("extra.template_id", "T1"),
        ("notify_type", "-1"),
        ("pass_through", "0"),
        ("registration_id", "t1,t2"),
        ("restricted_package_name", "com.example.shop"),
        ("time_to_live", "604800000"),
        ("title", "Title"),
    ];
    for (name, value) in wanted {
        assert_eq!(fields.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert_eq!(fields["extra.jobkey"].len(), 20);
    assert_eq!(fields.len(), wanted.len() + 2, "{:?}", fields.keys());
}

#[test]
fn regions_limits_and_now_or_never() {
    let host = |region: &str| {
        let facts = facts(&[("package", "com.example.shop"), ("region", region)]);
        sample::request(XIAOMI, &facts, &message(Category::Marketing), &policy(XIAOMI), &["t1"]).url
    };
    assert!(host("in").starts_with("https://idmb-api.xmpush.global.xiaomi.com/"));
    assert!(host("eu").starts_with("https://fr-api.xmpush.global.xiaomi.com/"));
    assert!(host("ru").starts_with("https://ru-api.xmpush.global.xiaomi.com/"));
    assert!(host("global").starts_with("https://sgp-api.xmpush.global.xiaomi.com/"));
    // Public messages live for a day, lines have fewer than 50 and 128 characters.
    let mut long = message(Category::Marketing);
    long.ttl = 2_592_000;
    let shown = long.notification.as_mut().unwrap();
    (shown.title, shown.body) = (Some("标".repeat(60)), Some("文".repeat(200)));
    let request = fields(&sample::request(XIAOMI, &app(), &long, &policy(XIAOMI), &["t1"]));
    assert_eq!((request["title"].chars().count(), request["description"].chars().count()), (49, 127));
    assert_eq!(request["time_to_live"], "86400000");
    assert!(sample::drafted(XIAOMI, &long, &policy(XIAOMI)).unwrap().shortened);
    long.ttl = 0;
    let request = fields(&sample::request(XIAOMI, &app(), &long, &policy(XIAOMI), &["t1"]));
    assert_eq!(request["extra.only_send_once"], "1");
    long.data = [("x".to_owned(), "x".repeat(9_000))].into();
    assert!(matches!(sample::drafted(XIAOMI, &long, &policy(XIAOMI)), Err(TooLarge { limit: 4_096, .. })));
}

#[test]
fn every_code_has_its_class() {
    let rejected = [
        10_008, 10_012, 10_016, 10_017, 10_020, 10_021, 10_036, 10_037, 20_209, 20_215, 20_216, 21_305,
        22_100, 22_103, 26_006, 27_001, 65_007, 65_008, 65_010, 65_011, 65_012, 65_013, 65_016, 65_017,
        65_028, 65_030, 65_035, 65_036, 65_037, 65_038, 10_999, 20_999,
    ];
    let down =
        [-1, 1, 10_001, 10_002, 10_003, 20_301, 20_315, 20_607, 22_102, 26_003, 65_003, 65_029, 99_999];
    let slow = [
        10_022, 10_023, 10_024, 10_027, 10_028, 10_030, 10_032, 10_039, 22_101, 26_004, 26_005, 65_006,
        200_002,
    ];
    let credentials =
        [10_026, 10_031, 10_033, 10_038, 21_301, 21_302, 21_303, 22_000, 22_006, 22_007, 22_008, 22_022];
    let too_large = [10_018, 65_009, 65_014, 65_015];
    for (codes, class) in [
        (&rejected[..], "rejected"),
        (&down[..], "down"),
        (&slow[..], "slow"),
        (&credentials[..], "credentials"),
        (&too_large[..], "too large"),
        (&[10_034, 200_001], "quota"),
        (&[10_029], "doubtful"),
    ] {
        for code in codes {
            let body = format!(r#"{{"result":"error","code":{code},"reason":"words","trace_id":"x"}}"#);
            assert_eq!(short(&verdict(XIAOMI, 200, &body, "t1")), class, "{code}");
        }
    }
    for (status, class) in
        [(401, "credentials"), (413, "too large"), (429, "slow"), (400, "rejected"), (500, "down")]
    {
        assert_eq!(short(&verdict(XIAOMI, status, "{}", "t1")), class, "{status}");
    }
    assert_noise_is_harmless(XIAOMI);
}

#[test]
fn an_acceptance_names_dead_tokens_or_not() {
    let ok =
        r#"{"result":"ok","code":0,"trace_id":"x","data":{"id":"sdm0001x"},"description":"成功","info":"…"}"#;
    assert_eq!(verdict(XIAOMI, 200, ok, "t1"), Outcome::Accepted { id: Some("sdm0001x".into()) });
    let some = r#"{"result":"ok","code":0,"data":{"id":"sdm0001x","bad_regids":"t2,t3"}}"#;
    assert_eq!(short(&verdict(XIAOMI, 200, some, "t1")), "accepted");
    assert_eq!(short(&verdict(XIAOMI, 200, some, "t3")), "doubtful");
    // Sent to nobody: of one token that is its end, of more it may be anything.
    let nobody = r#"{"result":"error","code":20301,"reason":"No valid targets!"}"#;
    assert_eq!(alone(XIAOMI, 200, nobody), "gone");
    assert_eq!(short(&verdict(XIAOMI, 200, nobody, "t1")), "down");
    assert_eq!(alone(XIAOMI, 200, r#"{"result":"error","code":10029}"#), "gone");
}
