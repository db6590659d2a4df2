//! The `User` object: owns one user's devices, and is the only writer of their read copy in KV `DEVICES`.

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::model::{
    device::{Permission, Registration, Source},
    ids::{AppId, DeviceId, Tenant, UserId},
    preferences::QuietHours,
    push::Category,
    time::Millis,
};

mod copy;
mod reply;
mod spend;

pub use copy::{Copy, FRESH_MS, Quiet, Reach};
pub use reply::{Advice, Advise, DEAD_DAYS, Dead, Done, Erased, MISSED_MAX, Missed, Person, Reply, Shown};
pub use spend::{Place, Rule, Spend, Spent, tag};

/// Durable Object binding.
pub const BINDING: &str = "USER";
/// KV binding of the read copy.
pub const COPY: &str = "DEVICES";
/// Most devices of one user.
pub const DEVICES_MAX: usize = 64;

/// The object's name, and the key of its copy in KV.
pub fn name(tenant: &Tenant, user: &UserId) -> String {
    ["user:", &tenant.text(), ":", user.as_str()].concat()
}

/// The other way: an alarm knows its name only.
pub fn parse_name(name: &str) -> Option<(Tenant, UserId)> {
    let (tenant, user) = name.strip_prefix("user:")?.split_once(':')?;
    let (app, generation) = tenant.split_once('.')?;
    let tenant = Tenant { app: AppId::parse(app).ok()?, generation: generation.parse().ok()? };
    Some((tenant, UserId::parse(user).ok()?))
}

/// A call, with whose object it is: an object cannot ask for its own name.
#[derive(Debug, Clone, Serialize_tuple, Deserialize_tuple)]
pub struct Request {
    /// The app and which life of it.
    pub tenant: Tenant,
    /// The user.
    pub user: UserId,
    /// What to do.
    pub call: Call,
}

/// What can be asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// Everything.
    Get,
    /// What a push needs.
    /// `true`: for the user's eyes only. What is answered holds for [`GUARD_MS`], and no device changes hands before.
    Reach(bool),
    /// Register or refresh a device.
    /// In order: which; what it says; who says so.
    Put(DeviceId, Box<Registration>, Source),
    /// Forget a device.
    Delete(DeviceId),
    /// A vendor called tokens dead.
    Gone(Vec<Gone>),
    /// A vendor says that notifications are switched off where these tokens are.
    Muted(Vec<Gone>),
    /// Somebody else holds a device or a token now.
    Lost(Loss),
    /// The app reports whether notifications are allowed.
    /// In order: on which device; what it reports.
    Permission(DeviceId, Permission),
    /// Change preferences.
    Prefer(Box<Wish>),
    /// Personal messages that a device did not get because notifications are switched off.
    Missed(Category),
    /// Whether now is a good moment to ask for permission.
    /// In order: on which device; the app's rule.
    Advice(DeviceId, AdviceRule),
    /// A push is about to go out: what of it may?
    Spend(Box<Spend>),
    /// What was counted by [`Call::Spend`] and not sent.
    /// In order: of which push; to which devices, by their tags.
    Unspend(String, Vec<u32>),
    /// Messages of these pushes were clicked.
    Clicked(Vec<String>),
    /// Forget everything.
    Erase,
}

/// How long what an object has answered to a guarded push holds, milliseconds: what has not left by then asks again, and
/// a device changes hands only when it is over.
pub const GUARD_MS: u64 = 2_000;

/// A device or a token has another holder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Loss {
    /// Of the user's devices.
    pub device: DeviceId,
    /// SHA-256 of the token, if it is the token that was lost; else the device id.
    pub token_sha256: Option<String>,
    /// The new holder's: a claim with a greater one is not meant.
    pub epoch: u64,
}

/// A change of preferences (RFC 7396): `None` stays, `Some(None)` is removed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// Language.
    #[serde(default, with = "change", skip_serializing_if = "Option::is_none")]
    pub locale: Option<Option<String>>,
    /// Time zone.
    #[serde(default, with = "change", skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<Option<String>>,
    /// Quiet hours.
    #[serde(default, with = "change", skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<Option<QuietHours>>,
    /// Categories: whether they are not wanted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opt_out: Vec<(Category, bool)>,
    /// Tags, all of them.
    #[serde(default, with = "change", skip_serializing_if = "Option::is_none")]
    pub tags: Option<Option<Vec<String>>>,
}

/// `null` is a value here: JSON has no other word for a removal.
mod change {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, clippy::option_option, reason = "serde gives a reference to the field")]
    pub(super) fn serialize<T: Serialize, S: Serializer>(
        value: &Option<Option<T>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().and_then(Option::as_ref).serialize(to)
    }

    #[expect(clippy::option_option, reason = "absent, removed, or a value")]
    pub(super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Option<T>>, D::Error> {
        Option::<T>::deserialize(from).map(Some)
    }
}

/// When the app may be told to ask for permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdviceRule {
    /// At most once in so many days.
    pub every_days: u32,
    /// Only if so many messages were missed this week.
    pub missed_min: u32,
}

/// A vendor's word on one device's token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Gone {
    /// The device it was sent to.
    pub device: DeviceId,
    /// SHA-256 of the token it was sent to: a newer token is not touched.
    pub token_sha256: String,
    /// From when on, where the vendor says so.
    pub since: Option<Millis>,
    /// The word is good enough to remove the token; else it is only marked.
    pub remove: bool,
    /// It comes from a report, late and maybe again: `since` is when it was said.
    pub reported: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copy_in_kv_is_pinned() {
        let text = r#"[[["iphone","ios","apns","00ff","sandbox","com.example","granted",20000,"alert"],["a",null,"fcm","t",null,null,"unknown",null,"alert"],["b","ios","apns","00",null,null,"unknown",20000,"live_activity","order-1"]],["marketing"],[{"from":"22:00","to":"07:30","categories":["follow"]},"Europe/Berlin"],7]"#;
        let copy: Copy = crate::wire::text::read(text).unwrap();
        assert_eq!(serde_json::to_string(&copy).unwrap(), text);
    }

    #[test]
    fn calls_are_pinned() {
        let text = r#"[["shop",1],"u42",{"gone":[["d","ab",7,true,false]]}]"#;
        let call: Request = crate::wire::text::read(text).unwrap();
        assert_eq!(serde_json::to_string(&call).unwrap(), text);
        for text in [
            r#"[["shop",1],"u42",{"spend":["0000000000000001","marketing",5,[[7,2],[8,null]],[{"most":3,"in":86400}],[[1,true,0.01,20]],false]}]"#,
            r#"[["shop",1],"u42",{"unspend":["0000000000000001",[7]]}]"#,
        ] {
            let call: Request = crate::wire::text::read(text).unwrap();
            assert_eq!(serde_json::to_string(&call).unwrap(), text);
        }
        let text = r#"["counted","known",{"user":7},{"device":8},{"governed":1}]"#;
        let spent: Vec<Spent> = crate::wire::text::read(text).unwrap();
        assert_eq!(serde_json::to_string(&spent).unwrap(), text);
        let name = name(&call.tenant, &call.user);
        assert_eq!(parse_name(&name), Some((call.tenant, call.user)));
        let wish = r#"{"locale":null,"opt_out":[["im",true]],"tags":["a"]}"#;
        let read: Wish = crate::wire::text::read(wish).unwrap();
        assert_eq!((&read.locale, &read.time_zone), (&Some(None), &None));
        assert_eq!(serde_json::to_string(&read).unwrap(), wish);
    }
}
