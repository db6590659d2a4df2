//! A browser's subscription: what a device of `webpush` has in place of a token. It is kept as one text, its compact
//! JSON with members in a fixed order and keys in one spelling, so that it is hashed, compared and copied as any token.

use super::endpoint::Endpoint;
use crate::{
    crypto::{base64url, ece::Receiver},
    line::parse::{json::Json, reader::Field},
    model::problem::{Code, Problem},
};

/// What a token is.
pub(super) const FORM: &str =
    "a token of `webpush` is a PushSubscription as browsers write it: {endpoint, keys: {p256dh, auth}}";

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Where its messages go.
    pub endpoint: Endpoint,
    /// Whom they are encrypted for.
    pub receiver: Receiver,
}

impl Subscription {
    /// Reads what `PushSubscription.toJSON()` gives, as an object or as the text of one.
    pub fn read(field: Field) -> Result<Self, Problem> {
        let Field { json, at } = field;
        match json {
            Json::Text(text) => {
                Self::parse(&text).map_err(|detail| Problem::at(Code::InvalidToken, at, detail))
            }
            other @ (Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_)) => {
                Self::object(Field { json: other, at })
            }
        }
    }

    /// Reads it from its text. The error says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let json = Json::parse(text).map_err(|_| FORM)?;
        Self::object(Field::root(json))
            .map_err(|problem| format!("{}: {}; {FORM}", problem.pointer.unwrap_or_default(), problem.detail))
    }

    fn object(field: Field) -> Result<Self, Problem> {
        let mut fields = field.object()?;
        let (url, at) = fields.need("endpoint")?.text()?;
        let endpoint = Endpoint::parse(&url).map_err(|why| Problem::at(Code::InvalidToken, at, why))?;
        // When a push service will forget it: its own word at that time counts.
        if let Some(field) = fields.take("expirationTime")
            && !matches!(field.json, Json::Null | Json::Number(_))
        {
            return Err(Problem::at(Code::WrongType, field.at, "must be null or a number"));
        }
        let mut keys = fields.need("keys")?.object()?;
        fields.end()?;
        let (p256dh, p256dh_at) = keys.need("p256dh")?.text()?;
        let (auth, auth_at) = keys.need("auth")?.text()?;
        keys.end()?;
        let refused = |at: String, form: &str| Problem::at(Code::InvalidToken, at, form);
        let auth =
            base64url::decode(&auth).ok_or_else(|| refused(auth_at, "must be 16 bytes in base64url"))?;
        let receiver = base64url::decode(&p256dh)
            .and_then(|p256dh| Receiver::new(p256dh, auth))
            .ok_or_else(|| refused(p256dh_at, "must be a point of the curve P-256, 65 bytes in base64url"))?;
        Ok(Self { endpoint, receiver })
    }

    /// The one text of it.
    pub fn token(&self) -> String {
        let Receiver { p256dh, auth, .. } = &self.receiver;
        let (url, auth, p256dh) = (self.endpoint.url(), base64url::encode(auth), base64url::encode(p256dh));
        // Nothing in them is escaped: an endpoint's alphabet has no quotes.
        format!(r#"{{"endpoint":"{url}","keys":{{"auth":"{auth}","p256dh":"{p256dh}"}}}}"#)
    }
}
