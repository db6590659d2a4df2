//! `POST /v1/events`: bytes → what an app reports: whether notifications are allowed, and what became of a message on the phone.

use super::{body, device::permission_of, reader::Field, text};
use crate::{
    model::{
        delivery::Seen,
        device::Permission,
        ids::{DeviceId, PushId, UserId},
        problem::{Code, Problem},
    },
    vendor::receipt,
};

/// Most bytes of a batch.
pub const BODY_MAX: usize = 64 * 1024;
/// Most events of a batch.
pub const EVENTS_MAX: usize = 100;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Whose device; absent: that of the caller's user token.
    pub user: Option<UserId>,
    /// What it reports.
    pub what: What,
}

/// What is reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Whether notifications are allowed on a device.
    Permission(DeviceId, Permission),
    /// How far a message came.
    /// In order: its push; its number; on which device, where that is said; how far.
    Seen(PushId, u32, Option<DeviceId>, Seen),
}

/// Who swipes a message away has seen it.
const SEEN: [(&str, Seen); 4] = [
    ("received", Seen::Received),
    ("shown", Seen::Shown),
    ("dismissed", Seen::Shown),
    ("clicked", Seen::Clicked),
];

/// Reads a batch.
pub fn events(bytes: &[u8]) -> Result<Vec<Event>, Problem> {
    let mut fields = Field::root(body(bytes)?).object()?;
    let list = fields.need("events")?;
    fields.end()?;
    let at = list.at.clone();
    let items = list.array()?;
    if items.is_empty() || items.len() > EVENTS_MAX {
        return Err(Problem::at(Code::InvalidValue, at, format!("a batch has 1 to {EVENTS_MAX} events")));
    }
    items.into_iter().map(event).collect()
}

fn event(field: Field) -> Result<Event, Problem> {
    let mut fields = field.object()?;
    let kinds = SEEN.map(|(name, seen)| (name, Some(seen)));
    let seen = fields.need("type")?.one_of(&[&kinds[..], &[("permission", None)]].concat())?;
    let user = fields.take("user").map(text::user_id).transpose()?;
    let what = match seen {
        None => {
            let device = text::device_id(fields.need("device")?)?;
            What::Permission(device, permission_of(fields.need("permission")?)?)
        }
        Some(seen) => {
            let (id, at) = fields.need("id")?.text()?;
            let wrong = || Problem::at(Code::InvalidId, at, "the message's `ep_id`, as it came in its data");
            let (push, n) = receipt::place(&id).ok_or_else(wrong)?;
            What::Seen(push, n, fields.take("device").map(text::device_id).transpose()?, seen)
        }
    };
    fields.end()?;
    Ok(Event { user, what })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permission_and_the_way_of_a_message_are_reported_and_everything_else_is_refused_by_name() {
        let read =
            events(br#"{"events":[{"type":"permission","device":"d","permission":"denied"}]}"#).unwrap();
        assert_eq!(read[0].what, What::Permission(DeviceId::parse("d").unwrap(), Permission::Denied));
        for (kind, seen) in SEEN {
            let json = format!(r#"{{"events":[{{"type":"{kind}","id":"01ARYZ6S410000000000000000.7"}}]}}"#);
            let push = PushId::parse("01ARYZ6S410000000000000000").unwrap();
            let what = What::Seen(push, 7, None, seen);
            assert_eq!(events(json.as_bytes()).unwrap(), [Event { user: None, what }]);
        }
        for (json, code, at) in [
            (r#"{}"#, Code::MissingField, "/events"),
            (r#"{"events":[]}"#, Code::InvalidValue, "/events"),
            (r#"{"events":[{"type":"clicked"}]}"#, Code::MissingField, "/events/0/id"),
            (r#"{"events":[{"type":"clicked","id":"x.1"}]}"#, Code::InvalidId, "/events/0/id"),
            (r#"{"events":[{"type":"x"}]}"#, Code::InvalidValue, "/events/0/type"),
            (
                r#"{"events":[{"type":"permission","device":"d"}]}"#,
                Code::MissingField,
                "/events/0/permission",
            ),
            (
                r#"{"events":[{"type":"permission","device":"d","permission":"denied","id":"x"}]}"#,
                Code::UnknownField,
                "/events/0/id",
            ),
            (
                r#"{"events":[{"type":"permission","device":"..","permission":"denied"}]}"#,
                Code::InvalidId,
                "/events/0/device",
            ),
        ] {
            let problem = events(json.as_bytes()).unwrap_err();
            assert_eq!((problem.code, problem.pointer.as_deref()), (code, Some(at)), "{json}");
        }
    }
}
