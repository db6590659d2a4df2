//! What `options` and policies may not touch, wherever it stands in the vendor's JSON.

use serde_json::{Map, Value};

use crate::{
    line::parse::json::child,
    model::problem::{Code, Problem},
};

/// Why a place is the gateway's own.
pub(super) const OURS: &str = "the gateway writes this itself: whom a push goes to stands in `to`, its class in `category` and \
                               in the app's policy (`classes`), what the app gets in `data`";
/// Why nothing is shown there.
pub(super) const SILENT: &str =
    "a push without text shows nothing, and has no class: give a `notification` with a `title` or a `body`";

/// Refuses what sets, removes or buries one of the places.
pub(super) fn check(places: &[&str], given: &Map<String, Value>, at: &str, why: &str) -> Result<(), Problem> {
    places.iter().try_for_each(|place| one(place.trim_start_matches('/'), given, at, why))
}

fn one(place: &str, given: &Map<String, Value>, at: &str, why: &str) -> Result<(), Problem> {
    let (name, rest) = place.split_once('/').unwrap_or((place, ""));
    let Some(value) = given.get(name) else { return Ok(()) };
    let at = child(at, name);
    match value.as_object() {
        Some(inner) if !rest.is_empty() => one(rest, inner, &at, why),
        Some(_) | None => Err(Problem::at(Code::InvalidValue, at, why)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{line::parse::push::push, vendor::sample::object};

    #[test]
    fn a_place_is_kept_however_it_is_reached() {
        let kept = ["/token", "/android/notification/importance"];
        for (options, at) in [
            (json!({}), None),
            (json!({"android": {"notification": {"color": "#fff"}, "urgency": "HIGH"}}), None),
            (json!({"token": ["x"]}), Some("/o/token")),
            (json!({"token": null}), Some("/o/token")),
            (json!({"android": null}), Some("/o/android")),
            (json!({"android": {"notification": "x"}}), Some("/o/android/notification")),
            (
                json!({"android": {"notification": {"importance": "LOW"}}}),
                Some("/o/android/notification/importance"),
            ),
        ] {
            let problem = check(&kept, &object(options.clone()), "/o", OURS).err();
            assert_eq!(problem.and_then(|problem| problem.pointer).as_deref(), at, "{options}");
        }
    }

    #[test]
    fn what_shows_no_text_shows_nothing_by_options_either() {
        let read = |rest: &str| push(format!(r#"{{"to":{{"users":["u"]}},{rest}}}"#).as_bytes());
        for (vendor, place) in [
            ("huawei", "android/notification"),
            ("huawei", "notification"),
            ("honor", "android/notification"),
            ("honor", "notification"),
            ("harmony", "payload/notification"),
            ("jpush", "notification"),
        ] {
            let given =
                place.rsplit('/').fold("{}".to_owned(), |inner, name| format!(r#"{{"{name}":{inner}}}"#));
            let options = format!(r#""options":{{"{vendor}":{given}}}"#);
            let at = format!("/options/{vendor}/{place}");
            for silent in ["", r#","notification":{"badge":1}"#, r#","notification":{"body":" "}"#] {
                let problem = read(&format!("{options}{silent}")).unwrap_err();
                assert_eq!(
                    (problem.code, problem.pointer.as_ref()),
                    (Code::InvalidValue, Some(&at)),
                    "{silent}"
                );
            }
            let shown = read(&format!(r#"{options},"notification":{{"title":"t"}}"#));
            assert_eq!(shown.is_ok(), (vendor, place) != ("honor", "notification"), "{at}");
        }
    }
}
