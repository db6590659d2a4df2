//! What is reported of deliveries later.

use super::*;
use crate::{
    model::{delivery::Seen, ids::DeviceId},
    wire::ledger::{Event, Found, Heard, Whose},
};

fn heard(push: &PushId, n: u32, whose: Whose, event: Event) -> Heard {
    Heard { push: push.clone(), n, whose, event }
}

fn seen(seen: Seen) -> Event {
    Event::Seen(seen)
}

fn lost() -> Event {
    Event::Lost(Reason::TokenGone, "receipt 16".into())
}

fn token(n: u32) -> Whose {
    Whose::Token(Vendor::Apns, n + 1)
}

/// A page whose deliveries go to devices `d` of users `u0`, `u1`, …, with tags from one on.
fn devices(n: u8) -> Page {
    let mut page = page_of(1, n, START, OnUnknown::Resend, false);
    for (at, delivery) in (0u32..).zip(&mut page.deliveries) {
        let user = UserId::parse(format!("u{at}")).unwrap();
        delivery.recipient = Recipient::Device(user, DeviceId::parse("d").unwrap());
        delivery.tag = at + 1;
    }
    page
}

impl World {
    fn hear(&mut self, reports: &[Heard]) -> Vec<Option<Found>> {
        match self.ledger.hear(&mut self.store, reports, self.now).unwrap() {
            Outcome::Heard(whose, _, _) => whose,
            other => panic!("{other:?}"),
        }
    }

    fn all(&mut self, push: &PushId) -> Vec<Delivery> {
        match self.ledger.get(&self.store, push, None).unwrap() {
            Outcome::Known(known) => known.pages.into_iter().flat_map(|page| page.deliveries).collect(),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn reports_of_a_list_find_their_deliveries_by_token_and_cost_one_row() {
    let (mut world, push) = (World::new(), id(1, START));
    world.begin(devices(3));
    world.settle(&push, Part::Whole, &accepted());
    world.crash();
    let written = world.store.written;
    // A list has the number of its first delivery.
    let reports = [
        heard(&push, 0, token(0), seen(Seen::Received)),
        heard(&push, 0, token(2), lost()),
        heard(&push, 0, token(1), seen(Seen::Clicked)),
        heard(&push, 0, token(7), seen(Seen::Clicked)),
        heard(&push, 0, Whose::Token(Vendor::Fcm, 1), seen(Seen::Clicked)),
        heard(&id(9, START), 0, token(0), seen(Seen::Clicked)),
    ];
    let whose = world.hear(&reports);
    let found: Vec<bool> = whose.iter().map(Option::is_some).collect();
    assert_eq!(found, [true, true, true, false, false, false]);
    assert_eq!(world.store.written - written, 1);
    let all = world.all(&push);
    let stand: Vec<_> = all.iter().map(|have| (have.state, have.seen.map(|(seen, _)| seen))).collect();
    assert_eq!(
        stand,
        [
            (State::Accepted, Some(Seen::Received)),
            (State::Accepted, Some(Seen::Clicked)),
            (State::Failed, Some(Seen::Lost)),
        ]
    );
    assert_eq!(all[2].reason, Some(Reason::TokenGone));
    let written = world.store.written;
    world.hear(&reports);
    assert_eq!(world.store.written, written, "reports that come twice change nothing");
    world.check();
    let shown = funnel(Query { from: 0, to: 1, by: By::All }, &world.cells());
    let flow: Vec<_> = shown.total.stages.iter().skip(3).map(|stage| (stage.r#in, stage.out)).collect();
    assert_eq!(flow, [(3, 3), (3, 2), (2, 1), (1, 1)]);
}

#[test]
fn what_has_arrived_is_not_sent_again_and_does_not_fail() {
    for to in [To::Unknown, To::Retry(None), To::Failed] {
        let (mut world, push) = (World::new(), id(1, START));
        world.begin(devices(1));
        // The receipt is faster than the answer.
        world.hear(&[heard(&push, 0, token(0), seen(Seen::Received))]);
        assert_eq!(states(&mut world, &push), [State::Sending], "the answer is still under way");
        world.settle(&push, Part::Whole, &to);
        assert_eq!(states(&mut world, &push), [State::Accepted], "{to:?}");
        world.check();
    }
    // The answer never came; the receipt did.
    let (mut world, push) = (World::new(), id(1, START));
    world.begin(devices(1));
    world.settle(&push, Part::Whole, &To::Unknown);
    assert_eq!(states(&mut world, &push), [State::Retrying]);
    world.hear(&[heard(&push, 0, token(0), seen(Seen::Received))]);
    assert_eq!((states(&mut world, &push), world.ledger.next()), (vec![State::Accepted], None));
    // A worker that died: the receipt speaks for it.
    let (mut world, push) = (World::new(), id(1, START));
    world.begin(devices(1));
    world.hear(&[heard(&push, 0, token(0), seen(Seen::Received))]);
    world.now = Millis(START.0 + SILENT_MS);
    world.alarm();
    assert_eq!(states(&mut world, &push), [State::Accepted]);
    world.check();
}

#[test]
fn less_than_is_known_changes_nothing_and_what_never_left_cannot_arrive() {
    let (mut world, push) = (World::new(), id(1, START));
    world.begin(devices(1));
    world.settle(&push, Part::Whole, &accepted());
    for event in [seen(Seen::Clicked), seen(Seen::Shown), seen(Seen::Received), lost()] {
        world.hear(&[heard(&push, 0, token(0), event)]);
    }
    let all = world.all(&push);
    assert_eq!((all[0].state, all[0].seen.map(|(seen, _)| seen)), (State::Accepted, Some(Seen::Clicked)));
    let (mut world, push) = (World::new(), id(1, START));
    let mut page = devices(1);
    page.deliveries[0].state = State::Skipped;
    world.begin(page);
    world.hear(&[heard(&push, 0, token(0), seen(Seen::Received))]);
    assert_eq!(world.all(&push)[0].seen, None);
}

#[test]
fn a_user_without_a_device_is_one_phone_or_nobody() {
    let of = |user: &str, device: Option<&str>| {
        let device = device.map(|device| DeviceId::parse(device).unwrap());
        Whose::Device(UserId::parse(user).unwrap(), device)
    };
    for (vendor, list) in [(Vendor::Apns, false), (Vendor::Xiaomi, true)] {
        let (mut world, push) = (World::new(), id(1, START));
        let mut page = devices(3);
        page.deliveries.iter_mut().for_each(|delivery| delivery.vendor = Some(vendor));
        page.deliveries[1].recipient =
            Recipient::Device(UserId::parse("u0").unwrap(), DeviceId::parse("e").unwrap());
        world.begin(page);
        world.settle(&push, Part::Whole, &accepted());
        let mut found = |n, whose| {
            let found = world.hear(&[heard(&push, n, whose, seen(Seen::Shown))]).pop().flatten();
            found.map(|found| found.recipient)
        };
        assert!(found(2, of("u2", None)).is_some(), "its own number");
        assert_eq!(found(0, of("u2", None)).is_some(), list, "a list has one number for all");
        let other = found(2, of("u0", Some("e")));
        assert!(matches!(other, Some(Recipient::Device(_, device)) if device.as_str() == "e"));
        assert_eq!(found(0, of("u0", None)).is_some(), !list, "two phones in a list: which is not known");
        assert_eq!(found(1, of("u0", None)).is_some(), !list);
        assert_eq!(found(2, of("u0", None)), None);
        for (n, whose) in [(0, of("u9", None)), (2, of("u2", Some("x"))), (700, of("u2", None))] {
            assert_eq!(found(n, whose), None);
        }
    }
}

#[test]
fn pages_of_a_queued_push_are_found_by_the_number() {
    let mut world = World::new();
    world.queue(head_of(1, 120, START));
    let push = id(1, START);
    for part in [Part::Slice(0, 0), Part::Slice(1, 0)] {
        let mut page = devices(2);
        (page.part, page.took) = (part, 2);
        (page.category, page.campaign) = (Category::Marketing, Some("spring".into()));
        world.begin(page);
        world.settle(&push, part, &accepted());
    }
    let first = u32::try_from(Part::Slice(1, 0).first()).unwrap();
    let reports = [0, first].map(|n| heard(&push, n, token(1), seen(Seen::Received)));
    assert!(world.hear(&reports).iter().all(Option::is_some));
    let marked: Vec<bool> = world.all(&push).iter().map(|delivery| delivery.seen.is_some()).collect();
    assert_eq!(marked, [false, true, false, true]);
    world.check();
}

#[test]
fn a_try_to_another_token_is_found_by_that() {
    let (mut world, push) = (World::new(), id(1, START));
    world.begin(devices(1));
    world.settle(&push, Part::Whole, &To::Retry(None));
    world.now = world.ledger.next().unwrap();
    world.ledger.take(&mut world.store, &push, Part::Whole, world.now).unwrap();
    let ends = [End { tag: Some(77), ..end(0, 2, accepted()) }];
    world.ledger.settle(&mut world.store, &push, Part::Whole, &ends, world.now).unwrap();
    let report = |tag| heard(&push, 0, Whose::Token(Vendor::Apns, tag), seen(Seen::Received));
    assert_eq!(world.hear(&[report(1)]), [None]);
    assert!(world.hear(&[report(77)])[0].is_some());
}

/// The vendor was busy, then the quiet hours began; but the phone has the first try.
#[test]
fn what_has_arrived_is_not_held_or_skipped_for_good() {
    for then in [To::Held(START.plus_secs(7_200)), To::Skipped(None)] {
        let (mut world, push) = (World::new(), id(1, START));
        world.begin(devices(1));
        world.settle(&push, Part::Whole, &To::Retry(None));
        world.now = world.ledger.next().unwrap();
        world.ledger.take(&mut world.store, &push, Part::Whole, world.now).unwrap();
        let ends = [End { sent: false, ..end(0, 2, then.clone()) }];
        world.ledger.settle(&mut world.store, &push, Part::Whole, &ends, world.now).unwrap();
        assert_ne!(states(&mut world, &push), [State::Accepted]);
        world.hear(&[heard(&push, 0, token(0), seen(Seen::Received))]);
        assert_eq!(
            (states(&mut world, &push), world.ledger.next()),
            (vec![State::Accepted], None),
            "{then:?}"
        );
        world.check();
    }
}

#[test]
fn a_loss_that_is_reported_before_the_answer_is_not_forgotten() {
    for (to, ends) in [(accepted(), State::Failed), (To::Unknown, State::Failed), (To::Failed, State::Failed)]
    {
        let (mut world, push) = (World::new(), id(1, START));
        world.begin(devices(1));
        world.hear(&[heard(&push, 0, token(0), lost())]);
        assert_eq!(states(&mut world, &push), [State::Sending], "the answer is still under way");
        world.settle(&push, Part::Whole, &to);
        let all = world.all(&push);
        assert_eq!(all[0].state, ends, "{to:?}");
        let reason = if to == To::Failed { Reason::VendorUnavailable } else { Reason::TokenGone };
        assert_eq!(all[0].reason, Some(reason));
        assert_eq!(world.ledger.next(), None);
        world.check();
    }
    // No answer came, or the worker died: the report is the end.
    let unknown = |mut page: Page| {
        page.on_unknown = OnUnknown::Keep;
        page
    };
    let (mut world, push) = (World::new(), id(1, START));
    world.begin(unknown(devices(2)));
    world.settle(&push, Part::Whole, &To::Unknown);
    world.hear(&[heard(&push, 0, token(0), lost())]);
    assert_eq!(states(&mut world, &push), [State::Failed, State::Unknown]);
    let (mut world, push) = (World::new(), id(1, START));
    world.begin(devices(1));
    world.hear(&[heard(&push, 0, token(0), lost())]);
    world.now = Millis(START.0 + SILENT_MS);
    world.alarm();
    assert_eq!(states(&mut world, &push), [State::Failed]);
    world.check();
}

#[test]
fn a_loss_of_an_earlier_try_counts_for_the_same_token_only() {
    for (tag, ends) in [(None, State::Failed), (Some(77), State::Accepted)] {
        let (mut world, push) = (World::new(), id(1, START));
        world.begin(devices(1));
        world.settle(&push, Part::Whole, &To::Retry(None));
        world.hear(&[heard(&push, 0, token(0), lost())]);
        assert_eq!(states(&mut world, &push), [State::Retrying]);
        world.crash();
        world.alarm();
        world.now = world.ledger.next().unwrap();
        world.ledger.take(&mut world.store, &push, Part::Whole, world.now).unwrap();
        let ended = [End { tag, ..end(0, 2, accepted()) }];
        world.ledger.settle(&mut world.store, &push, Part::Whole, &ended, world.now).unwrap();
        assert_eq!(states(&mut world, &push), [ends]);
        world.hear(&[heard(&push, 0, Whose::Token(Vendor::Apns, tag.unwrap_or(1)), seen(Seen::Received))]);
        assert_eq!(states(&mut world, &push), [State::Accepted], "what came to the phone was not lost");
        world.check();
    }
}

#[test]
fn pages_say_how_many_stand_and_how_many_were_called_dead() {
    let (mut world, push) = (World::new(), id(1, START));
    world.begin(devices(5));
    world.settle(&push, Part::Whole, &accepted());
    world.hear(&[heard(&push, 0, token(4), lost())]);
    let reports = [heard(&push, 0, token(1), lost()), heard(&push, 0, token(2), seen(Seen::Received))];
    let told = world.ledger.hear(&mut world.store, &reports, world.now.plus_secs(9)).unwrap();
    let Outcome::Heard(found, standing, gone) = told else { panic!("{told:?}") };
    assert_eq!((found[0].as_ref().unwrap().sent_at, standing, gone), (START, 3, 2));
}
