use proptest::prelude::*;

use super::*;

fn ask(category: Category, n: u64, limit: Option<u64>, policy: u64) -> Admit {
    let class = Class { category, goes_as: category };
    Admit { class, n, limit, policy, bearer: false, refused: None, revision: 1 }
}

fn slept(state: &State, vendor: Vendor, now: Millis) -> State {
    State::load(state.keep(now), None, vendor, now)
}

#[test]
fn classes_are_counted_apart_and_survive_a_wake() {
    let (vendor, now) = (Vendor::Fcm, Millis(86_400_000 * 20_000));
    let mut state = State::default();
    let taken = state.take(&ask(Category::Marketing, 5, Some(3), 1), vendor, now);
    assert_eq!(taken, Taken { granted: 3, write: true });
    let unlimited = state.take(&ask(Category::Im, 5, None, 1), vendor, now);
    assert_eq!(unlimited, Taken { granted: 5, write: false });
    let mut woken = slept(&state, vendor, now);
    assert_eq!(woken.take(&ask(Category::Im, 5, Some(9), 1), vendor, now).granted, 5);
    let more = ask(Category::Marketing, 1, Some(3), 1);
    assert_eq!(woken.take(&more, vendor, now).granted, 0);
    woken.give_back(more.class, 1, vendor.resets_at(now), vendor);
    assert_eq!(woken.take(&ask(Category::Marketing, 9, Some(3), 1), vendor, now).granted, 1);
}

#[test]
fn an_isolate_that_is_behind_does_not_bring_an_older_limit_back() {
    let (vendor, now) = (Vendor::Fcm, Millis(0));
    let mut state = State::default();
    let mut granted = |limit, policy| state.take(&ask(Category::Im, 2, limit, policy), vendor, now).granted;
    assert_eq!(granted(Some(2), 5), 2);
    assert_eq!(granted(Some(100), 4), 0);
    assert_eq!(granted(None, 4), 0);
    assert_eq!(granted(Some(3), 6), 1);
    let bearer_only = Admit { bearer: true, ..ask(Category::Im, 0, None, 7) };
    assert_eq!(state.take(&bearer_only, vendor, now), Taken::default());
    assert_eq!(state.take(&ask(Category::Im, 2, Some(100), 5), vendor, now).granted, 0, "still 3");
    let behind = slept(&state, vendor, now).take(&ask(Category::Im, 2, Some(100), 5), vendor, now);
    assert_eq!(behind.granted, 0, "also after a sleep");
}

/// vivo: twice the devices with notifications on, at least 20,000, for follow and marketing together.
#[test]
fn a_vendors_limit_grows_with_the_app_and_holds_for_all_that_it_limits_together() {
    let (vendor, now) = (Vendor::Vivo, Millis(86_400_000 * 20_000));
    let mut state = State::default();
    state.set_devices(Devices { installed: 90_000, enabled: 15_000 }, now);
    let mut granted = |category, n, limit| state.take(&ask(category, n, limit, 1), vendor, now).granted;
    assert_eq!(granted(Category::Im, 1_000_000, None), 1_000_000, "communication is free");
    assert_eq!(granted(Category::Follow, 10_000, None), 10_000);
    assert_eq!(granted(Category::Marketing, 50_000, None), 20_000);
    assert_eq!(granted(Category::Follow, 1, None), 0);
    let mut woken = slept(&state, vendor, now);
    assert_eq!(woken.take(&ask(Category::Follow, 1, None, 1), vendor, now).granted, 0, "also after a sleep");
    let mut small = State::default();
    let mut granted = |n, limit| small.take(&ask(Category::Marketing, n, limit, 1), vendor, now).granted;
    assert_eq!(granted(50_000, Some(7)), 7, "the lower of two limits");
    assert_eq!(granted(50_000, Some(30_000)), 19_993);
    small.give_back(ask(Category::Follow, 0, None, 1).class, 5, vendor.resets_at(now), vendor);
    assert_eq!(small.take(&ask(Category::Follow, 9, None, 1), vendor, now).granted, 5);
}

#[test]
fn the_census_is_asked_only_when_the_least_of_a_limit_is_used_up_and_not_all_the_time() {
    let (vendor, now) = (Vendor::Oppo, Millis(86_400_000 * 20_000));
    let mut state = State::default();
    let marketing = |n| ask(Category::Marketing, n, None, 1);
    assert!(!state.wants_devices(&ask(Category::Im, 1_000_000, None, 1), vendor, now));
    assert!(!state.wants_devices(&marketing(100_000), vendor, now));
    state.take(&marketing(100_000), vendor, now);
    assert!(state.wants_devices(&marketing(1), vendor, now));
    state.set_devices(Devices { installed: 60_000, enabled: 0 }, now);
    assert!(!state.wants_devices(&marketing(50_000), vendor, now));
    assert_eq!(state.take(&marketing(50_000), vendor, now).granted, 20_000);
    let mut woken = slept(&state, vendor, now);
    assert!(!woken.wants_devices(&marketing(1), vendor, Millis(now.0 + COUNTED_MS - 1)));
    assert!(woken.wants_devices(&marketing(1), vendor, Millis(now.0 + COUNTED_MS)));
    woken.set_devices(Devices { installed: 60_001, enabled: 0 }, now);
    assert_eq!(woken.take(&marketing(5), vendor, now).granted, 2);
}

#[test]
fn what_goes_as_marketing_counts_as_marketing() {
    let (vendor, now) = (Vendor::Oppo, Millis(86_400_000 * 20_000));
    let mut state = State::default();
    let class = Class { category: Category::Order, goes_as: Category::Marketing };
    let lowered = Admit { class, ..ask(Category::Order, 100_001, None, 1) };
    assert_eq!(state.take(&lowered, vendor, now).granted, 100_000);
    assert_eq!(state.take(&ask(Category::Order, 9, None, 1), vendor, now).granted, 9);
}

#[test]
fn a_refusal_closes_until_the_vendors_day_ends_also_after_a_sleep() {
    // 23:59 in China.
    let (vendor, now) = (Vendor::Vivo, Millis(86_400_000 * 20_000 + 16 * 3_600_000 - 60_000));
    let mut state = State::default();
    let class = ask(Category::Follow, 0, None, 1).class;
    state.close(class, vendor, now);
    let until = Millis(now.0 + 60_000);
    assert_eq!(state.closed_until(class, vendor, now), Some(until));
    let mut woken = slept(&state, vendor, now);
    assert_eq!(woken.levels(vendor, now), [Level { pool: Pool::Public, granted: 0, closed: Some(until) }]);
    for state in [&mut state, &mut woken] {
        assert_eq!(state.take(&ask(Category::Marketing, 1, None, 1), vendor, now).granted, 0);
        assert_eq!(state.take(&ask(Category::Im, 1, None, 1), vendor, now).granted, 1);
        assert_eq!(state.take(&ask(Category::Marketing, 1, None, 1), vendor, until).granted, 1);
    }
}

#[test]
fn a_refusal_in_a_days_first_minutes_is_the_old_days_and_closes_for_minutes() {
    let midnight = 86_400_000 * 20_000 + 16 * 3_600_000;
    let class = ask(Category::Marketing, 0, None, 1).class;
    for (after, lasts) in [(0, EARLY_MS), (EARLY_MS - 1, EARLY_MS), (EARLY_MS, DAY_MS - EARLY_MS)] {
        let (mut state, now) = (State::default(), Millis(midnight + after));
        state.close(class, Vendor::Vivo, now);
        assert_eq!(state.closed_until(class, Vendor::Vivo, now), Some(Millis(now.0 + lasts)), "{after}");
    }
}

#[derive(Debug, Clone)]
enum Op {
    /// Which category, as which, how many, whether the app limits it.
    Take(usize, bool, u64, bool),
    /// Of the grants that are out, this many of this class.
    GiveBack(usize, bool, u64),
    Sleep,
    /// Memory is lost: what was written last is there again.
    Crash,
    Wait(u64),
    Trim,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (0..4_usize, any::<bool>(), 0..9_000_u64, any::<bool>()).prop_map(|(c, lower, n, own)| Op::Take(c, lower, n, own)),
        2 => (0..4_usize, any::<bool>(), 0..9_000_u64).prop_map(|(c, lower, n)| Op::GiveBack(c, lower, n)),
        1 => Just(Op::Sleep),
        1 => Just(Op::Crash),
        1 => Just(Op::Trim),
        2 => prop_oneof![0..3_000_u64, 3_600_000..86_400_000_u64].prop_map(Op::Wait),
    ]
}

proptest! {
    /// Against a reference that only adds up: in every day of the vendor and for every limit, what is out is not more than
    /// the limit; without a crash nothing is refused that the limits would let pass.
    #[test]
    fn granted_is_never_above_any_limit_and_all_of_it_can_be_used(ops in prop::collection::vec(op(), 1..60)) {
        let (vendor, own_limit, public_limit) = (Vendor::Vivo, 12_000, 20_000);
        let mut now = Millis(86_400_000 * 20_000 + 15 * 3_600_000);
        let (mut state, mut written, mut crashed) = (State::default(), Kept::default(), false);
        // Out today: per category and as which it went.
        let mut out = [[0_u64; 2]; 4];
        let class = |at: usize, lower: bool| {
            let category = Category::ALL[at];
            Class { category, goes_as: if lower { Category::Marketing } else { category } }
        };
        let limited = |class: Class| rules::limits(Vendor::Vivo, class.goes_as);
        let public = |out: &[[u64; 2]; 4]| -> u64 {
            let all = (0..4).flat_map(|at| [(at, false), (at, true)]);
            all.filter(|(at, lower)| limited(class(*at, *lower))).map(|(at, lower)| out[at][usize::from(lower)]).sum()
        };
        for op in ops {
            match op {
                Op::Take(at, lower, n, own) => {
                    let class = class(at, lower);
                    let limit = own.then_some(own_limit);
                    let admit = Admit { class, n, limit, policy: 1, ..ask(class.category, n, limit, 1) };
                    // The first word of a revision stands: the app says one limit per category.
                    let admit = Admit { limit: (at % 2 == 0).then_some(own_limit), ..admit };
                    let taken = state.take(&admit, vendor, now);
                    if taken.write {
                        written = state.keep(now);
                    }
                    let of_own = if admit.limit.is_some() { own_limit - (out[at][0] + out[at][1]).min(own_limit) } else { u64::MAX };
                    let of_public = if limited(class) { public_limit - public(&out).min(public_limit) } else { u64::MAX };
                    let fits = n.min(of_own).min(of_public);
                    prop_assert!(taken.granted <= fits, "{} granted, {fits} fit", taken.granted);
                    prop_assert!(crashed || taken.granted == fits, "{} granted, {fits} fit", taken.granted);
                    out[at][usize::from(lower)] += taken.granted;
                }
                Op::GiveBack(at, lower, n) => {
                    let back = n.min(out[at][usize::from(lower)]);
                    out[at][usize::from(lower)] -= back;
                    state.give_back(class(at, lower), back, vendor.resets_at(now), vendor);
                }
                Op::Trim => {
                    state.trim();
                    written = state.keep(now);
                }
                Op::Sleep => {
                    state.trim();
                    written = state.keep(now);
                    state = State::load(written.clone(), None, vendor, now);
                }
                Op::Crash => {
                    state = State::load(written.clone(), None, vendor, now);
                    crashed = true;
                }
                Op::Wait(ms) => {
                    let before = vendor.resets_at(now);
                    now = Millis(now.0 + ms);
                    if now >= before {
                        out = [[0; 2]; 4];
                        crashed = false;
                    }
                }
            }
        }
    }
}
