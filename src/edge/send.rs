//! Step 7, I/O half: the one place that fetches. Everything that leaves for a vendor passes [`post`].

use super::{
    admit::{self, Pass, Passes},
    cx::{Cx, now, random},
    glue, log,
    together::together,
};
use crate::{
    line::{begin::Batch, send, settle::Tried},
    model::{
        app::App,
        outcome::{Again, Answer},
        time::Millis,
    },
    vendor::{Call, Facts, Ids, Outbound, Split, To, Vendor},
};

/// A second try at once is made only if the first took no longer, milliseconds: a page has to end before its ledger takes
/// its worker for lost.
const SECOND_TRY_MS: u64 = 10_000;

/// Sends what is under way in the batch, the vendors side by side. A refused bearer is tried once more, at once, where
/// the vendor's page says that this can help; nothing else is.
///
/// Nothing leaves from `leave_by` on; what has not is not among the tried. Nor does anything before its account has room for it.
pub(super) async fn send(
    cx: &Cx,
    app: &App,
    batch: &Batch,
    passes: &Passes,
    leave_by: Option<Millis>,
) -> Vec<Tried> {
    let vendors = batch.vendors();
    let waiting: Vec<usize> = vendors.iter().map(|vendor| batch.under_way(*vendor)).collect();
    let shares = vendors.into_iter().zip(send::places(&waiting));
    let lanes = shares.filter_map(|(vendor, places)| {
        let lane = Lane { cx, app, batch, vendor, places, pass: passes.get(vendor)?.clone(), leave_by };
        Some(lane.send())
    });
    together(send::IN_FLIGHT as usize, lanes).await.into_iter().flatten().collect()
}

/// One vendor's part of a batch.
struct Lane<'a> {
    cx: &'a Cx,
    app: &'a App,
    batch: &'a Batch,
    vendor: Vendor,
    places: u32,
    pass: Pass,
    leave_by: Option<Millis>,
}

impl Lane<'_> {
    async fn send(mut self) -> Vec<Tried> {
        let began = now();
        let all: Vec<usize> = (0..self.batch.entries.len()).collect();
        let mut tried = self.try_once(&all).await;
        if now().0.saturating_sub(began.0) > SECOND_TRY_MS {
            return tried;
        }
        let again = |kind| {
            tried
                .iter()
                .filter(|tried| tried.verdict.again() == kind)
                .map(|tried| tried.entry)
                .collect::<Vec<_>>()
        };
        let (same_token, new_token) = (again(Again::SameToken), again(Again::NewToken));
        if !new_token.is_empty() {
            match admit::renew(self.cx, self.app, self.vendor, &self.pass).await {
                Ok(bearer) => self.pass = self.pass.renewed(bearer),
                Err((reason, detail)) => {
                    for first in tried.iter_mut().filter(|first| new_token.contains(&first.entry)) {
                        first.verdict = send::no_new_bearer(reason, detail.clone());
                    }
                    return tried;
                }
            }
        }
        for second in self.try_once(&[same_token, new_token].concat()).await {
            if let Some(first) = tried.iter_mut().find(|first| first.entry == second.entry) {
                *first = second;
            }
        }
        tried
    }

    /// One try of each: the calls, and where the vendor wants it a request before each list.
    async fn try_once(&self, which: &[usize]) -> Vec<Tried> {
        let spec = self.vendor.spec();
        let lane = |at: &usize| {
            let (entry, address) = self.batch.address(*at, self.vendor)?;
            Some((*at, (self.vendor.lane(address), entry.downgraded)))
        };
        let calls = send::calls(which.iter().filter_map(lane).collect(), spec.list_max);
        let going: Vec<Going> = calls.into_iter().filter_map(|entries| self.going(entries)).collect();
        let (mut ready, mut tried) = (going, Vec::new());
        if let Some(prepare) = &spec.prepare {
            let (lists, single): (Vec<Going>, Vec<Going>) =
                ready.into_iter().partition(|going| going.entries.len() > 1);
            ready = single;
            for (going, answer) in self.post_all(lists, prepare.request).await {
                match send::prepared(prepare, &answer, now()) {
                    Ok(prepared) => ready.push(Going { prepared: Some(prepared), ..going }),
                    Err(_) if answer == Answer::Late => {}
                    Err(split) => tried.extend(self.tried(&going, &split)),
                }
            }
        }
        let now = now();
        for (going, answer) in self.post_all(ready, spec.request).await {
            if answer != Answer::Late {
                let tokens: Vec<&str> = going.entries.iter().filter_map(|at| self.token(*at)).collect();
                tried.extend(self.tried(&going, &send::split(self.vendor, &answer, &tokens, now)));
            }
        }
        tried
    }

    fn token(&self, at: usize) -> Option<&str> {
        Some(self.batch.address(at, self.vendor)?.1.token.reveal())
    }

    /// A call of these entries, with its ids.
    fn going(&self, entries: Vec<usize>) -> Option<Going> {
        let ids: Vec<&Ids> =
            entries.iter().filter_map(|at| Some(&self.batch.address(*at, self.vendor)?.0.ids)).collect();
        let ids = Ids::of_call(&ids)?;
        Some(Going { entries, ids, prepared: None })
    }

    /// Makes and posts the requests of calls; a call that cannot be made is not among the answers.
    async fn post_all(&self, calls: Vec<Going>, make: Make) -> Vec<(Going, Answer)> {
        let made = calls.into_iter().filter_map(|going| {
            let request = self.request(&going, make)?;
            Some((going, request))
        });
        let (calls, requests): (Vec<_>, Vec<_>) = made.unzip();
        let answers =
            post(self.cx, self.vendor, requests, self.places, self.leave_by, self.pass.starts).await;
        calls.into_iter().zip(answers).collect()
    }

    fn request(&self, going: &Going, make: Make) -> Option<Outbound> {
        let of = |at: &usize| {
            let (entry, address) = self.batch.address(*at, self.vendor)?;
            Some(To { address, ids: &entry.ids })
        };
        let to: Vec<To<'_>> = going.entries.iter().filter_map(of).collect();
        // What is drawn here is used for this one request.
        let random = if self.vendor.encrypts() { Some(random().ok()?) } else { None };
        let call = Call {
            draft: self.batch.draft(*going.entries.first()?, self.vendor)?,
            to: &to,
            ids: &going.ids,
            bearer: self.pass.bearer(&self.vendor.audience(to.first()?.address))?.reveal(),
            random: random.as_ref(),
            prepared: going.prepared.as_deref(),
            now: now(),
        };
        make(&self.app.credentials.get(&self.vendor)?.facts, &call).ok()
    }

    /// What came of each entry of a call, and which setting a "dead token" answer could be blamed on.
    fn tried(&self, going: &Going, split: &Split) -> Vec<Tried> {
        let one = |at: &usize| {
            let (_, address) = self.batch.address(*at, self.vendor)?;
            let credential = self.app.credentials.get(&self.vendor)?;
            // A new credential starts with a memory of its own.
            let blame =
                [itoa::Buffer::new().format(credential.revision), "/", &credential.facts.blame(address)]
                    .concat();
            Some(Tried { entry: *at, blame, verdict: split.of(address.token.reveal()).clone() })
        };
        going.entries.iter().filter_map(one).collect()
    }
}

/// Makes a request.
type Make = fn(&Facts, &Call<'_>) -> Result<Outbound, &'static str>;

/// A call on its way.
struct Going {
    entries: Vec<usize>,
    ids: Ids,
    prepared: Option<String>,
}

/// Posts requests, each to a host of the vendor, and gives back one answer each.
async fn post(
    cx: &Cx,
    vendor: Vendor,
    requests: Vec<Outbound>,
    places: u32,
    leave_by: Option<Millis>,
    starts: Millis,
) -> Vec<Answer> {
    if requests.is_empty() {
        return Vec::new();
    }
    let mut answers: Vec<Option<Answer>> = Vec::with_capacity(requests.len());
    let mut bundle = Vec::with_capacity(requests.len());
    for mut request in requests {
        match send::route(&request.url, vendor, cx.config.vendor_proxy.as_deref(), &cx.config.webpush_hosts) {
            Ok(url) => {
                request.url = url;
                bundle.push(request);
                answers.push(None);
            }
            Err(why) => answers.push(Some(Answer::NotSent(why.into()))),
        }
    }
    cx.cost.fetches(u32::try_from(bundle.len()).unwrap_or(u32::MAX));
    let text = {
        let leave_by = leave_by.unwrap_or_default().0;
        glue::post(&send::encode(&bundle), places, send::TIMEOUT_MS, send::ANSWER_MAX, leave_by, starts.0)
            .await
    };
    let came = text.ok().and_then(|text| send::decode(&text, bundle.len()));
    if came.is_none() {
        log::error("bundle_lost", &[("vendor", vendor.name())]);
    }
    let mut came = came.into_iter().flatten();
    answers.into_iter().map(|answer| answer.unwrap_or_else(|| came.next().unwrap_or_else(lost))).collect()
}

/// Posts one request.
pub(super) async fn post_one(cx: &Cx, vendor: Vendor, request: Outbound) -> Answer {
    post(cx, vendor, vec![request], 1, None, Millis(0)).await.pop().unwrap_or_else(lost)
}

fn lost() -> Answer {
    Answer::Silence("the answer was lost inside the gateway".into())
}
