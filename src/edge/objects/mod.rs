//! The Durable Objects: thin shells around the pure steps in `object`. Each loads its rows once, lets a step decide,
//! writes what the step says and answers. Memory is a cache, the rows are the truth.
//!
//! Why a step is atomic: an object runs one thread, and between reading the state and writing its rows no shell
//! awaits anything. The answer leaves only after the rows are confirmed (Cloudflare's output gate), so what a caller
//! was told survives a crash.

/// Exports an object to the platform. `worker` has an attribute for it, whose requests and responses cross to JavaScript a dozen
/// times a call; this one crosses three times.
macro_rules! export {
    ($object:ident, $binding:expr, $alarm:ident) => {
        export!($object, $binding);

        #[wasm_bindgen::prelude::wasm_bindgen]
        impl $object {
            /// The platform's alarm. One that fails is called again.
            #[wasm_bindgen(js_name = alarm)]
            pub async fn on_alarm(&self) -> Result<(), wasm_bindgen::JsValue> {
                self.$alarm().await.map_err(wasm_bindgen::JsValue::from)
            }
        }
    };
    ($object:ident, $binding:expr) => {
        #[wasm_bindgen::prelude::wasm_bindgen]
        impl $object {
            /// Made by the platform before its first call.
            #[wasm_bindgen(constructor)]
            pub fn construct(state: worker::worker_sys::DurableObjectState, env: worker::Env) -> Self {
                Self::new(worker::State::from(state), env)
            }

            /// A call.
            #[wasm_bindgen(js_name = fetch)]
            pub async fn on_call(
                &self,
                request: web_sys::Request,
            ) -> Result<web_sys::Response, wasm_bindgen::JsValue> {
                let reply = match $crate::edge::objects::read(&request).await {
                    Ok(ask) => self.call(ask).await,
                    Err(error) => Err(error),
                };
                $crate::edge::objects::answer($binding, reply)
            }
        }
    };
}

mod account;
mod app;
mod audience;
mod census;
mod claim;
mod flight;
mod import;
mod ledger;
mod letters;
mod rows;
mod shell;
mod user;

use serde::{Serialize, de::DeserializeOwned};
use wasm_bindgen::JsValue;

use super::{glue, log};
use crate::wire::text;
use crate::wire::text::Unreadable;

/// Reads a call. Both ends are this crate, so what does not parse is a fault of ours.
async fn read<T: DeserializeOwned>(request: &web_sys::Request) -> worker::Result<T> {
    let text = glue::text(request).await.map_err(|failed| worker::Error::RustError(failed.0))?;
    crate::wire::text::read(&text)
        .map_err(|_| worker::Error::RustError("a call that this object does not know".into()))
}

impl From<Unreadable> for worker::Error {
    fn from(unreadable: Unreadable) -> Self {
        Self::RustError(unreadable.to_string())
    }
}

/// What failed, without the words of whoever reads JSON: they quote what they read.
fn why(error: &worker::Error) -> &str {
    if let worker::Error::RustError(why) | worker::Error::JsError(why) = error {
        return why;
    }
    "what was read or written is not of its form"
}

/// Answers a call; a fault becomes a status, never a panic.
fn answer<T: Serialize>(object: &str, reply: worker::Result<T>) -> Result<web_sys::Response, JsValue> {
    match reply.map(|reply| text::write(&reply)) {
        Ok(text) => glue::reply(200, &text),
        Err(error) => {
            log::error("object_fault", &[("object", object), ("why", why(&error))]);
            glue::reply(500, "fault")
        }
    }
}
