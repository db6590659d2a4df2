//! Apple's answer → a verdict: by the reason in the body, by the status where the reason is not known.

use serde_json::Value;

use crate::{
    model::{
        outcome::{Again, Certainty, Outcome, Reply, RetryWhy, Verdict},
        time::{Millis, retry_after},
    },
    vendor::words::words,
};

/// Shortest wait after the bearer changed too often, seconds.
const TOO_MANY_UPDATES: u32 = 60;

/// What came of a request. Apple puts `apns-id` on every answer and a reason into every refusal: what lacks them was
/// said by something on the way.
pub fn classify(reply: &Reply, now: Millis) -> Verdict {
    let Some(id) = reply.apns_id.as_ref().filter(|id| !id.is_empty()) else {
        return Verdict::not_the_vendor(reply.status);
    };
    if matches!(reply.status, 200..=299) {
        return Verdict::accepted(Some(id.clone()));
    }
    let Some(refusal) = Refusal::read(reply) else { return Verdict::not_the_vendor(reply.status) };
    let wait = |floor| reply.retry_after.as_deref().and_then(|value| retry_after(value, now, floor));
    let Some(outcome) = by_reason(&refusal, wait).or_else(|| by_status(reply.status, wait)) else {
        return Verdict::not_the_vendor(reply.status);
    };
    let reason = words(&refusal.reason);
    match refusal.reason.as_str() {
        "ExpiredProviderToken" => Verdict::new(
            outcome,
            format!("{reason}: the token is under 40 minutes old by our clock; look at the gateway's clock"),
        ),
        _ => Verdict::new(outcome, reason),
    }
}

struct Refusal {
    reason: String,
    since: Option<Millis>,
}

impl Refusal {
    fn read(reply: &Reply) -> Option<Self> {
        let body: Value = serde_json::from_str(&reply.body).ok().filter(|_| reply.whole)?;
        let reason = body.get("reason")?.as_str()?.to_owned();
        Some(Self { reason, since: body.get("timestamp").and_then(Value::as_u64).map(Millis) })
    }
}

/// The table of reasons. Ambiguous are those that a wrong environment or topic of ours would be answered alike.
fn by_reason(refusal: &Refusal, wait: impl Fn(u32) -> Option<u32>) -> Option<Outcome> {
    let unavailable = |after| Outcome::Retry { after, why: RetryWhy::Unavailable };
    let limited = |after| Outcome::Retry { after, why: RetryWhy::RateLimited };
    let gone = |certainty| Outcome::TokenGone { since: refusal.since, certainty };
    Some(match refusal.reason.as_str() {
        "Unregistered" | "ExpiredToken" => gone(Certainty::Certain),
        "BadDeviceToken" | "DeviceTokenNotForTopic" => gone(Certainty::Ambiguous),
        "BadCollapseId" | "BadExpirationDate" | "BadMessageId" | "BadPriority" | "BadTopic"
        | "DuplicateHeaders" | "InvalidPushType" | "MissingDeviceToken" | "MissingTopic" | "PayloadEmpty"
        | "BadPath" | "MethodNotAllowed" => Outcome::Rejected,
        // Of broadcast channels, which are not used here: listed so that they cannot be taken for something else.
        "BadChannelId"
        | "MissingChannelId"
        | "ChannelNotRegistered"
        | "FeatureNotEnabled"
        | "TopicMismatch"
        | "CannotCreateChannelConfig"
        | "MissingPushType"
        | "BadRequestParams"
        | "BadRequestPayload" => Outcome::Rejected,
        "PayloadTooLarge" => Outcome::TooLarge,
        "TopicDisallowed"
        | "BadCertificate"
        | "BadCertificateEnvironment"
        | "Forbidden"
        | "InvalidProviderToken"
        | "MissingProviderToken"
        | "BadEnvironmentKeyIdInToken" => Outcome::Credentials(Again::No),
        // A bearer is never made anew within its step: two clocks that differ would take turns. Another connection
        // may still know an unrelated key's (second-hand: a connection is bound to the key it saw first).
        "ExpiredProviderToken" | "UnrelatedKeyIdInToken" => Outcome::Credentials(Again::SameToken),
        // Whether Apple counts per connection or per key is open (vendor page, section 8): the bearer stays the same.
        "TooManyProviderTokenUpdates" => limited(Some(wait(TOO_MANY_UPDATES).unwrap_or(TOO_MANY_UPDATES))),
        "TooManyRequests" => Outcome::Retry { after: wait(1), why: RetryWhy::DeviceLimited },
        "IdleTimeout" | "InternalServerError" | "ServiceUnavailable" | "Shutdown" => unavailable(wait(1)),
        _ => return None,
    })
}

/// For reasons that are not in the table.
fn by_status(status: u16, wait: impl Fn(u32) -> Option<u32>) -> Option<Outcome> {
    Some(match status {
        // Only words that are known are certain.
        410 => Outcome::TokenGone { since: None, certainty: Certainty::Ambiguous },
        401 | 403 => Outcome::Credentials(Again::No),
        413 => Outcome::TooLarge,
        429 => Outcome::Retry { after: wait(1), why: RetryWhy::RateLimited },
        408 | 500..=599 => Outcome::Retry { after: wait(1), why: RetryWhy::Unavailable },
        400..=499 => Outcome::Rejected,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, body: &str) -> Reply {
        Reply { status, apns_id: Some("ID".into()), body: body.into(), whole: true, ..Reply::default() }
    }

    fn refused(status: u16, reason: &str) -> Verdict {
        classify(&reply(status, &format!(r#"{{"reason":"{reason}"}}"#)), Millis(0))
    }

    const NO: Outcome = Outcome::Credentials(Again::No);
    const SAME: Outcome = Outcome::Credentials(Again::SameToken);
    const DOUBT: Outcome = Outcome::TokenGone { since: None, certainty: Certainty::Ambiguous };
    const GONE: Outcome = Outcome::TokenGone { since: None, certainty: Certainty::Certain };
    const LATER: Outcome = Outcome::Retry { after: None, why: RetryWhy::Unavailable };
    const SLOWER: Outcome = Outcome::Retry { after: None, why: RetryWhy::RateLimited };
    const DEVICE: Outcome = Outcome::Retry { after: None, why: RetryWhy::DeviceLimited };
    const SLOWER_60: Outcome = Outcome::Retry { after: Some(60), why: RetryWhy::RateLimited };

    /// Every row of the vendor page's table 1.7.
    #[test]
    fn every_reason_of_the_table_has_its_outcome() {
        for (status, reason, outcome) in [
            (400, "BadCollapseId", Outcome::Rejected),
            (400, "BadDeviceToken", DOUBT),
            (400, "BadExpirationDate", Outcome::Rejected),
            (400, "BadMessageId", Outcome::Rejected),
            (400, "BadPriority", Outcome::Rejected),
            (400, "BadTopic", Outcome::Rejected),
            (400, "DeviceTokenNotForTopic", DOUBT),
            (400, "DuplicateHeaders", Outcome::Rejected),
            (400, "IdleTimeout", LATER),
            (400, "InvalidPushType", Outcome::Rejected),
            (400, "MissingDeviceToken", Outcome::Rejected),
            (400, "MissingTopic", Outcome::Rejected),
            (400, "PayloadEmpty", Outcome::Rejected),
            (400, "TopicDisallowed", NO),
            (403, "BadCertificate", NO),
            (403, "BadCertificateEnvironment", NO),
            (403, "ExpiredProviderToken", SAME),
            (403, "Forbidden", NO),
            (403, "InvalidProviderToken", NO),
            (403, "MissingProviderToken", NO),
            (403, "UnrelatedKeyIdInToken", SAME),
            (403, "BadEnvironmentKeyIdInToken", NO),
            (404, "BadPath", Outcome::Rejected),
            (405, "MethodNotAllowed", Outcome::Rejected),
            (410, "Unregistered", GONE),
            (410, "ExpiredToken", GONE),
            (413, "PayloadTooLarge", Outcome::TooLarge),
            (429, "TooManyProviderTokenUpdates", SLOWER_60),
            (429, "TooManyRequests", DEVICE),
            (500, "InternalServerError", LATER),
            (503, "ServiceUnavailable", LATER),
            (503, "Shutdown", LATER),
            (400, "BadChannelId", Outcome::Rejected),
            (400, "MissingChannelId", Outcome::Rejected),
            (400, "ChannelNotRegistered", Outcome::Rejected),
            (400, "FeatureNotEnabled", Outcome::Rejected),
            (400, "TopicMismatch", Outcome::Rejected),
            (400, "CannotCreateChannelConfig", Outcome::Rejected),
            (400, "MissingPushType", Outcome::Rejected),
            (400, "BadRequestParams", Outcome::Rejected),
            (400, "BadRequestPayload", Outcome::Rejected),
        ] {
            let verdict = refused(status, reason);
            assert_eq!(verdict.outcome, outcome, "{reason}");
            assert!(verdict.detail.unwrap().starts_with(reason));
        }
    }

    #[test]
    fn the_reason_counts_before_the_status() {
        assert_eq!(refused(400, "Unregistered").outcome, GONE);
        assert_eq!(refused(410, "TopicDisallowed").outcome, NO);
    }

    #[test]
    fn an_unknown_reason_is_kept_and_judged_by_its_status() {
        for (status, outcome) in [
            (400, Outcome::Rejected),
            (401, NO),
            (403, NO),
            (404, Outcome::Rejected),
            (408, LATER),
            (410, DOUBT),
            (413, Outcome::TooLarge),
            (429, SLOWER),
            (500, LATER),
            (507, LATER),
        ] {
            assert_eq!(refused(status, "NewInIos40"), Verdict::new(outcome, "NewInIos40"), "{status}");
        }
        let long = refused(400, &"Long words. ".repeat(100)).detail.unwrap();
        assert_eq!(long.len(), 200);
    }

    #[test]
    fn a_410_says_from_when_on() {
        let verdict =
            classify(&reply(410, r#"{"reason":"Unregistered","timestamp":1629000000123}"#), Millis(0));
        let since = Some(Millis(1_629_000_000_123));
        assert_eq!(verdict.outcome, Outcome::TokenGone { since, certainty: Certainty::Certain });
        for odd in ["\"soon\"", "-1", "null"] {
            let body = format!(r#"{{"reason":"ExpiredToken","timestamp":{odd}}}"#);
            assert_eq!(classify(&reply(410, &body), Millis(0)).outcome, GONE, "{odd}");
        }
    }

    #[test]
    fn an_acceptance_carries_apples_id_whatever_the_body() {
        for (body, whole) in [("", true), ("<html>", true), ("{\"rea", false)] {
            let reply = Reply { whole, ..reply(200, body) };
            assert_eq!(classify(&reply, Millis(0)), Verdict::accepted(Some("ID".into())));
        }
    }

    #[test]
    fn what_apple_did_not_say_is_never_a_dead_token() {
        let unregistered = r#"{"reason":"Unregistered"}"#;
        for reply in [
            Reply { apns_id: None, ..reply(410, unregistered) },
            Reply { apns_id: Some(String::new()), ..reply(410, unregistered) },
            Reply { apns_id: None, ..reply(200, "") },
            Reply { whole: false, ..reply(410, unregistered) },
            reply(410, r#"{"reason":"Unregis"#),
            reply(410, ""),
            reply(410, "{}"),
            reply(410, r#"{"reason":410}"#),
            reply(400, "<html>400 Bad Request</html>"),
            reply(500, ""),
            reply(522, "error code: 522"),
            reply(302, r#"{"reason":"Moved"}"#),
            reply(302, ""),
        ] {
            assert_eq!(classify(&reply, Millis(0)), Verdict::not_the_vendor(reply.status), "{reply:?}");
        }
    }

    #[test]
    fn an_expired_bearer_points_at_the_clock() {
        assert!(refused(403, "ExpiredProviderToken").detail.unwrap().contains("look at the gateway's clock"));
    }

    #[test]
    fn a_wait_that_is_asked_for_is_kept_above_its_floor() {
        let asked = |reason: &str, value: &str| {
            let retry_after = Some(value.to_owned());
            let reply = Reply { retry_after, ..reply(429, &format!(r#"{{"reason":"{reason}"}}"#)) };
            match classify(&reply, Millis(0)).outcome {
                Outcome::Retry { after, .. } => after,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(asked("TooManyProviderTokenUpdates", "5"), Some(60));
        assert_eq!(asked("TooManyProviderTokenUpdates", "300"), Some(300));
        assert_eq!(asked("TooManyRequests", "5"), Some(5));
        assert_eq!(asked("ServiceUnavailable", "0"), Some(1));
        assert_eq!(asked("ServiceUnavailable", "soon"), None);
    }
}
