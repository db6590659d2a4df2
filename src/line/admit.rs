//! Step 6: begun deliveries → those the quota lets through. Pure half: when the `Account` object has to be asked,
//! and what its answer means for the deliveries.

use super::begin::Batch;
use crate::{
    model::{
        app::App,
        delivery::{Reason, State},
        push::Category,
        time::Millis,
    },
    vendor::{Bearer, Vendor},
    wire::account::Admit,
};

/// What has to be asked of one account: nothing where no rule limits the class and the bearer is at hand.
pub fn ask(app: &App, vendor: Vendor, category: Category, n: usize, bearer_at_hand: bool) -> Option<Admit> {
    let limit = app.policy.per_day(vendor, category);
    let bearer = match vendor.bearer() {
        Bearer::Signed => false,
        Bearer::Fetched => !bearer_at_hand,
    };
    let revision = app.credentials.get(&vendor)?.revision;
    (limit.is_some() || bearer).then_some(Admit {
        category,
        n: n as u64,
        limit,
        policy: app.revision,
        bearer,
        refused: None,
        revision,
    })
}

/// Skips what was not granted: the last ones named.
pub fn granted(batch: &mut Batch, vendor: Vendor, granted: u64, resets_at: Millis) {
    let mut left = granted;
    for entry in batch.entries.iter_mut().filter(|entry| entry.under_way_at(vendor)) {
        if left > 0 {
            left -= 1;
            continue;
        }
        entry.delivery.state = State::Skipped;
        entry.delivery.reason = Some(Reason::Quota);
        entry.delivery.until = Some(resets_at);
        entry.delivery.detail = Some("the day's quota of this category at this vendor is used up".into());
    }
}

/// Fails everything under way at a vendor: there is no bearer to send with.
pub fn refused(batch: &mut Batch, vendor: Vendor, reason: Reason, detail: &str) {
    for entry in batch.entries.iter_mut().filter(|entry| entry.under_way_at(vendor)) {
        entry.delivery.state = State::Failed;
        entry.delivery.reason = Some(reason);
        entry.delivery.detail = Some(detail.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{
        model::{
            app::{Credential, Limit, Policy},
            delivery::{Delivery, Recipient},
            ids::{AppId, PushId},
        },
        vendor::{Facts, Ids, fcm},
    };

    fn app(limit: Option<u64>) -> App {
        let facts = Facts::Fcm(fcm::Facts { project_id: "p".into(), client_email: "e".into() });
        let sealed = serde_json::from_str(r#"{"key_id":"0","nonce":"","text":""}"#).unwrap();
        let credential = Credential { sealed, revision: 7, facts };
        let limits = limit.map(|per_day| BTreeMap::from([(Category::Marketing, Limit { per_day })]));
        App {
            id: AppId::parse("shop").unwrap(),
            generation: 1,
            revision: 9,
            credentials: BTreeMap::from([(Vendor::Fcm, credential.clone()), (Vendor::Apns, credential)]),
            policy: Policy {
                quota: limits
                    .map(|limits| BTreeMap::from([(Vendor::Fcm, limits.clone()), (Vendor::Apns, limits)]))
                    .unwrap_or_default(),
                ..Policy::default()
            },
            keys: Vec::new(),
            created_at: Millis(0),
            updated_at: Millis(0),
        }
    }

    #[test]
    fn nothing_is_asked_where_no_rule_limits_and_the_bearer_is_at_hand() {
        assert_eq!(ask(&app(None), Vendor::Apns, Category::Im, 1, false), None);
        assert_eq!(ask(&app(None), Vendor::Fcm, Category::Im, 1, true), None);
        assert_eq!(ask(&app(Some(5)), Vendor::Apns, Category::Im, 1, true), None);
    }

    #[test]
    fn a_rule_or_a_missing_bearer_is_a_question() {
        let limited = ask(&app(Some(5)), Vendor::Fcm, Category::Marketing, 3, true).unwrap();
        assert_eq!((limited.limit, limited.n, limited.bearer, limited.revision), (Some(5), 3, false, 7));
        let without = ask(&app(None), Vendor::Fcm, Category::Im, 1, false).unwrap();
        assert_eq!((without.limit, without.bearer), (None, true));
    }

    fn batch(n: usize) -> Batch {
        let id = PushId::new(Millis(0), [0; 10]);
        let entry = |n| super::super::begin::Entry {
            delivery: Delivery::sending(
                Recipient::Token(n),
                if n % 2 == 0 { Vendor::Fcm } else { Vendor::Apns },
                false,
            ),
            ids: Ids::new(&id, n),
            address: None,
        };
        Batch { entries: (0..n).map(entry).collect(), id, drafts: BTreeMap::new() }
    }

    #[test]
    fn what_is_not_granted_is_skipped_from_the_end() {
        let mut batch = batch(6);
        granted(&mut batch, Vendor::Fcm, 2, Millis(99));
        let states: Vec<_> = batch.entries.iter().map(|entry| entry.delivery.reason).collect();
        assert_eq!(states, [None, None, None, None, Some(Reason::Quota), None]);
        assert_eq!(batch.entries[4].delivery.until, Some(Millis(99)));
        assert_eq!((batch.under_way(Vendor::Fcm), batch.under_way(Vendor::Apns)), (2, 3));
    }

    #[test]
    fn without_a_bearer_one_vendor_fails_and_the_other_does_not() {
        let mut batch = batch(4);
        refused(&mut batch, Vendor::Fcm, Reason::Credentials, "why");
        assert_eq!((batch.under_way(Vendor::Fcm), batch.vendors()), (0, vec![Vendor::Apns]));
        assert_eq!(batch.entries[0].delivery.detail.as_deref(), Some("why"));
    }
}
