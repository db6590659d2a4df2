use super::*;
use crate::{
    line::begin::Entry,
    model::{
        ids::{DeviceId, PushId},
        outcome::Again,
        page::Part,
        push::{Category, OnUnknown},
        secret::Secret,
    },
    object::ledger::page,
    vendor::Ids,
};

fn address(n: usize) -> Address {
    Address { vendor: Vendor::Apns, token: Secret::new(format!("t{n}")), environment: None, topic: None }
}

pub(crate) fn batch(n: usize) -> Batch {
    let id = PushId::new(Millis(0), [0; 10]);
    let recipient =
        |n: usize| Recipient::Device(UserId::parse(format!("u{n}")).unwrap(), DeviceId::parse("d").unwrap());
    let sending = |n| Delivery::sending(recipient(n), Vendor::Apns, None, false, Millis(0));
    let page = Page {
        push: id.clone(),
        part: Part::Whole,
        category: Category::Marketing,
        campaign: None,
        due: Millis(0),
        expires: Millis(86_400_000),
        on_unknown: OnUnknown::Keep,
        body: None,
        took: 0,
        deliveries: (0..n).map(sending).collect(),
    };
    let entry = |n: usize| Entry {
        ids: Ids::new(&id, n),
        address: Some(address(n)),
        end: None,
        tried: false,
        downgraded: false,
    };
    Batch {
        page,
        entries: (0..n).map(entry).collect(),
        drafts: Table::new(),
        lower: Table::new(),
        again: false,
    }
}

fn gone(certainty: Certainty) -> Outcome {
    Outcome::TokenGone { since: Some(Millis(7)), certainty }
}

fn run(outcomes: Vec<Outcome>) -> (Page, Aftermath) {
    let mut batch = batch(outcomes.len());
    let tried = outcomes.into_iter().enumerate().map(|(entry, outcome)| Tried {
        entry,
        blame: "b".into(),
        verdict: Verdict::new(outcome, "words"),
    });
    let (ends, after) = settle(&batch, tried.collect(), &[], Millis(1_000));
    page::settle(&mut batch.page, &ends, Millis(1_000));
    (batch.page, after)
}

#[test]
fn every_outcome_has_one_state() {
    let (page, after) = run(vec![
        Outcome::Accepted { id: Some("v".into()) },
        gone(Certainty::Certain),
        Outcome::Retry { after: Some(60), why: RetryWhy::RateLimited },
        Outcome::Retry { after: None, why: RetryWhy::Unavailable },
        Outcome::Rejected,
        Outcome::TooLarge,
        Outcome::Credentials(Again::No),
        Outcome::Unknown,
    ]);
    let states: Vec<_> = page.deliveries.iter().map(|delivery| (delivery.state, delivery.reason)).collect();
    assert_eq!(
        states,
        [
            (State::Accepted, None),
            (State::Failed, Some(Reason::TokenGone)),
            (State::Retrying, Some(Reason::RateLimited)),
            (State::Retrying, Some(Reason::VendorUnavailable)),
            (State::Failed, Some(Reason::VendorRejected)),
            (State::Failed, Some(Reason::TooLarge)),
            (State::Failed, Some(Reason::Credentials)),
            (State::Unknown, Some(Reason::NoAnswer)),
        ]
    );
    assert_eq!(page.deliveries[0].vendor_id.as_deref(), Some("v"));
    let until = page.deliveries[2].until.unwrap();
    assert!((Millis(61_000)..Millis(76_000)).contains(&until), "{until:?}");
    assert_eq!(after.unused[&(Vendor::Apns, false)], 6, "accepted and unknown keep their grant");
}

#[test]
fn a_vendors_refusal_closes_its_class_and_what_it_refused_may_wait() {
    let states = |over: &[Over], expires| {
        let mut batch = batch(3);
        batch.page.expires = expires;
        let verdict = |outcome| Verdict::new(outcome, "words");
        let outcomes = [Outcome::Quota, Outcome::Quota, Outcome::Capped].into_iter().enumerate();
        let tried =
            outcomes.map(|(entry, outcome)| Tried { entry, blame: "b".into(), verdict: verdict(outcome) });
        let (ends, after) = settle(&batch, tried.collect(), over, Millis(40_000_000));
        assert_eq!(after.closed, [(Vendor::Apns, false)]);
        assert_eq!(after.unused[&(Vendor::Apns, false)], 3);
        page::settle(&mut batch.page, &ends, Millis(1_000));
        batch.page.deliveries.into_iter().map(|delivery| (delivery.state, delivery.reason)).collect()
    };
    let dropped: Vec<_> = states(&[Over::Drop], Millis(200_000_000));
    let (quota, cap) = (Some(Reason::Quota), (State::Failed, Some(Reason::Cap)));
    assert_eq!(dropped, [(State::Failed, quota), (State::Failed, quota), cap]);
    assert_eq!(
        states(&[Over::Later], Millis(200_000_000)),
        [(State::Held, quota), (State::Held, quota), cap]
    );
    assert_eq!(states(&[Over::Later], Millis(80_000_000)), dropped);
}

#[test]
fn nothing_is_left_without_an_end() {
    let mut batch = batch(3);
    batch.pass(Vendor::Apns, 2, 0, &(To::Skipped(None), Reason::Quota, None));
    let verdict = Verdict::accepted(None);
    let (ends, after) = settle(&batch, vec![Tried { entry: 1, blame: "b".into(), verdict }], &[], Millis(0));
    page::settle(&mut batch.page, &ends, Millis(0));
    let states: Vec<_> = batch.page.deliveries.iter().map(|delivery| delivery.state).collect();
    assert_eq!(states, [State::Retrying, State::Accepted, State::Skipped]);
    assert_eq!(after.unused[&(Vendor::Apns, false)], 1, "what was not granted is not given back");
}

#[test]
fn what_its_own_class_refuses_goes_lower_and_gives_back_in_the_class_it_went_in() {
    let mut batch = batch(4);
    batch.page.category = Category::Order;
    batch.page.expires = Millis(200_000_000);
    batch.pass(Vendor::Apns, 1, 2, &(To::Skipped(None), Reason::Quota, None));
    batch.lower(|_, _| Err((To::Skipped(None), Reason::NoClass, None)));
    let (ends, after) = settle(&batch, Vec::new(), &[], Millis(0));
    assert_eq!(after.unused[&(Vendor::Apns, true)], 2, "no draft: their grants go back");
    assert_eq!(ends.iter().filter(|end| end.reason == Some(Reason::NoClass)).count(), 2);
    for (entry, downgraded) in [(1, true), (2, true), (3, false)] {
        batch.entries[entry].end = None;
        batch.entries[entry].address = Some(address(entry));
        batch.entries[entry].downgraded = downgraded;
    }
    let quota = |entry| Tried { entry, blame: "b".into(), verdict: Verdict::new(Outcome::Quota, "words") };
    let accepted = |entry| Tried { entry, blame: "b".into(), verdict: Verdict::accepted(None) };
    let over = [Over::Downgrade];
    let tried = vec![accepted(0), accepted(1), quota(2), quota(3)];
    let (ends, after) = settle(&batch, tried, &over, Millis(1_000));
    assert_eq!(after.closed, [(Vendor::Apns, true), (Vendor::Apns, false)]);
    assert_eq!((after.unused[&(Vendor::Apns, true)], after.unused[&(Vendor::Apns, false)]), (1, 1));
    page::settle(&mut batch.page, &ends, Millis(1_000));
    let shown =
        batch.page.deliveries.iter().map(|delivery| (delivery.state, delivery.downgraded, delivery.until));
    let at_once = Some(Millis(2_000));
    assert_eq!(
        shown.collect::<Vec<_>>(),
        [
            (State::Accepted, false, None),
            (State::Accepted, true, None),
            (State::Failed, true, None),
            (State::Held, false, at_once)
        ]
    );
}

#[test]
fn certain_words_remove_unless_most_of_a_batch_is_dead() {
    let accepted = || Outcome::Accepted { id: None };
    let mixed = |dead: usize, alive: usize| {
        let outcomes = (0..dead).map(|_| gone(Certainty::Certain)).chain((0..alive).map(|_| accepted()));
        let (_, after) = run(outcomes.collect());
        after.weigh[&(Vendor::Apns, "b".to_owned())]
            .words(false)
            .iter()
            .filter(|dead| dead.gone.remove)
            .count()
    };
    assert_eq!(mixed(1, 0), 1);
    assert_eq!(mixed(10, 10), 10);
    assert_eq!(mixed(11, 9), 0);
    assert_eq!(mixed(25, 0), 0);
    assert_eq!(mixed(19, 0), 19, "too few to speak of a batch");
}

#[test]
fn too_many_ambiguous_words_of_a_batch_are_our_own_fault_and_said_to_be() {
    let run = |dead: usize, alive: usize| {
        let outcomes = (0..dead).map(|_| gone(Certainty::Ambiguous));
        let outcomes = outcomes.chain((0..alive).map(|_| Outcome::Accepted { id: None }));
        let (page, after) = run(outcomes.collect());
        (page.deliveries[0].reason, after.weigh[&(Vendor::Apns, "b".to_owned())].suspect())
    };
    assert_eq!(run(5, 20), (Some(Reason::TokenGone), false));
    assert_eq!(run(12, 13), (Some(Reason::Credentials), true));
    assert_eq!(run(6, 14), (Some(Reason::Credentials), true));
    assert_eq!(run(3, 2), (Some(Reason::TokenGone), false), "too few to speak of a batch");
}

#[test]
fn ambiguous_words_remove_only_when_believed() {
    let (_, after) = run(vec![gone(Certainty::Ambiguous), Outcome::Accepted { id: None }]);
    let weigh = &after.weigh[&(Vendor::Apns, "b".to_owned())];
    assert_eq!((weigh.accepted, weigh.ambiguous.len()), (1, 1));
    assert!(weigh.words(true)[0].gone.remove);
    assert!(!weigh.words(false)[0].gone.remove);
    assert_eq!(weigh.words(true)[0].gone.token_sha256, hash::sha256_hex(b"t0"));
    assert_eq!(by_user(weigh.words(true)).len(), 1);
}

#[test]
fn a_raw_token_has_no_owner_to_be_told() {
    let mut batch = batch(1);
    batch.page.deliveries[0].recipient = Recipient::Token(0);
    let verdict = Verdict::new(gone(Certainty::Certain), "Unregistered");
    let (ends, after) = settle(&batch, vec![Tried { entry: 0, blame: "b".into(), verdict }], &[], Millis(0));
    assert!(after.weigh[&(Vendor::Apns, "b".to_owned())].certain.is_empty());
    assert_eq!(ends[0].reason, Some(Reason::TokenGone));
}

/// By its tag a report finds a delivery again.
#[test]
fn another_try_says_which_token_it_was_sent_to() {
    let accepted = |entry| Tried { entry, blame: "b".into(), verdict: Verdict::accepted(None) };
    let tag = |batch: &Batch| settle(batch, vec![accepted(0)], &[], Millis(0)).0[0].tag;
    let mut batch = batch(1);
    assert_eq!(tag(&batch), None, "a page that has just begun says so itself");
    batch.again = true;
    assert_eq!(tag(&batch), Some(hash::tag("t0")), "it had none, or another token");
    batch.page.deliveries[0].tag = hash::tag("t0");
    assert_eq!(tag(&batch), None);
}

#[test]
fn trouble_that_can_be_all_of_the_accounts_is_told_apart() {
    let retry = |why| Outcome::Retry { after: Some(7), why };
    let accepted = Outcome::Accepted { id: None };
    let (_, after) = run(vec![
        accepted,
        gone(Certainty::Certain),
        Outcome::Rejected,
        retry(RetryWhy::DeviceLimited),
        retry(RetryWhy::RateLimited),
        retry(RetryWhy::Unavailable),
        Outcome::Unknown,
    ]);
    let told = Report { went: 4, trouble: 3, after: 7, limited: 1, probe: None };
    assert_eq!(after.went, [(Vendor::Apns, told)]);
    let mut none = Vec::new();
    pace::note(&mut none, Vendor::Fcm, &Verdict::not_sent("its lookup was too long ago"));
    assert_eq!(none, [(Vendor::Fcm, Report::default())], "what has not left says nothing");
}
