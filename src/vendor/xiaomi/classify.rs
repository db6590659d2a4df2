//! Xiaomi's answer → a verdict. Dead tokens among others are reported later, by receipt.

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

/// Sent to nobody.
const NOBODY: i64 = 20_301;

const CODES: &Codes = &[
    (-1, Said::Down),
    (1, Said::Down),
    (10_001, Said::Down),
    (10_002, Said::Down),
    (10_003, Said::Down),
    (10_008, Said::Rejected),
    (10_012, Said::Rejected),
    (10_016, Said::Rejected),
    (10_017, Said::Rejected),
    (10_018, Said::TooLarge),
    (10_020, Said::Rejected),
    (10_021, Said::Rejected),
    (10_022, Said::Slow(60)),
    (10_023, Said::Slow(60)),
    (10_024, Said::Slow(60)),
    (10_026, Said::Credentials),
    (10_027, Said::Slow(60)),
    (10_028, Said::Slow(60)),
    (10_029, Said::Gone),
    (10_030, Said::Slow(60)),
    (10_031, Said::Credentials),
    (10_032, Said::Slow(60)),
    (10_033, Said::Credentials),
    (10_034, Said::Quota),
    (10_036, Said::Rejected),
    (10_037, Said::Rejected),
    (10_038, Said::Credentials),
    (10_039, Said::Slow(60)),
    (20_209, Said::Rejected),
    (20_215, Said::Rejected),
    (20_216, Said::Rejected),
    (20_315, Said::Down),
    (20_607, Said::Down),
    (21_301, Said::Credentials),
    (21_302, Said::Credentials),
    (21_303, Said::Credentials),
    (21_305, Said::Rejected),
    (22_000, Said::Credentials),
    (22_006, Said::Credentials),
    (22_007, Said::Credentials),
    (22_008, Said::Credentials),
    (22_022, Said::Credentials),
    (22_100, Said::Rejected),
    (22_101, Said::Slow(60)),
    (22_102, Said::Down),
    (22_103, Said::Rejected),
    (26_003, Said::Down),
    (26_004, Said::Slow(60)),
    (26_005, Said::Slow(60)),
    (26_006, Said::Rejected),
    (27_001, Said::Rejected),
    (65_003, Said::Down),
    (65_006, Said::Slow(60)),
    (65_007, Said::Rejected),
    (65_008, Said::Rejected),
    (65_009, Said::TooLarge),
    (65_010, Said::Rejected),
    (65_011, Said::Rejected),
    (65_012, Said::Rejected),
    (65_013, Said::Rejected),
    (65_014, Said::TooLarge),
    (65_015, Said::TooLarge),
    (65_016, Said::Rejected),
    (65_017, Said::Rejected),
    (65_028, Said::Rejected),
    (65_029, Said::Down),
    (65_030, Said::Rejected),
    (65_035, Said::Rejected),
    (65_036, Said::Rejected),
    (65_037, Said::Rejected),
    (65_038, Said::Rejected),
    (200_001, Said::Quota),
    (200_002, Said::Slow(10)),
];

/// What came of a request.
pub(super) fn classify(reply: &Reply, tokens: usize, now: Millis) -> Split {
    let body = match json(reply, now) {
        Ok(body) => body,
        Err(split) => return split,
    };
    let word = |name: &str| body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let message = word("reason").or_else(|| word("description")).or_else(|| word("info"));
    let Some(code) = body.get("code").and_then(number) else {
        return no_code(by_status(reply.status), reply, now, message);
    };
    let data = body.get("data");
    if code == 0 && word("result") == Some("ok") {
        let id = data.and_then(|data| data.get("id")).and_then(text);
        // Unverified: it may list dead tokens here. Receipts say for sure.
        let bad = data.and_then(|data| data.get("bad_regids")).and_then(Value::as_str).unwrap_or_default();
        let bad = bad.split(',').map(str::trim).filter(|token| !token.is_empty());
        return bad.fold(Split::all(Verdict::accepted(id)), |split, token| {
            split.but(token, Said::Doubtful.verdict("one of bad_regids"))
        });
    }
    let said = match said(CODES, code) {
        _ if code == NOBODY => {
            let no_target = message.is_some_and(|text| text.to_ascii_lowercase().contains("valid target"));
            if no_target && tokens == 1 { Said::Gone } else { Said::Down }
        }
        Some(said) => said.of_call(tokens),
        None if (10_000..30_000).contains(&code) => Said::Rejected,
        None => Said::Down,
    };
    let mut words = detail(code, message);
    if code == 27_001 {
        words.push_str(": see the app's policy, classes.xiaomi");
    }
    Split::all(said.heeding(reply, now).verdict(words))
}
