use super::*;
use crate::{
    line::{admit::tests::app, settle::tests::batch},
    model::{govern::ClickRate, ids::DeviceId, policy::Cap, push::Category},
    vendor::Vendor,
};

/// Three phones of one user at vivo and one of another's, one of a raw token, one at APNs, one that is not sent to.
fn page() -> Batch {
    let mut page = batch(7);
    for at in 0..7 {
        let (delivery, entry) = (&mut page.page.deliveries[at], &mut page.entries[at]);
        let (user, vendor) = match at {
            0..3 => ("u", Vendor::Vivo),
            5 => ("u", Vendor::Apns),
            _ => ("other", Vendor::Vivo),
        };
        let device = DeviceId::parse(format!("d{at}")).unwrap();
        delivery.recipient = Recipient::Device(UserId::parse(user).unwrap(), device);
        delivery.vendor = Some(vendor);
        entry.address.as_mut().unwrap().vendor = vendor;
    }
    page.page.deliveries[4].recipient = Recipient::Token(0);
    page.entries[6].address = None;
    page
}

fn asked(app: &App, page: &Batch) -> Vec<(String, Vec<usize>)> {
    let all = questions(app, page);
    assert!(all.iter().all(|asked| asked.spend.devices.len() == asked.entries.len()));
    all.into_iter().map(|asked| (asked.user.to_string(), asked.entries)).collect()
}

#[test]
fn users_are_asked_once_and_only_about_what_something_limits() {
    let (mut app, mut page) = (app(None), page());
    let both = [("u".to_owned(), vec![0, 1, 2]), ("other".to_owned(), vec![3])];
    assert_eq!(asked(&app, &page), both, "vivo has a rule, APNs none");
    app.policy.per_device = Some(false);
    assert_eq!(asked(&app, &page), []);
    let cap = Cap { most: 3, window_secs: 60 };
    app.policy.caps.insert(Category::Marketing, vec![cap]);
    assert_eq!(asked(&app, &page)[0].1, [0, 1, 2, 5], "a cap counts for all devices");
    assert_eq!(questions(&app, &page)[0].spend.caps, [cap]);
    app.policy.per_device = Some(true);
    let devices = questions(&app, &page).remove(0).spend.devices;
    assert_eq!(
        devices.iter().map(|place| place.per_day).collect::<Vec<_>>(),
        [Some(2), Some(2), Some(2), None]
    );
    page.page.category = Category::Im;
    assert_eq!(asked(&app, &page), [], "nothing limits chats");
    app.policy = Policy { lower_class: true, ..Default::default() };
    page.page.deliveries[0].vendor = Some(Vendor::Oppo);
    page.entries[0].address.as_mut().unwrap().vendor = Vendor::Oppo;
    assert_eq!(asked(&app, &page), [("u".to_owned(), vec![0])], "what goes as marketing counts as marketing");
}

fn answered(page: &Batch, answers: &[Spent]) -> Said {
    let mut asked = questions(&app(None), page);
    asked[0].answers = answers.to_vec();
    asked[1].answers = vec![Spent::Counted];
    Said { governed: None, asked }
}

#[test]
fn what_may_not_pass_is_skipped_or_waits_as_the_policy_says() {
    let until = Millis(5_000);
    for (over, to) in [
        (&[][..], To::Skipped(Some(until))),
        (&[Over::Later], To::Held(Millis(65_000))),
        (&[Over::Drop], To::Skipped(Some(until))),
    ] {
        let mut page = page();
        let all = answered(&page, &[Spent::Known, Spent::User(until), Spent::Device(until)]);
        apply(&mut page, &all, over);
        let ends: Vec<_> =
            page.entries.iter().map(|entry| entry.end.clone().map(|end| (end.0, end.1))).collect();
        let refused = Some((to, Reason::Cap));
        assert_eq!(ends, [None, refused.clone(), refused, None, None, None, None]);
    }
}

fn tags(calls: &[(UserId, Call)]) -> Vec<usize> {
    calls.iter().map(|(_, call)| if let Call::Unspend(_, tags) = call { tags.len() } else { 0 }).collect()
}

#[test]
fn what_was_counted_and_not_sent_goes_back() {
    let mut page = page();
    let all = answered(&page, &[Spent::Counted, Spent::Known, Spent::Device(Millis(9))]).asked;
    assert_eq!(tags(&undone(&page, &all)), [1, 1], "only what these calls have counted");
    page.again = true;
    assert_eq!(tags(&undone(&page, &all)), [0_usize; 0], "another try keeps its place");
    let end = |at, to, reason| End {
        at,
        tries: 1,
        to,
        sent: true,
        reason,
        detail: None,
        tag: None,
        downgraded: false,
    };
    for (to, reason, back) in [
        (To::Accepted(None), None, false),
        (To::Unknown, Some(Reason::NoAnswer), false),
        (To::Retry(None), Some(Reason::RateLimited), false),
        (To::Failed, Some(Reason::Cap), false),
        (To::Failed, Some(Reason::TokenGone), false),
        (To::Failed, Some(Reason::VendorRejected), true),
        (To::Skipped(None), Some(Reason::Quota), true),
        (To::Held(Millis(9)), Some(Reason::Quota), true),
    ] {
        let ends: Vec<End> = (0..4).map(|at| end(at, to.clone(), reason)).collect();
        let expected: &[usize] = if back { &[2, 1] } else { &[] };
        let page = batch(4);
        assert_eq!(tags(&unspent(&page, &all, &ends, Millis(0))), expected, "{to:?}");
        let never = matches!(to, To::Retry(_)) || back;
        let goes = !tags(&unspent(&page, &all, &ends, page.page.expires)).is_empty();
        assert_eq!(goes, never, "{to:?}: now or never");
    }
}

#[test]
fn rules_on_what_users_do_not_care_for_are_those_of_the_category_and_of_its_campaign() {
    let (mut app, mut page) = (app(None), page());
    let (under, sends) = (ClickRate::new(0.25).unwrap(), 7);
    let rule = |campaign: Option<&str>, category, whose| Govern {
        category,
        campaign: campaign.map(str::to_owned),
        click_rate_under: under,
        sends,
        whose,
    };
    app.policy.govern = vec![
        rule(Some("spring"), Category::Marketing, Whose::User),
        rule(None, Category::Marketing, Whose::APP),
        rule(None, Category::Marketing, Whose::User),
        rule(None, Category::Im, Whose::User),
        rule(Some("autumn"), Category::Marketing, Whose::User),
    ];
    page.page.campaign = Some("spring".into());
    let mut asked = questions(&app, &page);
    assert_eq!(asked[0].entries, [0, 1, 2, 5], "all devices of the user");
    let Spend { rules, campaign, .. } = &asked[0].spend;
    let expected = [(0, true), (2, false)];
    assert_eq!(
        *rules,
        expected.map(|(at, by_campaign)| Rule { at, by_campaign, click_rate_under: under, sends })
    );
    assert_eq!(*campaign, Some(hash::tag("spring")));
    asked[0].answers = vec![Spent::Governed(0); 4];
    asked[1].answers = vec![Spent::Governed(2)];
    let said = Said { governed: None, asked };
    let end = |page: &Batch, at: usize| {
        page.entries[at].end.clone().map(|(to, reason, detail)| (to, reason, detail.unwrap()))
    };
    apply(&mut page, &said, &[Over::Later]);
    let detail = |rule| format!("too few of the last of these were clicked: policy.govern/{rule}");
    assert_eq!(end(&page, 0), Some((To::Skipped(None), Reason::Governed, detail(0))));
    assert_eq!(end(&page, 3), Some((To::Skipped(None), Reason::Governed, detail(2))));
    assert_eq!(end(&page, 4), None);
    let said = Said { governed: Some(1), ..Said::default() };
    apply(&mut page, &said, &[]);
    assert_eq!(end(&page, 4), Some((To::Skipped(None), Reason::Governed, detail(1))), "raw tokens, too");
}
