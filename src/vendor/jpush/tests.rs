//! Whole requests, literally, and every row of the table of codes.

use serde_json::json;

use crate::{
    model::{outcome::Outcome, push::Category},
    vendor::{
        TooLarge, Vendor,
        sample::{self, alone, assert_noise_is_harmless, facts, full, message, policy, short, text, verdict},
    },
};

const JPUSH: Vendor = Vendor::Jpush;

#[test]
fn one_request_for_all_ids_of_equal_content() {
    let app = facts(&[("app_key", "appkey1")]);
    let request = sample::request(JPUSH, &app, &full(Category::Order), &policy(JPUSH), &["t1", "t2"]);
    assert_eq!(request.url, "https://api.jpush.cn/v3/push");
    assert_eq!(request.headers[0], ("authorization", "Basic bearer".to_owned()));
    let extras =
        r#"{"ep_guard":"account","ep_id":"<id>","ep_link":"app://order/4711","ep_skip_splash":"1","k":"v"}"#;
    assert_eq!(
        text(&request),
        format!(
            r#"{{"cid":"appkey1-<list>","platform":"all","audience":{{"registration_id":["t1","t2"]}},"notification":{{"android":{{"alert":"Body","badge_set_num":3,"extras":{extras},"intent":{{"url":"app://order/4711"}},"title":"Title"}},"hmos":{{"alert":"Body","badge_set_num":3,"category":"EXPRESS","extras":{extras},"intent":{{"url":"app://order/4711"}},"title":"Title"}},"ios":{{"alert":{{"body":"Body","title":"Title"}},"badge":3,"extras":{extras},"sound":"chime.caf"}}}},"options":{{"classification":1,"third_party_channel":{{"honor":{{"importance":"NORMAL"}},"huawei":{{"category":"EXPRESS","importance":"NORMAL"}},"vivo":{{"category":"ORDER"}}}},"time_to_live":259200}}}}"#
        )
    );
}

#[test]
fn a_tap_without_a_link_opens_the_app() {
    let mut plain = message(Category::Im);
    plain.notification.as_mut().unwrap().link = None;
    let app = facts(&[("app_key", "appkey1")]);
    let request = sample::request(JPUSH, &app, &plain, &policy(JPUSH), &["t1"]);
    let body: serde_json::Value = serde_json::from_str(&text(&request)).unwrap();
    let url = |platform: &str| body["notification"][platform]["intent"]["url"].clone();
    assert_eq!(url("android"), "intent:#Intent;action=android.intent.action.MAIN;end");
    assert_eq!(url("hmos"), "action.system.home");
}

#[test]
fn what_shows_nothing_is_a_message_for_the_app() {
    let mut silent = message(Category::Im);
    (silent.notification, silent.ttl) = (None, 2_592_000);
    let app = facts(&[("app_key", "appkey1")]);
    let request = sample::request(JPUSH, &app, &silent, &policy(JPUSH), &["t1"]);
    assert_eq!(
        text(&request),
        r#"{"cid":"appkey1-<uuid>","platform":"all","audience":{"registration_id":["t1"]},"message":{"extras":{"ep_guard":"account","ep_id":"<id>","k":"v"},"msg_content":""},"options":{"time_to_live":259200}}"#
    );
    silent.data = [("x".to_owned(), "x".repeat(2_000))].into();
    assert!(matches!(sample::drafted(JPUSH, &silent, &policy(JPUSH)), Err(TooLarge { limit: 2_000, .. })));
}

#[test]
fn every_code_has_its_class() {
    for (status, code, class) in [
        (500, 1_000, "down"),
        (405, 1_001, "rejected"),
        (400, 1_002, "rejected"),
        (400, 1_003, "rejected"),
        (401, 1_004, "credentials"),
        (400, 1_005, "too large"),
        (400, 1_008, "credentials"),
        (400, 1_009, "rejected"),
        (400, 1_011, "doubtful"),
        (400, 1_012, "slow"),
        (404, 1_020, "rejected"),
        (503, 1_030, "down"),
        (400, 1_035, "rejected"),
        (429, 2_002, "slow"),
        (403, 2_003, "credentials"),
        (403, 2_004, "credentials"),
        (403, 2_005, "slow"),
        (403, 2_006, "rejected"),
        (403, 2_007, "rejected"),
        (403, 2_008, "quota"),
        (500, 7_000, "down"),
        (401, 7_001, "credentials"),
        (400, 7_002, "rejected"),
        (401, 7_004, "credentials"),
        (400, 7_008, "credentials"),
        (400, 7_013, "rejected"),
        (503, 7_030, "down"),
        (400, 9_999, "rejected"),
        (502, 9_999, "down"),
    ] {
        let body = format!(r#"{{"msg_id":"1","error":{{"code":{code},"message":"words"}}}}"#);
        assert_eq!(short(&verdict(JPUSH, status, &body, "t1")), class, "{status} {code}");
    }
    assert_noise_is_harmless(JPUSH);
}

#[test]
fn ids_are_kept_as_text_and_illegal_ones_are_named() {
    let ok = r#"{"sendno":"12","msg_id":"18100000000000001"}"#;
    assert_eq!(verdict(JPUSH, 200, ok, "t1"), Outcome::Accepted { id: Some("18100000000000001".into()) });
    let older = r#"{"sendno":12,"msg_id":18100000000000001}"#;
    assert_eq!(verdict(JPUSH, 200, older, "t1"), Outcome::Accepted { id: Some("18100000000000001".into()) });
    for body in [
        r#"{"error":{"code":1003,"message":"illegal","illegal_rids":["t2"]}}"#,
        r#"{"illegal_rids":["t2"],"error":{"code":1003,"message":"illegal"}}"#,
    ] {
        assert_eq!(short(&verdict(JPUSH, 400, body, "t2")), "gone");
        assert_eq!(short(&verdict(JPUSH, 400, body, "t1")), "down", "nobody got it: it is tried again");
    }
    let some = r#"{"sendno":"12","msg_id":"1","illegal_rids":["t2"]}"#;
    assert_eq!(short(&verdict(JPUSH, 200, some, "t1")), "accepted");
    assert_eq!(short(&verdict(JPUSH, 200, some, "t2")), "gone");
    // The only id may be the value that is wrong, if the words are about ids.
    let value = |words: &str| format!(r#"{{"error":{{"code":1003,"message":"{words}"}}}}"#);
    assert_eq!(alone(JPUSH, 400, &value("The Registration_id is illegal")), "doubtful");
    assert_eq!(alone(JPUSH, 400, &value("time_to_live is invalid")), "rejected");
    assert_eq!(short(&verdict(JPUSH, 400, &value("illegal registration_id"), "t1")), "rejected");
}

#[test]
fn classes_ids_and_messages_of_other_kinds_stay_ours() {
    let refused = |json: serde_json::Value| JPUSH.check_options(&sample::object(json), "/o").is_err();
    for json in [
        json!({"options": {"third_party_channel": {"oppo": {"notify_level": 16}}}}),
        json!({"options": {"override_msg_id": 1}}),
        json!({"options": {"cid": "x"}}),
        json!({"options": {"sendno": 1}}),
        json!({"sms_message": {}}),
        json!({"notification_3rd": {}}),
        json!({"inapp_message": {}}),
        json!({"live_activity": {}}),
        json!({"notification": {"android": {"category": "msg"}}}),
    ] {
        assert!(refused(json.clone()), "{json}");
    }
    let free = json!({"options": {"apns_production": true}, "notification": {"android": {"priority": 1}}});
    assert!(!refused(free));
    // The policy may name classes, and nothing else of it.
    let class = |json: serde_json::Value| JPUSH.check_class(&sample::object(json), "/c").is_ok();
    assert!(class(json!({"options": {"third_party_channel": {"xiaomi": {"channel_id": "1"}}}})));
    assert!(!class(json!({"audience": "all"})) && !class(json!({"options": null})));
}
