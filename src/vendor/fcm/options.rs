//! What a caller may merge into the message: `options.fcm`.

use serde_json::{Map, Value};

use crate::{
    line::parse::{json::child, push::reserved},
    model::problem::{Code, Problem},
    vendor::draft::refuse_own,
};

/// Whom a message goes to, and the output-only name: not the options' to say.
const KEPT: [&str; 5] = ["token", "topic", "condition", "fid", "name"];
/// Members that are objects.
const PARTS: [&str; 6] = ["notification", "android", "apns", "webpush", "data", "fcm_options"];

/// Checks the options when a push is read.
pub fn check_options(options: &Map<String, Value>, at: &str) -> Result<(), Problem> {
    if let Some(name) = KEPT.into_iter().find(|name| options.contains_key(*name)) {
        return Err(Problem::at(Code::InvalidValue, child(at, name), "`to` says whom a push goes to"));
    }
    refuse_own(options, at)?;
    spelling(options, at)?;
    data(options, at)?;
    for name in PARTS {
        let Some(part) = options.get(name).filter(|value| !value.is_null()) else { continue };
        let at = child(at, name);
        let inner = part.as_object().ok_or_else(|| Problem::at(Code::WrongType, &at, "must be an object"))?;
        if matches!(name, "android" | "webpush") {
            data(inner, &at)?;
        }
    }
    Ok(())
}

/// FCM also reads `collapseKey` for `collapse_key`, but refuses a message that holds both, and a draft holds ours.
fn spelling(part: &Map<String, Value>, at: &str) -> Result<(), Problem> {
    part.iter().try_for_each(|(name, value)| {
        let at = child(at, name);
        if name.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(Problem::at(Code::InvalidValue, at, "write it in snake_case, as in collapse_key"));
        }
        match value.as_object() {
            // Names in here are the app's own, or no draft holds them.
            Some(inner) if !matches!(name.as_str(), "data" | "apns" | "webpush") => spelling(inner, &at),
            Some(_) | None => Ok(()),
        }
    })
}

/// Values in `data` are strings; `null` removes one. Removing the whole of it is not possible: our own fields are
/// in it.
fn data(part: &Map<String, Value>, at: &str) -> Result<(), Problem> {
    let Some(data) = part.get("data") else { return Ok(()) };
    let at = child(at, "data");
    let data = data.as_object().ok_or_else(|| Problem::at(Code::WrongType, &at, "must be an object"))?;
    if let Some((name, _)) = data.iter().find(|(name, _)| reserved(name)) {
        return Err(Problem::at(Code::ReservedName, child(&at, name), "FCM keeps this name for itself"));
    }
    match data.iter().find(|(_, value)| !value.is_string() && !value.is_null()) {
        Some((name, _)) => {
            Err(Problem::at(Code::WrongType, child(&at, name), "values in `data` are strings"))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::vendor::sample::object;

    #[test]
    fn fields_of_the_message_may_be_set() {
        for options in [
            json!({}),
            json!({"android": {"notification": {"color": "#ff0000"}, "data": {"a": "b"}, "collapse_key": null}}),
            json!({"apns": {"headers": {"apns-priority": "5"}, "payload": {"aps": {"mutableContent": 1}}}}),
            json!({"webpush": {"notification": {"requireInteraction": true}}, "data": {"aB": "c", "k": null}}),
            json!({"notification": null, "data": {"data": "x"}}),
        ] {
            assert_eq!(check_options(&object(options.clone()), "/o"), Ok(()), "{options}");
        }
    }

    #[test]
    fn targets_types_and_double_spellings_are_refused() {
        for (options, code, at) in [
            (json!({"token": "x"}), Code::InvalidValue, "/o/token"),
            (json!({"topic": "x"}), Code::InvalidValue, "/o/topic"),
            (json!({"condition": null}), Code::InvalidValue, "/o/condition"),
            (json!({"fid": "x"}), Code::InvalidValue, "/o/fid"),
            (json!({"name": "x"}), Code::InvalidValue, "/o/name"),
            (json!({"ep_id": "x"}), Code::ReservedName, "/o/ep_id"),
            (json!({"data": {"ep_guard": "open"}}), Code::ReservedName, "/o/data/ep_guard"),
            (json!({"android": {"data": {"ep_link": null}}}), Code::ReservedName, "/o/android/data/ep_link"),
            (json!({"data": {"a": 1}}), Code::WrongType, "/o/data/a"),
            (json!({"data": {"gcm.x": "1"}}), Code::ReservedName, "/o/data/gcm.x"),
            (json!({"android": {"data": {"from": "1"}}}), Code::ReservedName, "/o/android/data/from"),
            (json!({"data": null}), Code::WrongType, "/o/data"),
            (json!({"android": {"data": {"a": {}}}}), Code::WrongType, "/o/android/data/a"),
            (json!({"webpush": {"data": {"a": true}}}), Code::WrongType, "/o/webpush/data/a"),
            (json!({"android": "x"}), Code::WrongType, "/o/android"),
            (json!({"notification": []}), Code::WrongType, "/o/notification"),
            (json!({"fcmOptions": {}}), Code::InvalidValue, "/o/fcmOptions"),
            (json!({"android": {"collapseKey": "x"}}), Code::InvalidValue, "/o/android/collapseKey"),
            (
                json!({"android": {"notification": {"channelId": "x"}}}),
                Code::InvalidValue,
                "/o/android/notification/channelId",
            ),
        ] {
            let problem = check_options(&object(options.clone()), "/o").unwrap_err();
            assert_eq!((problem.code, problem.pointer.as_deref()), (code, Some(at)), "{options}");
        }
    }
}
