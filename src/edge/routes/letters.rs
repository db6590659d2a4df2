//! `/v1/dead-letters`: jobs of the queue that were given up.

use serde_json::json;

use super::super::{
    authenticate,
    cx::Cx,
    exchange::{Reply, Request},
    queue,
};
use crate::{
    line::parse::{self, text},
    model::problem::{Code, Problem},
    wire::letters::{self as wire, Call, Letter, PAGE},
};

/// Most bytes of a request to re-drive.
const BODY_MAX: usize = 64 * 1024;

/// Lists them, oldest first.
pub(super) async fn list(cx: &Cx, request: &Request<'_>) -> Result<Reply, Problem> {
    authenticate::admin(cx, request.authorization)?;
    let after = match text::query(request.query)?.as_slice() {
        [] => 0,
        [(name, after)] if name == "after" => after.parse().map_err(|_| {
            Problem::new(Code::InvalidValue, "`after` in the query must be `next` of the last answer")
        })?,
        _ => return Err(Problem::new(Code::UnknownField, "the query takes `after` only")),
    };
    let letters = ask(cx, Call::List(after)).await?;
    let shown: Vec<_> = letters.iter().map(shown).collect();
    let next = letters.last().filter(|_| letters.len() == PAGE).map(|letter| letter.id);
    Ok(Reply::json(200, crate::wire::text::write(&json!({"letters": shown, "next": next}))))
}

fn shown(Letter { id, at, body, reason }: &Letter) -> serde_json::Value {
    let job: Result<serde_json::Value, _> = serde_json::from_str(body);
    json!({"id": id, "at": at.rfc3339(), "reason": reason, "job": job.unwrap_or_else(|_| body.as_str().into())})
}

/// Puts them into the queue again: those named, or the oldest of all. A job that was done after all changes nothing.
pub(super) async fn redrive(cx: &Cx, request: &Request<'_>) -> Result<Reply, Problem> {
    authenticate::admin(cx, request.authorization)?;
    let wanted = parse::app::redrive(request.body(BODY_MAX)?)?;
    let letters = ask(cx, Call::List(0)).await?;
    let chosen: Vec<Letter> = letters
        .into_iter()
        .filter(|letter| wanted.as_ref().is_none_or(|ids| ids.contains(&letter.id)))
        .collect();
    queue::again(cx, chosen.iter().map(|letter| letter.body.clone()).collect()).await?;
    let ids: Vec<u64> = chosen.iter().map(|letter| letter.id).collect();
    let body = crate::wire::text::write(&json!({"redriven": ids}));
    ask(cx, Call::Remove(ids)).await?;
    Ok(Reply::json(200, body))
}

/// Asks the object.
pub(in super::super) async fn ask(cx: &Cx, call: Call) -> Result<Vec<Letter>, Problem> {
    let reply: wire::Reply = cx.ask(wire::BINDING, wire::NAME, &call).await?;
    cx.cost.rows(reply.rows);
    Ok(reply.letters)
}
