//! Honor's answer → a verdict per token: by the HTTP status, then by the lists, then by the code. Codes other than 200 are
//! Huawei's, as other senders have seen them here (unverified).

use serde_json::Value;

use super::super::huawei::codes::{ACCEPTED, NONE, SOME, by_status, said};
use crate::{
    model::{
        outcome::{Reply, Verdict},
        time::Millis,
    },
    vendor::{
        Split,
        said::{Said, detail, json, number, text},
    },
};

/// What came of a request.
pub(super) fn classify(reply: &Reply, _tokens: usize, now: Millis) -> Split {
    let body = match json(reply, now) {
        Ok(body) => body,
        Err(split) => return split,
    };
    let message = body.get("message").and_then(Value::as_str);
    let code = body.get("code").and_then(number);
    let data = body.get("data");
    let id = data.and_then(|data| data.get("requestId")).and_then(text);
    let none = data.and_then(|data| data.get("sendResult")).and_then(Value::as_bool) == Some(false);
    let named =
        detail(code.map_or_else(|| format!("HTTP {}", reply.status), |code| code.to_string()), message);
    let rest = match code {
        _ if matches!(reply.status, 401 | 403) => Said::Renew.verdict(named),
        _ if reply.status >= 400 && !matches!(code, Some(SOME | NONE)) => {
            let by_code = code.and_then(said);
            by_code.unwrap_or_else(|| by_status(reply.status)).heeding(reply, now).verdict(named)
        }
        Some(200 | ACCEPTED | SOME) if none => Said::Down.verdict("sendResult is false: nothing was sent"),
        Some(200 | ACCEPTED | SOME) => Verdict::accepted(id),
        Some(NONE) => Said::Down.verdict(named),
        Some(code) => said(code).unwrap_or(Said::Down).heeding(reply, now).verdict(named),
        None => Said::Down.verdict(named),
    };
    let listed = |name: &str| {
        let list = data.and_then(|data| data.get(name)).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
    };
    let mut split = Split::all(rest);
    for token in listed("expireTokens") {
        split = split.but(token, Said::Gone.verdict("one of expireTokens"));
    }
    for token in listed("failTokens") {
        split = split.but(token, Said::Down.verdict("one of failTokens"));
    }
    split
}
