//! The calls of the contract: each has the function that answers it.

mod apps;
mod devices;
#[cfg(feature = "test-hooks")]
pub(super) mod hooks;
pub(super) mod meta;

use super::{
    cx::Cx,
    exchange::{Reply, Request},
    push,
};
use crate::{
    line::parse::{push::BODY_MAX, route::Call},
    model::problem::Problem,
};

/// Answers a call; `holes` are what stands in the path, in the order of its template.
pub(super) async fn answer(
    cx: &Cx,
    call: Call,
    holes: &[&str],
    request: &Request<'_>,
) -> Result<Reply, Problem> {
    let hole = |at: usize| holes.get(at).copied().unwrap_or_default();
    match call {
        Call::Push => {
            let body = request.body(BODY_MAX)?;
            let reply = push::push(cx, request.authorization, request.idempotency_key, body).await?;
            Ok(Reply::json(200, reply))
        }
        Call::GetUser => devices::list(cx, request, hole(0)).await,
        Call::PutDevice => devices::put(cx, request, hole(0), hole(1)).await,
        Call::DeleteDevice => devices::delete(cx, request, hole(0), hole(1)).await,
        Call::PutApp => apps::put(cx, request, hole(0)).await,
        Call::GetApp => apps::get(cx, request, hole(0)).await,
        Call::DeleteApp => apps::delete(cx, request, hole(0)).await,
        Call::AddKey => apps::add_key(cx, request, hole(0)).await,
        Call::RevokeKey => apps::revoke_key(cx, request, hole(0), hole(1)).await,
        Call::Health => Ok(meta::health(None)),
        Call::Openapi => Ok(meta::openapi()),
    }
}
