//! HTTP: a request → its route → a response. Every problem leaves as `application/problem+json`; the log gets the
//! cause, the caller gets the code.

use std::rc::Rc;

use worker::{Context, Env};

use super::{
    cx::{self, Cx},
    exchange::{Reply, Request},
    glue::{self, Failed, Taken},
    log,
    promise::{self, Outcome},
    routes,
};
use crate::{
    line::parse::route,
    model::problem::{Code, Problem},
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
            let cx = Cx { context: Some(Rc::new(context)), ..Cx::new(env, config) };
            let reply = answer(&cx, &taken, &request).await;
            (reply, Some(cx.cost.header()))
        }
        (Ok(taken), Err(problem)) => (misconfigured(&taken, &problem), None),
        (Err(failed), _) => {
            log::error("request_not_read", &[("why", &failed.0)]);
            (Reply::problem(&Problem::new(Code::InvalidUtf8, "the request body could not be read")), None)
        }
    };
    if let Some(response) = reply.begun {
        return Ok(response.into());
    }
    let headers = headers(&reply, cost.as_deref());
    glue::respond(reply.status, &headers, &reply.body).or_else(|_| {
        log::error("response_not_made", &[]);
        glue::respond(500, "{}", "")
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

fn headers(reply: &Reply, cost: Option<&str>) -> String {
    let mut headers = String::from(r#"{"cache-control":"no-store""#);
    let mut add = |name: &str, value: &str| {
        [",\"", name, "\":\"", value, "\""].into_iter().for_each(|part| headers.push_str(part));
    };
    if !reply.kind.is_empty() {
        add("content-type", reply.kind);
    }
    if let Some(cost) = cost {
        add("edgepush-cost", cost);
    }
    if let Some(allow) = &reply.allow {
        add("allow", allow);
    }
    if reply.replay {
        add("idempotent-replay", "true");
    }
    match reply.status {
        401 => add("www-authenticate", "Bearer"),
        503 => add("retry-after", "5"),
        _ => {}
    }
    headers.push('}');
    headers
}
