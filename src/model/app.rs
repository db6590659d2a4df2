//! An app (tenant): sealed credentials, policy, hashed keys. The `App` object owns this record, KV `APPS` holds a
//! copy of it, and every isolate remembers it for some seconds.

use crate::model::table::Table;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use super::{
    ids::{AppId, Tenant},
    push::Category,
    time::{DayZone, Millis},
};
use crate::{
    crypto::seal::Sealed,
    vendor::{Facts, Vendor},
    wire::user::AdviceRule,
};

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Send.
    Push,
    /// Register, read and remove devices.
    Devices,
    /// Read results and counters.
    Read,
    /// Make and revoke keys.
    Manage,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Push, Self::Devices, Self::Read, Self::Manage];

    /// The name in the contract.
    pub fn name(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Devices => "devices",
            Self::Read => "read",
            Self::Manage => "manage",
        }
    }
}

/// A key as it is stored: the key itself is shown once and forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct KeyRecord {
    /// Names the key in calls that revoke it.
    pub id: String,
    /// SHA-256 of the whole key, hex. A plain digest is enough: the key holds 160 random bits.
    pub sha256: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// For people.
    pub name: Option<String>,
    /// When it was made.
    pub created_at: Millis,
}

/// Limits for one class of messages at one vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// Most messages in one of the vendor's days.
    pub per_day: u64,
}

/// How long a message has to be clicked before a rule on the whole app counts it, seconds, where the rule does not say.
const GOVERN_WAIT: u64 = 3_600;

/// What kind of app it is: some vendors let news apps send more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppKind {
    /// News, with the licence that the vendors ask for.
    News,
    /// Everything else.
    Other,
}

/// What the operator wants of the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Policy {
    /// Limits on top of the vendor's own, per vendor and category.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub quota: Table<Vendor, Table<Category, Limit>>,
    /// The only schemes a link may have. Empty: every scheme but the ones that are never allowed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub link_schemes: Vec<String>,
    /// Days without a sign of life after which a device is stale, where it is not the vendor's default.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub stale_days: Table<Vendor, u32>,
    /// Members of classes that are the app's own, merged into the vendor's (`rules.json`), per vendor and category.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub classes: Table<Vendor, Table<Category, Map<String, Value>>>,
    /// A message whose class lacks such a member goes as marketing, instead of not at all.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lower_class: bool,
    /// When apps are told to ask for permission.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<AdviceRule>,
    /// What becomes of messages that the quota does not let through, per category: the first that is possible.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub over_quota: Table<Category, Vec<Over>>,
    /// What the vendors have granted the app, in place of their rules.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub vendor_quota: Table<Vendor, VendorQuota>,
    /// Send rates in place of the vendors' own: most in a second of what the vendor counts.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub per_second: Table<Vendor, u32>,
    // What follows is kept as it was said, once it was checked: types of its own would be more wasm.
    /// What kind of app it is.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub app_kind: Value,
    /// Whether the vendors' limits for one device are kept here.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub per_device: Value,
    /// How often a user is sent to, per category.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub caps: Value,
    /// What users do not care for is held back.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub govern: Value,
}

/// A rule on what users do not care for: held back is what fewer than so many have clicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Govern<'a> {
    /// Its place in the policy.
    pub at: usize,
    /// Only messages of this campaign are meant, and counted.
    pub campaign: Option<&'a str>,
    /// Of a million.
    pub under: u32,
    /// Of the last so many that were sent.
    pub sends: u64,
    /// What was sent in the last so many seconds has not had its time and does not count; `None`: each user by itself, by the
    /// last messages of that user.
    pub wait: Option<u64>,
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

    /// What kind of app it is.
    pub fn app_kind(&self) -> AppKind {
        if self.app_kind.as_str() == Some("news") { AppKind::News } else { AppKind::Other }
    }

    /// Whether the vendors' limits for one device are kept here: unless the app says no.
    pub fn counts_devices(&self) -> bool {
        self.per_device != Value::Bool(false)
    }

    /// How often a user is sent messages of a category. In order: at most so many pushes; in a window of so many seconds.
    pub fn caps(&self, category: Category) -> Vec<(u32, u64)> {
        let caps = self.caps.get(category.name()).and_then(Value::as_array).into_iter().flatten();
        let number = |cap: &Value, name| cap.get(name).and_then(Value::as_u64);
        caps.filter_map(|cap| Some((u32::try_from(number(cap, "most")?).ok()?, number(cap, "in")?))).collect()
    }

    /// The rules on what users do not care for: all of them, or those on one category.
    pub fn govern(&self, category: Option<Category>) -> Vec<Govern<'_>> {
        let mut rules = Vec::new();
        for (at, rule) in self.govern.as_array().into_iter().flatten().enumerate() {
            let text = |name| rule.get(name).and_then(Value::as_str);
            let number = |name| rule.get(name).and_then(Value::as_u64);
            if category.is_some_and(|category| text("category") != Some(category.name())) {
                continue;
            }
            let rate = rule.get("click_rate_under").and_then(Value::as_f64).unwrap_or_default();
            rules.push(Govern {
                at,
                campaign: text("campaign"),
                under: (rate * 1e6) as u32,
                sends: number("sends").unwrap_or(u64::MAX),
                wait: (text("of") == Some("app")).then(|| number("wait").unwrap_or(GOVERN_WAIT)),
            });
        }
        rules
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

/// An app as the `App` object, KV and the isolates hold it. Holds no secret in the open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct App {
    /// Chosen by the operator.
    pub id: AppId,
    /// Which life of this id.
    pub generation: u32,
    /// Grows with every change: of two copies the one with the higher number is newer.
    pub revision: u64,
    /// Credentials per vendor, sealed.
    pub credentials: Table<Vendor, Credential>,
    /// The operator's rules.
    pub policy: Policy,
    /// Keys, oldest first.
    pub keys: Vec<KeyRecord>,
    /// Verify user tokens, in this order.
    pub user_token_keys: Vec<UserTokenKey>,
    /// When the app was made.
    pub created_at: Millis,
    /// When it was last changed.
    pub updated_at: Millis,
}

impl App {
    /// Whose data this is.
    pub fn tenant(&self) -> Tenant {
        Tenant { app: self.id.clone(), generation: self.generation }
    }
}

/// A key that verifies user tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserTokenKey {
    /// The shared secret, under `SEAL_KEY`.
    Hs256(Sealed),
    /// The public point: SEC 1, base64.
    Es256(String),
}

/// Most of them: the present one, and those that tokens of before were signed with.
pub const USER_TOKEN_KEYS_MAX: usize = 4;

/// One vendor's credential, sealed, with what may be shown of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Credential {
    /// The credential itself, under `SEAL_KEY`.
    pub sealed: Sealed,
    /// The app's revision that brought it: tokens made from an older one are void.
    pub revision: u64,
    /// The open part: what sending needs without opening the seal, and what an operator recognises it by.
    pub facts: Facts,
}
