//! What a push asks of a user before it goes out: may each of these devices have it?

use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::{
    crypto::hash,
    model::{ids::DeviceId, push::Category, time::Millis},
    vendor::Vendor,
};

/// A push that is about to go to devices of a user. What passes is counted, once for each push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Spend {
    /// Which push: the [lower part](crate::model::ids::PushId::tail) of its id.
    pub push: String,
    /// What it is for.
    pub category: Category,
    /// Where it goes. In order: the device's [tag]; how many messages of what its vendor counts it may have in a day, 0 where the
    /// vendor does not count.
    pub devices: Vec<(u32, u64)>,
    /// The app's caps on the category. In order: at most so many pushes; in a window of so many seconds.
    pub caps: Vec<(u32, u64)>,
    /// [`hash::tag`] of its campaign, 0 without one.
    pub campaign: u32,
    /// The app's rules on what this user does not care for. In order: held back is what fewer of a million were clicked; of the
    /// last so many.
    pub govern: Vec<(u32, u64)>,
    /// The first so many of the rules mean all of the category, the others its campaign.
    pub whole: usize,
    /// It is another try.
    pub again: bool,
}

/// Names a device at its vendor: at another vendor it begins anew.
pub fn tag(vendor: Vendor, device: &DeviceId) -> u32 {
    hash::tag(&format!("{} {device}", vendor.name()))
}

/// The answer about one device; on the way it is a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spent {
    /// It passes, and is counted from now on.
    Counted,
    /// It passes: it was counted before.
    Known,
    /// The user has had as many as the app's caps allow, until then.
    User(Millis),
    /// The device has had as many as its vendor allows, until then.
    Device(Millis),
    /// The user does not care for these: the rule of this number.
    Governed(usize),
}

impl From<(u32, u64)> for Spent {
    fn from((kind, until): (u32, u64)) -> Self {
        match kind {
            0 => Self::Counted,
            1 => Self::Known,
            2 => Self::User(Millis(until)),
            3 => Self::Device(Millis(until)),
            _ => Self::Governed(usize::try_from(until).unwrap_or_default()),
        }
    }
}

impl From<Spent> for (u32, u64) {
    fn from(spent: Spent) -> Self {
        match spent {
            Spent::Counted => (0, 0),
            Spent::Known => (1, 0),
            Spent::User(until) => (2, until.0),
            Spent::Device(until) => (3, until.0),
            Spent::Governed(rule) => (4, rule as u64),
        }
    }
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
