//! A request and a response between `http`, which knows the platform's, and `routes`, which answer.

use crate::model::problem::{Code, Problem};

/// A response before it crosses to JavaScript.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) kind: &'static str,
    pub(super) body: String,
    /// For 405 (RFC 9110 section 15.5.6).
    pub(super) allow: Option<String>,
    /// The answer is that of an earlier request with the same idempotency key.
    pub(super) replay: bool,
    /// A response that has begun: it goes out as it is.
    pub(super) begun: Option<web_sys::Response>,
}

const JSON: &str = "application/json";

impl Reply {
    /// JSON with a status.
    pub(super) fn json(status: u16, body: String) -> Self {
        Self { status, kind: JSON, body, allow: None, replay: false, begun: None }
    }

    /// Done, nothing to say.
    pub(super) fn empty() -> Self {
        Self { status: 204, kind: "", ..Self::json(204, String::new()) }
    }

    pub(super) fn problem(problem: &Problem) -> Self {
        Self {
            status: problem.code.status(),
            kind: "application/problem+json",
            body: problem.json(),
            allow: None,
            replay: false,
            begun: None,
        }
    }

    /// Its body is being written.
    pub(super) fn stream(response: web_sys::Response) -> Self {
        Self { begun: Some(response), ..Self::json(200, String::new()) }
    }
}

/// A request whose path has been taken apart.
pub(super) struct Request<'a> {
    pub(super) authorization: Option<&'a str>,
    pub(super) idempotency_key: Option<&'a str>,
    /// Behind the `?`, still percent-encoded.
    pub(super) query: &'a str,
    pub(super) body: Option<&'a [u8]>,
    /// The request itself, where its body is a stream that has not been read.
    pub(super) stream: &'a web_sys::Request,
}

impl Request<'_> {
    /// The body, if it is not longer than the route allows.
    pub(super) fn body(&self, max: usize) -> Result<&[u8], Problem> {
        self.body.filter(|body| body.len() <= max).ok_or_else(|| {
            Problem::new(Code::BodyTooLarge, format!("the body of this call may have {max} bytes"))
        })
    }
}
