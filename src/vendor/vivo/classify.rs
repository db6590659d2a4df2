//! vivo's answer → a verdict per token. Codes marked so are from senders' code (unverified).

use serde_json::Value;

use crate::{
    model::{
        outcome::{Reply, Verdict},
        time::Millis,
    },
    vendor::{
        Split,
        said::{Codes, Said, by_status, detail, json, number, said, text},
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
    (10_071, Said::Quota), // outside the hours of marketing; unverified
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
    (10_303, Said::Rejected), // unverified
];

/// What `invalidUser.status` says.
fn status(code: Option<i64>) -> Said {
    match code {
        Some(1 | 2) => Said::Gone,
        // Inactive for 14 days (unverified), or no test user.
        Some(3 | 4) => Said::Rejected,
        // Notifications are off (unverified).
        Some(5) => Said::Muted,
        Some(_) | None => Said::Doubtful,
    }
}

/// What came of a request.
pub(super) fn classify(reply: &Reply, _tokens: usize, now: Millis) -> Split {
    match result(reply, now) {
        Err(split) => split,
        Ok(body) => {
            let accepted = Split::all(Verdict::accepted(body.get("taskId").and_then(text)));
            let users = body.get("invalidUsers").and_then(Value::as_array).into_iter().flatten();
            users.fold(accepted, |split, user| {
                let Some(token) = user.get("userid").and_then(text) else { return split };
                split.but(token, invalid(user))
            })
        }
    }
}

/// The id of a message that was saved.
pub(super) fn task(reply: &Reply) -> Result<String, Split> {
    let body = result(reply, Millis(0))?;
    body.get("taskId").and_then(text).ok_or_else(|| Split::all(Said::Down.verdict("no taskId")))
}

fn invalid(user: &Value) -> Verdict {
    let code = user.get("status").and_then(number);
    status(code).verdict(format!("invalidUser {}", code.unwrap_or_default()))
}

/// The body of a success. `Err`: how all end.
fn result(reply: &Reply, now: Millis) -> Result<Value, Split> {
    let body = json(reply)?;
    let words = body.get("desc").and_then(Value::as_str);
    Err(Split::all(match body.get("result").and_then(number) {
        Some(0) => return Ok(body),
        Some(ILLEGAL) => {
            body.get("invalidUser").map_or_else(|| Said::Doubtful.verdict(detail(ILLEGAL, words)), invalid)
        }
        Some(code) => {
            let said =
                said(CODES, code).unwrap_or(if reply.status >= 500 { Said::Down } else { Said::Rejected });
            said.heeding(reply, now).verdict(detail(code, words))
        }
        None => by_status(reply.status)
            .heeding(reply, now)
            .verdict(detail(format!("HTTP {}", reply.status), words)),
    }))
}
