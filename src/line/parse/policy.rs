//! `policy` of an app: what the operator wants of the gateway.

use serde_json::{Map, Value};

use super::{caps, push::free, reader::Field, targets::unsupported, text};
use crate::{
    model::{
        policy::{AppKind, Limit, Over, Policy, VendorQuota},
        problem::{Code, Problem},
        push::Category,
        table::Table,
    },
    vendor::{Vendor, rules},
    wire::user::{AdviceRule, MISSED_MAX},
};

/// Reads the whole of it.
pub(super) fn policy(field: Field) -> Result<Policy, Problem> {
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
    if let Some(field) = fields.take("vendor_quota") {
        let mut vendors = field.object()?;
        for vendor in Vendor::ALL
            .into_iter()
            .filter(|vendor| Category::ALL.iter().any(|of| rules::limits(*vendor, *of)))
        {
            let Some(field) = vendors.take(vendor.name()) else { continue };
            policy.vendor_quota.insert(vendor, vendor_quota(field)?);
        }
        vendors.end()?;
    }
    if let Some(field) = fields.take("link_schemes") {
        for item in field.array()? {
            policy.link_schemes.push(scheme(item)?);
        }
    }
    policy.stale_days = per_vendor(fields.take("stale_days"), STALE_DAYS_MIN, DAYS_MAX)?;
    policy.per_second = per_vendor(fields.take("per_second"), 1, PER_SECOND_MAX)?;
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
    if let Some(field) = fields.take("app_kind") {
        policy.app_kind = field.one_of(&[("news", AppKind::News), ("other", AppKind::Other)])?;
    }
    policy.per_device = fields.take("per_device").map(Field::boolean).transpose()?;
    policy.caps = fields.take("caps").map(caps::caps).transpose()?.unwrap_or_default();
    policy.govern = fields.take("govern").map(caps::govern).transpose()?.unwrap_or_default();
    fields.end()?;
    Ok(policy)
}

/// A number for each vendor.
fn per_vendor(field: Option<Field>, min: u64, max: u64) -> Result<Table<Vendor, u32>, Problem> {
    let mut all = Table::new();
    let Some(field) = field else { return Ok(all) };
    let mut vendors = field.object()?;
    for vendor in Vendor::ALL {
        let Some(field) = vendors.take(vendor.name()) else { continue };
        all.insert(vendor, number(field, min, max)?);
    }
    vendors.end()?;
    Ok(all)
}

/// The fastest vendor takes 30,000 a second.
const PER_SECOND_MAX: u64 = 1_000_000;
const DAYS_MAX: u64 = 3_650;
/// A device that is alive says so at least every two weeks in the copy that pushes read: fewer days would call it stale.
const STALE_DAYS_MIN: u64 = 14;

/// A whole number from one to another.
fn between(field: Field, least: u64, most: u64) -> Result<u64, Problem> {
    let (at, number) = (field.at.clone(), field.whole(most)?);
    if number >= least {
        return Ok(number);
    }
    Err(Problem::at(Code::InvalidValue, at, format!("must be a whole number from {least} to {most}")))
}

/// The same, in 32 bits.
pub(super) fn number(field: Field, least: u64, most: u64) -> Result<u32, Problem> {
    Ok(u32::try_from(between(field, least, most)?).unwrap_or(u32::MAX))
}

/// The socket is in the contract, not in this version.
fn over(field: Field) -> Result<Over, Problem> {
    let at = field.at.clone();
    let all = [
        ("downgrade", Some(Over::Downgrade)),
        ("later", Some(Over::Later)),
        ("drop", Some(Over::Drop)),
        ("online", None),
    ];
    field.one_of(&all)?.ok_or_else(|| unsupported(&at, "messages on the online channel"))
}

fn advice(field: Field) -> Result<AdviceRule, Problem> {
    let mut fields = field.object()?;
    let rule = AdviceRule {
        every_days: number(fields.need("every_days")?, 1, DAYS_MAX)?,
        missed_min: u32::try_from(fields.need("missed_min")?.whole(u64::from(MISSED_MAX))?)
            .unwrap_or(MISSED_MAX),
    };
    fields.end()?;
    Ok(rule)
}

/// The largest number that anybody would give.
const PER_DAY_MAX: u64 = 1_000_000_000_000;

fn vendor_quota(field: Field) -> Result<VendorQuota, Problem> {
    let mut fields = field.object()?;
    let per_day = fields.take("per_day").map(|field| field.whole(PER_DAY_MAX)).transpose()?;
    let mut free = Vec::new();
    if let Some(field) = fields.take("free") {
        let all = Category::ALL.map(|category| (category.name(), category));
        for item in field.array()? {
            free.push(item.one_of(&all)?);
        }
    }
    fields.end()?;
    Ok(VendorQuota { per_day, free })
}

fn limits(field: Field) -> Result<Table<Category, Limit>, Problem> {
    let mut limits = Table::new();
    let mut categories = field.object()?;
    for category in Category::ALL {
        let Some(field) = categories.take(category.name()) else { continue };
        let mut fields = field.object()?;
        let per_day = fields.need("per_day")?.whole(PER_DAY_MAX)?;
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

#[cfg(test)]
mod tests {
    use super::super::app::app;
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
        let change =
            app(br#"{"policy":{"over_quota":{"follow":["downgrade","later","drop"],"im":[]}}}"#).unwrap();
        let policy = change.policy.unwrap();
        assert_eq!(policy.over_quota(Category::Follow), [Over::Downgrade, Over::Later, Over::Drop]);
        assert_eq!(policy.over_quota(Category::Im), []);
        assert_eq!(policy.over_quota(Category::Marketing), []);
    }

    #[test]
    fn every_fault_has_its_code_and_pointer() {
        for (json, code, at) in [
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
            (r#"{"policy":{"vendor_quota":{"fcm":{}}}}"#, Code::UnknownField, "/policy/vendor_quota/fcm"),
            (
                r#"{"policy":{"vendor_quota":{"vivo":{"free":["promo"]}}}}"#,
                Code::InvalidValue,
                "/policy/vendor_quota/vivo/free/0",
            ),
            (
                r#"{"policy":{"vendor_quota":{"vivo":{"per_day":"1"}}}}"#,
                Code::WrongType,
                "/policy/vendor_quota/vivo/per_day",
            ),
            (r#"{"policy":{"per_second":{"fcm":0}}}"#, Code::InvalidValue, "/policy/per_second/fcm"),
            (r#"{"policy":{"per_second":{"fcm":1000001}}}"#, Code::InvalidValue, "/policy/per_second/fcm"),
            (r#"{"policy":{"per_second":{"all":1}}}"#, Code::UnknownField, "/policy/per_second/all"),
            (r#"{"policy":{"app_kind":"games"}}"#, Code::InvalidValue, "/policy/app_kind"),
            (r#"{"policy":{"per_device":2}}"#, Code::WrongType, "/policy/per_device"),
            (r#"{"policy":{"lower_class":1}}"#, Code::WrongType, "/policy/lower_class"),
            (r#"{"policy":{"advice":{"every_days":7}}}"#, Code::MissingField, "/policy/advice/missed_min"),
            (
                r#"{"policy":{"advice":{"every_days":0,"missed_min":1}}}"#,
                Code::InvalidValue,
                "/policy/advice/every_days",
            ),
        ] {
            let problem = app(json.as_bytes()).unwrap_err();
            assert_eq!((problem.code, problem.pointer.as_deref()), (code, Some(at)), "{json}");
        }
    }
}
