//! A service account's key, and the assertion signed with it.

use std::fmt;

use rsa::RsaPrivateKey;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::access_token::TOKEN_URL;
use crate::{
    crypto::{jwt, pem},
    line::parse::{
        json::Json,
        reader::{Field, Fields},
        text::matching,
    },
    model::{
        problem::{Code, Problem},
        secret::Secret,
        time::Millis,
    },
};

/// The open part of the credential: what an operator recognises it by, and where requests go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The Firebase project.
    pub project_id: String,
    /// The service account.
    pub client_email: String,
}

/// A service account with its signing key.
pub struct Credential {
    facts: Facts,
    private_key_id: String,
    /// The key as the operator gave it: this is what is stored.
    private_key: Secret,
    key: RsaPrivateKey,
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
    private_key_id: String,
    private_key: Secret,
}

#[derive(Serialize)]
struct Assertion<'a> {
    iss: &'a str,
    scope: &'static str,
    aud: &'static str,
    iat: u64,
    exp: u64,
}

impl Credential {
    /// Reads the service account's file as Google hands it out, as an object or as the text of one, and signs once.
    /// Members that are not needed are passed over.
    pub fn parse(json: Json, at: &str) -> Result<Self, Problem> {
        let refused = |at: &str, why: &str| {
            let detail = format!(
                "{why}; give the whole JSON file that Google made (Project settings → Service accounts)"
            );
            Problem::at(Code::InvalidCredentials, at, detail)
        };
        let json = match json {
            Json::Text(text) => {
                let text = Zeroizing::new(text);
                Json::parse(&text).map_err(|error| refused(at, &format!("the text is not JSON: {error}")))?
            }
            other @ (Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_)) => {
                other
            }
        };
        let mut fields = Field { json, at: at.to_owned() }.object()?;
        let (kind, kind_at) = fields.need("type")?.text()?;
        if kind != "service_account" {
            return Err(refused(&kind_at, "not a service account"));
        }
        let facts = Facts { project_id: project_id(&mut fields)?, client_email: client_email(&mut fields)? };
        let key_id = fields.need("private_key_id")?;
        let private_key_id = matching(key_id, 128, "a-z, 0-9", |b| b.is_ascii_alphanumeric())?;
        if let Some(field) = fields.take("token_uri") {
            let (url, at) = field.text()?;
            if url != TOKEN_URL {
                let detail = format!("must be {TOKEN_URL}: the key's signature is sent to no other place");
                return Err(Problem::at(Code::InvalidCredentials, at, detail));
            }
        }
        let (private_key, key_at) = fields.need("private_key")?.text()?;
        let private_key = Secret::new(private_key);
        let key = pem::rsa(private_key.reveal()).map_err(|error| refused(&key_at, error.0))?;
        let credential = Self { facts, private_key_id, private_key, key };
        if credential.signs() { Ok(credential) } else { Err(refused(&key_at, "the key does not sign")) }
    }

    /// The parts of a key were checked against each other when it was read: what signs now signs always.
    fn signs(&self) -> bool {
        self.assertion(Millis(0)).is_some()
    }

    /// What Google exchanges for an access token: good for an hour.
    pub(super) fn assertion(&self, now: Millis) -> Option<String> {
        let iat = now.secs();
        let claims = Assertion {
            iss: &self.facts.client_email,
            scope: "https://www.googleapis.com/auth/firebase.messaging",
            aud: TOKEN_URL,
            iat,
            exp: iat + 3_600,
        };
        jwt::rs256(&self.key, &self.private_key_id, claims)
    }

    /// For sealing.
    pub fn to_stored(&self) -> Zeroizing<Vec<u8>> {
        let stored = Stored {
            facts: self.facts.clone(),
            private_key_id: self.private_key_id.clone(),
            private_key: self.private_key.clone(),
        };
        Zeroizing::new(crate::wire::text::write(&stored).into_bytes())
    }

    /// After opening.
    pub fn from_stored(bytes: &[u8]) -> Option<Self> {
        let Stored { facts, private_key_id, private_key } =
            crate::wire::text::read(std::str::from_utf8(bytes).ok()?).ok()?;
        let key = pem::rsa(private_key.reveal()).ok()?;
        Some(Self { facts, private_key_id, private_key, key })
    }

    /// The open part.
    pub fn facts(&self) -> Facts {
        self.facts.clone()
    }
}

/// Google's ids have 6 to 30 characters of these, older ones a domain in front (`example.com:project`). It becomes a
/// part of a URL: nothing else passes.
fn project_id(fields: &mut Fields) -> Result<String, Problem> {
    let field = fields.need("project_id")?;
    let at = field.at.clone();
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.' | b':');
    let id = matching(field, 128, "my-project-1: a-z, 0-9 and `-`", allowed)?;
    if id.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        Ok(id)
    } else {
        Err(Problem::at(Code::InvalidValue, at, "must begin with a letter or digit"))
    }
}

fn client_email(fields: &mut Fields) -> Result<String, Problem> {
    let field = fields.need("client_email")?;
    let at = field.at.clone();
    let email = matching(field, 256, "name@project.iam.gserviceaccount.com", |b| b.is_ascii_graphic())?;
    match email.split_once('@') {
        Some((name, host)) if !name.is_empty() && !host.is_empty() => Ok(email),
        Some(_) | None => {
            Err(Problem::at(Code::InvalidValue, at, "must be the service account's email address"))
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::{Value, json};

    use super::*;
    use crate::vendor::sample::{self, NOW, P256_TEST_KEY, RSA_TEST_KEY};

    const AT: &str = "/credentials/fcm";

    fn given() -> Value {
        json!({
            "type": "service_account",
            "project_id": "parcels-1",
            "private_key_id": "0123456789abcdef0123456789abcdef01234567",
            "private_key": RSA_TEST_KEY,
            "client_email": "push@parcels-1.iam.gserviceaccount.com",
            "client_id": "123456789012345678901",
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": "https://oauth2.googleapis.com/token",
            "universe_domain": "googleapis.com"
        })
    }

    fn parse(json: &Value) -> Result<Credential, Problem> {
        Credential::parse(Json::parse(&json.to_string()).unwrap(), AT)
    }

    #[test]
    fn googles_file_is_read_as_an_object_and_as_a_text() {
        let facts = Facts {
            project_id: "parcels-1".into(),
            client_email: "push@parcels-1.iam.gserviceaccount.com".into(),
        };
        assert_eq!(parse(&given()).unwrap().facts(), facts);
        assert_eq!(parse(&json!(given().to_string())).unwrap().facts(), facts);
        let mut short = sample::object(given());
        short.remove("token_uri");
        assert_eq!(parse(&Value::Object(short)).unwrap().facts(), facts);
    }

    #[test]
    fn every_refusal_names_its_field() {
        for (field, value, code) in [
            ("type", json!("authorized_user"), Code::InvalidCredentials),
            ("project_id", json!("../x"), Code::InvalidValue),
            ("project_id", json!("a/b"), Code::InvalidValue),
            ("project_id", json!("Parcels"), Code::InvalidValue),
            ("project_id", json!(""), Code::InvalidValue),
            ("project_id", json!(7), Code::WrongType),
            ("client_email", json!("nobody"), Code::InvalidValue),
            ("client_email", json!("a b@c"), Code::InvalidValue),
            ("private_key_id", json!(""), Code::InvalidValue),
            ("private_key", json!("-----BEGIN PRIVATE KEY-----"), Code::InvalidCredentials),
            ("private_key", json!(P256_TEST_KEY), Code::InvalidCredentials),
            (
                "token_uri",
                json!("https://oauth2.googleapis.com.evil.example/token"),
                Code::InvalidCredentials,
            ),
            ("token_uri", json!("http://oauth2.googleapis.com/token"), Code::InvalidCredentials),
        ] {
            let mut given = given();
            given[field] = value.clone();
            let problem = parse(&given).unwrap_err();
            assert_eq!((problem.code, problem.pointer), (code, Some(format!("{AT}/{field}"))), "{value}");
        }
        for field in ["type", "project_id", "client_email", "private_key_id", "private_key"] {
            let mut given = sample::object(given());
            given.remove(field);
            let problem = parse(&Value::Object(given)).unwrap_err();
            assert_eq!((problem.code, problem.pointer), (Code::MissingField, Some(format!("{AT}/{field}"))));
        }
        let problem = parse(&json!("{\"type\": oops")).unwrap_err();
        assert_eq!((problem.code, problem.pointer.as_deref()), (Code::InvalidCredentials, Some(AT)));
        assert!(!problem.detail.contains("oops"), "{}", problem.detail);
        assert_eq!(parse(&json!(1)).unwrap_err().code, Code::WrongType);
    }

    /// What lies in storage: a changed literal here is data that no longer opens.
    #[test]
    fn the_stored_form_is_pinned() {
        let credential = parse(&given()).unwrap();
        let stored = String::from_utf8(credential.to_stored().to_vec()).unwrap();
        let key = RSA_TEST_KEY.replace('\n', "\\n");
        let literal = [
            r#"{"facts":{"project_id":"parcels-1","client_email":"push@parcels-1.iam.gserviceaccount.com"},"#,
            r#""private_key_id":"0123456789abcdef0123456789abcdef01234567","private_key":""#,
            &key,
            r#""}"#,
        ];
        assert_eq!(stored, literal.concat());
        let opened = Credential::from_stored(stored.as_bytes()).unwrap();
        assert_eq!(opened.facts(), credential.facts());
        assert_eq!(opened.assertion(NOW), credential.assertion(NOW));
        assert!(Credential::from_stored(b"{}").is_none());
    }

    #[test]
    fn an_assertion_holds_what_google_asks_for() {
        let assertion = parse(&given()).unwrap().assertion(NOW).unwrap();
        let part = |n: usize| -> Value {
            let bytes = URL_SAFE_NO_PAD.decode(assertion.split('.').nth(n).unwrap()).unwrap();
            serde_json::from_slice(&bytes).unwrap()
        };
        let kid = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(part(0), json!({"alg": "RS256", "typ": "JWT", "kid": kid}));
        assert_eq!(
            part(1),
            json!({
                "iss": "push@parcels-1.iam.gserviceaccount.com",
                "scope": "https://www.googleapis.com/auth/firebase.messaging",
                "aud": "https://oauth2.googleapis.com/token",
                "iat": 1_795_579_200,
                "exp": 1_795_582_800
            })
        );
    }

    #[test]
    fn debug_shows_no_key() {
        let credential = parse(&given()).unwrap();
        let shown = format!("{credential:?} {:?}", credential.facts());
        assert!(shown.contains("parcels-1"), "{shown}");
        for secret in ["PRIVATE", "MIIE", "BigUint", "primes", "01234567"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
