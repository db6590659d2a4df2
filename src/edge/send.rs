//! Step 7, I/O half: the one place that fetches. Everything that leaves for a vendor passes [`post`].

use std::collections::BTreeMap;

use super::{
    admit::{self, Pass},
    cx::Cx,
    glue, log,
};
use crate::{
    line::{
        begin::{Batch, Entry},
        send,
        settle::Tried,
    },
    model::{
        app::App,
        outcome::{Again, Answer},
        push::Category,
    },
    vendor::{Outbound, Vendor},
};

/// Sends what is under way in the batch. A refused bearer is tried once more, at once, where the vendor's page says
/// that this can help; nothing else is.
pub(super) async fn send(
    cx: &Cx,
    app: &App,
    category: Category,
    batch: &Batch,
    passes: &mut BTreeMap<Vendor, Pass>,
) -> Vec<Tried> {
    let all: Vec<usize> = (0..batch.entries.len()).collect();
    let mut tried = try_once(cx, app, batch, &all, passes).await;
    let mut again = Vec::new();
    let mut renewed = Vec::new();
    for Tried { entry, verdict, .. } in &tried {
        let kind = verdict.again();
        let vendor = batch.entries.get(*entry).and_then(|entry| entry.delivery.vendor);
        let Some(vendor) = vendor.filter(|_| kind != Again::No) else { continue };
        again.push(*entry);
        if kind == Again::NewToken && !renewed.contains(&vendor) {
            renewed.push(vendor);
            renew(cx, app, category, vendor, passes).await;
        }
    }
    for second in try_once(cx, app, batch, &again, passes).await {
        if let Some(first) = tried.iter_mut().find(|first| first.entry == second.entry) {
            *first = second;
        }
    }
    tried
}

async fn renew(cx: &Cx, app: &App, category: Category, vendor: Vendor, passes: &mut BTreeMap<Vendor, Pass>) {
    let Some(pass) = passes.get_mut(&vendor) else { return };
    if let Some(bearer) = admit::renew(cx, app, vendor, category, &pass.bearer).await {
        pass.bearer = bearer;
    }
}

async fn try_once(
    cx: &Cx,
    app: &App,
    batch: &Batch,
    which: &[usize],
    passes: &BTreeMap<Vendor, Pass>,
) -> Vec<Tried> {
    let mut sent = Vec::new();
    let mut requests = Vec::new();
    for index in which {
        let Some((vendor, blame, request)) =
            batch.entries.get(*index).and_then(|entry| request(app, batch, entry, passes))
        else {
            continue;
        };
        sent.push((*index, vendor, blame));
        requests.push((vendor, request));
    }
    let answers = post(cx, requests).await;
    let verdicts = answers.into_iter().zip(sent).map(|(answer, (entry, vendor, blame))| Tried {
        entry,
        blame,
        verdict: send::verdict(vendor, &answer, cx.now),
    });
    verdicts.collect()
}

/// The request of one delivery, if it is still under way.
fn request(
    app: &App,
    batch: &Batch,
    entry: &Entry,
    passes: &BTreeMap<Vendor, Pass>,
) -> Option<(Vendor, String, Outbound)> {
    let vendor = entry.delivery.vendor.filter(|vendor| entry.under_way_at(*vendor))?;
    let (address, draft, pass) = (entry.address.as_ref()?, batch.drafts.get(&vendor)?, passes.get(&vendor)?);
    let facts = &app.credentials.get(&vendor)?.facts;
    let request = facts.request(draft, address, &entry.ids, pass.bearer.reveal()).ok()?;
    Some((vendor, facts.blame(address), request))
}

/// Posts requests, each to a host of its vendor, and gives back one answer each.
pub(super) async fn post(cx: &Cx, requests: Vec<(Vendor, Outbound)>) -> Vec<Answer> {
    if requests.is_empty() {
        return Vec::new();
    }
    let mut answers: Vec<Option<Answer>> = Vec::with_capacity(requests.len());
    let mut bundle = Vec::with_capacity(requests.len());
    for (vendor, mut request) in requests {
        match send::route(&request.url, vendor, cx.config.vendor_proxy.as_deref()) {
            Ok(url) => {
                request.url = url;
                bundle.push(request);
                answers.push(None);
            }
            Err(why) => answers.push(Some(Answer::NotSent(why.into()))),
        }
    }
    cx.cost.fetches(u32::try_from(bundle.len()).unwrap_or(u32::MAX));
    let text = glue::post(&send::encode(&bundle), send::IN_FLIGHT, send::TIMEOUT_MS, send::ANSWER_MAX).await;
    let came = text.ok().and_then(|text| send::decode(&text, bundle.len()));
    if came.is_none() {
        log::error("bundle_lost", &[]);
    }
    let mut came = came.into_iter().flatten();
    let lost = || Answer::Silence("the answer was lost inside the gateway".into());
    answers.into_iter().map(|answer| answer.unwrap_or_else(|| came.next().unwrap_or_else(lost))).collect()
}

/// Posts one request.
pub(super) async fn post_one(cx: &Cx, vendor: Vendor, request: Outbound) -> Answer {
    let lost = || Answer::Silence("the answer was lost inside the gateway".into());
    post(cx, vec![(vendor, request)]).await.pop().unwrap_or_else(lost)
}
