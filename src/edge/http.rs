//! HTTP: a request → its route → a response. Every problem leaves as `application/problem+json`; the log gets the
//! cause, the caller gets the code.

use js_sys::JsString;
use worker::{Context, Env};

use super::{
    cx::{self, Cost, Cx},
    exchange::{Reply, Request},
    glue::{self, Failed, Taken},
    log,
    promise::{self, Outcome},
    routes,
};
use crate::{
    line::parse::route,
    model::{
        problem::{Code, Problem},
        table::{Table, gather},
    },
    wire::text,
};

/// Most bytes read of any body. Routes with smaller limits check again.
pub(super) const BODY_MAX: u32 = 2 * 1024 * 1024;

/// Answers a request.
pub(super) fn handle(
    request: web_sys::Request,
    env: Env,
    context: Context,
    taken: Result<Taken, Failed>,
) -> Outcome {
    promise::at_once(Box::pin(respond(request, env, context, taken)))
}

async fn respond(
    request: web_sys::Request,
    env: Env,
    context: Context,
    taken: Result<Taken, Failed>,
) -> Outcome {
    let (reply, cost) = match (taken, cx::config(&env)) {
        (Ok(taken), Ok(config)) => {
            let cx = Cx::new(env, config).of_request(context);
            let reply = answer(&cx, &taken, &request).await;
            (reply, cost(&cx.cost))
        }
        (Ok(taken), Err(problem)) => (misconfigured(&taken, &problem), glue::known("")),
        (Err(failed), _) => {
            log::error("request_not_read", &[("why", &failed.0)]);
            let detail = "the request body could not be read";
            (Reply::problem(&Problem::new(Code::InvalidUtf8, detail)), glue::known(""))
        }
    };
    if let Some(response) = reply.begun {
        return Ok(response.into());
    }
    glue::respond(reply.status, reply.kind, &cost, more(&reply).as_deref(), &reply.body).or_else(|_| {
        log::error("response_not_made", &[]);
        glue::respond(500, "", &glue::known(""), None, "")
    })
}

async fn answer(cx: &Cx, taken: &Taken, stream: &web_sys::Request) -> Reply {
    let path = path(&taken.url);
    #[cfg(feature = "test-hooks")]
    if let Some(hook) = path.strip_prefix("/__test/") {
        return routes::hooks::run(cx, hook).await;
    }
    let (call, holes) = match route::find(&taken.method, path) {
        Ok(found) => found,
        Err(miss) => return Reply { allow: miss.allow, ..Reply::problem(&miss.problem) },
    };
    let request = Request {
        authorization: taken.authorization.as_deref(),
        idempotency_key: taken.idempotency_key.as_deref(),
        query: taken.url.split_once('?').map_or("", |(_, query)| query),
        body: taken.body.as_deref(),
        stream,
    };
    let reply = routes::answer(cx, call, &holes, &request).await;
    reply.unwrap_or_else(|problem| Reply::problem(&problem))
}

/// Liveness does not depend on settings; everything else says which one is wrong.
fn misconfigured(taken: &Taken, problem: &Problem) -> Reply {
    if path(&taken.url) == "/healthz" {
        return routes::meta::health(Some(problem));
    }
    log::alert("misconfigured", &[("why", &problem.detail)]);
    Reply::problem(problem)
}

/// The path of an absolute URL, as sent: percent-encoding included, query not.
fn path(url: &str) -> &str {
    let after_host = url.split_once("://").and_then(|(_, rest)| rest.find('/').and_then(|at| rest.get(at..)));
    after_host.unwrap_or("/").split(['?', '#']).next().unwrap_or("/")
}

/// The header that says what a request has cost. The same few texts come again and again: they cross once.
fn cost(cost: &Cost) -> JsString {
    match cost.packed() {
        Some(packed) => glue::known_for("edgepush-cost", packed, || cost.header()),
        None => cost.header().into(),
    }
}

/// The headers that few answers have, as a JSON object.
fn more(reply: &Reply) -> Option<String> {
    let allow = reply.allow.as_deref().map(|allow| ("allow", allow));
    let replay = reply.replay.then_some(("idempotent-replay", "true"));
    let of_status = match reply.status {
        401 => Some(("www-authenticate", "Bearer")),
        503 => Some(("retry-after", "5")),
        _ => None,
    };
    let headers: Table<&str, &str> = gather([allow, replay, of_status].into_iter().flatten());
    (!headers.is_empty()).then(|| text::write(&headers))
}
