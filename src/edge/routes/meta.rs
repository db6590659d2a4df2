//! `GET /healthz` and `GET /openapi.json`.

use serde_json::json;

use super::super::exchange::Reply;
use crate::model::problem::Problem;
use crate::wire::text;

// `fn contract() -> String`, made by the build script.
include!(concat!(env!("OUT_DIR"), "/contract.rs"));

/// Liveness with the build's version; a wrong setting shows here too, by its name.
pub(in super::super) fn health(misconfigured: Option<&Problem>) -> Reply {
    let version = env!("CARGO_PKG_VERSION");
    let body = match misconfigured {
        None => json!({"status": "ok", "version": version}),
        Some(problem) => json!({"status": "misconfigured", "version": version, "detail": problem.detail}),
    };
    Reply::json(if misconfigured.is_some() { 500 } else { 200 }, text::write(&body))
}

/// The contract.
pub(super) fn openapi() -> Reply {
    Reply::json(200, contract())
}
