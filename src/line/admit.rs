//! Step 6: begun deliveries → those the quota lets through. Pure half: when the `Account` object has to be asked,
//! and what its answer means for the deliveries.

use crate::{
    model::{app::App, delivery::Reason, policy::Over, push::Category, time::Millis},
    vendor::{Bearer, Vendor, rules},
    wire::{
        account::{Admit, Class, Lower},
        ledger::To,
    },
};

/// What waits for a new day waits this much longer, milliseconds: the vendor's clock may be behind.
const CLOCKS_MS: u64 = 60_000;

/// What has to be asked of one account: nothing where no rule limits the class and the bearer is at hand.
///
/// `closed`: the vendor may have refused more of it, or is in trouble. `large`: they are part of a large push.
pub fn ask(
    app: &App,
    vendor: Vendor,
    class: Class,
    n: usize,
    bearer_at_hand: bool,
    closed: bool,
    large: bool,
) -> Option<Admit> {
    let limit = app.policy.per_day(vendor, class.category);
    let bearer = match vendor.bearer() {
        Bearer::Made => false,
        Bearer::Given => !bearer_at_hand,
    };
    let revision = app.credentials.get(&vendor)?.revision;
    let rate = app.policy.per_second.get(&vendor).copied();
    let paced = large && (rate.is_some() || rules::rate(vendor).is_some());
    (closed || paced || limited(app, vendor, class) || bearer).then_some(Admit {
        n: n as u64,
        limit,
        bearer,
        rate,
        large,
        vendors: app.policy.vendors_per_day(vendor),
        ..Admit::of(class, app.revision, revision)
    })
}

/// The class that what its own does not let through goes as, where the app says so before anything else that is possible.
pub fn lower(app: &App, vendor: Vendor, category: Category, expires: Millis, now: Millis) -> Option<Lower> {
    let over = app.policy.over_quota(category);
    if first(over, category, false, vendor.resets_at(now), expires) != Some(Over::Downgrade) {
        return None;
    }
    let lowest = Category::Marketing;
    rules::class(vendor, lowest, &app.policy).ok()?;
    Some(Lower { class: class(app, vendor, lowest), limit: app.policy.per_day(vendor, lowest) })
}

/// The first of the ways that is possible for a message that a quota refuses in a window that ends then.
fn first(
    over: &[Over],
    category: Category,
    downgraded: bool,
    resets_at: Millis,
    expires: Millis,
) -> Option<Over> {
    let possible = |over: &&Over| match over {
        Over::Downgrade => !downgraded && category != Category::Marketing,
        Over::Later => next_window(resets_at) < expires,
        Over::Drop => true,
    };
    over.iter().find(possible).copied()
}

fn next_window(resets_at: Millis) -> Millis {
    Millis(resets_at.0.saturating_add(CLOCKS_MS))
}

/// What messages of a category count as at a vendor: as communication, where the vendor does not limit them for this app.
pub fn class(app: &App, vendor: Vendor, category: Category) -> Class {
    let goes_as = rules::goes_as(vendor, category, &app.policy);
    let free = goes_as == category && app.policy.is_free(vendor, category);
    Class { category, goes_as: if free { Category::Im } else { goes_as } }
}

/// Something limits a class: the app, or the vendor.
pub fn limited(app: &App, vendor: Vendor, class: Class) -> bool {
    app.policy.per_day(vendor, class.category).is_some() || rules::limits(vendor, class.goes_as)
}

/// How a delivery ends that is not let through.
pub type Refusal = (To, Reason, Option<String>);

/// When a message goes out that its vendor has refused for want of quota, in a window that ends then: at once in a lower class, or
/// in the next window; where the app says so and it still has the time.
pub fn refused(
    over: &[Over],
    category: Category,
    downgraded: bool,
    resets_at: Millis,
    expires: Millis,
    now: Millis,
) -> Option<Millis> {
    match first(over, category, downgraded, resets_at, expires)? {
        Over::Downgrade => Some(now.plus_secs(1)).filter(|at| *at < expires),
        Over::Later => Some(next_window(resets_at)),
        Over::Drop => None,
    }
}

/// When a message goes out that may not pass before then, where the app says that it waits and it still has the time.
pub fn later(over: &[Over], category: Category, until: Millis, expires: Millis) -> Option<Millis> {
    match first(over, category, true, until, expires)? {
        Over::Later => Some(next_window(until)),
        Over::Downgrade | Over::Drop => None,
    }
}

/// What was not granted in its own class or a lower one, in a window that ends then: it waits, or is not sent.
pub fn no_quota(over: &[Over], category: Category, resets_at: Millis, expires: Millis) -> Refusal {
    let detail = "the day's quota of this class at this vendor is used up";
    let to = later(over, category, resets_at, expires).map_or(To::Skipped(Some(resets_at)), To::Held);
    (to, Reason::Quota, Some(detail.to_owned()))
}

/// There is no bearer to send with. A wrong credential stays wrong; everything else passes.
pub fn no_bearer(reason: Reason, detail: String) -> Refusal {
    let to = if reason == Reason::Credentials { To::Failed } else { To::Retry(None) };
    (to, reason, Some(detail))
}

#[cfg(test)]
pub(crate) mod tests {
    use crate::model::table::gather;

    use super::*;
    use crate::{
        model::{
            app::Credential,
            ids::AppId,
            policy::{Limit, Policy},
        },
        vendor::{Facts, fcm},
    };

    pub(crate) fn app(limit: Option<u64>) -> App {
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

    fn own(category: Category) -> Class {
        Class { category, goes_as: category }
    }

    #[test]
    fn nothing_is_asked_where_no_rule_limits_and_the_bearer_is_at_hand() {
        let asked_of = |limit, vendor, at_hand, closed| {
            let app = app(limit);
            ask(&app, vendor, class(&app, vendor, Category::Im), 1, at_hand, closed, false)
        };
        let asked = |limit, vendor, at_hand| asked_of(limit, vendor, at_hand, false);
        assert!(asked_of(None, Vendor::Apns, true, true).is_some(), "the vendor has refused more");
        assert_eq!(asked(None, Vendor::Apns, false), None);
        assert_eq!(asked(None, Vendor::Fcm, true), None);
        assert_eq!(asked(Some(5), Vendor::Apns, true), None);
    }

    #[test]
    fn a_rule_or_a_missing_bearer_is_a_question() {
        let limited =
            ask(&app(Some(5)), Vendor::Fcm, own(Category::Marketing), 3, true, false, false).unwrap();
        assert_eq!((limited.limit, limited.n, limited.bearer, limited.revision), (Some(5), 3, false, 7));
        let without = ask(&app(None), Vendor::Fcm, own(Category::Im), 1, false, false, false).unwrap();
        assert_eq!((without.limit, without.bearer), (None, true));
    }

    #[test]
    fn a_large_push_asks_where_a_rate_is_known() {
        let mut app = app(None);
        let asked = |app: &App, large| {
            ask(app, Vendor::Fcm, own(Category::Im), 3, true, false, large).map(|admit| admit.rate)
        };
        assert_eq!(asked(&app, true), None, "Google names none");
        app.policy.per_second.insert(Vendor::Fcm, 50);
        assert_eq!(asked(&app, true), Some(Some(50)));
        assert_eq!(asked(&app, false), None);
    }

    #[test]
    fn a_wrong_credential_fails_and_trouble_passes() {
        assert_eq!(no_bearer(Reason::Credentials, "why".into()).0, To::Failed);
        assert_eq!(no_bearer(Reason::VendorUnavailable, "why".into()).0, To::Retry(None));
    }

    #[test]
    fn what_the_quota_refuses_waits_where_the_app_says_so_and_its_time_lasts() {
        let (tomorrow, late) = (Millis(99), Millis(1_000_000));
        let to = |over: &[Over], expires| no_quota(over, Category::Im, tomorrow, expires).0;
        assert_eq!(to(&[], late), To::Skipped(Some(tomorrow)));
        assert_eq!(to(&[Over::Drop, Over::Later], late), To::Skipped(Some(tomorrow)));
        assert_eq!(to(&[Over::Later], late), To::Held(Millis(60_099)));
        assert_eq!(to(&[Over::Later], Millis(60_099)), To::Skipped(Some(tomorrow)));
        assert_eq!(to(&[Over::Later, Over::Drop], Millis(60_099)), To::Skipped(Some(tomorrow)));
        assert_eq!(
            to(&[Over::Downgrade, Over::Later], late),
            To::Held(Millis(60_099)),
            "the lower class, too"
        );
    }

    #[test]
    fn what_its_own_class_refuses_goes_lower_where_the_app_says_so_first() {
        let vivo = |over: &[Over], category, expires| {
            let mut app = app(None);
            app.policy.over_quota.insert(category, over.to_vec());
            lower(&app, Vendor::Vivo, category, expires, Millis(0)).map(|lower| lower.class.goes_as)
        };
        let (soon, late) = (Millis(1), Millis(9_000_000_000));
        let goes = Some(Category::Marketing);
        assert_eq!(vivo(&[Over::Downgrade], Category::Im, soon), goes);
        assert_eq!(vivo(&[Over::Later, Over::Downgrade], Category::Im, soon), goes, "it has no time to wait");
        assert_eq!(vivo(&[Over::Later, Over::Downgrade], Category::Im, late), None);
        assert_eq!(vivo(&[Over::Drop, Over::Downgrade], Category::Im, soon), None);
        assert_eq!(vivo(&[Over::Downgrade], Category::Marketing, soon), None, "there is no lower one");
        let at =
            |over: &[Over], downgraded| refused(over, Category::Im, downgraded, Millis(99), late, Millis(5));
        assert_eq!(at(&[Over::Downgrade, Over::Later], false), Some(Millis(1_005)));
        assert_eq!(at(&[Over::Downgrade, Over::Later], true), Some(Millis(60_099)));
        assert_eq!(at(&[Over::Downgrade], true), None);
    }

    #[test]
    fn what_the_vendor_does_not_limit_for_the_app_counts_as_communication() {
        let mut app = app(None);
        let free = crate::model::policy::VendorQuota { per_day: Some(7), free: vec![Category::Follow] };
        app.policy.vendor_quota.insert(Vendor::Vivo, free);
        let of = |category| class(&app, Vendor::Vivo, category);
        assert!(!limited(&app, Vendor::Vivo, of(Category::Follow)));
        assert!(limited(&app, Vendor::Vivo, of(Category::Marketing)));
        app.policy.lower_class = true;
        assert_eq!(class(&app, Vendor::Vivo, Category::Follow).goes_as, Category::Im);
        app.policy.vendor_quota.get_mut(&Vendor::Vivo).unwrap().free = vec![Category::Im];
        assert!(limited(&app, Vendor::Vivo, class(&app, Vendor::Vivo, Category::Follow)));
    }

    #[test]
    fn what_goes_as_marketing_is_limited_as_marketing_is() {
        let app = app(None);
        let limited = |category, goes_as| limited(&app, Vendor::Vivo, Class { category, goes_as });
        assert!(limited(Category::Order, Category::Marketing));
        assert!(!limited(Category::Order, Category::Order));
    }
}
