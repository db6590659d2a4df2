//! What a vendor module says of itself: one value of this type, `SPEC`. It is the one place where the modules meet.

use serde_json::{Map, Value};

use super::{
    Draft, Facts, Ids, Outbound, Split, TooLarge,
    exchange::Exchange,
    keys::{Key, Keys},
    receipt::Receipts,
};
use crate::{
    crypto::ece::Random,
    model::{
        device::{Address, Platform},
        ids::PushId,
        outcome::Reply,
        problem::Problem,
        push::Message,
        time::{DayZone, Millis},
    },
    wire::text,
};

/// How an account comes to the bearer that its requests carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bearer {
    /// Made in the isolate: signed, the same bytes on every isolate, or the operator's own secret.
    Made,
    /// Given by the `Account` object: fetched from the vendor, or signed there once for all.
    Given,
}

/// One vendor.
pub struct Spec {
    /// The name in the contract.
    pub name: &'static str,
    /// Hosts that requests go to.
    pub hosts: &'static [&'static str],
    /// Where the vendor's day begins.
    pub day_zone: DayZone,
    /// Days without a sign of life after which a device is stale.
    pub stale_days: u32,
    /// What the devices run that it delivers to; none: whatever.
    pub platforms: &'static [Platform],
    /// Most tokens of one request.
    pub list_max: usize,
    /// It has no messages that show nothing.
    pub shows_only: bool,
    /// Where the bearer comes from.
    pub bearer: Bearer,
    /// What its credential is made of, where that is a handful of texts.
    pub keys: &'static [Key],
    /// The bearer, where it is made of those texts as they are.
    pub held: Option<fn(&Keys) -> String>,
    /// How access tokens are fetched with them.
    pub exchange: Option<Exchange>,
    /// How it is told with each message where to report to; none: its console is told.
    pub called_back: Option<CalledBack>,
    /// Places in the vendor's JSON that nobody but us writes: targets, credentials, ids, and what carries our own fields.
    /// JSON pointers; in a form a field's name behind a slash.
    pub kept: &'static [&'static str],
    /// Places of the class: the app's policy writes them too, `options` do not.
    pub class: &'static [&'static str],
    /// Places where something is shown: what has one of them needs the user's permission, and of a message without text the
    /// `options` of vendors that sort messages do not write them.
    pub shows: &'static [&'static str],
    /// Seconds before the next try after so many of them, where the vendor does not say. At most an hour.
    pub retry_secs: fn(u32) -> u32,
    /// Checks a device token's form; the error says what the form is.
    pub token: fn(&str) -> Result<(), &'static str>,
    /// The vendor's JSON for a message, sized to fit.
    pub draft: fn(&Brief<'_>) -> Result<Draft, TooLarge>,
    /// Checks what a caller wants merged into the vendor's JSON, beyond those places.
    pub check_options: fn(&Map<String, Value>, &str) -> Result<(), Problem>,
    /// A request that comes before that of a list, and what is read from its answer.
    pub prepare: Option<Prepare>,
    /// The request of a call. `Err`: what is missing, in words that name the setting.
    pub request: fn(&Facts, &Call<'_>) -> Result<Outbound, &'static str>,
    /// How it reports what became of messages later; none: it does not, or how is not public.
    pub receipts: Option<Receipts>,
    /// What came of a request to so many tokens.
    pub classify: fn(&Reply, usize, Millis) -> Split,
}

/// How a vendor is told where to report to.
pub struct CalledBack {
    /// Most bytes of an address.
    pub max: usize,
    /// It takes addresses only that its console knows: the one in the credential.
    pub registered: bool,
}

/// What a draft is made of.
pub struct Brief<'a> {
    /// What is sent.
    pub message: &'a Message,
    /// Of which push.
    pub push: &'a PushId,
    /// When it was due: the same for every try.
    pub due: Millis,
    /// When.
    pub now: Millis,
    /// The class in the vendor's own words, merged into its JSON.
    pub class: &'a Map<String, Value>,
    /// Where the vendor reports to, if the vendor is told so with each message.
    pub callback: Option<&'a str>,
    /// The vendor's own name of an address that was registered in its console.
    pub receipt_id: Option<&'a str>,
}

/// One request: equal content for one token or more.
pub struct Call<'a> {
    /// The content.
    pub draft: &'a Draft,
    /// For whom; never empty.
    pub to: &'a [To<'a>],
    /// Of the call: of one delivery its own, of more the first one's name and an id made of all.
    pub ids: &'a Ids,
    /// What it carries.
    pub bearer: &'a str,
    /// Where requests are encrypted.
    pub random: Option<&'a Random>,
    /// What the request before gave.
    pub prepared: Option<&'a str>,
    /// When.
    pub now: Millis,
}

/// One token of a call.
pub struct To<'a> {
    /// Where to.
    pub address: &'a Address,
    /// The delivery's own ids.
    pub ids: &'a Ids,
}

impl Call<'_> {
    /// The tokens.
    pub fn tokens(&self) -> impl Iterator<Item = &str> {
        self.to.iter().map(|to| to.address.token.reveal())
    }

    /// The tokens as a JSON array.
    pub fn token_list(&self) -> String {
        text::write(&self.tokens().collect::<Vec<_>>())
    }

    /// The first one, or the only one.
    pub fn first(&self) -> Result<&To<'_>, &'static str> {
        self.to.first().ok_or("nobody to send to")
    }
}

/// A request that comes before that of a list.
pub struct Prepare {
    /// The request.
    pub request: fn(&Facts, &Call<'_>) -> Result<Outbound, &'static str>,
    /// What it gave; `Err`: how all of the list end.
    pub read: fn(&Reply, Millis) -> Result<String, Split>,
}

/// The usual growth of waits: 10 s, doubled with each try, at most an hour.
pub(super) fn exponential(tries: u32) -> u32 {
    (10 << tries.saturating_sub(1).min(9)).min(3_600)
}

/// A token that its vendor calls opaque: 1 to 512 letters, digits and a few others.
pub(super) fn opaque(text: &str, more: &str, form: &'static str) -> Result<(), &'static str> {
    let of = |c: char| c.is_ascii_alphanumeric() || more.contains(c);
    if (1..=512).contains(&text.len()) && text.chars().all(of) { Ok(()) } else { Err(form) }
}
