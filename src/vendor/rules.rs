//! Classes and limits of the vendors who sort messages by what they are for. They are data, `rules.json`, dated and with a source
//! per vendor, checked when the worker is built; an app's policy changes them for itself (`policy.classes`).

use serde_json::{Map, Value};

#[cfg(test)]
mod write;

use super::{Vendor, draft::merge};
use crate::{
    model::{
        policy::{AppKind, Policy},
        push::Category,
    },
    wire::{account::Devices, text},
};

/// What a vendor says of a category.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Which vendor.
    vendor: &'static str,
    /// Which category.
    category: &'static str,
    /// The class: merged into the vendor's JSON (JSON Merge Patch).
    class: &'static str,
    /// The vendor gives this class to those who have asked for it, or only the app knows whether it may still use it: its
    /// policy has to name it.
    granted: bool,
    /// Members of the class that are the app's own: its policy has to give them, as texts.
    needs: &'static [&'static str],
    /// When the rule was read.
    pub as_of: &'static str,
    /// Where; begins with an address.
    pub source: &'static str,
    /// Most messages for one device in one of the vendor's days; all categories that have such a rule count together.
    pub per_device: Option<PerDevice>,
    /// Most messages in one of the vendor's days.
    pub per_day: Option<PerDay>,
}

/// A limit for one device, by what kind of app it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PerDevice {
    news: u32,
    other: u32,
}

impl PerDevice {
    /// The limit.
    pub fn limit(self, kind: AppKind) -> u32 {
        match kind {
            AppKind::News => self.news,
            AppKind::Other => self.other,
        }
    }
}

/// A limit that depends on how many devices there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PerDay {
    /// How often they are counted.
    pub times: u64,
    /// Which devices.
    pub of: Of,
    /// The limit is not below this.
    pub least: u64,
}

/// Devices that a limit depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// Those that have the app.
    Installed,
    /// Those whose notifications are on.
    Enabled,
}

impl PerDay {
    /// The limit, with so many devices.
    pub fn limit(self, devices: Devices) -> u64 {
        self.of.counted(devices).saturating_mul(self.times).max(self.least)
    }
}

/// How much a vendor takes in a second.
#[derive(Debug, PartialEq, Eq)]
pub struct Rate {
    /// Requests are counted, not devices.
    pub requests: bool,
    /// Which devices the steps go by.
    of: Of,
    /// From so many devices on, so much a second; from few to many.
    steps: &'static [(u64, u32)],
    /// When that was read.
    pub as_of: &'static str,
    /// Where; begins with an address.
    pub source: &'static str,
}

impl Rate {
    /// The rate, with so many devices.
    pub fn per_second(&self, devices: Devices) -> u32 {
        let counted = self.of.counted(devices);
        let reached = self.steps.iter().rev().find(|(from, _)| *from <= counted);
        reached.map_or(1, |(_, rate)| *rate)
    }

    /// It depends on how many devices there are.
    pub fn grows(&self) -> bool {
        self.steps.len() > 1
    }
}

/// The vendor's send rate, where one is known.
pub fn rate(vendor: Vendor) -> Option<&'static Rate> {
    RATES.iter().find(|(of, _)| *of == vendor.name()).map(|(_, rate)| rate)
}

impl Of {
    fn counted(self, devices: Devices) -> u64 {
        match self {
            Self::Installed => devices.installed,
            Self::Enabled => devices.enabled,
        }
    }
}

include!(concat!(env!("OUT_DIR"), "/rules.rs"));

/// The rule on a category; none where the vendor does not sort, or the module does it.
pub fn rule(vendor: Vendor, category: Category) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.vendor == vendor.name() && rule.category == category.name())
}

/// Whose class a category's messages have: its own, or marketing's where the app lets them go so.
pub fn goes_as(vendor: Vendor, category: Category, policy: &Policy) -> Category {
    let lowered = policy.lower_class && own_class(vendor, category, policy).is_err();
    if lowered { Category::Marketing } else { category }
}

/// Whether the vendor limits how often in a day messages go as this category.
pub fn limits(vendor: Vendor, goes_as: Category) -> bool {
    rule(vendor, goes_as).is_some_and(|rule| rule.per_day.is_some())
}

/// Most messages that go as this category for one device in one of the vendor's days, as far as they are counted for this app.
pub fn per_device(vendor: Vendor, goes_as: Category, policy: &Policy, at_once: bool) -> Option<u32> {
    let limit = rule(vendor, goes_as)?.per_device?.limit(policy.app_kind);
    policy.per_device.unwrap_or(at_once).then_some(limit)
}

/// The class of a category, with the app's own members. `Err`: what the policy has to say first.
pub fn class(vendor: Vendor, category: Category, policy: &Policy) -> Result<Map<String, Value>, String> {
    own_class(vendor, goes_as(vendor, category, policy), policy)
}

fn own_class(vendor: Vendor, category: Category, policy: &Policy) -> Result<Map<String, Value>, String> {
    let Some(rule) = rule(vendor, category) else { return Ok(Map::new()) };
    let own = policy.classes.get(&vendor).and_then(|of| of.get(&category));
    rule.class(own).map_err(|missing| {
        let (vendor, category) = (vendor.name(), category.name());
        format!(
            "`{vendor}` wants {missing} for `{category}`: set it in the app's policy, classes.{vendor}.{category}; with \
             lower_class such messages go as marketing"
        )
    })
}

impl Rule {
    fn class(&self, own: Option<&Map<String, Value>>) -> Result<Map<String, Value>, String> {
        if self.granted && own.is_none() {
            return Err("a word that the app has this class (an empty object says so)".to_owned());
        }
        let given = |name: &&&str| {
            own.and_then(|own| own.get(**name)?.as_str()).is_some_and(|text| !text.trim().is_empty())
        };
        if let Some(missing) = self.needs.iter().find(|name| !given(name)) {
            return Err(format!("`{missing}`"));
        }
        let mut class: Map<String, Value> = text::read(self.class).unwrap_or_default();
        if let Some(own) = own {
            merge(&mut class, own);
        }
        Ok(class)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{model::table::gather, vendor::sample::object};

    fn policy(vendor: Vendor, category: Category, class: Value) -> Policy {
        Policy { classes: gather([(vendor, gather([(category, object(class))]))]), ..Policy::default() }
    }

    #[test]
    fn every_class_of_every_vendor_is_there_and_is_an_object() {
        for vendor in Vendor::ALL.into_iter().filter(|vendor| vendor.sorts()) {
            for category in Category::ALL {
                let rule = rule(vendor, category).unwrap_or_else(|| panic!("{vendor:?} {category:?}"));
                assert!(serde_json::from_str::<Map<String, Value>>(rule.class).is_ok());
            }
        }
        assert_eq!(RULES.len(), Vendor::ALL.into_iter().filter(|vendor| vendor.sorts()).count() * 4);
    }

    #[test]
    fn a_rate_grows_with_the_devices_that_its_vendor_counts() {
        let of = |vendor, installed, enabled| {
            rate(vendor).map(|rate| (rate.per_second(Devices { installed, enabled }), rate.requests))
        };
        assert_eq!(of(Vendor::Xiaomi, 9_000_000, 0), Some((500, true)));
        assert_eq!(of(Vendor::Xiaomi, 0, 99_999), Some((500, true)));
        assert_eq!(of(Vendor::Xiaomi, 0, 100_000), Some((1_000, true)));
        assert_eq!(of(Vendor::Xiaomi, 0, 10_000_000), Some((3_000, true)));
        assert_eq!(of(Vendor::Oppo, 50_000_000, 0), Some((20_000, false)));
        assert_eq!(of(Vendor::Meizu, 1, 1), Some((200, true)));
        for vendor in Vendor::ALL {
            assert_eq!(rate(vendor).is_some(), vendor.sorts(), "Apple, Google and browsers name none");
        }
    }

    #[test]
    fn what_only_the_app_can_say_is_asked_for_by_the_name_of_the_setting() {
        let refused = class(Vendor::Xiaomi, Category::Im, &Policy::default()).unwrap_err();
        assert!(refused.contains("extra.channel_id") && refused.contains("classes.xiaomi.im"), "{refused}");
        let half = policy(Vendor::Xiaomi, Category::Im, json!({"extra.channel_id": "1"}));
        assert!(class(Vendor::Xiaomi, Category::Im, &half).unwrap_err().contains("extra.template_id"));
        let whole = json!({"extra.channel_id": "1", "extra.template_id": "T"});
        let policy_of = policy(Vendor::Xiaomi, Category::Im, whole.clone());
        assert_eq!(class(Vendor::Xiaomi, Category::Im, &policy_of).unwrap(), object(whole));
        for empty in [json!(""), json!(" "), json!(null), json!(1), json!({})] {
            let of = policy(Vendor::Oppo, Category::Im, json!({"channel_id": empty}));
            assert!(class(Vendor::Oppo, Category::Im, &of).unwrap_err().contains("`channel_id`"));
        }
        let granted = policy(Vendor::Huawei, Category::Im, json!({}));
        assert_eq!(class(Vendor::Huawei, Category::Im, &granted).unwrap()["android"]["category"], "IM");
    }

    #[test]
    fn classes_that_are_granted_are_named() {
        use Category::{Follow, Im, Marketing, Order};
        for (vendor, named) in [
            (Vendor::Huawei, &[Im, Order, Follow][..]),
            (Vendor::Harmony, &[Im, Order, Follow]),
            (Vendor::Honor, &[Im, Order, Follow]),
            (Vendor::Xiaomi, &[Im, Order, Follow, Marketing]),
            (Vendor::Oppo, &[Im, Order]),
            (Vendor::Vivo, &[]),
            (Vendor::Meizu, &[]),
            (Vendor::Jpush, &[Im, Order, Follow]),
        ] {
            for category in Category::ALL {
                let refused = class(vendor, category, &Policy::default()).err();
                let setting = format!("classes.{}.{}", vendor.name(), category.name());
                let says = refused.map(|why| why.contains(&setting));
                assert_eq!(says, named.contains(&category).then_some(true), "{setting}");
            }
        }
        let public = policy(Vendor::Xiaomi, Marketing, json!({}));
        assert_eq!(class(Vendor::Xiaomi, Marketing, &public), Ok(Map::new()));
        let lower = Policy { lower_class: true, ..Policy::default() };
        let refused = class(Vendor::Xiaomi, Im, &lower).unwrap_err();
        assert!(refused.contains("classes.xiaomi.marketing"), "{refused}");
    }

    #[test]
    fn or_the_message_goes_as_marketing_where_the_policy_says_so() {
        let lower = Policy { lower_class: true, ..Policy::default() };
        let class = class(Vendor::Huawei, Category::Im, &lower).unwrap();
        assert_eq!(class["android"]["category"], "MARKETING");
    }

    #[test]
    fn a_device_may_have_so_many_by_vendor_and_kind_of_app() {
        use Category::{Follow, Im, Marketing};
        let news = Policy { app_kind: AppKind::News, ..Policy::default() };
        for (vendor, category, other, of_news) in [
            (Vendor::Huawei, Marketing, Some(2), Some(5)),
            (Vendor::Huawei, Follow, None, None),
            (Vendor::Harmony, Marketing, Some(2), Some(5)),
            (Vendor::Honor, Marketing, Some(2), Some(5)),
            (Vendor::Xiaomi, Follow, Some(5), Some(8)),
            (Vendor::Oppo, Follow, Some(2), Some(5)),
            (Vendor::Vivo, Marketing, Some(2), Some(5)),
            (Vendor::Vivo, Im, None, None),
            (Vendor::Meizu, Marketing, Some(3), Some(5)),
            (Vendor::Fcm, Marketing, None, None),
        ] {
            assert_eq!(
                per_device(vendor, category, &Policy::default(), true),
                other,
                "{vendor:?} {category:?}"
            );
            assert_eq!(per_device(vendor, category, &news, true), of_news, "{vendor:?} {category:?}");
        }
        let kept = |said, at_once| {
            let policy = Policy { per_device: said, ..Policy::default() };
            per_device(Vendor::Vivo, Marketing, &policy, at_once).is_some()
        };
        assert_eq!(
            [kept(Some(false), true), kept(None, true), kept(None, false), kept(Some(true), false)],
            [false, true, false, true]
        );
    }

    #[test]
    fn an_app_changes_a_class_for_itself() {
        let own =
            policy(Vendor::Vivo, Category::Follow, json!({"category": "SUBSCRIPTION", "classification": 1}));
        let class = class(Vendor::Vivo, Category::Follow, &own).unwrap();
        assert_eq!(Value::Object(class), json!({"category": "SUBSCRIPTION", "classification": 1}));
    }
}
