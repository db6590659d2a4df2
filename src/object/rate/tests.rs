use proptest::prelude::*;

use super::*;

const NOW: Millis = Millis(1_700_000_000_000);

fn later(ms: u64) -> Millis {
    Millis(NOW.0 + ms)
}

#[test]
fn a_page_has_a_seconds_worth_at_once_and_the_next_waits_its_turn() {
    let mut rate = Rate::default();
    assert_eq!(rate.room(100, 20, NOW), Room { n: 20, wait_ms: 0 });
    rate.take(20, 20);
    assert_eq!(rate.room(10, 20, NOW), Room { n: 10, wait_ms: 1_000 });
    rate.take(10, 20);
    assert_eq!(rate.room(100, 20, later(1_500)), Room { n: 20, wait_ms: 0 });
    assert_eq!(rate.room(1, 20, later(60_000)), Room { n: 1, wait_ms: 0 }, "what was not used is gone");
}

#[test]
fn what_has_no_room_comes_back_each_page_at_its_own_time() {
    let mut rate = Rate::default();
    for n in 0..6 {
        assert_eq!(rate.room(100, 100, NOW), Room { n: 100, wait_ms: n * 1_000 });
        rate.take(100, 100);
    }
    for n in 6..1_000 {
        assert_eq!(rate.room(100, 100, NOW), Room::default());
        assert_eq!(rate.put_off(100, 100, NOW), later(n * 1_000));
    }
    // They find room when they come, and what comes anew does not take all of it.
    for n in 6..1_000 {
        let room = rate.room(100, 100, later(n * 1_000));
        assert_eq!(room, Room { n: 100, wait_ms: 0 });
        rate.take(100, 100);
    }
}

#[test]
fn singles_are_counted_and_never_push_a_large_one_away() {
    let mut rate = Rate::default();
    for _ in 0..10_000 {
        rate.count(1, 10, NOW);
    }
    assert_eq!(rate.room(10, 10, NOW), Room { n: 10, wait_ms: 5_000 });
}

#[test]
fn one_that_is_lost_begins_a_second_from_now() {
    assert_eq!(Rate::load(NOW).room(5, 10, NOW), Room { n: 5, wait_ms: 1_000 });
}

#[derive(Debug, Clone)]
enum Op {
    Page(u64),
    Single,
    Wait(u64),
    Crash,
    ClockBack(u64),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => (1..=100u64).prop_map(Op::Page),
        6 => (0..1_500u64).prop_map(Op::Wait),
        1 => (0..60_000u64).prop_map(Op::Wait),
        1 => Just(Op::Crash),
    ]
}

fn any_op() -> impl Strategy<Value = Op> {
    prop_oneof![8 => op(), 2 => Just(Op::Single), 1 => (0..9_000_000u64).prop_map(Op::ClockBack)]
}

proptest! {
    /// Against a plain list of when each message leaves: in no second more than the rate and a page, also over crashes.
    #[test]
    fn never_more_in_any_second_than_the_rate_and_a_page(
        per_second in prop_oneof![1..200u64, 200..30_000u64],
        ops in proptest::collection::vec(op(), 1..150),
    ) {
        let (mut rate, mut now) = (Rate::default(), NOW);
        let mut left: Vec<(u64, u64)> = Vec::new();
        for op in ops {
            match op {
                Op::Page(n) => {
                    let room = rate.room(n, per_second, now);
                    prop_assert!(room.n <= n && room.wait_ms <= 5_000);
                    if room.n == 0 {
                        prop_assert!(rate.put_off(n, per_second, now) >= now);
                        continue;
                    }
                    rate.take(room.n, per_second);
                    left.push((now.0 + room.wait_ms, room.n));
                }
                Op::Wait(ms) => now = Millis(now.0 + ms),
                // What was let through and waits is still sent: a new schedule does not know of it.
                Op::Crash => {
                    left.retain(|(at, _)| *at <= now.0);
                    rate = Rate::load(now);
                }
                Op::Single | Op::ClockBack(_) => {}
            }
        }
        for (from, _) in &left {
            let within = left.iter().filter(|(at, _)| (*from..*from + 1_000).contains(at));
            let sum: u64 = within.map(|(_, n)| *n).sum();
            prop_assert!(sum <= per_second + per_second.min(100), "{sum} in a second at {per_second}");
        }
    }

    /// Whatever happens, a page that asks again has room within some seconds.
    #[test]
    fn nobody_waits_for_ever(
        per_second in 1..200u64,
        ops in proptest::collection::vec(any_op(), 1..150),
    ) {
        let (mut rate, mut now) = (Rate::default(), NOW);
        for op in ops {
            match op {
                Op::Page(n) => {
                    let room = rate.room(n, per_second, now);
                    rate.take(room.n, per_second);
                    if room.n < n {
                        rate.put_off(n - room.n, per_second, now);
                    }
                }
                Op::Single => rate.count(1, per_second, now),
                Op::Wait(ms) => now = Millis(now.0 + ms),
                Op::Crash => rate = Rate::load(now),
                Op::ClockBack(ms) => now = Millis(now.0 - ms),
            }
        }
        rate.room(1, per_second, now);
        prop_assert!(rate.room(1, per_second, Millis(now.0 + 1_000)).n == 1);
    }
}
