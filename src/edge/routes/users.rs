//! `/v1/users/{user}`, `/v1/devices/health`, `/v1/events`.

use serde_json::{Value, json};

use super::{
    super::{
        authenticate, census,
        cx::Cx,
        exchange::{Reply, Request},
        receipts, resolve,
    },
    devices::{known_zone, text_of},
};
use crate::{
    line::{
        authenticate as line, health,
        parse::{
            event::{self, What},
            text, wish,
        },
    },
    model::{
        app::Scope,
        ids::UserId,
        problem::{Code, Problem},
        table::Table,
    },
    wire::{
        ledger::{Event, Heard, Whose},
        user::{Call, Done},
    },
};

/// Objects told at once.
const AT_ONCE: usize = 6;

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
    Ok(Reply::json(200, crate::wire::text::write(&shown)))
}

fn unknown() -> Problem {
    Problem::new(Code::UnknownUser, "nothing is on file about this user")
}

/// Counts of devices.
pub(super) async fn health(cx: &Cx, request: &Request<'_>) -> Result<Reply, Problem> {
    let app = authenticate::app(cx, request.authorization, Scope::Read).await?;
    let counted = census::count(cx, &app.tenant()).await?;
    Ok(Reply::json(200, health::health(&app.policy, &counted, cx.now)))
}

/// Takes what apps report. Events about devices or messages that are not there are counted and change nothing.
pub(super) async fn events(cx: &Cx, request: &Request<'_>) -> Result<Reply, Problem> {
    let caller = authenticate::caller(cx, request.authorization).await?;
    let events = event::events(request.body(event::BODY_MAX)?)?;
    let (mut permissions, mut reports): (Table<UserId, Vec<Call>>, Vec<Heard>) = Default::default();
    let all = events.len();
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
        match event.what {
            What::Permission(device, permission) => {
                permissions.entry(user).or_default().push(Call::Permission(device, permission));
            }
            What::Seen(push, n, device, seen) => {
                reports.push(Heard { push, n, whose: Whose::Device(user, device), event: Event::Seen(seen) });
            }
        }
    }
    let tenant = caller.app.tenant();
    let (heard, ..) = receipts::hear(cx, &caller.app, reports).await?;
    let mut unknown = heard.iter().filter(|whose| whose.is_none()).count();
    // Users side by side; what is said of one user in the order in which it is said.
    while !permissions.is_empty() {
        let mut round = Vec::new();
        permissions.retain(|user, calls| {
            round.extend(calls.drain(..calls.len().min(1)).map(|call| (user.clone(), call)));
            !calls.is_empty()
        });
        for answer in resolve::call_all(cx, &tenant, AT_ONCE, round).await {
            unknown += usize::from(answer?.done == Done::Missing);
        }
    }
    Ok(Reply::json(200, crate::wire::text::write(&json!({"taken": all - unknown, "unknown": unknown}))))
}
