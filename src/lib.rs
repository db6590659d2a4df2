//! edgepush: a push gateway at the edge.
//!
//! A backend says "tell user 42 that the parcel has left"; edgepush finds that user's devices, decides how
//! each of them is reached best, stays inside every vendor's quota, signs the vendor's token in-process and
//! sends. One straight line, see [`line`]:
//!
//! ```text
//! authenticate → parse → resolve → plan → begin → admit → send → settle → reply
//! ```
//!
//! Everything here is pure (no I/O, no clock, no randomness: they are arguments) and is tested on the host,
//! except `edge`, which exists on wasm32 only and is the one place that knows the platform.
#![cfg_attr(
    test,
    allow(
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unwrap_used,
        clippy::wildcard_enum_match_arm,
        reason = "a test may fail loudly"
    )
)]

pub mod config;
pub mod crypto;
#[cfg(target_arch = "wasm32")]
mod edge;
pub mod line;
pub mod model;
pub mod object;
pub mod vendor;
pub mod wire;

/// The contract in its machine-readable form, as `GET /openapi.json` serves it.
/// Made from `docs/openapi.yaml` by the build script.
pub const OPENAPI_JSON: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));
