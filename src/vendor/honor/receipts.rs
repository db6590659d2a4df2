//! Honor's receipts: of Huawei's form. What its codes mean beside 0, 2 and 5 is unverified: they change nothing.

use crate::{
    model::delivery::Reason,
    vendor::receipt::{self, RECEIVED, Receipt, Receipts, SUCCESS, lost, unknown},
};

/// Honor's.
pub(super) const RECEIPTS: Receipts = Receipts { read, answer: SUCCESS, signs: false };

fn read(body: &str) -> Option<Vec<Receipt>> {
    receipt::statuses(body, |code, _| match code {
        0 => Some(Ok(RECEIVED)),
        2 | 5 => Some(Ok(lost(Reason::TokenGone, code))),
        _ => Some(unknown(&code.to_string())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Millis;

    /// The vendor page's body; and codes that are not relied on.
    #[test]
    fn three_codes_are_known() {
        let body = |status| {
            format!(
                r#"{{"statuses":[{{"appid":"104000001","token":"BAE_tokF","biTag":"m-90","requestId":"h-1","status":{status},"timestamp":1760000000456}}]}}"#
            )
        };
        let word = |status| read(&body(status)).unwrap().pop().unwrap().word;
        assert_eq!(word(0), Ok(RECEIVED));
        assert_eq!(word(2), Ok(lost(Reason::TokenGone, 2)));
        assert_eq!(word(5), Ok(lost(Reason::TokenGone, 5)));
        assert_eq!(word(6), Err("6".into()));
        assert_eq!(word(102), Err("102".into()));
        assert_eq!(read(&body(2)).unwrap()[0].at, Some(Millis(1_760_000_000_456)));
    }
}
