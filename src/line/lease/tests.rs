use proptest::prelude::*;

use super::*;
use crate::{
    model::{push::Category, table::Table},
    object::account::State,
    vendor::Vendor,
    wire::account::{Admit, Lease, Pool},
};

const CLASS: Class = Class { category: Category::Marketing, goes_as: Category::Marketing };
const T: Millis = Millis(1_000_000);

fn grant(id: u64, n: u64, until: Millis) -> Grant {
    let lease = Some(Lease { id, n, until });
    Grant { n: 1, until: Millis(9_000_000), own: true, lease, ..Grant::default() }
}

fn after(ms: u64) -> Millis {
    Millis(T.0 + ms)
}

#[test]
fn slow_traffic_never_leases() {
    let mut purse = Purse::default();
    for n in 1..9 {
        assert_eq!(purse.wish(1, CLASS, after(n * LEASE_MS)), Wish::default());
    }
}

#[test]
fn quick_traffic_leases_more_and_more_and_one_at_a_time() {
    let mut purse = Purse::default();
    assert_eq!(purse.wish(1, CLASS, T).lease, 0);
    assert_eq!(purse.wish(1, CLASS, after(1)).lease, 4);
    assert_eq!(purse.wish(1, CLASS, after(2)).lease, 0, "somebody is asking");
    purse.put(&grant(7, 4, after(LEASE_MS)), CLASS, 3);
    for _ in 0..4 {
        assert_eq!(purse.take(1, 3, after(3)), Some(Grants { resets_at: Millis(9_000_000), own: true }));
    }
    assert_eq!(purse.take(1, 3, after(3)), None);
    let wish = purse.wish(1, CLASS, after(4));
    assert_eq!((wish.lease, wish.back.map(|back| (back.lease, back.n))), (8, Some((7, 0))));
}

#[test]
fn a_lease_that_comes_late_joins_the_other() {
    let mut purse = Purse::default();
    purse.put(&grant(7, 10, after(5)), CLASS, 3);
    purse.put(&grant(8, 4, after(9)), CLASS, 3);
    assert!(purse.take(12, 3, T).is_some());
    assert_eq!(purse.take(1, 3, after(5)), None, "the first has ended");
    assert_eq!((purse.ended(7, CLASS), purse.ended(8, CLASS).map(|back| back.n)), (None, Some(2)));
}

#[test]
fn an_ended_or_outdated_lease_lets_nothing_pass_and_goes_back_once() {
    let mut purse = Purse::default();
    purse.put(&grant(7, 10, after(5)), CLASS, 3);
    assert_eq!(purse.take(1, 4, T), None, "the policy has changed");
    assert!(purse.take(2, 3, T).is_some());
    assert_eq!(purse.take(1, 3, after(5)), None, "it has ended");
    assert_eq!(purse.ended(6, CLASS), None, "another one");
    let back = purse.ended(7, CLASS).unwrap();
    assert_eq!((back.n, back.lease, back.own), (8, 7, true));
    assert_eq!(purse.ended(7, CLASS), None);
}

#[test]
fn what_was_not_used_stays_where_it_is_of_the_same_kind_and_no_more_than_was_given_out() {
    let mut purse = Purse::default();
    let grants = Grants { resets_at: Millis(9_000_000), own: true };
    assert_eq!(purse.put_back(1, grants, T), 1, "nothing is held");
    purse.put(&grant(7, 10, after(5)), CLASS, 3);
    assert_eq!(purse.put_back(1, grants, T), 1, "it is full");
    purse.take(4, 3, T);
    assert_eq!(purse.put_back(3, grants, T), 0);
    assert_eq!(purse.put_back(3, grants, T), 2);
    purse.take(4, 3, T);
    assert_eq!(purse.put_back(1, Grants { own: false, ..grants }, T), 1);
    assert_eq!(purse.put_back(1, Grants { resets_at: Millis(1), ..grants }, T), 1, "yesterday's");
    assert_eq!(purse.put_back(1, grants, after(5)), 1, "it has ended");
}

#[test]
fn of_two_revisions_and_windows_the_newer_lease_stays_and_the_other_goes_back() {
    let late = |policy, until| {
        let mut purse = Purse::default();
        purse.put(&grant(7, 10, after(5)), CLASS, 3);
        let back = purse.put(&Grant { until, ..grant(8, 4, after(9)) }, CLASS, policy);
        (back.map(|back| (back.lease, back.n)), purse.held.map(|held| held.id))
    };
    let same = Millis(9_000_000);
    assert_eq!(late(4, same), (Some((7, 10)), Some(8)));
    assert_eq!(late(2, same), (Some((8, 4)), Some(7)));
    assert_eq!(late(3, Millis(9_000_001)), (Some((7, 10)), Some(8)));
    assert_eq!(late(3, Millis(8_999_999)), (Some((8, 4)), Some(7)));
    assert_eq!(Purse::without(T).wish(1, CLASS, after(1)), Wish::default());
}

#[derive(Debug, Clone)]
enum Op {
    /// Which isolate, how many, how many of them do not go out and come back, and whether at once.
    Send(usize, u64, u64, bool),
    /// Something of before comes back.
    Late(prop::sample::Index),
    /// The request that brought the lease wakes.
    End(usize),
    Kill(usize),
    /// The clock goes on, or back.
    Wait(i64),
    /// The account's memory is lost after it was written down.
    Sleep,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        12 => (0..4_usize, 1..60_u64, 0..9_u64, any::<bool>()).prop_map(|(at, n, back, now)| Op::Send(at, n, back, now)),
        3 => any::<prop::sample::Index>().prop_map(Op::Late),
        2 => (0..4_usize).prop_map(Op::End),
        1 => (0..4_usize).prop_map(Op::Kill),
        1 => Just(Op::Sleep),
        4 => prop_oneof![-2_000..900_i64, 5_000..12_000_i64].prop_map(Op::Wait),
    ]
}

proptest! {
    /// Isolates with their leases, one account, over midnight in China, against a sum: of no day's grants more goes out than the
    /// limit. What nobody has taken along into death is all there again when the leases have ended.
    #[test]
    fn isolates_never_pass_a_limit_together(ops in prop::collection::vec(op(), 1..120), limit in 100..6_000_u64) {
        let (vendor, mut now) = (Vendor::Vivo, Millis(86_400_000 * 20_000 + 16 * 3_600_000 - 30_000));
        let (mut account, mut purses) = (State::default(), vec![Purse::default(); 4]);
        let (mut sent, mut late, mut killed) = (Table::<Millis, u64>::new(), Vec::<(usize, u64, Grants)>::new(), false);
        let give = |account: &mut State, n, Grants { resets_at, own }: Grants| {
            account.give_back(&Return { class: CLASS, resets_at, n, own, close: false, lease: 0 }, vendor);
        };
        for op in ops {
            match op {
                Op::Send(at, n, back, at_once) => {
                    let purse = &mut purses[at];
                    let (granted, grants) = match purse.take(n, 1, now) {
                        Some(grants) => (n, grants),
                        None => {
                            let Wish { lease, back } = purse.wish(n, CLASS, now);
                            if let Some(back) = back {
                                account.give_back(&back, vendor);
                            }
                            let admit = Admit { n, limit: Some(limit), lease, ..Admit::of(CLASS, 1, 1) };
                            let taken = account.take(&admit, vendor, now);
                            let until = vendor.resets_at(now);
                            let grant = Grant { n: taken.granted, until, own: taken.own, lease: taken.lease, ..Grant::default() };
                            if let Some(back) = purse.put(&grant, CLASS, 1) {
                                account.give_back(&back, vendor);
                            }
                            (grant.n, Grants { resets_at: grant.until, own: grant.own })
                        }
                    };
                    let back = back.min(granted);
                    *sent.entry(grants.resets_at).or_default() += granted - back;
                    if at_once {
                        let rest = purse.put_back(back, grants, now);
                        give(&mut account, rest, grants);
                    } else if back > 0 {
                        late.push((at, back, grants));
                    }
                }
                Op::Late(which) if !late.is_empty() => {
                    let (at, back, grants) = late.swap_remove(which.index(late.len()));
                    let rest = purses[at].put_back(back, grants, now);
                    give(&mut account, rest, grants);
                }
                Op::Late(_) => {}
                Op::End(at) => {
                    if let Some(back) = purses[at].end(CLASS) {
                        account.give_back(&back, vendor);
                    }
                }
                Op::Kill(at) => {
                    killed |= purses[at].held.as_ref().is_some_and(|held| held.left > 0);
                    purses[at] = Purse::default();
                }
                // A clock that goes back over midnight has a test of its own: the account stays in the later day.
                Op::Wait(ms) => {
                    let next = Millis(now.0.saturating_add_signed(ms));
                    if vendor.resets_at(next) >= vendor.resets_at(now) {
                        now = next;
                    }
                }
                Op::Sleep => {
                    account.trim();
                    account = State::load(account.keep(now), None, vendor, now);
                }
            }
            prop_assert!(sent.values().all(|sent| *sent <= limit), "{sent:?} of {limit}");
        }
        for (_, back, grants) in late {
            give(&mut account, back, grants);
        }
        for purse in &mut purses {
            if let Some(back) = purse.end(CLASS) {
                account.give_back(&back, vendor);
            }
        }
        let sent = sent.get(&vendor.resets_at(now)).copied().unwrap_or_default();
        let own = account.levels(vendor, now).into_iter().find(|level| level.pool == Pool::Category(Category::Marketing));
        let granted = own.map_or(0, |level| level.granted);
        prop_assert!(granted == sent || (killed && granted > sent), "{granted} {sent}");
    }
}
