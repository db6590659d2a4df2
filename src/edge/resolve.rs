//! Step 3, I/O half: users → devices. One bulk read of KV; a miss asks the `User` object before anyone says "unknown".

use futures_util::{StreamExt, stream};

use super::cx::Cx;
use crate::{
    line::{resolve, resolve::Directory},
    model::{
        app::App,
        ids::{Tenant, UserId},
        problem::Problem,
    },
    wire::{ledger::Target, user as wire},
};

/// Objects asked at once.
const AT_ONCE: usize = 6;

/// The devices of all users that the targets name.
pub(super) async fn directory(cx: &Cx, app: &App, to: &[Target]) -> Result<Directory, Problem> {
    let users = resolve::users(to);
    if users.is_empty() {
        return Ok(Directory::new());
    }
    let tenant = app.tenant();
    let keys: Vec<String> = users.iter().map(|user| wire::name(&tenant, user)).collect();
    let copies = cx.read_many(wire::COPY, &keys).await;
    let mut directory = Directory::new();
    let mut missing = Vec::new();
    for (user, copy) in users.into_iter().zip(copies) {
        match copy.and_then(|text| serde_json::from_str::<wire::Copy>(&text).ok()) {
            Some(copy) => {
                directory.insert(user, copy.devices);
            }
            None => missing.push(user),
        }
    }
    let mut asked = stream::iter(missing).map(|user| ask(cx, &tenant, user)).buffer_unordered(AT_ONCE);
    while let Some(answer) = asked.next().await {
        let (user, devices) = answer?;
        directory.insert(user, devices);
    }
    Ok(directory)
}

async fn ask(cx: &Cx, tenant: &Tenant, user: UserId) -> Result<(UserId, Vec<wire::Reach>), Problem> {
    let reply = call(cx, tenant, &user, wire::Call::Get).await?;
    Ok((user, reply.devices.iter().map(wire::Reach::of).collect()))
}

/// Asks one user's object.
pub(super) async fn call(
    cx: &Cx,
    tenant: &Tenant,
    user: &UserId,
    call: wire::Call,
) -> Result<wire::Reply, Problem> {
    let name = wire::name(tenant, user);
    let request = wire::Request { name, call };
    let reply: wire::Reply = cx.ask(wire::BINDING, &request.name, &request).await?;
    cx.cost.rows(reply.rows);
    Ok(reply)
}
