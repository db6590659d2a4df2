//! `POST /v1/quota:simulate`, I/O half: users and accounts are read, nothing is written.

use super::{
    super::{
        audience, authenticate,
        cx::Cx,
        exchange::{Reply, Request},
        resolve::{self, How},
    },
    quota,
};
use crate::{
    line::{
        page,
        parse::{push::BODY_MAX, simulation},
        plan::{self, Of},
        resolve as line_resolve,
        simulate::{self, SAMPLE, Tally},
    },
    model::{
        app::Scope,
        ids::{PushId, Tenant},
        problem::Problem,
        push::{Push, Targets},
    },
    wire::ledger::Target,
};

/// So many users without a copy in KV are asked for at their objects: one request may make some 1,000 calls.
const ASKED_MAX: usize = 300;

/// What a push would come to against the quotas, were it sent now.
pub(super) async fn simulate(cx: &Cx, request: &Request<'_>) -> Result<Reply, Problem> {
    let app = authenticate::app(cx, request.authorization, Scope::Read).await?;
    let push = simulation::simulation(request.body(BODY_MAX)?)?;
    plan::check(&app, &push, &cx.config.webpush_hosts)?;
    let (tenant, Push { to, message, .. }) = (app.tenant(), push);
    let (targets, mut tally) = whom(cx, &tenant, to).await?;
    let (id, most) = (PushId::new(cx.now, [0; 10]), ASKED_MAX / targets.len().max(1));
    // Some at a time: users may have many devices.
    for some in targets {
        let users = line_resolve::users(&some);
        let (n, how) = (users.len(), How { copies: true, guard: false, most: Some(most) });
        let directory = resolve::look(cx, &tenant, message.category, users, how).await?;
        let found = line_resolve::found(&some, &directory, &message);
        let of = Of { push: &id, due: cx.now, now: cx.now };
        tally.add(n, &directory, &plan::plan(&app, &message, found, of, &cx.config));
    }
    let (accounts, counted) = quota::state(cx, &app).await?;
    Ok(Reply::json(200, simulate::simulate(&app, &message, &tally, &accounts, &counted, cx.now)))
}

/// The targets, each once, some at a time; of an audience some users who stand for all.
async fn whom(cx: &Cx, tenant: &Tenant, to: Targets) -> Result<(Vec<Vec<Target>>, Tally), Problem> {
    let Some(id) = &to.audience else { return Ok((page::chunks(to), Tally::default())) };
    let (sample, users) = audience::sample(cx, tenant, id, SAMPLE).await?;
    let tally = Tally::of(users, sample.len());
    Ok((vec![sample], tally))
}
