//! A service account's key, and the JWT signed with it.

use std::fmt;

use rsa::RsaPrivateKey;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    crypto::{jwt, pem},
    line::parse::{json::Json, reader::Field, text::matching},
    model::{
        problem::{Code, Problem},
        secret::Secret,
        table::{Table, gather},
        time::Millis,
    },
    vendor::{
        Facts,
        keys::{CALLBACK, pair},
    },
    wire::account::Bearer,
};

/// `aud` of every JWT; it is sent to no such place.
const AUDIENCE: &str = "https://oauth-login.cloud.huawei.com/oauth2/v3/token";
/// Seconds for which a JWT is good: what Huawei recommends. More than a day is refused.
const LIFE: u64 = 3_600;
/// A new one is made so long before.
const MARGIN: u64 = 600;

/// A service account with its signing key.
pub struct Credential {
    texts: Table<String, String>,
    private_key: Secret,
    key: RsaPrivateKey,
    callback: Option<(Secret, Secret)>,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("texts", &self.texts).finish_non_exhaustive()
    }
}

#[derive(Serialize, Deserialize)]
struct Stored {
    texts: Table<String, String>,
    private_key: Secret,
    callback: Option<(Secret, Secret)>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'static str,
    iat: u64,
    exp: u64,
}

/// Its open parts: of them `project_id` becomes a part of a URL.
const TEXTS: [&str; 3] = ["project_id", "key_id", "sub_account"];
/// Of the key file, and not needed. Another member is a misspelt one.
const OTHERS: [&str; 4] = ["auth_uri", "token_uri", "auth_provider_cert_uri", "client_cert_uri"];
/// Of the receipt configuration; it may be left away.
const RECEIPT_ID: &str = "receipt_id";

fn stored(bytes: &[u8]) -> Option<Stored> {
    crate::wire::text::read(std::str::from_utf8(bytes).ok()?).ok()
}

impl Credential {
    /// Reads the key file as Huawei hands it out, and signs once.
    pub fn parse(json: Json, at: &str) -> Result<Self, Problem> {
        let mut fields = Field { json, at: at.to_owned() }.object()?;
        let mut texts = Table::new();
        let of = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        let given = fields.take(RECEIPT_ID).map(|field| Ok((RECEIPT_ID, field)));
        for text in TEXTS.map(|name| Ok((name, fields.need(name)?))).into_iter().chain(given) {
            let (name, field) = text?;
            texts.insert(name.to_owned(), matching(field, 128, "letters, digits, `-` and `_`", of)?);
        }
        let (private_key, key_at) = fields.need("private_key")?.text()?;
        let refused = |why: &str| {
            let detail = format!("{why}; give the service account's key file as AppGallery Connect made it");
            Problem::at(Code::InvalidCredentials, &key_at, detail)
        };
        let private_key = Secret::new(private_key);
        let key = pem::rsa(private_key.reveal()).map_err(|error| refused(error.0))?;
        let mut callback = |name| {
            let text = |field| matching(field, 256, "visible ASCII characters", |b: u8| b.is_ascii_graphic());
            fields.take(name).map(text).transpose()
        };
        let (user, secret) = (callback(CALLBACK.0)?, callback(CALLBACK.1)?);
        pair(user.is_some(), secret.is_some(), at)?;
        let callback = user.zip(secret).map(|(user, secret)| (Secret::new(user), Secret::new(secret)));
        for name in OTHERS {
            fields.take(name);
        }
        fields.end()?;
        let credential = Self { texts, private_key, key, callback };
        if credential.signs() { Ok(credential) } else { Err(refused("the key does not sign")) }
    }

    /// The parts of a key were checked against each other when it was read: what signs now signs always.
    fn signs(&self) -> bool {
        self.bearer(0, Millis(0)).is_some()
    }

    /// A JWT for an hour. `revision` is that of the credential.
    pub fn bearer(&self, revision: u64, now: Millis) -> Option<Bearer> {
        let text = |name: &str| self.texts.get(name).map_or("", String::as_str);
        let iat = now.secs();
        let claims = Claims { iss: text("sub_account"), aud: AUDIENCE, iat, exp: iat + LIFE };
        let token = jwt::ps256(&self.key, text("key_id"), claims)?;
        Some(Bearer { token: Secret::new(token), renew_at: now.plus_secs(LIFE - MARGIN), revision })
    }

    /// For sealing.
    pub fn to_stored(&self) -> Zeroizing<Vec<u8>> {
        let Self { texts, private_key, callback, .. } = self;
        let stored =
            Stored { texts: texts.clone(), private_key: private_key.clone(), callback: callback.clone() };
        Zeroizing::new(crate::wire::text::write(&stored).into_bytes())
    }

    /// After opening.
    pub fn from_stored(bytes: &[u8]) -> Option<Self> {
        let Stored { texts, private_key, callback } = stored(bytes)?;
        let key = pem::rsa(private_key.reveal()).ok()?;
        Some(Self { texts, private_key, key, callback })
    }

    /// User name and secret of the calls that report, out of what was stored.
    pub fn callback(bytes: &[u8]) -> Option<Option<(Secret, Secret)>> {
        Some(stored(bytes)?.callback)
    }

    /// The open part.
    pub fn facts(&self) -> Facts {
        Facts::Keys(gather(self.texts.iter().map(|(name, text)| (name.clone(), text.clone()))))
    }
}
