//! `/v1/users/{user}` and its devices.

use super::super::{
    authenticate,
    cx::Cx,
    exchange::{Reply, Request},
    resolve,
};
use crate::{
    line::{
        parse::{
            device::{self, BODY_MAX},
            text,
        },
        plan, reply,
    },
    model::{
        app::Scope,
        ids::{DeviceId, UserId},
        problem::{Code, Problem},
    },
    wire::user::{Call, DEVICES_MAX, Done},
};

/// Registers a device, or takes its "still here".
pub(super) async fn put(cx: &Cx, request: &Request<'_>, user: &str, device: &str) -> Result<Reply, Problem> {
    let app = authenticate::app(cx, request.authorization, Scope::Devices).await?;
    let (user, device) = ids(user, device)?;
    let registration = Box::new(device::registration(request.body(BODY_MAX)?)?);
    plan::allowed(&registration.address, &cx.config.webpush_hosts, "/token")?;
    let call = Call::Put { device: device.clone(), registration };
    let answer = resolve::call(cx, &app.tenant(), &user, call).await?;
    if answer.done == Done::Full {
        let detail = format!("a user has at most {DEVICES_MAX} devices; delete one first");
        return Err(Problem::new(Code::LimitReached, detail));
    }
    let shown = answer.devices.iter().find(|known| known.id == device).map(reply::device).unwrap_or_default();
    Ok(Reply::json(if answer.done == Done::Created { 201 } else { 200 }, shown.to_string()))
}

/// Forgets a device.
pub(super) async fn delete(
    cx: &Cx,
    request: &Request<'_>,
    user: &str,
    device: &str,
) -> Result<Reply, Problem> {
    let app = authenticate::app(cx, request.authorization, Scope::Devices).await?;
    let (user, device) = ids(user, device)?;
    let answer = resolve::call(cx, &app.tenant(), &user, Call::Delete { device }).await?;
    if answer.done == Done::Missing {
        return Err(Problem::new(Code::UnknownDevice, "this user has no such device on file"));
    }
    Ok(Reply::empty())
}

/// Shows a user's devices.
pub(super) async fn list(cx: &Cx, request: &Request<'_>, user: &str) -> Result<Reply, Problem> {
    let app = authenticate::app(cx, request.authorization, Scope::Devices).await?;
    let user = text::path_id(user, "user", UserId::parse)?;
    let answer = resolve::call(cx, &app.tenant(), &user, Call::Get).await?;
    if answer.devices.is_empty() {
        return Err(Problem::new(Code::UnknownUser, "this user has no device on file"));
    }
    Ok(Reply::json(200, reply::user(&user, &answer.devices)))
}

fn ids(user: &str, device: &str) -> Result<(UserId, DeviceId), Problem> {
    Ok((text::path_id(user, "user", UserId::parse)?, text::path_id(device, "device", DeviceId::parse)?))
}
