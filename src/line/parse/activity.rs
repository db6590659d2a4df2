//! Pushes of Apple's other kinds: Live Activities, and what each kind takes.

use super::{
    push::{free, time},
    reader::Field,
    text,
};
use crate::{
    model::{
        kind::{ACTIVITY_MAX, Activity, Kind},
        problem::{Code, Problem},
        push::{Message, Targets},
    },
    vendor::Vendor,
};

/// Reads what a push does to a Live Activity.
pub(super) fn activity(field: Field, kind: Kind) -> Result<Activity, Problem> {
    let mut fields = field.object()?;
    let events = ["start", "update", "end"].map(|name| (name, name));
    let event = fields.need("event")?;
    let event_at = event.at.clone();
    let event = event.one_of(&events)?;
    match (kind, event) {
        (Kind::LiveActivity, "start") => {
            return Err(wrong(kind, &event_at, "updates or ends; `live_activity_start` starts"));
        }
        (Kind::LiveActivityStart, "update" | "end") => return Err(wrong(kind, &event_at, "starts one")),
        _ => {}
    }
    // What an event does not take would be dropped by the phone, without a word.
    let mut only = |name, of: &str| {
        let field = fields.take(name);
        match &field {
            Some(field) if event != of => Err(field.invalid(format!("goes with `{of}` only"))),
            Some(_) | None => Ok(field),
        }
    };
    let dismiss_at = only("dismiss_at", "end")?;
    let (name, given) = (only("attributes_type", "start")?, only("attributes", "start")?);
    let attributes = match (name, given) {
        (Some(name), Some(given)) => Some((text::word(name, ACTIVITY_MAX)?, free(given)?)),
        (None, None) => None,
        // The other one is missing: asking for it says so.
        (Some(_), None) => fields.need("attributes").map(|_| None)?,
        (None, Some(_)) => fields.need("attributes_type").map(|_| None)?,
    };
    let id = fields.take("id");
    if let Some(id) = id.as_ref().filter(|_| event == "start") {
        return Err(
            id.invalid("a start has none: the app names the new activity when it registers its token")
        );
    }
    let activity = Activity {
        event: event.to_owned(),
        state: free(fields.need("state")?)?,
        attributes,
        stale_at: fields.take("stale_at").map(time).transpose()?,
        dismiss_at: dismiss_at.map(time).transpose()?,
        id: id.map(|id| text::word(id, ACTIVITY_MAX)).transpose()?,
    };
    fields.end()?;
    Ok(activity)
}

fn wrong(kind: Kind, at: &str, what: &str) -> Problem {
    Problem::at(Code::InvalidValue, at, format!("a push of the type `{}` {what}", kind.name()))
}

/// Where in the options a caller may say how urgent a push is.
const PRIORITY: &str = "/options/apns/headers/apns-priority";

/// Whether a push has what its type takes, and nothing that it does not.
pub(super) fn fits(message: &Message, to: &Targets) -> Result<(), Problem> {
    let Message { kind, activity, notification, .. } = message;
    let missing = |at: &str, what: &str| {
        Err(Problem::at(Code::MissingField, at, format!("a push of the type `{}` has {what}", kind.name())))
    };
    let wrong = |at: &str, what: &str| Err(wrong(*kind, at, what));
    match (kind, activity) {
        (Kind::LiveActivity | Kind::LiveActivityStart, None) => return missing("/activity", "an `activity`"),
        (Kind::LiveActivityStart, Some(of)) if of.attributes.is_none() => {
            return missing("/activity/attributes_type", "`attributes_type` and `attributes`");
        }
        // One parcel's state is not to be written into every activity that the user has running.
        (Kind::LiveActivity, Some(Activity { id: None, .. }))
            if !to.users.is_empty() || to.audience.is_some() =>
        {
            let detail = "say which of the user's activities, as its token was registered (`activity`); or name that device in \
                          `to.devices`";
            return Err(Problem::at(Code::MissingField, "/activity/id", detail));
        }
        // The phone shows an alert when one starts.
        (Kind::LiveActivityStart, _) if !message.shows_text() => {
            return missing("/notification", "a `title` or a `body`");
        }
        (kind, Some(_)) if !kind.of_activity() => return wrong("/activity", "has no `activity`"),
        _ => {}
    }
    let headers = message.options.apns.get("headers");
    if kind.of_activity() && headers.is_some_and(|headers| headers["apns-priority"] == "1") {
        return wrong(PRIORITY, "has the priority 10 or 5: Apple refuses 1");
    }
    if notification.is_some() && !kind.shows() {
        return wrong("/notification", "shows nothing");
    }
    if *kind != Kind::Alert && to.tokens.iter().any(|address| address.vendor != Vendor::Apns) {
        return wrong("/type", "reaches tokens of `apns` only");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::parse::push::push;

    fn of(rest: &str) -> Result<crate::model::push::Push, (Code, String)> {
        push(format!(r#"{{"to":{{"users":["u"]}},{rest}}}"#).as_bytes())
            .map_err(|problem| (problem.code, problem.pointer.unwrap_or_default()))
    }

    #[test]
    fn a_live_activity_starts_goes_on_and_ends() {
        let start = of(
            r#""type":"live_activity_start","notification":{"title":"Ride"},"activity":{"event":"start","state":{"eta":5},"attributes_type":"Ride","attributes":{"car":"7"}}"#,
        );
        assert_eq!(start.unwrap().message.activity.unwrap().attributes.unwrap().0, "Ride");
        let update = of(
            r#""type":"live_activity","activity":{"event":"update","id":"o","state":{"eta":4},"stale_at":"2026-12-24T18:00:00Z"}"#,
        );
        assert_eq!(update.unwrap().message.kind, Kind::LiveActivity);
        let end = of(
            r#""type":"live_activity","activity":{"event":"end","id":"o","state":{},"dismiss_at":"2026-12-24T18:00:00Z"}"#,
        );
        assert!(end.unwrap().message.activity.unwrap().dismiss_at.is_some());
        assert!(of(r#""type":"widgets""#).is_ok() && of(r#""type":"voip","data":{"call":"1"}"#).is_ok());
    }

    #[test]
    fn a_call_does_not_ring_days_later() {
        let ttl = |rest: &str| of(&format!(r#"{rest},"category":"im""#)).unwrap().message.ttl;
        assert_eq!((ttl(r#""type":"voip""#), ttl(r#""type":"pushtotalk""#)), (30, 30));
        assert_eq!((ttl(r#""type":"voip","ttl":0"#), ttl(r#""type":"voip","ttl":3600"#)), (0, 3_600));
        assert_eq!(ttl(r#""type":"widgets""#), 7 * 86_400);
    }

    #[test]
    fn what_does_not_fit_the_type_is_refused() {
        let attributes = r#""attributes_type":"R","attributes":{}"#;
        for (rest, code, at) in [
            (r#""type":"live_activity""#.to_owned(), Code::MissingField, "/activity"),
            (r#""type":"live_activity","activity":{"event":"start","state":{}}"#.into(), Code::InvalidValue, "/activity/event"),
            (r#""type":"live_activity","activity":{"event":"x","state":{}}"#.into(), Code::InvalidValue, "/activity/event"),
            (r#""type":"live_activity","activity":{"event":"end"}"#.into(), Code::MissingField, "/activity/state"),
            (r#""type":"live_activity","activity":{"event":"end","id":"o","state":[]}"#.into(), Code::WrongType, "/activity/state"),
            (
                r#""type":"live_activity","activity":{"event":"end","id":"o","state":{},"dismiss_at":"soon"}"#.into(),
                Code::InvalidValue,
                "/activity/dismiss_at",
            ),
            (
                format!(r#""type":"live_activity_start","activity":{{"event":"start","state":{{}},{attributes}}}"#),
                Code::MissingField,
                "/notification",
            ),
            (
                r#""type":"live_activity_start","notification":{"title":"t"},"activity":{"event":"start","state":{}}"#.into(),
                Code::MissingField,
                "/activity/attributes_type",
            ),
            (
                format!(r#""type":"live_activity_start","activity":{{"event":"update","id":"o","state":{{}},{attributes}}}"#),
                Code::InvalidValue,
                "/activity/event",
            ),
            (
                r#""type":"live_activity","activity":{"event":"update","state":{}}"#.into(),
                Code::MissingField,
                "/activity/id",
            ),
            (
                r#""type":"live_activity","activity":{"event":"update","id":"","state":{}}"#.into(),
                Code::InvalidValue,
                "/activity/id",
            ),
            (
                format!(r#""type":"live_activity_start","notification":{{"title":"t"}},"activity":{{"event":"start","id":"o","state":{{}},{attributes}}}"#),
                Code::InvalidValue,
                "/activity/id",
            ),
            (r#""data":{"a":"b"},"activity":{"event":"end","id":"o","state":{}}"#.into(), Code::InvalidValue, "/activity"),
            (
                format!(r#""type":"live_activity","activity":{{"event":"update","id":"o","state":{{}},{attributes}}}"#),
                Code::InvalidValue,
                "/activity/attributes_type",
            ),
            (
                r#""type":"live_activity","activity":{"event":"end","id":"o","state":{},"attributes":{}}"#.into(),
                Code::InvalidValue,
                "/activity/attributes",
            ),
            (
                r#""type":"live_activity","activity":{"event":"update","id":"o","state":{},"dismiss_at":"2026-12-24T18:00:00Z"}"#.into(),
                Code::InvalidValue,
                "/activity/dismiss_at",
            ),
            (
                r#""type":"live_activity_start","notification":{"title":"t"},"activity":{"event":"start","state":{},"attributes_type":"R"}"#.into(),
                Code::MissingField,
                "/activity/attributes",
            ),
            (
                r#""type":"live_activity_start","notification":{"title":"t"},"activity":{"event":"start","state":{},"attributes":{}}"#.into(),
                Code::MissingField,
                "/activity/attributes_type",
            ),
            (
                r#""type":"live_activity","activity":{"event":"end","id":"o","state":{}},"options":{"apns":{"headers":{"apns-priority":"1"}}}"#.into(),
                Code::InvalidValue,
                "/options/apns/headers/apns-priority",
            ),
            (r#""type":"widgets","notification":{"title":"t"}"#.into(), Code::InvalidValue, "/notification"),
        ] {
            assert_eq!(of(&rest).map(drop), Err((code, at.to_owned())), "{rest}");
        }
        let update = |to: &str| {
            let activity = r#"{"event":"update","state":{}}"#;
            let json = format!(r#"{{"to":{to},"type":"live_activity","activity":{activity}}}"#);
            push(json.as_bytes()).err().and_then(|problem| problem.pointer)
        };
        let device = r#""devices":[{"user":"u","device":"d"}]"#;
        let token = format!(r#"{{"tokens":[{{"vendor":"apns","token":"{}"}}]}}"#, "00".repeat(32));
        assert_eq!(update(r#"{"audience":"all"}"#).as_deref(), Some("/activity/id"));
        assert_eq!(update(&format!(r#"{{"users":["u"],{device}}}"#)).as_deref(), Some("/activity/id"));
        assert_eq!((update(&format!("{{{device}}}")), update(&token)), (None, None));
        let tokens = br#"{"to":{"tokens":[{"vendor":"fcm","token":"a:b"}]},"type":"voip"}"#;
        assert_eq!(push(tokens).unwrap_err().pointer.as_deref(), Some("/type"));
    }
}
