//! An operator's key at Apple, and the bearer signed with it.

use std::fmt;

use p256::ecdsa::SigningKey;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    crypto::{jwt, pem},
    line::parse::{device::bundle_id, json::Json, reader::Field},
    model::{
        device::{Address, Environment},
        problem::{Code, Problem},
        secret::Secret,
        time::Millis,
    },
    wire::text,
};

/// Seconds for which a bearer stays the same. Apple refuses one older than 60 minutes, and one that changes more
/// often than every 20 minutes.
const STEP: u64 = 2_400;

/// The open part of the credential: what an operator recognises it by, and where requests go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Apple's id of the team.
    pub team_id: String,
    /// Apple's id of the key.
    pub key_id: String,
    /// Bundle id for devices that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Environment for devices that name none.
    pub environment: Environment,
}

impl Facts {
    /// The bundle id that reaches a device.
    pub fn topic<'a>(&'a self, to: &'a Address) -> Result<&'a str, &'static str> {
        to.topic.as_deref().or(self.topic.as_deref()).ok_or(
            "neither the device nor the credential names a topic: register the device with `topic`, or PUT \
             /v1/apps/{app} with `credentials.apns.topic`",
        )
    }

    /// The environment that issued a device's token.
    pub fn environment(&self, to: &Address) -> Environment {
        to.environment.unwrap_or(self.environment)
    }

    /// What a "bad token" answer could also be blamed on.
    pub fn blame(&self, to: &Address) -> String {
        let environment = match self.environment(to) {
            Environment::Sandbox => "sandbox",
            Environment::Production => "production",
        };
        [environment, "/", self.topic(to).unwrap_or_default()].concat()
    }
}

/// A signing key with what Apple needs to know beside it.
pub struct Credential {
    facts: Facts,
    /// The key file as the operator gave it: this is what is stored.
    private_key: Secret,
    key: SigningKey,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("facts", &self.facts).finish_non_exhaustive()
    }
}

/// How a credential lies under its seal.
#[derive(Serialize, Deserialize)]
struct Stored {
    facts: Facts,
    private_key: Secret,
}

#[derive(Serialize)]
struct BearerClaims<'a> {
    iss: &'a str,
    iat: u64,
}

impl Credential {
    /// Reads what an operator gives, and signs once.
    pub fn parse(json: Json, at: &str) -> Result<Self, Problem> {
        let mut fields = Field { json, at: at.to_owned() }.object()?;
        let team_id = apple_id(fields.need("team_id")?)?;
        let key_id = apple_id(fields.need("key_id")?)?;
        let (private_key, key_at) = fields.need("private_key")?.text()?;
        let topic = fields.take("topic").map(bundle_id).transpose()?;
        let environment = fields.take("environment").map_or(Ok(Environment::Production), |field| {
            field.one_of(&[("sandbox", Environment::Sandbox), ("production", Environment::Production)])
        })?;
        fields.end()?;
        let private_key = Secret::new(private_key);
        let refused = |why: &str| {
            let detail = format!("{why}; give the text of the AuthKey_….p8 file that Apple made");
            Problem::at(Code::InvalidCredentials, &key_at, detail)
        };
        let key = pem::p256(private_key.reveal()).map_err(|error| refused(error.0))?;
        let credential = Self { facts: Facts { team_id, key_id, topic, environment }, private_key, key };
        if credential.signs() { Ok(credential) } else { Err(refused("the key does not sign")) }
    }

    /// The parts of a key were checked against each other when it was read: what signs now signs always.
    fn signs(&self) -> bool {
        self.bearer(Millis(0)).is_some()
    }

    /// The bearer of this moment's step: the same bytes on every isolate, because the signature is deterministic
    /// (RFC 6979) and nothing else in it changes within a step.
    pub fn bearer(&self, now: Millis) -> Option<String> {
        let claims = BearerClaims { iss: &self.facts.team_id, iat: step(now) };
        jwt::es256(&self.key, &self.facts.key_id, claims)
    }

    /// For sealing.
    pub fn to_stored(&self) -> Zeroizing<Vec<u8>> {
        let stored = Stored { facts: self.facts.clone(), private_key: self.private_key.clone() };
        Zeroizing::new(text::write(&stored).into_bytes())
    }

    /// After opening.
    pub fn from_stored(bytes: &[u8]) -> Option<Self> {
        let Stored { facts, private_key } = crate::wire::text::read(std::str::from_utf8(bytes).ok()?).ok()?;
        let key = pem::p256(private_key.reveal()).ok()?;
        Some(Self { facts, private_key, key })
    }

    /// The open part.
    pub fn facts(&self) -> Facts {
        self.facts.clone()
    }
}

/// The second at which this moment's step began: `iat` of its bearer.
pub fn step(now: Millis) -> u64 {
    now.secs() / STEP * STEP
}

/// Team and key ids have the same form.
fn apple_id(field: Field) -> Result<String, Problem> {
    let (id, at) = field.text()?;
    if id.len() == 10 && id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
        return Ok(id);
    }
    let detail =
        "has 10 characters, A to Z and 0 to 9: see Membership and Keys at developer.apple.com/account";
    Err(Problem::at(Code::InvalidCredentials, at, detail))
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::{Value, json};

    use super::*;
    use crate::vendor::{
        Vendor,
        sample::{self, NOW, P256_TEST_KEY, RSA_TEST_KEY},
    };

    const AT: &str = "/credentials/apns";

    fn given() -> Value {
        json!({"team_id": "TEAM123456", "key_id": "KEY1234567", "private_key": P256_TEST_KEY})
    }

    fn parse(json: &Value) -> Result<Credential, Problem> {
        Credential::parse(Json::parse(&json.to_string()).unwrap(), AT)
    }

    #[test]
    fn a_key_is_read_and_its_defaults_are_production_without_a_topic() {
        let facts = parse(&given()).unwrap().facts();
        assert_eq!(facts.environment, Environment::Production);
        assert_eq!(facts.topic, None);
    }

    #[test]
    fn every_refusal_names_its_field() {
        for (field, value, code) in [
            ("team_id", json!("TEAM12345"), Code::InvalidCredentials),
            ("team_id", json!("team123456"), Code::InvalidCredentials),
            ("team_id", json!(1), Code::WrongType),
            ("key_id", json!("KEY-123456"), Code::InvalidCredentials),
            ("private_key", json!("AuthKey_KEY1234567.p8"), Code::InvalidCredentials),
            ("private_key", json!(RSA_TEST_KEY), Code::InvalidCredentials),
            ("private_key", json!(""), Code::InvalidCredentials),
            ("private_key", json!(null), Code::WrongType),
            ("topic", json!("com.example/demo"), Code::InvalidValue),
            ("topic", json!("x".repeat(256)), Code::InvalidValue),
            ("environment", json!("beta"), Code::InvalidValue),
            ("colour", json!("red"), Code::UnknownField),
        ] {
            let mut given = given();
            given[field] = value.clone();
            let problem = parse(&given).unwrap_err();
            assert_eq!((problem.code, problem.pointer), (code, Some(format!("{AT}/{field}"))), "{value}");
            assert!(!problem.detail.contains("AuthKey_KEY"), "{}", problem.detail);
        }
        for field in ["team_id", "key_id", "private_key"] {
            let mut given = sample::object(given());
            given.remove(field);
            let problem = parse(&Value::Object(given)).unwrap_err();
            assert_eq!((problem.code, problem.pointer), (Code::MissingField, Some(format!("{AT}/{field}"))));
        }
        assert_eq!(parse(&json!("key")).unwrap_err().code, Code::WrongType);
    }

    /// What lies in storage: a changed literal here is data that no longer opens.
    #[test]
    fn the_stored_form_is_pinned() {
        let mut given = given();
        given["topic"] = json!("com.example.demo");
        given["environment"] = json!("sandbox");
        let credential = parse(&given).unwrap();
        let stored = String::from_utf8(credential.to_stored().to_vec()).unwrap();
        let key = P256_TEST_KEY.replace('\n', "\\n");
        let literal = [
            r#"{"facts":{"team_id":"TEAM123456","key_id":"KEY1234567","topic":"com.example.demo","#,
            r#""environment":"sandbox"},"private_key":""#,
            &key,
            r#""}"#,
        ];
        assert_eq!(stored, literal.concat());
        let opened = Credential::from_stored(stored.as_bytes()).unwrap();
        assert_eq!(opened.facts(), credential.facts());
        assert_eq!(opened.bearer(NOW), credential.bearer(NOW));
        assert!(Credential::from_stored(b"{}").is_none());
    }

    #[test]
    fn a_bearer_holds_what_apple_asks_for_and_nothing_else() {
        let bearer = parse(&given()).unwrap().bearer(NOW).unwrap();
        let part = |n: usize| URL_SAFE_NO_PAD.decode(bearer.split('.').nth(n).unwrap()).unwrap();
        assert_eq!(part(0), br#"{"alg":"ES256","kid":"KEY1234567"}"#);
        assert_eq!(part(1), format!(r#"{{"iss":"TEAM123456","iat":{}}}"#, step(NOW)).as_bytes());
        assert_eq!(part(2).len(), 64);
    }

    #[test]
    fn a_bearer_is_byte_identical_within_a_step_and_changes_once_in_40_minutes() {
        let (one, other) = (parse(&given()).unwrap(), parse(&given()).unwrap());
        let start = Millis(step(NOW) * 1_000);
        let last = Millis(start.0 + STEP * 1_000 - 1);
        let next = Millis(last.0 + 1);
        assert_eq!(one.bearer(start), other.bearer(last));
        assert_ne!(one.bearer(last), one.bearer(next));
        assert_eq!(one.bearer(next), other.bearer(Millis(next.0 + STEP * 1_000 - 1)));
        assert_eq!(step(next) - step(last), STEP);
    }

    #[test]
    fn debug_shows_no_key() {
        let credential = parse(&given()).unwrap();
        let shown = format!("{credential:?} {:?}", credential.facts());
        assert!(shown.contains("TEAM123456"), "{shown}");
        for secret in ["PRIVATE", "MIGH", "ya+p2E", "c9afa9", "Signing"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }

    #[test]
    fn the_device_says_before_the_credential_does() {
        let facts = parse(&given()).unwrap().facts();
        let mut to = sample::address(Vendor::Apns, "00");
        assert!(facts.topic(&to).unwrap_err().contains("credentials.apns.topic"));
        assert_eq!(facts.blame(&to), "production/");
        let facts = Facts { topic: Some("com.example.demo".into()), ..facts };
        assert_eq!(facts.blame(&to), "production/com.example.demo");
        to.environment = Some(Environment::Sandbox);
        to.topic = Some("com.example.other".into());
        assert_eq!(facts.blame(&to), "sandbox/com.example.other");
    }
}
