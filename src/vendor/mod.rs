//! The vendors. Each module has the same functions, all pure, and nothing else in the project knows a vendor's
//! fields or codes:
//!
//! | function | does |
//! |---|---|
//! | `Credential::parse` | an operator's JSON → a credential that has signed once |
//! | `token` | checks a device token's form |
//! | `draft` | a message → the vendor's JSON, sized to fit, shared by all devices of a push |
//! | `request` | a draft, one address, a bearer → the HTTP request |
//! | `classify` | the HTTP answer → a verdict, by the vendor's own code |
//!
//! A vendor is added by one module and one variant of [`Vendor`]; every table below then asks for its row.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::{
    line::parse::json::Json,
    model::{
        delivery::Reason,
        device::Address,
        ids::PushId,
        outcome::{Answer, Reply, Verdict},
        problem::Problem,
        push::{Category, Message},
        time::{DayZone, Millis},
    },
    wire::account::Bearer as FetchedBearer,
};

pub mod apns;
pub mod draft;
pub mod fcm;
#[cfg(test)]
mod sample;
pub mod webpush;
mod words;

pub use draft::{Draft, Ids, Outbound, Template, TooLarge};

/// Who delivers to the phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vendor {
    /// Apple Push Notification service.
    Apns,
    /// Firebase Cloud Messaging, HTTP v1.
    Fcm,
}

impl Vendor {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Apns, Self::Fcm];

    /// The name in the contract.
    pub fn name(self) -> &'static str {
        match self {
            Self::Apns => "apns",
            Self::Fcm => "fcm",
        }
    }

    /// Where the vendor's day begins.
    pub fn day_zone(self) -> DayZone {
        match self {
            Self::Apns | Self::Fcm => DayZone::Utc,
        }
    }

    /// The vendor's own daily limit for a category. Neither Apple nor Google has one (vendor pages, 1.8 and 2.5:
    /// rates per device and per minute only).
    pub fn per_day(self, category: Category) -> Option<u64> {
        match (self, category) {
            (Self::Apns | Self::Fcm, _) => None,
        }
    }

    /// Seconds before the next try after `tries` of them, where the vendor does not say: Apple's rule is quick tries, then
    /// 15 minutes; Google's exponential from 10 s (vendor pages, 1.6 and 2.5). At most an hour.
    pub fn retry_secs(self, tries: u32) -> u32 {
        const HOUR: u32 = 3_600;
        match (self, tries) {
            (Self::Apns, 0 | 1) => 1,
            (Self::Apns, 2) => 5,
            (Self::Apns, later) => (900 << (later - 3).min(2)).min(HOUR),
            (Self::Fcm, tries) => (10 << tries.saturating_sub(1).min(9)).min(HOUR),
        }
    }

    /// Hosts that requests of this vendor may go to. Checked before every fetch.
    pub fn hosts(self) -> &'static [&'static str] {
        match self {
            Self::Apns => &apns::HOSTS,
            Self::Fcm => &fcm::HOSTS,
        }
    }

    /// Checks a device token's form; the error says what the form is.
    pub fn token(self, text: &str) -> Result<(), &'static str> {
        match self {
            Self::Apns => apns::token(text),
            Self::Fcm => fcm::token(text),
        }
    }

    /// Two tokens that reach the same phone compare equal in this form.
    pub fn canonical_token(self, text: &str) -> String {
        match self {
            Self::Apns => text.to_ascii_lowercase(),
            Self::Fcm => text.to_owned(),
        }
    }

    /// The vendor's JSON for a message, sized to fit.
    pub fn draft(self, message: &Message, push: &PushId, now: Millis) -> Result<Draft, TooLarge> {
        match self {
            Self::Apns => apns::draft(message, push, now),
            Self::Fcm => fcm::draft(message, push),
        }
    }

    /// Checks what a caller wants merged into the vendor's JSON: it may not overwrite targets or our own fields.
    pub fn check_options(self, options: &Map<String, Value>, at: &str) -> Result<(), Problem> {
        match self {
            Self::Apns => apns::check_options(options, at),
            Self::Fcm => fcm::check_options(options, at),
        }
    }

    /// What came of a request.
    pub fn classify(self, reply: &Reply, now: Millis) -> Verdict {
        match self {
            Self::Apns => apns::classify(reply, now),
            Self::Fcm => fcm::classify(reply, now),
        }
    }
}

/// An opened credential.
#[derive(Debug)]
pub enum Credential {
    /// For APNs.
    Apns(Box<apns::Credential>),
    /// For FCM.
    Fcm(Box<fcm::Credential>),
}

/// How an account comes to the bearer that its requests carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bearer {
    /// Signed in the isolate, the same bytes on every isolate.
    Signed,
    /// Fetched by the `Account` object.
    Fetched,
}

impl Vendor {
    /// Where the bearer comes from.
    pub fn bearer(self) -> Bearer {
        match self {
            Self::Apns => Bearer::Signed,
            Self::Fcm => Bearer::Fetched,
        }
    }
}

impl Credential {
    /// Reads what an operator gives, and signs with it once: what is stored works.
    pub fn parse(vendor: Vendor, json: Json, at: &str) -> Result<Self, Problem> {
        match vendor {
            Vendor::Apns => apns::Credential::parse(json, at).map(|own| Self::Apns(Box::new(own))),
            Vendor::Fcm => fcm::Credential::parse(json, at).map(|own| Self::Fcm(Box::new(own))),
        }
    }

    /// The request that fetches a bearer. `None`: this vendor's bearers are signed, or the key does not sign.
    pub fn token_request(&self, now: Millis) -> Option<Outbound> {
        match self {
            Self::Apns(_) => None,
            Self::Fcm(credential) => credential.token_request(now),
        }
    }

    /// The bearer in the answer to that request.
    pub fn bearer_from(
        &self,
        answer: &Answer,
        revision: u64,
        now: Millis,
    ) -> Result<FetchedBearer, (Reason, String)> {
        match self {
            Self::Apns(_) => {
                Err((Reason::Credentials, "bearers of this vendor are signed, not fetched".into()))
            }
            Self::Fcm(_) => fcm::bearer_from(answer, revision, now),
        }
    }

    /// For sealing.
    pub fn to_stored(&self) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Apns(credential) => credential.to_stored(),
            Self::Fcm(credential) => credential.to_stored(),
        }
    }

    /// After opening. `None`: stored by a version that wrote it otherwise.
    pub fn from_stored(vendor: Vendor, bytes: &[u8]) -> Option<Self> {
        match vendor {
            Vendor::Apns => apns::Credential::from_stored(bytes).map(|own| Self::Apns(Box::new(own))),
            Vendor::Fcm => fcm::Credential::from_stored(bytes).map(|own| Self::Fcm(Box::new(own))),
        }
    }

    /// What the plan and the sender need to know of it without opening it again: nothing secret.
    pub fn facts(&self) -> Facts {
        match self {
            Self::Apns(credential) => Facts::Apns(credential.facts()),
            Self::Fcm(credential) => Facts::Fcm(credential.facts()),
        }
    }
}

/// The open part of a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Facts {
    /// Default topic and environment.
    Apns(apns::Facts),
    /// Project.
    Fcm(fcm::Facts),
}

impl Facts {
    /// Whether a device can be reached with this credential; the error names what is missing.
    pub fn reaches(&self, to: &Address) -> Result<(), &'static str> {
        match self {
            Self::Apns(facts) => facts.topic(to).map(|_| ()),
            Self::Fcm(_) => Ok(()),
        }
    }

    /// The request for one device. `Err`: what is missing, in words that name the setting.
    pub fn request(
        &self,
        draft: &Draft,
        to: &Address,
        ids: &Ids,
        bearer: &str,
    ) -> Result<Outbound, &'static str> {
        match self {
            Self::Apns(facts) => apns::request(facts, draft, to, ids, bearer),
            Self::Fcm(facts) => Ok(fcm::request(facts, draft, to, ids, bearer)),
        }
    }

    /// Which of our settings a "bad token" answer could also be blamed on: verdicts are weighed against the
    /// acceptances seen under the same one.
    pub fn blame(&self, to: &Address) -> String {
        match self {
            Self::Apns(facts) => facts.blame(to),
            Self::Fcm(facts) => facts.project_id.clone(),
        }
    }
}
