//! `PUT /v1/apps/{app}` and `POST /v1/apps/{app}/keys`: bytes → what an operator wants changed.

use crate::model::table::Table;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{body, json::Json, push::free, reader::Field, targets::unsupported, text};
use crate::{
    crypto::{pem, user_token::SECRET_MIN},
    model::{
        app::{Limit, Over, Policy, Scope, USER_TOKEN_KEYS_MAX},
        problem::{Code, Problem},
        push::Category,
    },
    vendor::{Credential, Vendor},
    wire::user::{AdviceRule, MISSED_MAX},
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

fn policy(field: Field) -> Result<Policy, Problem> {
    let mut policy = Policy::default();
    let mut fields = field.object()?;
    if let Some(field) = fields.take("quota") {
        let mut vendors = field.object()?;
        for vendor in Vendor::ALL {
            let Some(field) = vendors.take(vendor.name()) else { continue };
            policy.quota.insert(vendor, limits(field)?);
        }
        vendors.end()?;
    }
    if let Some(field) = fields.take("link_schemes") {
        for item in field.array()? {
            policy.link_schemes.push(scheme(item)?);
        }
    }
    if let Some(field) = fields.take("stale_days") {
        let mut vendors = field.object()?;
        for vendor in Vendor::ALL {
            let Some(field) = vendors.take(vendor.name()) else { continue };
            policy.stale_days.insert(vendor, days(field, STALE_DAYS_MIN)?);
        }
        vendors.end()?;
    }
    if let Some(field) = fields.take("classes") {
        let mut vendors = field.object()?;
        for vendor in Vendor::ALL.into_iter().filter(|vendor| vendor.sorts()) {
            let Some(field) = vendors.take(vendor.name()) else { continue };
            policy.classes.insert(vendor, classes(vendor, field)?);
        }
        vendors.end()?;
    }
    policy.lower_class = fields.take("lower_class").map_or(Ok(false), Field::boolean)?;
    policy.advice = fields.take("advice").map(advice).transpose()?;
    if let Some(field) = fields.take("over_quota") {
        let mut categories = field.object()?;
        for category in Category::ALL {
            let Some(field) = categories.take(category.name()) else { continue };
            let ways = field.array()?.into_iter().map(over).collect::<Result<_, _>>()?;
            policy.over_quota.insert(category, ways);
        }
        categories.end()?;
    }
    fields.end()?;
    Ok(policy)
}

/// A device that is alive says so at least every two weeks in the copy that pushes read: fewer days would call it stale.
const STALE_DAYS_MIN: u64 = 14;

fn days(field: Field, min: u64) -> Result<u32, Problem> {
    let (at, days) = (field.at.clone(), field.whole(3_650)?);
    let wrong = || Problem::at(Code::InvalidValue, at, format!("must be a whole number from {min} to 3650"));
    u32::try_from(days).ok().filter(|_| days >= min).ok_or_else(wrong)
}

/// A lower class and the socket are in the contract, not in this version.
fn over(field: Field) -> Result<Over, Problem> {
    let at = field.at.clone();
    let all =
        [("later", Some(Over::Later)), ("drop", Some(Over::Drop)), ("downgrade", None), ("online", None)];
    field.one_of(&all)?.ok_or_else(|| unsupported(&at, "a lower class and the online channel"))
}

fn advice(field: Field) -> Result<AdviceRule, Problem> {
    let mut fields = field.object()?;
    let rule = AdviceRule {
        every_days: days(fields.need("every_days")?, 1)?,
        missed_min: u32::try_from(fields.need("missed_min")?.whole(u64::from(MISSED_MAX))?)
            .unwrap_or(MISSED_MAX),
    };
    fields.end()?;
    Ok(rule)
}

fn limits(field: Field) -> Result<Table<Category, Limit>, Problem> {
    let mut limits = Table::new();
    let mut categories = field.object()?;
    for category in Category::ALL {
        let Some(field) = categories.take(category.name()) else { continue };
        let mut fields = field.object()?;
        let per_day = fields.need("per_day")?.whole(1_000_000_000_000)?;
        fields.end()?;
        limits.insert(category, Limit { per_day });
    }
    categories.end()?;
    Ok(limits)
}

/// Members of the vendor's own classes: their names and values are the vendor's.
fn classes(vendor: Vendor, field: Field) -> Result<Table<Category, Map<String, Value>>, Problem> {
    let mut classes = Table::new();
    let mut categories = field.object()?;
    for category in Category::ALL {
        let Some(field) = categories.take(category.name()) else { continue };
        let at = field.at.clone();
        let class = free(field)?;
        vendor.check_class(&class, &at)?;
        classes.insert(category, class);
    }
    categories.end()?;
    Ok(classes)
}

fn scheme(field: Field) -> Result<String, Problem> {
    let at = field.at.clone();
    let name = text::word(field, 64)?.to_ascii_lowercase();
    let usable = text::link_scheme(&format!("{name}:")).is_some_and(|scheme| scheme == name);
    if usable {
        Ok(name)
    } else {
        Err(Problem::at(Code::InvalidValue, at, "must be a URI scheme without the colon, as in https"))
    }
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
    fn policy_is_read() {
        let change = app(br#"{"policy":{"quota":{"fcm":{"marketing":{"per_day":100000}}},"link_schemes":["HTTPS","app"]}}"#).unwrap();
        let policy = change.policy.unwrap();
        assert_eq!(policy.per_day(Vendor::Fcm, Category::Marketing), Some(100_000));
        assert_eq!(policy.per_day(Vendor::Fcm, Category::Im), None);
        assert_eq!(policy.link_schemes, ["https", "app"]);
    }

    #[test]
    fn what_is_over_the_quota_is_read_in_order() {
        let change = app(br#"{"policy":{"over_quota":{"follow":["later","drop"],"im":[]}}}"#).unwrap();
        let policy = change.policy.unwrap();
        assert_eq!(policy.over_quota(Category::Follow), [Over::Later, Over::Drop]);
        assert_eq!(policy.over_quota(Category::Im), []);
        assert_eq!(policy.over_quota(Category::Marketing), []);
    }

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
            (r#"{"policy":{"over_quota":{"im":["never"]}}}"#, Code::InvalidValue, "/policy/over_quota/im/0"),
            (r#"{"policy":{"over_quota":{"im":["online"]}}}"#, Code::NotSupported, "/policy/over_quota/im/0"),
            (
                r#"{"policy":{"quota":{"fcm":{"promo":{"per_day":1}}}}}"#,
                Code::UnknownField,
                "/policy/quota/fcm/promo",
            ),
            (r#"{"policy":{"quota":{"fcm":{"im":{}}}}}"#, Code::MissingField, "/policy/quota/fcm/im/per_day"),
            (
                r#"{"policy":{"quota":{"fcm":{"im":{"per_day":-1}}}}}"#,
                Code::InvalidValue,
                "/policy/quota/fcm/im/per_day",
            ),
            (r#"{"policy":{"link_schemes":["app:"]}}"#, Code::InvalidValue, "/policy/link_schemes/0"),
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
            (r#"{"policy":{"stale_days":{"fcm":13}}}"#, Code::InvalidValue, "/policy/stale_days/fcm"),
            (r#"{"policy":{"classes":{"fcm":{}}}}"#, Code::UnknownField, "/policy/classes/fcm"),
            (r#"{"policy":{"classes":{"oppo":{"im":1}}}}"#, Code::WrongType, "/policy/classes/oppo/im"),
            (
                r#"{"policy":{"classes":{"huawei":{"im":{"token":[]}}}}}"#,
                Code::InvalidValue,
                "/policy/classes/huawei/im/token",
            ),
            (
                r#"{"policy":{"classes":{"vivo":{"im":{"ep_id":"x"}}}}}"#,
                Code::ReservedName,
                "/policy/classes/vivo/im/ep_id",
            ),
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
            (r#"{"policy":{"lower_class":1}}"#, Code::WrongType, "/policy/lower_class"),
            (r#"{"policy":{"advice":{"every_days":7}}}"#, Code::MissingField, "/policy/advice/missed_min"),
            (
                r#"{"policy":{"advice":{"every_days":0,"missed_min":1}}}"#,
                Code::InvalidValue,
                "/policy/advice/every_days",
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
