//! JPush's answer → a verdict. HTTP 200 is a success, everything else is not.

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

/// A value is wrong: maybe registration ids, which are named then.
const VALUE: i64 = 1_003;
/// None of the targets is one.
const NOBODY: i64 = 1_011;

const CODES: &Codes = &[
    (1_000, Said::Down),
    (1_001, Said::Rejected),
    (1_002, Said::Rejected),
    (VALUE, Said::Rejected),
    (1_004, Said::Credentials),
    (1_005, Said::TooLarge),
    (1_008, Said::Credentials),
    (1_009, Said::Rejected),
    // Unknown, of another platform, or silent for 255 days: or the key is of another app.
    (NOBODY, Said::Doubtful),
    // Too quick for a fixed speed; or, where `options` ask for the makers' channels alone, one maker's quota.
    (1_012, Said::Slow(60)),
    (1_020, Said::Rejected),
    (1_030, Said::Down),
    (1_035, Said::Rejected),
    (2_002, Said::Slow(60)),
    (2_003, Said::Credentials),
    (2_004, Said::Credentials),
    (2_005, Said::Slow(60)),
    (2_006, Said::Rejected),
    (2_007, Said::Rejected),
    (2_008, Said::Quota),
    (7_000, Said::Down),
    (7_001, Said::Credentials),
    (7_002, Said::Rejected),
    (7_004, Said::Credentials),
    (7_008, Said::Credentials),
    (7_013, Said::Rejected),
    (7_030, Said::Down),
];

/// What came of a request.
pub(super) fn classify(reply: &Reply, tokens: usize, now: Millis) -> Split {
    let body = match json(reply, now) {
        Ok(body) => body,
        Err(split) => return split,
    };
    let error = body.get("error");
    let message = error.and_then(|error| error.get("message")).and_then(Value::as_str);
    let code = error.and_then(|error| error.get("code")).and_then(number);
    let illegal = body.get("illegal_rids").or_else(|| error.and_then(|error| error.get("illegal_rids")));
    let mut illegal =
        illegal.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).peekable();
    let rest = match code {
        _ if reply.status == 200 => Split::all(Verdict::accepted(body.get("msg_id").and_then(text))),
        None => no_code(by_status(reply.status), reply, now, message),
        // Nobody got it: the others are tried again, without those.
        Some(VALUE) if illegal.peek().is_some() => {
            let why = "other registration ids of the same call are illegal";
            Split::all(Said::Down.verdict(detail(VALUE, Some(why))))
        }
        Some(code) => {
            let said = said(CODES, code).unwrap_or_else(|| by_status(reply.status));
            // The only id, if the words are about ids (the words are unverified); else it may be any value.
            let ids = message.is_some_and(|words| words.to_ascii_lowercase().contains("registration"));
            let said = if code == VALUE && tokens == 1 && ids { Said::Doubtful } else { said };
            Split::all(said.heeding(reply, now).verdict(detail(code, message)))
        }
    };
    illegal.fold(rest, |split, token| split.but(token, Said::Gone.verdict("one of illegal_rids")))
}
