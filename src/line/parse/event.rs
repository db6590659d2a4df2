//! `POST /v1/events`: bytes → what an app reports. In this version it reports permission; what it shows and what is tapped
//! comes with receipts.

use super::{body, device::permission_of, reader::Field, text};
use crate::model::{
    device::Permission,
    ids::{DeviceId, UserId},
    problem::{Code, Problem},
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
    /// Which device.
    pub device: DeviceId,
    /// What it reports.
    pub permission: Permission,
}

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
    let (kind, at) = fields.need("type")?.text()?;
    if kind != "permission" {
        let later = ["received", "shown", "clicked", "dismissed"].contains(&kind.as_str());
        let code = if later { Code::NotSupported } else { Code::InvalidValue };
        return Err(Problem::at(code, at, "this version takes events of the type `permission`"));
    }
    let event = Event {
        user: fields.take("user").map(text::user_id).transpose()?,
        device: text::device_id(fields.need("device")?)?,
        permission: permission_of(fields.need("permission")?)?,
    };
    fields.end()?;
    Ok(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permission_is_reported_and_everything_else_is_refused_by_name() {
        let read =
            events(br#"{"events":[{"type":"permission","device":"d","permission":"denied"}]}"#).unwrap();
        assert_eq!((read[0].device.as_str(), read[0].permission), ("d", Permission::Denied));
        for (json, code, at) in [
            (r#"{}"#, Code::MissingField, "/events"),
            (r#"{"events":[]}"#, Code::InvalidValue, "/events"),
            (r#"{"events":[{"type":"clicked"}]}"#, Code::NotSupported, "/events/0/type"),
            (r#"{"events":[{"type":"x"}]}"#, Code::InvalidValue, "/events/0/type"),
            (
                r#"{"events":[{"type":"permission","device":"d"}]}"#,
                Code::MissingField,
                "/events/0/permission",
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
