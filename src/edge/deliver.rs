//! Begin beside admit → send → settle: the part of the line that every page goes, whoever brought it. A page that was
//! taken again has begun before.

use futures_util::future;

use super::{
    admit::{self, Passes},
    caps, census,
    cx::{self, Cx},
    ledger::{self, Begun},
    resolve::{self, Terms},
    send, settle,
};
use crate::{
    line::{
        begin::Batch,
        caps::{self as line_caps, Said},
        plan::{self, Of},
        settle::{self as line, Tried},
    },
    model::{app::App, page::Page, problem::Problem, push::Message, time::Millis},
    object::ledger::page,
    wire::ledger::{Known, Work},
};

/// Lookups of one page: what has not left within so many waits for another try.
const LOOKS: u32 = 3;
/// A lookup that holds for less than this is made anew before anything leaves, milliseconds.
const SOON_MS: u64 = 100;

/// What a page was made from.
#[derive(Clone, Copy)]
pub(super) struct Looked<'a> {
    /// What is sent.
    pub(super) message: &'a Message,
    /// How far its lookup can be trusted.
    pub(super) terms: Terms,
}

/// What became of a page.
pub(super) enum Delivered {
    /// It was sent, and its end is written down.
    Page(Box<Page>),
    /// Its key is taken.
    Exists(Box<Known>),
    /// There was nothing to do.
    Nothing,
    /// Nothing was begun: devices are to be looked up once more.
    Distrust,
}

/// Carries a new page from its begin to its settle.
pub(super) async fn begin(
    cx: &Cx,
    app: &App,
    batch: Batch,
    work: &Work,
    looked: Looked<'_>,
) -> Result<Delivered, Problem> {
    let tenant = app.tenant();
    let (begun, admitted) = future::join(
        ledger::begin(cx, &tenant, &batch.page, work, looked.terms.copies),
        admitted(cx, app, &batch),
    )
    .await;
    match (begun, admitted) {
        (Ok(Begun::Fresh), Ok(admitted)) => {
            go_on(cx, app, batch, admitted, looked).await.map(Delivered::Page)
        }
        (Ok(Begun::Fresh), Err(problem)) => {
            ledger::abort(cx, &tenant, &batch.page).await;
            Err(problem)
        }
        (Ok(Begun::Exists(known)), admitted) => {
            undo(cx, app, &batch, admitted).await;
            Ok(Delivered::Exists(known))
        }
        (Ok(Begun::Nothing), admitted) => {
            undo(cx, app, &batch, admitted).await;
            Ok(Delivered::Nothing)
        }
        (Ok(Begun::Distrust), admitted) => {
            undo(cx, app, &batch, admitted).await;
            Ok(Delivered::Distrust)
        }
        (Err(problem), admitted) => {
            undo(cx, app, &batch, admitted).await;
            Err(problem)
        }
    }
}

/// Carries a page that was taken again to its settle.
pub(super) async fn again(
    cx: &Cx,
    app: &App,
    batch: Batch,
    due: &[u32],
    looked: Looked<'_>,
) -> Result<(), Problem> {
    match admitted(cx, app, &batch).await {
        Ok(admitted) => go_on(cx, app, batch, admitted, looked).await.map(|_| ()),
        Err(problem) => not_sent(cx, app, &batch.page, due, &problem).await,
    }
}

/// Nothing of a page that was taken again could be sent: it waits for its next try.
pub(super) async fn not_sent(
    cx: &Cx,
    app: &App,
    page: &Page,
    due: &[u32],
    problem: &Problem,
) -> Result<(), Problem> {
    let ends = line::not_sent(page, due, &problem.detail);
    ledger::settle(cx, &app.tenant(), page, &ends, cx::now()).await
}

/// What the accounts let pass, and what the users' objects have said.
type Admitted = (Passes, Said);

/// Asks accounts and users side by side. `Err`: one of them does not answer, and what the others gave has gone back.
async fn admitted(cx: &Cx, app: &App, batch: &Batch) -> Result<Admitted, Problem> {
    let asked =
        future::join(admit::admit(cx, app, batch.page.category, batch), caps::spend(cx, app, batch)).await;
    match asked {
        (Ok(passes), Ok(spent)) => Ok((passes, spent)),
        (Ok(passes), Err(problem)) => {
            passes.undo(cx, app, batch).await;
            Err(problem)
        }
        (Err(problem), Ok(spent)) => {
            caps::undo(cx, app, batch, &spent).await;
            Err(problem)
        }
        (Err(problem), Err(_)) => Err(problem),
    }
}

async fn undo(cx: &Cx, app: &App, batch: &Batch, admitted: Result<Admitted, Problem>) {
    if let Ok((passes, spent)) = admitted {
        passes.undo(cx, app, batch).await;
        caps::undo(cx, app, batch, &spent).await;
    }
}

async fn go_on(
    cx: &Cx,
    app: &App,
    mut batch: Batch,
    (mut passes, said): Admitted,
    looked: Looked<'_>,
) -> Result<Box<Page>, Problem> {
    let free = caps::apply(app, &mut batch, &said, &passes);
    passes.apply(&mut batch);
    batch.lower(|page, vendor| {
        let of = Of { push: &page.push, due: page.due, now: cx::now() };
        plan::lowest(app, looked.message, of, &cx.config, vendor)
    });
    let tried = try_all(cx, app, &mut batch, &passes, looked).await;
    let now = cx::now();
    let (ends, mut after) = line::settle(&batch, tried, app.policy.over_quota(batch.page.category), now);
    for (of, n) in free.into_iter().filter(|(_, n)| *n > 0) {
        *after.unused.entry(of).or_default() += n;
    }
    let tenant = app.tenant();
    after.back = line_caps::unspent(&batch, &said.asked, &ends, now);
    let (written, (), ()) = future::join3(
        ledger::settle(cx, &tenant, &batch.page, &ends, now),
        settle::clean_up(cx, app, &batch, &passes, after),
        census::tell(cx, app),
    )
    .await;
    written?;
    page::settle(&mut batch.page, &ends, now);
    Ok(Box::new(batch.page))
}

/// Sends everything that is under way. Where the push is for its user's eyes only, a lookup holds for some seconds: what has
/// not left by then is looked up once more, so that nothing reaches a phone that has changed hands.
async fn try_all(cx: &Cx, app: &App, batch: &mut Batch, passes: &Passes, looked: Looked<'_>) -> Vec<Tried> {
    let mut until = looked.terms.until;
    let mut tried = Vec::new();
    for _ in 0..LOOKS {
        if until.is_some_and(|until| until <= Millis(cx::now().0 + SOON_MS)) {
            let untried = batch.untried();
            let targets: Vec<_> = untried.iter().map(|(_, target)| target.clone()).collect();
            let Ok(again) = resolve::directory(cx, app, looked.message, &targets).await else { break };
            batch.look_again(&untried, &again.directory);
            until = again.terms.until;
        }
        let more = send::send(cx, app, batch, passes, until).await;
        for done in &more {
            if let Some(entry) = batch.entries.get_mut(done.entry) {
                entry.tried = true;
            }
        }
        tried.extend(more);
        if until.is_none() || batch.untried().is_empty() {
            break;
        }
    }
    tried
}
