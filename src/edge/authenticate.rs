//! Step 1, I/O half: where the app's record comes from.
//!
//! Memory of the isolate for some seconds, then KV, then the `App` object. Before anyone is told that a key is not
//! known the object is asked, at most once a second per app and isolate: KV may be a minute behind a key just made.
//! A revoked key is refused at once where its revocation passed through; an isolate that still holds the record of
//! before refuses it when its memory ends, at the latest when KV has the change.

use std::rc::Rc;

use super::{cx::Cx, memory, memory::KnownApp};
use crate::{
    line::authenticate::{self, Bearer},
    model::{
        app::{App, Scope},
        ids::{AppId, Tenant},
        problem::{Code, Problem},
        time::Millis,
    },
    wire::app as wire,
};

/// How long an isolate trusts its copy of an app's record.
const FRESH_MS: u64 = 10_000;
/// How long it trusts what the object itself has said, when a key seems unknown.
const ASKED_MS: u64 = 1_000;

/// The app whose key this is, if the key may do what is asked.
pub(super) async fn app(cx: &Cx, authorization: Option<&str>, need: Scope) -> Result<Rc<App>, Problem> {
    let Bearer::Key { app: id, sha256 } = authenticate::bearer(authorization)? else {
        return Err(authenticate::unknown_key());
    };
    if memory::is_missing(&id, cx.now, ASKED_MS) {
        return Err(authenticate::unknown_key());
    }
    let known = match memory::app(&id).filter(|known| within(known.read_at, FRESH_MS, cx.now)) {
        Some(known) => known,
        None => record(cx, &id).await?.ok_or_else(authenticate::unknown_key)?,
    };
    match authenticate::key(&known.app, &sha256, need) {
        Ok(_) => return Ok(known.app),
        Err(problem) if problem.code == Code::MissingScope => return Err(problem),
        Err(problem) if known.asked_at.is_some_and(|at| within(at, ASKED_MS, cx.now)) => return Err(problem),
        Err(_) => {}
    }
    let known = ask(cx, &id).await?.ok_or_else(authenticate::unknown_key)?;
    authenticate::key(&known.app, &sha256, need)?;
    Ok(known.app)
}

/// The caller holds the admin key.
pub(super) fn admin(cx: &Cx, authorization: Option<&str>) -> Result<(), Problem> {
    authenticate::admin(&authenticate::bearer(authorization)?, &cx.config.admin_key)
}

/// The admin, or a key of this app with the scope `manage`.
pub(super) async fn manager(cx: &Cx, authorization: Option<&str>, id: &AppId) -> Result<(), Problem> {
    match authenticate::bearer(authorization)? {
        Bearer::Key { app: said, .. } if said == *id => {
            app(cx, authorization, Scope::Manage).await.map(|_| ())
        }
        Bearer::Key { .. } => Err(authenticate::unknown_key()),
        bearer @ Bearer::Other(_) => authenticate::admin(&bearer, &cx.config.admin_key),
    }
}

/// The app of a job. `None`: it is gone.
pub(super) async fn tenant(cx: &Cx, tenant: &Tenant) -> Result<Option<Rc<App>>, Problem> {
    let id = &tenant.app;
    let known = match memory::app(id).filter(|known| within(known.read_at, FRESH_MS, cx.now)) {
        Some(known) => Some(known),
        None => record(cx, id).await?,
    };
    Ok(known.map(|known| known.app).filter(|app| app.tenant() == *tenant))
}

fn within(at: Millis, ms: u64, now: Millis) -> bool {
    now.0.saturating_sub(at.0) < ms
}

/// From KV; a miss, or a copy that cannot be read, asks the object.
async fn record(cx: &Cx, id: &AppId) -> Result<Option<KnownApp>, Problem> {
    let copy = cx.read(wire::COPY, &wire::name(id)).await;
    match copy.and_then(|text| serde_json::from_str::<App>(&text).ok()) {
        Some(app) => Ok(Some(memory::remember_app(app, cx.now, false))),
        None => ask(cx, id).await,
    }
}

/// From the object.
async fn ask(cx: &Cx, id: &AppId) -> Result<Option<KnownApp>, Problem> {
    let request = wire::Request { app: id.clone(), call: wire::Call::Get };
    let reply: wire::Reply = cx.ask(wire::BINDING, &wire::name(id), &request).await?;
    cx.cost.rows(reply.rows);
    match reply.app {
        Some(app) => Ok(Some(memory::remember_app(app, cx.now, true))),
        None => {
            memory::forget_app(id, cx.now);
            Ok(None)
        }
    }
}
