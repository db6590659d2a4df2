//! `PUT /v1/apps/{app}` and `POST /v1/apps/{app}/keys`: bytes → what an operator wants changed.

use std::collections::BTreeMap;

use super::{body, json::Json, reader::Field, text};
use crate::{
    model::{
        app::{Limit, Policy, Scope},
        problem::{Code, Problem},
        push::Category,
    },
    vendor::{Credential, Vendor},
};

/// Most bytes of an app's or a key's description.
pub const BODY_MAX: usize = 64 * 1024;

/// What is to change. What is not named stays as it is.
#[derive(Debug, Default)]
pub struct AppChange {
    /// Per vendor: a new credential, or none any more.
    pub credentials: BTreeMap<Vendor, Option<Credential>>,
    /// The whole policy.
    pub policy: Option<Policy>,
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
    if let Some(field) = fields.take("user_token_key") {
        return Err(Problem::at(Code::NotSupported, field.at, "user tokens are not in this version"));
    }
    fields.end()?;
    Ok(change)
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
    fields.end()?;
    Ok(policy)
}

fn limits(field: Field) -> Result<BTreeMap<Category, Limit>, Problem> {
    let mut limits = BTreeMap::new();
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
    scopes.sort_unstable();
    scopes.dedup();
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
    fn a_null_credential_is_a_removal() {
        let change = app(br#"{"credentials":{"apns":null}}"#).unwrap();
        assert!(matches!(change.credentials.get(&Vendor::Apns), Some(None)));
        assert!(!change.credentials.contains_key(&Vendor::Fcm));
    }

    #[test]
    fn every_fault_has_its_code_and_pointer() {
        for (json, code, at) in [
            (r#"{"credentials":{"mars":{}}}"#, Code::UnknownField, "/credentials/mars"),
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
            (r#"{"user_token_key":"x"}"#, Code::NotSupported, "/user_token_key"),
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
