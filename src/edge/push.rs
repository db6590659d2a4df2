//! `POST /v1/push`: the straight line, as one reads it.

use super::{
    admit, authenticate,
    cx::{self, Cx},
    resolve, send, settle,
};
use crate::{
    line::{begin, parse, plan, reply, resolve as line_resolve},
    model::{
        app::Scope,
        ids::PushId,
        problem::{Code, Problem},
    },
};

/// Sends one push and says what became of every delivery.
pub(super) async fn push(
    cx: &Cx,
    authorization: Option<&str>,
    idempotency_key: Option<&str>,
    body: &[u8],
) -> Result<String, Problem> {
    let app = authenticate::app(cx, authorization, Scope::Push).await?;
    if idempotency_key.is_some() {
        let detail =
            "idempotency keys are not in this version; nothing was sent. Send the push without the header";
        return Err(Problem::new(Code::NotSupported, detail));
    }
    let push = parse::push::push(body)?;
    let directory = resolve::directory(cx, &app, &push.to).await?;
    let found = line_resolve::found(&push.to, &directory);
    let id = PushId::new(cx.now, cx::random()?);
    let plan = plan::plan(&app, &push.message, found, &id, cx.now)?;
    let mut batch = begin::begin(id, plan);
    let category = push.message.category;
    let passes = admit::admit(cx, &app, category, &mut batch).await?;
    let tried = send::send(cx, &app, category, &batch, &passes).await;
    settle::settle(cx, &app, category, &mut batch, &passes, tried).await;
    Ok(reply::push(&batch))
}
