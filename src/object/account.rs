//! One app at one vendor: counters per class, and which bearer is current.

use std::collections::BTreeMap;

use super::quota::{Counter, Mark, Take};
use crate::{
    crypto::hash,
    model::{push::Category, time::Millis},
    vendor::Vendor,
    wire::account::Bearer,
};

/// What the object holds in memory.
#[derive(Debug, Default)]
pub struct State {
    counters: BTreeMap<Category, Counter>,
    bearer: Option<Bearer>,
}

impl State {
    /// From what was written.
    pub fn load(marks: Vec<(Category, Mark)>, bearer: Option<Bearer>, vendor: Vendor, now: Millis) -> Self {
        let today = now.day(vendor.day_zone());
        let counters =
            marks.into_iter().map(|(category, mark)| (category, Counter::load(Some(mark), today))).collect();
        Self { counters, bearer }
    }

    /// Lets up to `n` of a class pass.
    pub fn take(
        &mut self,
        category: Category,
        n: u64,
        limit: Option<u64>,
        vendor: Vendor,
        now: Millis,
    ) -> Take {
        let Some(limit) = limit else { return Take { granted: n, write: None } };
        let today = now.day(vendor.day_zone());
        self.counters.entry(category).or_insert_with(|| Counter::load(None, today)).take(n, limit, today, now)
    }

    /// When the window that `now` is in ends.
    pub fn resets_at(vendor: Vendor, now: Millis) -> Millis {
        now.day(vendor.day_zone()).end(vendor.day_zone())
    }

    /// Takes back what was granted in the window that ends at `resets_at`.
    pub fn give_back(&mut self, category: Category, n: u64, resets_at: Millis, vendor: Vendor) {
        // The last millisecond of the window names its day.
        let day = Millis(resets_at.0.saturating_sub(1)).day(vendor.day_zone());
        if let Some(counter) = self.counters.get_mut(&category) {
            counter.give_back(n, day);
        }
    }

    /// A mark runs ahead of what was granted.
    pub fn is_ahead(&self) -> bool {
        self.counters.values().any(Counter::is_ahead)
    }

    /// The marks that ran ahead, as they really are.
    pub fn trim(&mut self) -> Vec<(Category, Mark)> {
        self.counters
            .iter_mut()
            .filter_map(|(category, counter)| Some((*category, counter.trim()?)))
            .collect()
    }

    /// The bearer that may be handed out: not due for renewal, of this credential or a newer one, and not the one that
    /// the vendor has just refused.
    pub fn bearer(&self, revision: u64, refused: Option<&str>, now: Millis) -> Option<&Bearer> {
        self.bearer.as_ref().filter(|bearer| {
            let is_refused = refused == Some(hash::sha256_hex(bearer.token.reveal().as_bytes()).as_str());
            bearer.renew_at > now && bearer.revision >= revision && !is_refused
        })
    }

    /// A bearer that was fetched.
    pub fn set_bearer(&mut self, bearer: Bearer) {
        self.bearer = Some(bearer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::secret::Secret;

    #[test]
    fn a_bearer_is_handed_out_until_it_is_due_refused_or_of_an_older_credential() {
        let mut state = State::default();
        assert_eq!(state.bearer(1, None, Millis(0)), None);
        state.set_bearer(Bearer { token: Secret::new("t"), renew_at: Millis(10), revision: 2 });
        assert!(state.bearer(1, None, Millis(9)).is_some());
        assert!(state.bearer(2, Some("another"), Millis(9)).is_some());
        assert_eq!(state.bearer(2, Some(&hash::sha256_hex(b"t")), Millis(9)), None);
        assert_eq!(state.bearer(3, None, Millis(9)), None);
        assert_eq!(state.bearer(2, None, Millis(10)), None);
    }

    #[test]
    fn classes_are_counted_apart_and_survive_a_wake() {
        let (vendor, now) = (Vendor::Fcm, Millis(86_400_000 * 20_000));
        let mut state = State::default();
        let take = state.take(Category::Marketing, 5, Some(3), vendor, now);
        assert_eq!(take.granted, 3);
        assert_eq!(state.take(Category::Im, 5, None, vendor, now), Take { granted: 5, write: None });
        assert_eq!(state.take(Category::Im, 5, Some(9), vendor, now).granted, 5);
        let mut woken = State::load(vec![(Category::Marketing, take.write.unwrap())], None, vendor, now);
        assert_eq!(woken.take(Category::Marketing, 1, Some(3), vendor, now).granted, 0);
        woken.give_back(Category::Marketing, 1, State::resets_at(vendor, now), vendor);
        assert_eq!(woken.take(Category::Marketing, 9, Some(3), vendor, now).granted, 1);
    }
}
