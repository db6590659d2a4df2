//! What the `Audience` object decides: which version of a list is read, and which are no longer needed.
//!
//! An upload fills a version of its own and becomes the current one when it is complete: readers never see half of it, and
//! one that breaks off changes nothing. What was replaced stays for pushes that have begun with it.

use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::model::time::Millis;

/// An audience ends so long after its last upload, milliseconds: 30 days.
pub const LIFE_MS: u64 = 30 * 86_400_000;
/// A version that was replaced or removed stays so long, milliseconds: three days.
pub const REPLACED_MS: u64 = 3 * 86_400_000;
/// An upload that has not ended by then is given up, milliseconds: a day.
pub const UPLOAD_MS: u64 = 86_400_000;

/// A complete version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Version {
    /// Its number.
    pub version: u64,
    /// How many users it names.
    pub users: u32,
    /// When it became complete.
    pub created_at: Millis,
    /// When it ends.
    pub expires_at: Millis,
}

/// Everything but the lists themselves: one row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct State {
    last: u64,
    current: Option<Version>,
    /// Versions that are not current, and when each is dropped.
    leaving: Vec<(u64, Millis)>,
}

impl State {
    /// Begins an upload; gives its version.
    pub fn start(&mut self, now: Millis) -> u64 {
        self.last += 1;
        self.leaving.push((self.last, Millis(now.0.saturating_add(UPLOAD_MS))));
        self.last
    }

    /// Whether this upload is under way.
    pub fn takes(&self, version: u64) -> bool {
        self.current.as_ref().is_none_or(|current| current.version < version)
            && self.leaving.iter().any(|(have, _)| *have == version)
    }

    /// An upload is complete. `None`: it was given up, or a later one was quicker.
    pub fn finish(&mut self, version: u64, users: u32, now: Millis) -> Option<Version> {
        if !self.takes(version) {
            return None;
        }
        self.leaving.retain(|(have, _)| *have != version);
        self.leave(now);
        let expires_at = Millis(now.0.saturating_add(LIFE_MS));
        self.current = Some(Version { version, users, created_at: now, expires_at });
        self.current.clone()
    }

    /// Removes the audience. `false`: there is none.
    pub fn remove(&mut self, now: Millis) -> bool {
        let was = self.current(now).is_some();
        self.leave(now);
        was
    }

    fn leave(&mut self, now: Millis) {
        if let Some(before) = self.current.take() {
            self.leaving.push((before.version, Millis(now.0.saturating_add(REPLACED_MS))));
        }
    }

    /// The version that is read.
    pub fn current(&self, now: Millis) -> Option<&Version> {
        self.current.as_ref().filter(|current| current.expires_at > now)
    }

    /// Whether a version can still be read.
    pub fn readable(&self, version: u64) -> bool {
        let current = self.current.as_ref().is_some_and(|current| current.version == version);
        current || self.leaving.iter().any(|(have, _)| *have == version)
    }

    /// Versions to be dropped now.
    pub fn sweep(&mut self, now: Millis) -> Vec<u64> {
        if self.current(now).is_none() {
            self.leave(now);
        }
        let over = |(version, at): &(u64, Millis)| (*at <= now).then_some(*version);
        let dropped = self.leaving.iter().filter_map(over).collect();
        self.leaving.retain(|(_, at)| *at > now);
        dropped
    }

    /// When there is something to sweep.
    pub fn next(&self) -> Option<Millis> {
        let ends = self.current.iter().map(|current| current.expires_at);
        self.leaving.iter().map(|(_, at)| *at).chain(ends).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_000);

    #[test]
    fn an_upload_replaces_the_list_when_it_is_complete_and_the_old_one_stays_readable() {
        let mut state = State::default();
        let first = state.start(NOW);
        assert_eq!((state.current(NOW), state.takes(first)), (None, true));
        state.finish(first, 7, NOW).unwrap();
        let broken = state.start(NOW);
        let second = state.start(NOW);
        assert_eq!(state.current(NOW).unwrap().version, first);
        state.finish(second, 9, NOW).unwrap();
        assert_eq!(state.current(NOW).unwrap().users, 9);
        assert_eq!(state.finish(broken, 1, NOW), None, "the later one was quicker");
        assert!(state.readable(first) && state.readable(second) && !state.readable(99));
        assert_eq!(state.sweep(Millis(NOW.0 + UPLOAD_MS)), [broken]);
        assert_eq!(state.sweep(Millis(NOW.0 + REPLACED_MS)), [first]);
        assert!(!state.readable(first));
    }

    #[test]
    fn an_audience_ends_after_thirty_days_or_when_it_is_removed() {
        let mut state = State::default();
        let version = state.start(NOW);
        state.finish(version, 1, NOW).unwrap();
        let end = state.next().unwrap();
        assert_eq!(end, Millis(NOW.0 + LIFE_MS));
        assert_eq!(state.current(end), None);
        assert!(state.sweep(end).is_empty(), "pushes that have begun go on for three days");
        assert_eq!(state.sweep(state.next().unwrap()), [version]);
        assert_eq!(state.next(), None);
        assert!(!state.remove(end));
        let again = state.start(end);
        state.finish(again, 1, end).unwrap();
        assert!(
            again > version && state.remove(end) && state.readable(again) && state.current(end).is_none()
        );
    }
}
