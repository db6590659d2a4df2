use proptest::prelude::*;

use super::*;
use crate::wire::account::Lower;

fn ask(category: Category, n: u64, limit: Option<u64>, policy: u64) -> Admit {
    let class = Class { category, goes_as: category };
    Admit { n, limit, ..Admit::of(class, policy, 1) }
}

fn back(class: Class, n: u64, own: bool, resets_at: Millis) -> Return {
    Return { class, resets_at, n, own, close: false, lease: 0 }
}

/// The object as its shell runs it: what is not written is gone when it wakes.
#[derive(Default)]
struct Object {
    state: State,
    written: Kept,
}

impl Object {
    fn take(&mut self, admit: &Admit, vendor: Vendor, now: Millis) -> Taken {
        let taken = self.state.take(admit, vendor, now);
        if taken.write {
            self.written = self.state.keep(now);
        }
        taken
    }

    fn close(&mut self, class: Class, vendor: Vendor, now: Millis) {
        self.state.close(class, vendor, now);
        self.written = self.state.keep(now);
    }

    fn count(&mut self, installed: u64, enabled: u64, now: Millis) {
        self.state.set_devices(Some(Devices { installed, enabled }), now);
        self.written = self.state.keep(now);
    }

    fn woken(&self, vendor: Vendor, now: Millis) -> Self {
        let written = self.written.clone();
        Self { state: State::load(written.clone(), None, vendor, now), written }
    }
}

#[test]
fn classes_are_counted_apart_and_survive_a_wake() {
    let (vendor, now) = (Vendor::Fcm, Millis(86_400_000 * 20_000));
    let mut state = Object::default();
    let taken = state.take(&ask(Category::Marketing, 5, Some(3), 1), vendor, now);
    assert_eq!(taken, Taken { granted: 3, own: true, write: true, ..Taken::default() });
    let unlimited = state.take(&ask(Category::Im, 5, None, 1), vendor, now);
    assert_eq!(unlimited, Taken { granted: 5, ..Taken::default() });
    let mut woken = state.woken(vendor, now);
    assert_eq!(woken.take(&ask(Category::Im, 5, Some(9), 1), vendor, now).granted, 5);
    let more = ask(Category::Marketing, 1, Some(3), 1);
    assert_eq!(woken.take(&more, vendor, now).granted, 0);
    woken.state.give_back(&back(more.class, 1, true, vendor.resets_at(now)), vendor);
    assert_eq!(woken.take(&ask(Category::Marketing, 9, Some(3), 1), vendor, now).granted, 1);
}

#[test]
fn an_isolate_that_is_behind_does_not_bring_an_older_limit_back() {
    let (vendor, now) = (Vendor::Fcm, Millis(0));
    let mut state = Object::default();
    let mut granted = |limit, policy| state.take(&ask(Category::Im, 2, limit, policy), vendor, now).granted;
    assert_eq!(granted(Some(2), 5), 2);
    assert_eq!(granted(Some(100), 4), 0);
    assert_eq!(granted(None, 4), 0);
    assert_eq!(granted(Some(3), 6), 1);
    let bearer_only = Admit { bearer: true, ..ask(Category::Im, 0, None, 7) };
    assert_eq!(state.take(&bearer_only, vendor, now), Taken::default());
    assert_eq!(state.take(&ask(Category::Im, 2, Some(100), 5), vendor, now).granted, 0, "still 3");
    let behind = state.woken(vendor, now).take(&ask(Category::Im, 2, Some(100), 5), vendor, now);
    assert_eq!(behind.granted, 0, "also after a sleep");
}

/// vivo: twice the devices with notifications on, at least 20,000, for follow and marketing together.
#[test]
fn a_vendors_limit_grows_with_the_app_and_holds_for_all_that_it_limits_together() {
    let (vendor, now) = (Vendor::Vivo, Millis(86_400_000 * 20_000));
    let mut state = Object::default();
    state.count(90_000, 15_000, now);
    let mut granted = |category, n, limit| state.take(&ask(category, n, limit, 1), vendor, now).granted;
    assert_eq!(granted(Category::Im, 1_000_000, None), 1_000_000, "communication is free");
    assert_eq!(granted(Category::Follow, 10_000, None), 10_000);
    assert_eq!(granted(Category::Marketing, 50_000, None), 20_000);
    assert_eq!(granted(Category::Follow, 1, None), 0);
    let mut woken = state.woken(vendor, now);
    assert_eq!(woken.take(&ask(Category::Follow, 1, None, 1), vendor, now).granted, 0, "also after a sleep");
    let mut small = Object::default();
    let mut granted = |n, limit| small.take(&ask(Category::Marketing, n, limit, 1), vendor, now).granted;
    assert_eq!(granted(50_000, Some(7)), 7, "the lower of two limits");
    assert_eq!(granted(50_000, Some(30_000)), 19_993);
    let follow = ask(Category::Follow, 0, None, 1).class;
    small.state.give_back(&back(follow, 5, false, vendor.resets_at(now)), vendor);
    assert_eq!(small.take(&ask(Category::Follow, 9, None, 1), vendor, now).granted, 5);
}

#[test]
fn what_the_vendor_has_granted_the_app_stands_in_place_of_its_rule() {
    let (vendor, now) = (Vendor::Vivo, Millis(86_400_000 * 20_000));
    let mut state = Object::default();
    let told = |n, vendors, policy| Admit { vendors, ..ask(Category::Follow, n, None, policy) };
    assert!(!state.state.wants_devices(&told(90_000, Some(50_000), 2), vendor, now), "nobody has to count");
    assert_eq!(state.take(&told(90_000, Some(50_000), 2), vendor, now).granted, 50_000);
    assert_eq!(state.take(&told(9, None, 1), vendor, now).granted, 0, "an older copy of the app");
    let mut woken = state.woken(vendor, now);
    assert_eq!(woken.take(&told(9, None, 1), vendor, now).granted, 0, "also after a sleep");
    assert_eq!(woken.take(&told(9, Some(50_003), 3), vendor, now).granted, 3);
    assert_eq!(woken.take(&told(9, None, 4), vendor, now).granted, 0, "the rule again");
}

#[test]
fn the_census_is_asked_only_when_the_least_of_a_limit_is_used_up_and_not_all_the_time() {
    let (vendor, now) = (Vendor::Oppo, Millis(86_400_000 * 20_000));
    let mut object = Object::default();
    let marketing = |n| ask(Category::Marketing, n, None, 1);
    assert!(!object.state.wants_devices(&ask(Category::Im, 1_000_000, None, 1), vendor, now));
    assert!(!object.state.wants_devices(&marketing(100_000), vendor, now));
    object.take(&marketing(100_000), vendor, now);
    assert!(object.state.wants_devices(&marketing(1), vendor, now));
    object.count(60_000, 0, now);
    assert!(!object.state.wants_devices(&marketing(50_000), vendor, now));
    assert_eq!(object.take(&marketing(50_000), vendor, now).granted, 20_000);
    let mut woken = object.woken(vendor, now);
    let later = Millis(now.0 + COUNTED_MS);
    assert!(!woken.state.wants_devices(&marketing(1), vendor, Millis(later.0 - 1)));
    assert!(woken.state.wants_devices(&marketing(1), vendor, later));
    // A census that does not answer makes no limit smaller, and is asked again soon.
    woken.state.set_devices(None, later);
    assert_eq!(woken.state.devices().installed, 60_000);
    assert!(!woken.state.wants_devices(&marketing(1), vendor, Millis(later.0 + AGAIN_MS - 1)));
    assert!(woken.state.wants_devices(&marketing(1), vendor, Millis(later.0 + AGAIN_MS)));
    woken.count(60_001, 0, later);
    assert_eq!(woken.take(&marketing(5), vendor, now).granted, 2);
    woken.close(marketing(1).class, vendor, later);
    assert!(!woken.state.wants_devices(&marketing(9), vendor, Millis(later.0 + COUNTED_MS)), "closed");
}

/// As it was written before there were circuit breakers and told limits: an account that cannot read its row lets nothing pass.
#[test]
fn a_row_of_before_is_read() {
    let (vendor, now) = (Vendor::Vivo, Millis(86_400_000 * 20_000));
    let old =
        r#"[[["public",[20000,7]],[{"category":"im"},[20000,3]]],[["im",[9,3]]],[["public",1]],[5,4],6]"#;
    let kept: Kept = crate::wire::text::read(old).unwrap();
    let mut state = State::load(kept, None, vendor, now);
    assert_eq!(state.take(&ask(Category::Im, 1, Some(3), 9), vendor, now).granted, 0);
    assert_eq!(state.take(&ask(Category::Marketing, 30_000, None, 9), vendor, now).granted, 19_993);
}

#[test]
fn a_limit_that_lets_nothing_pass_is_kept_too() {
    let (vendor, now) = (Vendor::Fcm, Millis(86_400_000 * 20_000));
    let mut object = Object::default();
    assert_eq!(object.take(&ask(Category::Im, 80, Some(100), 5), vendor, now).granted, 80);
    assert_eq!(object.take(&ask(Category::Im, 1, Some(50), 6), vendor, now).granted, 0);
    let behind = object.woken(vendor, now).take(&ask(Category::Im, 20, Some(100), 5), vendor, now);
    assert_eq!(behind.granted, 0);
}

#[test]
fn what_did_not_count_against_the_apps_limit_does_not_come_back_to_it() {
    let (vendor, now) = (Vendor::Vivo, Millis(86_400_000 * 20_000));
    let mut object = Object::default();
    assert_eq!(object.take(&ask(Category::Marketing, 100, Some(100), 1), vendor, now).granted, 100);
    let free = object.take(&ask(Category::Marketing, 100, None, 2), vendor, now);
    assert_eq!((free.granted, free.own), (100, false));
    let marketing = ask(Category::Marketing, 0, None, 2).class;
    object.state.give_back(&back(marketing, 100, free.own, vendor.resets_at(now)), vendor);
    assert_eq!(object.take(&ask(Category::Marketing, 1, Some(100), 3), vendor, now).granted, 0);
}

#[test]
fn a_clock_that_runs_back_over_midnight_grants_neither_day_anew() {
    let vendor = Vendor::Vivo;
    let midnight = 86_400_000 * 20_000 + 16 * 3_600_000;
    let (before, after) = (Millis(midnight - 1_000), Millis(midnight + 1_000));
    let mut object = Object::default();
    assert_eq!(object.take(&ask(Category::Im, 9, Some(5), 1), vendor, after).granted, 5);
    let mut woken = object.woken(vendor, before);
    assert_eq!(woken.take(&ask(Category::Im, 9, Some(5), 1), vendor, before).granted, 0);
    assert_eq!(woken.take(&ask(Category::Im, 9, Some(5), 1), vendor, after).granted, 0);
}

#[test]
fn what_goes_as_marketing_counts_as_marketing() {
    let (vendor, now) = (Vendor::Oppo, Millis(86_400_000 * 20_000));
    let mut state = Object::default();
    let class = Class { category: Category::Order, goes_as: Category::Marketing };
    let lowered = Admit { class, ..ask(Category::Order, 100_001, None, 1) };
    assert_eq!(state.take(&lowered, vendor, now).granted, 100_000);
    assert_eq!(state.take(&ask(Category::Order, 9, None, 1), vendor, now).granted, 9);
}

#[test]
fn a_refusal_closes_until_the_vendors_day_ends_also_after_a_sleep() {
    // 23:59 in China.
    let (vendor, now) = (Vendor::Vivo, Millis(86_400_000 * 20_000 + 16 * 3_600_000 - 60_000));
    let mut state = Object::default();
    let class = ask(Category::Follow, 0, None, 1).class;
    state.close(class, vendor, now);
    let until = Millis(now.0 + 60_000);
    assert_eq!(state.state.closed_until(class, vendor, now), Some(until));
    let mut woken = state.woken(vendor, now);
    assert_eq!(
        woken.state.levels(vendor, now),
        [Level { pool: Pool::Public, granted: 0, reserved: 0, closed: Some(until) }]
    );
    for state in [&mut state, &mut woken] {
        assert_eq!(state.take(&ask(Category::Marketing, 1, None, 1), vendor, now).granted, 0);
        assert_eq!(state.take(&ask(Category::Im, 1, None, 1), vendor, now).granted, 1);
        assert_eq!(state.take(&ask(Category::Marketing, 1, None, 1), vendor, until).granted, 1);
    }
}

#[test]
fn a_refusal_in_a_days_first_minutes_is_the_old_days_and_closes_for_minutes() {
    let midnight = 86_400_000 * 20_000 + 16 * 3_600_000;
    let (class, minutes) = (ask(Category::Marketing, 0, None, 1).class, 300_000);
    for (after, lasts) in [(0, minutes), (minutes - 1, minutes), (minutes, 86_400_000 - minutes)] {
        let (mut object, now) = (Object::default(), Millis(midnight + after));
        object.close(class, Vendor::Vivo, now);
        assert_eq!(object.state.until(class, Vendor::Vivo, now), Millis(now.0 + lasts), "{after}");
    }
}

#[test]
fn a_lease_is_granted_when_it_is_given_out_and_small_where_the_limit_is_small() {
    let (vendor, now) = (Vendor::Vivo, Millis(86_400_000 * 20_000));
    let leasing = |n, limit, lease| Admit { lease, ..ask(Category::Marketing, n, Some(limit), 1) };
    let leased = |object: &mut Object, limit, lease| {
        object.take(&leasing(1, limit, lease), vendor, now).lease.map_or(0, |lease| lease.n)
    };
    assert_eq!(leased(&mut Object::default(), 99, 50), 0, "small");
    assert_eq!(leased(&mut Object::default(), 10_000, 8), 8, "as wished");
    let mut object = Object::default();
    let leases: Vec<u64> = (0..7).map(|_| leased(&mut object, 10_000, 500)).collect();
    assert_eq!(leases, [100, 100, 100, 100, 100, 0, 0], "1 % each, 5 % in all");
    let [own, public] = object.state.levels(vendor, now).try_into().unwrap();
    assert_eq!((own.granted, own.reserved, public.granted, public.reserved), (507, 500, 507, 500));
    assert_eq!(object.take(&ask(Category::Marketing, 20_000, Some(10_000), 1), vendor, now).granted, 9_493);
    // What is left comes back with the next question, and a lease that has ended is out no more.
    let class = leasing(0, 0, 0).class;
    let left = Return { lease: now.0, ..back(class, 40, true, vendor.resets_at(now)) };
    object.state.give_back(&left, vendor);
    let next = ask(Category::Marketing, 100, Some(10_000), 1);
    assert_eq!(object.take(&next, vendor, now).granted, 40);
    assert_eq!(
        object.state.levels(vendor, now)[0].reserved,
        400,
        "the one that has come back is out no more"
    );
    let ended = Millis(now.0 + crate::wire::account::LEASE_MS);
    assert_eq!(object.state.levels(vendor, ended)[0].reserved, 0);
}

#[test]
fn a_lease_ends_before_its_window() {
    let midnight = 86_400_000 * 20_000 + 16 * 3_600_000;
    let until = |now| {
        let admit = Admit { lease: 8, ..ask(Category::Marketing, 1, Some(10_000), 1) };
        Object::default().take(&admit, Vendor::Vivo, Millis(now)).lease.map(|lease| lease.until.0)
    };
    assert_eq!(until(midnight - 60_000), Some(midnight - 50_000));
    assert_eq!(until(midnight - 5_000), Some(midnight - 1_000));
    assert_eq!(until(midnight - 1_000), None);
}

#[test]
fn what_its_own_class_refuses_passes_in_the_lower_one_as_far_as_that_has_room() {
    let (vendor, now) = (Vendor::Vivo, Millis(86_400_000 * 20_000));
    let until = vendor.resets_at(now);
    let marketing = Class { category: Category::Marketing, goes_as: Category::Marketing };
    let lower = Some(Lower { class: marketing, limit: Some(4) });
    let mut object = Object::default();
    let orders = |n| Admit { lower, ..ask(Category::Order, n, Some(5), 1) };
    let taken = object.take(&orders(3), vendor, now);
    assert_eq!((taken.granted, taken.lower), (3, None));
    let taken = object.take(&orders(5), vendor, now);
    assert_eq!((taken.granted, taken.lower), (2, Some(Lowered { n: 3, own: true, until })));
    assert_eq!(object.take(&orders(5), vendor, now).lower, Some(Lowered { n: 1, own: true, until }));
    assert_eq!(object.take(&ask(Category::Marketing, 1, Some(4), 1), vendor, now).granted, 0);
    // The census is asked for the lower class, too.
    let mut used = Object::default();
    used.take(&ask(Category::Marketing, 20_000, None, 1), vendor, now);
    assert!(used.state.wants_devices(&orders(1), vendor, now));
    // A refusal of the one does not close the other.
    let mut closed = Object::default();
    closed.close(orders(0).class, vendor, now);
    let taken = closed.take(&orders(2), vendor, now);
    assert_eq!((taken.granted, taken.lower), (0, Some(Lowered { n: 2, own: true, until })));
}

#[derive(Debug, Clone)]
enum Op {
    /// Which category, as which, how many, how many ahead.
    Take(usize, bool, u64, u64),
    /// The same of a category that may go lower.
    Downgrade(usize, u64),
    /// Of the grants that are out, this many of this class.
    GiveBack(usize, bool, u64),
    /// The app limits its categories no longer, or again.
    Limit(bool),
    Sleep,
    /// Memory is lost: what was written last is there again.
    Crash,
    Wait(u64),
    Trim,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (0..4_usize, any::<bool>(), 0..9_000_u64, 0..400_u64).prop_map(|(c, l, n, ahead)| Op::Take(c, l, n, ahead)),
        2 => (0..3_usize, 0..9_000_u64).prop_map(|(c, n)| Op::Downgrade(c, n)),
        1 => any::<bool>().prop_map(Op::Limit),
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
        // Out today: per category, as which it went, and whether it counted against the app's limit.
        let mut out: Vec<(Class, bool, u64)> = Vec::new();
        let (mut limits, mut policy) = (true, 1);
        let class = |at: usize, lower: bool| {
            let category = Category::ALL[at];
            Class { category, goes_as: if lower { Category::Marketing } else { category } }
        };
        let limited = |class: &Class| rules::limits(Vendor::Vivo, class.goes_as);
        let sum = |out: &[(Class, bool, u64)], counts: &dyn Fn(&Class, bool) -> bool| -> u64 {
            out.iter().filter(|(class, own, _)| counts(class, *own)).map(|(_, _, n)| n).sum()
        };
        let limit = |limits: bool, at: usize| (limits && at.is_multiple_of(2)).then_some(own_limit);
        let room = |out: &[(Class, bool, u64)], class: Class, limit: Option<u64>| {
            let used = sum(out, &|of, own| own && of.category == class.category);
            let of_own = limit.map_or(u64::MAX, |limit| limit.saturating_sub(used));
            let used = sum(out, &|of, _| limited(of));
            of_own.min(if limited(&class) { public_limit - used.min(public_limit) } else { u64::MAX })
        };
        for op in ops {
            match op {
                Op::Limit(on) => (limits, policy) = (on, policy + 1),
                Op::Take(at, lower, n, lease) => {
                    let class = class(at, lower);
                    let limit = limit(limits, at);
                    let admit = Admit { class, lease, ..ask(class.category, n, limit, policy) };
                    let taken = state.take(&admit, vendor, now);
                    if taken.write {
                        written = state.keep(now);
                    }
                    let room = room(&out, class, limit);
                    prop_assert!(taken.granted <= n.min(room), "{taken:?}, {room} fit");
                    prop_assert!(crashed || taken.granted == n.min(room), "{taken:?}, {room} fit");
                    let ahead = taken.lease.map_or(0, |lease| lease.n);
                    prop_assert!(ahead <= lease && taken.granted + ahead <= room, "{taken:?}, {room} fit");
                    out.push((class, taken.own, taken.granted + ahead));
                }
                Op::Downgrade(at, n) => {
                    let (class, lower) = (class(at, false), class(3, false));
                    let (limit, lower_limit) = (limit(limits, at), limit(limits, 3));
                    let lowest = Some(Lower { class: lower, limit: lower_limit });
                    let admit = Admit { lower: lowest, ..ask(class.category, n, limit, policy) };
                    let taken = state.take(&admit, vendor, now);
                    if taken.write {
                        written = state.keep(now);
                    }
                    let fits = n.min(room(&out, class, limit));
                    out.push((class, taken.own, taken.granted));
                    let lowered = taken.lower.map_or(0, |lowered| lowered.n);
                    let fits_lower = (n - taken.granted).min(room(&out, lower, lower_limit));
                    prop_assert!(taken.granted <= fits && lowered <= fits_lower, "{taken:?}, {fits} {fits_lower}");
                    prop_assert!(crashed || (taken.granted, lowered) == (fits, fits_lower), "{taken:?}, {fits} {fits_lower}");
                    out.push((lower, taken.lower.is_some_and(|lowered| lowered.own), lowered));
                }
                Op::GiveBack(at, lower, n) => {
                    let class = class(at, lower);
                    let Some(of) = out.iter_mut().find(|(of, _, left)| *of == class && *left > 0) else { continue };
                    let n = n.min(of.2);
                    of.2 -= n;
                    state.give_back(&back(class, n, of.1, vendor.resets_at(now)), vendor);
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
                        out.clear();
                        crashed = false;
                    }
                }
            }
        }
    }
}
