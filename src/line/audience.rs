//! Some users of an audience who stand for all of them.

/// In how many places they are looked for, and how many in each: of an audience that has no more than that all, in one place.
pub fn places(users: u32, places: u32, each: u32) -> (u32, u32) {
    if users <= places.saturating_mul(each) { (1, users) } else { (places, each) }
}

/// The number of the first user in a place. Evenly spread, and moved forward so that each place lies in one row, whose length is a
/// multiple of `each`.
pub fn first(users: u32, at: u32, places: u32, each: u32) -> u32 {
    let even = u64::from(at) * u64::from(users) / u64::from(places.max(1));
    u32::try_from(even).unwrap_or(0) / each.max(1) * each
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{line::simulate::SAMPLE, model::page::SLICE, wire::audience::ROW};

    #[test]
    fn a_sample_is_spread_over_the_whole_audience_each_place_in_one_row() {
        for (of, sample) in [
            (1_001, SAMPLE),
            (1_999, SAMPLE),
            (12_345, SAMPLE),
            (1_234_567, SAMPLE),
            (u32::MAX, SAMPLE),
            (101, (1, SLICE)),
        ] {
            let (places, n) = places(of, sample.0, sample.1);
            assert_eq!((places, n), sample, "{of}");
            let mut next = 0;
            for at in 0..places {
                let first = first(of, at, places, n);
                assert!(first >= next && first % ROW + n <= ROW && first + n <= of, "{of}: {first}");
                let even = u64::from(at) * u64::from(of) / u64::from(places);
                assert!(even - u64::from(first) < u64::from(n), "{of}: {first} for {even}");
                next = first + n;
            }
        }
    }

    #[test]
    fn a_small_audience_is_read_whole() {
        for (users, (places_max, each)) in [(0, SAMPLE), (1, SAMPLE), (1_000, SAMPLE), (100, (1, SLICE))] {
            let (places, n) = places(users, places_max, each);
            assert_eq!((places, n, first(users, 0, places, n)), (1, users, 0));
        }
    }
}
