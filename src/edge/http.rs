//! HTTP: a request → its route → a response. Every problem leaves as `application/problem+json`; the log gets the
//! cause, the caller gets the code.

use worker::Env;

use super::{
    cx::{self, Cx},
    glue::{self, Taken},
    log, routes,
};
use crate::{
    line::parse::route,
    model::problem::{Code, Problem},
};

/// Most bytes read of any body. Routes with smaller limits check again.
const BODY_MAX: u32 = 2 * 1024 * 1024;

/// A response before it crosses to JavaScript.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) kind: &'static str,
    pub(super) body: String,
    /// For 405 (RFC 9110 section 15.5.6).
    pub(super) allow: Option<String>,
}

const JSON: &str = "application/json";

impl Reply {
    /// JSON with a status.
    pub(super) fn json(status: u16, body: String) -> Self {
        Self { status, kind: JSON, body, allow: None }
    }

    /// Done, nothing to say.
    pub(super) fn empty() -> Self {
        Self { status: 204, kind: "", body: String::new(), allow: None }
    }

    fn problem(problem: &Problem) -> Self {
        Self {
            status: problem.code.status(),
            kind: "application/problem+json",
            body: problem.json(),
            allow: None,
        }
    }
}

/// A request whose path has been taken apart.
pub(super) struct Request<'a> {
    pub(super) authorization: Option<&'a str>,
    pub(super) idempotency_key: Option<&'a str>,
    body: Option<&'a [u8]>,
}

impl Request<'_> {
    /// The body, if it is not longer than the route allows.
    pub(super) fn body(&self, max: usize) -> Result<&[u8], Problem> {
        self.body.filter(|body| body.len() <= max).ok_or_else(|| {
            Problem::new(Code::BodyTooLarge, format!("the body of this call may have {max} bytes"))
        })
    }
}

/// Answers a request.
pub(super) async fn handle(request: web_sys::Request, env: Env) -> worker::Result<web_sys::Response> {
    let (reply, cost) = match (glue::take(&request, BODY_MAX).await, cx::config(&env)) {
        (Ok(taken), Ok(config)) => {
            let cx = Cx::new(env, config);
            let reply = answer(&cx, &taken).await;
            (reply, Some(cx.cost.header()))
        }
        (Ok(taken), Err(problem)) => (misconfigured(&taken, &problem), None),
        (Err(failed), _) => {
            log::error("request_not_read", &[("why", &failed.0)]);
            (Reply::problem(&Problem::new(Code::InvalidUtf8, "the request body could not be read")), None)
        }
    };
    let headers = headers(&reply, cost.as_deref());
    glue::respond(reply.status, &headers, &reply.body).map_err(|failed| worker::Error::RustError(failed.0))
}

async fn answer(cx: &Cx, taken: &Taken) -> Reply {
    let path = path(&taken.url);
    #[cfg(feature = "test-hooks")]
    if let Some(hook) = path.strip_prefix("/__test/") {
        return routes::hooks::run(hook);
    }
    let (call, holes) = match route::find(&taken.method, path) {
        Ok(found) => found,
        Err(miss) => return Reply { allow: miss.allow, ..Reply::problem(&miss.problem) },
    };
    let request = Request {
        authorization: taken.authorization.as_deref(),
        idempotency_key: taken.idempotency_key.as_deref(),
        body: taken.body.as_deref(),
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
        headers.push_str(&format!(r#","{name}":"{value}""#));
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
    match reply.status {
        401 => add("www-authenticate", "Bearer"),
        503 => add("retry-after", "5"),
        _ => {}
    }
    headers.push('}');
    headers
}
