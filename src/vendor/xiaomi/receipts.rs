//! Xiaomi's receipts: a form whose field `data` is JSON.
//!
//! Source: <https://dev.mi.com/xiaomihyperos/documentation/detail?pId=1558>. No signature is documented (unverified).

use crate::{
    model::delivery::Reason,
    vendor::{
        receipt::{self, CLICKED, RECEIVED, Receipt, Receipts, lost, unknown},
        said::number,
    },
};

/// Xiaomi's.
pub(super) const RECEIPTS: Receipts = Receipts { read, answer: "{}", signs: false };

fn read(body: &str) -> Option<Vec<Receipt>> {
    receipt::by_message(&receipt::form_field(body, "data")?, |report| {
        let code = number(report.get("type")?)?;
        Some(Ok(match code {
            1 => RECEIVED,
            2 => CLICKED,
            // The app has registered anew (unverified): the phone is there, and will bring its new token.
            16 if report.get("replaceTarget").is_some_and(|by| !by.is_null()) => {
                lost(Reason::VendorRejected, "16, with replaceTarget")
            }
            16 => lost(Reason::TokenGone, code),
            // Push switched off in the app; left out by the message's own filters (both unverified).
            32 | 64 => lost(Reason::VendorRejected, code),
            128 => lost(Reason::Quota, code),
            _ => return Some(unknown(&code.to_string())),
        }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Millis;

    #[test]
    fn each_bit_is_read_from_the_form() {
        let body = |kind: &str| {
            format!(
                "data=%7B%22sdm0001x%22%3A%7B%22type%22%3A{kind}%2C%22param%22%3A%22m-77%22%2C%22targets%22%3A%22rid-A%2Crid-B%22%2C%22timestamp%22%3A1767225600000%2C%22jobkey%22%3A%22j1%22%7D%7D"
            )
        };
        for (kind, event) in [
            ("1", RECEIVED),
            ("2", CLICKED),
            ("16", lost(Reason::TokenGone, 16)),
            ("32", lost(Reason::VendorRejected, 32)),
            ("64", lost(Reason::VendorRejected, 64)),
            ("128", lost(Reason::Quota, 128)),
        ] {
            let tokens = vec!["rid-A".to_owned(), "rid-B".to_owned()];
            assert_eq!(
                read(&body(kind)),
                Some(vec![Receipt {
                    tag: "m-77".into(),
                    tokens,
                    word: Ok(event),
                    at: Some(Millis(1_767_225_600_000))
                }]),
                "{kind}"
            );
        }
        assert_eq!(read(&body("3")).unwrap()[0].word, Err("3".into()));
        let moved = body("16%2C%22replaceTarget%22%3A%7B%22rid-A%22%3A%22rid-C%22%7D");
        let word = lost(Reason::VendorRejected, "16, with replaceTarget");
        assert_eq!(read(&moved).unwrap()[0].word, Ok(word), "never removed");
        for bad in ["", "data=", "data=%7B", "other=%7B%7D", "data=%FF", "data=[]"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
