//! Log lines: one JSON object each, an event's name and ids. No token, key, JWT, payload or endpoint is ever put into
//! one (law 7): callers give ids, counts, fixed words, and the platform's own words on I/O that failed. `tests/worker/logs.spec.ts`
//! reads what was logged.

use crate::wire::text;
use serde_json::{Map, Value};

fn line(level: &str, event: &str, fields: &[(&str, &str)]) -> String {
    let mut line = Map::new();
    line.insert("level".into(), level.into());
    line.insert("event".into(), event.into());
    for (name, value) in fields {
        line.insert((*name).to_owned(), (*value).into());
    }
    text::write(&Value::Object(line))
}

/// What was done, and what it has cost.
pub(super) fn info(event: &str, fields: &[(&str, &str)]) {
    worker::console_log!("{}", line("info", event, fields));
}

/// Something an operator should look at.
pub(super) fn alert(event: &str, fields: &[(&str, &str)]) {
    worker::console_error!("{}", line("alert", event, fields));
}

/// Something that is no fault by itself, and may be a sign of one where it is seen often.
pub(super) fn warn(event: &str, fields: &[(&str, &str)]) {
    worker::console_warn!("{}", line("warn", event, fields));
}

/// A fault of ours or of the platform.
pub(super) fn error(event: &str, fields: &[(&str, &str)]) {
    worker::console_error!("{}", line("error", event, fields));
}
