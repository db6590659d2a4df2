//! `POST /v1/push`: the straight line, as one reads it.

use super::{
    audience, authenticate,
    cx::{self, Cx},
    deliver::{self, Delivered, Looked},
    exchange::{Reply, Request},
    queue, resolve,
};
use crate::{
    line::{
        begin, page,
        parse::{self, push::BODY_MAX, targets::DEVICES_MAX},
        plan::{self, Of},
        reply, resolve as line_resolve,
    },
    model::{
        app::Scope,
        delivery::State,
        page::Part,
        problem::{Code, Problem},
        push::{Push, When},
    },
    wire::ledger::{Known, Work},
};

/// Sends one push and says what became of every delivery; or queues it, where nobody waits, it is planned for later, or it
/// reaches many.
pub(super) async fn push(cx: &Cx, request: &Request<'_>) -> Result<Reply, Problem> {
    let app = authenticate::app(cx, request.authorization, Scope::Push).await?;
    let key = parse::push::idempotency_key(request.idempotency_key)?;
    let push = parse::push::push(request.body(BODY_MAX)?)?;
    plan::check(&app, &push, &cx.config.webpush_hosts)?;
    let order = begin::order(&app.tenant(), &push, key, cx::random_id()?, cx.now)?;
    if let Some(id) = push.to.audience {
        let version =
            audience::current(cx, &app.tenant(), &id).await?.ok_or_else(|| audience::unknown(&id))?;
        return queue::targets(cx, &app, push.message, Vec::new(), Some((id, version)), order).await;
    }
    if !push.wait || push.when != When::Now || push.to.len() > DEVICES_MAX {
        return queue::targets(cx, &app, push.message, page::chunks(push.to), None, order).await;
    }
    let Push { to, message, .. } = push;
    let targets = page::targets(to);
    let work = Work { tokens: page::tokens(&targets), message: Some(message) };
    let Some(message) = &work.message else { return Err(super::ledger::unusable()) };
    // A second lookup asks the objects, and is trusted.
    for _ in 0..2 {
        let looked = resolve::directory(cx, &app, message, &targets).await?;
        let found = line_resolve::found(&targets, &looked.directory, message);
        if found.len() > DEVICES_MAX {
            return queue::targets(cx, &app, message.clone(), vec![targets], None, order).await;
        }
        let of = Of { push: &order.id, due: order.due, now: cx.now };
        let plan = plan::plan(&app, message, found, of, &cx.config);
        let batch = begin::begin(order.clone(), Part::Whole, 0, message, plan, cx.now);
        let looked = Looked { message, terms: looked.terms };
        match deliver::begin(cx, &app, batch, &work, looked).await? {
            Delivered::Page(page) => return Ok(Reply::json(200, reply::push(&page))),
            Delivered::Exists(known) => return replay(cx, &known, order.body.as_deref()),
            Delivered::Nothing => break,
            Delivered::Distrust => {}
        }
    }
    Err(super::ledger::unusable())
}

/// The answer to a request whose idempotency key is taken.
pub(super) fn replay(cx: &Cx, known: &Known, body: Option<&str>) -> Result<Reply, Problem> {
    let page = known.pages.first();
    let (id, same, text) = match (&known.head, page) {
        (Some(head), _) => (&head.push, head.body.as_deref() == body, (202, reply::queued(head, cx.now))),
        (None, Some(page)) => (&page.push, page.body.as_deref() == body, (200, reply::push(page))),
        (None, None) => return Err(super::ledger::unusable()),
    };
    if !same {
        let detail = "this Idempotency-Key was used for another push: take a new key, or send the same push";
        return Err(Problem::of_push(Code::IdempotencyMismatch, id, detail));
    }
    let sending = page.is_some_and(|page| page.deliveries.iter().any(|have| have.state == State::Sending));
    if known.head.is_none() && sending {
        let detail =
            format!("this push is being sent: repeat the request in some seconds, or GET /v1/push/{id}");
        return Err(Problem::of_push(Code::PushUnderWay, id, detail));
    }
    let (status, body) = text;
    Ok(Reply { replay: true, ..Reply::json(status, body) })
}
