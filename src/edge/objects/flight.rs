//! Single flight: however many need the same thing at once, one fetches it and the others wait for what it brings.
//!
//! All of an object's calls share one I/O context, so one call may wait for another's promise; in the isolate at large
//! it may not. Should the one that fetches be cancelled, those who wait are told, and the next of them fetches.

use std::cell::RefCell;

use futures_channel::oneshot;

/// Who waits; `None`: nobody fetches.
type Waiting<T> = RefCell<Option<Vec<oneshot::Sender<T>>>>;

/// One thing that is fetched by one at a time.
pub(super) struct Flight<T> {
    waiting: Waiting<T>,
}

/// What a turn is.
pub(super) enum Turn<'a, T> {
    /// Somebody else has fetched it.
    Told(T),
    /// Nobody fetches: it is the caller's to do.
    Mine(Landing<'a, T>),
    /// Whoever fetched has gone away.
    Again,
}

/// The duty to tell the others; dropped without a word, they learn that nothing came.
pub(super) struct Landing<'a, T> {
    waiting: &'a Waiting<T>,
}

impl<T: Clone> Flight<T> {
    pub(super) fn new() -> Self {
        Self { waiting: RefCell::new(None) }
    }

    /// Waits for a flight under way, or begins one.
    pub(super) async fn turn(&self) -> Turn<'_, T> {
        let told = self.waiting.borrow_mut().as_mut().map(|waiting| {
            let (tell, told) = oneshot::channel();
            waiting.push(tell);
            told
        });
        match told {
            Some(told) => told.await.map_or(Turn::Again, Turn::Told),
            None => {
                self.waiting.replace(Some(Vec::new()));
                Turn::Mine(Landing { waiting: &self.waiting })
            }
        }
    }
}

impl<T: Clone> Landing<'_, T> {
    /// Tells everybody who waits. Who has gone away meanwhile is not told.
    pub(super) fn tell(self, what: &T) {
        for tell in self.waiting.take().unwrap_or_default() {
            let _ = tell.send(what.clone());
        }
    }
}

impl<T> Drop for Landing<'_, T> {
    fn drop(&mut self) {
        self.waiting.take();
    }
}
