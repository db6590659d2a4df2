//! Begin beside admit → send → settle: the part of the line that every page goes, whoever brought it. A page that was
//! taken again has begun before.

use futures_util::future;

use super::{
    admit::{self, Passes},
    cx::{self, Cx},
    ledger::{self, Begun},
    send, settle,
};
use crate::{
    line::{begin::Batch, settle as line},
    model::{app::App, page::Page, problem::Problem},
    object::ledger::page,
    wire::ledger::{Known, Work},
};

/// What became of a page.
pub(super) enum Delivered {
    /// It was sent, and its end is written down.
    Page(Box<Page>),
    /// Its key is taken.
    Exists(Box<Known>),
    /// There was nothing to do.
    Nothing,
}

/// Carries a new page from its begin to its settle.
pub(super) async fn begin(cx: &Cx, app: &App, batch: Batch, work: &Work) -> Result<Delivered, Problem> {
    let (tenant, category) = (app.tenant(), batch.page.category);
    let (begun, passes) =
        future::join(ledger::begin(cx, &tenant, &batch.page, work), admit::admit(cx, app, category, &batch))
            .await;
    match (begun, passes) {
        (Ok(Begun::Fresh), Ok(passes)) => go_on(cx, app, batch, passes).await.map(Delivered::Page),
        (Ok(Begun::Fresh), Err(problem)) => {
            ledger::abort(cx, &tenant, &batch.page).await;
            Err(problem)
        }
        (Ok(Begun::Exists(known)), passes) => {
            undo(cx, app, &batch, passes).await;
            Ok(Delivered::Exists(known))
        }
        (Ok(Begun::Nothing), passes) => {
            undo(cx, app, &batch, passes).await;
            Ok(Delivered::Nothing)
        }
        (Err(problem), passes) => {
            undo(cx, app, &batch, passes).await;
            Err(problem)
        }
    }
}

/// Carries a page that was taken again to its settle.
pub(super) async fn again(cx: &Cx, app: &App, batch: Batch, due: &[u32]) -> Result<(), Problem> {
    match admit::admit(cx, app, batch.page.category, &batch).await {
        Ok(passes) => go_on(cx, app, batch, passes).await.map(|_| ()),
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
    ledger::settle(cx, &app.tenant(), page, ends, cx::now()).await
}

async fn undo(cx: &Cx, app: &App, batch: &Batch, passes: Result<Passes, Problem>) {
    if let Ok(passes) = passes {
        passes.undo(cx, app, batch.page.category, batch).await;
    }
}

async fn go_on(cx: &Cx, app: &App, mut batch: Batch, mut passes: Passes) -> Result<Box<Page>, Problem> {
    passes.apply(&mut batch);
    let tried = send::send(cx, app, &batch, &passes).await;
    let now = cx::now();
    let (ends, after) = line::settle(&batch, tried);
    let tenant = app.tenant();
    let (written, ()) = future::join(
        ledger::settle(cx, &tenant, &batch.page, ends.clone(), now),
        settle::clean_up(cx, app, &batch, &passes, after),
    )
    .await;
    written?;
    page::settle(&mut batch.page, &ends, now);
    Ok(Box::new(batch.page))
}
