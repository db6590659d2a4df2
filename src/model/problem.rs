//! What a caller is told when a request cannot be done: `application/problem+json` (RFC 9457) with a stable code.

use serde::Serialize;

use super::ids::PushId;
use crate::wire::text;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal, $title:literal;)*) => {
        /// The stable code of a problem.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The text in `code`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The HTTP status.
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// One line for people.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

codes! {
    /// The body is not UTF-8.
    InvalidUtf8 = "invalid_utf8", 400, "The body is not UTF-8";
    /// The body is not JSON.
    InvalidJson = "invalid_json", 400, "The body is not JSON";
    /// A field the contract does not know.
    UnknownField = "unknown_field", 400, "Unknown field";
    /// The same field twice in one object.
    DuplicateField = "duplicate_field", 400, "The same field twice";
    /// A field that must be there.
    MissingField = "missing_field", 400, "A field is missing";
    /// Not the JSON type the contract says.
    WrongType = "wrong_type", 400, "Wrong JSON type";
    /// Right type, value not allowed.
    InvalidValue = "invalid_value", 400, "Value not allowed";
    /// Not an id.
    InvalidId = "invalid_id", 400, "Not a valid id";
    /// Control characters where none may be.
    InvalidCharacters = "invalid_characters", 400, "Control characters";
    /// Not of the form the vendor's tokens have.
    InvalidToken = "invalid_token", 400, "Not a token of this vendor";
    /// A link with a scheme that is not allowed.
    LinkNotAllowed = "link_not_allowed", 400, "Link not allowed";
    /// A name in `data` that vendors or edgepush keep for themselves.
    ReservedName = "reserved_name", 400, "Reserved name";
    /// Nobody to send to.
    NoTargets = "no_targets", 400, "No targets";
    /// More targets than one call may name.
    TooManyTargets = "too_many_targets", 400, "Too many targets";
    /// A credential that cannot sign, or is not what it claims.
    InvalidCredentials = "invalid_credentials", 400, "Credential refused";
    /// No key, or none that is known.
    Unauthorized = "unauthorized", 401, "Not authorized";
    /// No key of the app has signed the user token, or it is not of the form.
    UserTokenInvalid = "user_token_invalid", 401, "User token refused";
    /// The user token's time is over.
    UserTokenExpired = "user_token_expired", 401, "User token expired";
    /// The user token is for another user.
    ForeignUser = "foreign_user", 403, "Another user's token";
    /// The key may not do this.
    MissingScope = "missing_scope", 403, "The key lacks a scope";
    /// No such route.
    NotFound = "not_found", 404, "No such route";
    /// No such app.
    UnknownApp = "unknown_app", 404, "Unknown app";
    /// No such key.
    UnknownKey = "unknown_key", 404, "Unknown key";
    /// No such push, or it is no longer kept.
    UnknownPush = "unknown_push", 404, "Unknown push";
    /// No such audience, or its time is over.
    UnknownAudience = "unknown_audience", 404, "Unknown audience";
    /// The push with this idempotency key is being sent.
    PushUnderWay = "push_under_way", 409, "The push is being sent";
    /// The idempotency key was used for another push.
    IdempotencyMismatch = "idempotency_mismatch", 422, "Another push has this key";
    /// No such user.
    UnknownUser = "unknown_user", 404, "Unknown user";
    /// No such device.
    UnknownDevice = "unknown_device", 404, "Unknown device";
    /// Another user has registered the device at the same time.
    DeviceTaken = "device_taken", 409, "Another user holds the device";
    /// The route exists, not with this method.
    MethodNotAllowed = "method_not_allowed", 405, "Method not allowed";
    /// The object holds as many as it may.
    LimitReached = "limit_reached", 409, "Limit reached";
    /// The body is over its limit.
    BodyTooLarge = "body_too_large", 413, "Body too large";
    /// A fault of ours.
    Internal = "internal", 500, "Internal error";
    /// A setting or secret is missing or wrong.
    Misconfigured = "misconfigured", 500, "The gateway is misconfigured";
    /// In the contract, not in this version.
    NotSupported = "not_supported", 501, "Not in this version";
    /// A part of the platform does not answer.
    Unavailable = "unavailable", 503, "Temporarily unavailable";
}

/// A problem, before it becomes a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Which.
    pub code: Code,
    /// What to do about it.
    pub detail: String,
    /// JSON pointer (RFC 6901) of the field, for bad input.
    pub pointer: Option<String>,
    /// The push that stands in the way.
    pub push: Option<PushId>,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    code: &'static str,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    push: Option<&'a str>,
}

impl Problem {
    /// Without a field to point at.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), pointer: None, push: None }
    }

    /// About one field.
    pub fn at(code: Code, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), pointer: Some(pointer.into()), push: None }
    }

    /// About a push.
    pub fn of_push(code: Code, push: &PushId, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), pointer: None, push: Some(push.clone()) }
    }

    /// The body of the response.
    pub fn json(&self) -> String {
        let body = Body {
            r#type: format!("urn:edgepush:problem:{}", self.code.as_str()),
            title: self.code.title(),
            status: self.code.status(),
            code: self.code.as_str(),
            detail: &self.detail,
            pointer: self.pointer.as_deref(),
            push: self.push.as_ref().map(PushId::as_str),
        };
        text::write(&body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What callers match on: a changed line here is a changed contract.
    #[test]
    fn the_body_is_pinned() {
        let problem =
            Problem::at(Code::UnknownField, "/notification/titel", "no such field; did you mean `title`?");
        assert_eq!(
            problem.json(),
            r#"{"type":"urn:edgepush:problem:unknown_field","title":"Unknown field","status":400,"code":"unknown_field","detail":"no such field; did you mean `title`?","pointer":"/notification/titel"}"#
        );
    }

    #[test]
    fn codes_are_distinct() {
        let mut codes: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Code::ALL.len());
    }
}
