//! The vendors. Each module says of itself what [`spec::Spec`] asks for, all of it pure, and nothing else in the project knows
//! a vendor's fields or codes:
//!
//! | part | does |
//! |---|---|
//! | `Credential::parse`, or `keys` | an operator's JSON → a credential that works |
//! | `token` | checks a device token's form |
//! | `draft` | a message → the vendor's JSON, sized to fit, shared by all devices of a push |
//! | `request` | a draft, one token or a list, a bearer → the HTTP request |
//! | `classify` | the HTTP answer → a verdict per token, by the vendor's own code |
//!
//! A vendor is added by one module and one variant of [`Vendor`]. What a category is to the phone makers is data:
//! `rules.json`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    line::parse::reader::Field,
    model::{
        device::{Address, Platform},
        kind::Kind,
        outcome::{Outcome, Reply, Verdict},
        problem::{Code, Problem},
        push::Message,
        time::{DayZone, Millis},
    },
};

pub mod apns;
mod credential;
pub mod draft;
mod exchange;
pub mod fcm;
mod fill;
pub mod harmony;
pub mod honor;
pub mod huawei;
pub mod jpush;
mod kept;
mod keys;
pub mod meizu;
pub mod oppo;
mod outbound;
mod payload;
pub mod receipt;
pub mod rules;
mod said;
#[cfg(test)]
mod sample;
pub mod spec;
mod split;
pub mod vivo;
pub mod webpush;
mod words;
pub mod xiaomi;

pub use credential::{Credential, Facts};
pub use draft::{Draft, Ids, Template, TooLarge};
pub use keys::Keys;
pub use outbound::{Body, Outbound};
pub use spec::{Bearer, Brief, Call, Spec, To};
pub use split::Split;
pub use webpush::Hosts;

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
    /// Huawei Push Kit, for what is not HarmonyOS NEXT.
    Huawei,
    /// Huawei Push Kit for HarmonyOS NEXT.
    Harmony,
    /// Honor Push.
    Honor,
    /// Xiaomi's MiPush.
    Xiaomi,
    /// OPPO's push.
    Oppo,
    /// vivo Push.
    Vivo,
    /// Meizu's Flyme Push.
    Meizu,
    /// JPush.
    Jpush,
}

/// A day, and how much of its beginning is not believed, milliseconds.
const DAY_MS: u64 = 86_400_000;
const EARLY_MS: u64 = 300_000;

impl Vendor {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Apns,
        Self::Fcm,
        Self::Webpush,
        Self::Huawei,
        Self::Harmony,
        Self::Honor,
        Self::Xiaomi,
        Self::Oppo,
        Self::Vivo,
        Self::Meizu,
        Self::Jpush,
    ];

    /// What the module says of itself.
    pub fn spec(self) -> &'static Spec {
        match self {
            Self::Apns => &apns::SPEC,
            Self::Fcm => &fcm::SPEC,
            Self::Webpush => &webpush::SPEC,
            Self::Huawei => &huawei::SPEC,
            Self::Harmony => &harmony::SPEC,
            Self::Honor => &honor::SPEC,
            Self::Xiaomi => &xiaomi::SPEC,
            Self::Oppo => &oppo::SPEC,
            Self::Vivo => &vivo::SPEC,
            Self::Meizu => &meizu::SPEC,
            Self::Jpush => &jpush::SPEC,
        }
    }

    /// The name in the contract.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// Where the vendor's day begins.
    pub fn day_zone(self) -> DayZone {
        self.spec().day_zone
    }

    /// When its day that `now` is in ends.
    pub fn resets_at(self, now: Millis) -> Millis {
        now.day(self.day_zone()).end(self.day_zone())
    }

    /// Until when its refusal of more messages of a class holds: its day's end. In the day's first minutes it may be the word of a
    /// clock that is behind, or about the day before, and holds for minutes only.
    pub fn refused_until(self, now: Millis) -> Millis {
        let end = self.resets_at(now);
        let early = end.0.saturating_sub(now.0) > DAY_MS - EARLY_MS;
        if early { Millis(now.0.saturating_add(EARLY_MS)) } else { end }
    }

    /// Days without a sign of life after which a device is stale.
    pub fn stale_days(self) -> u32 {
        self.spec().stale_days
    }

    /// Seconds before the next try after `tries` of them, where the vendor does not say.
    pub fn retry_secs(self, tries: u32) -> u32 {
        (self.spec().retry_secs)(tries)
    }

    /// It sorts messages into classes that are data ([`rules`]).
    pub fn sorts(self) -> bool {
        !matches!(self, Self::Apns | Self::Fcm | Self::Webpush)
    }

    /// Whether it delivers to devices that run this.
    pub fn reaches(self, platform: Platform) -> bool {
        let platforms = self.spec().platforms;
        platforms.is_empty() || platforms.contains(&platform)
    }

    /// Whether requests of this vendor may go to a host and a path (from its slash on). Checked before every fetch.
    /// `more`: what the operator lets browsers be reached through beside the known push services.
    pub fn serves(self, host: &str, path: &str, more: &Hosts) -> bool {
        if self == Self::Webpush {
            return webpush::service(host, path, more).is_some();
        }
        self.spec().hosts.contains(&host)
    }

    /// Checks a device token's form; the error says what the form is.
    pub fn token(self, text: &str) -> Result<(), &'static str> {
        (self.spec().token)(text)
    }

    /// Reads a device token into its canonical form. A browser's subscription may come as an object.
    pub fn read_token(self, field: Field) -> Result<String, Problem> {
        if self == Self::Webpush {
            return webpush::Subscription::read(field).map(|subscription| subscription.token());
        }
        let (token, at) = field.text()?;
        self.token(&token).map_err(|form| Problem::at(Code::InvalidToken, at, form))?;
        Ok(self.canonical_token(&token))
    }

    /// Whether a device may be sent to at all, whatever the app; the error says why not.
    pub fn allows(self, to: &Address, more: &Hosts) -> Result<(), &'static str> {
        if self == Self::Webpush { webpush::reaches(to, more) } else { Ok(()) }
    }

    /// How long after a device's token was first heard of the vendor may still call it dead by mistake, milliseconds.
    pub fn settling_ms(self) -> u64 {
        if self == Self::Webpush { webpush::SETTLING_MS } else { 0 }
    }

    /// Two tokens that reach the same phone compare equal in this form.
    pub fn canonical_token(self, text: &str) -> String {
        if self == Self::Apns {
            text.to_ascii_lowercase()
        } else if self == Self::Webpush {
            webpush::canonical_token(text)
        } else {
            text.to_owned()
        }
    }

    /// The vendor's JSON for a message, sized to fit.
    pub fn draft(self, brief: &Brief<'_>) -> Result<Draft, TooLarge> {
        (self.spec().draft)(brief)
    }

    /// Checks what a caller wants merged into the vendor's JSON: it may not overwrite targets, classes or our own fields.
    pub fn check_options(self, options: &Map<String, Value>, at: &str) -> Result<(), Problem> {
        let spec = self.spec();
        (spec.check_options)(options, at)?;
        kept::check(spec.kept, options, at, kept::OURS)?;
        kept::check(spec.class, options, at, kept::OURS)
    }

    /// The same for a message without text: it may not show something in another way.
    pub fn check_silent(self, options: &Map<String, Value>, at: &str) -> Result<(), Problem> {
        kept::check(self.spec().shows, options, at, kept::SILENT)
    }

    /// Checks what an app's policy wants merged as its class.
    pub fn check_class(self, class: &Map<String, Value>, at: &str) -> Result<(), Problem> {
        draft::refuse_own(class, at)?;
        kept::check(self.spec().kept, class, at, kept::OURS)
    }

    /// Whether a message shows a notification here: then the user has to allow it. Calls, widgets and the like do not ask for
    /// that permission, and a Live Activity has a switch of its own. A browser may get nothing without it.
    pub fn needs_permission(self, message: &Message) -> bool {
        let (spec, options) = (self.spec(), &message.options);
        let given = if self == Self::Apns {
            Some(&options.apns)
        } else if self == Self::Fcm {
            Some(&options.fcm)
        } else {
            options.of(self)
        };
        let by_options =
            || given.is_some_and(|given| kept::check(spec.shows, given, "", kept::SILENT).is_err());
        let shows = || message.notification.is_some() || spec.shows_only || by_options();
        self == Self::Webpush || message.kind == Kind::Alert && shows()
    }

    /// What came of a request to so many tokens.
    pub fn classify(self, reply: &Reply, tokens: usize, now: Millis) -> Split {
        let split = (self.spec().classify)(reply, tokens, now);
        if self.sorts() && !(200..=299).contains(&reply.status) {
            // A body that says yes under a status that says no is not the vendor's word.
            return split.without(
                |outcome| matches!(outcome, Outcome::Accepted { .. }),
                &Verdict::not_the_vendor(reply.status),
            );
        }
        split
    }

    /// Where the bearer comes from.
    pub fn bearer(self) -> Bearer {
        self.spec().bearer
    }

    /// The second at which this moment's step of signed bearers began: within it each stays the same.
    pub fn step(self, now: Millis) -> u64 {
        if self == Self::Apns {
            apns::step(now)
        } else if self == Self::Webpush {
            webpush::step(now)
        } else {
            0
        }
    }

    /// Whom a request's bearer is made for, where a vendor has more than one to whom it may be shown.
    pub fn audience(self, to: &Address) -> String {
        if self == Self::Webpush { webpush::audience(to) } else { String::new() }
    }

    /// Tokens that may share a call have this in common.
    pub fn lane(self, to: &Address) -> &'static str {
        if self == Self::Oppo { oppo::host(to.token.reveal()) } else { "" }
    }

    /// Whether each request is encrypted, and needs random bytes of its own.
    pub fn encrypts(self) -> bool {
        self == Self::Webpush
    }
}
