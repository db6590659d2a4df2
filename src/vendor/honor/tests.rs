//! Whole requests, literally, and every row of the table of codes.

use crate::{
    model::{outcome::Outcome, push::Category},
    vendor::{
        Vendor,
        sample::{self, NOW, assert_noise_is_harmless, facts, full, policy, short, text, verdict},
    },
};

const HONOR: Vendor = Vendor::Honor;

#[test]
fn one_request_for_all_tokens_of_equal_content() {
    let app = facts(&[("app_id", "104"), ("client_id", "c")]);
    let request = sample::request(HONOR, &app, &full(Category::Order), &policy(HONOR), &["t1", "t2"]);
    assert_eq!(request.url, "https://push-api.cloud.honor.com/api/v1/104/sendMessage");
    assert!(request.headers.contains(&("timestamp", NOW.0.to_string())));
    assert_eq!(
        text(&request),
        r#"{"token":["t1","t2"],"android":{"biTag":"<id>","notification":{"badge":{"setNum":3},"body":"Body","clickAction":{"intent":"intent://order/4711#Intent;scheme=app;S.ep_guard=account;S.ep_id=<id>;S.ep_link=app%3A%2F%2Forder%2F4711;S.ep_skip_splash=1;S.k=v;end","type":1},"image":"https://a.example/b.png","importance":"NORMAL","tag":"<id>","title":"Title"},"ttl":"259200s"},"data":"{\"ep_guard\":\"account\",\"ep_id\":\"<id>\",\"ep_link\":\"app://order/4711\",\"ep_skip_splash\":\"1\",\"k\":\"v\"}"}"#
    );
    let marketing = text(&sample::request(HONOR, &app, &full(Category::Marketing), &policy(HONOR), &["t1"]));
    assert!(marketing.contains(r#""importance":"LOW""#) && !marketing.contains("image"), "{marketing}");
}

#[test]
fn a_picture_is_the_pushs_own() {
    for json in [
        serde_json::json!({"notification": {"image": "https://a.example/b.png"}}),
        serde_json::json!({"android": {"notification": {"image": "https://a.example/b.png"}}}),
    ] {
        assert!(HONOR.check_options(&sample::object(json), "/o").is_err());
    }
}

#[test]
fn lists_of_tokens_stand_before_the_code() {
    let body = r#"{"code":200,"message":"success","data":{"sendResult":true,"requestId":"h-1","failTokens":["t2"],"expireTokens":["t3"]}}"#;
    assert_eq!(verdict(HONOR, 200, body, "t1"), Outcome::Accepted { id: Some("h-1".into()) });
    assert_eq!(short(&verdict(HONOR, 200, body, "t2")), "down");
    assert_eq!(short(&verdict(HONOR, 200, body, "t3")), "gone");
    let none = r#"{"code":200,"message":"success","data":{"sendResult":false,"requestId":"h-1"}}"#;
    assert_eq!(short(&verdict(HONOR, 200, none, "t1")), "down");
    let none = none.replace("200", "80100000");
    assert_eq!(short(&verdict(HONOR, 200, &none, "t1")), "down");
}

#[test]
fn every_code_has_its_class() {
    for (status, code, class) in [
        (200, "200", "accepted"),
        (200, "\"200\"", "accepted"),
        (200, "80000000", "accepted"),
        (200, "80100000", "accepted"),
        (200, "80100001", "rejected"),
        (200, "80100003", "rejected"),
        (200, "80100004", "rejected"),
        (200, "80200001", "credentials"),
        (200, "80200003", "renew"),
        (200, "80300002", "credentials"),
        (200, "80300007", "down"),
        (200, "80300008", "too large"),
        (200, "80300010", "rejected"),
        (200, "81000001", "down"),
        (200, "4711", "down"),
        (400, "1", "rejected"),
        (401, "1", "renew"),
        (401, "80200001", "renew"),
        (403, "1", "renew"),
        (404, "1", "rejected"),
        (429, "1", "slow"),
        (500, "1", "down"),
        (503, "1", "slow"),
    ] {
        let body = format!(r#"{{"code":{code},"message":"words"}}"#);
        assert_eq!(short(&verdict(HONOR, status, &body, "t1")), class, "{status} {code}");
    }
    assert_noise_is_harmless(HONOR);
}
