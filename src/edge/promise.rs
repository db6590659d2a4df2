//! What the platform calls, as promises of JavaScript. All of them are one kind of future, boxed: every kind of
//! `future_to_promise` would bring its own machine into the wasm. And one that waits for nothing makes no promise: most calls of objects are such.

use std::{
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
};

use futures_util::{
    future::{self, LocalBoxFuture},
    task::AtomicWaker,
};
use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::future_to_promise;

/// What comes of a future.
pub(super) type Outcome = Result<JsValue, JsValue>;

/// A promise of what comes.
pub(super) fn promise(future: LocalBoxFuture<'static, Outcome>) -> Promise {
    future_to_promise(future)
}

/// What comes, where nothing has to be waited for; else a promise of it.
pub(super) fn at_once(mut future: LocalBoxFuture<'static, Outcome>) -> Outcome {
    let relay = Arc::new(Relay::default());
    let waker = Waker::from(Arc::clone(&relay));
    match future.as_mut().poll(&mut Context::from_waker(&waker)) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => Ok(promise(Box::pin(future::poll_fn(move |task| {
            relay.task.register(task.waker());
            future.as_mut().poll(&mut Context::from_waker(&waker))
        })))
        .into()),
    }
}

/// Wakes the task that a future has become. The future knows this one waker from its first poll on: some (`worker::Delay`) keep
/// the first that they see.
#[derive(Default)]
struct Relay {
    task: AtomicWaker,
}

impl Wake for Relay {
    fn wake(self: Arc<Self>) {
        self.task.wake();
    }
}
