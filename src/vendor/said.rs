//! The answers of vendors who say it with a number: each module has a table of its codes, here is what the rows mean.

use serde_json::Value;

use super::{Split, words::words};
use crate::model::{
    outcome::{Again, Certainty, Outcome, Reply, RetryWhy, Verdict},
    time::{Millis, retry_after},
};

/// What a code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// The token is dead.
    Gone,
    /// The token is dead, or our own settings are wrong.
    Doubtful,
    /// The user has switched notifications off.
    Muted,
    /// This message never passes.
    Rejected,
    /// It is too large.
    TooLarge,
    /// Our credential is wrong.
    Credentials,
    /// The access token is: one fetched anew may help.
    Renew,
    /// Slower, for so many seconds.
    Slow(u32),
    /// The vendor's day has no more of this class.
    Quota,
    /// This device has no more of it, or not now.
    Capped,
    /// The vendor is in trouble.
    Down,
    /// It may have been taken before.
    Unknown,
}

impl Said {
    /// With the wait that the answer asks for, where it asks for one.
    pub(super) fn heeding(self, reply: &Reply, now: Millis) -> Self {
        let Self::Slow(usual) = self else { return self };
        Self::Slow(asked(reply, now).unwrap_or(usual))
    }

    /// Of a call with so many tokens as a whole: which of them is dead the vendor does not say.
    pub(super) fn of_call(self, tokens: usize) -> Self {
        if self == Self::Gone && tokens > 1 { Self::Doubtful } else { self }
    }

    /// As a verdict, with words.
    pub(super) fn verdict(self, detail: impl Into<String>) -> Verdict {
        let gone = |certainty| Outcome::TokenGone { since: None, certainty };
        let outcome = match self {
            Self::Gone => gone(Certainty::Certain),
            Self::Doubtful => gone(Certainty::Ambiguous),
            Self::Muted => Outcome::Muted,
            Self::Rejected => Outcome::Rejected,
            Self::TooLarge => Outcome::TooLarge,
            Self::Credentials => Outcome::Credentials(Again::No),
            Self::Renew => Outcome::Credentials(Again::NewToken),
            Self::Slow(secs) => Outcome::Retry { after: Some(secs), why: RetryWhy::RateLimited },
            Self::Quota => Outcome::Quota,
            Self::Capped => Outcome::Capped,
            Self::Down => Outcome::Retry { after: None, why: RetryWhy::Unavailable },
            Self::Unknown => Outcome::Unknown,
        };
        Verdict::new(outcome, detail)
    }
}

/// The wait that an answer asks for, seconds.
fn asked(reply: &Reply, now: Millis) -> Option<u32> {
    reply.retry_after.as_deref().and_then(|value| retry_after(value, now, 1))
}

/// A vendor's codes.
pub(super) type Codes = [(i64, Said)];

/// What a code says, if it is known.
pub(super) fn said(codes: &Codes, code: i64) -> Option<Said> {
    codes.iter().find(|(of, _)| *of == code).map(|(_, said)| *said)
}

/// What an HTTP status says where the vendor's own code does not.
pub(super) fn by_status(status: u16) -> Said {
    match status {
        401 | 403 => Said::Credentials,
        413 => Said::TooLarge,
        429 => Said::Slow(60),
        400..=499 => Said::Rejected,
        _ => Said::Down,
    }
}

/// An answer in which the vendor gives no code: what its status says, with the vendor's words.
pub(super) fn no_code(said: Said, reply: &Reply, now: Millis, words: Option<&str>) -> Split {
    Split::all(said.heeding(reply, now).verdict(detail(format!("HTTP {}", reply.status), words)))
}

/// The answer's JSON. These vendors put their verdict into the body: a success whose body cannot be read leaves open what
/// came of it, and any other answer without one was not the vendor's; a wait that it asks for is kept all the same.
pub(super) fn json(reply: &Reply, now: Millis) -> Result<Value, Split> {
    let value =
        serde_json::from_str::<Value>(&reply.body).ok().filter(|value| reply.whole && value.is_object());
    value.ok_or_else(|| match reply.status {
        200..=299 => Split::all(Said::Unknown.verdict("an answer that cannot be read")),
        429 => no_code(Said::Slow(60), reply, now, None),
        status => {
            let after = asked(reply, now).filter(|_| status == 503);
            let outcome = Outcome::Retry { after, why: RetryWhy::Unavailable };
            Split::all(Verdict { outcome, ..Verdict::not_the_vendor(status) })
        }
    })
}

/// A number that may be written as a text.
pub(super) fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// A text that may be written as a number: ids, beyond 2^53 too.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A code with the vendor's own words.
pub(super) fn detail(code: impl std::fmt::Display, said: Option<&str>) -> String {
    match said {
        Some(said) if !said.is_empty() => format!("{code}: {}", words(said)),
        Some(_) | None => code.to_string(),
    }
}
