//! `POST /v1/users:import`: a line of NDJSON → a registration and whose it is.

use super::{body, device, reader::Field, text};
use crate::model::{
    device::Registration,
    ids::{DeviceId, UserId},
    problem::Problem,
};

/// Longest line, bytes.
pub const LINE_MAX: usize = device::BODY_MAX;

/// Reads a line: the fields of a registration, and `user` and `device` beside them.
pub fn line(bytes: &[u8]) -> Result<(UserId, DeviceId, Registration), Problem> {
    let mut fields = Field::root(body(bytes)?).object()?;
    let user = text::user_id(fields.need("user")?)?;
    let device = text::device_id(fields.need("device")?)?;
    Ok((user, device, device::of_fields(fields)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::problem::Code;

    #[test]
    fn a_line_is_a_registration_with_its_user_and_device() {
        let (user, device, registration) =
            line(br#"{"user":"u","device":"d","platform":"android","vendor":"fcm","token":"abc:def"}"#)
                .unwrap();
        assert_eq!((user.as_str(), device.as_str()), ("u", "d"));
        assert_eq!(registration.address.token.reveal(), "abc:def");
        for (json, code, at) in [
            (r#"{"device":"d"}"#, Code::MissingField, "/user"),
            (r#"{"user":"u"}"#, Code::MissingField, "/device"),
            (r#"{"user":"..","device":"d"}"#, Code::InvalidId, "/user"),
            (r#"{"user":"u","device":"d"}"#, Code::MissingField, "/platform"),
            (
                r#"{"user":"u","device":"d","platform":"android","vendor":"fcm","token":"abc","x":1}"#,
                Code::UnknownField,
                "/x",
            ),
        ] {
            let problem = line(json.as_bytes()).unwrap_err();
            assert_eq!((problem.code, problem.pointer.as_deref()), (code, Some(at)), "{json}");
        }
    }
}
