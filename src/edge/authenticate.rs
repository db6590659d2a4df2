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
        device::Source,
        ids::{AppId, Tenant, UserId},
        problem::{Code, Problem},
        secret::Secret,
        time::Millis,
    },
    wire::{app as wire, text},
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

/// Who calls: a key with the scope `devices`, or an app for its user.
pub(super) struct Caller {
    pub(super) app: Rc<App>,
    /// Whose token it is; `None`: a key.
    pub(super) user: Option<UserId>,
}

/// A key with the scope `devices`, or a user token.
pub(super) async fn caller(cx: &Cx, authorization: Option<&str>) -> Result<Caller, Problem> {
    let Bearer::User(token) = authenticate::bearer(authorization)? else {
        return Ok(Caller { app: app(cx, authorization, Scope::Devices).await?, user: None });
    };
    // An app that does not exist has no keys: one answer for every token that is not good.
    let mut refused = no_key_signed();
    for id in authenticate::token_apps(&token)? {
        match by_token(cx, &id, &token).await {
            Ok(caller) => return Ok(caller),
            Err(problem) if problem.code.status() >= 500 => return Err(problem),
            Err(problem) if refused.code != Code::UserTokenExpired => refused = problem,
            Err(_) => {}
        }
    }
    Err(refused)
}

fn no_key_signed() -> Problem {
    Problem::new(Code::UserTokenInvalid, "no key of an app has signed this user token")
}

/// The app that a token names as one of its audiences, if one of its keys has signed it.
async fn by_token(cx: &Cx, id: &AppId, token: &Secret) -> Result<Caller, Problem> {
    let verify = |app: &App| {
        let owner = token_key_owner(&app.id);
        authenticate::user(app, token, |sealed| cx.config.seal_keys.open(&owner, sealed).ok(), cx.now)
    };
    if memory::is_missing(id, cx.now, ASKED_MS) {
        return Err(no_key_signed());
    }
    let known = match memory::app(id).filter(|known| within(known.read_at, FRESH_MS, cx.now)) {
        Some(known) => known,
        None => record(cx, id).await?.ok_or_else(no_key_signed)?,
    };
    let known = match verify(&known.app) {
        Ok(user) => return Ok(Caller { app: known.app, user: Some(user) }),
        Err(problem) if problem.code == Code::UserTokenExpired => return Err(problem),
        Err(problem) if known.asked_at.is_some_and(|at| within(at, ASKED_MS, cx.now)) => return Err(problem),
        // The key may be newer than the copy.
        Err(_) => ask(cx, id).await?.ok_or_else(no_key_signed)?,
    };
    let user = verify(&known.app)?;
    Ok(Caller { app: known.app, user: Some(user) })
}

/// The same, for one user's devices; and where what it says comes from.
pub(super) async fn device(
    cx: &Cx,
    authorization: Option<&str>,
    user: &UserId,
) -> Result<(Rc<App>, Source), Problem> {
    let Caller { app, user: own } = caller(cx, authorization).await?;
    match own {
        Some(own) => authenticate::own(&own, user).map(|()| (app, Source::Client)),
        None => Ok((app, Source::Backend)),
    }
}

/// What a secret of user tokens is sealed for.
pub(super) fn token_key_owner(app: &AppId) -> String {
    format!("{app}/user_token")
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
        bearer @ (Bearer::Other(_) | Bearer::User(_)) => authenticate::admin(&bearer, &cx.config.admin_key),
    }
}

/// The app of a job. `None`: it is gone.
pub(super) async fn tenant(cx: &Cx, tenant: &Tenant) -> Result<Option<Rc<App>>, Problem> {
    Ok(known(cx, &tenant.app).await?.filter(|app| app.tenant() == *tenant))
}

/// An app, whoever asks.
pub(super) async fn known(cx: &Cx, id: &AppId) -> Result<Option<Rc<App>>, Problem> {
    if memory::is_missing(id, cx.now, ASKED_MS) {
        return Ok(None);
    }
    let known = match memory::app(id).filter(|known| within(known.read_at, FRESH_MS, cx.now)) {
        Some(known) => Some(known),
        None => record(cx, id).await?,
    };
    Ok(known.map(|known| known.app))
}

fn within(at: Millis, ms: u64, now: Millis) -> bool {
    now.0.saturating_sub(at.0) < ms
}

/// From KV; a miss, or a copy that cannot be read, asks the object.
async fn record(cx: &Cx, id: &AppId) -> Result<Option<KnownApp>, Problem> {
    let copy = cx.read(wire::COPY, &wire::name(id)).await;
    match copy.and_then(|text| text::read::<App>(&text).ok()) {
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
