//! The `Census` objects as the line sees them.

use super::{cx::Cx, log, memory, together::together};
use crate::{
    model::{app::App, ids::Tenant, problem::Problem},
    wire::census::{self as wire, Call, Reply},
};

/// Which object has the users without a device.
const WITHOUT: u32 = 0;

async fn ask(cx: &Cx, tenant: &Tenant, shard: u32, call: &Call) -> Result<Reply, Problem> {
    let reply: Reply = cx.ask(wire::BINDING, &wire::name(tenant, shard), call).await?;
    cx.cost.rows(reply.rows);
    Ok(reply)
}

/// Tells of users without a device that pushes were asked for, now and then. Losing some is no harm: it is an estimate.
pub(super) async fn tell(cx: &Cx, app: &App) {
    let tenant = app.tenant();
    let slots = memory::take_without(&tenant, cx.now);
    if !slots.is_empty() && ask(cx, &tenant, WITHOUT, &Call::Without(slots)).await.is_err() {
        log::warn("census_not_told", &[("app", app.id.as_str())]);
    }
}

/// All counts.
pub(super) async fn count(cx: &Cx, tenant: &Tenant) -> Result<Vec<Reply>, Problem> {
    together(usize::MAX, (0..wire::SHARDS).map(|shard| ask(cx, tenant, shard, &Call::Count)))
        .await
        .into_iter()
        .collect()
}
