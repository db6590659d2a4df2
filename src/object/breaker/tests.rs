use proptest::prelude::*;

use super::*;

const NOW: Millis = Millis(1_700_000_000_000);

fn later(ms: u64) -> Millis {
    Millis(NOW.0 + ms)
}

fn trouble(n: u64) -> Report {
    Report { trouble: n, ..Report::default() }
}

fn opened(n: u64, after: u32) -> Breaker {
    let mut breaker = Breaker::default();
    let turn = breaker.report(&Report { after, ..trouble(n) }, NOW);
    assert_eq!(turn, Change::Opened(Reason::VendorUnavailable));
    breaker
}

#[test]
fn five_in_trouble_open_it_where_they_are_more_than_half() {
    let mut breaker = Breaker::default();
    for n in 0..4 {
        assert_eq!(breaker.report(&trouble(1), later(n)), Change::None);
        assert_eq!(breaker.lets(later(n)), Let::All);
        assert!(breaker.in_trouble(later(n)));
    }
    let mut healthy = breaker.clone();
    assert_eq!(healthy.report(&Report { went: 5, ..trouble(1) }, later(4)), Change::None, "half is not more");
    assert_eq!(healthy.report(&trouble(1), later(4)), Change::Opened(Reason::VendorUnavailable));
    assert_eq!(breaker.clone().report(&trouble(1), later(30_000)), Change::None, "the first is old");
    assert!(!breaker.in_trouble(later(30_003)));
    assert_eq!(breaker.report(&trouble(1), later(4)), Change::Opened(Reason::VendorUnavailable));
    assert_eq!(breaker.lets(later(4)), Let::Wait(later(16_000), Reason::VendorUnavailable));
}

#[test]
fn it_is_open_as_long_as_the_vendor_asks_and_says_what_opened_it() {
    let mut breaker = Breaker::default();
    assert_eq!(breaker.report(&Report { after: 40, ..trouble(1) }, NOW), Change::None);
    let limited = Report { limited: 3, ..trouble(4) };
    assert_eq!(breaker.report(&limited, later(1_000)), Change::Opened(Reason::RateLimited));
    assert_eq!(breaker.lets(later(1_000)), Let::Wait(later(40_000), Reason::RateLimited));
    // What left before and comes back late: it asks for more time, or for none.
    assert_eq!(breaker.report(&trouble(9), later(2_000)), Change::None);
    assert_eq!(
        breaker.report(&Report { after: 40, ..limited }, later(2_000)),
        Change::Opened(Reason::RateLimited)
    );
    assert_eq!(breaker.lets(later(2_000)), Let::Wait(later(42_000), Reason::RateLimited));
    let hour = opened(5, u32::MAX);
    assert_eq!(hour.kept().unwrap().until, later(3_600_000));
}

#[test]
fn one_probe_decides_and_each_that_fails_doubles_the_time() {
    let mut breaker = opened(5, 0);
    let mut now = later(15_000);
    for secs in [30, 60, 120, 240, 300, 300] {
        assert_eq!(breaker.lets(now), Let::Probe(PROBE_MAX));
        let probe = breaker.probe(now);
        assert_eq!(breaker.lets(now), Let::Wait(Millis(now.0 + LOOK_MS), Reason::VendorUnavailable));
        assert_eq!(breaker.report(&trouble(3), now), Change::None, "a late word is not the probe's");
        assert_eq!(breaker.report(&Report { went: 9, ..Report::default() }, now), Change::None);
        let failed = Report { probe, ..trouble(3) };
        assert_eq!(breaker.report(&failed, now), Change::Opened(Reason::VendorUnavailable));
        assert_eq!(breaker.report(&failed, now), Change::None, "once");
        let until = Millis(now.0 + secs * 1_000);
        assert_eq!(breaker.lets(Millis(until.0 - 1)), Let::Wait(until, Reason::VendorUnavailable));
        now = until;
    }
    let probe = breaker.probe(now);
    assert_eq!(
        breaker.report(&Report { probe, ..Report::default() }, now),
        Change::Freed,
        "nothing was sent"
    );
    assert_eq!(breaker.lets(now), Let::Probe(PROBE_MAX));
    let probe = breaker.probe(now);
    assert_eq!(breaker.report(&Report { went: 1, probe, ..Report::default() }, now), Change::Closed);
    assert_eq!((breaker.lets(now), breaker.in_trouble(now)), (Let::All, false));
}

#[test]
fn a_probe_that_never_reports_frees_itself_also_after_a_sleep() {
    let mut breaker = opened(5, 0);
    let now = later(15_000);
    let lost = breaker.probe(now);
    let mut woken = Breaker::load(breaker.kept());
    assert!(matches!(woken.lets(later(74_999)), Let::Wait(..)));
    assert_eq!(woken.lets(later(75_000)), Let::Probe(PROBE_MAX));
    let probe = woken.probe(later(75_000));
    let word = |probe| Report { went: 1, probe, ..Report::default() };
    assert_eq!(woken.report(&word(lost), later(75_001)), Change::None, "it was given up");
    assert_eq!(woken.report(&word(probe), later(75_001)), Change::Closed);
}

#[test]
fn what_is_kept_is_pinned() {
    let mut breaker = opened(5, 0);
    breaker.probe(later(15_000));
    let text = r#"[1700000015000,"vendor_unavailable",15000,15000,1700000075000]"#;
    assert_eq!(serde_json::to_string(&breaker.kept().unwrap()).unwrap(), text);
    assert_eq!(crate::wire::text::read::<Open>(text).ok(), breaker.kept());
}

#[derive(Debug, Clone)]
enum Op {
    /// A page that has met trouble: went, trouble, Retry-After.
    Report(u64, u64, u32),
    Ask,
    /// The probe that is under way reports: went, trouble.
    Probed(u64, u64),
    Wait(u64),
    Sleep,
    ClockBack(u64),
}

fn op() -> impl Strategy<Value = Op> {
    let after = prop_oneof![4 => Just(0), 1 => 1..20u32, 1 => 3_000..9_000u32];
    prop_oneof![
        4 => (0..9u64, 1..9u64, after).prop_map(|(went, trouble, after)| Op::Report(went, trouble, after)),
        4 => Just(Op::Ask),
        2 => (0..3u64, 0..3u64).prop_map(|(went, trouble)| Op::Probed(went, trouble)),
        4 => (0..20_000u64).prop_map(Op::Wait),
        2 => (0..400_000u64).prop_map(Op::Wait),
        1 => Just(Op::Sleep),
        1 => (0..100_000_000u64).prop_map(Op::ClockBack),
    ]
}

proptest! {
    /// Against plain lists: it opens by the rule and by nothing else, is never open for longer than it may be, never lets two
    /// probes out at once, and never stays shut for ever; over sleeps and a clock that runs back.
    #[test]
    fn open_by_the_rule_and_one_probe_at_a_time(ops in proptest::collection::vec(op(), 1..120)) {
        let mut breaker = Breaker::default();
        let (mut now, mut passed, mut jumped) = (NOW, 0u64, false);
        let mut told: Vec<(Millis, u64, u64)> = Vec::new();
        // The probe under way, and when it left by a clock that never runs back.
        let mut probe: Option<(Millis, u64)> = None;
        // The greatest wait that was asked for and is not over.
        let mut asked = 0u64;
        for op in ops {
            match op {
                Op::Report(went, trouble, after) => {
                    let was_open = breaker.kept().is_some();
                    told.retain(|(at, ..)| *at <= now && now.0 - at.0 < WINDOW_MS);
                    told.push((now, went, trouble));
                    let sum = |of: fn(&(Millis, u64, u64)) -> u64| told.iter().map(of).sum::<u64>();
                    let (all_went, all_bad) = (sum(|told| told.1), sum(|told| told.2));
                    let turn = breaker.report(&Report { went, trouble, after, ..Report::default() }, now);
                    asked = asked.max(passed + u64::from(after.min(3_600)) * 1_000);
                    if !was_open {
                        let opens = all_bad >= 5 && all_bad > all_went;
                        prop_assert_eq!(turn != Change::None, opens);
                        prop_assert_eq!(breaker.kept().is_some(), opens);
                    } else {
                        prop_assert!(turn != Change::Closed);
                    }
                    if breaker.kept().is_some() {
                        told.clear();
                    }
                }
                Op::Ask => match breaker.lets(now) {
                    Let::All => prop_assert!(breaker.kept().is_none()),
                    Let::Wait(until, _) => prop_assert!(until > now && until.0 <= now.0 + 3_601_000),
                    Let::Probe(n) => {
                        prop_assert!(n <= PROBE_MAX && (jumped || passed >= asked));
                        prop_assert!(probe.is_none_or(|(_, left)| passed - left >= PROBE_MS));
                        probe = breaker.probe(now).map(|name| (name, passed));
                    }
                },
                Op::Probed(went, trouble) => {
                    let Some((name, left)) = probe.take() else { continue };
                    let report = Report { went, trouble, probe: Some(name), ..Report::default() };
                    let turn = breaker.report(&report, now);
                    if passed - left < PROBE_MS {
                        let good = went > 0 && trouble <= went;
                        prop_assert!(turn != Change::Closed || good && (jumped || passed >= asked));
                        prop_assert!(turn == Change::Closed || !good || jumped || passed < asked + 1_000);
                        prop_assert_eq!(matches!(turn, Change::Opened(_)), trouble > went);
                    }
                    told.clear();
                }
                Op::Wait(ms) => (now, passed) = (Millis(now.0 + ms), passed + ms),
                Op::Sleep => {
                    breaker = Breaker::load(breaker.kept());
                    told.clear();
                    // What was asked for while it was closed is forgotten with the memory.
                    asked = asked.min(if breaker.kept().is_some() { u64::MAX } else { passed });
                }
                Op::ClockBack(ms) => {
                    jumped = true;
                    now = Millis(now.0 - ms);
                    // A probe that left after now is not waited for.
                    probe = None;
                    breaker.lets(now);
                    told.retain(|(at, ..)| *at <= now);
                }
            }
        }
        breaker.lets(now);
        let end = Millis(now.0 + 3_601_000 + PROBE_MS);
        prop_assert!(!matches!(breaker.lets(end), Let::Wait(..)));
    }
}
