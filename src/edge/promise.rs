//! The machine that futures run on. JavaScript holds the promises and this side the futures, each under a number; what JavaScript
//! brings (`wait.rs`) is gone on with in the same step, so a push has one crossing for each thing it waits for. The executor of
//! wasm-bindgen makes two closures and a microtask for each.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll, Wake, Waker},
};

use futures_util::future::LocalBoxFuture;
use wasm_bindgen::JsValue;

use super::{cx, js};
use crate::model::slots::Slots;

/// What comes of a future.
pub(super) type Outcome = Result<JsValue, JsValue>;
type Boxed = LocalBoxFuture<'static, Outcome>;

thread_local! {
    /// Futures that wait; `None` while one is polled, and from its end until its last waker goes.
    static WAITING: RefCell<Slots<Option<Boxed>>> = const { RefCell::new(Slots::new()) };
    static READY: RefCell<VecDeque<Arc<Task>>> = const { RefCell::new(VecDeque::new()) };
    /// What becomes ready now is polled before JavaScript goes on: no step has to be ordered for it.
    static TURN: Cell<bool> = const { Cell::new(false) };
    /// The future that is polled.
    static POLLED: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// Wakes the future of its number, which goes with its last waker at the latest.
struct Task {
    number: usize,
    ready: AtomicBool,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        if self.ready.swap(true, Relaxed) {
            return;
        }
        let first = READY.with_borrow_mut(|ready| {
            ready.push_back(self);
            ready.len() == 1
        });
        if first && !TURN.get() {
            js::soon();
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        // It goes when the list is free again: it may hold the last waker of another.
        let future = WAITING.with_borrow_mut(|waiting| waiting.remove(self.number)).flatten();
        if future.is_some() {
            js::cancelled(self.number);
        }
    }
}

impl Task {
    fn new(future: Option<Boxed>) -> Arc<Self> {
        let number = WAITING.with_borrow_mut(|waiting| waiting.insert(future));
        Arc::new(Self { number, ready: AtomicBool::new(false) })
    }

    /// As JavaScript has it.
    fn js(&self) -> JsValue {
        JsValue::from_f64(self.number as f64)
    }
}

/// What comes, where nothing has to be waited for; else the number under which JavaScript will hear of it. To be called where a
/// fault is noticed: by `enter` of `wait.js`, or from a future.
pub(super) fn at_once(future: Boxed) -> Outcome {
    cx::step();
    let task = Task::new(None);
    poll(&task, future).unwrap_or_else(|| Ok(task.js()))
}

/// A JavaScript promise of what comes, begun in a turn of its own.
pub(super) fn promise(future: Boxed) -> JsValue {
    let task = Task::new(Some(future));
    let promise = js::later(&task.js());
    task.wake();
    promise
}

/// Runs a future; gives its number, if it has not ended yet.
pub(super) fn spawn(future: impl Future<Output = ()> + 'static) -> JsValue {
    let future = async move {
        future.await;
        Ok(JsValue::UNDEFINED)
    };
    at_once(Box::pin(future)).unwrap_or_default()
}

fn poll(task: &Arc<Task>, mut future: Boxed) -> Option<Outcome> {
    let waker = Waker::from(Arc::clone(task));
    let outer = POLLED.replace(task.number);
    let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
    POLLED.set(outer);
    match polled {
        Poll::Ready(outcome) => Some(outcome),
        Poll::Pending => {
            WAITING.with_borrow_mut(|waiting| {
                if let Some(place) = waiting.get_mut(task.number) {
                    *place = Some(future);
                }
            });
            None
        }
    }
}

/// The number of the future that is polled.
pub(super) fn polled() -> usize {
    POLLED.get()
}

/// Drops a future that cannot go on.
pub(super) fn cancel(number: usize) {
    // It goes when the list is free again.
    let future = WAITING.with_borrow_mut(|waiting| waiting.get_mut(number).and_then(Option::take));
    if future.is_some() {
        js::cancelled(number);
    }
}

/// Goes on with what `first` wakes, and with all that is ready.
pub(super) fn turn(first: Option<Waker>) {
    cx::step();
    TURN.set(true);
    if let Some(waker) = first {
        waker.wake();
    }
    while let Some(task) = READY.with_borrow_mut(VecDeque::pop_front) {
        task.ready.store(false, Relaxed);
        let future = WAITING.with_borrow_mut(|waiting| waiting.get_mut(task.number).and_then(Option::take));
        if let Some(outcome) = future.and_then(|future| poll(&task, future)) {
            match outcome {
                Ok(value) => js::ended(task.number, &value, true),
                Err(error) => js::ended(task.number, &error, false),
            }
        }
    }
    TURN.set(false);
}
