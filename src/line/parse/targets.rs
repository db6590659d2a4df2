//! `to` of a push: whom it goes to.

use super::{
    device::address,
    reader::{Field, Fields},
    text,
};
use crate::model::{
    problem::{Code, Problem},
    push::Targets,
};

/// Most devices whose caller may wait for the end: a push to more is queued.
pub const DEVICES_MAX: usize = 50;
/// Most targets that one call names.
pub const TARGETS_MAX: usize = 10_000;

/// Reads the targets.
pub(super) fn targets(field: Field) -> Result<Targets, Problem> {
    let mut fields = field.object()?;
    let mut to = Targets::default();
    for item in items(&mut fields, "users")? {
        to.users.push(text::user_id(item)?);
    }
    for item in items(&mut fields, "devices")? {
        let mut pair = item.object()?;
        let user = text::user_id(pair.need("user")?)?;
        to.devices.push((user, text::device_id(pair.need("device")?)?));
        pair.end()?;
    }
    for item in items(&mut fields, "tokens")? {
        let mut token = item.object()?;
        to.tokens.push(address(&mut token)?);
        token.end()?;
    }
    to.audience = fields.take("audience").map(text::audience_id).transpose()?;
    let at = fields.at().to_owned();
    fields.end()?;
    if to.is_empty() {
        return Err(Problem::at(
            Code::NoTargets,
            at,
            "name at least one of `users`, `devices`, `tokens` or an `audience`",
        ));
    }
    let named = to.len();
    if to.audience.is_some() && named > 0 {
        return Err(Problem::at(Code::InvalidValue, at, "an `audience` stands alone: send two pushes"));
    }
    if to.len() > TARGETS_MAX {
        let detail = format!(
            "this push names {} targets; one call names up to {TARGETS_MAX}: put more into an audience",
            to.len()
        );
        return Err(Problem::at(Code::TooManyTargets, at, detail));
    }
    Ok(to)
}

fn items(fields: &mut Fields, name: &'static str) -> Result<Vec<Field>, Problem> {
    fields.take(name).map_or(Ok(Vec::new()), Field::array)
}

/// In the contract, not in this version.
pub(super) fn unsupported(at: &str, what: &str) -> Problem {
    Problem::at(Code::NotSupported, at, format!("{what} are not in this version; nothing was sent"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::parse::push::push;

    fn refused(json: &str) -> (Code, String) {
        let problem = push(json.as_bytes()).unwrap_err();
        (problem.code, problem.pointer.unwrap_or_default())
    }

    #[test]
    fn targets_are_checked() {
        let to = |to: &str| format!(r#"{{"to":{to},"notification":{{"title":"t"}}}}"#);
        let many: Vec<String> = (0..10_001).map(|n| format!("\"u{n}\"")).collect();
        for (json, code, at) in [
            ("{}".to_owned(), Code::NoTargets, "/to"),
            (r#"{"users":[]}"#.to_owned(), Code::NoTargets, "/to"),
            (r#"{"users":["a",""]}"#.to_owned(), Code::InvalidId, "/to/users/1"),
            (r#"{"users":[".."]}"#.to_owned(), Code::InvalidId, "/to/users/0"),
            (r#"{"users":[1]}"#.to_owned(), Code::WrongType, "/to/users/0"),
            (format!(r#"{{"users":["{}"]}}"#, "x".repeat(129)), Code::InvalidId, "/to/users/0"),
            (r#"{"devices":[{"user":"u"}]}"#.to_owned(), Code::MissingField, "/to/devices/0/device"),
            (
                r#"{"tokens":[{"vendor":"apns","token":"../x"}]}"#.to_owned(),
                Code::InvalidToken,
                "/to/tokens/0/token",
            ),
            (
                r#"{"tokens":[{"vendor":"fcm","token":"a/b"}]}"#.to_owned(),
                Code::InvalidToken,
                "/to/tokens/0/token",
            ),
            (
                r#"{"tokens":[{"vendor":"mars","token":"a"}]}"#.to_owned(),
                Code::InvalidValue,
                "/to/tokens/0/vendor",
            ),
            (r#"{"audience":"a b"}"#.to_owned(), Code::InvalidId, "/to/audience"),
            (r#"{"audience":"spring","users":["u"]}"#.to_owned(), Code::InvalidValue, "/to"),
            (format!(r#"{{"users":[{}]}}"#, many.join(",")), Code::TooManyTargets, "/to"),
        ] {
            assert_eq!(refused(&to(&json)), (code, at.to_owned()), "{json}");
        }
    }
}
