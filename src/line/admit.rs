//! Step 6: begun deliveries → those the quota lets through. Pure half: when the `Account` object has to be asked,
//! and what its answer means for the deliveries.

use crate::{
    model::{app::App, delivery::Reason, push::Category, time::Millis},
    vendor::{Bearer, Vendor},
    wire::{account::Admit, ledger::To},
};

/// What has to be asked of one account: nothing where no rule limits the class and the bearer is at hand.
pub fn ask(app: &App, vendor: Vendor, category: Category, n: usize, bearer_at_hand: bool) -> Option<Admit> {
    let limit = app.policy.per_day(vendor, category);
    let bearer = match vendor.bearer() {
        Bearer::Made => false,
        Bearer::Given => !bearer_at_hand,
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

/// How a delivery ends that is not let through.
pub type Refusal = (To, Reason, Option<String>);

/// What was not granted, in a window that ends then.
pub fn no_quota(resets_at: Millis) -> Refusal {
    let detail = "the day's quota of this category at this vendor is used up";
    (To::Skipped(Some(resets_at)), Reason::Quota, Some(detail.to_owned()))
}

/// There is no bearer to send with. A wrong credential stays wrong; everything else passes.
pub fn no_bearer(reason: Reason, detail: String) -> Refusal {
    let to = if reason == Reason::Credentials { To::Failed } else { To::Retry(None) };
    (to, reason, Some(detail))
}

#[cfg(test)]
mod tests {
    use crate::model::table::gather;

    use super::*;
    use crate::{
        model::{
            app::{Credential, Limit, Policy},
            ids::AppId,
        },
        vendor::{Facts, fcm},
    };

    fn app(limit: Option<u64>) -> App {
        let facts = Facts::Fcm(fcm::Facts { project_id: "p".into(), client_email: "e".into() });
        let sealed = serde_json::from_str(r#"["00000000","",""]"#).unwrap();
        let credential = Credential { sealed, revision: 7, facts };
        let limits: Option<crate::model::table::Table<Category, Limit>> =
            limit.map(|per_day| gather([(Category::Marketing, Limit { per_day })]));
        App {
            id: AppId::parse("shop").unwrap(),
            generation: 1,
            revision: 9,
            credentials: gather([(Vendor::Fcm, credential.clone()), (Vendor::Apns, credential)]),
            policy: Policy {
                quota: limits
                    .map(|limits| gather([(Vendor::Fcm, limits.clone()), (Vendor::Apns, limits)]))
                    .unwrap_or_default(),
                ..Policy::default()
            },
            keys: Vec::new(),
            user_token_keys: Vec::new(),
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

    #[test]
    fn a_wrong_credential_fails_and_trouble_passes() {
        assert_eq!(no_bearer(Reason::Credentials, "why".into()).0, To::Failed);
        assert_eq!(no_bearer(Reason::VendorUnavailable, "why".into()).0, To::Retry(None));
        assert_eq!(no_quota(Millis(99)).0, To::Skipped(Some(Millis(99))));
    }
}
