//! An account made again from what it shows: what would pass is asked of the very step that lets it pass.

use super::State;
use crate::{
    model::time::Millis,
    object::quota::{Counter, Mark},
    vendor::Vendor,
    wire::account::{Devices, Level},
};

impl State {
    /// From how full its pools are, and the devices that its vendor's limit is reckoned with.
    pub fn shown(levels: &[Level], devices: Devices, vendor: Vendor, now: Millis) -> Self {
        let day = now.day(vendor.day_zone());
        let mut state = Self { devices, ..Self::default() };
        for Level { pool, granted, reserved: _, closed } in levels {
            state.counters.insert(*pool, Counter::load(Some(Mark { day, used: *granted }), day));
            state.closed.insert(*pool, closed.unwrap_or_default());
        }
        state
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        model::push::Category,
        wire::account::{Admit, Class, Lower},
    };

    #[derive(Debug, Clone)]
    enum Op {
        /// Which category, as which, whether it may go lower, how many, the app's own limit.
        Take(usize, bool, bool, u64, Option<u64>),
        /// The vendor refuses more of a category.
        Close(usize),
        /// The census counts so many devices.
        Count(u64),
        Wait(u64),
        Sleep,
        Trim,
    }

    fn op() -> impl Strategy<Value = Op> {
        let limit = proptest::option::of(0..15_000_u64);
        prop_oneof![
            8 => (0..4_usize, any::<bool>(), any::<bool>(), 1..9_000_u64, limit).prop_map(|(c, as_, low, n, own)| Op::Take(c, as_, low, n, own)),
            1 => (0..4_usize).prop_map(Op::Close),
            1 => (0..20_000_u64).prop_map(Op::Count),
            2 => prop_oneof![0..3_000_u64, 3_600_000..86_400_000_u64].prop_map(Op::Wait),
            1 => Just(Op::Sleep),
            1 => Just(Op::Trim),
        ]
    }

    proptest! {
        /// Whatever has happened: what an account shows says what it grants next, and until when the rest waits.
        #[test]
        fn what_is_shown_passes(ops in prop::collection::vec(op(), 1..60), vendor in 0..Vendor::ALL.len()) {
            let vendor = Vendor::ALL[vendor];
            let mut now = Millis(86_400_000 * 20_000 + 15 * 3_600_000);
            let (mut state, mut policy) = (State::default(), 0);
            for op in ops {
                let class = |at: usize, lower: bool| {
                    let category = Category::ALL[at];
                    Class { category, goes_as: if lower { Category::Marketing } else { category } }
                };
                match op {
                    Op::Take(at, as_, lower, n, limit) => {
                        // Whoever simulates has the newest word of the app's limit, as whoever asks.
                        policy += 1;
                        let class = class(at, as_);
                        let lower = lower.then_some(Lower { class: Class { goes_as: Category::Marketing, category: Category::Marketing }, limit });
                        let admit = Admit { n, limit, lower, ..Admit::of(class, policy, 1) };
                        let mut shown = State::shown(&state.levels(vendor, now), state.devices(), vendor, now);
                        prop_assert_eq!(shown.until(class, vendor, now), state.until(class, vendor, now));
                        let said = shown.take(&admit, vendor, now);
                        let taken = state.take(&admit, vendor, now);
                        prop_assert_eq!((said.granted, said.own, said.lower), (taken.granted, taken.own, taken.lower));
                    }
                    Op::Close(at) => state.close(class(at, false), vendor, now),
                    Op::Count(n) => state.set_devices(Some(Devices { installed: n, enabled: n }), now),
                    Op::Wait(ms) => now = Millis(now.0 + ms),
                    Op::Sleep => {
                        state.trim();
                        state = State::load(state.keep(now), None, vendor, now);
                    }
                    Op::Trim => state.trim(),
                }
            }
        }
    }
}
