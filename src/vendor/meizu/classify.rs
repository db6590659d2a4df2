//! Meizu's answer → a verdict per token: `value` names those that failed, by code. The same numbers can mean something else
//! there than for the whole request.

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
    (-1, Said::Down),
    (300, Said::Down),
    (500, Said::Down),
    (1_001, Said::Down),
    (1_003, Said::Down),
    (1_005, Said::Rejected),
    (1_006, Said::Credentials),
    (110_000, Said::Credentials),
    (110_001, Said::Credentials),
    (110_002, Said::Gone),
    (110_003, Said::Gone),
    (110_004, Said::Rejected),
    (110_009, Said::Credentials),
    (110_010, Said::Slow(10)),
    (110_019, Said::Quota),
    (110_031, Said::Credentials),
    (110_032, Said::Rejected),
    (110_033, Said::Credentials),
    (110_051, Said::Quota),
    (110_053, Said::Quota),
];

/// Of one token.
const TARGETS: &Codes = &[
    (201, Said::Credentials),
    (501, Said::Down),
    (513, Said::Down),
    (518, Said::Slow(10)),
    (519, Said::Down),
    (520, Said::Capped),
    (110_002, Said::Gone),
    (110_003, Said::Gone),
    (110_005, Said::Rejected),
    (110_010, Said::Muted),
    (110_011, Said::Capped),
];

/// What came of a request.
pub(super) fn classify(reply: &Reply, tokens: usize, now: Millis) -> Split {
    let body = match json(reply, now) {
        Ok(body) => body,
        Err(split) => return split,
    };
    let message = body.get("message").and_then(Value::as_str);
    match body.get("code").and_then(number) {
        Some(200) => {
            let accepted = Split::all(Verdict::accepted(body.get("msgId").and_then(text)));
            let failed = body.get("value").and_then(Value::as_object).into_iter().flatten();
            failed.fold(accepted, |split, (code, tokens)| {
                let said = code.parse().ok().and_then(|code| said(TARGETS, code)).unwrap_or(Said::Rejected);
                let tokens = tokens.as_array().into_iter().flatten().filter_map(Value::as_str);
                tokens.fold(split, |split, token| {
                    split.but(token, said.heeding(reply, now).verdict(detail(code, None)))
                })
            })
        }
        Some(code) => {
            let unknown = || if reply.status >= 500 { Said::Down } else { Said::Rejected };
            let said = said(CODES, code).unwrap_or_else(unknown).of_call(tokens);
            Split::all(said.heeding(reply, now).verdict(detail(code, message)))
        }
        None => no_code(by_status(reply.status), reply, now, message),
    }
}
