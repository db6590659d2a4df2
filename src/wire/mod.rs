//! What goes over a wire inside the project: request and reply of every object call, and the values in KV. Both ends
//! import the same file, and each file has a test with the literal JSON: a changed literal asks what becomes of
//! data already stored.
//!
//! Calls are enums of tuples: what serde derives for a variant with names is 3 KB of wasm each.

pub mod account;
pub mod app;
pub mod audience;
pub mod census;
pub mod claim;
pub mod import;
pub mod job;
pub mod ledger;
pub mod letters;
pub mod text;
pub mod user;
pub mod values;
