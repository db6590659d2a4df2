//! Whole requests, literally; the JWT; and every row of the tables of codes and reasons.

use jwt_compact::{AlgorithmExt, UntrustedToken, alg::Rsa};
use serde_json::{Value, json};

use super::Credential;
use crate::{
    line::parse::json::Json,
    model::{outcome::Outcome, problem::Code, push::Category},
    vendor::{
        Facts, Vendor,
        sample::{
            self, NOW, P256_TEST_KEY, RSA_TEST_KEY, assert_noise_is_harmless, facts, full, message, policy,
            short, text, verdict,
        },
    },
};

const HARMONY: Vendor = Vendor::Harmony;

fn project() -> Facts {
    facts(&[("project_id", "101")])
}

#[test]
fn one_request_for_all_tokens_of_equal_content() {
    let request = sample::request(HARMONY, &project(), &full(Category::Im), &policy(HARMONY), &["t1", "t2"]);
    assert_eq!(request.url, "https://push-api.cloud.huawei.com/v3/101/messages:send");
    assert!(request.headers.contains(&("push-type", "0".to_owned())), "{:?}", request.headers.len());
    assert_eq!(
        text(&request),
        r#"{"target":{"token":["t1","t2"]},"payload":{"notification":{"appMessageId":"<id>","badge":{"setNum":3},"body":"Body","category":"IM","clickAction":{"actionType":1,"data":{"ep_guard":"account","ep_id":"<id>","ep_link":"app://order/4711","ep_skip_splash":"1","k":"v"},"uri":"app://order/4711"},"image":"https://a.example/b.png","title":"Title"}},"pushOptions":{"biTag":"<id>","ttl":604800}}"#
    );
}

#[test]
fn what_shows_nothing_is_background_data() {
    let mut silent = message(Category::Im);
    silent.notification = None;
    let request = sample::request(HARMONY, &project(), &silent, &policy(HARMONY), &["t1"]);
    assert!(request.headers.contains(&("push-type", "6".to_owned())));
    assert_eq!(
        text(&request),
        r#"{"target":{"token":["t1"]},"payload":{"extraData":"{\"ep_guard\":\"account\",\"ep_id\":\"<id>\",\"k\":\"v\"}"},"pushOptions":{"biTag":"<id>","ttl":604800}}"#
    );
}

fn file() -> Value {
    json!({
        "project_id": "101", "key_id": "k1", "private_key": RSA_TEST_KEY, "sub_account": "1000",
        "auth_uri": "https://oauth-login.cloud.huawei.com/oauth2/v3/authorize"
    })
}

#[test]
fn the_jwt_is_ps256_and_says_what_huawei_wants() {
    let credential = Credential::parse(Json::parse(&file().to_string()).unwrap(), "").unwrap();
    let bearer = credential.bearer(7, NOW).unwrap();
    assert_eq!((bearer.revision, bearer.renew_at.0 - NOW.0), (7, 3_000_000));
    let token = UntrustedToken::new(bearer.token.reveal()).unwrap();
    assert_eq!((token.algorithm(), token.header().key_id.as_deref()), ("PS256", Some("k1")));
    let key = crate::crypto::pem::rsa(RSA_TEST_KEY).unwrap().to_public_key();
    let claims = Rsa::ps256().validator::<Value>(&key).validate(&token).unwrap().claims().clone();
    assert_eq!(
        claims.custom,
        json!({"iss": "1000", "aud": "https://oauth-login.cloud.huawei.com/oauth2/v3/token"})
    );
    let times = [claims.issued_at, claims.expiration].map(|time| time.unwrap().timestamp());
    assert_eq!(times, [0, 3_600].map(|more| i64::try_from(NOW.secs() + more).unwrap()));
    assert!(Credential::callback(&credential.to_stored()).unwrap().is_none());
    let stored = Credential::from_stored(&credential.to_stored()).unwrap();
    assert_eq!(stored.facts(), facts(&[("project_id", "101"), ("key_id", "k1"), ("sub_account", "1000")]));
}

#[test]
fn a_key_file_that_cannot_work_is_refused_by_its_field() {
    let mut missing = file();
    missing.as_object_mut().unwrap().remove("sub_account");
    let mut curve = file();
    curve["private_key"] = json!(P256_TEST_KEY);
    let mut path = file();
    path["project_id"] = json!("../x");
    let with = |name: &str| {
        let mut file = file();
        file[name] = json!("x");
        file
    };
    for (file, code, at) in [
        (missing, Code::MissingField, "/c/sub_account"),
        (curve, Code::InvalidCredentials, "/c/private_key"),
        (path, Code::InvalidValue, "/c/project_id"),
        (with("callback_user"), Code::MissingField, "/c/callback_secret"),
        (with("callback_secret"), Code::MissingField, "/c/callback_user"),
        (with("calback_user"), Code::UnknownField, "/c/calback_user"),
    ] {
        let problem = Credential::parse(Json::parse(&file.to_string()).unwrap(), "/c").unwrap_err();
        assert_eq!((problem.code, problem.pointer.as_deref()), (code, Some(at)));
    }
}

fn refused(code: u32, reason: &str, tokens: &str) -> String {
    let msg = json!({"success": 1, "failure": 1, "illegalTokens": {reason: [tokens]}}).to_string();
    json!({"code": code.to_string(), "msg": msg, "requestId": "r2"}).to_string()
}

#[test]
fn every_reason_has_its_class_of_some_tokens_and_of_all() {
    for (reason, some, all) in [
        ("tokenFormatError", "gone", "doubtful"),
        (" tokenFormatError ", "gone", "doubtful"),
        ("tokenPlatformNotSupport", "gone", "doubtful"),
        ("noRight", "gone", "credentials"),
        ("noPushTypeRight", "rejected", "rejected"),
        ("atomicUnableSendUnsubscribedMsg", "rejected", "rejected"),
        ("countryNotSupport", "rejected", "rejected"),
        ("disableSendHuaweiMsgBecauseOfPenalty", "credentials", "credentials"),
        ("differentImgVerifyPolicy", "rejected", "rejected"),
        ("appinfoError", "down", "down"),
        ("notSupportPlayVoice", "rejected", "rejected"),
        ("noRightToSendThisLiveNotificationEvent", "rejected", "rejected"),
        ("newIn2030", "rejected", "rejected"),
    ] {
        assert_eq!(short(&verdict(HARMONY, 200, &refused(80_100_000, reason, "t2"), "t2")), some, "{reason}");
        assert_eq!(short(&verdict(HARMONY, 200, &refused(80_300_007, reason, "t2"), "t2")), all, "{reason}");
    }
    let some = refused(80_100_000, "noRight", "t2");
    assert_eq!(verdict(HARMONY, 200, &some, "t1"), Outcome::Accepted { id: Some("r2".into()) });
    let unreadable = r#"{"code":"80300007","msg":"all","requestId":"r3"}"#;
    assert_eq!(short(&verdict(HARMONY, 200, unreadable, "t1")), "doubtful");
}

#[test]
fn codes_are_huaweis() {
    for (code, class) in
        [("80200005", "renew"), ("80300037", "credentials"), ("80300029", "slow"), ("81000001", "down")]
    {
        let body = format!(r#"{{"code":"{code}","msg":"m","requestId":"r"}}"#);
        assert_eq!(short(&verdict(HARMONY, 200, &body, "t1")), class, "{code}");
    }
    assert_eq!(short(&verdict(HARMONY, 503, "{}", "t1")), "slow");
    assert_noise_is_harmless(HARMONY);
}

/// Each report asks for it: the key is not read for that.
#[test]
fn the_secret_of_reports_is_read_without_the_key() {
    let mut file = file();
    (file["callback_user"], file["callback_secret"]) = (json!("shop"), json!("secret"));
    let credential = Credential::parse(Json::parse(&file.to_string()).unwrap(), "").unwrap();
    let stored = String::from_utf8(credential.to_stored().to_vec()).unwrap().replace("BEGIN", "END");
    let (user, secret) = Credential::callback(stored.as_bytes()).unwrap().unwrap();
    assert_eq!((user.reveal(), secret.reveal()), ("shop", "secret"));
    assert!(Credential::from_stored(stored.as_bytes()).is_none());
    assert!(Credential::callback(b"{}").is_none());
}
