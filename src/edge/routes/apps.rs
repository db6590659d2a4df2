//! `/v1/apps/{app}` and its keys.

use crate::model::table::Table;

use super::super::{
    authenticate,
    bearer::seal_owner,
    cx::{self, Cx},
    exchange::{Reply, Request},
    memory,
};
use crate::{
    line::{
        authenticate as line,
        parse::{
            self,
            app::{BODY_MAX, NewUserTokenKey},
            text,
        },
        reply,
    },
    model::{
        app::{App, KeyRecord, UserTokenKey},
        ids::{AppId, UserId},
        problem::{Code, Problem},
    },
    vendor::{Credential, Vendor},
    wire::app::{self as wire, Call, Done, KEYS_MAX, NewCredential},
};

/// Creates or changes an app. Credentials have signed once before anything is stored.
pub(super) async fn put(cx: &Cx, request: &Request<'_>, app: &str) -> Result<Reply, Problem> {
    authenticate::admin(cx, request.authorization)?;
    let id = text::path_id(app, "app", AppId::parse)?;
    let change = parse::app::app(request.body(BODY_MAX)?)?;
    let mut credentials = Table::new();
    for (vendor, credential) in change.credentials {
        let sealed = credential.map(|credential| seal(cx, &id, vendor, &credential)).transpose()?;
        credentials.insert(vendor, sealed);
    }
    let user_token_keys = change.user_token_keys.map(|keys| token_keys(cx, &id, keys)).transpose()?;
    let (done, record) =
        ask(cx, &id, Call::Put(credentials, change.policy.map(Box::new), user_token_keys)).await?;
    let record = record.ok_or_else(|| unknown(&id))?;
    Ok(Reply::json(if done == Done::Created { 201 } else { 200 }, reply::app(&record, &cx.config)))
}

fn seal(cx: &Cx, id: &AppId, vendor: Vendor, credential: &Credential) -> Result<NewCredential, Problem> {
    let owner = seal_owner(id, vendor);
    let sealed = cx
        .config
        .seal_keys
        .seal(&owner, &credential.to_stored(), cx::random()?)
        .map_err(|_| Problem::new(Code::Internal, "the credential could not be sealed"))?;
    Ok(NewCredential { sealed, facts: credential.facts() })
}

fn token_keys(cx: &Cx, id: &AppId, keys: Vec<NewUserTokenKey>) -> Result<Vec<UserTokenKey>, Problem> {
    let seal = |key| match key {
        NewUserTokenKey::Es256(point) => Ok(UserTokenKey::Es256(point)),
        NewUserTokenKey::Hs256(secret) => {
            let owner = authenticate::token_key_owner(id);
            let sealed = cx.config.seal_keys.seal(&owner, &secret, cx::random()?);
            sealed
                .map(UserTokenKey::Hs256)
                .map_err(|_| Problem::new(Code::Internal, "the key could not be sealed"))
        }
    };
    keys.into_iter().map(seal).collect()
}

/// Shows an app, without its secrets.
pub(super) async fn get(cx: &Cx, request: &Request<'_>, app: &str) -> Result<Reply, Problem> {
    authenticate::admin(cx, request.authorization)?;
    let id = text::path_id(app, "app", AppId::parse)?;
    let (_, record) = ask(cx, &id, Call::Get).await?;
    let record = record.ok_or_else(|| unknown(&id))?;
    Ok(Reply::json(200, reply::app(&record, &cx.config)))
}

/// Removes an app: credentials, policy and keys. Its users cannot be reached through the same id again.
pub(super) async fn delete(cx: &Cx, request: &Request<'_>, app: &str) -> Result<Reply, Problem> {
    authenticate::admin(cx, request.authorization)?;
    let id = text::path_id(app, "app", AppId::parse)?;
    match ask(cx, &id, Call::Delete).await?.0 {
        Done::Missing => Err(unknown(&id)),
        Done::Read | Done::Created | Done::Changed | Done::Removed | Done::MissingKey | Done::Full => {
            Ok(Reply::empty())
        }
    }
}

/// Makes a key and shows it, once.
pub(super) async fn add_key(cx: &Cx, request: &Request<'_>, app: &str) -> Result<Reply, Problem> {
    let id = text::path_id(app, "app", AppId::parse)?;
    authenticate::manager(cx, request.authorization, &id).await?;
    let wanted = parse::app::key(request.body(BODY_MAX)?)?;
    let (key, key_id) = line::new_key(&id, cx::random()?);
    let record = KeyRecord {
        id: key_id,
        sha256: line::digest(&key),
        scopes: wanted.scopes,
        name: wanted.name,
        created_at: cx.now,
    };
    match ask(cx, &id, Call::AddKey(record.clone())).await?.0 {
        Done::Full => {
            let detail = format!("an app has at most {KEYS_MAX} keys; revoke one first");
            Err(Problem::new(Code::LimitReached, detail))
        }
        Done::Missing => Err(unknown(&id)),
        Done::Read | Done::Created | Done::Changed | Done::Removed | Done::MissingKey => {
            Ok(Reply::json(201, reply::new_key(&record, &key)))
        }
    }
}

/// Revokes a key.
pub(super) async fn revoke_key(
    cx: &Cx,
    request: &Request<'_>,
    app: &str,
    key: &str,
) -> Result<Reply, Problem> {
    let id = text::path_id(app, "app", AppId::parse)?;
    authenticate::manager(cx, request.authorization, &id).await?;
    let key = text::path_id(key, "key", UserId::parse)?;
    match ask(cx, &id, Call::RevokeKey(key.to_string())).await?.0 {
        Done::MissingKey => Err(Problem::new(Code::UnknownKey, "this app has no such key")),
        Done::Missing => Err(unknown(&id)),
        Done::Read | Done::Created | Done::Changed | Done::Removed | Done::Full => Ok(Reply::empty()),
    }
}

fn unknown(id: &AppId) -> Problem {
    Problem::new(Code::UnknownApp, format!("there is no app `{id}`; make it with PUT /v1/apps/{id}"))
}

/// Asks the app's object; what it says is remembered here at once, so that a revocation holds from now on.
async fn ask(cx: &Cx, id: &AppId, call: Call) -> Result<(Done, Option<App>), Problem> {
    let request = wire::Request { app: id.clone(), call };
    let reply: wire::Reply = cx.ask(wire::BINDING, &wire::name(id), &request).await?;
    cx.cost.rows(reply.rows);
    match &reply.app {
        Some(app) => {
            memory::remember_app(app.clone(), cx.now, true);
        }
        None => memory::forget_app(id, cx.now),
    }
    Ok((reply.done, reply.app))
}
