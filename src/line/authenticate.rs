//! Step 1: a bearer → who calls, with which scopes. Pure: the app's record and the admin key are arguments.

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use crate::{
    crypto::{
        hash,
        seal::Sealed,
        user_token::{self, Key, Refusal},
    },
    model::{
        app::{App, KeyRecord, Scope, UserTokenKey},
        ids::{AppId, UserId},
        problem::{Code, Problem},
        secret::Secret,
        time::Millis,
    },
};

/// What the `Authorization` header holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bearer {
    /// `epk_<app>_<random>`: a key of an app, by its digest.
    Key {
        /// The app that it says it is of.
        app: AppId,
        /// SHA-256 of the whole key, hex.
        sha256: String,
    },
    /// A user token: a JWT of an app's backend.
    User(Secret),
    /// Anything else: the admin key, perhaps.
    Other(Secret),
}

/// Letters and digits of keys: 32 symbols, none of which is mistaken for another.
const SYMBOLS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A new key and its record. 160 random bits make the key, 40 name it.
pub fn new_key(app: &AppId, random: [u8; 40]) -> (Secret, String) {
    let symbols = |bytes: &[u8]| -> String {
        bytes.iter().filter_map(|byte| SYMBOLS.get(usize::from(byte & 31))).copied().map(char::from).collect()
    };
    let (secret, id) = random.split_at(32);
    (Secret::new(format!("epk_{app}_{}", symbols(secret))), format!("key_{}", symbols(id)))
}

/// What is stored of a key.
pub fn digest(key: &Secret) -> String {
    hash::sha256_hex(key.reveal().as_bytes())
}

/// Reads the header (RFC 6750 section 2.1; the scheme's case does not matter).
pub fn bearer(header: Option<&str>) -> Result<Bearer, Problem> {
    let refuse = || Problem::new(Code::Unauthorized, "send `Authorization: Bearer <key>`");
    let (scheme, token) = header.and_then(|value| value.trim().split_once(' ')).ok_or_else(refuse)?;
    let token = token.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
        return Err(refuse());
    }
    let app = token
        .strip_prefix("epk_")
        .and_then(|rest| rest.split_once('_'))
        .and_then(|(app, _)| AppId::parse(app).ok());
    Ok(match app {
        Some(app) => Bearer::Key { app, sha256: hash::sha256_hex(token.as_bytes()) },
        // A JWT in compact form begins with `{"`.
        None if token.starts_with("ey") && token.bytes().filter(|byte| *byte == b'.').count() == 2 => {
            Bearer::User(Secret::new(token))
        }
        None => Bearer::Other(Secret::new(token)),
    })
}

/// One answer for every key that is not good, so that nobody learns which apps exist.
pub fn unknown_key() -> Problem {
    Problem::new(
        Code::Unauthorized,
        "this key is not known, or was revoked; make one with POST /v1/apps/{app}/keys",
    )
}

/// Finds the key in its app's record and checks its scope. Every stored digest is compared, each in constant time.
pub fn key<'a>(app: &'a App, sha256: &str, need: Scope) -> Result<&'a KeyRecord, Problem> {
    let mut found = None;
    for record in &app.keys {
        if hash::same(record.sha256.as_bytes(), sha256.as_bytes()) {
            found = Some(record);
        }
    }
    let record = found.ok_or_else(unknown_key)?;
    if record.scopes.contains(&need) {
        Ok(record)
    } else {
        let detail = format!("this call needs a key with the scope `{}`", need.name());
        Err(Problem::new(Code::MissingScope, detail))
    }
}

/// Most audiences of a user token that are looked at.
const AUDIENCES_MAX: usize = 4;

/// Which apps a user token may be for: its audiences have no order (RFC 7519 section 4.1.3).
pub fn token_apps(token: &Secret) -> Result<Vec<AppId>, Problem> {
    let said = user_token::unverified(token.reveal()).ok_or_else(|| refused(Refusal::Invalid))?;
    let apps = said.audiences().filter_map(|aud| AppId::parse(aud).ok()).take(AUDIENCES_MAX);
    Ok(apps.collect())
}

/// Verifies a user token; gives its user. `open` opens what is sealed.
pub fn user(
    app: &App,
    token: &Secret,
    open: impl Fn(&Sealed) -> Option<Zeroizing<Vec<u8>>>,
    now: Millis,
) -> Result<UserId, Problem> {
    let opened: Vec<(bool, Zeroizing<Vec<u8>>)> = app
        .user_token_keys
        .iter()
        .filter_map(|key| match key {
            UserTokenKey::Hs256(sealed) => Some((false, open(sealed)?)),
            UserTokenKey::Es256(point) => Some((true, STANDARD.decode(point).ok().map(Zeroizing::new)?)),
        })
        .collect();
    let keys = opened.iter().map(|(es256, key)| if *es256 { Key::Es256(key) } else { Key::Hs256(key) });
    let said = user_token::verify(token.reveal(), keys, now).map_err(refused)?;
    if !said.audiences().any(|aud| aud == app.id.as_str()) {
        return Err(refused(Refusal::Invalid));
    }
    UserId::parse(said.sub).map_err(|_| refused(Refusal::Invalid))
}

fn refused(why: Refusal) -> Problem {
    let (code, detail) = match why {
        Refusal::Invalid => (
            Code::UserTokenInvalid,
            "no key of the app has signed this user token; it has `sub` (the user), `aud` (the app's id) and `exp`, and is \
             signed with HS256 or ES256 under the app's `user_token_key`",
        ),
        Refusal::Early => {
            (Code::UserTokenInvalid, "this user token is not valid yet: look at the backend's clock")
        }
        Refusal::LongLived => (Code::UserTokenInvalid, "a user token has an `exp`, at most 24 hours ahead"),
        Refusal::Expired => {
            (Code::UserTokenExpired, "this user token has expired: get a new one from your backend")
        }
    };
    Problem::new(code, detail)
}

/// A user token opens its own user's doors only.
pub fn own(token_user: &UserId, user: &UserId) -> Result<(), Problem> {
    if token_user == user {
        Ok(())
    } else {
        Err(Problem::new(Code::ForeignUser, "this user token is for another user"))
    }
}

/// Compares with `ADMIN_KEY`.
pub fn admin(given: &Bearer, expected: &Secret) -> Result<(), Problem> {
    match given {
        Bearer::Other(key) | Bearer::User(key) if key == expected => Ok(()),
        Bearer::Other(_) | Bearer::Key { .. } | Bearer::User(_) => {
            Err(Problem::new(Code::Unauthorized, "this call needs the admin key (the secret ADMIN_KEY)"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app_with(key: &Secret, scopes: &[Scope]) -> App {
        App {
            id: AppId::parse("shop").unwrap(),
            generation: 1,
            revision: 1,
            credentials: Default::default(),
            policy: Default::default(),
            keys: vec![KeyRecord {
                id: "key_1".into(),
                sha256: digest(key),
                scopes: scopes.to_vec(),
                name: None,
                created_at: Millis(0),
            }],
            user_token_keys: Vec::new(),
            created_at: Millis(0),
            updated_at: Millis(0),
        }
    }

    #[test]
    fn a_made_key_is_known_by_its_digest_only() {
        let id = AppId::parse("shop").unwrap();
        let (made, _) = new_key(&id, std::array::from_fn(|at| (at as u8).wrapping_mul(7)));
        assert_eq!(made.reveal().len(), "epk_shop_".len() + 32);
        let app = app_with(&made, &[Scope::Push]);
        assert!(!serde_json::to_string(&app).unwrap().contains(made.reveal()));
        let Bearer::Key { app: said, sha256 } = bearer(Some(&format!("bearer {}", made.reveal()))).unwrap()
        else {
            panic!("not a key")
        };
        assert_eq!(said, id);
        assert_eq!(key(&app, &sha256, Scope::Push).unwrap().id, "key_1");
        assert_eq!(key(&app, &sha256, Scope::Read).unwrap_err().code, Code::MissingScope);
        assert_eq!(
            key(&app, &hash::sha256_hex(b"epk_shop_x"), Scope::Push).unwrap_err().code,
            Code::Unauthorized
        );
    }

    #[test]
    fn what_is_not_a_bearer_is_refused() {
        for header in [None, Some(""), Some("Bearer"), Some("Bearer  "), Some("Basic abc")] {
            assert_eq!(bearer(header).unwrap_err().code, Code::Unauthorized);
        }
    }

    #[test]
    fn the_admin_key_is_not_an_apps_key() {
        let expected = Secret::new("a-long-admin-key");
        assert!(admin(&bearer(Some("Bearer a-long-admin-key")).unwrap(), &expected).is_ok());
        for other in ["Bearer a-long-admin-kez", "Bearer epk_shop_abc", "Bearer a"] {
            assert!(admin(&bearer(Some(other)).unwrap(), &expected).is_err());
        }
    }
}
