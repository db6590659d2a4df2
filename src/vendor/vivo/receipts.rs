//! vivo's receipts: JSON under task ids. Of `ackType` the value 0 alone is known (the others are unverified and passed over).

use crate::vendor::{
    receipt::{self, RECEIVED, Receipt, Receipts},
    said::number,
};

/// vivo's.
pub(super) const RECEIPTS: Receipts = Receipts { read, answer: "{}", signs: false };

fn read(body: &str) -> Option<Vec<Receipt>> {
    receipt::by_message(body, |report| (number(report.get("ackType")?)? == 0).then_some(RECEIVED))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vendor page's body.
    #[test]
    fn an_arrival_is_read() {
        let body = r#"{"900001":{"param":"m-77","targets":"12345678901234567890123","ackType":"0","ackTime":1767225600000,"subCode":0}}"#;
        let tokens = vec!["12345678901234567890123".to_owned()];
        assert_eq!(read(body), Some(vec![Receipt { tag: "m-77".into(), tokens, event: RECEIVED }]));
        assert_eq!(read(&body.replace(r#""ackType":"0""#, r#""ackType":"3""#)), Some(Vec::new()));
        assert_eq!((read("[]"), read("")), (None, None));
    }
}
