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

use crate::{
    line::parse::reader::Field,
    model::{
        device::Address,
        ids::PushId,
        outcome::{Reply, Verdict},
        problem::{Code, Problem},
        push::{Category, Message},
        time::{DayZone, Millis},
    },
};

pub mod apns;
mod credential;
pub mod draft;
pub mod fcm;
mod outbound;
#[cfg(test)]
mod sample;
pub mod webpush;
mod words;

pub use credential::{Credential, Facts};
pub use draft::{Draft, Ids, Template, TooLarge};
pub use outbound::{Body, Outbound};
pub use webpush::Hosts;

/// How an account comes to the bearer that its requests carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bearer {
    /// Signed in the isolate, the same bytes on every isolate.
    Signed,
    /// Fetched by the `Account` object.
    Fetched,
}

/// Who delivers to the phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vendor {
    /// Apple Push Notification service.
    Apns,
    /// Firebase Cloud Messaging, HTTP v1.
    Fcm,
    /// Web Push: browsers.
    Webpush,
}

impl Vendor {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Apns, Self::Fcm, Self::Webpush];

    /// The name in the contract.
    pub fn name(self) -> &'static str {
        match self {
            Self::Apns => "apns",
            Self::Fcm => "fcm",
            Self::Webpush => "webpush",
        }
    }

    /// Where the vendor's day begins.
    pub fn day_zone(self) -> DayZone {
        match self {
            Self::Apns | Self::Fcm | Self::Webpush => DayZone::Utc,
        }
    }

    /// The vendor's own daily limit for a category. Neither Apple nor Google has one, and no push service (vendor
    /// pages, 1.8, 2.5 and 3.5: rates per device and per minute only).
    pub fn per_day(self, category: Category) -> Option<u64> {
        match (self, category) {
            (Self::Apns | Self::Fcm | Self::Webpush, _) => None,
        }
    }

    /// Days without a sign of life after which a device is stale. Google calls a token stale after a month (vendor page, 2.6);
    /// for the others no time is named, and 90 days are our choice.
    pub fn stale_days(self) -> u32 {
        match self {
            Self::Apns | Self::Webpush => 90,
            Self::Fcm => 30,
        }
    }

    /// Seconds before the next try after `tries` of them, where the vendor does not say: Apple's rule is quick tries, then
    /// 15 minutes; Google's exponential from 10 s (vendor pages, 1.6 and 2.5), which the push services of browsers, who name
    /// no figure, get as well. At most an hour.
    pub fn retry_secs(self, tries: u32) -> u32 {
        const HOUR: u32 = 3_600;
        match (self, tries) {
            (Self::Apns, 0 | 1) => 1,
            (Self::Apns, 2) => 5,
            (Self::Apns, later) => (900 << (later - 3).min(2)).min(HOUR),
            (Self::Fcm | Self::Webpush, tries) => (10 << tries.saturating_sub(1).min(9)).min(HOUR),
        }
    }

    /// Whether requests of this vendor may go to a host and a path (from its slash on). Checked before every fetch.
    /// `more`: what the operator lets browsers be reached through beside the known push services.
    pub fn serves(self, host: &str, path: &str, more: &Hosts) -> bool {
        match self {
            Self::Apns => apns::HOSTS.contains(&host),
            Self::Fcm => fcm::HOSTS.contains(&host),
            Self::Webpush => webpush::service(host, path, more).is_some(),
        }
    }

    /// Checks a device token's form; the error says what the form is.
    pub fn token(self, text: &str) -> Result<(), &'static str> {
        match self {
            Self::Apns => apns::token(text),
            Self::Fcm => fcm::token(text),
            Self::Webpush => webpush::token(text),
        }
    }

    /// Reads a device token into its canonical form. A browser's subscription may come as an object.
    pub fn read_token(self, field: Field) -> Result<String, Problem> {
        match self {
            Self::Apns | Self::Fcm => {
                let (token, at) = field.text()?;
                self.token(&token).map_err(|form| Problem::at(Code::InvalidToken, at, form))?;
                Ok(self.canonical_token(&token))
            }
            Self::Webpush => webpush::Subscription::read(field).map(|subscription| subscription.token()),
        }
    }

    /// Whether a device may be sent to at all, whatever the app; the error says why not.
    pub fn allows(self, to: &Address, more: &Hosts) -> Result<(), &'static str> {
        match self {
            Self::Apns | Self::Fcm => Ok(()),
            Self::Webpush => webpush::reaches(to, more),
        }
    }

    /// How long after a device's token was first heard of the vendor may still call it dead by mistake, milliseconds.
    pub fn settling_ms(self) -> u64 {
        match self {
            Self::Apns | Self::Fcm => 0,
            Self::Webpush => webpush::SETTLING_MS,
        }
    }

    /// Two tokens that reach the same phone compare equal in this form.
    pub fn canonical_token(self, text: &str) -> String {
        match self {
            Self::Apns => text.to_ascii_lowercase(),
            Self::Fcm => text.to_owned(),
            Self::Webpush => webpush::canonical_token(text),
        }
    }

    /// The vendor's JSON for a message, sized to fit.
    pub fn draft(self, message: &Message, push: &PushId, now: Millis) -> Result<Draft, TooLarge> {
        match self {
            Self::Apns => apns::draft(message, push, now),
            Self::Fcm => fcm::draft(message, push),
            Self::Webpush => webpush::draft(message, push),
        }
    }

    /// Checks what a caller wants merged into the vendor's JSON: it may not overwrite targets or our own fields.
    pub fn check_options(self, options: &Map<String, Value>, at: &str) -> Result<(), Problem> {
        match self {
            Self::Apns => apns::check_options(options, at),
            Self::Fcm => fcm::check_options(options, at),
            Self::Webpush => webpush::check_options(options, at),
        }
    }

    /// What came of a request.
    pub fn classify(self, reply: &Reply, now: Millis) -> Verdict {
        match self {
            Self::Apns => apns::classify(reply, now),
            Self::Fcm => fcm::classify(reply, now),
            Self::Webpush => webpush::classify(reply, now),
        }
    }

    /// Where the bearer comes from.
    pub fn bearer(self) -> Bearer {
        match self {
            Self::Apns | Self::Webpush => Bearer::Signed,
            Self::Fcm => Bearer::Fetched,
        }
    }

    /// The second at which this moment's step of signed bearers began: within it each stays the same.
    pub fn step(self, now: Millis) -> u64 {
        match self {
            Self::Apns => apns::step(now),
            Self::Fcm => 0,
            Self::Webpush => webpush::step(now),
        }
    }

    /// Whom a request's bearer is made for, where a vendor has more than one to whom it may be shown.
    pub fn audience(self, to: &Address) -> String {
        match self {
            Self::Apns | Self::Fcm => String::new(),
            Self::Webpush => webpush::audience(to),
        }
    }

    /// Whether each request is encrypted, and needs random bytes of its own.
    pub fn encrypts(self) -> bool {
        match self {
            Self::Apns | Self::Fcm => false,
            Self::Webpush => true,
        }
    }
}
