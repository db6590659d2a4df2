//! `/v1/audiences/{audience}`.

use serde_json::{Value, json};

use super::super::{
    audience, authenticate,
    cx::Cx,
    exchange::{Reply, Request},
    stream::Pieces,
};
use crate::{
    line::parse::text,
    model::{
        app::Scope,
        ids::AudienceId,
        problem::{Code, Problem},
    },
    object::audience::Version,
    wire::audience::{Call, Outcome},
};

/// Uploads a list, in place of the one before.
pub(super) async fn put(cx: &Cx, request: &Request<'_>, id: &str) -> Result<Reply, Problem> {
    let app = authenticate::app(cx, request.authorization, Scope::Push).await?;
    let id = text::path_id(id, "audience", AudienceId::parse)?;
    let pieces = Pieces::of(request.stream)
        .map_err(|_| Problem::new(Code::Unavailable, "the body could not be read; send it again"))?;
    let (version, lines) = audience::upload(cx, &app.tenant(), &id, &pieces).await?;
    let mut shown = shown(&id, &version);
    let errors: Vec<Value> =
        lines.errors.iter().map(|error| json!({"line": error.line, "detail": error.detail})).collect();
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("bad_lines".into(), lines.bad.into());
        fields.insert("errors".into(), errors.into());
    }
    Ok(Reply::json(200, crate::wire::text::write(&shown)))
}

/// What is known of it.
pub(super) async fn get(cx: &Cx, request: &Request<'_>, id: &str) -> Result<Reply, Problem> {
    let app = authenticate::app(cx, request.authorization, Scope::Push).await?;
    let id = text::path_id(id, "audience", AudienceId::parse)?;
    let version = audience::current(cx, &app.tenant(), &id).await?.ok_or_else(|| audience::unknown(&id))?;
    Ok(Reply::json(200, crate::wire::text::write(&shown(&id, &version))))
}

/// Removes it. Pushes that have begun with it go on.
pub(super) async fn delete(cx: &Cx, request: &Request<'_>, id: &str) -> Result<Reply, Problem> {
    let app = authenticate::app(cx, request.authorization, Scope::Push).await?;
    let id = text::path_id(id, "audience", AudienceId::parse)?;
    match audience::ask(cx, &app.tenant(), &id, Call::Remove).await? {
        Outcome::Removed => Ok(Reply::empty()),
        Outcome::Missing | Outcome::Version(_) | Outcome::Current(_) | Outcome::Ids(_) => {
            Err(audience::unknown(&id))
        }
    }
}

fn shown(id: &AudienceId, version: &Version) -> Value {
    json!({
        "audience": id,
        "version": version.version,
        "users": version.users,
        "created_at": version.created_at.rfc3339(),
        "expires_at": version.expires_at.rfc3339(),
    })
}
