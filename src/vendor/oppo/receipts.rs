//! OPPO's receipts: a JSON array.
//!
//! Source: <https://open.oppomobile.com/new/developmentDoc>, id 11239. No signature is documented.

use serde_json::Value;

use crate::{
    model::delivery::Reason,
    vendor::receipt::{RECEIVED, Receipt, Receipts, bounded, lost, receipt, unknown},
};

/// OPPO's.
pub(super) const RECEIPTS: Receipts = Receipts { read, answer: "{}", signs: false };

fn read(body: &str) -> Option<Vec<Receipt>> {
    let body: Value = serde_json::from_str(body).ok()?;
    let word = |kind: &str| match kind {
        "push_arrive" => Ok(RECEIVED),
        "regid_invalid" => Ok(lost(Reason::TokenGone, kind)),
        "user_daily_limit" => Ok(lost(Reason::Quota, kind)),
        _ => unknown(kind),
    };
    let one = |one: &Value| {
        let word = one.get("eventType").and_then(Value::as_str).map(word);
        receipt(one.get("param"), one.get("registrationIds"), one.get("eventTime"), word)
    };
    Some(bounded(&mut body.as_array()?.iter(), &one))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Millis;

    #[test]
    fn each_event_is_read() {
        let body = |kind: &str| {
            format!(
                r#"[{{"messageId":"x-1-1-1","appId":"a1","taskId":"x-1-1-1","registrationIds":"OPPO_CN_1,OPPO_CN_2","eventTime":"1767225600000","param":"m-77","eventType":"{kind}"}}]"#
            )
        };
        for (kind, event) in [
            ("push_arrive", RECEIVED),
            ("regid_invalid", lost(Reason::TokenGone, "regid_invalid")),
            ("user_daily_limit", lost(Reason::Quota, "user_daily_limit")),
        ] {
            let tokens = vec!["OPPO_CN_1".to_owned(), "OPPO_CN_2".to_owned()];
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
        assert_eq!(read(&body("new_event")).unwrap()[0].word, Err("new_event".into()));
        assert_eq!((read("{}"), read("")), (None, None));
    }
}
