//! What the operator of an app wants of the gateway. It is stored and shown in the contract's form; what is as it would be
//! anyway is left out.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    govern::Govern,
    push::Category,
    table::Table,
    time::{DayZone, Millis},
};
use crate::{vendor::Vendor, wire::user::AdviceRule};

/// The operator's rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// Limits on top of the vendor's own, per vendor and category.
    #[serde(skip_serializing_if = "Table::is_empty")]
    pub quota: Table<Vendor, Table<Category, Limit>>,
    /// The only schemes a link may have. Empty: every scheme but the ones that are never allowed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub link_schemes: Vec<String>,
    /// Days without a sign of life after which a device is stale, where it is not the vendor's default.
    #[serde(skip_serializing_if = "Table::is_empty")]
    pub stale_days: Table<Vendor, u32>,
    /// Members of classes that are the app's own, merged into the vendor's (`rules.json`), per vendor and category.
    #[serde(skip_serializing_if = "Table::is_empty")]
    pub classes: Table<Vendor, Table<Category, Map<String, Value>>>,
    /// A message whose class lacks such a member goes as marketing, instead of not at all.
    #[serde(skip_serializing_if = "is_default")]
    pub lower_class: bool,
    /// When apps are told to ask for permission.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<AdviceRule>,
    /// What becomes of messages that the quota does not let through, per category: the first that is possible.
    #[serde(skip_serializing_if = "Table::is_empty")]
    pub over_quota: Table<Category, Vec<Over>>,
    /// What the vendors have granted the app, in place of their rules.
    #[serde(skip_serializing_if = "Table::is_empty")]
    pub vendor_quota: Table<Vendor, VendorQuota>,
    /// Send rates in place of the vendors' own: most in a second of what the vendor counts.
    #[serde(skip_serializing_if = "Table::is_empty")]
    pub per_second: Table<Vendor, u32>,
    /// What kind of app it is.
    #[serde(skip_serializing_if = "is_default")]
    pub app_kind: AppKind,
    /// Whether the vendors' limits for one device are kept here. Without a word: for what is sent at once, not for large pushes, for
    /// which it is a row for each user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_device: Option<bool>,
    /// How often a user is sent to, per category: all of them hold at once.
    #[serde(skip_serializing_if = "Table::is_empty")]
    pub caps: Table<Category, Vec<Cap>>,
    /// What users do not care for is held back.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub govern: Vec<Govern>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            quota: Table::new(),
            link_schemes: Vec::new(),
            stale_days: Table::new(),
            classes: Table::new(),
            lower_class: false,
            advice: None,
            over_quota: Table::new(),
            vendor_quota: Table::new(),
            per_second: Table::new(),
            app_kind: AppKind::default(),
            per_device: None,
            caps: Table::new(),
            govern: Vec::new(),
        }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Limits for one class of messages at one vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// Most messages in one of the vendor's days.
    pub per_day: u64,
}

/// What a vendor has granted the app.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct VendorQuota {
    /// Its daily limit on what it limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_day: Option<u64>,
    /// Categories that it does not limit for this app.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub free: Vec<Category>,
}

/// What becomes of a message that the quota does not let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// It goes out at once in the vendor's lowest class, marketing's, as far as that one has room.
    Downgrade,
    /// It goes out when the next window begins, if its `ttl` lasts so long.
    Later,
    /// It is not sent.
    Drop,
}

/// What kind of app it is: some vendors let news apps send more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppKind {
    /// News, with the licence that the vendors ask for.
    News,
    /// Everything else.
    #[default]
    Other,
}

/// How often a user is sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cap {
    /// At most so many pushes.
    pub most: u32,
    /// In any span of so many seconds.
    #[serde(rename = "in")]
    pub window_secs: u32,
}

impl Policy {
    /// For how many days nothing was heard of a device, if those are too many.
    pub fn stale(&self, vendor: Vendor, heard: Option<u64>, now: Millis) -> Option<u64> {
        let days = now.day(DayZone::Utc).0.saturating_sub(heard?);
        (days > u64::from(self.stale_after(vendor))).then_some(days)
    }

    /// Days without a sign of life after which a device is stale.
    pub fn stale_after(&self, vendor: Vendor) -> u32 {
        self.stale_days.get(&vendor).copied().unwrap_or_else(|| vendor.stale_days())
    }

    /// When apps are told to ask for permission: once a week, when a personal message was missed.
    pub fn advice(&self) -> AdviceRule {
        self.advice.unwrap_or(AdviceRule { every_days: 7, missed_min: 1 })
    }

    /// Most messages of this category in one of the vendor's days, where the app limits them.
    pub fn per_day(&self, vendor: Vendor, category: Category) -> Option<u64> {
        self.quota.get(&vendor)?.get(&category).map(|limit| limit.per_day)
    }

    /// How often a user is sent messages of a category.
    pub fn caps(&self, category: Category) -> &[Cap] {
        self.caps.get(&category).map_or(&[], Vec::as_slice)
    }

    /// The vendor's daily limit, where it has granted the app another one than its rule has.
    pub fn vendors_per_day(&self, vendor: Vendor) -> Option<u64> {
        self.vendor_quota.get(&vendor)?.per_day
    }

    /// The vendor does not limit this category for the app.
    pub fn is_free(&self, vendor: Vendor, category: Category) -> bool {
        self.vendor_quota.get(&vendor).is_some_and(|quota| quota.free.contains(&category))
    }

    /// What becomes of messages of a category that the quota does not let through.
    pub fn over_quota(&self, category: Category) -> &[Over] {
        self.over_quota.get(&category).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::text;

    #[test]
    fn what_is_stored_is_pinned_and_what_is_as_it_would_be_anyway_is_left_out() {
        let whole = r#"{"quota":{"fcm":{"im":{"per_day":9}}},"link_schemes":["https"],"stale_days":{"fcm":30},"classes":{"vivo":{"im":{"category":"IM"}}},"lower_class":true,"advice":{"every_days":7,"missed_min":1},"over_quota":{"im":["later"]},"per_second":{"fcm":9},"app_kind":"news","per_device":false,"caps":{"im":[{"most":3,"in":86400}]},"govern":[{"category":"im","click_rate_under":0.05,"sends":20,"of":"user"}]}"#;
        let policy: Policy = text::read(whole).unwrap();
        assert_eq!(text::write(&policy), whole);
        assert_eq!(policy.caps(Category::Im), [Cap { most: 3, window_secs: 86_400 }]);
        assert_eq!(policy.caps(Category::Order), []);
        // A copy of before the last fields were known, and one that says what goes without saying.
        for text in ["{}", r#"{"app_kind":"other","per_device":null,"caps":{},"govern":[]}"#] {
            let policy: Policy = text::read(text).unwrap();
            assert_eq!((policy.app_kind, policy.per_device), (AppKind::Other, None));
            assert_eq!(policy, Policy::default());
            assert_eq!(text::write(&policy), "{}");
        }
    }
}
