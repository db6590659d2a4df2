//! The Durable Objects: thin shells around the pure steps in `object`. Each loads its rows once, lets a step decide,
//! writes what the step says and answers. Memory is a cache, the rows are the truth.
//!
//! Why a step is atomic: an object runs one thread, and between reading the state and writing its rows no shell
//! awaits anything. The answer leaves only after the rows are confirmed (Cloudflare's output gate), so what a caller
//! was told survives a crash.

/// Exports an object to the platform. `worker` has an attribute for it, whose requests and responses cross to JavaScript a dozen
/// times a call; this one hands out a function of `glue.js` that takes a call's text and gives the answer's: `entry.js` has the
/// platform call it by RPC.
macro_rules! export {
    ($object:ident, $binding:expr, $alarm:ident) => {
        export!($object, $binding);

        #[wasm_bindgen::prelude::wasm_bindgen(js_class = $object)]
        impl Exported {
            /// The platform's alarm. One that fails is called again.
            pub fn alarm(&self) -> wasm_bindgen::JsValue {
                let object = std::rc::Rc::clone(&self.object);
                $crate::edge::objects::alarm(async move { object.$alarm().await })
            }
        }
    };
    ($object:ident, $binding:expr) => {
        /// What the platform has of the object.
        #[wasm_bindgen::prelude::wasm_bindgen(js_name = $object)]
        pub struct Exported {
            #[allow(dead_code, reason = "some have no alarm")]
            object: std::rc::Rc<$object>,
            answer: $crate::edge::glue::OnCall,
        }

        #[wasm_bindgen::prelude::wasm_bindgen(js_class = $object)]
        impl Exported {
            /// Made by the platform before its first call.
            #[wasm_bindgen(constructor)]
            pub fn new(state: wasm_bindgen::JsValue, env: worker::Env) -> Self {
                let state = $crate::edge::objects::state::State::new(state);
                let object = std::rc::Rc::new($object::new(state, env));
                let asked = std::rc::Rc::clone(&object);
                let answer = $crate::edge::glue::OnCall::new(move |text: String| {
                    let object = std::rc::Rc::clone(&asked);
                    let called = async move {
                        $crate::edge::objects::answer(
                            $binding,
                            match $crate::edge::objects::read(&text) {
                                Ok(ask) => object.call(ask).await,
                                Err(error) => Err(error),
                            },
                        )
                    };
                    $crate::edge::promise::at_once(Box::pin(called))
                });
                Self { object, answer }
            }

            /// What takes its calls. `entry.js` asks for it once.
            #[wasm_bindgen(getter)]
            pub fn calls(&self) -> wasm_bindgen::JsValue {
                $crate::edge::glue::serving(&self.answer)
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
mod state;
mod user;

use serde::{Serialize, de::DeserializeOwned};
use wasm_bindgen::JsValue;

use super::{
    glue::{self, Failed},
    log,
    promise::{Outcome, promise},
};
use crate::wire::text;
use crate::wire::text::Unreadable;

/// Reads a call. Both ends are this crate, so what does not parse is a fault of ours.
fn read<T: DeserializeOwned>(text: &str) -> worker::Result<T> {
    #[cfg(feature = "test-hooks")]
    if text == super::routes::hooks::TRAP {
        core::arch::wasm32::unreachable();
    }
    crate::wire::text::read(text)
        .map_err(|_| worker::Error::RustError("a call that this object does not know".into()))
}

impl From<Unreadable> for worker::Error {
    fn from(unreadable: Unreadable) -> Self {
        Self::RustError(unreadable.to_string())
    }
}

impl From<Failed> for worker::Error {
    fn from(failed: Failed) -> Self {
        Self::RustError(failed.0)
    }
}

/// What failed, without the words of whoever reads JSON: they quote what they read.
fn why(error: &worker::Error) -> &str {
    if let worker::Error::RustError(why) | worker::Error::JsError(why) = error {
        return why;
    }
    "what was read or written is not of its form"
}

/// Bytes of an answer that has no room for anything but its kind and a small number.
const SHORT: usize = 16;

/// Answers a call; a fault becomes an empty text, never a panic.
fn answer<T: Serialize>(object: &str, reply: worker::Result<T>) -> Outcome {
    let text = reply.map(|reply| text::write(&reply)).unwrap_or_else(|error| {
        log::error("object_fault", &[("object", object), ("why", why(&error))]);
        String::new()
    });
    // What says no more than that something was done comes with most calls.
    Ok(if text.len() <= SHORT { glue::again(&text).into() } else { JsValue::from_str(&text) })
}

/// Runs an alarm.
fn alarm(round: impl Future<Output = worker::Result<()>> + 'static) -> JsValue {
    promise(Box::pin(async move { Ok(round.await.map(|()| JsValue::UNDEFINED)?) }))
}
