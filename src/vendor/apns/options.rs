//! What a caller may merge into the payload, and which headers a caller may set: `options.apns`.

use serde_json::{Map, Value};

use super::{COLLAPSE_MAX, header_safe};
use crate::{
    line::parse::json::child,
    model::problem::{Code, Problem},
    vendor::draft::refuse_own,
};

/// The member that holds headers instead of payload.
pub(super) const HEADERS: &str = "headers";

/// Headers that a caller may set.
const FREE: [&str; 3] = ["apns-priority", "apns-expiration", "apns-collapse-id"];
/// Headers that follow from the payload, the device and the credential.
const KEPT: [&str; 4] = ["apns-push-type", "apns-topic", "apns-id", "authorization"];

/// Checks the options when a push is read.
pub fn check_options(options: &Map<String, Value>, at: &str) -> Result<(), Problem> {
    refuse_own(options, at)?;
    if let Some(aps) = options.get("aps") {
        object(aps, &child(at, "aps"))?;
    }
    let Some(headers) = options.get(HEADERS) else { return Ok(()) };
    let at = child(at, HEADERS);
    object(headers, &at)?.iter().try_for_each(|(name, value)| header(name, value, child(&at, name)))
}

fn object<'a>(value: &'a Value, at: &str) -> Result<&'a Map<String, Value>, Problem> {
    value.as_object().ok_or_else(|| Problem::at(Code::WrongType, at, "must be an object"))
}

fn header(name: &str, value: &Value, at: String) -> Result<(), Problem> {
    if KEPT.contains(&name) {
        return Err(Problem::at(Code::InvalidValue, at, "this header is the gateway's own"));
    }
    let form = match name {
        "apns-priority" => "10, 5 or 1",
        "apns-expiration" => "seconds since 1970, or 0",
        "apns-collapse-id" => "1 to 64 bytes of visible ASCII",
        _ => {
            let detail = format!("no header that can be set here; these can: {}", FREE.join(", "));
            return Err(Problem::at(Code::UnknownField, at, detail));
        }
    };
    let Some(text) = value.as_str() else {
        return Err(Problem::at(Code::WrongType, at, format!("must be a string: {form}")));
    };
    let fits = match name {
        "apns-priority" => matches!(text, "10" | "5" | "1"),
        "apns-expiration" => (1..=12).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()),
        _ => text.len() <= COLLAPSE_MAX && header_safe(text),
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
            json!({"aps": {"interruption-level": "time-sensitive", "badge": null}, "own": {"deep": [1]}}),
            json!({"headers": {"apns-priority": "1", "apns-expiration": "0", "apns-collapse-id": "a b"}}),
        ] {
            assert_eq!(check_options(&object(options.clone()), "/o"), Ok(()), "{options}");
        }
    }

    #[test]
    fn every_other_header_and_every_wrong_type_is_refused() {
        for (options, code, at) in [
            (json!({"aps": null}), Code::WrongType, "/o/aps"),
            (json!({"aps": "text"}), Code::WrongType, "/o/aps"),
            (json!({"headers": []}), Code::WrongType, "/o/headers"),
            (json!({"headers": {"apns-priority": 10}}), Code::WrongType, "/o/headers/apns-priority"),
            (json!({"headers": {"apns-priority": "7"}}), Code::InvalidValue, "/o/headers/apns-priority"),
            (
                json!({"headers": {"apns-expiration": "soon"}}),
                Code::InvalidValue,
                "/o/headers/apns-expiration",
            ),
            (json!({"headers": {"apns-expiration": ""}}), Code::InvalidValue, "/o/headers/apns-expiration"),
            (json!({"headers": {"apns-collapse-id": ""}}), Code::InvalidValue, "/o/headers/apns-collapse-id"),
            (
                json!({"headers": {"apns-collapse-id": "é"}}),
                Code::InvalidValue,
                "/o/headers/apns-collapse-id",
            ),
            (
                json!({"headers": {"apns-collapse-id": "x".repeat(65)}}),
                Code::InvalidValue,
                "/o/headers/apns-collapse-id",
            ),
            (
                json!({"headers": {"authorization": "bearer x"}}),
                Code::InvalidValue,
                "/o/headers/authorization",
            ),
            (json!({"headers": {"apns-topic": "a"}}), Code::InvalidValue, "/o/headers/apns-topic"),
            (json!({"headers": {"apns-id": "a"}}), Code::InvalidValue, "/o/headers/apns-id"),
            (json!({"headers": {"apns-push-type": "voip"}}), Code::InvalidValue, "/o/headers/apns-push-type"),
            (json!({"headers": {"x-other": "a"}}), Code::UnknownField, "/o/headers/x-other"),
        ] {
            let problem = check_options(&object(options.clone()), "/o").unwrap_err();
            assert_eq!((problem.code, problem.pointer.as_deref()), (code, Some(at)), "{options}");
        }
    }

    #[test]
    fn fields_of_the_gateway_cannot_be_overwritten() {
        for (options, at) in [
            (json!({"ep_guard": "open"}), "/o/ep_guard"),
            (json!({"ep_id": null}), "/o/ep_id"),
            (json!({"aps": {"ep_x": 1}}), "/o/aps/ep_x"),
        ] {
            let problem = check_options(&object(options), "/o").unwrap_err();
            assert_eq!((problem.code, problem.pointer.as_deref()), (Code::ReservedName, Some(at)));
        }
    }
}
