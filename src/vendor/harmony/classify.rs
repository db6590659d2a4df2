//! The answer of API v3 → a verdict per token: refused tokens are grouped by reason.

use serde_json::Value;

use super::super::huawei::codes::{ACCEPTED, NONE, SOME, by_status, said};
use crate::{
    model::{
        outcome::{Reply, Verdict},
        time::Millis,
    },
    vendor::{
        Split,
        said::{Said, detail, json, no_code, number, text},
    },
};

/// What a reason says, if only some tokens have it.
const REASONS: &[(&str, Said)] = &[
    ("tokenFormatError", Said::Gone),
    ("tokenPlatformNotSupport", Said::Gone),
    ("noRight", Said::Gone),
    ("noPushTypeRight", Said::Rejected),
    ("atomicUnableSendUnsubscribedMsg", Said::Rejected),
    ("countryNotSupport", Said::Rejected),
    ("disableSendHuaweiMsgBecauseOfPenalty", Said::Credentials),
    ("differentImgVerifyPolicy", Said::Rejected),
    ("appinfoError", Said::Down),
    ("notSupportPlayVoice", Said::Rejected),
    ("noRightToSendThisLiveNotificationEvent", Said::Rejected),
];

/// What came of a request.
pub(super) fn classify(reply: &Reply, _tokens: usize, now: Millis) -> Split {
    let body = match json(reply, now) {
        Ok(body) => body,
        Err(split) => return split,
    };
    let message = body.get("msg").and_then(Value::as_str);
    let accepted = || Verdict::accepted(body.get("requestId").and_then(text));
    let Some(code) = body.get("code").and_then(number) else {
        return no_code(by_status(reply.status), reply, now, message);
    };
    match code {
        ACCEPTED => Split::all(accepted()),
        SOME => illegal(message, false)
            .into_iter()
            .fold(Split::all(accepted()), |split, (token, verdict)| split.but(token, verdict)),
        NONE => {
            let rest = Split::all(Said::Doubtful.verdict(detail(code, Some("all of illegalTokens"))));
            illegal(message, true).into_iter().fold(rest, |split, (token, verdict)| split.but(token, verdict))
        }
        _ => {
            let said = said(code).unwrap_or_else(|| by_status(reply.status));
            Split::all(said.heeding(reply, now).verdict(detail(code, message)))
        }
    }
}

/// `msg` is JSON in a text: `{"illegalTokens":{"<reason>":["…"]}}`, the reasons sometimes with blanks around. If `all` were
/// refused, a missing right is rather that of our project, and a wrong form may be that of a wrong project's tokens.
fn illegal(message: Option<&str>, all: bool) -> Vec<(String, Verdict)> {
    let inner: Value = message.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let reasons = inner.get("illegalTokens").and_then(Value::as_object);
    let mut verdicts = Vec::new();
    for (reason, tokens) in reasons.into_iter().flatten() {
        let reason = reason.trim();
        let known = REASONS.iter().find(|(of, _)| *of == reason).map_or(Said::Rejected, |(_, said)| *said);
        let said = match (known, reason) {
            (Said::Gone, "noRight") if all => Said::Credentials,
            (Said::Gone, _) if all => Said::Doubtful,
            (known, _) => known,
        };
        for token in tokens.as_array().into_iter().flatten().filter_map(Value::as_str) {
            verdicts.push((token.trim().to_owned(), said.verdict(detail(reason, None))));
        }
    }
    verdicts
}
