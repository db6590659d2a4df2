//! `GET /v1/quota`: what limits the app at each vendor today, whose limit it is, and how much of it is left.

use serde_json::{Map, Value, json};

use super::health;
use crate::{
    model::{app::App, delivery::Reason, policy::AppKind, push::Category, table::gather, time::Millis},
    vendor::{
        Vendor,
        rules::{self, Of, Rule},
    },
    wire::{
        account::{Devices, Level, Pool},
        census::Reply,
        text,
    },
};

/// What one account counts.
pub struct Account {
    /// At whom.
    pub vendor: Vendor,
    /// How full its pools are.
    pub levels: Vec<Level>,
    /// When its day ends.
    pub resets_at: Millis,
    /// The devices that it reckons with.
    pub devices: Devices,
    /// Until when its circuit breaker is open, half-open from then on, and what opened it.
    pub open: Option<(Millis, Reason)>,
}

/// The answer.
pub fn quota(app: &App, accounts: &[Account], counted: &[Reply], now: Millis) -> String {
    let shown = accounts.iter().map(|Account { vendor, levels, resets_at, devices, open }| {
        let level = |pool| levels.iter().find(|level| level.pool == pool);
        let vendors = of_vendor(*vendor).map(|(rule, categories)| {
            let now_counted = health::devices(counted, *vendor);
            let of_rule = rule.per_day.map(|per_day| per_day.limit(*devices).max(per_day.limit(now_counted)));
            let per_day = app.policy.vendors_per_day(*vendor).or(of_rule);
            let limited: Vec<Category> =
                categories.into_iter().filter(|of| !app.policy.is_free(*vendor, *of)).collect();
            let mut limit = limit(&limited, "vendor", per_day, level(Pool::Public), now);
            limit.insert("rule".into(), self::rule(rule, app.policy.app_kind));
            Value::Object(limit)
        });
        let own = Category::ALL.into_iter().filter_map(|category| {
            let (of, level) = (app.policy.per_day(*vendor, category), level(Pool::Category(category)));
            let closed = level.is_some_and(|level| level.closed_at(now).is_some());
            (of.is_some() || closed).then(|| Value::Object(limit(&[category], "app", of, level, now)))
        });
        let limits: Vec<Value> = vendors.into_iter().chain(own).collect();
        let mut shown = Map::new();
        shown.insert("resets_at".into(), resets_at.rfc3339().into());
        shown.insert("limits".into(), limits.into());
        shown.insert("breaker".into(), breaker(*open, now));
        if let Some(rate) = rate(app, *vendor, *devices, health::devices(counted, *vendor)) {
            shown.insert("rate".into(), rate);
        }
        (vendor.name().to_owned(), Value::Object(shown))
    });
    let shown: Map<String, Value> = gather(shown);
    text::write(&json!({"accounts": shown}))
}

/// A vendor's rule on what it limits, and all categories that it limits together.
fn of_vendor(vendor: Vendor) -> Option<(&'static Rule, Vec<Category>)> {
    let limited = Category::ALL.into_iter().filter(|category| rules::limits(vendor, *category));
    let categories: Vec<Category> = limited.collect();
    Some((rules::rule(vendor, *categories.first()?)?, categories))
}

fn limit(
    categories: &[Category],
    by: &str,
    per_day: Option<u64>,
    level: Option<&Level>,
    now: Millis,
) -> Map<String, Value> {
    let granted = level.map_or(0, |level| level.granted);
    let closed = level.and_then(|level| level.closed_at(now));
    let left = if closed.is_some() { Some(0) } else { per_day.map(|limit| limit.saturating_sub(granted)) };
    let mut shown = Map::new();
    shown.insert("categories".into(), json!(categories));
    shown.insert("by".into(), by.into());
    shown.insert("per_day".into(), json!(per_day));
    let reserved = level.map_or(0, |level| level.reserved);
    shown.insert("granted".into(), granted.into());
    shown.insert("used".into(), granted.saturating_sub(reserved).into());
    shown.insert("reserved".into(), reserved.into());
    shown.insert("left".into(), json!(left));
    if let Some(until) = closed {
        shown.insert("closed_until".into(), until.rfc3339().into());
    }
    shown
}

/// The send rate: the app's own, or the vendor's with as many devices as anybody has counted.
fn rate(app: &App, vendor: Vendor, known: Devices, counted: Devices) -> Option<Value> {
    let (own, rule) = (app.policy.per_second.get(&vendor).copied(), rules::rate(vendor));
    let vendors = rule.map(|rule| rule.per_second(known).max(rule.per_second(counted)));
    let per_second = own.or(vendors)?;
    let counts = if rule.is_none_or(|rule| rule.requests) { "requests" } else { "devices" };
    let by = if own.is_some() { "app" } else { "vendor" };
    let mut shown = Map::new();
    shown.insert("per_second".into(), per_second.into());
    shown.insert("counts".into(), counts.into());
    shown.insert("by".into(), by.into());
    if let Some(rule) = rule {
        shown.insert("as_of".into(), rule.as_of.into());
        shown.insert("source".into(), rule.source.into());
    }
    Some(Value::Object(shown))
}

fn breaker(open: Option<(Millis, Reason)>, now: Millis) -> Value {
    match open {
        None => json!({"state": "closed"}),
        Some((until, reason)) if until > now => {
            json!({"state": "open", "until": until.rfc3339(), "reason": reason.name()})
        }
        Some((_, reason)) => json!({"state": "half_open", "reason": reason.name()}),
    }
}

fn rule(rule: &Rule, kind: AppKind) -> Value {
    let mut shown = Map::new();
    if let Some(per_day) = rule.per_day {
        let of = match per_day.of {
            Of::Installed => "installed",
            Of::Enabled => "enabled",
        };
        shown.insert("per_day".into(), json!({"times": per_day.times, "of": of, "least": per_day.least}));
    }
    if let Some(per_device) = rule.per_device {
        shown.insert("per_device".into(), per_device.limit(kind).into());
    }
    shown.insert("as_of".into(), rule.as_of.into());
    shown.insert("source".into(), rule.source.into());
    Value::Object(shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        line::admit::tests::app,
        model::policy::Limit,
        wire::census::{Entry, Reply},
    };

    #[test]
    fn each_limit_says_whose_it_is_and_what_is_left() {
        let now = Millis(20_000 * 86_400_000);
        let mut app = app(Some(5));
        app.policy.quota.insert(Vendor::Vivo, gather([(Category::Marketing, Limit { per_day: 9 })]));
        let entry = |text: &str, n| (Entry::try_from(text.to_owned()).unwrap(), n);
        let devices = vec![entry("vivo g 19999", 15_000), entry("vivo d 19999", 9_000)];
        let counted = [Reply { devices, ..Reply::default() }];
        let level = |pool, granted, closed| Level { pool, granted, reserved: 1, closed };
        let vivo = vec![
            level(Pool::Category(Category::Marketing), 4, None),
            level(Pool::Public, 10, Some(Millis(now.0 + 1))),
        ];
        let closed_before = vec![level(Pool::Category(Category::Im), 0, Some(now))];
        let devices = Devices::default();
        app.policy.per_second.insert(Vendor::Fcm, 50);
        let open = |vendor| (vendor == Vendor::Fcm).then_some((Millis(now.0 + 1), Reason::RateLimited));
        let account =
            |vendor, levels, resets_at| Account { vendor, levels, resets_at, devices, open: open(vendor) };
        let accounts =
            [account(Vendor::Vivo, vivo, Millis(now.0 + 2)), account(Vendor::Fcm, closed_before, now)];
        let shown: Value = serde_json::from_str(&quota(&app, &accounts, &counted, now)).unwrap();
        let limits = &shown["accounts"]["vivo"]["limits"];
        let vendors = &limits[0];
        assert_eq!(vendors["per_day"], 30_000, "twice those with notifications on");
        assert_eq!((&vendors["granted"], &vendors["left"]), (&json!(10), &json!(0)), "closed");
        assert_eq!(vendors["closed_until"], Millis(now.0 + 1).rfc3339());
        assert_eq!(vendors["rule"]["per_device"], 2);
        let own = json!({"categories": ["marketing"], "by": "app", "per_day": 9, "granted": 4, "used": 3, "reserved": 1, "left": 5});
        assert_eq!(limits[1], own);
        assert_eq!(limits[2], Value::Null);
        let rate = &shown["accounts"]["vivo"]["rate"];
        assert_eq!(
            (&rate["per_second"], &rate["counts"], &rate["by"]),
            (&json!(3_000), &json!("devices"), &json!("vendor"))
        );
        assert_eq!(shown["accounts"]["vivo"]["breaker"], json!({"state": "closed"}));
        assert_eq!(
            shown["accounts"]["fcm"]["rate"],
            json!({"per_second": 50, "counts": "requests", "by": "app"})
        );
        let open = json!({"state": "open", "until": Millis(now.0 + 1).rfc3339(), "reason": "rate_limited"});
        assert_eq!(shown["accounts"]["fcm"]["breaker"], open);
        let half = breaker(Some((now, Reason::VendorUnavailable)), now);
        assert_eq!(half, json!({"state": "half_open", "reason": "vendor_unavailable"}));
        let fcm = json!([{"categories": ["marketing"], "by": "app", "per_day": 5, "granted": 0, "used": 0, "reserved": 0, "left": 5}]);
        assert_eq!(shown["accounts"]["fcm"]["limits"], fcm);
    }
}
