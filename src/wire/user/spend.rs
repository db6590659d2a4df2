//! What a push asks of a user before it goes out: may each of these devices have it?

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::{
    crypto::hash,
    model::{govern::ClickRate, ids::DeviceId, policy::Cap, push::Category, time::Millis},
    vendor::Vendor,
};

/// A push that is about to go to devices of a user. What passes is counted, once for each push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Spend {
    /// Which push: the [lower part](crate::model::ids::PushId::tail) of its id.
    pub push: String,
    /// What it is for.
    pub category: Category,
    /// [`hash::tag`] of its campaign.
    pub campaign: Option<u32>,
    /// Where it goes.
    pub devices: Vec<Place>,
    /// The app's caps on the category.
    pub caps: Vec<Cap>,
    /// The app's rules on what this user does not care for, as far as they mean this push.
    pub rules: Vec<Rule>,
    /// It is another try.
    pub again: bool,
}

/// A device at its vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Place {
    /// Its [tag].
    pub tag: u32,
    /// How many messages of what its vendor counts it may have in a day, where the vendor counts.
    pub per_day: Option<u32>,
}

/// A rule on what a user does not care for: held back is what fewer than so many were clicked of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Rule {
    /// Its place in the policy.
    pub at: usize,
    /// Only messages of this campaign are counted; else all of the category.
    pub by_campaign: bool,
    /// Which part.
    pub click_rate_under: ClickRate,
    /// Of the last so many.
    pub sends: u32,
}

/// Names a device at its vendor: at another vendor it begins anew.
pub fn tag(vendor: Vendor, device: &DeviceId) -> u32 {
    hash::tag(&format!("{} {device}", vendor.name()))
}

/// The answer about one device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spent {
    /// It passes, and is counted from now on.
    Counted,
    /// It passes: it was counted before.
    Known,
    /// The user has had as many as the app's caps allow, until then.
    User(Millis),
    /// The device has had as many as its vendor allows, until then.
    Device(Millis),
    /// The user does not care for these: the rule of this place in the policy.
    Governed(usize),
}

impl Spent {
    /// It passes.
    pub fn passes(self) -> bool {
        match self {
            Self::Counted | Self::Known => true,
            Self::User(_) | Self::Device(_) | Self::Governed(_) => false,
        }
    }
}
