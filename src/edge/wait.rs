//! What is waited for: JavaScript begins a piece of I/O under a number, and says under that number what came of it. The other half
//! is `wait.js`.

use std::{
    cell::RefCell,
    mem,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use wasm_bindgen::{JsValue, closure::Closure};

use super::{glue::Failed, js, promise};
use crate::model::slots::Slots;

/// What a piece of I/O brings.
#[derive(Debug)]
pub(super) enum Came {
    Nothing,
    Text(String),
    Bytes(Vec<u8>),
}

enum Slot {
    /// Nothing has come yet: whom to wake, and which future that is.
    Waiting(Option<(Waker, usize)>),
    Came(Result<Came, Failed>),
    /// Nobody wants it any more.
    Unwanted,
}

thread_local! {
    static SLOTS: RefCell<Slots<Slot>> = const { RefCell::new(Slots::new()) };
}

/// I/O under way. Its number is free again when JavaScript has spoken.
pub(super) struct Wait {
    number: usize,
}

impl Wait {
    pub(super) fn new() -> Self {
        Self { number: SLOTS.with_borrow_mut(|slots| slots.insert(Slot::Waiting(None))) }
    }

    pub(super) fn number(&self) -> usize {
        self.number
    }
}

impl Future for Wait {
    type Output = Result<Came, Failed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let wakes = (cx.waker().clone(), promise::polled());
        // What was there goes when the list is free again: it may be the last waker of a future, and that may wait for more.
        let (_before, poll) = SLOTS.with_borrow_mut(|slots| match slots.get_mut(self.number) {
            Some(Slot::Came(came)) => (None, Poll::Ready(mem::replace(came, Ok(Came::Nothing)))),
            Some(slot) => (Some(mem::replace(slot, Slot::Waiting(Some(wakes)))), Poll::Pending),
            None => (None, Poll::Pending),
        });
        poll
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        let _before = SLOTS.with_borrow_mut(|slots| match slots.get_mut(self.number) {
            Some(Slot::Came(_)) => slots.remove(self.number),
            Some(slot) => Some(mem::replace(slot, Slot::Unwanted)),
            None => None,
        });
    }
}

/// This instance begins: how JavaScript calls it from now on. `answer` answers requests.
pub(super) fn started(answer: JsValue) {
    let text = |number, text: Option<String>| came(number, Ok(text.map_or(Came::Nothing, Came::Text)));
    let bytes = |number, bytes| came(number, Ok(Came::Bytes(bytes)));
    let failed = |number, why| came(number, Err(Failed(why)));
    js::started(
        answer,
        Closure::<dyn Fn(usize, Option<String>)>::new(text).into_js_value(),
        Closure::<dyn Fn(usize, Vec<u8>)>::new(bytes).into_js_value(),
        Closure::<dyn Fn(usize, String)>::new(failed).into_js_value(),
        Closure::<dyn Fn(usize)>::new(lost).into_js_value(),
        Closure::<dyn Fn()>::new(|| promise::turn(None)).into_js_value(),
    );
}

/// What came under a number; whoever waits for it goes on.
fn came(number: usize, came: Result<Came, Failed>) {
    promise::turn(put(number, came).map(|(waker, _)| waker));
}

/// Nothing will come under a number: the platform has cancelled the request that waited, and its future goes.
fn lost(number: usize) {
    if let Some((_waker, future)) = put(number, Err(Failed("cancelled".into()))) {
        promise::cancel(future);
    }
}

/// Gives whom to wake, and which future that is.
fn put(number: usize, came: Result<Came, Failed>) -> Option<(Waker, usize)> {
    SLOTS.with_borrow_mut(|slots| match slots.get_mut(number)? {
        Slot::Unwanted => {
            slots.remove(number);
            None
        }
        slot @ (Slot::Waiting(_) | Slot::Came(_)) => match mem::replace(slot, Slot::Came(came)) {
            Slot::Waiting(wakes) => wakes,
            Slot::Came(_) | Slot::Unwanted => None,
        },
    })
}
