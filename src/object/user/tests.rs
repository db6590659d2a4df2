use super::{
    sample::{HOUR, NOON, gone, id, put, registered_at, registration},
    *,
};
use crate::{
    model::{
        self,
        device::{Permission, Registration, Source},
        push::Category,
    },
    vendor::Vendor,
    wire::{
        claim::Outcome,
        user::{Advice, AdviceRule, Advise, Wish},
    },
};

mod race;
mod reported;

#[test]
fn still_here_costs_nothing_for_a_week() {
    let mut devices = registered_at(NOON);
    let again = put(&mut devices, "d", registration("t"), Millis(NOON + HOUR));
    assert_eq!(again, Step::nothing(Done::Unchanged));
    let tomorrow = put(&mut devices, "d", registration("t"), Millis(NOON + 24 * HOUR));
    assert_eq!(tomorrow, Step::nothing(Done::Unchanged));
    assert_eq!(
        devices.person(Millis(NOON + 24 * HOUR)).devices[0].seen_at,
        Millis(NOON + 24 * HOUR),
        "known all the same"
    );
    let week = put(&mut devices, "d", registration("t"), Millis(NOON + 7 * 24 * HOUR));
    assert_eq!((week.done, week.writes.len(), week.copy), (Done::Unchanged, 1, true));
}

#[test]
fn only_what_a_push_needs_writes_the_copy() {
    let mut devices = registered_at(NOON);
    let newer = Registration { app_version: Some("2".into()), ..registration("t") };
    let step = put(&mut devices, "d", newer.clone(), Millis(NOON));
    assert_eq!((step.done, step.writes.len(), step.copy), (Done::Changed, 1, false));
    let denied = Registration { permission: Permission::Denied, ..newer };
    assert!(put(&mut devices, "d", denied, Millis(NOON)).copy);
    assert!(put(&mut devices, "d", registration("t2"), Millis(NOON)).copy);
    let activity = Registration {
        kind: model::kind::Kind::LiveActivity,
        activity: Some("order-1".into()),
        ..registration("t2")
    };
    assert!(put(&mut devices, "d", activity.clone(), Millis(NOON)).copy);
    let another = Registration { activity: Some("order-2".into()), ..activity };
    assert!(put(&mut devices, "d", another, Millis(NOON)).copy);
    assert_eq!(devices.copy().devices[0].activity.as_deref(), Some("order-2"));
}

#[test]
fn the_sixty_fifth_device_is_refused() {
    let mut devices = Home::load(Vec::new(), About::default(), Millis(0));
    for n in 0..64 {
        assert_eq!(
            put(&mut devices, &n.to_string(), registration(&format!("t{n}")), Millis(1)).done,
            Done::Created
        );
    }
    assert_eq!(put(&mut devices, "64", registration("t"), Millis(1)), Step::nothing(Done::Full));
    assert_eq!(put(&mut devices, "63", registration("t63"), Millis(1)).done, Done::Unchanged);
}

#[test]
fn a_word_without_a_time_removes() {
    let mut devices = registered_at(NOON);
    let step = devices.gone(gone("t", None, true), Millis(NOON));
    assert_eq!((step.done, step.copy), (Done::Removed, true));
    assert_eq!(step.writes, [Write::Remove(id("d")), Write::About]);
    assert_eq!(devices.person(Millis(NOON + 24 * HOUR)).dead[0].device, id("d"));
}

#[test]
fn a_word_on_an_older_token_changes_nothing() {
    let mut devices = registered_at(NOON);
    assert_eq!(devices.gone(gone("older", None, true), Millis(NOON)), Step::nothing(Done::Unchanged));
}

#[test]
fn a_time_before_the_devices_last_word_changes_nothing() {
    let mut devices = registered_at(NOON);
    put(&mut devices, "d", registration("t"), Millis(NOON + HOUR));
    for since in [NOON - 1, NOON, NOON + HOUR] {
        assert_eq!(
            devices.gone(gone("t", Some(since), true), Millis(NOON + HOUR)),
            Step::nothing(Done::Unchanged)
        );
    }
    assert_eq!(
        devices.gone(gone("t", Some(NOON + HOUR + 1), true), Millis(NOON + 2 * HOUR)).done,
        Done::Removed
    );
}

/// After a wake the last word is known to the week only: doubt keeps, a second word removes.
#[test]
fn doubt_keeps_and_a_second_word_removes() {
    let on_file = registered_at(NOON).devices().to_vec();
    let mut devices = Home::load(on_file.clone(), About::default(), Millis(NOON + 6 * HOUR));
    let step = devices.gone(gone("t", Some(NOON + HOUR), true), Millis(NOON + 6 * HOUR));
    assert_eq!((step.done, step.writes.len(), step.copy), (Done::Unchanged, 1, false));
    assert_eq!(devices.devices()[0].suspect_since, Some(Millis(NOON + 6 * HOUR)));
    let again = |devices: &mut Home, at| devices.gone(gone("t", Some(NOON + HOUR), true), Millis(at)).done;
    assert_eq!(again(&mut devices, NOON + 6 * HOUR + 500), Done::Unchanged, "the same word, heard twice");
    assert_eq!(again(&mut devices, NOON + 7 * HOUR), Done::Removed);

    let mut devices = Home::load(on_file.clone(), About::default(), Millis(NOON + 6 * HOUR));
    devices.gone(gone("t", None, false), Millis(NOON + 6 * HOUR));
    assert_eq!(
        again(&mut devices, NOON + 7 * HOUR),
        Done::Unchanged,
        "what was not believed is no first word"
    );

    let mut devices = Home::load(on_file.clone(), About::default(), Millis(NOON + 2 * HOUR));
    let later_than_it_woke = devices.gone(gone("t", Some(NOON + 3 * HOUR), true), Millis(NOON + 4 * HOUR));
    assert_eq!(later_than_it_woke.done, Done::Removed);

    let mut devices = Home::load(on_file, About::default(), Millis(NOON + 216 * HOUR));
    let a_week_on = devices.gone(gone("t", Some(NOON + 192 * HOUR), true), Millis(NOON + 216 * HOUR));
    assert_eq!(a_week_on.done, Done::Removed);
}

#[test]
fn a_word_that_is_not_believed_marks_once_and_a_sign_of_life_clears() {
    let mut devices = registered_at(NOON);
    assert_eq!(devices.gone(gone("t", None, false), Millis(NOON + 1)).writes.len(), 1);
    assert_eq!(devices.gone(gone("t", None, false), Millis(NOON + 2)), Step::nothing(Done::Unchanged));
    assert_eq!(put(&mut devices, "d", registration("t"), Millis(NOON + 3)).writes.len(), 1);
    assert_eq!(devices.devices()[0].suspect_since, None);
}

#[test]
fn wishes_are_merged_and_only_what_a_push_needs_writes_the_copy() {
    let mut home = registered_at(NOON);
    let wish = |text: &str| serde_json::from_str::<Wish>(text).unwrap();
    let step = home.prefer(wish(r#"{"locale":"de","tags":["a"]}"#));
    assert_eq!((step.done, step.writes, step.copy), (Done::Changed, vec![Write::About], false));
    assert!(home.prefer(wish(r#"{"opt_out":[["marketing",true],["im",true]]}"#)).copy);
    assert_eq!(home.prefer(wish(r#"{"opt_out":[["marketing",true]]}"#)), Step::nothing(Done::Unchanged));
    assert!(home.prefer(wish(r#"{"opt_out":[["im",false]]}"#)).copy);
    assert_eq!(home.copy().opt_out, [Category::Marketing]);
    let quiet = r#"{"quiet_hours":{"from":"22:00","to":"07:00","categories":["follow"]}}"#;
    assert!(home.prefer(wish(quiet)).copy);
    assert_eq!(home.copy().quiet.unwrap().zone, "UTC");
    let berlin = Registration { time_zone: Some("Europe/Berlin".into()), ..registration("t") };
    assert!(put(&mut home, "d", berlin, Millis(NOON + 1)).copy, "quiet hours go by the device's clock");
    assert_eq!(home.copy().quiet.unwrap().zone, "Europe/Berlin");
    home.prefer(wish(r#"{"time_zone":"Asia/Tokyo","locale":null}"#));
    assert_eq!(home.copy().quiet.unwrap().zone, "Asia/Tokyo");
    assert_eq!(home.person(Millis(NOON)).preferences.locale, None);
}

#[test]
fn advice_comes_with_its_reason_and_nags_nobody() {
    let rule = AdviceRule { every_days: 7, missed_min: 2 };
    let mut home = registered_at(NOON);
    let advise = |home: &mut Home, at: u64| -> Advice { home.advise(&id("d"), rule, Millis(at)).1.unwrap() };
    assert_eq!(advise(&mut home, NOON).advise, Advise::Nothing);
    home.permission(&id("d"), Permission::Denied, Millis(NOON));
    home.missed(Category::Order, Millis(NOON));
    home.missed(Category::Marketing, Millis(NOON));
    assert_eq!(advise(&mut home, NOON).advise, Advise::Wait, "one is too few");
    home.missed(Category::Order, Millis(NOON));
    home.missed(Category::Im, Millis(NOON));
    let yes = advise(&mut home, NOON);
    assert_eq!(
        (yes.advise, yes.reason.as_str()),
        (Advise::Settings, "2 order messages and 1 chat message missed this week")
    );
    let no = advise(&mut home, NOON + HOUR);
    assert_eq!((no.advise, no.again_at), (Advise::Wait, Some(Millis(NOON + 7 * 24 * HOUR))));
    assert_eq!(
        advise(&mut home, NOON + 8 * 24 * HOUR).advise,
        Advise::Wait,
        "another week begins from nothing"
    );
    home.permission(&id("d"), Permission::Unknown, Millis(NOON + 8 * 24 * HOUR));
    assert_eq!(advise(&mut home, NOON + 8 * 24 * HOUR).advise, Advise::Ask);
    assert!(home.advise(&id("x"), rule, Millis(NOON)).1.is_none());
    let rows =
        (0..100).filter(|_| !home.missed(Category::Im, Millis(NOON + 9 * 24 * HOUR)).writes.is_empty());
    assert_eq!(rows.count(), 20, "each is a row, and there is an end to it");
}

#[test]
fn a_guard_holds_for_a_while_and_an_object_that_has_just_woken_is_careful() {
    let mut home = Home::load(Vec::new(), About::default(), Millis(NOON));
    assert_eq!((home.guarded(Millis(NOON + 1_000)), home.guarded_for_sure(Millis(NOON + 1_000))), (1_000, 0));
    assert_eq!(home.guarded(Millis(NOON + 2_000)), 0);
    home.guard(Millis(NOON + 5_000));
    assert_eq!(
        (home.guarded(Millis(NOON + 6_000)), home.guarded_for_sure(Millis(NOON + 6_000))),
        (1_000, 1_000)
    );
}

#[test]
fn what_is_erased_leaves_nothing_but_claims_to_free() {
    let mut home = registered_at(NOON);
    home.prefer(Wish { locale: Some(Some("de".into())), ..Wish::default() });
    let step = home.erase(Millis(NOON));
    assert!(step.copy && home.is_empty() && home.copy().devices.is_empty());
    let owed = home.about().unwrap().owed.clone();
    assert_eq!(owed.len(), 2);
    for owed in &owed {
        home.freed(owed);
    }
    assert_eq!(home.about(), None);
}

/// A push service may not know a brand-new subscription yet.
#[test]
fn a_subscription_is_not_removed_within_its_first_minute() {
    let mut home = Home::load(Vec::new(), About::default(), Millis(NOON - 1));
    let mut browser = registration("t");
    browser.address.vendor = Vendor::Webpush;
    put(&mut home, "d", browser, Millis(NOON));
    let said = |home: &mut Home, at| home.gone(gone("t", None, true), Millis(at));
    assert_eq!(said(&mut home, NOON + 1_000).done, Done::Unchanged);
    assert_eq!(home.devices()[0].suspect_since, Some(Millis(NOON + 1_000)));
    assert_eq!(said(&mut home, NOON + 59_999), Step::nothing(Done::Unchanged));
    assert_eq!(said(&mut home, NOON + 60_000).done, Done::Removed);
}

#[test]
fn a_vendor_that_says_muted_is_believed_about_the_token_it_means_until_the_app_says_more() {
    let mut home = registered_at(NOON);
    let step = home.muted(&gone("another", None, true));
    assert_eq!((step.done, step.writes.len()), (Done::Unchanged, 0));
    let step = home.muted(&gone("t", None, true));
    assert_eq!((step.done, step.writes.len(), step.copy), (Done::Changed, 1, true));
    assert_eq!(home.copy().devices[0].permission, Permission::Denied);
    assert_eq!(home.muted(&gone("t", None, true)).writes.len(), 0, "twice is once");
    home.permission(&id("d"), Permission::Granted, Millis(NOON + 1));
    assert_eq!(home.copy().devices[0].permission, Permission::Granted);
}

#[test]
fn the_day_in_the_copy_moves_also_if_something_else_changes_every_week() {
    let mut home = registered_at(NOON);
    for day in (6..120).step_by(6) {
        let mut changed = registration("t");
        changed.app_version = Some(format!("1.{day}"));
        put(&mut home, "d", changed, Millis(NOON + day * 24 * HOUR));
    }
    let last = Millis(NOON + 114 * 24 * HOUR).day(DayZone::Utc).0;
    assert!(last - home.copy().devices[0].seen.unwrap() <= 7);
    let mut copied = 0;
    for day in 115..145 {
        let step = put(&mut home, "d", registration("t"), Millis(NOON + day * 24 * HOUR));
        copied += u32::from(step.copy);
    }
    assert!((4..=6).contains(&copied), "once a week: {copied}");
}

#[test]
fn a_line_of_an_import_is_no_word_of_the_devices_own_and_says_nothing_against_one() {
    let mut home = Home::load(Vec::new(), About::default(), Millis(NOON - 1));
    let import = |home: &mut Home, token: &str, at: u64| {
        let mut step = home.put(id("d"), registration(token), Source::Import, Millis(at));
        if let Some(ask) = step.claim.take() {
            home.claimed(&ask, [Some(Outcome::Yours(at)); 2], Millis(at));
        }
        step.done
    };
    assert_eq!(import(&mut home, "t", NOON), Done::Created);
    assert_eq!(home.device(&id("d")).unwrap().seen_at, Millis(0));
    assert_eq!(home.copy().devices[0].seen, Some(NOON / (24 * HOUR)), "not stale at once");
    assert_eq!(import(&mut home, "t", NOON + 1), Done::Unchanged);
    assert_eq!(import(&mut home, "t2", NOON + 2), Done::Changed, "a corrected line");
    // Apple has called it dead for long: nothing speaks for it.
    assert_eq!(home.gone(gone("t2", Some(NOON - 9_000 * HOUR), true), Millis(NOON + 3)).done, Done::Removed);
    assert_eq!(import(&mut home, "t2", NOON + 4), Done::Created);
    put(&mut home, "d", registration("own"), Millis(NOON + 5));
    assert_eq!(import(&mut home, "t2", NOON + 6), Done::Unchanged, "the file is older than the phone");
    assert_eq!(home.device(&id("d")).unwrap().registration.address.token.reveal(), "own");
}

#[test]
fn what_was_missed_counts_for_seven_days_and_a_yes_may_be_asked_for_twice() {
    let mut home = registered_at(NOON);
    let mut off = registration("t");
    off.permission = Permission::Denied;
    put(&mut home, "d", off.clone(), Millis(NOON));
    put(&mut home, "e", Registration { address: registration("u").address, ..off }, Millis(NOON));
    home.missed(Category::Im, Millis(NOON));
    home.missed(Category::Order, Millis(NOON + 48 * HOUR));
    let rule = AdviceRule { every_days: 7, missed_min: 1 };
    let missed = |home: &mut Home, at| home.advise(&id("nobody"), rule, Millis(at)).1.is_none();
    assert!(missed(&mut home, NOON));
    let ask = |home: &mut Home, device: &str, at| {
        let (step, advice) = home.advise(&id(device), rule, Millis(at));
        let advice = advice.unwrap();
        (advice.advise, advice.missed.im + advice.missed.order, step.writes.len())
    };
    let six = NOON + 6 * 24 * HOUR;
    assert_eq!(ask(&mut home, "d", six), (Advise::Settings, 2, 1));
    assert_eq!(
        ask(&mut home, "d", six + HOUR / 10),
        (Advise::Settings, 2, 0),
        "the answer may have been lost"
    );
    assert_eq!(ask(&mut home, "e", six + 1), (Advise::Wait, 2, 0), "the same user's other phone");
    assert_eq!(ask(&mut home, "d", six + HOUR), (Advise::Wait, 2, 0));
    home.delete(&id("d"), Millis(six + HOUR));
    put(&mut home, "d", registration("t"), Millis(six + HOUR));
    let mut off = registration("t");
    off.permission = Permission::Denied;
    put(&mut home, "d", off, Millis(six + HOUR));
    assert_eq!(ask(&mut home, "d", six + 2 * HOUR).0, Advise::Wait, "log-out and log-in are no way round");
    assert_eq!(ask(&mut home, "e", six + 48 * HOUR).1, 1, "seven days, whatever weekday it is");
}

#[test]
fn a_device_that_comes_back_is_not_dead_and_nothing_is_dead_for_ever() {
    let mut home = registered_at(NOON);
    home.gone(gone("t", None, true), Millis(NOON));
    let dead = |home: &Home, days: u64| home.person(Millis(NOON + days * 24 * HOUR)).dead.len();
    assert_eq!((dead(&home, 0), dead(&home, 29), dead(&home, 30)), (1, 1, 0));
    put(&mut home, "d", registration("t"), Millis(NOON + HOUR));
    assert_eq!(dead(&home, 0), 0);
}
