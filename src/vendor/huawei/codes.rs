//! Huawei's codes, which HarmonyOS NEXT shares; Honor's API is made after them.

use super::super::said::{self, Codes, Said};

/// Accepted.
pub(in super::super) const ACCEPTED: i64 = 80_000_000;
/// Some tokens were refused, and are named in `msg`.
pub(in super::super) const SOME: i64 = 80_100_000;
/// All tokens were refused.
pub(in super::super) const NONE: i64 = 80_300_007;

/// The rest, but for those of topics and groups.
const CODES: &Codes = &[
    (80_100_001, Said::Rejected),
    (80_100_002, Said::Rejected),
    (80_100_003, Said::Rejected),
    (80_100_004, Said::Rejected),
    (80_100_013, Said::Rejected),
    (80_100_016, Said::Rejected),
    (80_100_017, Said::Slow(60)),
    (80_100_018, Said::Rejected),
    (80_100_020, Said::Rejected),
    (80_100_022, Said::Rejected),
    (80_200_001, Said::Credentials),
    (80_200_003, Said::Renew),
    (80_200_005, Said::Renew),
    (80_300_002, Said::Credentials),
    (80_300_008, Said::TooLarge),
    (80_300_010, Said::Rejected),
    (80_300_011, Said::Rejected),
    (80_300_013, Said::Rejected),
    (80_300_017, Said::Rejected),
    (80_300_028, Said::Rejected),
    (80_300_029, Said::Slow(60)),
    (80_300_030, Said::Rejected),
    (80_300_032, Said::Rejected),
    (80_300_036, Said::Credentials),
    (80_300_037, Said::Credentials),
    (80_600_003, Said::Credentials),
    (81_000_001, Said::Down),
];

/// What a code says, if it is known.
pub(in super::super) fn said(code: i64) -> Option<Said> {
    let topic = (82_000_001..=82_000_013).contains(&code).then_some(Said::Rejected);
    topic.or_else(|| said::said(CODES, code))
}

/// What an HTTP status says where the code does not: 503 is flow control, 401 an access token that is none.
pub(in super::super) fn by_status(status: u16) -> Said {
    match status {
        401 => Said::Renew,
        503 => Said::Slow(60),
        other => said::by_status(other),
    }
}
