//! vivo's answer → a verdict per token. Codes marked so are from senders' code (unverified).

use std::slice::from_ref;

use serde_json::Value;

use crate::{
    model::{
        outcome::{Outcome, Reply, Verdict},
        time::Millis,
    },
    vendor::{
        Split,
        said::{Codes, Said, by_status, detail, json, no_code, number, said, text},
    },
};

/// `regId` is illegal; `invalidUser` says why.
const ILLEGAL: i64 = 10_302;

const CODES: &Codes = &[
    (10_000, Said::Renew),
    (10_040, Said::Down),     // unverified
    (10_045, Said::Slow(10)), // unverified
    (10_050, Said::Rejected), // unverified
    (10_055, Said::Rejected), // unverified
    (10_056, Said::Rejected), // unverified
    (10_058, Said::Rejected), // unverified
    (10_059, Said::Rejected), // unverified
    (10_060, Said::Rejected), // to 10069 unverified
    (10_061, Said::Rejected),
    (10_062, Said::Rejected),
    (10_063, Said::Rejected),
    (10_064, Said::Rejected),
    (10_065, Said::Rejected),
    (10_066, Said::Rejected),
    (10_067, Said::Rejected),
    (10_068, Said::Rejected),
    (10_069, Said::Rejected),
    (10_070, Said::Quota),
    (10_071, Said::Capped), // outside the hours of marketing; unverified
    (10_072, Said::Slow(10)),
    (10_078, Said::Rejected),    // unverified
    (10_082, Said::Credentials), // unverified
    (10_089, Said::Slow(60)),    // unverified
    (10_094, Said::Credentials),
    (10_096, Said::Rejected),
    (10_097, Said::Rejected),
    (10_101, Said::Rejected),    // unverified
    (10_104, Said::Rejected),    // unverified
    (10_200, Said::Credentials), // to 10205 unverified
    (10_201, Said::Credentials),
    (10_202, Said::Credentials),
    (10_203, Said::Credentials),
    (10_204, Said::Credentials),
    (10_205, Said::Credentials),
    (10_252, Said::Quota),
    (10_254, Said::Quota),
    // The id of a try before: that one may have been taken (unverified).
    (10_303, Said::Unknown),
];

/// What the `status` of an invalid user says; `unknown`: of one that is not in the table.
fn status(user: &Value, unknown: Said) -> Verdict {
    let code = user.get("status").and_then(number);
    let said = match code {
        Some(1 | 2) => Said::Gone,
        // Inactive for 14 days (unverified), or no test user.
        Some(3 | 4) => Said::Rejected,
        // Notifications are off (unverified).
        Some(5) => Said::Muted,
        Some(_) | None => unknown,
    };
    said.verdict(format!("invalidUser {}", code.unwrap_or_default()))
}

/// The users that an answer names as invalid: one, or a list of them.
fn invalid(body: &Value, unknown: Said, split: Split) -> Split {
    let named = ["invalidUser", "invalidUsers"].into_iter().filter_map(|name| body.get(name));
    let users = named.flat_map(|users| users.as_array().map_or(from_ref(users), Vec::as_slice));
    users.fold(split, |split, user| match user.get("userid").and_then(text) {
        Some(token) => split.but(token, status(user, unknown)),
        None => split,
    })
}

/// What came of a request.
pub(super) fn classify(reply: &Reply, tokens: usize, now: Millis) -> Split {
    match result(reply, tokens, now) {
        Err(split) => split,
        Ok(body) => {
            let accepted = Split::all(Verdict::accepted(body.get("taskId").and_then(text)));
            invalid(&body, Said::Rejected, accepted)
        }
    }
}

/// The id of a message that was saved. Nothing was shown yet and no token was named: what is not known of it is no more
/// than trouble.
pub(super) fn task(reply: &Reply, now: Millis) -> Result<String, Split> {
    let down = Said::Down.verdict("the message was not saved");
    let odd = |outcome: &Outcome| matches!(outcome, Outcome::Unknown | Outcome::TokenGone { .. });
    let body = result(reply, 0, now).map_err(|split| split.without(odd, &down))?;
    body.get("taskId").and_then(text).ok_or_else(|| Split::all(down))
}

/// The body of a success. `Err`: how all of so many tokens end.
fn result(reply: &Reply, tokens: usize, now: Millis) -> Result<Value, Split> {
    let body = json(reply, now)?;
    let words = body.get("desc").and_then(Value::as_str);
    Err(match body.get("result").and_then(number) {
        Some(0) => return Ok(body),
        Some(ILLEGAL) => {
            // Of one token it is said; of more only of those that are named.
            let one = body.get("invalidUser").filter(|_| tokens == 1);
            let rest = || Said::Doubtful.verdict(detail(ILLEGAL, words));
            let rest = Split::all(one.map_or_else(rest, |user| status(user, Said::Doubtful)));
            invalid(&body, Said::Doubtful, rest)
        }
        Some(code) => {
            let said =
                said(CODES, code).unwrap_or(if reply.status >= 500 { Said::Down } else { Said::Rejected });
            Split::all(said.heeding(reply, now).verdict(detail(code, words)))
        }
        None => no_code(by_status(reply.status), reply, now, words),
    })
}
