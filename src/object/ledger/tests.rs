mod hear;
mod order;
mod waits;

use super::{memory::Memory, page::SILENT_MS, *};
use crate::{
    line::funnel::{By, Query, funnel},
    model::{
        delivery::{Delivery, Reason, Recipient, State},
        ids::{DeviceId, UserId},
        page::Source,
        push::{Category, OnUnknown},
    },
    vendor::Vendor,
    wire::ledger::To,
};

/// 2026-11-25T04:30:00Z.
const START: Millis = Millis(1_795_581_000_000);
const KEEP: Keep = Keep { keys_ms: 86_400_000, days: 7 };

fn id(n: u8, at: Millis) -> PushId {
    PushId::new(at, [n; 10])
}

fn page_of(n: u8, deliveries: u8, now: Millis, on_unknown: OnUnknown, key: bool) -> Page {
    let recipient = |n: u8| Recipient::User(UserId::parse(format!("u{n}")).unwrap());
    let delivery = |n| Delivery::sending(recipient(n), Vendor::Apns, None, false, now);
    Page {
        push: id(n, now),
        part: Part::Whole,
        category: Category::Order,
        campaign: None,
        due: now,
        expires: now.plus_secs(86_400),
        on_unknown,
        body: key.then(|| "digest".to_owned()),
        took: 0,
        deliveries: (0..deliveries).map(delivery).collect(),
    }
}

fn head_of(n: u8, targets: u32, now: Millis) -> Head {
    Head {
        push: id(n, now),
        category: Category::Marketing,
        campaign: Some("spring".into()),
        due: now,
        expires: now.plus_secs(7_200),
        body: None,
        source: Source::Inline,
        targets,
        dropped: None,
    }
}

fn end(at: u32, tries: u32, to: To) -> End {
    End {
        at,
        tries,
        to,
        sent: true,
        reason: Some(Reason::VendorUnavailable),
        detail: None,
        tag: None,
        downgraded: false,
    }
}

fn accepted() -> To {
    To::Accepted(None)
}

/// A world: a ledger on a database, and what was put into it.
struct World {
    store: Memory,
    ledger: Ledger,
    now: Millis,
    pushes: Vec<(PushId, Part)>,
    heads: Vec<PushId>,
    requested: i64,
}

impl World {
    fn new() -> Self {
        let (store, ledger) = (Memory::default(), Ledger::new(KEEP));
        Self { store, ledger, now: START, pushes: Vec::new(), heads: Vec::new(), requested: 0 }
    }

    fn begin(&mut self, page: Page) -> Outcome {
        let (push, part, n, took) = (page.push.clone(), page.part, page.deliveries.len(), page.took);
        let outcome = self.ledger.begin(&mut self.store, page, "{}", self.now).unwrap();
        if matches!(outcome, Outcome::Done) {
            self.pushes.push((push, part));
            self.requested += n as i64 - i64::from(took);
        }
        outcome
    }

    fn queue(&mut self, head: Head) {
        self.requested += i64::from(head.targets);
        self.heads.push(head.push.clone());
        self.ledger.queue(&mut self.store, head, "{}", &[], self.now).unwrap();
    }

    /// Runs a job as a worker would that makes one delivery of each target and reaches its end.
    fn work(&mut self, job: Job, to: &To) {
        match job {
            Job::Slice(push, slice, part) => {
                let answer = self.ledger.slice(&mut self.store, &push, slice, part, self.now).unwrap();
                let Outcome::Slice(sliced) = answer else { return };
                let took = sliced.n.min(60);
                let mut page = page_of(0, u8::try_from(took).unwrap(), self.now, OnUnknown::Keep, false);
                (page.push, page.due, page.took) = (push.clone(), sliced.head.due, took);
                (page.category, page.campaign) = (sliced.head.category, sliced.head.campaign);
                page.part = Part::Slice(slice, part);
                let part = page.part;
                self.begin(page);
                self.settle(&push, part, to);
            }
            Job::Heard(..) => {}
            Job::Retry(push, part) => {
                let taken = self.ledger.take(&mut self.store, &push, part, self.now).unwrap();
                let Outcome::Taken(taken) = taken else { return };
                let ends: Vec<End> = taken
                    .due
                    .iter()
                    .map(|at| end(*at, taken.page.deliveries[*at as usize].tries, to.clone()))
                    .collect();
                self.ledger.settle(&mut self.store, &push, part, &ends, self.now).unwrap();
            }
        }
    }

    fn settle(&mut self, push: &PushId, part: Part, to: &To) {
        let ends: Vec<End> = (0..100).map(|at| end(at, 1, to.clone())).collect();
        self.ledger.settle(&mut self.store, push, part, &ends, self.now).unwrap();
    }

    /// Until nothing names the user any more.
    fn erase(&mut self, user: &str) {
        let user = UserId::parse(user).unwrap();
        let mut after = None;
        loop {
            match self.ledger.erase(&mut self.store, &user, after.take(), self.now).unwrap() {
                Outcome::Erased(_, Some(next)) => after = Some(next),
                Outcome::Erased(_, None) => break,
                other => panic!("{other:?}"),
            }
        }
        let named = self.store.rows().any(|row| match &row.record {
            Record::Page(page) => {
                page.deliveries.iter().any(|delivery| delivery.recipient == Recipient::User(user.clone()))
            }
            Record::Head(_) => false,
        });
        assert!(!named);
    }

    fn crash(&mut self) {
        self.ledger = Ledger::new(KEEP);
    }

    /// The platform's alarm, if it is due.
    fn alarm(&mut self) -> Vec<Job> {
        self.ledger.alarm(&mut self.store, self.now).unwrap().jobs
    }

    fn cells(&mut self) -> Vec<crate::wire::ledger::Cell> {
        match self.ledger.funnel(&self.store, 0, u64::from(u32::MAX)).unwrap() {
            Outcome::Funnel(cells) => cells,
            other => panic!("{other:?}"),
        }
    }

    fn check(&mut self) {
        let cells = self.cells();
        let mut rows = Counts::default();
        self.store.recount().values().for_each(|hour| rows.add(hour, 1));
        assert_eq!(Counts::from_cells(cells.clone()), rows, "memory and closed hours agree with the rows");
        let shown = funnel(Query { from: 0, to: 1, by: By::Campaign }, &cells);
        assert!(shown.balanced, "{shown:?}");
        assert_eq!(shown.total.requested, self.requested, "nothing is lost, nothing comes from nowhere");
    }

    /// Until nothing is left to do.
    fn run_out(&mut self) {
        for _ in 0..200 {
            let Some(next) = self.ledger.next() else { break };
            self.now = self.now.max(next);
            for job in self.alarm() {
                self.work(job, &accepted());
            }
        }
        self.alarm();
        assert_eq!(self.ledger.next(), None);
        for row in self.store.rows() {
            if let Record::Page(page) = &row.record {
                assert!(!page.open(), "{page:?}");
            }
        }
    }
}

fn states(world: &mut World, push: &PushId) -> Vec<State> {
    match world.ledger.get(&world.store, push, None).unwrap() {
        Outcome::Known(known) => {
            known.pages.iter().flat_map(|page| &page.deliveries).map(|have| have.state).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_single_push_writes_two_rows_and_scans_nothing() {
    let mut world = World::new();
    world.begin(page_of(1, 1, START, OnUnknown::Resend, true));
    world.settle(&id(1, START), Part::Whole, &accepted());
    assert_eq!((world.store.written, world.store.scans.get()), (2, 0));
    assert_eq!(world.store.works(), 0, "what is over keeps no message and no token");
    world.check();
}

#[test]
fn a_push_that_sends_nothing_is_known_and_holds_its_key_all_the_same() {
    let mut world = World::new();
    let mut page = page_of(1, 1, START, OnUnknown::Keep, true);
    page.deliveries[0].state = State::Skipped;
    world.begin(page.clone());
    assert_eq!((states(&mut world, &page.push), world.store.works()), (vec![State::Skipped], 0));
    assert!(matches!(world.begin(page), Outcome::Exists(_)));
    world.check();
}

#[test]
fn one_key_begins_once_for_a_day_across_midnight_and_crashes() {
    let mut world = World::new();
    world.begin(page_of(1, 1, START, OnUnknown::Keep, true));
    for (secs, taken) in [(0, true), (3_600 * 20, true), (86_399, true), (86_401, false)] {
        world.crash();
        world.now = START.plus_secs(secs);
        let outcome = world.begin(page_of(1, 1, world.now, OnUnknown::Keep, true));
        assert_eq!(matches!(outcome, Outcome::Exists(_)), taken, "{secs}");
    }
    let planned = Page { due: START.plus_secs(90_000), ..page_of(2, 1, START, OnUnknown::Keep, true) };
    world.now = START;
    world.begin(planned.clone());
    assert!(matches!(world.begin(planned), Outcome::Exists(_)), "also one that is planned for later");
}

#[test]
fn a_lost_worker_is_found_within_two_minutes_and_its_push_decides() {
    for (on_unknown, ends) in [(OnUnknown::Keep, State::Unknown), (OnUnknown::Resend, State::Accepted)] {
        let mut world = World::new();
        world.begin(page_of(1, 3, START, on_unknown, false));
        let woken = world.ledger.next().unwrap();
        assert!(woken.0 - START.0 <= 120_000);
        world.crash();
        world.now = woken;
        world.alarm();
        let after = states(&mut world, &id(1, START));
        assert!(after.iter().all(|state| *state != State::Sending), "{after:?}");
        world.run_out();
        assert_eq!(states(&mut world, &id(1, START)), [ends; 3]);
        world.check();
    }
}

#[test]
fn a_late_word_is_better_than_none_and_a_repeated_one_changes_nothing() {
    let mut world = World::new();
    world.begin(page_of(1, 1, START, OnUnknown::Keep, false));
    world.now = Millis(START.0 + SILENT_MS);
    world.alarm();
    assert_eq!(states(&mut world, &id(1, START)), [State::Unknown]);
    world.settle(&id(1, START), Part::Whole, &accepted());
    assert_eq!(states(&mut world, &id(1, START)), [State::Accepted]);
    let written = world.store.written;
    world.settle(&id(1, START), Part::Whole, &To::Failed);
    assert_eq!((states(&mut world, &id(1, START)), world.store.written), (vec![State::Accepted], written));
    world.check();
}

#[test]
fn a_retry_waits_as_the_vendor_says_takes_place_once_and_ends_with_the_ttl() {
    let mut world = World::new();
    let page = Page { expires: START.plus_secs(600), ..page_of(1, 1, START, OnUnknown::Keep, false) };
    world.begin(page);
    world.settle(&id(1, START), Part::Whole, &To::Retry(Some(120)));
    let next = world.ledger.next().unwrap();
    assert!((START.plus_secs(120)..START.plus_secs(151)).contains(&next), "{next:?}");
    world.now = next;
    let jobs = world.alarm();
    assert_eq!(jobs, [Job::Retry(id(1, START), Part::Whole)]);
    let take = |world: &mut World| world.ledger.take(&mut world.store, &id(1, START), Part::Whole, world.now);
    assert!(matches!(take(&mut world).unwrap(), Outcome::Taken(taken) if taken.due == [0]));
    assert!(matches!(take(&mut world).unwrap(), Outcome::Nothing), "a job that runs twice sends once");
    let ends = [end(0, 2, To::Retry(Some(3_600)))];
    world.ledger.settle(&mut world.store, &id(1, START), Part::Whole, &ends, world.now).unwrap();
    let outcome = world.ledger.get(&world.store, &id(1, START), None).unwrap();
    let Outcome::Known(known) = outcome else { panic!("{outcome:?}") };
    let delivery = &known.pages[0].deliveries[0];
    assert_eq!((delivery.state, delivery.reason), (State::Failed, Some(Reason::Expired)));
    assert_eq!(delivery.trace.len(), 3, "begun, waited, begun again");
}

#[test]
fn a_word_on_an_earlier_try_does_not_end_the_present_one() {
    let mut world = World::new();
    world.begin(page_of(1, 1, START, OnUnknown::Resend, false));
    world.settle(&id(1, START), Part::Whole, &To::Unknown);
    world.now = world.ledger.next().unwrap();
    world.ledger.take(&mut world.store, &id(1, START), Part::Whole, world.now).unwrap();
    world.settle(&id(1, START), Part::Whole, &To::Failed);
    assert_eq!(states(&mut world, &id(1, START)), [State::Sending]);
    world.check();
}

#[test]
fn what_nobody_takes_ends_with_the_ttl() {
    let mut world = World::new();
    let page = Page { expires: START.plus_secs(600), ..page_of(1, 1, START, OnUnknown::Keep, false) };
    world.begin(page);
    world.settle(&id(1, START), Part::Whole, &To::Retry(None));
    for _ in 0..20 {
        let Some(next) = world.ledger.next() else { break };
        world.now = next;
        // The app of these jobs is gone: nobody runs them.
        world.alarm();
    }
    assert!(world.now <= START.plus_secs(660) && world.ledger.next().is_none());
    assert_eq!(states(&mut world, &id(1, START)), [State::Failed]);
    world.check();
}

#[test]
fn a_queued_push_is_spread_once_whatever_runs_twice_and_a_cancel_stops_it() {
    let mut world = World::new();
    world.queue(head_of(1, 250, START));
    let push = id(1, START);
    let job = |slice, part| Job::Slice(push.clone(), slice, part);
    for job in [job(0, 0), job(0, 0), job(0, 1), job(0, 1), job(0, 2), job(1, 1), job(2, 0)] {
        world.work(job, &accepted());
        world.check();
    }
    let known = |world: &mut World| match world.ledger.get(&world.store, &push, None).unwrap() {
        Outcome::Known(known) => (known.counts, known.waiting),
        other => panic!("{other:?}"),
    };
    assert_eq!(known(&mut world), (vec![(State::Accepted, 150)], 100));
    world.ledger.cancel(&mut world.store, &push, world.now).unwrap();
    assert_eq!(known(&mut world), (vec![(State::Accepted, 150), (State::Cancelled, 100)], 0));
    world.work(job(1, 0), &accepted());
    assert_eq!(known(&mut world).0, [(State::Accepted, 150), (State::Cancelled, 100)]);
    world.run_out();
    world.check();
}

#[test]
fn targets_of_which_no_job_came_are_offered_again_and_expire() {
    let mut world = World::new();
    world.queue(head_of(1, 120, START));
    world.crash();
    world.now = START.plus_secs(60);
    let jobs = world.alarm();
    assert_eq!(jobs.len(), 2, "{jobs:?}");
    world.now = START.plus_secs(7_200);
    world.alarm();
    world.check();
    let shown = funnel(Query { from: 0, to: 1, by: By::All }, &world.cells());
    assert_eq!(shown.total.stages[0].lost[&"expired"], 120);
}

#[test]
fn an_erased_user_is_in_no_row_and_nothing_waits_for_the_name_that_stands_there() {
    let mut world = World::new();
    // More rows than one call goes over.
    for n in 0..230u8 {
        world.now = START.plus_secs(n.into());
        let mut page = page_of(n, 1, world.now, OnUnknown::Keep, false);
        page.push = PushId::new(world.now, [n, 1, n, 2, n, 3, n, 4, n, 5]);
        let device = DeviceId::parse("her phone").unwrap();
        page.deliveries[0].recipient = Recipient::Device(UserId::parse("u1").unwrap(), device);
        let (push, part) = (page.push.clone(), page.part);
        world.begin(page);
        if n % 2 == 0 {
            world.settle(&push, part, &To::Retry(Some(3_600)));
        }
    }
    world.ledger.queue(&mut world.store, head_of(250, 2, world.now), "{}", &[targets()], world.now).unwrap();
    world.requested += 2;
    world.erase("u1");
    world.check();
    let text = format!("{:?}", world.store.rows().collect::<Vec<_>>());
    assert!(!text.contains("u1") && !text.contains("her phone"));
    let sliced = world.ledger.slice(&mut world.store, &id(250, world.now), 0, 0, world.now).unwrap();
    let Outcome::Slice(sliced) = sliced else { panic!("{sliced:?}") };
    assert_eq!(sliced.chunk.unwrap().1.get(), r#"["nobody",{"user":"u2"}]"#);
    let waiting = |state: &&Row| matches!(&state.record, Record::Page(page) if page.deliveries.iter().any(|have| have.state.waits()));
    assert_eq!(world.store.rows().filter(waiting).count(), 0, "what waited is taken back");
}

fn targets() -> Raw {
    Raw::new(r#"[{"user":"u1"},{"user":"u2"}]"#.into()).unwrap()
}

#[test]
fn hours_close_and_days_are_dropped_without_a_row_and_without_a_count_lost() {
    let mut world = World::new();
    for n in 0..100 {
        world.now = START.plus_secs(u64::from(n) * 180);
        let (push, now) = (id(n, world.now), world.now);
        world.begin(page_of(n, 1, now, OnUnknown::Keep, false));
        world.settle(&push, Part::Whole, &accepted());
    }
    let before = world.cells();
    world.now = START.plus_secs(9 * 86_400);
    world.crash();
    let written = world.store.written;
    world.alarm();
    assert_eq!(world.store.rows().count(), 0);
    assert_eq!(world.store.written - written, 6, "a row for each of six hours");
    assert_eq!(world.cells(), before);
}
