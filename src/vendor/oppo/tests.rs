//! Whole requests, literally; the signature; and every row of the table of codes.

use serde_json::{Value, json};

use super::access_token;
use crate::{
    line::parse::json::Json,
    model::{delivery::Reason, outcome::Outcome, push::Category, time::Millis},
    vendor::{
        Keys, Outbound, TooLarge, Vendor,
        sample::{
            self, alone, assert_noise_is_harmless, facts, fields, full, ids, message, policy, reply, short,
            verdict,
        },
    },
};

const OPPO: Vendor = Vendor::Oppo;

fn made(category: Category, tokens: &[&str]) -> Outbound {
    sample::request(OPPO, &facts(&[]), &full(category), &policy(OPPO), tokens)
}

#[test]
fn one_batch_for_all_tokens_each_with_its_own_id() {
    let request = made(Category::Im, &["OPPO_CN_t1", "OPPO_CN_t2"]);
    assert_eq!(request.url, "https://api.push.oppomobile.com/server/v1/message/notification/unicast_batch");
    let fields = fields(&request);
    assert_eq!(fields["auth_token"], "bearer");
    let messages: Value = serde_json::from_str(&fields["messages"]).unwrap();
    let id = ids().delivery;
    assert_eq!(
        messages[0],
        json!({
            "target_type": 2, "target_value": "OPPO_CN_t1",
            "notification": {
                "app_message_id": id, "title": "Title", "content": "Body", "style": 1, "click_action_type": 5,
                "click_action_url": "intent://order/4711#Intent;scheme=app;end",
                "action_parameters": format!(r#"{{"ep_guard":"account","ep_id":"{id}","ep_link":"app://order/4711","ep_skip_splash":"1","k":"v"}}"#),
                "off_line": true, "off_line_ttl": 604_800, "channel_id": "chat", "category": "IM", "notify_level": 2,
                "call_back_url": "https://push.example/v1/receipts/a/b/c", "call_back_parameter": id
            }
        })
    );
    assert_eq!(messages[1]["target_value"], "OPPO_CN_t2");
    let second = id.replace(".3", ".4");
    assert_eq!(messages[1]["notification"]["app_message_id"], second.as_str());
}

#[test]
fn a_template_writes_the_lines_itself() {
    let request = fields(&made(Category::Order, &["t1"]));
    let messages: Value = serde_json::from_str(&request["messages"]).unwrap();
    let notification = &messages[0]["notification"];
    assert_eq!(notification["private_msg_template_id"], "T1");
    assert_eq!(notification["private_content_parameters"], json!({"what": "Body"}));
    assert!(notification.get("title").is_none() && notification.get("content").is_none());
}

#[test]
fn the_token_says_which_host_it_belongs_to() {
    for (token, mainland) in [
        ("0123456789abcdef01234567", true),
        ("CN_0123", true),
        ("OPPO_CN_0123", true),
        ("realme_CN_0123", true),
        ("IN_0123", false),
        ("OPPO_IN_0123", false),
        ("a_b_c_d", false),
    ] {
        let host = if mainland { "api.push.oppomobile.com" } else { "api-intl.push.oppomobile.com" };
        assert_eq!(super::host(token), host, "{token}");
    }
}

#[test]
fn too_much_data_is_found_here() {
    let mut large = message(Category::Marketing);
    large.data = [("x".to_owned(), "x".repeat(4_000))].into();
    assert!(matches!(sample::drafted(OPPO, &large, &policy(OPPO)), Err(TooLarge { limit: 4_000, .. })));
    let mut long = message(Category::Marketing);
    for (length, fits) in [(2_000, true), (2_001, false)] {
        long.notification.as_mut().unwrap().link = Some(format!("{:x<length$}", "https://a.example/"));
        assert_eq!(sample::drafted(OPPO, &long, &policy(OPPO)).is_ok(), fits, "{length}");
    }
}

/// The vendor page's check vector (section 2.2).
#[test]
fn the_signature_is_that_of_the_vendors_rule() {
    let json = Json::parse(r#"{"app_key":"demo-key","master_secret":"demo-master"}"#).unwrap();
    let keys = Keys::parse(OPPO, json, "").unwrap();
    let request = access_token::request(&keys, Millis(1_700_000_000_000));
    assert_eq!(request.url, "https://api.push.oppomobile.com/server/v1/auth");
    let fields = fields(&request);
    assert_eq!((fields["app_key"].as_str(), fields["timestamp"].as_str()), ("demo-key", "1700000000000"));
    assert_eq!(fields["sign"], "38f6b7ca8492312c3bb5762f4ffff7d4bc5d55ccf6c451b0fe9891ac3e48091b");
}

#[test]
fn access_tokens_and_refusals_are_read() {
    let read = |body: &str| access_token::read(&reply(200, body), &serde_json::from_str(body).unwrap());
    let ok = r#"{"code":0,"message":"success","data":{"auth_token":"abc","create_time":1767225600000}}"#;
    assert_eq!(read(ok).unwrap(), ("abc".to_owned(), 72_000));
    for (code, reason) in [
        (14, Reason::Credentials),
        (16, Reason::Credentials),
        (19, Reason::Credentials),
        (28, Reason::Credentials),
        (13, Reason::RateLimited),
        (-1, Reason::VendorUnavailable),
    ] {
        assert_eq!(read(&format!(r#"{{"code":{code},"message":"m"}}"#)).unwrap_err().0, reason, "{code}");
    }
}

#[test]
fn every_code_has_its_class() {
    let rejected = [12, 20, 21, 22, 23, 24, 25, 31, 40, 41, 51, 67, 10_005, 10_999];
    let credentials = [14, 15, 16, 17, 18, 19, 26, 27, 28, 30, 59];
    for (codes, class) in [
        (&rejected[..], "rejected"),
        (&credentials[..], "credentials"),
        (&[11, 29], "renew"),
        (&[-2, 13, 55], "slow"),
        (&[33, 34], "quota"),
        (&[-1, -3, -99], "down"),
        (&[10_000], "doubtful"),
        (&[32], "unknown"),
    ] {
        for code in codes {
            let body = format!(r#"{{"code":{code},"message":"words"}}"#);
            assert_eq!(short(&verdict(OPPO, 200, &body, "t1")), class, "{code}");
        }
    }
    assert_eq!(alone(OPPO, 200, r#"{"code":10000,"message":"Invalid RegistrationId"}"#), "gone");
    assert_eq!(short(&verdict(OPPO, 401, "{}", "t1")), "credentials");
    assert_noise_is_harmless(OPPO);
}

#[test]
fn each_message_of_a_batch_has_its_own_end() {
    let body = r#"{"code":0,"message":"Success","data":[{"messageId":"m1","registrationId":"t1"},{"registrationId":"t2","errorCode":10000,"errorMessage":"Invalid RegistrationId"},{"registrationId":"t3","errorCode":13,"errorMessage":"limited"}]}"#;
    assert_eq!(verdict(OPPO, 200, body, "t1"), Outcome::Accepted { id: Some("m1".into()) });
    assert_eq!(short(&verdict(OPPO, 200, body, "t2")), "gone");
    assert_eq!(short(&verdict(OPPO, 200, body, "t3")), "slow");
    // What is not named may have been sent or not.
    for body in [body, r#"{"code":0,"data":{"t4":"m4"}}"#, r#"{"code":0}"#, r#"{"code":0,"data":[{}]}"#] {
        assert_eq!(short(&verdict(OPPO, 200, body, "t4")), "unknown", "{body}");
    }
}
