//! The calls of the contract: each has the function that answers it.

mod apps;
mod audiences;
pub(super) mod devices;
#[cfg(feature = "test-hooks")]
pub(super) mod hooks;
pub(super) mod letters;
pub(super) mod meta;
mod pushes;
mod quota;
mod receipts;
mod simulate;
mod users;

use super::{
    cx::Cx,
    exchange::{Reply, Request},
    import, push,
};
use crate::{line::parse::route::Call, model::problem::Problem};

/// Answers a call; `holes` are what stands in the path, in the order of its template.
pub(super) async fn answer(
    cx: &Cx,
    call: Call,
    holes: &[&str],
    request: &Request<'_>,
) -> Result<Reply, Problem> {
    let hole = |at: usize| holes.get(at).copied().unwrap_or_default();
    match call {
        Call::Push => push::push(cx, request).await,
        Call::ExplainPush => pushes::explain(cx, request).await,
        Call::GetPush => pushes::get(cx, request, hole(0)).await,
        Call::CancelPush => pushes::cancel(cx, request, hole(0)).await,
        Call::Funnel => pushes::funnel(cx, request).await,
        Call::PutAudience => audiences::put(cx, request, hole(0)).await,
        Call::GetAudience => audiences::get(cx, request, hole(0)).await,
        Call::DeleteAudience => audiences::delete(cx, request, hole(0)).await,
        Call::ListLetters => letters::list(cx, request).await,
        Call::RedriveLetters => letters::redrive(cx, request).await,
        Call::GetUser => users::get(cx, request, hole(0)).await,
        Call::PatchUser => users::patch(cx, request, hole(0)).await,
        Call::DeleteUser => users::delete(cx, request, hole(0)).await,
        Call::DevicesHealth => users::health(cx, request).await,
        Call::Quota => quota::show(cx, request).await,
        Call::SimulateQuota => simulate::simulate(cx, request).await,
        Call::Events => users::events(cx, request).await,
        Call::Receipts => receipts::take(cx, request, hole(0), hole(1), hole(2)).await,
        Call::Advice => devices::advice(cx, request, hole(0), hole(1)).await,
        Call::ImportUsers => import::import(cx, request).await,
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
