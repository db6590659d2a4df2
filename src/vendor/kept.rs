//! What `options` may not touch, wherever it stands in the vendor's JSON.

use serde_json::{Map, Value};

use super::draft::refuse_own;
use crate::{
    line::parse::json::child,
    model::problem::{Code, Problem},
};

/// Refuses options that set, remove or bury one of the places kept, or name a field of our own.
pub(super) fn check(kept: &[&str], options: &Map<String, Value>, at: &str) -> Result<(), Problem> {
    refuse_own(options, at)?;
    kept.iter().try_for_each(|place| one(place.trim_start_matches('/'), options, at))
}

fn one(place: &str, options: &Map<String, Value>, at: &str) -> Result<(), Problem> {
    let (name, rest) = place.split_once('/').unwrap_or((place, ""));
    let Some(value) = options.get(name) else { return Ok(()) };
    let at = child(at, name);
    match value.as_object() {
        Some(inner) if !rest.is_empty() => one(rest, inner, &at),
        Some(_) | None => {
            let detail = "the gateway writes this itself: whom a push goes to stands in `to`, its class in `category` and \
                          in the app's policy (`classes`), what the app gets in `data`";
            Err(Problem::at(Code::InvalidValue, at, detail))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::vendor::sample::object;

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
            (json!({"ep_id": "x"}), Some("/o/ep_id")),
        ] {
            let problem = check(&kept, &object(options.clone()), "/o").err();
            assert_eq!(problem.and_then(|problem| problem.pointer).as_deref(), at, "{options}");
        }
    }
}
