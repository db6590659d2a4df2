//! The platform: the only part that knows Cloudflare. It has the I/O half of each step of the line under the step's
//! own name, the Durable Objects' shells, and the HTTP side. It decides nothing that could be decided without it.

use crate::wire::text;
use js_sys::Promise;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use worker::{Env, event};

mod admit;
mod audience;
mod authenticate;
mod bearer;
mod caps;
mod census;
mod cx;
mod deliver;
mod exchange;
mod glue;
mod govern;
mod http;
mod import;
mod js;
mod lease;
mod ledger;
mod log;
mod memory;
mod objects;
mod pace;
mod promise;
mod push;
mod queue;
mod receipts;
mod resolve;
mod routes;
mod send;
mod settle;
mod stream;
mod together;
mod wait;

/// Runs once per instance, before anything else.
#[event(start)]
fn start() {
    glue::started(http::handle);
    // `worker` has installed a hook that marks the instance for a restart after a panic: it is kept and called last.
    // `console_error_panic_hook` goes first, for a message with file, line and stack in the log.
    let restart = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        console_error_panic_hook::hook(info);
        restart(info);
    }));
}

/// Every HTTP request.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports public functions only")]
pub fn fetch(request: &web_sys::Request, env: &Env, context: &JsValue) -> Promise {
    glue::handle(request, env, context, http::BODY_MAX)
}

/// Every batch of the queue. `worker` has an event for it, whose messages do not say how often they were tried.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "wasm-bindgen exports public functions only")]
pub fn queue(batch: JsValue, env: Env, _context: JsValue) -> JsValue {
    promise::promise(Box::pin(jobs(batch, env)))
}

async fn jobs(batch: JsValue, env: Env) -> promise::Outcome {
    let config = cx::config(&env).map_err(|problem| JsValue::from_str(&problem.detail))?;
    let cx = cx::Cx::new(env, config);
    let (dead, messages) = glue::messages(&batch);
    #[cfg(feature = "test-hooks")]
    routes::hooks::trap_first(&messages);
    let done = if dead { queue::bury(&cx, messages).await } else { queue::batch(&cx, messages).await };
    // A page of WebAssembly memory has 64 KiB; it never shrinks, so this is also the most there ever was.
    let memory_kb = core::arch::wasm32::memory_size::<0>() * 64;
    let (n, memory_kb) = (done.len().to_string(), memory_kb.to_string());
    log::info("jobs", &[("n", &n), ("cost", &cx.cost.header()), ("memory_kb", &memory_kb)]);
    glue::done(&batch, &text::write(&done));
    Ok(JsValue::UNDEFINED)
}
