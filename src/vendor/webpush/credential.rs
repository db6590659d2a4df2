//! An operator's VAPID key (RFC 8292), and the bearers signed with it: one for each push service.

use std::fmt;

use p256::ecdsa::SigningKey;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::endpoint::Endpoint;
use crate::{
    crypto::{base64url, jwt, pem},
    line::parse::{json::Json, reader::Field},
    model::{
        device::Address,
        problem::{Code, Problem},
        secret::Secret,
        time::Millis,
    },
    wire::text,
};

/// Seconds for which a bearer stays the same. Apple asks for no more than one an hour.
const STEP: u64 = 6 * 3_600;
/// Seconds from a step's begin to its bearer's end: at least 12 hours after it is sent, and with 6 to spare below the
/// 24 that RFC 8292 allows, so that clocks may differ.
const LIFE: u64 = STEP + 12 * 3_600;

/// The open part of the credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Whom a push service writes to if something is wrong.
    pub subject: String,
    /// `applicationServerKey` of the subscriptions, base64url: a subscription works with this key only.
    pub public_key: String,
}

impl Facts {
    /// What a "bad token" answer could also be blamed on: the push service, which judges the key.
    pub fn blame(&self, to: &Address) -> String {
        Endpoint::of_token(to.token.reveal()).map(|endpoint| endpoint.name().to_owned()).unwrap_or_default()
    }
}

/// A signing key with what push services need to know beside it.
pub struct Credential {
    facts: Facts,
    /// The key as the operator gave it: this is what is stored.
    private_key: Secret,
    key: SigningKey,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("facts", &self.facts).finish_non_exhaustive()
    }
}

/// How a credential lies under its seal: as an operator would give it.
#[derive(Serialize)]
struct Stored<'a> {
    subject: &'a str,
    private_key: &'a Secret,
}

#[derive(Serialize)]
struct BearerClaims<'a> {
    aud: &'a str,
    exp: u64,
    sub: &'a str,
}

impl Credential {
    /// Reads what an operator gives, and signs once.
    pub fn parse(json: Json, at: &str) -> Result<Self, Problem> {
        let credential = Self::read(json, at)?;
        let refused =
            || Problem::at(Code::InvalidCredentials, format!("{at}/private_key"), "the key does not sign");
        if credential.signs() { Ok(credential) } else { Err(refused()) }
    }

    /// The public key follows from the private one; where it is given too, it is compared.
    fn read(json: Json, at: &str) -> Result<Self, Problem> {
        let mut fields = Field { json, at: at.to_owned() }.object()?;
        let subject = subject(fields.need("subject")?)?;
        let (private_key, key_at) = fields.need("private_key")?.text()?;
        let given = fields.take("public_key").map(Field::text).transpose()?;
        fields.end()?;
        let private_key = Secret::new(private_key);
        let refused = |why: &str| {
            let detail =
                format!("{why}; give the private VAPID key: 32 bytes in base64url, or a PKCS #8 file");
            Problem::at(Code::InvalidCredentials, &key_at, detail)
        };
        let key = pem::p256_bare(private_key.reveal()).map_err(|error| refused(error.0))?;
        let credential = Self::new(subject, private_key, key);
        if let Some((given, at)) = given
            && base64url::decode::<65>(&given) != base64url::decode::<65>(&credential.facts.public_key)
        {
            let detail =
                "is not the public key of this private key; leave it away, or give the pair as it was made";
            return Err(Problem::at(Code::InvalidCredentials, at, detail));
        }
        Ok(credential)
    }

    fn new(subject: String, private_key: Secret, key: SigningKey) -> Self {
        let public_key = base64url::encode(key.verifying_key().to_encoded_point(false).as_bytes());
        Self { facts: Facts { subject, public_key }, private_key, key }
    }

    /// The parts of a key were checked against each other when it was read: what signs now signs always.
    fn signs(&self) -> bool {
        self.bearer("https://push.example", Millis(0)).is_some()
    }

    /// The bearer of this moment's step for one push service: the same bytes on every isolate, because the signature
    /// is deterministic (RFC 6979) and nothing else in it changes within a step.
    pub fn bearer(&self, audience: &str, now: Millis) -> Option<String> {
        let claims = BearerClaims { aud: audience, exp: step(now) + LIFE, sub: &self.facts.subject };
        jwt::vapid(&self.key, claims)
    }

    /// For sealing.
    pub fn to_stored(&self) -> Zeroizing<Vec<u8>> {
        let stored = Stored { subject: &self.facts.subject, private_key: &self.private_key };
        Zeroizing::new(text::write(&stored).into_bytes())
    }

    /// After opening.
    pub fn from_stored(bytes: &[u8]) -> Option<Self> {
        Self::read(Json::parse(std::str::from_utf8(bytes).ok()?).ok()?, "").ok()
    }

    /// The open part.
    pub fn facts(&self) -> Facts {
        self.facts.clone()
    }
}

/// The second at which this moment's step began.
pub fn step(now: Millis) -> u64 {
    now.secs() / STEP * STEP
}

/// An address of somebody who can be reached. Apple answers `BadJwtToken` where it is no real one.
fn subject(field: Field) -> Result<String, Problem> {
    let (text, at) = field.text()?;
    let host = match text.split_once(':') {
        Some(("mailto", address)) => {
            address.split_once('@').filter(|(name, _)| !name.is_empty()).map(|(_, host)| host)
        }
        Some(("https", rest)) => rest.strip_prefix("//").and_then(|rest| rest.split(['/', '?', '#']).next()),
        _ => None,
    };
    let label =
        |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let real = |host: &str| {
        let last = host.rsplit('.').next().unwrap_or_default();
        host.contains('.') && host.split('.').all(label) && !matches!(last, "localhost" | "invalid" | "local")
    };
    let plain = |b: u8| b.is_ascii_graphic() && !b"<>\"\\".contains(&b);
    if text.len() <= 255 && text.bytes().all(plain) && host.is_some_and(real) {
        return Ok(text);
    }
    let detail = "must be mailto: or https: with a real domain, as in mailto:push@example.com";
    Err(Problem::at(Code::InvalidCredentials, at, detail))
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::{Value, json};

    use super::*;
    use crate::vendor::sample::{self, NOW, P256_TEST_KEY, RSA_TEST_KEY};

    const AT: &str = "/credentials/webpush";
    /// The pair of RFC 6979 appendix A.2.5 (a test key), as VAPID tools write it.
    const BARE: &str = "ya-p2EW6dRZrXCFXZ7HWk05Qw9s26JsSe4piKxIPZyE";
    const PUBLIC: &str =
        "BGD-1LolWp0xyWHrdMY1bWjASbiSO2H6bOZpYi5g8p-2eQP-EAi4vJmkGunpVii8ZPLxsgwtfp9Rd6PClNRGIpk";

    fn given() -> Value {
        json!({"subject": "mailto:push@example.com", "private_key": BARE})
    }

    fn parse(json: &Value) -> Result<Credential, Problem> {
        Credential::parse(Json::parse(&json.to_string()).unwrap(), AT)
    }

    #[test]
    fn the_public_key_follows_from_the_private_one_in_each_form() {
        for key in [BARE, P256_TEST_KEY] {
            for public in [None, Some(PUBLIC.to_owned()), Some(format!("{PUBLIC}="))] {
                let mut given = given();
                given["private_key"] = json!(key);
                if let Some(public) = public {
                    given["public_key"] = json!(public);
                }
                assert_eq!(parse(&given).unwrap().facts().public_key, PUBLIC);
            }
        }
    }

    #[test]
    fn every_refusal_names_its_field() {
        let other = "BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs";
        for (field, value, code) in [
            ("subject", json!("push@example.com"), Code::InvalidCredentials),
            ("subject", json!("mailto:push@localhost"), Code::InvalidCredentials),
            ("subject", json!("mailto:push@gateway.invalid"), Code::InvalidCredentials),
            ("subject", json!("mailto: push@example.com"), Code::InvalidCredentials),
            ("subject", json!("mailto:<push@example.com>"), Code::InvalidCredentials),
            ("subject", json!("mailto:@example.com"), Code::InvalidCredentials),
            ("subject", json!("mailto:a@b@example.com"), Code::InvalidCredentials),
            ("subject", json!("http://example.com"), Code::InvalidCredentials),
            ("subject", json!("https://localhost/x"), Code::InvalidCredentials),
            ("subject", json!(format!("mailto:{}@example.com", "x".repeat(255))), Code::InvalidCredentials),
            ("subject", json!(1), Code::WrongType),
            ("private_key", json!(PUBLIC), Code::InvalidCredentials),
            ("private_key", json!(RSA_TEST_KEY), Code::InvalidCredentials),
            ("private_key", json!(null), Code::WrongType),
            ("public_key", json!(other), Code::InvalidCredentials),
            ("public_key", json!(1), Code::WrongType),
            ("colour", json!("red"), Code::UnknownField),
        ] {
            let mut given = given();
            given[field] = value.clone();
            let problem = parse(&given).unwrap_err();
            assert_eq!((problem.code, problem.pointer), (code, Some(format!("{AT}/{field}"))), "{value}");
            assert!(!problem.detail.contains(BARE) && !problem.detail.contains(PUBLIC), "{}", problem.detail);
        }
        for field in ["subject", "private_key"] {
            let mut given = sample::object(given());
            given.remove(field);
            let problem = parse(&Value::Object(given)).unwrap_err();
            assert_eq!((problem.code, problem.pointer), (Code::MissingField, Some(format!("{AT}/{field}"))));
        }
        let mut given = given();
        for subject in
            ["https://example.com", "https://example.com/contact?a=b", "mailto:a.b+c@mail.example.com"]
        {
            given["subject"] = json!(subject);
            assert_eq!(parse(&given).unwrap().facts().subject, subject);
        }
    }

    /// What lies in storage: a changed literal here is data that no longer opens.
    #[test]
    fn the_stored_form_is_pinned() {
        let credential = parse(&given()).unwrap();
        let stored = String::from_utf8(credential.to_stored().to_vec()).unwrap();
        assert_eq!(stored, format!(r#"{{"subject":"mailto:push@example.com","private_key":"{BARE}"}}"#));
        let opened = Credential::from_stored(stored.as_bytes()).unwrap();
        assert_eq!(opened.facts(), credential.facts());
        assert_eq!(opened.bearer("https://a.example", NOW), credential.bearer("https://a.example", NOW));
        assert!(Credential::from_stored(b"{}").is_none());
    }

    #[test]
    fn a_bearer_holds_what_services_ask_for_and_nothing_else() {
        let bearer = parse(&given()).unwrap().bearer("https://web.push.apple.com", NOW).unwrap();
        let part = |n: usize| URL_SAFE_NO_PAD.decode(bearer.split('.').nth(n).unwrap()).unwrap();
        let head: Value = serde_json::from_slice(&part(0)).unwrap();
        assert_eq!(head, json!({"typ": "JWT", "alg": "ES256"}));
        let claims = format!(
            r#"{{"aud":"https://web.push.apple.com","exp":{},"sub":"mailto:push@example.com"}}"#,
            step(NOW) + LIFE
        );
        assert_eq!(part(1), claims.as_bytes());
        assert_eq!(part(2).len(), 64);
    }

    #[test]
    fn a_bearer_is_byte_identical_within_a_step_and_lasts_12_to_18_hours() {
        let (one, other) = (parse(&given()).unwrap(), parse(&given()).unwrap());
        let bearer = |of: &Credential, now| of.bearer("https://a.example", now).unwrap();
        let start = Millis(step(NOW) * 1_000);
        let last = Millis(start.0 + STEP * 1_000 - 1);
        let next = Millis(last.0 + 1);
        assert_eq!(bearer(&one, start), bearer(&other, last));
        assert_ne!(bearer(&one, last), bearer(&one, next));
        assert_ne!(one.bearer("https://b.example", start), other.bearer("https://a.example", start));
        assert_eq!(step(next) - step(last), STEP);
        const { assert!(STEP >= 3_600 && LIFE - STEP >= 12 * 3_600 && LIFE <= 23 * 3_600) }
    }

    #[test]
    fn debug_shows_no_key() {
        let credential = parse(&given()).unwrap();
        let shown = format!("{credential:?} {:?}", credential.facts());
        assert!(shown.contains("push@example.com"), "{shown}");
        for secret in [BARE, "c9afa9", "Signing", "private_key: S"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
