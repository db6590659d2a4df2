//! Queued pushes: they are written down with their targets, and the queue's jobs make their pages. Any job may run twice,
//! or late, or die half way: the ledger says what there is to do. Of reports more than one request takes are jobs too.

use std::rc::Rc;

use crate::model::table::Table;
use serde::Serialize;

use super::{
    audience, authenticate,
    cx::{Cx, now, unavailable},
    deliver::{self, Delivered, Looked},
    exchange::Reply,
    glue, ledger, log, memory, push, receipts, resolve,
    routes::letters,
    together::together,
};
use crate::{
    line::{
        begin::{self, Order},
        page,
        plan::{self, Of},
        reply, resolve as line_resolve,
    },
    model::{
        app::App,
        ids::{AudienceId, PushId, Tenant},
        page::{Head, Part, Source},
        problem::Problem,
        push::Message,
    },
    object::{
        audience::Version,
        ledger::{Job, OFFERED_BY_CALLER},
    },
    wire::{
        job::{self, DEAD, DISPATCH, Envelope, Letter},
        ledger::{Call, Outcome, Sliced, Taken, Target, Work},
        letters as wire, text,
    },
};

/// Writes a push down with its targets, cut into rows, and offers its first pages to the queue.
pub(super) async fn targets(
    cx: &Cx,
    app: &App,
    message: Message,
    chunks: Vec<Vec<Target>>,
    audience: Option<(AudienceId, Version)>,
    order: Order,
) -> Result<Reply, Problem> {
    let tenant = app.tenant();
    let body = order.body.clone();
    if body.is_some()
        && let Some(known) = ledger::held_before(cx, &tenant, &order.id).await?
    {
        return push::replay(cx, &known, body.as_deref());
    }
    let targets: usize = chunks.iter().map(Vec::len).sum();
    let (source, targets) = match audience {
        Some((id, version)) => (Source::Audience(id, version.version), version.users),
        None => (Source::Inline, u32::try_from(targets).unwrap_or(u32::MAX)),
    };
    let head = Head {
        expires: order.queue_expires(),
        push: order.id,
        category: message.category,
        campaign: message.campaign.clone(),
        due: order.due,
        body: order.body,
        source,
        targets,
        dropped: None,
    };
    let targets = chunks.iter().map(text::Raw::of).collect();
    let work = text::Raw::of(&Work { message: Some(message), tokens: Table::new() });
    let call = Call::Queue(Box::new(head.clone()), work, targets);
    match ledger::ask(cx, &tenant, &head.push, call).await? {
        Outcome::Exists(known) => return push::replay(cx, &known, body.as_deref()),
        Outcome::Done => {}
        Outcome::Nothing
        | Outcome::Taken(_)
        | Outcome::Slice(_)
        | Outcome::Known(_)
        | Outcome::Distrust(_)
        | Outcome::Erased(..)
        | Outcome::Heard(..)
        | Outcome::Funnel(_) => {
            return Err(ledger::unusable());
        }
    }
    if head.due <= cx.now {
        let first = 0..head.slices().min(OFFERED_BY_CALLER);
        let jobs = first.map(|slice| Job::Slice(head.push.clone(), slice, 0));
        if offer(cx, &tenant, jobs.collect()).await.is_err() {
            // The push is written down: the ledger's alarm offers its pages within a minute.
            log::error("queue_failed", &[("push", head.push.as_str())]);
        }
    }
    Ok(Reply::json(202, reply::queued(&head, cx.now)))
}

/// Puts jobs into the queue.
pub(super) async fn offer(cx: &Cx, tenant: &Tenant, jobs: Vec<Job>) -> Result<(), Problem> {
    let body = |job| text::write(&Envelope { tenant: tenant.clone(), job });
    again(cx, jobs.into_iter().map(body).collect()).await
}

/// Puts messages into the queue as they are.
pub(super) async fn again(cx: &Cx, bodies: Vec<String>) -> Result<(), Problem> {
    let fault = |why: &str| {
        log::error("enqueue_failed", &[("why", why)]);
        unavailable("the queue does not answer")
    };
    let list = text::write(&bodies);
    glue::enqueue(&cx.env, DISPATCH, &list).await.map_err(|failed| fault(&failed.0))
}

/// Runs a job. `Err`: try again later.
pub(super) async fn run(cx: &Cx, envelope: Envelope) -> Result<(), Problem> {
    let Envelope { tenant, job } = envelope;
    // An app that is gone has no pushes: nothing is to be done.
    let Some(app) = authenticate::tenant(cx, &tenant).await? else { return Ok(()) };
    match job {
        Job::Slice(push, slice, part) => make(cx, &app, push, slice, part).await,
        Job::Retry(push, part) => retry(cx, &app, push, part).await,
        Job::Heard(vendor, reports) => receipts::tell(cx, &app, vendor, reports).await,
    }
}

/// Makes a page of a queued push and sends it.
async fn make(cx: &Cx, app: &Rc<App>, push: PushId, slice: u32, part: u32) -> Result<(), Problem> {
    let tenant = app.tenant();
    let call = Call::Slice(push.clone(), slice, part);
    let Outcome::Slice(sliced) = ledger::ask(cx, &tenant, &push, call).await? else { return Ok(()) };
    let Sliced { head, work, first, n, chunk } = *sliced;
    let work: Work = text::read(work.get()).map_err(|_| ledger::unusable())?;
    let Some(message) = work.message else { return Err(ledger::unusable()) };
    let mut targets = match (&head.source, chunk) {
        (Source::Audience(id, version), _) => audience::slice(cx, &tenant, id, *version, first, n)
            .await?
            .ok_or_else(|| unavailable("this version of the audience is gone"))?,
        (Source::Inline, Some((chunk_first, chunk))) => {
            let all: Vec<Target> = text::read(chunk.get()).map_err(|_| ledger::unusable())?;
            all.into_iter().skip(first.saturating_sub(chunk_first) as usize).take(n as usize).collect()
        }
        (Source::Inline, None) => return Err(ledger::unusable()),
    };
    let looked = resolve::directory(cx, app, &message, &targets).await?;
    targets.truncate(page::fit(&targets, &looked.directory));
    let took = u32::try_from(targets.len()).unwrap_or(n);
    let found = line_resolve::found(&targets, &looked.directory, &message);
    let (due, expires) = (head.due, head.due.plus_secs(message.ttl.into()));
    let message = page::message(message, due, now());
    let plan = plan::plan(app, &message, found, Of { push: &push, due, now: now() }, &cx.config);
    let order = Order { id: push.clone(), due, expires, body: None };
    let batch = begin::begin(order, Part::Slice(slice, part), took, &message, plan, now());
    let work = Work { message: None, tokens: page::tokens(&targets) };
    match deliver::begin(cx, app, batch, &work, Looked { message: &message, terms: looked.terms }).await? {
        Delivered::Page(_) | Delivered::Exists(_) | Delivered::Nothing => {}
        // The job's next try asks the objects.
        Delivered::Distrust => {
            return Err(unavailable("KV does not write; devices are looked up at the objects"));
        }
    }
    if took < n {
        offer(cx, &tenant, vec![Job::Slice(push, slice, part + 1)]).await?;
    }
    Ok(())
}

/// Sends what is due of a page once more, to the devices as they are now.
async fn retry(cx: &Cx, app: &Rc<App>, push: PushId, part: Part) -> Result<(), Problem> {
    let tenant = app.tenant();
    let call = Call::Take(push.clone(), part);
    let Outcome::Taken(taken) = ledger::ask(cx, &tenant, &push, call).await? else { return Ok(()) };
    let Taken { page: taken, due, work, head, distrust } = *taken;
    memory::distrust(&tenant, distrust);
    let read = |raw: Option<text::Raw>| raw.and_then(|raw| text::read::<Work>(raw.get()).ok());
    let own = read(work).unwrap_or_default();
    let Some(message) = own.message.or_else(|| read(head)?.message) else { return Err(ledger::unusable()) };
    let targets = page::again(&taken, &due, &own.tokens);
    let looked = match resolve::directory(cx, app, &message, &targets).await {
        Ok(looked) => looked,
        Err(problem) => return deliver::not_sent(cx, app, &taken, &due, &problem).await,
    };
    let found = line_resolve::found(&targets, &looked.directory, &message);
    let message = page::message(message, taken.due, now());
    let of = Of { push: &push, due: taken.due, now: now() };
    let plan = plan::plan(app, &message, found, of, &cx.config);
    let looked = Looked { message: &message, terms: looked.terms };
    deliver::again(cx, app, begin::again(taken, &due, plan), &due, looked).await
}

/// What becomes of a message.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Done {
    /// It is done, or has been given up.
    Ack,
    /// Again, after so many seconds.
    Retry(u32),
}

/// Runs a batch of the queue; answers what becomes of each message, in their order.
pub(super) async fn batch(cx: &Cx, messages: Vec<(String, u32)>) -> Vec<Done> {
    together(usize::MAX, messages.into_iter().map(|(body, tries)| one(cx, body, tries))).await
}

/// Keeps jobs that were given up: the batch of the queue of dead letters.
pub(super) async fn bury(cx: &Cx, messages: Vec<(String, u32)>) -> Vec<Done> {
    let n = messages.len();
    let letter = |(body, _): (String, u32)| {
        // The platform puts a bare message here when it has given up by itself.
        let Letter { body, reason } = text::read(&body).unwrap_or_else(|_| Letter {
            body,
            reason: "the worker died on it, as often as the queue tries".to_owned(),
        });
        let body = body.chars().take(wire::BODY_MAX / 4).collect();
        wire::Letter { id: 0, at: cx.now, body, reason }
    };
    let all = messages.into_iter().map(letter).collect();
    let kept = letters::ask(cx, wire::Call::Add(all)).await.is_ok();
    (0..n).map(|_| if kept { Done::Ack } else { Done::Retry(60) }).collect()
}

async fn one(cx: &Cx, body: String, tries: u32) -> Done {
    let why = match text::read(&body) {
        Ok(envelope) => match run(cx, envelope).await {
            Ok(()) => return Done::Ack,
            Err(problem) if tries < job::TRIES_MAX => {
                log::warn("job_again", &[("code", problem.code.as_str())]);
                return Done::Retry(1 << tries.min(6));
            }
            Err(problem) => {
                format!("failed {tries} times, at last: {}: {}", problem.code.as_str(), problem.detail)
            }
        },
        Err(_) => "not a job of this version".to_owned(),
    };
    // With its reason; were the queue to fail here, the platform's own dead-letter rule keeps the bare message.
    log::error("job_given_up", &[("why", &why)]);
    let letter = text::write(&Letter { body, reason: why });
    let list = text::write(&[letter]);
    match glue::enqueue(&cx.env, DEAD, &list).await {
        Ok(()) => Done::Ack,
        Err(_) => Done::Retry(60),
    }
}
