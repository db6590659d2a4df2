//! A push service's answer → a verdict: by the service's own words, then by the status that RFC 8030 gives them. Which
//! service spoke shows in how it speaks: Mozilla has an `errno`, Apple a `reason`, Google sentences, Microsoft nothing.

use serde_json::Value;

use crate::{
    model::{
        outcome::{Again, Certainty, Outcome, Reply, RetryWhy, Verdict},
        time::{Millis, retry_after},
    },
    vendor::words::words,
};

/// Longest message id that is kept: one that is cut is of no use.
const ID_MAX: usize = 255;

/// What came of a request.
pub fn classify(reply: &Reply, now: Millis) -> Verdict {
    if matches!(reply.status, 200..=299) {
        return Verdict::accepted(message_id(reply));
    }
    let asked = reply.retry_after.as_deref().and_then(|value| retry_after(value, now, 1));
    let said = Said::read(reply);
    let Some(outcome) = said.outcome(asked).or_else(|| by_status(reply.status, &said, asked)) else {
        return Verdict::not_the_vendor(reply.status);
    };
    Verdict::new(outcome, said.detail(reply.status))
}

/// Apple's id, else the last part of `Location` (RFC 8030 section 5), as text.
fn message_id(reply: &Reply) -> Option<String> {
    let of_location = |location: &str| location.rsplit('/').next().map(str::to_owned);
    let id = reply.apns_id.clone().or_else(|| reply.location.as_deref().and_then(of_location));
    id.filter(|id| (1..=ID_MAX).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic()))
}

/// What an answer says.
enum Said {
    /// Mozilla: a number and a sentence.
    Mozilla(Option<u64>, String),
    /// Apple: a reason.
    Apple(String),
    /// Google, and everybody else: a sentence, or nothing.
    Text(String),
    /// A page: of a proxy, or of one that serves more than push.
    Page(String),
    /// Cut off: it may say anything.
    Unreadable,
}

impl Said {
    fn read(reply: &Reply) -> Self {
        if !reply.whole {
            return Self::Unreadable;
        }
        let text = reply.body.trim();
        let json: Value = serde_json::from_str(text).unwrap_or_default();
        let field = |name: &str| json.get(name).and_then(Value::as_str).map(str::to_owned);
        if let Some(errno) = json.get("errno") {
            Self::Mozilla(errno.as_u64(), field("message").unwrap_or_default())
        } else if let Some(reason) = field("reason") {
            Self::Apple(reason)
        } else if text.starts_with('<') {
            Self::Page(text.to_owned())
        } else {
            Self::Text(text.to_owned())
        }
    }

    /// By the words. `None`: they are not known.
    fn outcome(&self, asked: Option<u32>) -> Option<Outcome> {
        match self {
            Self::Mozilla(errno, message) => mozilla((*errno)?, message, asked),
            Self::Apple(reason) => apple(reason, asked),
            Self::Text(text) | Self::Page(text) => google(text),
            Self::Unreadable => None,
        }
    }

    /// The words, bounded, and without addresses: an endpoint is a secret.
    fn detail(&self, status: u16) -> String {
        match self {
            Self::Mozilla(Some(errno), message) => format!("errno {errno}: {}", shown(message)),
            Self::Mozilla(None, text) | Self::Text(text) if !text.is_empty() => {
                format!("HTTP {status}: {}", shown(text))
            }
            Self::Apple(reason) if reason == "BadJwtToken" => {
                format!("{reason}: look at the credential's `subject` and at the gateway's clock")
            }
            Self::Apple(reason) => shown(reason),
            Self::Mozilla(None, _) | Self::Text(_) | Self::Page(_) | Self::Unreadable => {
                format!("HTTP {status}")
            }
        }
    }
}

fn shown(text: &str) -> String {
    let kept = text.split_whitespace().map(|word| if word.contains("://") { "…" } else { word });
    words(&kept.collect::<Vec<_>>().join(" "))
}

fn gone(certainty: Certainty) -> Outcome {
    Outcome::TokenGone { since: None, certainty }
}

/// The subscription was made with another key than ours: so will all of them be, if ours is the wrong one.
fn other_key() -> Outcome {
    gone(Certainty::Ambiguous)
}

fn limited(after: Option<u32>) -> Outcome {
    Outcome::Retry { after, why: RetryWhy::RateLimited }
}

fn unavailable(after: Option<u32>) -> Outcome {
    Outcome::Retry { after, why: RetryWhy::Unavailable }
}

/// Mozilla's numbers (autopush-rs, `docs/src/errors.md` and `autoendpoint/src/error.rs`).
fn mozilla(errno: u64, message: &str, asked: Option<u32>) -> Option<Outcome> {
    Some(match errno {
        101 | 110..=114 => Outcome::Rejected,
        102 | 103 | 105 | 106 | 108 => gone(Certainty::Certain),
        104 => Outcome::TooLarge,
        109 if message.contains("public key mismatch") => other_key(),
        109 => Outcome::Credentials(Again::No),
        201 | 900..=903 | 999 => unavailable(asked),
        202 => unavailable(asked.or(Some(1))),
        _ => return None,
    })
}

/// Apple's reasons.
fn apple(reason: &str, asked: Option<u32>) -> Option<Outcome> {
    Some(match reason {
        "BadTtl" | "BadUrgency" | "BadWebPushTopic" | "BadWebPushRequest" => Outcome::Rejected,
        "BadJwtToken" | "BadVapidPublicKey" => Outcome::Credentials(Again::No),
        "VapidPkHashMismatch" => other_key(),
        "Unregistered" | "ExpiredToken" => gone(Certainty::Certain),
        "BadDeviceToken" => gone(Certainty::Ambiguous),
        "PayloadTooLarge" => Outcome::TooLarge,
        "TooManyRequests" => limited(asked),
        "InternalServerError" | "ServiceUnavailable" | "Shutdown" => unavailable(asked),
        _ => return None,
    })
}

/// Google's sentences, and the titles of its older pages: as senders have written them down.
fn google(text: &str) -> Option<Outcome> {
    let says = |words: &str| text.contains(words);
    if says("push subscription has unsubscribed or expired")
        || says("A valid push subscription endpoint should be specified")
        || says("<TITLE>NotRegistered</TITLE>")
    {
        Some(gone(Certainty::Certain))
    } else if says("do not correspond to the credentials used to create the subscription")
        || says("does not correspond to the sender ID used to subscribe this user")
    {
        Some(other_key())
    } else if says("authorization header must be specified")
        || says("<TITLE>UnauthorizedRegistration</TITLE>")
    {
        Some(Outcome::Credentials(Again::No))
    } else {
        None
    }
}

/// By the status (RFC 8030 sections 5 to 8; 406 is Microsoft's 429). A page, and what was cut off, was said by
/// something on the way; a 404 that says nothing known could have been. `None`: not the service's word.
fn by_status(status: u16, said: &Said, asked: Option<u32>) -> Option<Outcome> {
    let readable = match said {
        Said::Mozilla(..) | Said::Apple(_) | Said::Text(_) => true,
        Said::Page(_) | Said::Unreadable => false,
    };
    match status {
        429 => Some(limited(asked)),
        408 | 500.. => Some(unavailable(asked)),
        _ if !readable => None,
        401 | 403 => Some(Outcome::Credentials(Again::No)),
        404 => Some(gone(Certainty::Ambiguous)),
        406 => Some(limited(asked)),
        410 => Some(gone(Certainty::Certain)),
        413 => Some(Outcome::TooLarge),
        _ => Some(Outcome::Rejected),
    }
}
