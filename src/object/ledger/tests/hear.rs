//! What is reported of deliveries later.

use super::*;
use crate::{
    model::{delivery::Seen, ids::DeviceId},
    wire::ledger::{Event, Heard, Whose},
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
    fn hear(&mut self, reports: &[Heard]) -> Vec<Option<Recipient>> {
        match self.ledger.hear(&mut self.store, reports, self.now).unwrap() {
            Outcome::Heard(whose) => whose,
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
fn an_app_names_its_user_and_a_device_where_there_are_more() {
    let (mut world, push) = (World::new(), id(1, START));
    let mut page = devices(3);
    page.deliveries[1].recipient =
        Recipient::Device(UserId::parse("u0").unwrap(), DeviceId::parse("e").unwrap());
    world.begin(page);
    world.settle(&push, Part::Whole, &accepted());
    let of = |user: &str, device: Option<&str>| {
        let device = device.map(|device| DeviceId::parse(device).unwrap());
        Whose::Device(UserId::parse(user).unwrap(), device)
    };
    let mut found = |n, whose| world.hear(&[heard(&push, n, whose, seen(Seen::Shown))])[0].is_some();
    assert!(found(2, of("u2", None)), "its own number");
    assert!(found(0, of("u2", None)), "the only one of this user in the list");
    assert!(found(2, of("u0", Some("e"))), "the device decides");
    assert!(!found(2, of("u0", None)), "two devices: which is not known");
    assert!(!found(0, of("u9", None)) && !found(0, of("u2", Some("x"))) && !found(700, of("u2", None)));
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
