//! `/v1/users/{user}/devices/{device}`.

use super::super::{
    authenticate,
    cx::{Cx, unavailable},
    exchange::{Reply, Request},
    glue, resolve,
};
use crate::{
    line::{
        parse::{
            device::{self, BODY_MAX},
            text,
        },
        plan,
    },
    model::{
        ids::{DeviceId, UserId},
        problem::{Code, Problem},
    },
    wire::user::{self as wire, Call, DEVICES_MAX, Done, Shown},
};

/// Registers a device, or takes its "still here".
pub(super) async fn put(cx: &Cx, request: &Request<'_>, user: &str, device: &str) -> Result<Reply, Problem> {
    let (user, device) = ids(user, device)?;
    let (app, source) = authenticate::device(cx, request.authorization, &user).await?;
    let registration = Box::new(device::registration(request.body(BODY_MAX)?)?);
    plan::allowed(&registration.address, &cx.config.webpush_hosts, "/token")?;
    known_zone(cx, registration.time_zone.as_deref())?;
    let call = Call::Put(device, registration, source);
    let answer = resolve::call(cx, &app.tenant(), &user, call).await?;
    let status = registered(answer.done)?;
    Ok(Reply::json(status, text_of(answer)?))
}

/// The status of a registration.
pub(in super::super) fn registered(done: Done) -> Result<u16, Problem> {
    match done {
        Done::Created => Ok(201),
        Done::Read | Done::Changed | Done::Unchanged | Done::Removed | Done::Missing => Ok(200),
        Done::Full => Err(Problem::new(
            Code::LimitReached,
            format!("a user has at most {DEVICES_MAX} devices; delete one first"),
        )),
        Done::Taken => Err(Problem::new(
            Code::DeviceTaken,
            "another user holds this device id or this token: it was registered at the same moment, or with another token than the \
             one given here, which a user token cannot take over",
        )),
        Done::Undecided => Err(Problem::new(
            Code::Unavailable,
            "the registration is written down, and it is not decided yet whose the device is; it will be within a minute, or repeat the request",
        )),
    }
}

/// Forgets a device.
pub(super) async fn delete(
    cx: &Cx,
    request: &Request<'_>,
    user: &str,
    device: &str,
) -> Result<Reply, Problem> {
    let (user, device) = ids(user, device)?;
    let (app, _) = authenticate::device(cx, request.authorization, &user).await?;
    let answer = resolve::call(cx, &app.tenant(), &user, Call::Delete(device)).await?;
    if answer.done == Done::Missing { Err(unknown()) } else { Ok(Reply::empty()) }
}

/// Whether now is a good moment to ask for permission.
pub(super) async fn advice(
    cx: &Cx,
    request: &Request<'_>,
    user: &str,
    device: &str,
) -> Result<Reply, Problem> {
    let (user, device) = ids(user, device)?;
    let (app, _) = authenticate::device(cx, request.authorization, &user).await?;
    let call = Call::Advice(device, app.policy.advice());
    let answer = resolve::call(cx, &app.tenant(), &user, call).await?;
    if answer.done == Done::Missing { Err(unknown()) } else { Ok(Reply::json(200, text_of(answer)?)) }
}

fn unknown() -> Problem {
    Problem::new(Code::UnknownDevice, "this user has no such device on file")
}

fn ids(user: &str, device: &str) -> Result<(UserId, DeviceId), Problem> {
    Ok((text::path_id(user, "user", UserId::parse)?, text::path_id(device, "device", DeviceId::parse)?))
}

/// Of time zones only the form is known without the platform.
pub(in super::super) fn known_zone(cx: &Cx, zone: Option<&str>) -> Result<(), Problem> {
    match zone {
        Some(zone) if glue::zone_offset(zone, cx.now.0).is_none() => Err(Problem::at(
            Code::InvalidValue,
            "/time_zone",
            "no such time zone in the IANA database, as in Europe/Berlin",
        )),
        Some(_) | None => Ok(()),
    }
}

/// What an object shows, as it goes out.
pub(super) fn text_of(reply: wire::Reply) -> Result<String, Problem> {
    match reply.shown {
        Shown::Text(text) => Ok(text),
        Shown::Nothing | Shown::Reach(_) | Shown::Spent(_) => {
            Err(unavailable("a storage object gave no usable answer"))
        }
    }
}
