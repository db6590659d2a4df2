//! `/v1/push/{id}`, `/v1/push:explain` and `/v1/funnel`.

use super::super::{
    audience, authenticate,
    cx::{self, Cx},
    exchange::{Reply, Request},
    ledger, resolve,
};
use crate::{
    line::{
        begin, explain, funnel, page,
        parse::{
            push::{self, BODY_MAX},
            targets::DEVICES_MAX,
            text,
        },
        plan::{self, Of},
        reply, resolve as line_resolve,
    },
    model::{
        app::Scope,
        ids::PushId,
        page::{Part, SLICE},
        problem::{Code, Problem},
    },
    wire::ledger::{Call, Known, Outcome},
};

/// What is known of a push.
pub(super) async fn get(cx: &Cx, request: &Request<'_>, id: &str) -> Result<Reply, Problem> {
    let app = authenticate::app(cx, request.authorization, Scope::Read).await?;
    let id = push_id(id)?;
    let query = text::query(request.query)?;
    let after = match query.as_slice() {
        [] => None,
        [(name, after)] if name == "after" => Some(format!("{}{after}", id.tail())),
        _ => {
            return Err(Problem::new(
                Code::UnknownField,
                "the query takes `after` only: `next` of the last answer",
            ));
        }
    };
    let call = || Call::Get(id.clone(), after.clone());
    let known = known(&id, ledger::find(cx, &app.tenant(), &id, call).await?)?;
    Ok(Reply::json(200, reply::known(&known, cx.now)))
}

/// Takes back what has not been sent.
pub(super) async fn cancel(cx: &Cx, request: &Request<'_>, id: &str) -> Result<Reply, Problem> {
    let app = authenticate::app(cx, request.authorization, Scope::Push).await?;
    let id = push_id(id)?;
    let call = || Call::Cancel(id.clone());
    let known = known(&id, ledger::find(cx, &app.tenant(), &id, call).await?)?;
    Ok(Reply::json(200, reply::known(&known, cx.now)))
}

fn push_id(raw: &str) -> Result<PushId, Problem> {
    text::path_id(raw, "push", PushId::try_from)
}

fn known(id: &PushId, outcome: Outcome) -> Result<Box<Known>, Problem> {
    match outcome {
        Outcome::Known(known) => Ok(known),
        Outcome::Nothing => {
            Err(Problem::new(Code::UnknownPush, format!("there is no push `{id}`, or it is no longer kept")))
        }
        Outcome::Done
        | Outcome::Exists(_)
        | Outcome::Taken(_)
        | Outcome::Slice(_)
        | Outcome::Distrust(_)
        | Outcome::Erased(..)
        | Outcome::Heard(..)
        | Outcome::Funnel(_) => Err(ledger::unusable()),
    }
}

/// What a push would come to. Nothing is sent, counted or written.
pub(super) async fn explain(cx: &Cx, request: &Request<'_>) -> Result<Reply, Problem> {
    let app = authenticate::app(cx, request.authorization, Scope::Push).await?;
    let push = push::push(request.body(BODY_MAX)?)?;
    plan::check(&app, &push, &cx.config.webpush_hosts)?;
    let order = begin::order(&app.tenant(), &push, None, cx::random_id()?, cx.now)?;
    let mut targets = match &push.to.audience {
        None => page::targets(push.to),
        Some(id) => audience::sample(cx, &app.tenant(), id, (1, SLICE)).await?.0,
    };
    targets.truncate(DEVICES_MAX);
    let looked = resolve::directory(cx, &app, &push.message, &targets).await?;
    let found = line_resolve::found(&targets, &looked.directory, &push.message);
    let of = Of { push: &order.id, due: order.due, now: cx.now };
    let plan = plan::plan(&app, &push.message, found, of, &cx.config);
    let batch = begin::begin(order, Part::Whole, 0, &push.message, plan, cx.now);
    Ok(Reply::json(200, explain::explain(&cx.config, &app, push.message.category, &batch)))
}

/// Counts, summed over all ledgers.
pub(super) async fn funnel(cx: &Cx, request: &Request<'_>) -> Result<Reply, Problem> {
    let app = authenticate::app(cx, request.authorization, Scope::Read).await?;
    let query = funnel::query(&text::query(request.query)?, cx.now)?;
    let tenant = app.tenant();
    let cells = ledger::funnel(cx, &tenant, query.from, query.to).await?;
    let funnel = funnel::funnel(query, &cells);
    Ok(Reply::json(200, crate::wire::text::write(&funnel)))
}
