use serde_json::json;

use super::*;
use crate::{
    line::{
        admit::tests::app,
        parse::simulation::simulation,
        plan::{self, Of},
        resolve::{Found, Known, Reached},
    },
    model::{
        app::{App, Credential},
        device::{Address, Permission},
        ids::{DeviceId, PushId, UserId},
        policy::{Limit, Over},
        push::Category,
        secret::Secret,
        table::gather,
    },
    vendor::Facts,
    wire::account::{Level, Pool},
};

const NOW: Millis = Millis(20_000 * 86_400_000);

fn vivo(limit: Option<u64>, over: &[Over]) -> App {
    let mut app = app(None);
    let facts = Facts::Keys(gather([("app_id".to_owned(), "1".to_owned())]));
    let sealed = serde_json::from_str(r#"["00000000","",""]"#).unwrap();
    app.credentials.insert(Vendor::Vivo, Credential { sealed, revision: 1, facts });
    if let Some(per_day) = limit {
        app.policy.quota.insert(Vendor::Vivo, gather([(Category::Follow, Limit { per_day })]));
    }
    app.policy.over_quota.insert(Category::Follow, over.to_vec());
    app
}

fn device(n: usize, permission: Permission) -> Found {
    let id = DeviceId::parse("d").unwrap();
    let token = Secret::new(format!("vivo-{n:032}"));
    Found {
        recipient: Recipient::Device(UserId::parse(format!("u{n}")).unwrap(), id),
        platform: None,
        reach: Some(Reached {
            address: Address { vendor: Vendor::Vivo, token, environment: None, topic: None },
            permission,
            seen: None,
            opted_out: false,
            hush: None,
        }),
    }
}

fn message() -> Message {
    simulation(br#"{"to":{"users":["u"]},"category":"follow","ttl":172800}"#).unwrap().message
}

fn account(levels: Vec<Level>) -> Account {
    let resets_at = Vendor::Vivo.resets_at(NOW);
    Account { vendor: Vendor::Vivo, levels, resets_at, devices: Devices::default(), open: None }
}

/// All that are found are users that are known.
fn answer(app: &App, tally: Tally, found: Vec<Found>, users: usize, account: Account) -> Value {
    let known = found.iter().filter_map(|found| match &found.recipient {
        Recipient::User(user) | Recipient::Device(user, _) => Some((user.clone(), Known::default())),
        Recipient::Missing(..) | Recipient::Token(_) => None,
    });
    let directory = gather(known);
    let mut tally = tally;
    add(&mut tally, app, found, users, &directory);
    shown(app, &tally, account)
}

fn add(tally: &mut Tally, app: &App, found: Vec<Found>, users: usize, directory: &Directory) {
    let of = Of { push: &PushId::new(NOW, [0; 10]), due: NOW, now: NOW };
    let plan = plan::plan(app, &message(), found, of, &crate::config::Config::sample());
    tally.add(users, directory, &plan);
}

fn shown(app: &App, tally: &Tally, account: Account) -> Value {
    serde_json::from_str(&simulate(app, &message(), tally, &[account], &[], NOW)).unwrap()
}

fn all(n: usize) -> Vec<Found> {
    (0..n).map(|n| device(n, Permission::Granted)).collect()
}

fn own(granted: u64) -> Level {
    Level { pool: Pool::Category(Category::Follow), granted, reserved: 0, closed: None }
}

fn named() -> Tally {
    Tally::default()
}

#[test]
fn what_is_over_waits_or_is_dropped_as_the_app_says() {
    let tomorrow = Vendor::Vivo.resets_at(NOW);
    for (over, wait, dropped, until) in [
        (&[Over::Later][..], 2, 0, Millis(tomorrow.0 + 60_000)),
        (&[Over::Drop], 0, 2, tomorrow),
        (&[], 0, 2, tomorrow),
    ] {
        let shown = answer(&vivo(Some(4), over), named(), all(5), 5, account(vec![own(1)]));
        let vivo = json!({
            "deliveries": 5, "pass": 3, "downgraded": 0, "wait": wait, "dropped": dropped, "until": until.rfc3339(),
        });
        assert_eq!(shown["accounts"], json!({ "vivo": vivo }));
    }
}

#[test]
fn all_of_it_passes_and_what_is_skipped_has_its_reason() {
    let mut found = all(2);
    found.push(device(1, Permission::Granted));
    found.push(device(3, Permission::Denied));
    let nobody = |n: usize| {
        let user = UserId::parse(format!("u{n}")).unwrap();
        Found { recipient: Recipient::User(user), platform: None, reach: None }
    };
    found.push(nobody(4));
    let mut quiet = device(5, Permission::Granted);
    quiet.reach.as_mut().unwrap().hush = Some(Millis(NOW.0 + 1));
    found.push(quiet);
    let app = vivo(None, &[]);
    let mut tally = named();
    let missing = Recipient::Missing(UserId::parse("u8").unwrap(), DeviceId::parse("d").unwrap());
    add(&mut tally, &app, vec![nobody(7), Found { recipient: missing, ..nobody(8) }], 2, &Directory::new());
    let shown = answer(&app, tally, found, 5, account(vec![]));
    assert_eq!(
        shown,
        json!({
            "category": "follow", "users": 7, "unknown": 2, "held": 1,
            "accounts": {"vivo": {"deliveries": 2, "pass": 2, "downgraded": 0, "wait": 0, "dropped": 0}},
            "skipped": {"duplicate": 1, "permission_off": 1, "no_device": 1},
        })
    );
}

#[test]
fn the_vendors_limit_and_its_refusal_hold_too() {
    let public = |granted, closed| vec![Level { pool: Pool::Public, granted, reserved: 0, closed }];
    let pass =
        |levels| answer(&vivo(None, &[]), named(), all(5), 5, account(levels))["accounts"]["vivo"].clone();
    assert_eq!(pass(public(19_998, None))["pass"], 2, "vivo lets 20,000 pass at least");
    let until = Millis(NOW.0 + 300_000);
    let closed = pass(public(1, Some(until)));
    assert_eq!((&closed["pass"], &closed["until"]), (&json!(0), &json!(until.rfc3339())));
    assert_eq!(pass(public(1, Some(NOW)))["pass"], 5, "it was closed until now");
}

#[test]
fn a_sample_stands_for_all_and_the_limit_stays_what_it_is() {
    let mut found = all(600);
    found.extend((600..900).map(|n| device(n, Permission::Denied)));
    let tally = Tally::of(1_234_567, 1_000);
    let shown = answer(&vivo(Some(100_000), &[]), tally, found, 1_000, account(vec![]));
    assert_eq!((&shown["sampled"], &shown["of"]), (&json!(1_000), &json!(1_234_567)));
    assert_eq!((&shown["users"], &shown["unknown"]), (&json!(1_234_567), &json!(0)));
    assert_eq!(shown["skipped"], json!({"permission_off": 370_370}));
    let vivo = &shown["accounts"]["vivo"];
    let three = (&vivo["deliveries"], &vivo["pass"], &vivo["dropped"]);
    assert_eq!(three, (&json!(740_740), &json!(20_000), &json!(720_740)), "vivo's own limit is lower");
}

#[test]
fn an_audience_that_was_looked_up_whole_is_no_sample() {
    let shown = answer(&vivo(None, &[]), Tally::of(5, 5), all(5), 5, account(vec![]));
    assert_eq!((&shown["users"], shown.get("sampled")), (&json!(5), None));
}
