//! What a caller may merge into the payload, and which headers a caller may set: `options.webpush`.

use serde_json::{Map, Value};

use crate::{
    line::parse::json::child,
    model::problem::{Code, Problem},
    vendor::draft::refuse_own,
};

/// The member that holds headers instead of payload.
pub(super) const HEADERS: &str = "headers";
/// Values of `Urgency` (RFC 8030 section 5.3).
const URGENCIES: [&str; 4] = ["very-low", "low", "normal", "high"];
/// Most bytes of a `topic` before it is hashed.
const TOPIC_MAX: usize = 256;

/// Checks the options when a push is read.
pub fn check_options(options: &Map<String, Value>, at: &str) -> Result<(), Problem> {
    refuse_own(options, at)?;
    if let Some(notification) = options.get("notification").filter(|value| !value.is_null()) {
        let at = child(at, "notification");
        data(object(notification, &at)?, &at)?;
    }
    data(options, at)?;
    let Some(headers) = options.get(HEADERS) else { return Ok(()) };
    let at = child(at, HEADERS);
    object(headers, &at)?.iter().try_for_each(|(name, value)| header(name, value, child(&at, name)))
}

fn object<'a>(value: &'a Value, at: &str) -> Result<&'a Map<String, Value>, Problem> {
    value.as_object().ok_or_else(|| Problem::at(Code::WrongType, at, "must be an object"))
}

/// Our own fields go into `data`: it is an object, or is left to us.
fn data(part: &Map<String, Value>, at: &str) -> Result<(), Problem> {
    part.get("data").map_or(Ok(()), |value| object(value, &child(at, "data")).map(|_| ()))
}

fn header(name: &str, value: &Value, at: String) -> Result<(), Problem> {
    let form = match name {
        "urgency" => "very-low, low, normal or high",
        "topic" => "1 to 256 bytes; it is sent as a hash",
        _ => {
            let detail = "no header that can be set here; these can: urgency, topic";
            return Err(Problem::at(Code::UnknownField, at, detail));
        }
    };
    let Some(text) = value.as_str() else {
        return Err(Problem::at(Code::WrongType, at, format!("must be a string: {form}")));
    };
    let fits = match name {
        "urgency" => URGENCIES.contains(&text),
        _ => (1..=TOPIC_MAX).contains(&text.len()),
    };
    if fits { Ok(()) } else { Err(Problem::at(Code::InvalidValue, at, format!("must be {form}"))) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::vendor::sample::object;

    #[test]
    fn payload_fields_and_the_free_headers_may_be_set() {
        for options in [
            json!({}),
            json!({"notification": {"requireInteraction": true, "actions": [{"action": "a", "title": "A"}], "tag": null}}),
            json!({"notification": null, "data": {"deep": [1]}, "own": 1, "web_push": null}),
            json!({"headers": {"urgency": "normal", "topic": "订单 4711"}}),
        ] {
            assert_eq!(check_options(&object(options.clone()), "/o"), Ok(()), "{options}");
        }
    }

    #[test]
    fn every_other_header_and_every_wrong_type_is_refused() {
        for (options, code, at) in [
            (json!({"notification": "text"}), Code::WrongType, "/o/notification"),
            (json!({"notification": {"data": "x"}}), Code::WrongType, "/o/notification/data"),
            (json!({"notification": {"data": null}}), Code::WrongType, "/o/notification/data"),
            (json!({"data": []}), Code::WrongType, "/o/data"),
            (json!({"headers": []}), Code::WrongType, "/o/headers"),
            (json!({"headers": {"urgency": 1}}), Code::WrongType, "/o/headers/urgency"),
            (json!({"headers": {"urgency": "HIGH"}}), Code::InvalidValue, "/o/headers/urgency"),
            (json!({"headers": {"topic": ""}}), Code::InvalidValue, "/o/headers/topic"),
            (json!({"headers": {"topic": "x".repeat(257)}}), Code::InvalidValue, "/o/headers/topic"),
            (json!({"headers": {"ttl": "1"}}), Code::UnknownField, "/o/headers/ttl"),
            (json!({"headers": {"authorization": "vapid"}}), Code::UnknownField, "/o/headers/authorization"),
            (json!({"ep_guard": "open"}), Code::ReservedName, "/o/ep_guard"),
            (
                json!({"notification": {"data": {"ep_id": "x"}}}),
                Code::ReservedName,
                "/o/notification/data/ep_id",
            ),
        ] {
            let problem = check_options(&object(options.clone()), "/o").unwrap_err();
            assert_eq!((problem.code, problem.pointer.as_deref()), (code, Some(at)), "{options}");
        }
    }
}
