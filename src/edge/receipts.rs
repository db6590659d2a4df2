//! What vendors and apps report of messages later → the ledgers, and what of it changes the device library → the users.

use super::{cx::Cx, ledger, log, queue, resolve, together::together};
use crate::{
    line::{report as line, settle::by_user},
    model::{
        app::App,
        delivery::{Recipient, Seen},
        govern::Whose,
        problem::Problem,
        table::Table,
    },
    object::ledger::Job,
    vendor::{Vendor, receipt::Receipt},
    wire::{
        job::Report,
        ledger::{Call, Event, Found, Heard, Outcome},
        user,
    },
};

/// Reports in one call of a ledger.
const ROUND: usize = 500;
/// Codes that one call can leave in the log.
const CODES_MAX: usize = 5;
/// Objects told at once.
const AT_ONCE: usize = 6;

/// Tells the ledgers; answers for each report whose delivery it is about, and how many deliveries of their pages stand and
/// how many were called dead.
pub(super) async fn hear(
    cx: &Cx,
    app: &App,
    reports: Vec<Heard>,
) -> Result<(Vec<Option<Found>>, u32, u32), Problem> {
    let mut shards: Table<u32, Vec<(usize, Heard)>> = Table::new();
    let (mut whose, mut standing, mut gone) = (vec![None; reports.len()], 0, 0);
    let tenant = &app.tenant();
    // Users are told of clicks only where a rule of the app's wants to know.
    let tell = app.policy.govern.iter().any(|rule| rule.whose == Whose::User);
    let mut clicks = Vec::new();
    for (at, report) in reports.into_iter().enumerate() {
        if tell && report.event == Event::Seen(Seen::Clicked) {
            clicks.push((at, report.push.tail().to_owned()));
        }
        shards.entry(report.push.shard(cx.config.ledger_shards)).or_default().push((at, report));
    }
    let rounds = shards.iter().flat_map(|(_, all)| all.chunks(ROUND));
    let told = rounds.map(|round| async move {
        let (places, reports): (Vec<usize>, Vec<Heard>) = round.iter().cloned().unzip();
        let Some(push) = reports.first().map(|report| report.push.clone()) else { return Ok(<_>::default()) };
        match ledger::ask(cx, tenant, &push, Call::Hear(reports)).await? {
            Outcome::Heard(found, standing, gone) => {
                Ok((places.into_iter().zip(found).collect::<Vec<_>>(), standing, gone))
            }
            Outcome::Done
            | Outcome::Exists(_)
            | Outcome::Nothing
            | Outcome::Distrust(_)
            | Outcome::Taken(_)
            | Outcome::Slice(_)
            | Outcome::Known(_)
            | Outcome::Funnel(_)
            | Outcome::Erased(..) => Err(ledger::unusable()),
        }
    });
    for found in together(AT_ONCE, told).await {
        let (found, stand, dead) = found?;
        (standing, gone) = (standing + stand, gone + dead);
        for (at, found) in found {
            if let Some(place) = whose.get_mut(at) {
                *place = found;
            }
        }
    }
    let mut words = Vec::new();
    for (at, push) in clicks {
        if let Some(Some(Found { recipient: Recipient::Device(user, _), .. })) = whose.get(at) {
            words.push((user.clone(), user::Call::Clicked(vec![push])));
        }
    }
    for told in resolve::call_all(cx, tenant, AT_ONCE, words).await {
        if told.is_err() {
            log::error("user_not_told", &[("app", tenant.app.as_str())]);
        }
    }
    Ok((whose, standing, gone))
}

/// What a vendor reports: at once where it is little, else by the queue. Reports about nothing that is known are passed over.
pub(super) async fn take(cx: &Cx, app: &App, vendor: Vendor, receipts: Vec<Receipt>) -> Result<(), Problem> {
    let (reports, unknown) = line::each(receipts);
    for (code, n) in unknown.iter().take(CODES_MAX) {
        let n = n.to_string();
        log::warn("receipt_code_unknown", &[("vendor", vendor.name()), ("code", code), ("n", &n)]);
    }
    if reports.len() <= line::ROUND {
        return tell(cx, app, vendor, reports).await;
    }
    let jobs = reports.chunks(line::ROUND).map(|round| Job::Heard(vendor, round.to_vec()));
    queue::offer(cx, &app.tenant(), jobs.collect()).await
}

/// Tells ledgers and users what a vendor has reported. It may be told twice.
pub(super) async fn tell(cx: &Cx, app: &App, vendor: Vendor, reports: Vec<Report>) -> Result<(), Problem> {
    let Some(push) = reports.first().map(|report| report.push.clone()) else { return Ok(()) };
    let all = reports.iter().map(|report| line::heard(vendor, report)).collect();
    let tenant = &app.tenant();
    let (found, standing, gone) = hear(cx, app, all).await?;
    let (weigh, muted) = line::words(reports, found, standing, gone, cx.now);
    if weigh.suspect() && !weigh.certain.is_empty() {
        log::alert(
            "most_tokens_of_a_batch_gone",
            &[("app", tenant.app.as_str()), ("vendor", vendor.name()), ("push", push.as_str())],
        );
    }
    let gone = by_user(weigh.words(false)).into_iter().map(|(user, words)| (user, user::Call::Gone(words)));
    let muted = by_user(muted).into_iter().map(|(user, words)| (user, user::Call::Muted(words)));
    let words = gone.chain(muted).collect();
    // The ledgers know already; a vendor that calls again, or the job once more, tells the users as well.
    for told in resolve::call_all(cx, tenant, AT_ONCE, words).await {
        if let Err(problem) = told {
            log::error("user_not_told", &[("app", tenant.app.as_str()), ("vendor", vendor.name())]);
            return Err(problem);
        }
    }
    Ok(())
}
