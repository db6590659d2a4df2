//! Honor's receipts: of Huawei's form. What its codes mean beside 0, 2 and 5 is unverified, and they are passed over.

use crate::{
    model::delivery::Reason,
    vendor::receipt::{self, RECEIVED, Receipt, Receipts, SUCCESS, lost},
};

/// Honor's.
pub(super) const RECEIPTS: Receipts = Receipts { read, answer: SUCCESS, signs: false };

fn read(body: &str) -> Option<Vec<Receipt>> {
    receipt::statuses(body, |code, _| match code {
        0 => Some(RECEIVED),
        2 | 5 => Some(lost(Reason::TokenGone, code)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vendor page's body; and codes that are not relied on.
    #[test]
    fn three_codes_are_known() {
        let body = |status| {
            format!(
                r#"{{"statuses":[{{"appid":"104000001","token":"BAE_tokF","biTag":"m-90","requestId":"h-1","status":{status},"timestamp":1760000000456}}]}}"#
            )
        };
        let event = |status| read(&body(status)).unwrap().pop().map(|one| one.event);
        assert_eq!(event(0), Some(RECEIVED));
        assert_eq!(event(2), Some(lost(Reason::TokenGone, 2)));
        assert_eq!(event(5), Some(lost(Reason::TokenGone, 5)));
        assert_eq!(event(6), None);
        assert_eq!(event(102), None);
    }
}
