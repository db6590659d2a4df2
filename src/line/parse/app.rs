//! `PUT /v1/apps/{app}` and `POST /v1/apps/{app}/keys`: bytes → what an operator wants changed.

use crate::model::table::Table;

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::{body, json::Json, policy::policy, reader::Field, text};
use crate::{
    crypto::{pem, user_token::SECRET_MIN},
    model::{
        app::{Scope, USER_TOKEN_KEYS_MAX},
        policy::Policy,
        problem::{Code, Problem},
    },
    vendor::{Credential, Vendor},
};

/// Most bytes of an app's or a key's description.
pub const BODY_MAX: usize = 64 * 1024;

/// What is to change. What is not named stays as it is.
#[derive(Debug, Default)]
pub struct AppChange {
    /// Per vendor: a new credential, or none any more.
    pub credentials: Table<Vendor, Option<Credential>>,
    /// The whole policy.
    pub policy: Option<Policy>,
    /// All keys of user tokens.
    pub user_token_keys: Option<Vec<NewUserTokenKey>>,
}

/// A key of user tokens, opened.
#[derive(Debug, PartialEq, Eq)]
pub enum NewUserTokenKey {
    /// The shared secret.
    Hs256(Zeroizing<Vec<u8>>),
    /// The public point: SEC 1, base64.
    Es256(String),
}

/// A key to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// For people.
    pub name: Option<String>,
}

/// Reads an app's description. Credentials have signed once when this returns.
pub fn app(bytes: &[u8]) -> Result<AppChange, Problem> {
    let mut change = AppChange::default();
    let mut fields = Field::root(body(bytes)?).object()?;
    if let Some(field) = fields.take("credentials") {
        let mut vendors = field.object()?;
        for vendor in Vendor::ALL {
            let Some(field) = vendors.take(vendor.name()) else { continue };
            let removed = field.json == Json::Null;
            let credential =
                if removed { None } else { Some(Credential::parse(vendor, field.json, &field.at)?) };
            change.credentials.insert(vendor, credential);
        }
        vendors.end()?;
    }
    change.policy = fields.take("policy").map(policy).transpose()?;
    change.user_token_keys = fields.take("user_token_key").map(user_token_keys).transpose()?;
    fields.end()?;
    Ok(change)
}

/// `null`, one key, or a list of them.
fn user_token_keys(field: Field) -> Result<Vec<NewUserTokenKey>, Problem> {
    let at = field.at.clone();
    let keys = match &field.json {
        Json::Null => return Ok(Vec::new()),
        Json::Array(_) => field.array()?,
        Json::Bool(_) | Json::Text(_) | Json::Number(_) | Json::Object(_) => vec![field],
    };
    if keys.len() > USER_TOKEN_KEYS_MAX {
        return Err(Problem::at(Code::InvalidValue, at, format!("at most {USER_TOKEN_KEYS_MAX} keys")));
    }
    keys.into_iter().map(user_token_key).collect()
}

fn user_token_key(field: Field) -> Result<NewUserTokenKey, Problem> {
    let mut fields = field.object()?;
    let refuse = |at: String, detail: &str| Problem::at(Code::InvalidCredentials, at, detail);
    let es256 = fields.need("alg")?.one_of(&[("HS256", false), ("ES256", true)])?;
    let key = if es256 {
        let (text, at) = fields.need("public_key")?.text()?;
        let wrong = "must be a P-256 public key: PEM as `openssl ec -pubout` writes it";
        NewUserTokenKey::Es256(pem::p256_public(&text).ok_or_else(|| refuse(at, wrong))?)
    } else {
        let (bytes, at) = match (fields.take("secret"), fields.take("secret_base64")) {
            (Some(field), None) => field.text().map(|(text, at)| (Some(text.into_bytes()), at))?,
            (None, Some(field)) => field.text().map(|(text, at)| (STANDARD.decode(text.trim()).ok(), at))?,
            (Some(_), Some(second)) => return Err(second.invalid("`secret` or `secret_base64`, not both")),
            (None, None) => {
                fields.need("secret")?;
                return fields.end().map(|()| NewUserTokenKey::Hs256(Zeroizing::default()));
            }
        };
        let wrong = "must have at least 32 bytes (RFC 7518 section 3.2); `secret_base64` is base64 of them";
        let bytes = bytes.map(Zeroizing::new).filter(|bytes| bytes.len() >= SECRET_MIN);
        NewUserTokenKey::Hs256(bytes.ok_or_else(|| refuse(at, wrong))?)
    };
    fields.end()?;
    Ok(key)
}

/// Reads a key's description.
pub fn key(bytes: &[u8]) -> Result<NewKey, Problem> {
    let mut fields = Field::root(body(bytes)?).object()?;
    let all = Scope::ALL.map(|scope| (scope.name(), scope));
    let list = fields.need("scopes")?;
    let at = list.at.clone();
    let mut scopes =
        list.array()?.into_iter().map(|field| field.one_of(&all)).collect::<Result<Vec<_>, _>>()?;
    // Each once, in the order of the list.
    scopes = Scope::ALL.into_iter().filter(|scope| scopes.contains(scope)).collect();
    if scopes.is_empty() {
        return Err(Problem::at(
            Code::InvalidValue,
            at,
            "a key has at least one of: push, devices, read, manage",
        ));
    }
    let name = fields.take("name").map(|field| text::word(field, 128)).transpose()?;
    fields.end()?;
    Ok(NewKey { scopes, name })
}

/// Reads which dead letters are meant; none named: all.
pub fn redrive(bytes: &[u8]) -> Result<Option<Vec<u64>>, Problem> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let mut fields = Field::root(body(bytes)?).object()?;
    let ids = fields.take("ids").map(Field::array).transpose()?;
    fields.end()?;
    ids.map(|ids| ids.into_iter().map(|id| id.whole(u64::from(u32::MAX))).collect()).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_user_tokens_are_read_in_their_forms() {
        let secret = "0123456789abcdef0123456789abcdef";
        let base64 = STANDARD.encode(secret);
        let text = format!(
            r#"{{"user_token_key":[{{"alg":"HS256","secret":"{secret}"}},{{"alg":"HS256","secret_base64":"{base64}"}}]}}"#
        );
        let keys = app(text.as_bytes()).unwrap().user_token_keys.unwrap();
        let wanted = || NewUserTokenKey::Hs256(Zeroizing::new(secret.as_bytes().to_vec()));
        assert_eq!(keys, [wanted(), wanted()]);
        assert_eq!(app(br#"{"user_token_key":null}"#).unwrap().user_token_keys.unwrap(), []);
        assert_eq!(app(b"{}").unwrap().user_token_keys, None);
    }

    #[test]
    fn a_null_credential_is_a_removal() {
        let change = app(br#"{"credentials":{"apns":null}}"#).unwrap();
        assert!(matches!(change.credentials.get(&Vendor::Apns), Some(None)));
        assert!(!change.credentials.contains_key(&Vendor::Fcm));
    }

    #[test]
    fn every_fault_has_its_code_and_pointer() {
        for (json, code, at) in [
            (r#"{"credentials":{"mars":{}}}"#, Code::UnknownField, "/credentials/mars"),
            (r#"{"user_token_key":"x"}"#, Code::WrongType, "/user_token_key"),
            (r#"{"user_token_key":{}}"#, Code::MissingField, "/user_token_key/alg"),
            (r#"{"user_token_key":{"alg":"none"}}"#, Code::InvalidValue, "/user_token_key/alg"),
            (r#"{"user_token_key":{"alg":"HS256"}}"#, Code::MissingField, "/user_token_key/secret"),
            (
                r#"{"user_token_key":{"alg":"HS256","secret":"short"}}"#,
                Code::InvalidCredentials,
                "/user_token_key/secret",
            ),
            (
                r#"{"user_token_key":{"alg":"HS256","secret_base64":"c2hvcnQ="}}"#,
                Code::InvalidCredentials,
                "/user_token_key/secret_base64",
            ),
            (
                r#"{"user_token_key":{"alg":"ES256","public_key":"no key"}}"#,
                Code::InvalidCredentials,
                "/user_token_key/public_key",
            ),
            (r#"{"user_token_key":[{},{},{},{},{}]}"#, Code::InvalidValue, "/user_token_key"),
            (
                r#"{"credentials":{"xiaomi":{"app_secret":"s","package":"p","region":"us"}}}"#,
                Code::InvalidValue,
                "/credentials/xiaomi/region",
            ),
            (
                r#"{"credentials":{"meizu":{"app_id":"1","app_secret":"s","receipts":"yes"}}}"#,
                Code::InvalidValue,
                "/credentials/meizu/receipts",
            ),
            (
                r#"{"credentials":{"huawei":{"client_id":"1","client_secret":"s","callback_user":"u"}}}"#,
                Code::MissingField,
                "/credentials/huawei/callback_secret",
            ),
            (
                r#"{"credentials":{"huawei":{"client_id":"1","client_secret":"s","callback_secret":"s"}}}"#,
                Code::MissingField,
                "/credentials/huawei/callback_user",
            ),
            (r#"{"name":"x"}"#, Code::UnknownField, "/name"),
        ] {
            let problem = app(json.as_bytes()).unwrap_err();
            assert_eq!((problem.code, problem.pointer.as_deref()), (code, Some(at)), "{json}");
        }
        for (json, code, at) in [
            ("{}", Code::MissingField, "/scopes"),
            (r#"{"scopes":[]}"#, Code::InvalidValue, "/scopes"),
            (r#"{"scopes":["root"]}"#, Code::InvalidValue, "/scopes/0"),
            (r#"{"scopes":["push"],"name":""}"#, Code::InvalidValue, "/name"),
        ] {
            let problem = key(json.as_bytes()).unwrap_err();
            assert_eq!((problem.code, problem.pointer.as_deref()), (code, Some(at)), "{json}");
        }
        assert_eq!(key(br#"{"scopes":["read","push","read"]}"#).unwrap().scopes, [Scope::Push, Scope::Read]);
    }
}
