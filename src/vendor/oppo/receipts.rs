//! OPPO's receipts: a JSON array.
//!
//! Source: <https://open.oppomobile.com/new/developmentDoc>, id 11239. No signature is documented.

use serde_json::Value;

use crate::{
    model::delivery::Reason,
    vendor::receipt::{RECEIVED, Receipt, Receipts, lost, receipt},
};

/// OPPO's.
pub(super) const RECEIPTS: Receipts = Receipts { read, answer: "{}", signs: false };

fn read(body: &str) -> Option<Vec<Receipt>> {
    let body: Value = serde_json::from_str(body).ok()?;
    let event = |kind: &str| match kind {
        "push_arrive" => Some(RECEIVED),
        "regid_invalid" => Some(lost(Reason::TokenGone, kind)),
        "user_daily_limit" => Some(lost(Reason::Quota, kind)),
        _ => None,
    };
    let one = |one: &Value| {
        let event = one.get("eventType").and_then(Value::as_str).and_then(event);
        receipt(one.get("param"), one.get("registrationIds"), event)
    };
    Some(body.as_array()?.iter().filter_map(one).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

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
                Some(vec![Receipt { tag: "m-77".into(), tokens, event }]),
                "{kind}"
            );
        }
        assert_eq!(read(&body("new_event")), Some(Vec::new()));
        assert_eq!((read("{}"), read("")), (None, None));
    }
}
