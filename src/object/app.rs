//! One app's record: what a call changes.

use crate::model::table::Table;

use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::{
    model::{
        app::{App, Credential},
        ids::AppId,
        time::Millis,
    },
    wire::app::{Call, Done, KEYS_MAX},
};

/// What the object keeps: the record, and how many lives the id has had when there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct State {
    /// The record, while the app exists.
    pub app: Option<App>,
    /// Lives so far: data of an earlier one is never reached again.
    pub lives: u32,
}

/// Applies a call. `true`: the state has changed and is to be written, together with its copy.
pub fn step(state: &mut State, id: &AppId, call: Call, now: Millis) -> (Done, bool) {
    let known = state.app.is_some();
    match call {
        Call::Get => (if known { Done::Read } else { Done::Missing }, false),
        Call::Put(credentials, policy, user_token_keys) => {
            if !known {
                state.lives += 1;
            }
            let lives = state.lives;
            let app = state.app.get_or_insert_with(|| App {
                id: id.clone(),
                generation: lives,
                revision: 0,
                credentials: Table::new(),
                policy: Default::default(),
                keys: Vec::new(),
                user_token_keys: Vec::new(),
                created_at: now,
                updated_at: now,
            });
            let revision = touch(app, now);
            for (vendor, credential) in credentials {
                match credential {
                    Some(new) => {
                        let credential = Credential { sealed: new.sealed, facts: new.facts, revision };
                        app.credentials.insert(vendor, credential);
                    }
                    None => {
                        app.credentials.remove(&vendor);
                    }
                }
            }
            if let Some(policy) = policy {
                app.policy = *policy;
            }
            if let Some(keys) = user_token_keys {
                app.user_token_keys = keys;
            }
            (if known { Done::Changed } else { Done::Created }, true)
        }
        Call::Delete => {
            state.app = None;
            (if known { Done::Removed } else { Done::Missing }, known)
        }
        Call::AddKey(record) => match &mut state.app {
            None => (Done::Missing, false),
            Some(app) if app.keys.len() >= KEYS_MAX => (Done::Full, false),
            Some(app) => {
                touch(app, now);
                app.keys.push(record);
                (Done::Changed, true)
            }
        },
        Call::RevokeKey(id) => match &mut state.app {
            None => (Done::Missing, false),
            Some(app) => {
                let before = app.keys.len();
                app.keys.retain(|key| key.id != id);
                if app.keys.len() == before {
                    return (Done::MissingKey, false);
                }
                touch(app, now);
                (Done::Removed, true)
            }
        },
    }
}

fn touch(app: &mut App, now: Millis) -> u64 {
    app.revision += 1;
    app.updated_at = now;
    app.revision
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        app::{KeyRecord, Scope},
        policy::Policy,
    };

    fn put(policy: Option<Policy>) -> Call {
        Call::Put(Table::new(), policy.map(Box::new), None)
    }

    fn record(id: &str) -> KeyRecord {
        KeyRecord {
            id: id.into(),
            sha256: "00".into(),
            scopes: vec![Scope::Push],
            name: None,
            created_at: Millis(0),
        }
    }

    #[test]
    fn an_app_made_again_is_another_one() {
        let (id, mut state) = (AppId::parse("shop").unwrap(), State::default());
        assert_eq!(step(&mut state, &id, Call::Get, Millis(1)), (Done::Missing, false));
        assert_eq!(step(&mut state, &id, put(None), Millis(1)), (Done::Created, true));
        assert_eq!(state.app.as_ref().unwrap().generation, 1);
        assert_eq!(step(&mut state, &id, Call::Delete, Millis(2)), (Done::Removed, true));
        assert_eq!(step(&mut state, &id, Call::Delete, Millis(2)), (Done::Missing, false));
        assert_eq!(step(&mut state, &id, put(None), Millis(3)), (Done::Created, true));
        assert_eq!(state.app.as_ref().unwrap().generation, 2);
    }

    #[test]
    fn what_is_not_named_stays() {
        let (id, mut state) = (AppId::parse("shop").unwrap(), State::default());
        let policy = Policy { link_schemes: vec!["https".into()], ..Policy::default() };
        step(&mut state, &id, put(Some(policy.clone())), Millis(1));
        assert_eq!(step(&mut state, &id, put(None), Millis(2)), (Done::Changed, true));
        let app = state.app.unwrap();
        assert_eq!(
            (app.policy, app.revision, app.created_at, app.updated_at),
            (policy, 2, Millis(1), Millis(2))
        );
    }

    #[test]
    fn keys_come_and_go() {
        let (id, mut state) = (AppId::parse("shop").unwrap(), State::default());
        let add = |n: usize| Call::AddKey(record(&n.to_string()));
        assert_eq!(step(&mut state, &id, add(0), Millis(1)), (Done::Missing, false));
        step(&mut state, &id, put(None), Millis(1));
        for n in 0..KEYS_MAX {
            assert_eq!(step(&mut state, &id, add(n), Millis(1)), (Done::Changed, true));
        }
        assert_eq!(step(&mut state, &id, add(99), Millis(1)), (Done::Full, false));
        let revoke = |id: &str| Call::RevokeKey(id.into());
        assert_eq!(step(&mut state, &id, revoke("0"), Millis(1)), (Done::Removed, true));
        assert_eq!(step(&mut state, &id, revoke("0"), Millis(1)), (Done::MissingKey, false));
    }
}
