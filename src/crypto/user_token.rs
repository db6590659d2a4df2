//! User tokens: JWTs that an app's backend signs for one user, so that the app itself can register its device. Verified with
//! `jwt-compact`, against the keys of the app that the token names in `aud`.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jwt_compact::{
    Algorithm, AlgorithmSignature,
    alg::{Es256, Hs256, Hs256Key},
};
use p256::ecdsa::VerifyingKey;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Number, Value};

use crate::{model::time::Millis, wire::text};

/// How far two clocks may differ, seconds.
pub const SKEW_SECS: i64 = 60;
/// Longest life of a token, seconds.
pub const LIFE_SECS: i64 = 86_400;
/// Shortest HS256 secret, bytes (RFC 7518 section 3.2).
pub const SECRET_MIN: usize = 32;

/// What a token says (RFC 7519 section 4.1).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Said {
    /// The user.
    pub sub: String,
    /// The app, or several audiences of which one is the app.
    aud: Value,
    #[serde(default)]
    exp: Option<Number>,
    #[serde(default)]
    nbf: Option<Number>,
    #[serde(default)]
    iat: Option<Number>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    crit: Option<IgnoredAny>,
}

impl Said {
    /// Each audience: `aud` is one text or a list.
    pub fn audiences(&self) -> impl Iterator<Item = &str> {
        let many = self.aud.as_array().into_iter().flatten();
        self.aud.as_str().into_iter().chain(many.filter_map(Value::as_str))
    }
}

/// A key that tokens are verified with.
pub enum Key<'a> {
    /// HMAC with SHA-256: the shared secret.
    Hs256(&'a [u8]),
    /// ECDSA on P-256: the public point, SEC 1.
    Es256(&'a [u8]),
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Not a token, or none of these keys has signed it.
    Invalid,
    /// Its time is over.
    Expired,
    /// Not valid yet: clocks differ by more than a minute.
    Early,
    /// It has no `exp`, or one more than 24 hours ahead.
    LongLived,
}

/// Header and claims, before anything is verified, and what was signed with which signature.
fn parts(token: &str) -> Option<(Header, Said, &str, Vec<u8>)> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let decode =
        |part: &str| URL_SAFE_NO_PAD.decode(part).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    // What the header calls critical is not understood here (RFC 7515 section 4.1.11).
    let header: Header = text::read(&decode(header)?).ok().filter(|header: &Header| header.crit.is_none())?;
    let said = text::read(&decode(claims)?).ok()?;
    Some((header, said, signed, URL_SAFE_NO_PAD.decode(signature).ok()?))
}

/// What a token says, before anything is verified: which app's keys are to be asked for.
pub fn unverified(token: &str) -> Option<Said> {
    parts(token).map(|(_, said, ..)| said)
}

/// Verifies a token. The key's kind decides on the algorithm, never the token. (`jwt-compact` verifies; its own reading of
/// claims would bring 25 KB of code that reads by way of a buffer.)
pub fn verify<'a>(
    token: &str,
    keys: impl IntoIterator<Item = Key<'a>>,
    now: Millis,
) -> Result<Said, Refusal> {
    let (header, said, signed, signature) = parts(token).ok_or(Refusal::Invalid)?;
    let signed = signed.as_bytes();
    // The library panics on a signature of another length.
    let valid = |key| match key {
        Key::Hs256(secret) if header.alg == Hs256.name() && signature.len() == 32 => {
            <Hs256 as Algorithm>::Signature::try_from_slice(&signature)
                .is_ok_and(|signature| Hs256.verify_signature(&signature, &Hs256Key::new(secret), signed))
        }
        Key::Es256(point) if header.alg == Es256.name() && signature.len() == 64 => {
            let key = VerifyingKey::from_sec1_bytes(point);
            let signature = <Es256 as Algorithm>::Signature::try_from_slice(&signature);
            key.is_ok_and(|key| {
                signature.is_ok_and(|signature| Es256.verify_signature(&signature, &key, signed))
            })
        }
        Key::Hs256(_) | Key::Es256(_) => false,
    };
    if !keys.into_iter().any(valid) {
        return Err(Refusal::Invalid);
    }
    times(&said, now).map(|()| said)
}

/// Whole seconds; a fraction is cut off.
fn secs(number: &Number) -> Option<i64> {
    // What is out of range becomes the nearest that is in it.
    number.as_i64().or_else(|| number.as_f64().map(|secs| secs as i64))
}

fn times(said: &Said, now: Millis) -> Result<(), Refusal> {
    let now = i64::try_from(now.secs()).unwrap_or(i64::MAX);
    let ends = said.exp.as_ref().and_then(secs).ok_or(Refusal::LongLived)?;
    if ends <= now.saturating_sub(SKEW_SECS) {
        return Err(Refusal::Expired);
    }
    if ends > now.saturating_add(LIFE_SECS + SKEW_SECS) {
        return Err(Refusal::LongLived);
    }
    let begins = [&said.nbf, &said.iat].into_iter().flatten().filter_map(secs).max().unwrap_or_default();
    if begins > now.saturating_add(SKEW_SECS) { Err(Refusal::Early) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::SigningKey;

    use super::*;

    const NOW: Millis = Millis(1_795_000_000_000);
    const SECRET: &[u8] = b"a secret of the tests, 32 bytes.";

    fn claims(exp: i64, more: &str) -> String {
        let exp = 1_795_000_000 + exp;
        format!(r#"{{"sub":"u42","aud":"shop","exp":{exp}{more}}}"#)
    }

    /// Made by hand, so that nothing of the library that verifies is used.
    fn token(alg: &str, claims: &str, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let text =
            format!("{}.{}", part(format!(r#"{{"alg":"{alg}"}}"#).as_bytes()), part(claims.as_bytes()));
        let signature = sign(text.as_bytes());
        format!("{text}.{}", part(&signature))
    }

    /// HMAC (RFC 2104) over SHA-256 in its two lines.
    fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
        use crate::crypto::hash::sha256;
        let pad =
            |with: u8| -> Vec<u8> { (0..64).map(|at| key.get(at).copied().unwrap_or(0) ^ with).collect() };
        let inner = sha256(&[pad(0x36), message.to_vec()].concat());
        sha256(&[pad(0x5c), inner.to_vec()].concat()).to_vec()
    }

    fn hs256(claims: &str) -> String {
        token("HS256", claims, |text| hmac(SECRET, text))
    }

    fn verify_hs(token: &str) -> Result<Said, Refusal> {
        verify(token, [Key::Hs256(SECRET)], NOW)
    }

    /// RFC 7515 appendix A.1: its signature verifies under its key; its time is long over.
    #[test]
    fn hs256_of_rfc_7515() {
        let key = URL_SAFE_NO_PAD
            .decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
            .unwrap();
        let text = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let (signed, signature) = text.rsplit_once('.').unwrap();
        assert_eq!(URL_SAFE_NO_PAD.encode(hmac(&key, signed.as_bytes())), signature, "the tests' own HMAC");
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let signature = <Hs256 as Algorithm>::Signature::try_from_slice(&signature).unwrap();
        assert!(Hs256.verify_signature(&signature, &Hs256Key::new(&key), signed.as_bytes()));
        assert_eq!(
            verify(text, [Key::Hs256(&key)], NOW),
            Err(Refusal::Invalid),
            "it names no user and no app"
        );
    }

    #[test]
    fn both_algorithms_are_verified_and_times_have_a_minutes_grace() {
        let said = verify_hs(&hs256(&claims(3_600, ""))).unwrap();
        assert_eq!((said.sub.as_str(), said.audiences().collect::<Vec<_>>()), ("u42", vec!["shop"]));
        let key = SigningKey::from_slice(&[7; 32]).unwrap();
        let point = key.verifying_key().to_encoded_point(false);
        let sign = |text: &[u8]| {
            use p256::ecdsa::{Signature, signature::Signer};
            let signature: Signature = key.sign(text);
            signature.to_bytes().to_vec()
        };
        let es = token("ES256", &claims(3_600, ""), sign);
        let keys = || [Key::Hs256(SECRET), Key::Es256(point.as_bytes())];
        assert_eq!(verify(&es, keys(), NOW), Ok(said.clone()));
        for (exp, more, result) in [
            (-59, "", Ok(())),
            (-60, "", Err(Refusal::Expired)),
            (86_460, "", Ok(())),
            (86_461, "", Err(Refusal::LongLived)),
            (60, r#","nbf":1795000060,"iat":1795000060"#, Ok(())),
            (60, r#","nbf":1795000061"#, Err(Refusal::Early)),
            (60, r#","iat":1795000061"#, Err(Refusal::Early)),
        ] {
            assert_eq!(verify_hs(&hs256(&claims(exp, more))).map(|_| ()), result, "{exp} {more}");
        }
        assert_eq!(verify_hs(&hs256(r#"{"sub":"u","aud":["x","shop"]}"#)), Err(Refusal::LongLived));
        assert_eq!(unverified(&es), Some(said));
    }

    /// The key decides: a public key is never an HMAC secret, and `none` is nothing.
    #[test]
    fn what_another_key_or_algorithm_signed_is_refused() {
        let point = SigningKey::from_slice(&[7; 32]).unwrap().verifying_key().to_encoded_point(false);
        let confused = token("HS256", &claims(60, ""), |text| hmac(point.as_bytes(), text));
        assert_eq!(verify(&confused, [Key::Es256(point.as_bytes())], NOW), Err(Refusal::Invalid));
        for n in 0..80 {
            for alg in ["HS256", "ES256"] {
                let token = token(alg, &claims(60, ""), |_| vec![7; n]);
                let keys = [Key::Hs256(SECRET), Key::Es256(point.as_bytes())];
                assert_eq!(verify(&token, keys, NOW), Err(Refusal::Invalid), "{alg}, {n} bytes");
            }
        }
        for text in [
            token("none", &claims(60, ""), |_| Vec::new()),
            token(r#"HS256","crit":["exp"],"x":""#, &claims(60, ""), |text| hmac(SECRET, text)),
            token("HS256", &claims(60, ""), |text| hmac(b"another secret of at least 32 bytes", text)),
            hs256(&claims(60, "")).replace("eyJhbGciOiJIUzI1NiJ9", "eyJhbGciOiJIUzM4NCJ9"),
            hs256(r#"{"aud":"shop","exp":1795000060}"#),
            hs256(r#"{"sub":"u","aud":"shop","exp":"1795000060"}"#),
            hs256(&claims(60, "")) + "=",
            "a.b.c".into(),
            "..".into(),
            String::new(),
        ] {
            assert_eq!(verify_hs(&text), Err(Refusal::Invalid), "{text}");
        }
    }
}
