//! The `Census` object: counts of an app's devices. Each user's object reports what it has; a report replaces the one before,
//! so nothing is counted twice and nothing drifts.

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::{
    crypto::hash,
    model::{
        device::Permission,
        ids::{Tenant, UserId},
        time::Millis,
    },
    vendor::Vendor,
};

/// Durable Object binding.
pub const BINDING: &str = "CENSUS";
/// Objects of an app. Fixed: a user's report must always come to the same one.
pub const SHARDS: u32 = 8;
/// Bits of a day's list of users without a device.
pub const SLOTS: u32 = 65_536;

/// The object's name.
pub fn name(tenant: &Tenant, shard: u32) -> String {
    format!("census:{tenant}:{shard}")
}

/// A user's name here: the census need not know who it is.
pub fn who(user: &UserId) -> String {
    hash::sha256_hex(user.as_str().as_bytes()).chars().take(32).collect()
}

/// Which object has the user's report.
pub fn shard(user: &UserId) -> u32 {
    let [first, ..] = hash::sha256(user.as_str().as_bytes());
    u32::from(first) % SHARDS
}

/// Which bit stands for the user.
pub fn slot(user: &UserId) -> u16 {
    let [.., a, b] = hash::sha256(user.as_str().as_bytes());
    u16::from_be_bytes([a, b])
}

/// What is counted of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Its permission.
    Granted,
    /// Its permission.
    Denied,
    /// Its permission.
    Provisional,
    /// Its permission.
    Unknown,
    /// It was removed on the vendor's word.
    Dead,
}

impl Kind {
    const ALL: [(&'static str, Self); 5] = [
        ("g", Self::Granted),
        ("d", Self::Denied),
        ("p", Self::Provisional),
        ("u", Self::Unknown),
        ("x", Self::Dead),
    ];

    /// Of a device on file.
    pub fn of(permission: Permission) -> Self {
        match permission {
            Permission::Granted => Self::Granted,
            Permission::Denied => Self::Denied,
            Permission::Provisional => Self::Provisional,
            Permission::Unknown => Self::Unknown,
        }
    }
}

/// One device in a report: `vendor kind day`, the day being that of its last word (or of its end), since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Entry {
    /// Through whom.
    pub vendor: Vendor,
    /// What.
    pub kind: Kind,
    /// When.
    pub day: u64,
}

impl From<Entry> for String {
    fn from(entry: Entry) -> Self {
        let kind = Kind::ALL.iter().find(|(_, kind)| *kind == entry.kind).map_or("u", |(letter, _)| letter);
        format!("{} {kind} {}", entry.vendor.name(), entry.day)
    }
}

impl TryFrom<String> for Entry {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mut words = text.split(' ');
        let mut word = || words.next().ok_or("three words");
        let (vendor, kind, day) = (word()?, word()?, word()?);
        Ok(Self {
            vendor: Vendor::ALL.into_iter().find(|known| known.name() == vendor).ok_or("a vendor")?,
            kind: Kind::ALL
                .iter()
                .find(|(letter, _)| *letter == kind)
                .map(|(_, kind)| *kind)
                .ok_or("a kind")?,
            day: day.parse().map_err(|_| "a day")?,
        })
    }
}

/// A call.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// What a user has now.
    /// In order: what [`who`] gives; every device.
    Report(String, Vec<Entry>),
    /// Pushes were asked for to users without a device: their [`slot`]s.
    Without(Vec<u16>),
    /// KV refuses to write copies until then.
    Refused(Millis),
    /// All counts.
    Count,
}

/// The answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Reply {
    /// How many devices there are of each entry.
    pub devices: Vec<(Entry, u64)>,
    /// Users without a device that pushes were asked for, by day: an estimate, see `object::census`.
    pub without: Vec<(u64, u64)>,
    /// Until when KV refuses to write copies, as far as is known.
    pub refused_until: Option<Millis>,
    /// Rows written.
    pub rows: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_pinned() {
        let text = r#"{"report":["ab",["fcm g 20000","apns x 20001"]]}"#;
        let call: Call = crate::wire::text::read(text).unwrap();
        assert_eq!(serde_json::to_string(&call).unwrap(), text);
        for not in ["fcm g", "mars g 1", "fcm z 1", "fcm g x", ""] {
            assert!(Entry::try_from(not.to_owned()).is_err(), "{not}");
        }
    }
}
