//! Meizu's receipts: a form whose field `cb` is JSON. How its `access_token` is to be checked is not documented.
//!
//! Source: <https://github.com/MEIZUPUSH/PushAPI>

use crate::vendor::{
    receipt::{self, CLICKED, RECEIVED, Receipt, Receipts, unknown},
    said::number,
};

/// Meizu's.
pub(super) const RECEIPTS: Receipts = Receipts { read, answer: "{}", signs: false };

fn read(body: &str) -> Option<Vec<Receipt>> {
    receipt::by_message(&receipt::form_field(body, "cb")?, |report| match number(report.get("type")?)? {
        1 => Some(Ok(RECEIVED)),
        2 => Some(Ok(CLICKED)),
        code => Some(unknown(&code.to_string())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vendor page's body.
    #[test]
    fn arrivals_and_taps_are_read() {
        let body = r#"cb={"NS0001-1":{"param":"m-77","type":1,"targets":["S5Q4b7demo0001"]},"NS0001-2":{"param":"m-77","type":2,"targets":["S5Q4b7demo0002"]}}&access_token=demo"#;
        let one = |token: &str, event| Receipt {
            tag: "m-77".into(),
            tokens: vec![token.into()],
            word: Ok(event),
            at: None,
        };
        assert_eq!(read(body), Some(vec![one("S5Q4b7demo0001", RECEIVED), one("S5Q4b7demo0002", CLICKED)]));
        assert_eq!(read("access_token=demo"), None);
    }
}
