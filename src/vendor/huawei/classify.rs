//! Huawei's answer → a verdict per token. The code in the body counts, also with HTTP 200.

use serde_json::Value;

use super::codes::{ACCEPTED, NONE, SOME, by_status, said};
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
        SOME => illegal(message).into_iter().fold(Split::all(accepted()), |split, token| {
            split.but(token, Said::Gone.verdict(detail(code, Some("one of illegal_tokens"))))
        }),
        NONE => Split::all(Said::Doubtful.verdict(detail(code, Some("all of illegal_tokens")))),
        _ => {
            let said = said(code).unwrap_or_else(|| by_status(reply.status));
            Split::all(said.heeding(reply, now).verdict(detail(code, message)))
        }
    }
}

/// `msg` is JSON in a text: `{"success":2,"failure":1,"illegal_tokens":["…"]}`.
fn illegal(message: Option<&str>) -> Vec<String> {
    let inner: Value = message.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let list = inner.get("illegal_tokens").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).map(|token| token.trim().to_owned()).collect()
}
