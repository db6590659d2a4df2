//! Whole requests, literally, and every row of the table of codes.

use crate::{
    model::{outcome::Outcome, push::Category},
    vendor::{
        Vendor,
        sample::{self, assert_noise_is_harmless, facts, full, message, policy, short, text, verdict},
    },
};

const HUAWEI: Vendor = Vendor::Huawei;

#[test]
fn one_request_for_all_tokens_of_equal_content() {
    let client = facts(&[("client_id", "100")]);
    let request = sample::request(HUAWEI, &client, &full(Category::Order), &policy(HUAWEI), &["t1", "t2"]);
    assert_eq!(request.url, "https://push-api.cloud.huawei.com/v1/100/messages:send");
    assert_eq!(request.headers[0], ("authorization", "Bearer bearer".to_owned()));
    assert_eq!(
        text(&request),
        r#"{"validate_only":false,"message":{"token":["t1","t2"],"android":{"bi_tag":"<id>","category":"EXPRESS","notification":{"badge":{"set_num":3},"body":"Body","click_action":{"intent":"intent://order/4711#Intent;scheme=app;S.ep_guard=account;S.ep_id=<id>;S.ep_link=app%3A%2F%2Forder%2F4711;S.ep_skip_splash=1;S.k=v;end","type":1},"image":"https://a.example/b.png","importance":"NORMAL","tag":"<id>","title":"Title"},"ttl":"259200s"},"data":"{\"ep_guard\":\"account\",\"ep_id\":\"<id>\",\"ep_link\":\"app://order/4711\",\"ep_skip_splash\":\"1\",\"k\":\"v\"}"}}"#
    );
    let project = facts(&[("client_id", "100"), ("project_id", "7")]);
    let request = sample::request(HUAWEI, &project, &message(Category::Im), &policy(HUAWEI), &["t1"]);
    assert_eq!(request.url, "https://push-api.cloud.huawei.com/v2/7/messages:send");
}

#[test]
fn classes_ttl_collapse_and_silence_are_written_as_the_vendor_wants_them() {
    let client = facts(&[("client_id", "100")]);
    let written = |message: &crate::model::push::Message| {
        text(&sample::request(HUAWEI, &client, message, &policy(HUAWEI), &["t1"]))
    };
    for (category, class) in [
        (Category::Im, r#""category":"IM""#),
        (Category::Follow, r#""category":"SUBSCRIPTION""#),
        (Category::Marketing, r#""category":"MARKETING""#),
    ] {
        assert!(written(&message(category)).contains(class), "{category:?}");
    }
    assert!(written(&message(Category::Marketing)).contains(r#""importance":"LOW""#));
    let mut long = message(Category::Im);
    (long.ttl, long.collapse) = (2_592_000, Some("order 4711".into()));
    let text = written(&long);
    assert!(text.contains(r#""ttl":"1296000s""#) && text.contains(r#""tag":"order 4711""#), "{text}");
    assert!(text.contains(r#""collapse_key":70"#), "{text}");
    long.notification = None;
    assert_eq!(
        written(&long),
        r#"{"validate_only":false,"message":{"token":["t1"],"android":{"bi_tag":"<id>","collapse_key":70,"ttl":"1296000s"},"data":"{\"ep_guard\":\"account\",\"ep_id\":\"<id>\",\"k\":\"v\"}"}}"#
    );
}

#[test]
fn every_code_has_its_class() {
    for (code, class) in [
        (80_100_001, "rejected"),
        (80_100_002, "rejected"),
        (80_100_003, "rejected"),
        (80_100_004, "rejected"),
        (80_100_013, "rejected"),
        (80_100_016, "rejected"),
        (80_100_017, "slow"),
        (80_100_018, "rejected"),
        (80_100_020, "rejected"),
        (80_100_022, "rejected"),
        (80_200_001, "credentials"),
        (80_200_003, "renew"),
        (80_200_005, "renew"),
        (80_300_002, "credentials"),
        (80_300_007, "doubtful"),
        (80_300_008, "too large"),
        (80_300_010, "rejected"),
        (80_300_011, "rejected"),
        (80_300_013, "rejected"),
        (80_300_017, "rejected"),
        (80_300_028, "rejected"),
        (80_300_029, "slow"),
        (80_300_030, "rejected"),
        (80_300_032, "rejected"),
        (80_300_036, "credentials"),
        (80_300_037, "credentials"),
        (80_600_003, "credentials"),
        (81_000_001, "down"),
        (82_000_001, "rejected"),
        (82_000_013, "rejected"),
        (80_999_999, "rejected"),
    ] {
        let body = format!(r#"{{"code":"{code}","msg":"words","requestId":"r"}}"#);
        // The code counts, also with HTTP 200; one that is not known is judged by the status.
        let statuses: &[u16] = if code == 80_999_999 { &[400] } else { &[200, 400] };
        for status in statuses {
            assert_eq!(short(&verdict(HUAWEI, *status, &body, "t1")), class, "{status} {code}");
        }
    }
    for (status, class) in
        [(400, "rejected"), (401, "renew"), (404, "rejected"), (500, "down"), (502, "down"), (503, "slow")]
    {
        assert_eq!(short(&verdict(HUAWEI, status, "{}", "t1")), class, "{status}");
    }
    assert_noise_is_harmless(HUAWEI);
}

#[test]
fn tokens_that_are_named_are_dead_and_the_others_were_taken() {
    let body = r#"{"code":"80100000","msg":"{\"success\":1,\"failure\":1,\"illegal_tokens\":[\"t2\"]}","requestId":"157"}"#;
    assert_eq!(verdict(HUAWEI, 200, body, "t1"), Outcome::Accepted { id: Some("157".into()) });
    assert_eq!(short(&verdict(HUAWEI, 200, body, "t2")), "gone");
    let ok = r#"{"code":"80000000","msg":"Success","requestId":"157"}"#;
    assert_eq!(verdict(HUAWEI, 200, ok, "t1"), Outcome::Accepted { id: Some("157".into()) });
    // A list that cannot be read names nobody.
    let odd = r#"{"code":"80100000","msg":"some","requestId":"157"}"#;
    assert_eq!(short(&verdict(HUAWEI, 200, odd, "t2")), "accepted");
}

#[test]
fn what_the_gateway_writes_itself_stays() {
    let at = |json: serde_json::Value| {
        HUAWEI.check_options(&sample::object(json), "/o").err().and_then(|problem| problem.pointer)
    };
    assert_eq!(at(serde_json::json!({"android": {"notification": {"badge": {"class": "a.B"}}}})), None);
    for (json, place) in [
        (serde_json::json!({"token": []}), "/o/token"),
        (serde_json::json!({"android": {"category": "IM"}}), "/o/android/category"),
        (serde_json::json!({"data": "x"}), "/o/data"),
    ] {
        assert_eq!(at(json).as_deref(), Some(place));
    }
}
