use super::*;
use crate::{
    model::{delivery::Reason, push::Category},
    object::account::Kept,
    wire::account::Class,
};

const NOW: Millis = Millis(86_400_000 * 20_000);

fn ask(n: u64, limit: Option<u64>) -> Admit {
    let class = Class { category: Category::Marketing, goes_as: Category::Marketing };
    Admit { n, limit, ..Admit::of(class, 1, 1) }
}

/// As the shell does it: how many pass, and with which words.
fn admit(state: &mut State, admit: &Admit, vendor: Vendor, now: Millis) -> (u64, Grant) {
    let mut gate = state.gate(admit, vendor, now);
    let taken = state.take(&gate.narrow(admit), vendor, now);
    state.passed(&mut gate, admit, taken, now);
    (taken.granted, gate.grant)
}

fn open() -> State {
    let mut state = State::default();
    state.report(&Report { trouble: 5, ..Report::default() }, NOW);
    state
}

#[test]
fn an_account_in_trouble_gives_nothing_ahead() {
    let leased = |state: &mut State| {
        let admit = Admit { lease: 9, ..ask(1, Some(100_000)) };
        let gate = state.gate(&admit, Vendor::Fcm, NOW);
        state.take(&gate.narrow(&admit), Vendor::Fcm, NOW).lease.map(|lease| lease.n)
    };
    assert_eq!(leased(&mut State::default()), Some(9));
    let mut troubled = State::default();
    troubled.report(&Report { trouble: 1, ..Report::default() }, NOW);
    assert!(troubled.in_trouble(NOW));
    assert_eq!(leased(&mut troubled), None);
}

#[test]
fn while_it_is_open_nothing_passes_and_no_quota_is_used() {
    let (mut state, vendor) = (open(), Vendor::Fcm);
    let until = NOW.plus_secs(15);
    let (n, grant) = admit(&mut state, &ask(7, Some(10)), vendor, NOW);
    assert_eq!((n, grant.rest, grant.open_for), (0, Some(until), Some(Reason::VendorUnavailable)));
    assert!(grant.trouble && state.levels(vendor, NOW).is_empty());
    // It outlives the memory.
    let kept: Kept = state.keep(NOW);
    let mut woken = State::load(kept, None, vendor, NOW);
    assert_eq!(admit(&mut woken, &ask(7, None), vendor, NOW).1.rest, Some(until));
    assert!(woken.in_trouble(NOW));
}

#[test]
fn one_page_is_the_probe_and_a_quota_that_is_used_up_takes_it_from_nobody() {
    let (mut state, vendor, now) = (open(), Vendor::Fcm, NOW.plus_secs(15));
    let (n, grant) = admit(&mut state, &ask(7, Some(0)), vendor, now);
    assert_eq!((n, grant.probe, grant.rest), (0, None, None), "the quota speaks");
    let probes: Vec<(u64, Grant)> = (0..9).map(|_| admit(&mut state, &ask(7, None), vendor, now)).collect();
    let look = Some(now.plus_secs(5));
    assert_eq!((probes[0].0, probes[0].1.probe, probes[0].1.rest), (3, Some(now.plus_secs(60)), look));
    for (n, grant) in &probes[1..] {
        assert_eq!((*n, grant.probe, grant.rest), (0, None, look));
    }
    let report = Report { went: 3, probe: probes[0].1.probe, ..Report::default() };
    assert_eq!(state.report(&report, now), Change::Closed);
    let (n, grant) = admit(&mut state, &ask(7, None), vendor, now);
    assert_eq!((n, grant), (7, Grant::default()));
}

#[test]
fn a_large_push_keeps_to_the_rate_and_a_list_is_one_request() {
    let mut state = State::default();
    let large = |n, rate| Admit { rate, large: true, ..ask(n, None) };
    let mut pass = |ask: Admit, vendor| {
        let (n, grant) = admit(&mut state, &ask, vendor, NOW);
        (n, grant.wait_ms, grant.rest, grant.open_for)
    };
    let devices = |n| large(n, Some(20));
    assert_eq!(pass(devices(100), Vendor::Apns), (20, 0, Some(NOW.plus_secs(1)), None));
    assert_eq!(pass(devices(10), Vendor::Apns), (10, 1_000, None, None));
    let single = Admit { large: false, ..devices(1) };
    assert_eq!(pass(single, Vendor::Apns), (1, 0, None, None), "it is counted and does not wait");
    assert_eq!(pass(devices(1), Vendor::Apns), (1, 1_550, None, None));
    // Meizu takes 100 tokens in a request, and 200 requests a second.
    let mut state = State::default();
    let mut pass = |n| admit(&mut state, &large(n, None), Vendor::Meizu, NOW).1.wait_ms;
    assert_eq!((0..4).map(|_| pass(100)).collect::<Vec<_>>(), [0, 5, 10, 15]);
    assert_eq!(pass(101), 20);
    assert_eq!(pass(1), 30, "two requests");
}

#[test]
fn the_census_is_asked_for_a_rate_that_grows_and_by_large_pushes_only() {
    let state = State::default();
    let wants =
        |vendor, large, rate| state.rate_wants_devices(&Admit { rate, large, ..ask(1, None) }, vendor, NOW);
    assert!(wants(Vendor::Oppo, true, None));
    assert!(!wants(Vendor::Oppo, false, None) && !wants(Vendor::Oppo, true, Some(9)));
    assert!(!wants(Vendor::Meizu, true, None) && !wants(Vendor::Apns, true, None));
}
