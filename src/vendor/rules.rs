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
mod tests;
