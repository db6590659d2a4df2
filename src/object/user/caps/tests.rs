use super::*;
use crate::{
    model::{govern::ClickRate, ids::DeviceId, policy::Policy},
    object::user::sample::HOUR,
    vendor::{Vendor, rules},
    wire::user::{Place, tag},
};

mod list;

/// Midnight in China.
const MIDNIGHT: u64 = 20_000 * 24 * HOUR + 16 * HOUR;

fn place(device: &str, vendor: Vendor, per_day: impl Into<Option<u32>>) -> Place {
    Place { tag: tag(vendor, &DeviceId::parse(device).unwrap()), per_day: per_day.into() }
}

fn vivo(device: &str) -> Place {
    place(device, Vendor::Vivo, 2)
}

/// A device of which its vendor counts nothing.
fn apns(device: &str) -> Place {
    place(device, Vendor::Apns, None)
}

fn cap(most: u32, window_secs: u32) -> Cap {
    Cap { most, window_secs }
}

fn rule(at: usize, by_campaign: bool, under: f64, sends: u32) -> Rule {
    Rule { at, by_campaign, click_rate_under: ClickRate::new(under).unwrap(), sends }
}

fn ask(push: &str, devices: &[Place], caps: &[Cap]) -> Spend {
    let (devices, caps) = (devices.to_vec(), caps.to_vec());
    Spend {
        push: push.into(),
        category: Category::Marketing,
        campaign: None,
        devices,
        caps,
        rules: Vec::new(),
        again: false,
    }
}

#[test]
fn vendors_who_count_what_a_device_gets_have_their_day_in_china() {
    for vendor in Vendor::ALL {
        let counts =
            Category::ALL.iter().any(|of| rules::per_device(vendor, *of, &Policy::default(), true).is_some());
        assert!(!counts || vendor.day_zone() == ZONE, "{vendor:?}");
    }
}

#[test]
fn the_row_is_pinned() {
    let text = r#"[["0000000000000001","marketing",7,99,[[1,20000],[2,null]],false,5,true],["0000000000000002","im",8,99,[[1,null]],false,null,false]]"#;
    let caps: Caps = crate::wire::text::read(text).unwrap();
    assert_eq!(serde_json::to_string(&caps).unwrap(), text);
}

#[test]
fn a_device_has_so_many_in_a_day_of_its_vendor_and_a_push_counts_once() {
    let (mut caps, now) = (Caps::default(), Millis(MIDNIGHT - 1));
    for (push, answer) in [
        ("a", Spent::Counted),
        ("a", Spent::Known),
        ("b", Spent::Counted),
        ("c", Spent::Device(Millis(MIDNIGHT))),
        ("a", Spent::Known),
    ] {
        assert_eq!(caps.spend(&ask(push, &[vivo("d")], &[]), now), [answer], "{push}");
    }
    assert_eq!(caps.spend(&ask("c", &[vivo("other")], &[]), now), [Spent::Counted], "another device");
    assert_eq!(caps.spend(&ask("c", &[vivo("d")], &[]), Millis(MIDNIGHT)), [Spent::Counted], "another day");
    // What was put off until then counts on the day on which it goes.
    assert_eq!(caps.spend(&ask("a", &[vivo("d")], &[]), Millis(MIDNIGHT)), [Spent::Counted]);
    assert_eq!(
        caps.spend(&ask("d", &[vivo("d")], &[]), Millis(MIDNIGHT)),
        [Spent::Device(Millis(MIDNIGHT + 24 * HOUR))]
    );
}

#[test]
fn all_that_a_vendor_counts_is_counted_together_and_another_vendor_is_not() {
    let (mut caps, now) = (Caps::default(), Millis(MIDNIGHT));
    let follow = |push| Spend { category: Category::Follow, ..ask(push, &[vivo("d")], &[]) };
    assert_eq!(caps.spend(&follow("a"), now), [Spent::Counted]);
    assert_eq!(caps.spend(&ask("b", &[vivo("d")], &[]), now), [Spent::Counted]);
    assert!(!caps.spend(&follow("c"), now)[0].passes());
    let oppo = [place("d", Vendor::Oppo, 2)];
    assert_eq!(caps.spend(&ask("c", &oppo, &[]), now), [Spent::Counted]);
}

#[test]
fn the_apps_caps_count_pushes_of_a_user_in_a_window_that_slides() {
    let mut caps = Caps::default();
    let rules = [cap(2, 60), cap(3, 3_600)];
    let phones = [vivo("a"), apns("b")];
    let mut spend = |push: &str, at: u64| caps.spend(&ask(push, &phones, &rules), Millis(MIDNIGHT + at));
    assert_eq!(spend("1", 0), [Spent::Counted; 2], "two devices are one push");
    assert_eq!(spend("2", 10), [Spent::Counted; 2]);
    assert_eq!(spend("3", 20), [Spent::User(Millis(MIDNIGHT + 60_000)); 2]);
    assert_eq!(spend("2", 20), [Spent::Known; 2]);
    let third = spend("3", 60_000);
    assert_eq!(
        third,
        [Spent::Device(Millis(MIDNIGHT + 24 * HOUR)), Spent::Counted],
        "the vendor's rule holds, too"
    );
    assert_eq!(spend("4", 130_000), [Spent::User(Millis(MIDNIGHT + 3_600_000)); 2]);
    assert!(spend("4", 3_600_000)[1].passes());
    let im = Spend { category: Category::Im, ..ask("5", &phones[1..], &rules) };
    assert_eq!(caps.spend(&im, Millis(MIDNIGHT + 3_600_000)), [Spent::Counted], "of each category by itself");
}

/// Law 2 keeps a key for a day: what comes under it after that is another push. A retry is the same one however late.
#[test]
fn a_key_that_is_used_again_after_its_day_is_another_push() {
    let week = [cap(1, 7 * 86_400)];
    let (mut caps, day) = (Caps::default(), Millis(MIDNIGHT + 24 * HOUR));
    let device = [apns("d")];
    let first = ask("key", &device, &week);
    assert_eq!(caps.spend(&first, Millis(MIDNIGHT)), [Spent::Counted]);
    assert_eq!(caps.spend(&first, Millis(day.0 - 1)), [Spent::Known]);
    assert!(!caps.spend(&first, day)[0].passes(), "the cap holds");
    assert_eq!(caps.spend(&Spend { again: true, ..first }, day), [Spent::Known]);
}

#[test]
fn a_repeated_request_on_the_next_day_takes_no_place_of_that_day() {
    let mut caps = Caps::default();
    let (device, week) = ([vivo("d")], [cap(9, 7 * 86_400)]);
    let again = Millis(MIDNIGHT + HOUR);
    assert_eq!(caps.spend(&ask("a", &device, &week), Millis(MIDNIGHT - 1)), [Spent::Counted]);
    assert_eq!(caps.spend(&ask("a", &device, &week), again), [Spent::Counted], "a day of its own");
    assert!(caps.unspend("a", &[device[0].tag]));
    for push in ["b", "c"] {
        assert_eq!(caps.spend(&ask(push, &device, &week), again), [Spent::Counted]);
    }
    // What went out the day before is remembered.
    assert_eq!(caps.0.iter().filter(|sent| sent.push == "a").count(), 1);
}

#[test]
fn what_is_given_back_can_be_spent_again_unless_somebody_else_has_passed_on_it() {
    let (mut caps, now) = (Caps::default(), Millis(MIDNIGHT));
    let both = [vivo("d"), vivo("e")];
    let tags = both.map(|place| place.tag);
    assert_eq!(caps.spend(&ask("a", &both, &[]), now), [Spent::Counted; 2]);
    assert!(caps.unspend("a", &tags[..1]));
    assert!(!caps.unspend("a", &tags[..1]), "once");
    assert!(!caps.unspend("b", &tags));
    assert_eq!(
        caps.spend(&Spend { again: true, ..ask("a", &both, &[]) }, now),
        [Spent::Counted, Spent::Known]
    );
    assert!(caps.unspend("a", &tags));
    assert!(caps.is_empty());
    // Two callers with one key: the one that comes too late takes nothing from the other.
    assert_eq!(caps.spend(&ask("a", &both, &[]), now), [Spent::Counted; 2]);
    assert_eq!(caps.spend(&ask("a", &both, &[]), now), [Spent::Known; 2]);
    assert!(!caps.unspend("a", &tags));
    assert_eq!(caps.spend(&ask("a", &both, &[]), now), [Spent::Known; 2]);
}

#[test]
fn no_more_is_remembered_than_can_count() {
    let mut caps = Caps::default();
    for n in 0..SENDS_MAX as u64 + 10 {
        caps.spend(&ask(&n.to_string(), &[vivo(&n.to_string())], &[]), Millis(MIDNIGHT + n));
    }
    assert_eq!(caps.0.len(), SENDS_MAX);
    caps.spend(&ask("next", &[vivo("d")], &[]), Millis(MIDNIGHT + 24 * HOUR));
    assert_eq!(caps.0.len(), 1);
}

#[test]
fn what_a_user_does_not_care_for_is_held_back_by_the_last_sends_once_there_are_enough() {
    let mut caps = Caps::default();
    let now = |n: u64| Millis(MIDNIGHT + n);
    // Fewer than half of the last four, and none of the last two of a campaign.
    let (of_all, of_campaign) = (rule(3, false, 0.5, 4), rule(5, true, 1e-6, 2));
    let rules = |campaign: Option<u32>| Spend {
        campaign,
        rules: if campaign.is_some() { vec![of_all, of_campaign] } else { vec![of_all] },
        ..ask("", &[apns("d")], &[])
    };
    let spend = |caps: &mut Caps, push: &str, campaign, at| {
        caps.spend(&Spend { push: push.into(), ..rules(campaign) }, now(at))[0]
    };
    for (n, push) in ["1", "2", "3", "4"].iter().enumerate() {
        assert_eq!(spend(&mut caps, push, (n > 1).then_some(1), n as u64), Spent::Counted, "too few to say");
    }
    assert_eq!(spend(&mut caps, "5", None, 5), Spent::Governed(3));
    assert_eq!(spend(&mut caps, "4", None, 5), Spent::Known, "what has passed is not held back");
    let im = Spend { category: Category::Im, push: "im".into(), ..rules(None) };
    assert_eq!(caps.spend(&im, now(5)), [Spent::Counted], "another category");
    assert!(caps.clicked(&["1".into(), "2".into(), "none".into()]));
    assert!(!caps.clicked(&["1".into()]), "once");
    assert_eq!(spend(&mut caps, "5", None, 5), Spent::Counted);
    // "2" of "2" to "5" is too few; a click on one of them is enough, but for the campaign.
    assert_eq!(spend(&mut caps, "6", Some(1), 6), Spent::Governed(3));
    assert!(caps.clicked(&["5".into()]));
    assert_eq!(spend(&mut caps, "6", Some(1), 6), Spent::Governed(5));
    assert_eq!(spend(&mut caps, "6", Some(2), 6), Spent::Counted, "another campaign");
    // What is held back is not sent, so by and by there are too few again.
    let month = 30 * 24 * HOUR;
    assert_eq!(spend(&mut caps, "7", Some(1), month), Spent::Governed(3));
    assert_eq!(spend(&mut caps, "7", Some(1), month + 4), Spent::Counted);
}

#[test]
fn a_category_of_which_there_are_too_many_takes_no_other_ones_place() {
    let mut caps = Caps::default();
    caps.spend(&ask("cap", &[apns("d")], &[cap(1, 2_592_000)]), Millis(MIDNIGHT));
    for n in 0..SENDS_MAX as u64 {
        let devices = [apns("d")];
        let ask = Spend {
            category: Category::Im,
            rules: if n < 100 { vec![rule(0, false, 1e-6, 100)] } else { Vec::new() },
            ..ask(&n.to_string(), &devices, &[cap(100, 60)])
        };
        caps.spend(&ask, Millis(MIDNIGHT + 60_000 * n));
    }
    assert!(
        !caps.spend(&ask("more", &[apns("d")], &[cap(1, 2_592_000)]), Millis(MIDNIGHT + HOUR))[0].passes()
    );
}
