//! Futures side by side. One machine for all of them: every kind of `join_all` or `buffer_unordered` would bring its own code
//! into the wasm.

use std::cell::RefCell;

use futures_util::{
    StreamExt,
    future::{FutureExt, LocalBoxFuture},
    stream::FuturesUnordered,
};

/// Runs all of them, at most `at_once` at a time; gives what came of each, in their order.
pub(super) async fn together<T, F: Future<Output = T>>(
    at_once: usize,
    all: impl IntoIterator<Item = F>,
) -> Vec<T> {
    let mut all: Vec<F> = all.into_iter().collect();
    // Most often there is one, or nothing: that needs no machine.
    if all.len() <= 1 {
        return match all.pop() {
            Some(only) => vec![only.await],
            None => Vec::new(),
        };
    }
    let came: RefCell<Vec<Option<T>>> = RefCell::new(all.iter().map(|_| None).collect());
    let came_of = |at: usize, future: F| {
        let came = &came;
        async move {
            let value = future.await;
            if let Some(place) = came.borrow_mut().get_mut(at) {
                *place = Some(value);
            }
        }
    };
    let tasks = all.into_iter().enumerate().map(|(at, future)| came_of(at, future).boxed_local());
    run(at_once, tasks.collect()).await;
    came.into_inner().into_iter().flatten().collect()
}

async fn run(at_once: usize, tasks: Vec<LocalBoxFuture<'_, ()>>) {
    let mut waiting = tasks.into_iter();
    let mut under_way: FuturesUnordered<_> = waiting.by_ref().take(at_once).collect();
    while under_way.next().await.is_some() {
        under_way.extend(waiting.next());
    }
}
