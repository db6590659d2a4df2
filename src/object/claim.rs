//! Who holds a device id or a token: the step that decides when two registrations meet.
//!
//! Epochs only grow. Who lost is told with the epoch of the winner, and keeps what it has claimed with a greater one: so it
//! does not matter in which order the words arrive. What is to be told stands in the row until it has been told.

use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::{
    model::{
        device::Source,
        ids::{Tenant, UserId},
        time::Millis,
    },
    wire::{
        claim::{Claim, Holder, Key, Outcome},
        user::Loss,
    },
};

/// What the object keeps, in one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct State {
    /// The app and which life of it: an alarm does not say.
    pub tenant: Tenant,
    /// What is claimed.
    pub key: Key,
    /// Who holds it.
    pub holder: Option<Holder>,
    /// Since when: milliseconds of this object's clock, greater than any before.
    pub epoch: u64,
    /// The holder's attempt.
    pub asked: Millis,
    /// Names the token of that attempt.
    pub token: String,
    /// Who held it before and has not been told.
    pub owed: Vec<(Holder, u64)>,
}

impl State {
    /// Nobody holds it.
    pub fn free(tenant: Tenant, key: Key) -> Self {
        Self { tenant, key, holder: None, epoch: 0, asked: Millis(0), token: String::new(), owed: Vec::new() }
    }

    /// It is this user's now. `true`: the row has changed.
    pub fn claim(&mut self, claim: Claim, now: Millis) -> (Outcome, bool) {
        let Claim { holder, at: asked, again, source, token } = claim;
        let may = match (source, &self.key) {
            (Source::Backend, _) | (Source::Client, Key::Token(..)) => true,
            (Source::Client, Key::Device(_)) => self.token == token,
            (Source::Import, _) => false,
        };
        match &self.holder {
            Some(have) if have.user == holder.user => {
                if asked < self.asked {
                    return (Outcome::Stale, false);
                }
                // A token that moves between a user's own devices stays the user's.
                let changed = asked > self.asked;
                (self.holder, self.asked, self.token) = (Some(holder), asked, token);
                return (Outcome::Yours(self.epoch), changed);
            }
            Some(_) if !may || (again && self.epoch > asked.0) => return (Outcome::Later, false),
            Some(_) | None => {}
        }
        self.epoch = now.0.max(self.epoch + 1);
        (self.asked, self.token) = (asked, token);
        if let Some(before) = self.holder.replace(holder) {
            self.owed.push((before, self.epoch));
        }
        (Outcome::Yours(self.epoch), true)
    }

    /// The next one to be told, and what.
    pub fn tell(&self) -> Option<(&Holder, Loss)> {
        let (holder, epoch) = self.owed.first()?;
        let token_sha256 = match &self.key {
            Key::Device(_) => None,
            Key::Token(_, sha256) => Some(sha256.clone()),
        };
        Some((holder, Loss { device: holder.device.clone(), token_sha256, epoch: *epoch }))
    }

    /// It has been told. `true`: the row has changed.
    pub fn told(&mut self, epoch: u64) -> bool {
        let before = self.owed.len();
        self.owed.retain(|(_, of)| *of != epoch);
        self.owed.len() != before
    }

    /// Nobody's any more, if it is still that claim. `true`: the row has changed.
    pub fn release(&mut self, user: &UserId, upto: Millis) -> bool {
        let theirs = self.holder.as_ref().is_some_and(|holder| holder.user == *user) && self.asked <= upto;
        if theirs {
            self.holder = None;
        }
        theirs
    }

    /// There is nothing to remember.
    pub fn is_empty(&self) -> bool {
        self.holder.is_none() && self.owed.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::{AppId, DeviceId};

    fn of(user: &str) -> Holder {
        Holder { user: UserId::parse(user).unwrap(), device: DeviceId::parse("d").unwrap() }
    }

    fn state() -> State {
        let tenant = Tenant { app: AppId::parse("shop").unwrap(), generation: 1 };
        State::free(tenant, Key::Device(DeviceId::parse("d").unwrap()))
    }

    fn of_token(user: &str, at: u64, again: bool, source: Source, token: &str) -> Claim {
        Claim { holder: of(user), at: Millis(at), again, source, token: token.into() }
    }

    fn claim(state: &mut State, user: &str, now: u64) -> (Outcome, bool) {
        state.claim(of_token(user, now, false, Source::Backend, "t"), Millis(now))
    }

    #[test]
    fn an_import_takes_nothing_and_an_app_no_id_without_its_token() {
        let mut state = state();
        let mut ask =
            |user, source, token, now| state.claim(of_token(user, now, false, source, token), Millis(now)).0;
        assert_eq!(ask("a", Source::Import, "t1", 1), Outcome::Yours(1), "it is nobody's");
        assert_eq!(ask("b", Source::Import, "t1", 2), Outcome::Later);
        assert_eq!(ask("b", Source::Client, "t2", 3), Outcome::Later, "another phone with the same id");
        assert_eq!(ask("b", Source::Client, "t1", 4), Outcome::Yours(4), "the phone itself");
        assert_eq!(ask("b", Source::Client, "t2", 5), Outcome::Yours(4), "the same user's new token");
        assert_eq!(ask("c", Source::Client, "t1", 6), Outcome::Later, "the old token is no proof any more");
        assert_eq!(ask("c", Source::Backend, "t9", 7), Outcome::Yours(7));
        let mut state = state_of_token();
        let mut ask = |user, source, now| state.claim(of_token(user, now, false, source, "t"), Millis(now)).0;
        assert_eq!(ask("a", Source::Client, 1), Outcome::Yours(1));
        assert_eq!(ask("b", Source::Import, 2), Outcome::Later);
        assert_eq!(ask("b", Source::Client, 3), Outcome::Yours(3), "who knows a token has the phone");
    }

    fn state_of_token() -> State {
        State { key: Key::Token(crate::vendor::Vendor::Fcm, "ab".into()), ..state() }
    }

    #[test]
    fn the_last_claim_wins_and_the_one_before_is_told_until_it_knows() {
        let mut state = state();
        assert_eq!(claim(&mut state, "a", 10), (Outcome::Yours(10), true));
        assert_eq!(claim(&mut state, "a", 10), (Outcome::Yours(10), false));
        assert_eq!(claim(&mut state, "a", 20), (Outcome::Yours(10), true), "another attempt, the same claim");
        assert_eq!(claim(&mut state, "a", 15), (Outcome::Stale, false));
        assert_eq!(state.tell(), None);
        assert_eq!(claim(&mut state, "b", 10), (Outcome::Yours(11), true));
        assert_eq!(claim(&mut state, "c", 10), (Outcome::Yours(12), true));
        let told: Vec<(String, u64)> = std::iter::from_fn(|| {
            let (holder, loss) = state.tell()?;
            let word = (holder.user.to_string(), loss.epoch);
            assert!(state.told(word.1));
            Some(word)
        })
        .collect();
        assert_eq!(told, [("a".to_owned(), 11), ("b".to_owned(), 12)]);
    }

    #[test]
    fn what_was_interrupted_yields_to_what_came_later() {
        let mut state = state();
        claim(&mut state, "b", 100);
        let mut again = |user, at| state.claim(of_token(user, at, true, Source::Backend, "t"), Millis(200));
        assert_eq!(again("a", 99), (Outcome::Later, false));
        assert_eq!(again("b", 100), (Outcome::Yours(100), false));
        assert_eq!(again("a", 150).0, Outcome::Yours(200));
    }

    #[test]
    fn a_release_frees_the_claim_it_means_and_no_later_one() {
        let mut state = state();
        claim(&mut state, "a", 10);
        assert!(!state.release(&of("b").user, Millis(99)));
        claim(&mut state, "a", 11);
        assert!(!state.release(&of("a").user, Millis(10)), "claimed anew");
        assert!(state.release(&of("a").user, Millis(11)) && state.is_empty());
        assert_eq!(claim(&mut state, "b", 1).0, Outcome::Yours(11));
        assert_eq!(state.tell(), None);
    }

    #[test]
    fn a_token_that_moves_between_a_users_own_devices_is_nobodys_loss() {
        let mut state = state_of_token();
        claim(&mut state, "a", 10);
        let other = Holder { device: DeviceId::parse("d2").unwrap(), ..of("a") };
        let moved = Claim { holder: other, ..of_token("a", 20, false, Source::Backend, "t") };
        assert_eq!(state.claim(moved, Millis(20)), (Outcome::Yours(10), true));
        assert_eq!(state.tell(), None);
        claim(&mut state, "b", 30);
        let (holder, loss) = state.tell().unwrap();
        let said = (holder.device.as_str(), loss.device.as_str(), loss.token_sha256.as_deref());
        assert_eq!(said, ("d2", "d2", Some("ab")));
    }
}
