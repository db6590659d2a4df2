//! Law 8, no panic, for what does not come from callers: whatever a vendor answers, a backend signs or KV holds is read to a value
//! or refused. And law 6: nothing but the vendor's own word for it is a dead token.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use edgepush::{
    crypto::user_token::{self, Key},
    line::{parse::push, resolve, send},
    model::{
        app::App,
        delivery::Reason,
        ids::UserId,
        outcome::{Answer, Outcome, Reply},
        page::Page,
        time::{Millis, retry_after},
    },
    object::claim,
    vendor::{Vendor, fcm, receipt},
    wire::{
        ledger::{End, Event, Target, Work},
        text,
        user::Copy,
    },
};
use proptest::{collection::vec, prelude::*};

/// Answers as vendors give them: what mutations start from.
const BODIES: [&str; 19] = [
    r#"{"code":"80100000","msg":"{\"success\":1,\"failure\":1,\"illegal_tokens\":[\"S5Q4b7demo0001\"]}","requestId":"r1"}"#,
    r#"{"code":"80300007","msg":"{\"failure\":1,\"illegalTokens\":{\"noRight\":[\"S5Q4b7demo0001\"]}}","requestId":"r3"}"#,
    r#"{"code":200,"message":"success","data":{"sendResult":true,"requestId":"h-1","failTokens":[],"expireTokens":["S5Q4b7demo0001"]}}"#,
    r#"{"result":"ok","code":0,"data":{"id":"sdm1","bad_regids":"S5Q4b7demo0001,x"}}"#,
    r#"{"code":0,"message":"Success","data":[{"registrationId":"S5Q4b7demo0001","errorCode":10000,"errorMessage":"Invalid RegistrationId"}]}"#,
    r#"{"result":0,"desc":"ok","taskId":"9","invalidUsers":[{"status":2,"userid":"S5Q4b7demo0001"}]}"#,
    r#"{"result":10302,"desc":"regId illegal","invalidUser":{"status":1,"userid":"S5Q4b7demo0001"}}"#,
    r#"{"code":"200","message":"","value":{"110002":["S5Q4b7demo0001"]},"msgId":"NS1","redirect":""}"#,
    r#"{"error":{"code":1003,"message":"bad","illegal_rids":["S5Q4b7demo0001"]}}"#,
    r#"{"reason":"BadDeviceToken"}"#,
    r#"{"reason":"Unregistered","timestamp":1795581000000}"#,
    r#"{"reason":"TooManyRequests"}"#,
    r#"{"name":"projects/parcels/messages/0:1500415314455276%31bd1c9631bd1c96"}"#,
    r#"{"error":{"code":404,"message":"Requested entity was not found.","status":"NOT_FOUND","details":[{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"UNREGISTERED"}]}}"#,
    r#"{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"30s"}]}}"#,
    r#"{"access_token":"ya29.x","expires_in":3599,"token_type":"Bearer"}"#,
    r#"{"error":"invalid_grant","error_description":"Invalid JWT Signature."}"#,
    r#"{"code":410,"errno":106,"error":"Gone","message":"Request did not validate"}"#,
    "<html><title>502 Bad Gateway</title></html>",
];

/// Reports as vendors send them.
const RECEIPTS: [&str; 5] = [
    r#"{"statuses":[{"token":"tokC","biTag":"01ARYZ6S410000000000000000.0","deliveryStatus":{"result":2,"timestamp":1}}]}"#,
    r#"data={"sdm0001x":{"type":16,"param":"01ARYZ6S410000000000000000.0","targets":"rid-A,rid-B","timestamp":1}}"#,
    r#"[{"registrationIds":"OPPO_CN_1,OPPO_CN_2","param":"01ARYZ6S410000000000000000.0","eventType":"regid_invalid"}]"#,
    r#"{"900001":{"param":"01ARYZ6S410000000000000000.0","targets":"1234","ackType":"0"}}"#,
    r#"cb={"NS0001-1":{"param":"01ARYZ6S410000000000000000.0","type":1,"targets":["S5Q4b7demo0001"]}}&access_token=demo"#,
];

/// Words that a vendor may mean a dead token by. Statuses of push services say it too.
const DEAD: [&str; 17] = [
    // The makers' codes, and what they name.
    "S5Q4b7demo0001",
    "80300007",
    "10302",
    "10029",
    "10000",
    "11000",
    "1011",
    "Unregistered",
    "BadDeviceToken",
    "DeviceTokenNotForTopic",
    "UNREGISTERED",
    "SENDER_ID_MISMATCH",
    "INVALID_ARGUMENT",
    "ExpiredToken",
    "registration",
    "errno",
    "token",
];

fn body() -> impl Strategy<Value = String> {
    let changed = (0..BODIES.len(), any::<prop::sample::Index>(), 0..30usize, ".{0,12}").prop_map(
        |(which, at, remove, insert)| {
            let mut text: Vec<char> = BODIES[which].chars().collect();
            let from = at.index(text.len());
            let to = (from + remove).min(text.len());
            text.splice(from..to, insert.chars());
            text.into_iter().collect()
        },
    );
    let nested = (1..300usize).prop_map(|n| format!("{}1{}", "{\"error\":".repeat(n), "}".repeat(n)));
    prop_oneof![
        3 => changed,
        1 => any::<String>(),
        1 => prop::sample::select(BODIES.to_vec()).prop_map(str::to_owned),
        1 => nested,
    ]
}

fn status() -> impl Strategy<Value = u16> {
    prop_oneof![
        3 => prop::sample::select(vec![200u16, 201, 400, 401, 403, 404, 405, 410, 413, 429, 500, 502, 503]),
        1 => any::<u16>(),
    ]
}

proptest! {
    #[test]
    fn whatever_a_vendor_answers_has_a_meaning(
        status in status(),
        body in body(),
        retry in proptest::option::of(prop_oneof![".{0,20}", "[0-9]{1,40}", Just("Sun, 06 Nov 1994 08:49:37 GMT".to_owned())]),
        id in proptest::option::of(".{0,60}"),
        whole in any::<bool>(),
    ) {
        let reply = Reply { status, body: body.clone(), retry_after: retry.clone(), apns_id: id, whole, ..Reply::default() };
        for vendor in Vendor::ALL {
            let split = send::split(vendor, &Answer::Reply(reply.clone()), &["S5Q4b7demo0001", "S5Q4b7demo0002"], Millis(1_795_581_000_000));
            let verdict = split.of("S5Q4b7demo0001").clone();
            prop_assert!(verdict.detail.is_none_or(|detail| detail.len() < 2_000 && !detail.contains("S5Q4b7demo0001")));
            match (vendor, verdict.outcome) {
                (Vendor::Apns | Vendor::Fcm, Outcome::TokenGone { .. }) => {
                    // Apple's 410 says it by itself.
                    let gone = vendor == Vendor::Apns && status == 410;
                    prop_assert!(gone || DEAD.iter().any(|word| body.contains(word)), "{vendor:?} {status}: {body}");
                    prop_assert!(!(200..300).contains(&status));
                }
                (Vendor::Webpush, Outcome::TokenGone { .. }) => {
                    prop_assert!((400..500).contains(&status) || DEAD.iter().any(|word| body.contains(word)));
                }
                (_, Outcome::TokenGone { .. }) => {
                    prop_assert!(DEAD.iter().any(|word| body.contains(word)), "{vendor:?} {status}: {body}");
                }
                (_, Outcome::Retry { after, .. }) => prop_assert!(after.is_none_or(|secs| secs <= 3_600)),
                (_, Outcome::Accepted { .. }) => prop_assert!((200..300).contains(&status)),
                _ => {}
            }
        }
        let _ = fcm::bearer_from(&Answer::Reply(reply), 1, Millis(1_795_581_000_000));
        let _ = retry.map(|value| retry_after(&value, Millis(1_795_581_000_000), 1));
    }

    /// What JavaScript gives back: never taken for something else than what was agreed.
    #[test]
    fn a_bundle_of_answers_is_read_or_not(text in prop_oneof![body(), "(\\[\\{\"(reply|late|silence|not_sent)\":.{0,20}\\}\\])"], n in 0..3usize) {
        let read = send::decode(&text, n);
        prop_assert!(read.is_none_or(|answers| answers.len() == n));
    }

    #[test]
    fn no_made_up_user_token_opens_anything(
        header in prop_oneof![Just(r#"{"alg":"HS256"}"#.to_owned()), Just(r#"{"alg":"ES256"}"#.to_owned()), any::<String>()],
        claims in prop_oneof![Just(r#"{"sub":"u","aud":"shop","exp":1795581060}"#.to_owned()), any::<String>()],
        signature in vec(any::<u8>(), 0..100),
        rest in ".{0,60}",
    ) {
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let made = format!("{}.{}.{}", part(header.as_bytes()), part(claims.as_bytes()), part(&signature));
        for token in [made, rest] {
            let _ = user_token::unverified(&token);
            let keys = [Key::Hs256(b"0123456789abcdef0123456789abcdef"), Key::Es256(&signature)];
            prop_assert!(user_token::verify(&token, keys, Millis(1_795_581_000_000)).is_err());
        }
    }

    /// Reports come from anybody who knows the address: they are read or refused, and only a vendor's own code is a dead token.
    #[test]
    fn receipts_are_read_or_not(
        which in 0..RECEIPTS.len(), at in any::<prop::sample::Index>(), remove in 0..30usize, insert in ".{0,8}",
    ) {
        let mut text: Vec<char> = RECEIPTS[which].chars().collect();
        let from = at.index(text.len());
        text.splice(from..(from + remove).min(RECEIPTS[which].chars().count()), insert.chars());
        let text: String = text.into_iter().collect();
        for receipts in Vendor::ALL.iter().filter_map(|vendor| vendor.spec().receipts.as_ref()) {
            for receipt in (receipts.read)(&text).unwrap_or_default() {
                let _ = receipt::place(&receipt.tag);
                if matches!(receipt.word, Ok(Event::Lost(Reason::TokenGone, _))) {
                    let said = ["2", "5", "16", "regid_invalid"].iter().any(|code| text.contains(code));
                    prop_assert!(said, "{text}");
                }
            }
        }
    }

    /// What lies in KV and in rows is read or it is not; what is read can be used.
    #[test]
    fn stored_texts_are_read_or_not(
        which in 0..4usize, at in any::<prop::sample::Index>(), remove in 0..20usize, insert in ".{0,8}",
    ) {
        let texts = [
            r#"[[["d","ios","apns","00",null,null,"granted",20000,"alert"]],["im"],[{"from":"22:00","to":"07:00","categories":["follow"]},"Europe/Berlin"],7]"#,
            r#"["shop",1,3,{},{"quota":{"fcm":{"im":{"per_day":1}}},"stale_days":{"fcm":30}},[],[],0,0]"#,
            r#"["01ARYZ6S410000000000000000","whole","im",null,1,2,"resend",null,0,[[{"device":["u","d"]},null,"fcm","held",1,"quiet_hours",null,null,false,9,0,false,7,["received",8],["token_gone","receipt 2"],[]]]]"#,
            r#"[["shop",1],{"device":"d"},["u","d"],7,5,"00ff",[[["v","d"],7]]]"#,
        ];
        let mut text: Vec<char> = texts[which].chars().collect();
        let from = at.index(text.len());
        text.splice(from..(from + remove).min(texts[which].chars().count()), insert.chars());
        let text: String = text.into_iter().collect();
        if let Ok(copy) = text::read::<Copy>(&text) {
            let user = UserId::parse("u").unwrap();
            let known = resolve::Known { devices: copy.devices, opt_out: copy.opt_out, hush: None };
            let directory = [(user.clone(), known)].into_iter().collect();
            let push = push::push(br#"{"to":{"users":["u"]},"data":{"a":"b"}}"#);
            let message = push.unwrap().message;
            prop_assert!(!resolve::found(&[Target::User(user)], &directory, &message).is_empty());
        }
        let _ = text::read::<App>(&text);
        let _ = text::read::<Page>(&text);
        let _ = text::read::<Work>(&text);
        let _ = text::read::<claim::State>(&text);
    }
}

/// The texts that mutations start from are what they should be.
#[test]
fn the_stored_texts_are_valid() {
    let delivery = r#"[{"device":["u","d"]},null,"fcm","held",1,"quiet_hours",null,null,false,9,0,false,7,["received",8],["token_gone","receipt 2"],[]]"#;
    let page =
        format!(r#"["01ARYZ6S410000000000000000","whole","im",null,1,2,"resend",null,0,[{delivery}]]"#);
    assert!(text::read::<Page>(&page).is_ok());
    let copy = r#"[[["d","ios","apns","00",null,null,"granted",20000,"alert"]],["im"],[{"from":"22:00","to":"07:00","categories":["follow"]},"Europe/Berlin"],7]"#;
    assert!(text::read::<Copy>(copy).is_ok());
    let state = r#"[["shop",1],{"device":"d"},["u","d"],7,5,"00ff",[[["v","d"],7]]]"#;
    assert!(text::read::<claim::State>(state).is_ok());
    let app = r#"["shop",1,3,{},{"quota":{"fcm":{"im":{"per_day":1}}},"stale_days":{"fcm":30}},[],[],0,0]"#;
    assert!(text::read::<App>(app).is_ok());
    // What a worker of before tells while a deployment rolls out.
    let end = text::read::<End>(r#"[0,1,"failed",true,"token_gone",null,null]"#);
    assert!(end.is_ok_and(|end| !end.downgraded));
}
