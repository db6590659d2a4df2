//! The `Account` object: one app at one vendor. Owns the quota counters, the circuit breaker, the access token, and the
//! memory of which "bad token" answers can be believed.

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::{
    model::{delivery::Reason, ids::Tenant, push::Category, secret::Secret, time::Millis},
    vendor::Vendor,
};

/// Durable Object binding.
pub const BINDING: &str = "ACCOUNT";

/// The object's name.
pub fn name(tenant: &Tenant, vendor: Vendor) -> String {
    format!("account:{tenant}:{}", vendor.name())
}

/// A call, with whose account it is: an object cannot ask for its own name.
#[derive(Debug, Clone, Serialize_tuple, Deserialize_tuple)]
pub struct Request {
    /// The app and which life of it.
    pub tenant: Tenant,
    /// The vendor.
    pub vendor: Vendor,
    /// What to do.
    pub call: Call,
}

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// Let n deliveries pass, hand out the bearer.
    Admit(Admit),
    /// Take back what was granted and not used; the vendor has no more of it today.
    Return(Return),
    /// What is counted.
    Show,
    /// Weigh "bad token" answers that a wrong setting of ours would also explain.
    /// In order: which setting it would be; accepted under it since the last call from this isolate; such answers now.
    Judge(String, u64, u64),
    /// How sends went, where some met trouble.
    Report(Report),
}

/// How the sends of a page went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Report {
    /// Deliveries that the vendor has answered for, here since the last report.
    pub went: u64,
    /// Deliveries that met trouble which can be all of the account's: no answer, or "not now".
    pub trouble: u64,
    /// The longest wait that the vendor asks for, seconds.
    pub after: u32,
    /// In how many of them the vendor limits us.
    pub limited: u64,
    /// The page was this probe of the circuit breaker.
    pub probe: Option<Millis>,
}

/// How long a lease lasts, milliseconds.
pub const LEASE_MS: u64 = 10_000;

/// What is left over of a request to pass, or of a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Return {
    /// Of what.
    pub class: Class,
    /// Granted when: what belongs to a window that is over is not given back.
    pub resets_at: Millis,
    /// How many.
    pub n: u64,
    /// They counted against a limit of the app's own.
    pub own: bool,
    /// The vendor says that its day has no more of this: nothing passes until it ends.
    pub close: bool,
    /// The lease that ends with it; 0: none does.
    pub lease: u64,
}

/// A block of grants that an isolate may use until it ends, without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Lease {
    /// Names it when it comes back.
    pub id: u64,
    /// How many, beside those that were asked for.
    pub n: u64,
    /// When it ends: within the window.
    pub until: Millis,
}

/// A lower class that what its own does not let through may go as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Lower {
    /// Which.
    pub class: Class,
    /// Most of it in one of the vendor's days by the app's own word.
    pub limit: Option<u64>,
}

/// What passes in the lower class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Lowered {
    /// How many; at most as many as do not pass in their own.
    pub n: u64,
    /// They count against a limit of the app's own.
    pub own: bool,
    /// When their window ends.
    pub until: Millis,
}

/// What passes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Grant {
    /// How many; at most as many as asked for.
    pub n: u64,
    /// When the window ends; where nothing passes, when it may again.
    pub until: Millis,
    /// They count against a limit of the app's own.
    pub own: bool,
    /// Where one was wanted.
    pub bearer: Option<Bearer>,
    /// What passes of the rest in the lower class.
    pub lower: Option<Lowered>,
    /// Grants ahead, where they were wished for.
    pub lease: Option<Lease>,
    /// They have their turn in so many milliseconds.
    pub wait_ms: u64,
    /// They are a probe of the circuit breaker: how they went is to be told.
    pub probe: Option<Millis>,
    /// What is beyond waits until then, where it is not a quota that refuses it.
    pub rest: Option<Millis>,
    /// For what the circuit breaker is open; where it is not, the rest waits for the send rate.
    pub open_for: Option<Reason>,
    /// The account is in trouble: whoever sends asks first.
    pub trouble: bool,
}

/// What a message counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize_tuple, Deserialize_tuple)]
pub struct Class {
    /// What it is for: the app's own limits.
    pub category: Category,
    /// Whose class it has at the vendor: the vendor's limits. Another one where the app lets it go as marketing.
    pub goes_as: Category,
}

/// What is counted together in one of the vendor's days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pool {
    /// A category: the app's own limit.
    Category(Category),
    /// Everything that the vendor limits together, whatever it is for.
    Public,
}

/// How full one pool is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Level {
    /// Which.
    pub pool: Pool,
    /// Granted today, less what came back.
    pub granted: u64,
    /// Of these, in leases that have not ended.
    pub reserved: u64,
    /// The vendor has refused more until then.
    pub closed: Option<Millis>,
}

impl Level {
    /// Until when the vendor has refused more, if it still does.
    pub fn closed_at(&self, now: Millis) -> Option<Millis> {
        self.closed.filter(|until| *until > now)
    }
}

/// A request to pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Admit {
    /// What it counts as.
    pub class: Class,
    /// How many deliveries.
    pub n: u64,
    /// Most in one of the vendor's days by the app's own word; the vendor's is the account's to know.
    pub limit: Option<u64>,
    /// Which revision of the app the limit is of: a caller with an older copy does not bring an older limit back.
    pub policy: u64,
    /// A bearer is wanted.
    pub bearer: bool,
    /// SHA-256 of a bearer that the vendor has just refused (401): dropped if it is still the current one.
    pub refused: Option<String>,
    /// Which revision of the credential the caller knows: a bearer made from an older one is void.
    pub revision: u64,
    /// The class that the rest may go as.
    pub lower: Option<Lower>,
    /// So many ahead are wished for.
    pub lease: u64,
    /// What is left of the last lease.
    pub back: Option<Return>,
    /// Most in a second by the app's own word.
    pub rate: Option<u32>,
    /// They are part of a large push: it keeps to the send rate exactly, and waits for its turn.
    pub large: bool,
    /// The vendor's daily limit by the app's own word, in place of its rule.
    pub vendors: Option<u64>,
}

impl Admit {
    /// A class under a revision of the app and one of the credential; everything else is to be said.
    pub fn of(class: Class, policy: u64, revision: u64) -> Self {
        Self {
            class,
            n: 0,
            limit: None,
            policy,
            bearer: false,
            refused: None,
            revision,
            lower: None,
            lease: 0,
            back: None,
            rate: None,
            large: false,
            vendors: None,
        }
    }
}

/// The answer.
#[derive(Debug, Clone, Serialize_tuple, Deserialize_tuple)]
pub struct Reply {
    /// What came of it.
    pub outcome: Outcome,
    /// Rows written.
    pub rows: u32,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// So many may pass.
    Granted(Grant),
    /// There is no bearer to be had; nothing was granted.
    /// In order: `credentials`, `rate_limited` or `vendor_unavailable`; in words.
    NoBearer(Reason, String),
    /// Taken back.
    Returned,
    /// Whether the answers may remove tokens.
    Judged(bool),
    /// In order: each pool that is counted; when the day ends; the devices that the vendor's limit is reckoned with; until when
    /// the circuit breaker is open, half-open from then on, and what opened it.
    Levels(Vec<Level>, Millis, Devices, Option<Millis>, Option<Reason>),
}

/// Devices of an app at a vendor, as the census counts them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Devices {
    /// All that have the app.
    pub installed: u64,
    /// Those whose notifications are not off.
    pub enabled: u64,
}

/// A bearer and how long it lasts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Bearer {
    /// The access token.
    pub token: Secret,
    /// From when on a new one is to be asked for.
    pub renew_at: Millis,
    /// Made from this revision of the credential.
    pub revision: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_pinned() {
        for text in [
            r#"[["shop",1],"fcm",{"admit":[["marketing","marketing"],2,100,9,true,null,3,null,0,null,null,false,null]}]"#,
            r#"[["shop",1],"apns",{"judge":["sandbox/com.example",9,1]}]"#,
            r#"[["shop",1],"fcm",{"admit":[["im","im"],2,5,9,false,null,3,[["marketing","marketing"],9],8,[["im","im"],5,1,true,false,7],50,true,9000]}]"#,
            r#"[["shop",1],"fcm",{"return":[["im","marketing"],5,1,true,false,0]}]"#,
            r#"[["shop",1],"fcm",{"report":[90,10,60,7,null]}]"#,
            r#"[["shop",1],"vivo","show"]"#,
        ] {
            let call: Request = crate::wire::text::read(text).unwrap();
            assert_eq!(serde_json::to_string(&call).unwrap(), text);
        }
    }
}
