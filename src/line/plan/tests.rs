//! Who gets something, and why the others do not.

use super::*;
use crate::{
    line::parse,
    model::{
        app::Credential,
        device::Environment,
        ids::{AppId, DeviceId, UserId},
        secret::Secret,
    },
    vendor::{Facts, apns, fcm},
};

fn app() -> App {
    let sealed = serde_json::from_str(r#"["00000000","",""]"#).expect("a sealed text");
    let facts = Facts::Fcm(fcm::Facts { project_id: "p".into(), client_email: "e".into() });
    App {
        id: AppId::parse("shop").unwrap(),
        generation: 1,
        revision: 1,
        credentials: gather([(Vendor::Fcm, Credential { sealed, revision: 1, facts })]),
        policy: Policy::default(),
        keys: Vec::new(),
        user_token_keys: Vec::new(),
        created_at: Millis(0),
        updated_at: Millis(0),
    }
}

fn push(fields: &str) -> Push {
    let text = format!(r#"{{"to":{{"users":["u"]}},{fields}}}"#);
    parse::push::push(text.as_bytes()).unwrap()
}

fn message(fields: &str) -> Message {
    push(fields).message
}

fn found(device: &str, vendor: Vendor, token: &str, permission: Permission) -> Found {
    let address = Address { vendor, token: Secret::new(token), environment: None, topic: None };
    let (user, device) = (UserId::parse("u").unwrap(), DeviceId::parse(device).unwrap());
    Found {
        recipient: Recipient::Device(user, device),
        platform: None,
        reach: Some(Reached { address, permission, seen: None, opted_out: false, hush: None }),
    }
}

fn of(push: &PushId, now: Millis) -> Of<'_> {
    Of { push, due: Millis(1), now }
}

fn reasons(app: &App, message: &Message, found: Vec<Found>) -> Vec<Option<Reason>> {
    let plan = plan(app, message, found, of(&PushId::new(Millis(1), [1; 10]), Millis(1)), &Config::sample());
    let reason = |decided: &Decided| match &decided.decision {
        Decision::Send(_) => None,
        Decision::Skip { reason, .. } => Some(*reason),
        Decision::Hold { .. } => Some(Reason::QuietHours),
    };
    plan.decisions.iter().map(reason).collect()
}

#[test]
fn every_skip_has_its_reason_and_the_rest_is_sent() {
    let nobody =
        Found { recipient: Recipient::User(UserId::parse("n").unwrap()), platform: None, reach: None };
    let all = vec![
        found("sent", Vendor::Fcm, "t1", Permission::Granted),
        found("asked not", Vendor::Fcm, "t2", Permission::Denied),
        found("quiet", Vendor::Fcm, "t3", Permission::Provisional),
        found("same token", Vendor::Fcm, "t1", Permission::Granted),
        found("no credential", Vendor::Apns, "00", Permission::Granted),
        nobody,
    ];
    assert_eq!(
        reasons(&app(), &message(r#""notification":{"title":"t"}"#), all),
        [
            None,
            Some(Reason::PermissionOff),
            None,
            Some(Reason::Duplicate),
            Some(Reason::NoCredentials),
            Some(Reason::NoDevice),
        ]
    );
}

#[test]
fn a_skipped_device_does_not_make_another_one_a_duplicate() {
    let all = vec![
        found("off", Vendor::Fcm, "t", Permission::Denied),
        found("on", Vendor::Fcm, "t", Permission::Granted),
    ];
    let message = message(r#""notification":{"title":"t"}"#);
    assert_eq!(reasons(&app(), &message, all), [Some(Reason::PermissionOff), None]);
}

#[test]
fn only_what_shows_a_notification_asks_for_permission() {
    let apns = Credential {
        facts: Facts::Apns(apns::Facts {
            team_id: "TEAM123456".into(),
            key_id: "KEY1234567".into(),
            topic: Some("com.example".into()),
            environment: Environment::Production,
        }),
        ..app().credentials.get(&Vendor::Fcm).unwrap().clone()
    };
    let mut app = app();
    app.credentials.insert(Vendor::Apns, apns);
    let off = |fields: &str, vendor| {
        reasons(&app, &message(fields), vec![found("d", vendor, "00", Permission::Denied)])[0]
    };
    let activity = r#""type":"live_activity","activity":{"event":"end","id":"o","state":{}}"#;
    for silent in [
        r#""data":{"sync":"inbox"}"#,
        r#""type":"voip","category":"im","data":{"call":"1"}"#,
        r#""type":"voip","notification":{"title":"Mia calls"}"#,
        r#""type":"complication""#,
        r#""type":"widgets""#,
        r#""type":"controls""#,
        r#""type":"location""#,
        r#""type":"fileprovider""#,
        r#""type":"pushtotalk""#,
        activity,
    ] {
        assert_eq!(off(silent, Vendor::Apns), None, "{silent}");
    }
    assert_eq!(off(r#""data":{"sync":"inbox"}"#, Vendor::Fcm), None);
    for (shown, vendor) in [
        (r#""notification":{"title":"t"}"#, Vendor::Apns),
        (r#""notification":{"badge":1}"#, Vendor::Apns),
        (r#""options":{"apns":{"aps":{"alert":"t"}}}"#, Vendor::Apns),
        (r#""options":{"fcm":{"android":{"notification":{"title":"t"}}}}"#, Vendor::Fcm),
        // A browser shows something for every push, or takes the subscription away.
        (r#""data":{"sync":"inbox"}"#, Vendor::Webpush),
        (r#""data":{"sync":"inbox"}"#, Vendor::Xiaomi),
    ] {
        assert_eq!(off(shown, vendor), Some(Reason::PermissionOff), "{shown}");
    }
}

#[test]
fn what_cannot_fit_is_skipped_for_every_device() {
    let message = message(&format!(r#""data":{{"x":"{}"}}"#, "x".repeat(5_000)));
    let all = ["a", "b"].map(|id| found(id, Vendor::Fcm, id, Permission::Granted)).to_vec();
    assert_eq!(reasons(&app(), &message, all), [Some(Reason::TooLarge); 2]);
}

#[test]
fn what_the_user_does_not_want_is_not_sent_and_what_can_wait_is_held() {
    let marketing = message(r#""notification":{"title":"t"}"#);
    let now_or_never = message(r#""notification":{"title":"t"},"ttl":0"#);
    let im = message(r#""notification":{"title":"t"},"category":"im""#);
    let one = |change: &dyn Fn(&mut Reached)| {
        let mut found = found("d", Vendor::Fcm, "t", Permission::Granted);
        found.reach.iter_mut().for_each(change);
        vec![found]
    };
    let out = one(&|reached| reached.opted_out = true);
    let hushed = one(&|reached| reached.hush = Some(Millis(9)));
    let stale = one(&|reached| reached.seen = Some(0));
    let (app, day) = (app(), 86_400_000);
    assert_eq!(reasons(&app, &marketing, out), [Some(Reason::OptedOut)]);
    assert_eq!(reasons(&app, &now_or_never, hushed.clone()), [Some(Reason::QuietHours)]);
    let held =
        plan(&app, &marketing, hushed, of(&PushId::new(Millis(1), [1; 10]), Millis(1)), &Config::sample());
    assert_eq!(held.decisions[0].decision, Decision::Hold { vendor: Vendor::Fcm, until: Millis(9) });
    let at = |message: &Message, days: u64| {
        let plan = plan(
            &app,
            message,
            stale.clone(),
            of(&PushId::new(Millis(1), [1; 10]), Millis(days * day)),
            &Config::sample(),
        );
        matches!(plan.decisions[0].decision, Decision::Send(_))
    };
    assert!(at(&marketing, 30) && !at(&marketing, 31) && at(&im, 300));
}

#[test]
fn links_follow_the_apps_policy() {
    let mut app = app();
    let push = push(r#""notification":{"title":"t","link":"APP://x"}"#);
    let run = |app: &App| check(app, &push, &Hosts::default());
    assert!(run(&app).is_ok());
    app.policy.link_schemes = vec!["app".into()];
    assert!(run(&app).is_ok());
    app.policy.link_schemes = vec!["https".into()];
    assert_eq!(run(&app).unwrap_err().code, Code::LinkNotAllowed);
}
