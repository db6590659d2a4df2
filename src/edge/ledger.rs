//! The `Ledger` objects as the line sees them. Which one a push belongs to stands in its id.

use std::borrow::Cow;

use super::{
    cx::{Cx, unavailable},
    log, memory,
    together::together,
};
use crate::{
    model::{
        ids::{PushId, Tenant, UserId},
        page::Page,
        problem::{Code, Problem},
        time::Millis,
    },
    wire::{
        ledger::{self as wire, Call, Cell, End, Known, Outcome, Request, Work},
        text::Raw,
    },
};

/// Times that a settle is tried.
const SETTLES: u32 = 3;

/// What a begin came to.
pub(super) enum Begun {
    /// The page is written down: now it may be sent.
    Fresh,
    /// The key is taken.
    Exists(Box<Known>),
    /// There is nothing to do.
    Nothing,
    /// Not begun: devices are to be looked up at the objects.
    Distrust,
}

/// Asks the ledger of a push.
pub(super) async fn ask(cx: &Cx, tenant: &Tenant, push: &PushId, call: Call<'_>) -> Result<Outcome, Problem> {
    ask_shard(cx, tenant, push.shard(cx.config.ledger_shards), call).await
}

/// Asks one ledger.
pub(super) async fn ask_shard(
    cx: &Cx,
    tenant: &Tenant,
    shard: u32,
    call: Call<'_>,
) -> Result<Outcome, Problem> {
    let request = Request(Cow::Borrowed(tenant), shard, call);
    let name = wire::name(tenant, shard);
    let reply: wire::Reply = cx.ask_ledger(&name, &request).await?;
    cx.cost.rows(reply.rows);
    Ok(reply.outcome)
}

/// Asks where a push may be: its ledger, and the one it had before their number was changed.
pub(super) async fn find(
    cx: &Cx,
    tenant: &Tenant,
    push: &PushId,
    call: impl Fn() -> Call<'static>,
) -> Result<Outcome, Problem> {
    let found = ask(cx, tenant, push, call()).await?;
    match (&found, before(cx, push)) {
        (Outcome::Nothing, Some(shard)) => ask_shard(cx, tenant, shard, call()).await,
        (_, Some(_) | None) => Ok(found),
    }
}

/// Where the push would have been before the number of ledgers was changed, if that is elsewhere.
fn before(cx: &Cx, push: &PushId) -> Option<u32> {
    let shards = cx.config.ledger_shards_before?;
    (shards != cx.config.ledger_shards).then(|| push.shard(shards))
}

/// While the number of ledgers changes, a key that a ledger of before holds is taken.
pub(super) async fn held_before(
    cx: &Cx,
    tenant: &Tenant,
    push: &PushId,
) -> Result<Option<Box<Known>>, Problem> {
    let Some(shard) = before(cx, push) else { return Ok(None) };
    match ask_shard(cx, tenant, shard, Call::Held(push.clone())).await? {
        Outcome::Exists(known) => Ok(Some(known)),
        Outcome::Done
        | Outcome::Nothing
        | Outcome::Taken(_)
        | Outcome::Slice(_)
        | Outcome::Known(_)
        | Outcome::Distrust(_)
        | Outcome::Erased(..)
        | Outcome::Heard(..)
        | Outcome::Funnel(_) => Ok(None),
    }
}

/// Writes a page down.
pub(super) async fn begin(
    cx: &Cx,
    tenant: &Tenant,
    page: &Page,
    work: &Work,
    copies: bool,
) -> Result<Begun, Problem> {
    if page.body.is_some()
        && let Some(known) = held_before(cx, tenant, &page.push).await?
    {
        return Ok(Begun::Exists(known));
    }
    let call = Call::Begin(Cow::Borrowed(page), Raw::of(work), copies);
    match ask(cx, tenant, &page.push, call).await? {
        Outcome::Done => Ok(Begun::Fresh),
        Outcome::Exists(known) => Ok(Begun::Exists(known)),
        Outcome::Nothing => Ok(Begun::Nothing),
        Outcome::Distrust(until) => {
            memory::distrust(tenant, until);
            Ok(Begun::Distrust)
        }
        Outcome::Taken(_)
        | Outcome::Slice(_)
        | Outcome::Known(_)
        | Outcome::Erased(..)
        | Outcome::Heard(..)
        | Outcome::Funnel(_) => Err(unusable()),
    }
}

/// Undoes a begin: nothing was sent, and the caller is told so.
pub(super) async fn abort(cx: &Cx, tenant: &Tenant, page: &Page) {
    let push = &page.push;
    if ask(cx, tenant, push, Call::Abort(push.clone(), page.part)).await.is_err() {
        log::error("begin_not_undone", &[("push", push.as_str())]);
    }
}

/// Writes down what became of a page's deliveries. `Err`: it is not known whether that is written down; the ledger's alarm
/// will find them.
pub(super) async fn settle(
    cx: &Cx,
    tenant: &Tenant,
    page: &Page,
    ends: &[End],
    now: Millis,
) -> Result<(), Problem> {
    if ends.is_empty() {
        return Ok(());
    }
    let Page { push, part, .. } = page;
    for _ in 0..SETTLES {
        let call = Call::Settle(push.clone(), *part, now, Cow::Borrowed(ends));
        if ask(cx, tenant, push, call).await.is_ok() {
            return Ok(());
        }
    }
    log::error("settle_lost", &[("push", push.as_str())]);
    let detail = format!(
        "the push was sent and its end could not be written down; GET /v1/push/{push} in two minutes, or repeat \
         the request with the same Idempotency-Key"
    );
    Err(Problem::of_push(Code::Unavailable, push, detail))
}

/// Takes a user's name out of all ledgers; gives the rows that had it.
pub(super) async fn erase(cx: &Cx, tenant: &Tenant, user: &UserId) -> Result<u32, Problem> {
    let mut rows = 0;
    for shard in 0..cx.config.ledger_shards.max(cx.config.ledger_shards_before.unwrap_or_default()) {
        let mut after = None;
        loop {
            let call = Call::Erase(user.clone(), after.take());
            let Outcome::Erased(found, next) = ask_shard(cx, tenant, shard, call).await? else {
                return Err(unusable());
            };
            rows += found;
            match next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    Ok(rows)
}

/// Counts of some hours, of all ledgers. Those of before keep their hours: they are asked as long as the setting names them.
pub(super) async fn funnel(cx: &Cx, tenant: &Tenant, from: u64, to: u64) -> Result<Vec<Cell>, Problem> {
    let shards = cx.config.ledger_shards.max(cx.config.ledger_shards_before.unwrap_or_default());
    let answers = (0..shards).map(|shard| ask_shard(cx, tenant, shard, Call::Funnel(from, to)));
    let mut cells = Vec::new();
    for answer in together(usize::MAX, answers).await {
        if let Outcome::Funnel(more) = answer? {
            cells.extend(more);
        }
    }
    Ok(cells)
}

/// An answer that does not belong to the question.
pub(super) fn unusable() -> Problem {
    unavailable("a ledger gave no usable answer")
}
