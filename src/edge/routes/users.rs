//! `/v1/users/{user}`, `/v1/devices/health`, `/v1/events`.

use serde_json::{Value, json};

use super::{
    super::{
        authenticate, census,
        cx::Cx,
        exchange::{Reply, Request},
        resolve,
    },
    devices::{known_zone, text_of},
};
use crate::{
    line::{
        authenticate as line, health,
        parse::{event, text, wish},
    },
    model::{
        app::Scope,
        ids::UserId,
        problem::{Code, Problem},
    },
    wire::user::{Call, Done},
};

/// Shows a user's devices and preferences.
pub(super) async fn get(cx: &Cx, request: &Request<'_>, user: &str) -> Result<Reply, Problem> {
    let app = authenticate::app(cx, request.authorization, Scope::Devices).await?;
    let user = text::path_id(user, "user", UserId::parse)?;
    let answer = resolve::call(cx, &app.tenant(), &user, Call::Get).await?;
    if answer.done == Done::Missing { Err(unknown()) } else { Ok(Reply::json(200, text_of(answer)?)) }
}

/// Changes preferences.
pub(super) async fn patch(cx: &Cx, request: &Request<'_>, user: &str) -> Result<Reply, Problem> {
    let app = authenticate::app(cx, request.authorization, Scope::Devices).await?;
    let user = text::path_id(user, "user", UserId::parse)?;
    let wish = wish::wish(request.body(wish::BODY_MAX)?)?;
    known_zone(cx, wish.time_zone.as_ref().and_then(Option::as_deref))?;
    let answer = resolve::call(cx, &app.tenant(), &user, Call::Prefer(Box::new(wish))).await?;
    Ok(Reply::json(200, text_of(answer)?))
}

/// Erases everything about a user, and says what that was.
pub(super) async fn delete(cx: &Cx, request: &Request<'_>, user: &str) -> Result<Reply, Problem> {
    let app = authenticate::app(cx, request.authorization, Scope::Devices).await?;
    let user = text::path_id(user, "user", UserId::parse)?;
    let answer = resolve::call(cx, &app.tenant(), &user, Call::Erase).await?;
    let pushes = super::super::ledger::erase(cx, &app.tenant(), &user).await?;
    if answer.done == Done::Missing && pushes == 0 {
        return Err(unknown());
    }
    let mut shown: Value = serde_json::from_str(&text_of(answer)?).unwrap_or_default();
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("pushes".into(), pushes.into());
    }
    Ok(Reply::json(200, shown.to_string()))
}

fn unknown() -> Problem {
    Problem::new(Code::UnknownUser, "nothing is on file about this user")
}

/// Counts of devices.
pub(super) async fn health(cx: &Cx, request: &Request<'_>) -> Result<Reply, Problem> {
    let app = authenticate::app(cx, request.authorization, Scope::Read).await?;
    let counted = census::count(cx, &app).await?;
    Ok(Reply::json(200, health::health(&app.policy, &counted, cx.now)))
}

/// Takes what apps report. Events about devices that are not there are counted and change nothing.
pub(super) async fn events(cx: &Cx, request: &Request<'_>) -> Result<Reply, Problem> {
    let caller = authenticate::caller(cx, request.authorization).await?;
    let events = event::events(request.body(event::BODY_MAX)?)?;
    let mut all = Vec::with_capacity(events.len());
    for (at, event) in events.into_iter().enumerate() {
        let user = match (event.user, &caller.user) {
            (Some(user), Some(own)) => line::own(own, &user).map(|()| user)?,
            (None, Some(own)) => own.clone(),
            (Some(user), None) => user,
            (None, None) => {
                let detail = "an event that a key brings says whose it is";
                return Err(Problem::at(Code::MissingField, format!("/events/{at}/user"), detail));
            }
        };
        all.push((user, Call::Permission(event.device, event.permission)));
    }
    let (mut taken, mut unknown) = (0, 0);
    for (user, call) in all {
        match resolve::call(cx, &caller.app.tenant(), &user, call).await?.done {
            Done::Missing => unknown += 1,
            Done::Read
            | Done::Created
            | Done::Changed
            | Done::Unchanged
            | Done::Removed
            | Done::Full
            | Done::Taken
            | Done::Undecided => taken += 1,
        }
    }
    Ok(Reply::json(200, json!({"taken": taken, "unknown": unknown}).to_string()))
}
