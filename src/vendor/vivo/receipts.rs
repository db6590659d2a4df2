//! vivo's receipts: JSON under task ids. Of `ackType` the value 0 alone is known (the others are unverified).

use crate::vendor::{
    receipt::{self, RECEIVED, Receipt, Receipts, unknown},
    said::number,
};

/// vivo's.
pub(super) const RECEIPTS: Receipts = Receipts { read, answer: "{}", signs: false };

fn read(body: &str) -> Option<Vec<Receipt>> {
    receipt::by_message(body, |report| match number(report.get("ackType")?)? {
        0 => Some(Ok(RECEIVED)),
        code => Some(unknown(&code.to_string())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Millis;

    /// The vendor page's body.
    #[test]
    fn an_arrival_is_read() {
        let body = r#"{"900001":{"param":"m-77","targets":"12345678901234567890123","ackType":"0","ackTime":1767225600000,"subCode":0}}"#;
        let tokens = vec!["12345678901234567890123".to_owned()];
        let at = Some(Millis(1_767_225_600_000));
        assert_eq!(read(body), Some(vec![Receipt { tag: "m-77".into(), tokens, word: Ok(RECEIVED), at }]));
        let other = read(&body.replace(r#""ackType":"0""#, r#""ackType":"3""#)).unwrap();
        assert_eq!(other[0].word, Err("3".into()));
        assert_eq!((read("[]"), read("")), (None, None));
    }
}
