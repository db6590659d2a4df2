use super::*;

fn wait(world: &mut World, tries: u32, until: Millis) {
    let ends = [end(0, tries, To::Wait(until))];
    world.ledger.settle(&mut world.store, &id(1, START), Part::Whole, &ends, world.now).unwrap();
}

fn take(world: &mut World) -> bool {
    let taken = world.ledger.take(&mut world.store, &id(1, START), Part::Whole, world.now).unwrap();
    matches!(taken, Outcome::Taken(taken) if taken.due == [0])
}

fn delivery(world: &mut World) -> Delivery {
    let Outcome::Known(known) = world.ledger.get(&world.store, &id(1, START), None).unwrap() else {
        panic!("not known")
    };
    known.pages[0].deliveries[0].clone()
}

#[test]
fn to_wait_for_an_account_is_no_try_and_no_step_however_often() {
    let mut world = World::new();
    world.begin(Page { expires: START.plus_secs(86_400), ..page_of(1, 1, START, OnUnknown::Keep, false) });
    for turn in 1..=60 {
        let until = world.now.plus_secs(15);
        wait(&mut world, turn, until);
        let now = delivery(&mut world);
        assert_eq!((now.state, now.since, now.tried(), now.trace.len()), (State::Retrying, START, 0, 0));
        let at = now.until.unwrap();
        assert!((until..=Millis(until.0 + 3_750)).contains(&at), "spread over some seconds");
        world.now = at;
        assert_eq!(world.alarm(), [Job::Retry(id(1, START), Part::Whole)]);
        assert!(take(&mut world));
        // A late word on the turn before changes nothing.
        wait(&mut world, turn, until);
        assert_eq!(delivery(&mut world).state, State::Sending);
    }
    // Tries that are made do count, and what waits between them does not.
    let mut tries = 61;
    for made in 1..=12 {
        let ends = [end(0, tries, To::Retry(None))];
        world.ledger.settle(&mut world.store, &id(1, START), Part::Whole, &ends, world.now).unwrap();
        let now = delivery(&mut world);
        assert_eq!((now.state == State::Failed, now.tried()), (made == 12, made));
        for waits in [true, false].into_iter().filter(|_| made < 12) {
            world.now = delivery(&mut world).until.unwrap();
            assert!(take(&mut world));
            tries += 1;
            if waits {
                let until = world.now.plus_secs(300);
                wait(&mut world, tries, until);
            }
        }
    }
    world.check();
}

#[test]
fn who_waits_never_waits_beyond_the_ttl() {
    let end_of = |until: u64, ttl: u64| {
        let mut world = World::new();
        world.begin(Page { expires: START.plus_secs(ttl), ..page_of(1, 1, START, OnUnknown::Keep, false) });
        wait(&mut world, 1, START.plus_secs(until));
        let delivery = delivery(&mut world);
        (delivery.state, delivery.reason, delivery.until)
    };
    let reason = Some(Reason::VendorUnavailable);
    assert_eq!(end_of(15, 0), (State::Failed, reason, None), "now or never");
    assert_eq!(end_of(15, 15), (State::Failed, Some(Reason::Expired), None));
    let (state, _, until) = end_of(14, 15);
    assert_eq!(state, State::Retrying);
    assert!(until.unwrap() < START.plus_secs(15), "the spread does not take it beyond");
}
