//! Part of step 6, I/O half: asks the `User` objects how often their devices were sent to.

use super::{
    admit::Passes,
    cx::{Cx, unavailable},
    govern, resolve, settle,
};
use crate::{
    line::{
        begin::Batch,
        caps::{self, Said},
    },
    model::{app::App, problem::Problem},
    vendor::Vendor,
    wire::user::{Call, Shown},
};

/// Asks all users of a page of whom something is limited. `Err`: one does not answer; what the others have counted has gone back.
pub(super) async fn spend(cx: &Cx, app: &App, batch: &Batch) -> Result<Said, Problem> {
    if let Some(rule) = govern::holds(cx, app, batch).await {
        return Ok(Said { governed: Some(rule), ..Said::default() });
    }
    let mut said = Said { governed: None, asked: caps::questions(app, batch) };
    let mut calls = Vec::new();
    for asked in &said.asked {
        calls.push((asked.user.clone(), Call::Spend(Box::new(asked.spend.clone()))));
    }
    let mut fault = None;
    let answers = resolve::call_all(cx, &app.tenant(), resolve::AT_ONCE, calls).await;
    for (asked, answer) in said.asked.iter_mut().zip(answers) {
        match answer.map(|reply| reply.shown) {
            Ok(Shown::Spent(answers)) if answers.len() == asked.entries.len() => {
                asked.answers = answers;
            }
            Ok(Shown::Spent(_) | Shown::Nothing | Shown::Text(_) | Shown::Reach(_)) => {
                fault = Some(unavailable("a storage object gave no usable answer"));
            }
            Err(problem) => fault = Some(problem),
        }
    }
    let Some(problem) = fault else { return Ok(said) };
    undo(cx, app, batch, &said).await;
    Err(problem)
}

/// Grants of a vendor, and whether in the lower class.
type Free = ((Vendor, bool), u64);

/// Ends what may not pass; gives the grants that are free for it.
pub(super) fn apply(app: &App, batch: &mut Batch, said: &Said, passes: &Passes) -> Vec<Free> {
    let granted: Vec<(Vendor, [u64; 2])> = batch
        .vendors()
        .into_iter()
        .map(|vendor| (vendor, passes.granted(vendor, batch.under_way(vendor) as u64)))
        .collect();
    caps::apply(batch, said, app.policy.over_quota(batch.page.category));
    let free = |(vendor, [own, lower]): (Vendor, [u64; 2])| {
        let left = batch.under_way(vendor) as u64;
        let lower = lower.saturating_sub(left.saturating_sub(own));
        [((vendor, false), own.saturating_sub(left)), ((vendor, true), lower)]
    };
    granted.into_iter().flat_map(free).collect()
}

/// Nothing is sent: what was counted goes back.
pub(super) async fn undo(cx: &Cx, app: &App, batch: &Batch, said: &Said) {
    settle::tell(cx, app, batch, caps::undone(batch, &said.asked)).await;
}
