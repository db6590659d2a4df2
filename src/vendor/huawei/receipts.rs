//! Huawei's receipts, versions 1 and 2, for [`super::super::harmony`] too.
//!
//! Source: <https://developer.huawei.com/consumer/cn/doc/HMSCore-Guides/msg-receipt-guide-0000001050040176>

use crate::{
    model::delivery::Reason,
    vendor::{
        receipt::{self, RECEIVED, Receipt, Receipts, SUCCESS, lost, unknown},
        said::number,
    },
    wire::ledger::Event,
};

/// Huawei's.
pub(in crate::vendor) const RECEIPTS: Receipts = Receipts { read, answer: SUCCESS, signs: true };

fn read(body: &str) -> Option<Vec<Receipt>> {
    receipt::statuses(body, |code, report| match code {
        // It waits on the phone.
        27 => None,
        // Held back by the server because of an earlier result, which stands beside it.
        201 => {
            let earlier = report.get("subStatus").and_then(number);
            Some(Ok(earlier.and_then(event).unwrap_or_else(|| lost(Reason::VendorRejected, code))))
        }
        0 => Some(Ok(RECEIVED)),
        _ => Some(event(code).map_or_else(|| unknown(&code.to_string()), Ok)),
    })
}

/// It did not arrive.
fn event(code: i64) -> Option<Event> {
    let reason = match code {
        // Uninstalled; the token is another device's or user's.
        2 | 5 => Reason::TokenGone,
        6 => Reason::PermissionOff,
        // Offline for thirty days.
        10 => Reason::Stale,
        15 => Reason::Replaced,
        14 | 51 | 188 | 191 => Reason::VendorUnavailable,
        102 | 256 | 262 => Reason::Quota,
        22 | 31 | 144 | 151 | 155 | 156 | 158 | 259 | 261 | 264 | 265 | 268 | 269 => Reason::VendorRejected,
        _ => return None,
    };
    Some(lost(reason, code))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::time::Millis, vendor::receipt::Word};

    fn said(body: &str) -> Vec<(String, Vec<String>, Word)> {
        read(body).unwrap().into_iter().map(|one| (one.tag, one.tokens, one.word)).collect()
    }

    /// The vendor page's body, version 2.
    #[test]
    fn version_2_has_its_code_and_time_in_delivery_status() {
        let body = r#"{"statuses":[{"token":"tokC","pushType":0,"appPackageName":"com.example.app","biTag":"m-88","requestId":"r9","deliveryStatus":{"result":0,"timestamp":1760000000123}}]}"#;
        assert_eq!(said(body), [("m-88".into(), vec!["tokC".into()], Ok(RECEIVED))]);
        assert_eq!(read(body).unwrap()[0].at, Some(Millis(1_760_000_000_123)));
        let first = r#"{"statuses":[{"token":"t","biTag":"m","status":2,"timestamp":1760000000456}]}"#;
        assert_eq!(read(first).unwrap()[0].at, Some(Millis(1_760_000_000_456)));
    }

    #[test]
    fn each_code_has_its_meaning_and_those_without_are_passed_over() {
        for (code, reason) in [
            (2, Reason::TokenGone),
            (5, Reason::TokenGone),
            (6, Reason::PermissionOff),
            (10, Reason::Stale),
            (14, Reason::VendorUnavailable),
            (15, Reason::Replaced),
            (22, Reason::VendorRejected),
            (31, Reason::VendorRejected),
            (51, Reason::VendorUnavailable),
            (102, Reason::Quota),
            (144, Reason::VendorRejected),
            (151, Reason::VendorRejected),
            (155, Reason::VendorRejected),
            (156, Reason::VendorRejected),
            (158, Reason::VendorRejected),
            (188, Reason::VendorUnavailable),
            (191, Reason::VendorUnavailable),
            (201, Reason::VendorRejected),
            (256, Reason::Quota),
            (259, Reason::VendorRejected),
            (261, Reason::VendorRejected),
            (262, Reason::Quota),
            (264, Reason::VendorRejected),
            (265, Reason::VendorRejected),
            (268, Reason::VendorRejected),
            (269, Reason::VendorRejected),
        ] {
            let body = format!(r#"{{"statuses":[{{"token":"t","biTag":"m","status":{code}}}]}}"#);
            assert_eq!(said(&body)[0].2, Ok(lost(reason, code)), "{code}");
        }
        let one = |rest: &str| {
            let body = format!(r#"{{"statuses":[{{"token":"t","biTag":"m",{rest}}}]}}"#);
            said(&body).pop().map(|one| one.2)
        };
        assert_eq!(one(r#""status":201,"subStatus":6"#), Some(Ok(lost(Reason::PermissionOff, 6))));
        // Held back is never arrived, whatever stands beside it.
        for beside in ["0", "27", "201", "999", "null"] {
            let held = one(&format!(r#""status":201,"subStatus":{beside}"#));
            assert_eq!(held, Some(Ok(lost(Reason::VendorRejected, 201))), "{beside}");
        }
        assert_eq!((one(r#""status":27"#), one(r#""status":"x""#)), (None, None));
        assert_eq!(one(r#""status":777"#), Some(Err("777".into())));
        assert_eq!(said(r#"{"statuses":[{"token":"t","status":0}]}"#), []);
        for body in ["", "{}", "[]", r#"{"statuses":1}"#, "null"] {
            assert_eq!(read(body), None, "{body}");
        }
    }
}
