//! The Durable Objects: thin shells around the pure steps in `object`. Each loads its rows once, lets a step decide,
//! writes what the step says and answers. Memory is a cache, the rows are the truth.
//!
//! Why a step is atomic: an object runs one thread, and between reading the state and writing its rows no shell
//! awaits anything. The answer leaves only after the rows are confirmed (Cloudflare's output gate), so what a caller
//! was told survives a crash.

mod account;
mod app;
mod flight;
mod ledger;
mod letters;
mod rows;
mod shell;
mod user;

use serde::{Serialize, de::DeserializeOwned};
use worker::{Request, Response};

use super::log;

/// Reads a call. Both ends are this crate, so what does not parse is a fault of ours.
async fn read<T: DeserializeOwned>(request: &mut Request) -> worker::Result<T> {
    let text = request.text().await?;
    serde_json::from_str(&text)
        .map_err(|_| worker::Error::RustError("a call that this object does not know".into()))
}

/// Answers a call; a fault becomes a status, never a panic.
fn answer<T: Serialize>(object: &str, reply: worker::Result<T>) -> worker::Result<Response> {
    match reply.and_then(|reply| Ok(serde_json::to_string(&reply)?)) {
        Ok(text) => Response::ok(text),
        Err(error) => {
            log::error("object_fault", &[("object", object), ("why", &error.to_string())]);
            Response::error("fault", 500)
        }
    }
}
