//! Bytes → domain types, once. What does not fit the contract is refused with the JSON pointer of the field;
//! past this point there is no unchecked text.

mod activity;
pub mod app;
pub mod audience;
mod caps;
pub mod device;
pub mod event;
pub mod import;
pub mod json;
pub mod lines;
mod policy;
pub mod push;
pub mod reader;
pub mod route;
pub mod simulation;
pub mod targets;
pub mod text;
pub mod wish;

use crate::model::problem::{Code, Problem};

/// Reads a request body: UTF-8, then JSON.
pub fn body(bytes: &[u8]) -> Result<json::Json, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Problem::new(
            Code::InvalidUtf8,
            format!("byte {} does not continue the UTF-8 text before it", error.valid_up_to()),
        )
    })?;
    json::Json::parse(text).map_err(|error| Problem::new(Code::InvalidJson, error))
}
