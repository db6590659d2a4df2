//! OPPO's answer → a verdict per token: each message of a batch has its own code.

use serde_json::Value;

use crate::{
    model::{
        outcome::{Reply, Verdict},
        time::Millis,
    },
    vendor::{
        Split,
        said::{Codes, Said, by_status, detail, json, no_code, number, said, text},
    },
};

const CODES: &Codes = &[
    (-3, Said::Down),
    (-2, Said::Slow(10)),
    (-1, Said::Down),
    (11, Said::Renew),
    (12, Said::Rejected),
    (13, Said::Slow(60)),
    (14, Said::Credentials),
    (15, Said::Credentials),
    (16, Said::Credentials),
    (17, Said::Credentials),
    (18, Said::Credentials),
    (19, Said::Credentials),
    (20, Said::Rejected),
    (21, Said::Rejected),
    (22, Said::Rejected),
    (23, Said::Rejected),
    (24, Said::Rejected),
    (25, Said::Rejected),
    (26, Said::Credentials),
    (27, Said::Credentials),
    (28, Said::Credentials),
    (29, Said::Renew),
    (30, Said::Credentials),
    (31, Said::Rejected),
    // The id of a try before: that one may have been taken.
    (32, Said::Unknown),
    (33, Said::Quota),
    (34, Said::Quota),
    (40, Said::Rejected),
    (41, Said::Rejected),
    (51, Said::Rejected),
    (55, Said::Slow(60)),
    (59, Said::Credentials),
    (67, Said::Rejected),
    (10_000, Said::Gone),
    (10_005, Said::Rejected),
];

/// What came of a request.
pub(super) fn classify(reply: &Reply, tokens: usize, now: Millis) -> Split {
    let body = match json(reply, now) {
        Ok(body) => body,
        Err(split) => return split,
    };
    let message = body.get("message").and_then(Value::as_str);
    let verdict = |code: i64, message: Option<&str>, tokens: usize| {
        let said = said(CODES, code).unwrap_or(if code > 0 { Said::Rejected } else { Said::Down });
        said.of_call(tokens).heeding(reply, now).verdict(detail(code, message))
    };
    match body.get("code").and_then(number) {
        None => no_code(by_status(reply.status), reply, now, message),
        Some(0) => {
            let items = body.get("data").and_then(Value::as_array).into_iter().flatten();
            items.fold(Split::all(Said::Unknown.verdict("not named in the answer")), |split, item| {
                let Some(token) = item.get("registrationId").and_then(Value::as_str) else { return split };
                let code = item.get("errorCode").and_then(number).filter(|code| *code != 0);
                split.but(
                    token,
                    match code {
                        Some(code) => verdict(code, item.get("errorMessage").and_then(Value::as_str), 1),
                        None => Verdict::accepted(item.get("messageId").and_then(text)),
                    },
                )
            })
        }
        Some(code) => Split::all(verdict(code, message, tokens)),
    }
}
