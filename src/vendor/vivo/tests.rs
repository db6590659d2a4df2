//! Whole requests, literally; the signature; and every row of the tables of codes.

use serde_json::Value;

use super::{access_token, classify, request};
use crate::{
    line::parse::json::Json,
    model::{delivery::Reason, outcome::Outcome, push::Category, time::Millis},
    vendor::{
        Call, Facts, Ids, Keys, To, TooLarge, Vendor,
        sample::{
            self, NOW, address, alone, assert_noise_is_harmless, facts, full, ids, message, policy, push,
            reply, short, text, verdict,
        },
    },
};

const VIVO: Vendor = Vendor::Vivo;

fn app() -> Facts {
    facts(&[("app_id", "10004")])
}

#[test]
fn one_token_goes_by_itself() {
    let request = sample::request(VIVO, &app(), &full(Category::Im), &policy(VIVO), &["t1"]);
    assert_eq!(request.url, "https://api-push.vivo.com.cn/message/send");
    assert_eq!(request.headers[0], ("authtoken", "bearer".to_owned()));
    assert_eq!(
        text(&request),
        r#"{"regId":"t1","appId":10004,"requestId":"<uuid>","category":"IM","classification":1,"clientCustomMap":{"ep_data":"{\"ep_guard\":\"account\",\"ep_id\":\"<id>\",\"ep_link\":\"app://order/4711\",\"ep_skip_splash\":\"1\",\"k\":\"v\"}"},"content":"Body","extra":{"callback":"https://push.example/v1/receipts/a/b/c","callback.param":"<id>"},"notifyType":4,"skipContent":"intent://order/4711#Intent;scheme=app;end","skipType":4,"timeToLive":86400,"title":"Title"}"#
    );
}

#[test]
fn a_list_is_saved_once_and_then_named() {
    let draft = sample::drafted(VIVO, &message(Category::Order), &policy(VIVO)).unwrap();
    let addresses = ["t1", "t2"].map(|token| address(VIVO, token));
    let own = [3, 4].map(|n| Ids::new(&push(), n));
    let to: Vec<To<'_>> = addresses.iter().zip(&own).map(|(address, ids)| To { address, ids }).collect();
    let list = Ids::of_call(&[&own[0], &own[1]]).unwrap();
    let mut call =
        Call { draft: &draft, to: &to, ids: &list, bearer: "b", random: None, prepared: None, now: NOW };
    let saved = request::save(&app(), &call).unwrap();
    assert_eq!(saved.url, "https://api-push.vivo.com.cn/message/saveListPayload");
    let saved = text(&saved);
    let id = format!(r#"{{"appId":10004,"requestId":"<list>-{}","category":"ORDER""#, NOW.0);
    assert!(saved.starts_with(&id), "{saved}");
    assert!(!saved.contains("regId"), "{saved}");
    call.prepared = Some("900001");
    let sent = request::request(&app(), &call).unwrap();
    assert_eq!(sent.url, "https://api-push.vivo.com.cn/message/pushToList");
    assert_eq!(
        text(&sent),
        r#"{"appId":10004,"pushMode":0,"regIds":["t1","t2"],"requestId":"<list>-l","taskId":"900001"}"#
    );
    assert_eq!(
        classify::task(&reply(200, r#"{"result":0,"desc":"ok","taskId":"900001"}"#), NOW).unwrap(),
        "900001"
    );
}

#[test]
fn what_is_not_known_of_a_saved_message_is_trouble_and_each_try_saves_anew() {
    for (body, class) in [
        (r#"{"result":10070,"desc":"total"}"#, "quota"),
        (r#"{"result":0,"desc":"ok"}"#, "down"),
        ("<html>", "down"),
        (r#"{"result":10303,"desc":"repeated"}"#, "down"),
        (r#"{"result":10302,"desc":"of whom?"}"#, "down"),
    ] {
        let refused = classify::task(&reply(200, body), NOW).unwrap_err();
        assert_eq!(short(&refused.of("t1").outcome), class, "{body}");
    }
    let draft = sample::drafted(VIVO, &message(Category::Order), &policy(VIVO)).unwrap();
    let address = address(VIVO, "t1");
    let to = [To { address: &address, ids: &ids() }];
    let saved = |now| {
        let call =
            Call { draft: &draft, to: &to, ids: &ids(), bearer: "b", random: None, prepared: None, now };
        let saved: Value = serde_json::from_str(&text(&request::save(&app(), &call).unwrap())).unwrap();
        saved["requestId"].as_str().unwrap().to_owned()
    };
    assert_eq!(saved(NOW), format!("<uuid>-{}", NOW.0));
    assert_ne!(saved(NOW), saved(Millis(NOW.0 + 1)));
}

#[test]
fn limits_are_kept_here() {
    let mut large = message(Category::Marketing);
    (large.ttl, large.collapse) = (1, Some("k".into()));
    let shown = large.notification.as_mut().unwrap();
    (shown.title, shown.body) = (Some("t".repeat(50)), Some("b".repeat(150)));
    let written: Value =
        serde_json::from_str(&text(&sample::request(VIVO, &app(), &large, &policy(VIVO), &["t1"]))).unwrap();
    assert_eq!(written["title"].as_str().unwrap().chars().count(), 40);
    assert_eq!(written["content"].as_str().unwrap().chars().count(), 100);
    assert_eq!((&written["timeToLive"], &written["skipType"]), (&60.into(), &1.into()));
    assert!(written["notifyId"].as_u64().is_some_and(|id| (1..=2_147_483_647).contains(&id)));
    large.data = [("x".to_owned(), "x".repeat(1_024))].into();
    assert!(matches!(sample::drafted(VIVO, &large, &policy(VIVO)), Err(TooLarge { limit: 1_017, .. })));
}

/// The vendor page's check vector (section 3.2).
#[test]
fn the_signature_is_that_of_the_vendors_rule() {
    let json = r#"{"app_id":"10004","app_key":"demo-key","app_secret":"demo-secret"}"#;
    let keys = Keys::parse(VIVO, Json::parse(json).unwrap(), "").unwrap();
    let request = access_token::request(&keys, Millis(1_700_000_000_000));
    assert_eq!(request.url, "https://api-push.vivo.com.cn/message/auth");
    assert_eq!(
        request.body.text().unwrap(),
        r#"{"appId":10004,"appKey":"demo-key","sign":"9c084d3d76492b9ba52e097992bd1198","timestamp":1700000000000}"#
    );
}

#[test]
fn access_tokens_and_refusals_are_read() {
    let read = |body: &str| access_token::read(&reply(200, body), &serde_json::from_str(body).unwrap());
    assert_eq!(read(r#"{"result":0,"desc":"ok","authToken":"abc"}"#).unwrap(), ("abc".to_owned(), 7_200));
    for (code, reason) in [
        (10_200, Reason::Credentials),
        (10_205, Reason::Credentials),
        (10_072, Reason::RateLimited),
        (1, Reason::VendorUnavailable),
    ] {
        assert_eq!(read(&format!(r#"{{"result":{code},"desc":"m"}}"#)).unwrap_err().0, reason, "{code}");
    }
}

#[test]
fn every_code_has_its_class() {
    let rejected = [
        10_050, 10_055, 10_056, 10_058, 10_059, 10_060, 10_061, 10_062, 10_063, 10_064, 10_065, 10_066,
        10_067, 10_068, 10_069, 10_078, 10_096, 10_097, 10_101, 10_104, 19_999,
    ];
    let credentials = [10_082, 10_094, 10_200, 10_201, 10_202, 10_203, 10_204, 10_205];
    for (codes, class) in [
        (&rejected[..], "rejected"),
        (&credentials[..], "credentials"),
        (&[10_000], "renew"),
        (&[10_040], "down"),
        (&[10_045, 10_072, 10_089], "slow"),
        (&[10_070, 10_252, 10_254], "quota"),
        (&[10_071], "capped"),
        (&[10_302], "doubtful"),
        (&[10_303], "unknown"),
    ] {
        for code in codes {
            let body = format!(r#"{{"result":{code},"desc":"words"}}"#);
            assert_eq!(short(&verdict(VIVO, 200, &body, "t1")), class, "{code}");
        }
    }
    assert_eq!(short(&verdict(VIVO, 500, r#"{"result":1,"desc":"x"}"#, "t1")), "down");
    assert_noise_is_harmless(VIVO);
}

#[test]
fn an_invalid_users_status_says_what_becomes_of_the_token() {
    for (status, class) in
        [(1, "gone"), (2, "gone"), (3, "rejected"), (4, "rejected"), (5, "muted"), (9, "rejected")]
    {
        let list = format!(
            r#"{{"result":0,"desc":"ok","taskId":"7","invalidUsers":[{{"status":{status},"userid":"t2"}}]}}"#
        );
        assert_eq!(verdict(VIVO, 200, &list, "t1"), Outcome::Accepted { id: Some("7".into()) });
        assert_eq!(short(&verdict(VIVO, 200, &list, "t2")), class, "{status}");
        // One user beside a success is read as a list of one.
        let one = format!(r#"{{"result":0,"taskId":"7","invalidUser":{{"status":{status},"userid":"t2"}}}}"#);
        assert_eq!(short(&verdict(VIVO, 200, &one, "t2")), class, "{status}");
        assert_eq!(short(&verdict(VIVO, 200, &one, "t1")), "accepted");
        // The code says by itself that the token is illegal; of more tokens only the one that is named is.
        let class = if status == 9 { "doubtful" } else { class };
        let one =
            format!(r#"{{"result":10302,"desc":"x","invalidUser":{{"status":{status},"userid":"t1"}}}}"#);
        assert_eq!(alone(VIVO, 200, &one), class, "{status}");
        assert_eq!(short(&verdict(VIVO, 200, &one, "t1")), class, "{status}");
        assert_eq!(short(&verdict(VIVO, 200, &one, "t2")), "doubtful", "{status}");
    }
    assert_eq!(alone(VIVO, 200, r#"{"result":10302,"invalidUser":{"status":1}}"#), "gone");
    assert_eq!(ids().uuid().len(), 36);
}
