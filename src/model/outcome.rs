//! What came of one try to send, decided by the vendor's own code.

use super::{delivery::Reason, time::Millis};

/// How sure a vendor's "this token is dead" is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// Says so and can mean nothing else.
    Certain,
    /// A wrong credential, topic or environment of ours would be answered alike.
    Ambiguous,
}

/// Why a try may be repeated later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryWhy {
    /// The vendor limits us (429 and its like).
    RateLimited,
    /// The vendor limits what this one device gets.
    DeviceLimited,
    /// The vendor, or something on the way to it, is in trouble.
    Unavailable,
}

/// What a credential fault allows at once, in the same request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// Nothing: an operator has to look.
    No,
    /// Once more with the same token (another connection may take it).
    SameToken,
    /// Once more with a token fetched anew.
    NewToken,
}

/// The end of one try. `TokenGone` alone may remove a registration, `Retry` alone may be tried again later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The vendor has it.
    Accepted {
        /// The vendor's id of the message.
        id: Option<String>,
    },
    /// The token is dead.
    TokenGone {
        /// From when on, where the vendor says so.
        since: Option<Millis>,
        /// How sure that is.
        certainty: Certainty,
    },
    /// Not now.
    Retry {
        /// Seconds the vendor asks to wait.
        after: Option<u32>,
        /// Why.
        why: RetryWhy,
    },
    /// This message will never pass.
    Rejected,
    /// The vendor measures it as too large.
    TooLarge,
    /// The vendor's day has no more messages of this class.
    Quota,
    /// This device gets no more of them, for now.
    Capped,
    /// The user has switched notifications off.
    Muted,
    /// Our keys, project or clock are wrong.
    Credentials(Again),
    /// The request left, no answer came: it may have arrived.
    Unknown,
}

/// An outcome and the vendor's own words for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What came of it.
    pub outcome: Outcome,
    /// The vendor's reason, verbatim and bounded; absent where there is nothing to say.
    pub detail: Option<String>,
    /// A request may have left for the vendor.
    pub left: bool,
}

impl Verdict {
    /// With the vendor's words.
    pub fn new(outcome: Outcome, detail: impl Into<String>) -> Self {
        Self { outcome, detail: Some(detail.into()), left: true }
    }

    /// Taken by the vendor.
    pub fn accepted(id: Option<String>) -> Self {
        Self { outcome: Outcome::Accepted { id }, detail: None, left: true }
    }

    /// Nothing has left.
    pub fn not_sent(why: &str) -> Self {
        let outcome = Outcome::Retry { after: None, why: RetryWhy::Unavailable };
        Self { left: false, ..Self::new(outcome, format!("not sent: {why}")) }
    }

    /// What may be repeated at once.
    pub fn again(&self) -> Again {
        match self.outcome {
            Outcome::Credentials(again) => again,
            Outcome::Accepted { .. }
            | Outcome::TokenGone { .. }
            | Outcome::Retry { .. }
            | Outcome::Rejected
            | Outcome::TooLarge
            | Outcome::Quota
            | Outcome::Capped
            | Outcome::Muted
            | Outcome::Unknown => Again::No,
        }
    }

    /// Trouble that can be all of the account's, and not this delivery's alone: what kind, and the wait that the vendor asks for.
    pub fn trouble(&self) -> Option<(Reason, u32)> {
        match self.outcome {
            Outcome::Retry { after, why: RetryWhy::RateLimited } => {
                Some((Reason::RateLimited, after.unwrap_or_default()))
            }
            // What has not even left says nothing of the vendor.
            Outcome::Retry { after, why: RetryWhy::Unavailable } => {
                self.left.then_some((Reason::VendorUnavailable, after.unwrap_or_default()))
            }
            Outcome::Unknown => Some((Reason::VendorUnavailable, 0)),
            Outcome::Retry { why: RetryWhy::DeviceLimited, .. }
            | Outcome::Accepted { .. }
            | Outcome::TokenGone { .. }
            | Outcome::Rejected
            | Outcome::TooLarge
            | Outcome::Quota
            | Outcome::Capped
            | Outcome::Muted
            | Outcome::Credentials(_) => None,
        }
    }

    /// Not an answer of the vendor's own: a proxy's page, an empty error, a body cut off.
    pub fn not_the_vendor(status: u16) -> Self {
        Self::new(
            Outcome::Retry { after: None, why: RetryWhy::Unavailable },
            format!("HTTP {status} from something that is not the vendor"),
        )
    }
}

/// A vendor's answer to one request, as far as it is read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Header `apns-id`.
    pub apns_id: Option<String>,
    /// Header `retry-after`, as sent.
    pub retry_after: Option<String>,
    /// Header `location`, as sent.
    pub location: Option<String>,
    /// The body, up to a bound.
    pub body: String,
    /// The body was read to its end within the bound.
    pub whole: bool,
}

/// What a try ended with on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Something answered.
    Reply(Reply),
    /// Nothing left: the request could not even be made.
    NotSent(String),
    /// It may have left; no answer came in time.
    Silence(String),
    /// Nothing left: what was looked up for it no longer held.
    Late,
}
