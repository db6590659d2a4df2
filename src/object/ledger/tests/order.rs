//! Everything that can happen, in every order.

use proptest::prelude::*;

use super::*;
use crate::{
    model::delivery::Seen,
    wire::ledger::{Event, Heard, Whose},
};

#[derive(Debug, Clone)]
enum Op {
    Begin(u8, u8, bool, bool),
    Settle(prop::sample::Index, u8, u8),
    Queue(u8, u32),
    Job(prop::sample::Index, u8, u8, bool),
    Take(prop::sample::Index),
    Cancel(prop::sample::Index),
    Abort(prop::sample::Index),
    Hear(prop::sample::Index, u8, u8),
    Erase(u8),
    Pass(u32),
    Alarm,
    Crash,
}

fn op() -> impl Strategy<Value = Op> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        4 => (any::<u8>(), 1..5u8, any::<bool>(), any::<bool>()).prop_map(|(n, d, r, k)| Op::Begin(n, d, r, k)),
        6 => (index(), 0..8u8, 1..3u8).prop_map(|(i, to, t)| Op::Settle(i, to, t)),
        1 => (any::<u8>(), 1..350u32).prop_map(|(n, t)| Op::Queue(n, t)),
        3 => (index(), 0..4u8, 0..3u8, any::<bool>()).prop_map(|(i, s, p, ok)| Op::Job(i, s, p, ok)),
        2 => index().prop_map(Op::Take),
        1 => index().prop_map(Op::Cancel),
        1 => index().prop_map(Op::Abort),
        3 => (index(), 0..5u8, 0..4u8).prop_map(|(i, n, e)| Op::Hear(i, n, e)),
        1 => (0..5u8).prop_map(Op::Erase),
        3 => (1..6_000u32).prop_map(Op::Pass),
        3 => Just(Op::Alarm),
        1 => Just(Op::Crash),
    ]
}

fn to(n: u8) -> To {
    match n {
        0 => accepted(),
        1 => To::Failed,
        2 => To::Unknown,
        3 => To::Retry(Some(30)),
        4 => To::Retry(None),
        5 => To::Held(START.plus_secs(7_200)),
        6 => To::Wait(START.plus_secs(1_800)),
        _ => To::Skipped(None),
    }
}

impl World {
    fn taken(&self, push: &PushId) -> bool {
        let pushes = self.pushes.iter().map(|(have, _)| have);
        pushes.chain(&self.heads).any(|have| have.tail() == push.tail())
    }

    fn run(&mut self, op: Op) {
        let some = |index: &prop::sample::Index, all: &[(PushId, Part)]| {
            (!all.is_empty()).then(|| index.get(all).clone())
        };
        match op {
            Op::Begin(n, deliveries, resend, key) => {
                let on_unknown = if resend { OnUnknown::Resend } else { OnUnknown::Keep };
                // Without a key the lower part of an id never comes twice.
                if !key && self.taken(&id(n, self.now)) {
                    return;
                }
                self.begin(page_of(n, deliveries, self.now, on_unknown, key));
            }
            Op::Settle(index, kind, tries) => {
                let Some((push, part)) = some(&index, &self.pushes) else { return };
                let ends: Vec<End> =
                    (0..5).map(|at| end(at, tries.into(), to((kind + at as u8) % 8))).collect();
                self.ledger.settle(&mut self.store, &push, part, &ends, self.now).unwrap();
            }
            Op::Queue(n, targets) => {
                let head = head_of(n, targets, self.now);
                if !self.taken(&head.push) {
                    self.queue(head);
                }
            }
            Op::Job(index, slice, part, ok) => {
                if self.heads.is_empty() {
                    return;
                }
                let push = index.get(&self.heads).clone();
                let to = if ok { accepted() } else { To::Retry(None) };
                self.work(Job::Slice(push, slice.into(), part.into()), &to);
            }
            Op::Take(index) => {
                let Some((push, part)) = some(&index, &self.pushes) else { return };
                let taken = self.ledger.take(&mut self.store, &push, part, self.now).unwrap();
                let Outcome::Taken(taken) = taken else { return };
                let arrived = |at: &u32| taken.page.deliveries[*at as usize].arrived();
                assert!(!taken.due.iter().any(arrived), "what has arrived is never taken again");
            }
            Op::Cancel(index) => {
                let heads = self.heads.iter().map(|push| (push.clone(), Part::Whole));
                let all: Vec<_> = self.pushes.iter().cloned().chain(heads).collect();
                let Some((push, _)) = some(&index, &all) else { return };
                self.ledger.cancel(&mut self.store, &push, self.now).unwrap();
            }
            Op::Abort(index) => {
                let Some((push, part)) = some(&index, &self.pushes).filter(|(_, part)| *part == Part::Whole)
                else {
                    return;
                };
                let n = states(self, &push).len() as i64;
                self.ledger.abort(&mut self.store, &push, part).unwrap();
                self.requested -= n;
                self.pushes.retain(|(have, _)| *have != push);
            }
            Op::Hear(index, n, event) => {
                let Some((push, part)) = some(&index, &self.pushes) else { return };
                let event = match event {
                    0 => Event::Seen(Seen::Received),
                    1 => Event::Seen(Seen::Shown),
                    2 => Event::Seen(Seen::Clicked),
                    _ => Event::Lost(Reason::TokenGone, "receipt".into()),
                };
                let n = u32::try_from(part.first()).unwrap() + u32::from(n);
                let report = Heard { push, n, whose: Whose::Token(Vendor::Apns, 0), event };
                self.ledger.hear(&mut self.store, &[report], self.now).unwrap();
            }
            Op::Erase(n) => self.erase(&format!("u{n}")),
            Op::Pass(secs) => self.now = self.now.plus_secs(secs.into()),
            Op::Alarm => {
                self.alarm();
            }
            Op::Crash => self.crash(),
        }
    }
}

/// What has arrived waits for nothing, and what is known to be lost has ended.
fn reports_are_heeded(world: &World) {
    for row in world.store.rows() {
        let Record::Page(page) = &row.record else { continue };
        for delivery in &page.deliveries {
            assert!(!delivery.arrived() || !delivery.state.waits(), "{delivery:?}");
            let standing = matches!(delivery.state, State::Accepted | State::Unknown);
            assert!(!standing || delivery.arrived() || delivery.lost.is_none(), "{delivery:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Law 3, in every order of events: what is in memory, what the closed hours hold and what the rows say are one; and
    /// law 1: in the end nothing is under way.
    #[test]
    fn one_state_in_every_order(ops in prop::collection::vec(op(), 1..60)) {
        let mut world = World::new();
        for op in ops {
            world.run(op);
            world.check();
            reports_are_heeded(&world);
        }
        world.crash();
        world.alarm();
        world.run_out();
        world.check();
    }
}
