//! One app at one vendor: counters per class, and which bearer is current.

use crate::model::table::Table;

use super::quota::{Counter, Mark, Take};
use crate::{
    crypto::hash,
    model::{push::Category, table::gather, time::Millis},
    vendor::Vendor,
    wire::account::{Admit, Bearer},
};

/// The newest limit of a category: the revision of the app that says it, and the limit.
pub type Rule = (u64, Option<u64>);

/// What the object holds in memory.
#[derive(Debug, Default)]
pub struct State {
    counters: Table<Category, Counter>,
    limits: Table<Category, Rule>,
    bearer: Option<Bearer>,
}

impl State {
    /// From what was written.
    pub fn load(
        marks: Vec<(Category, Mark, Rule)>,
        bearer: Option<Bearer>,
        vendor: Vendor,
        now: Millis,
    ) -> Self {
        let today = now.day(vendor.day_zone());
        let limits = gather(marks.iter().map(|(category, _, rule)| (*category, *rule)));
        let counter = |(category, mark, _)| (category, Counter::load(Some(mark), today));
        Self { counters: gather(marks.into_iter().map(counter)), limits, bearer }
    }

    /// The newest limit of a category, to be written beside its mark: an isolate that is behind does not bring an older
    /// one back after the object has slept.
    pub fn rule(&self, category: Category) -> Rule {
        self.limits.get(&category).copied().unwrap_or_default()
    }

    /// Lets deliveries of a class pass. Of two callers the one with the newer copy of the app says the limit: an
    /// isolate that is behind does not bring an older, higher one back.
    pub fn take(&mut self, admit: &Admit, vendor: Vendor, now: Millis) -> Take {
        // Who asks for a bearer only says nothing of limits.
        if admit.n == 0 {
            return Take { granted: 0, write: None };
        }
        let said = (admit.policy, admit.limit);
        let newest = self.limits.entry(admit.category).or_insert(said);
        if admit.policy >= newest.0 {
            *newest = said;
        }
        let Some(limit) = newest.1 else { return Take { granted: admit.n, write: None } };
        let today = now.day(vendor.day_zone());
        let counter = self.counters.entry(admit.category).or_insert_with(|| Counter::load(None, today));
        counter.take(admit.n, limit, today, now)
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

    fn ask(category: Category, n: u64, limit: Option<u64>, policy: u64) -> Admit {
        Admit { category, n, limit, policy, bearer: false, refused: None, revision: 1 }
    }

    #[test]
    fn classes_are_counted_apart_and_survive_a_wake() {
        let (vendor, now) = (Vendor::Fcm, Millis(86_400_000 * 20_000));
        let mut state = State::default();
        let take = state.take(&ask(Category::Marketing, 5, Some(3), 1), vendor, now);
        assert_eq!(take.granted, 3);
        let unlimited = state.take(&ask(Category::Im, 5, None, 1), vendor, now);
        assert_eq!(unlimited, Take { granted: 5, write: None });
        assert_eq!(state.take(&ask(Category::Im, 5, Some(9), 1), vendor, now).granted, 5);
        let mut woken = State::load(
            vec![(Category::Marketing, take.write.unwrap(), state.rule(Category::Marketing))],
            None,
            vendor,
            now,
        );
        assert_eq!(woken.take(&ask(Category::Marketing, 1, Some(3), 1), vendor, now).granted, 0);
        woken.give_back(Category::Marketing, 1, State::resets_at(vendor, now), vendor);
        assert_eq!(woken.take(&ask(Category::Marketing, 9, Some(3), 1), vendor, now).granted, 1);
    }

    #[test]
    fn an_isolate_that_is_behind_does_not_bring_an_older_limit_back() {
        let (vendor, now) = (Vendor::Fcm, Millis(0));
        let mut state = State::default();
        assert_eq!(state.take(&ask(Category::Im, 2, Some(2), 5), vendor, now).granted, 2);
        assert_eq!(state.take(&ask(Category::Im, 2, Some(100), 4), vendor, now).granted, 0);
        assert_eq!(state.take(&ask(Category::Im, 2, None, 4), vendor, now).granted, 0);
        assert_eq!(state.take(&ask(Category::Im, 2, Some(3), 6), vendor, now).granted, 1);
        let bearer_only = Admit { bearer: true, ..ask(Category::Im, 0, None, 7) };
        assert_eq!(state.take(&bearer_only, vendor, now), Take { granted: 0, write: None });
        assert_eq!(state.take(&ask(Category::Im, 2, Some(100), 5), vendor, now).granted, 0, "still 3");
        let mark = Mark { day: now.day(vendor.day_zone()), used: 3 };
        let mut woken = State::load(vec![(Category::Im, mark, state.rule(Category::Im))], None, vendor, now);
        assert_eq!(
            woken.take(&ask(Category::Im, 2, Some(100), 5), vendor, now).granted,
            0,
            "also after a sleep"
        );
    }
}
