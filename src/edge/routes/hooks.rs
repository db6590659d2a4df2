//! Faults on demand, for tests. Exists with the feature `test-hooks` only, which no production build has.

use super::super::{cx::Cx, exchange::Reply, glue};
use crate::wire::{app, job::DISPATCH, letters, text};

/// A call at which an object traps, and a message at which a batch does.
pub(in super::super) const TRAP: &str = "trap";

/// Traps at a batch that has the message for the first time.
pub(in super::super) fn trap_first(messages: &[(String, u32)]) {
    if messages.iter().any(|(body, attempts)| body == TRAP && *attempts == 1) {
        core::arch::wasm32::unreachable()
    }
}

/// Fills the stack.
fn deep(n: u64) -> u64 {
    if n == 0 { 0 } else { 1 + std::hint::black_box(deep as fn(u64) -> u64)(n - 1) }
}

/// Runs one.
#[expect(clippy::panic, reason = "this is what the hook is for")]
pub(in super::super) async fn run(cx: &Cx, hook: &str) -> Reply {
    match hook {
        "kv/refuse" | "kv/take" => {
            glue::refuse_writes(hook == "kv/refuse");
            Reply::empty()
        }
        "panic" => panic!("provoked by a test"),
        // A fault of which no panic hook hears: memory that is used up, say.
        "trap" => core::arch::wasm32::unreachable(),
        "stack" => Reply::json(500, deep(u64::MAX).to_string()),
        "trap/later" => {
            cx.read(app::COPY, "nothing").await;
            core::arch::wasm32::unreachable()
        }
        "trap/object" => {
            let _ = glue::ask_once(&cx.env, letters::BINDING, "trap", TRAP).await;
            Reply::json(500, "{}".into())
        }
        "trap/batch" => {
            let _ = glue::enqueue(&cx.env, DISPATCH, &text::write(&[TRAP])).await;
            Reply::empty()
        }
        _ => Reply::json(404, "{}".into()),
    }
}
