//! Faults on demand, for tests. Exists with the feature `test-hooks` only, which no production build has.

use super::super::exchange::Reply;

/// Runs one.
#[expect(clippy::panic, reason = "this is what the hook is for")]
pub(in super::super) fn run(hook: &str) -> Reply {
    match hook {
        "kv/refuse" | "kv/take" => {
            super::super::glue::refuse_writes(hook == "kv/refuse");
            Reply::empty()
        }
        "panic" => panic!("provoked by a test"),
        // A fault of which no panic hook hears: memory that is used up, say.
        "trap" => core::arch::wasm32::unreachable(),
        _ => Reply::json(404, "{}".into()),
    }
}
