//! Whole requests, literally; the signature; and every row of the tables of codes.

use super::request::sign;
use crate::{
    model::{outcome::Outcome, push::Category},
    vendor::{
        TooLarge, Vendor,
        sample::{
            self, alone, assert_noise_is_harmless, facts, fields, full, ids, message, policy, short, verdict,
        },
    },
};

const MEIZU: Vendor = Vendor::Meizu;

/// The vendor page's check vector (section 4.2), whose rule reproduces the published sample.
#[test]
fn the_signature_is_that_of_the_vendors_rule() {
    let fields = [
        ("appId", "100999"),
        ("messageJson", r#"{"noticeBarInfo":{"title":"Hi","content":"There"}}"#),
        ("pushIds", "S5Q4b7demo0001"),
    ];
    assert_eq!(sign(&fields, "demo-secret"), "8f900ee38726132613685729e7708f6b");
}

#[test]
fn one_signed_form_for_all_tokens_of_equal_content() {
    let app = facts(&[("app_id", "100999")]);
    let request = sample::request(MEIZU, &app, &full(Category::Order), &policy(MEIZU), &["t1", "t2"]);
    assert_eq!(
        request.url,
        "https://server-api-push.meizu.com/garcia/api/server/push/varnished/pushByPushId"
    );
    let fields = fields(&request);
    assert_eq!((fields["appId"].as_str(), fields["pushIds"].as_str()), ("100999", "t1,t2"));
    let message = fields["messageJson"].replace(&ids().delivery, "<id>");
    assert_eq!(
        message,
        r#"{"clickTypeInfo":{"clickType":2,"parameters":{"ep_guard":"account","ep_id":"<id>","ep_link":"app://order/4711","ep_skip_splash":"1","k":"v"},"url":"app://order/4711"},"extra":{"callback":"https://push.example/v1/receipts/a/b/c","callback.param":"<id>","callback.type":"3"},"noticeBarInfo":{"content":"Body","noticeMsgType":1,"title":"Title"},"pushTimeInfo":{"offLine":1,"validTime":72}}"#
    );
    // What is signed is what is sent.
    let signed = [("appId", "100999"), ("messageJson", fields["messageJson"].as_str()), ("pushIds", "t1,t2")];
    assert_eq!(fields["sign"], sign(&signed, "bearer"));
}

#[test]
fn limits_are_kept_here() {
    let app = facts(&[("app_id", "100999")]);
    let mut large = message(Category::Marketing);
    (large.ttl, large.collapse) = (0, Some("a name of more than eight".into()));
    let shown = large.notification.as_mut().unwrap();
    (shown.title, shown.body) = (Some("t".repeat(50)), Some("b".repeat(150)));
    let form = fields(&sample::request(MEIZU, &app, &large, &policy(MEIZU), &["t1"]));
    let written: serde_json::Value = serde_json::from_str(&form["messageJson"]).unwrap();
    assert_eq!(written["noticeBarInfo"]["title"].as_str().unwrap().chars().count(), 32);
    assert_eq!(written["noticeBarInfo"]["content"].as_str().unwrap().chars().count(), 100);
    assert_eq!(written["noticeBarInfo"]["noticeMsgType"], 0);
    assert_eq!(written["pushTimeInfo"]["offLine"], 0);
    assert_eq!(written["advanceInfo"]["notifyKey"].as_str().unwrap().len(), 8);
    large.data = [("x".to_owned(), "x".repeat(1_000))].into();
    assert!(matches!(sample::drafted(MEIZU, &large, &policy(MEIZU)), Err(TooLarge { limit: 1_000, .. })));
}

#[test]
fn every_code_of_the_whole_has_its_class() {
    for (codes, class) in [
        (&["1005", "110004", "110032", "4711"][..], "rejected"),
        (&["1006", "110000", "110001", "110009", "110031", "110033"], "credentials"),
        (&["-1", "300", "500", "1001", "1003"], "down"),
        (&["110010"], "slow"),
        (&["110019", "110051", "110053"], "quota"),
        // Which one of two it is about is not said.
        (&["110002", "110003"], "doubtful"),
    ] {
        for code in codes {
            let body = format!(r#"{{"code":"{code}","message":"words","value":"","redirect":""}}"#);
            assert_eq!(short(&verdict(MEIZU, 200, &body, "t1")), class, "{code}");
        }
    }
    let dead = r#"{"code":"110003","message":"非法的pushId","value":"","redirect":""}"#;
    assert_eq!(alone(MEIZU, 200, dead), "gone");
    assert_noise_is_harmless(MEIZU);
}

#[test]
fn every_code_of_one_token_has_its_class() {
    for (code, class) in [
        ("201", "credentials"),
        ("501", "down"),
        ("513", "down"),
        ("518", "slow"),
        ("519", "down"),
        ("520", "capped"),
        ("110002", "gone"),
        ("110003", "gone"),
        ("110005", "rejected"),
        ("110010", "muted"),
        ("110011", "capped"),
        ("4711", "rejected"),
    ] {
        let body = format!(
            r#"{{"code":"200","message":"","value":{{"{code}":["t2"]}},"msgId":"NS0001","redirect":""}}"#
        );
        assert_eq!(verdict(MEIZU, 200, &body, "t1"), Outcome::Accepted { id: Some("NS0001".into()) });
        assert_eq!(short(&verdict(MEIZU, 200, &body, "t2")), class, "{code}");
    }
}
