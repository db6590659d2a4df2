//! Private keys as operators have them: a PEM file with real newlines, with `\n` written out, with CRLF, without
//! a last newline, or the bare base64 of its middle. PKCS #8 only, which is what Apple and Google hand out; keys of
//! VAPID also as the bare number that their tools write.

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use p256::{
    ecdsa::{SigningKey, VerifyingKey},
    pkcs8::DecodePrivateKey,
};
use rsa::{RsaPrivateKey, traits::PublicKeyParts};
use zeroize::Zeroizing;

use super::base64url;

/// Why a text is not a usable key. The wording never repeats the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyError(pub &'static str);

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The PKCS #8 DER inside a text of any of the forms above.
fn der(text: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let text = Zeroizing::new(text.replace("\\r", "\n").replace("\\n", "\n"));
    let middle = match text.split_once("-----BEGIN ") {
        None => text.as_str(),
        Some((_, rest)) => {
            let (label, rest) = rest.split_once("-----").ok_or(KeyError("the PEM header is cut off"))?;
            match label {
                "PRIVATE KEY" => {}
                "EC PRIVATE KEY" | "RSA PRIVATE KEY" => {
                    return Err(KeyError(
                        "this is a SEC 1 or PKCS #1 key; give the PKCS #8 file (`BEGIN PRIVATE KEY`)",
                    ));
                }
                "ENCRYPTED PRIVATE KEY" => {
                    return Err(KeyError("the key is encrypted; give it without a passphrase"));
                }
                _ => return Err(KeyError("this PEM holds something else than a private key")),
            }
            let (middle, _) = rest
                .split_once("-----END PRIVATE KEY")
                .ok_or(KeyError("the PEM footer is missing: the key is cut off"))?;
            middle
        }
    };
    let packed: Zeroizing<String> = Zeroizing::new(middle.split_whitespace().collect());
    if packed.is_empty() {
        return Err(KeyError("there is no key in it"));
    }
    LENIENT.decode(packed.as_bytes()).map(Zeroizing::new).map_err(|_| KeyError("the key is not base64"))
}

/// A P-256 private key. Other curves are refused.
pub fn p256(text: &str) -> Result<SigningKey, KeyError> {
    let der = der(text)?;
    SigningKey::from_pkcs8_der(&der).map_err(|_| KeyError("not a whole PKCS #8 key on the curve P-256"))
}

/// A P-256 private key of 32 bytes in base64url, or in any of the forms above.
pub fn p256_bare(text: &str) -> Result<SigningKey, KeyError> {
    match base64url::decode::<32>(text.trim()).map(Zeroizing::new) {
        Some(number) => SigningKey::from_slice(number.as_slice())
            .map_err(|_| KeyError("these 32 bytes are no private key on the curve P-256")),
        None => p256(text),
    }
}

/// An RSA private key of 2048 to 4096 bits, its parts checked against each other.
pub fn rsa(text: &str) -> Result<RsaPrivateKey, KeyError> {
    let der = der(text)?;
    let key = <RsaPrivateKey as rsa::pkcs8::DecodePrivateKey>::from_pkcs8_der(&der)
        .map_err(|_| KeyError("not a whole PKCS #8 RSA key"))?;
    if !matches!(key.size(), 256 | 384 | 512) {
        return Err(KeyError("an RSA key must have 2048, 3072 or 4096 bits"));
    }
    key.validate().map_err(|_| KeyError("the parts of the RSA key do not fit together"))?;
    Ok(key)
}

/// How a P-256 public key begins as SubjectPublicKeyInfo (RFC 5480 section 2): `id-ecPublicKey`, `prime256v1`, and a bit
/// string of 65 bytes, which is the point.
const P256_PUBLIC: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// Reads a P-256 public key (SubjectPublicKeyInfo in PEM); gives its point, SEC 1 uncompressed, in base64.
pub fn p256_public(text: &str) -> Option<String> {
    let text = text.replace("\\n", "\n");
    let (_, rest) = text.split_once("-----BEGIN PUBLIC KEY-----")?;
    let (middle, _) = rest.split_once("-----END PUBLIC KEY")?;
    let packed: String = middle.split_whitespace().collect();
    let der = LENIENT.decode(packed).ok()?;
    let point = der.strip_prefix(&P256_PUBLIC)?;
    // On the curve, and not compressed.
    (point.len() == 65 && VerifyingKey::from_sec1_bytes(point).is_ok()).then(|| LENIENT.encode(point))
}

#[cfg(test)]
mod tests {
    use p256::pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding};

    use super::*;

    fn fresh() -> (SigningKey, String) {
        let key = SigningKey::random(&mut rsa::rand_core::OsRng);
        let pem = key.to_pkcs8_pem(LineEnding::LF).unwrap().to_string();
        (key, pem)
    }

    #[test]
    fn keys_are_read_in_every_form_operators_have() {
        let (key, pem) = fresh();
        let bare: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        for form in [
            pem.clone(),
            pem.replace('\n', "\\n"),
            pem.replace('\n', "\r\n"),
            pem.replace('\n', "\\r\\n"),
            pem.trim_end().to_owned(),
            format!("  {pem}  "),
            bare.trim_end_matches('=').to_owned(),
            bare,
        ] {
            assert_eq!(p256(&form).unwrap(), key);
        }
    }

    /// The key of RFC 6979 appendix A.2.5 (a test key), which the fixture holds as PKCS #8.
    #[test]
    fn a_bare_number_is_the_same_key_as_its_file() {
        let file = include_str!("../../tests/fixtures/rfc6979-p256.TEST.pem");
        let bare = "ya-p2EW6dRZrXCFXZ7HWk05Qw9s26JsSe4piKxIPZyE";
        for form in [file.to_owned(), bare.to_owned(), format!(" {bare}=\n"), bare.replace('-', "+")] {
            assert_eq!(p256_bare(&form).unwrap(), p256(file).unwrap());
        }
        for bad in [base64url::encode(&[0; 32]), base64url::encode(&[255; 32]), base64url::encode(&[1; 31])] {
            assert!(p256_bare(&bad).is_err());
        }
    }

    #[test]
    fn other_keys_are_refused() {
        let (_, pem) = fresh();
        let half: String = pem.chars().take(120).collect();
        let bare: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let cut: String = bare.chars().take(bare.len() - 8).collect();
        let p384 = p384_key();
        for bad in
            ["", "-----BEGIN PRIVATE KEY-----", half.as_str(), cut.as_str(), "not base64 !", p384.as_str()]
        {
            assert!(p256(bad).is_err());
        }
        assert!(rsa(&pem).is_err());
    }

    /// The PKCS #8 frame of a P-384 key (algorithm id-ecPublicKey, curve secp384r1), key bytes all 1. Test key.
    fn p384_key() -> String {
        let mut der = vec![
            0x30, 0x4e, 0x02, 0x01, 0x00, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
        ];
        der.extend([
            0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22, 0x04, 0x37, 0x30, 0x35, 0x02, 0x01, 0x01, 0x04, 0x30,
        ]);
        der.extend([1; 48]);
        LENIENT.encode(der)
    }

    /// Written by the library, read by us; other curves, compressed points and points off the curve are refused.
    #[test]
    fn public_keys_are_read_as_openssl_writes_them() {
        let key = SigningKey::from_slice(&[7; 32]).unwrap();
        let pem = key.verifying_key().to_public_key_pem(LineEnding::LF).unwrap();
        let point = LENIENT.encode(key.verifying_key().to_encoded_point(false).as_bytes());
        for form in [pem.clone(), pem.replace('\n', "\r\n"), pem.replace('\n', "\\n"), pem.trim().to_owned()]
        {
            assert_eq!(p256_public(&form).as_ref(), Some(&point));
        }
        let off = [P256_PUBLIC.as_slice(), &[4], &[1; 64]].concat();
        let off = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----", LENIENT.encode(off));
        for bad in [String::new(), off, pem.replace("PUBLIC", "PRIVATE"), pem[..80].to_owned()] {
            assert_eq!(p256_public(&bad), None, "{bad}");
        }
    }
}
