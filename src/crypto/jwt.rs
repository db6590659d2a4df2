//! JWTs that go out, signed by `jwt-compact`. ES256 is deterministic (RFC 6979), so equal claims give the
//! byte-identical token on every isolate; RS256 (PKCS #1 v1.5) is so by its nature.

use jwt_compact::{
    AlgorithmExt, Claims, Header,
    alg::{Es256, Rsa},
};
use p256::ecdsa::SigningKey;
use rsa::RsaPrivateKey;
use serde::Serialize;

/// Signs `claims` with ES256. `None` cannot happen for claims that are plain data; it is not a panic all the same.
pub fn es256<C: Serialize>(key: &SigningKey, kid: &str, claims: C) -> Option<String> {
    let header = Header::empty().with_key_id(kid);
    Es256.token(&header, &Claims::new(claims), key).ok()
}

/// Signs `claims` with ES256 for VAPID (RFC 8292): its header names no key.
pub fn vapid<C: Serialize>(key: &SigningKey, claims: C) -> Option<String> {
    Es256.token(&Header::empty().with_token_type("JWT"), &Claims::new(claims), key).ok()
}

/// Signs `claims` with RS256. The key must have 2048 to 4096 bits and be valid: the library panics on others,
/// and `pem::rsa` lets none of those through.
pub fn rs256<C: Serialize>(key: &RsaPrivateKey, kid: &str, claims: C) -> Option<String> {
    let header = Header::empty().with_token_type("JWT").with_key_id(kid);
    Rsa::rs256().token(&header, &Claims::new(claims), key).ok()
}

/// Signs `claims` with PS256 (salt of 32 bytes, RFC 7518 section 3.5): no two signatures are the same. The same keys as
/// for RS256.
pub fn ps256<C: Serialize>(key: &RsaPrivateKey, kid: &str, claims: C) -> Option<String> {
    let header = Header::empty().with_token_type("JWT").with_key_id(kid);
    Rsa::ps256().token(&header, &Claims::new(claims), key).ok()
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use jwt_compact::Algorithm;
    use p256::ecdsa::VerifyingKey;
    use rsa::BigUint;

    use super::*;

    fn bytes(base64url: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(base64url).unwrap()
    }

    fn number(base64url: &str) -> BigUint {
        BigUint::from_bytes_be(&bytes(base64url))
    }

    fn from_hex(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    /// RFC 6979 appendix A.2.5, P-256 with SHA-256: the exact signatures of "sample" and "test". Test key of the RFC.
    #[test]
    fn es256_is_the_deterministic_one_of_rfc_6979() {
        let key = SigningKey::from_slice(&from_hex(
            "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721",
        ))
        .unwrap();
        let signed = |message: &[u8]| Es256.sign(&key, message).to_bytes().to_vec();
        assert_eq!(
            signed(b"sample"),
            from_hex(
                "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
            )
        );
        assert_eq!(
            signed(b"test"),
            from_hex(
                "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083"
            )
        );
    }

    /// RFC 7515 appendix A.3: its signature verifies under its key (test key of the RFC).
    #[test]
    fn es256_of_rfc_7515() {
        let point = p256::EncodedPoint::from_affine_coordinates(
            bytes("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU").as_slice().into(),
            bytes("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0").as_slice().into(),
            false,
        );
        let public = VerifyingKey::from_encoded_point(&point).unwrap();
        let message = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let signature =
            "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
        let signature = p256::ecdsa::Signature::from_slice(&bytes(signature)).unwrap();
        assert!(Es256.verify_signature(&signature, &public, message.as_bytes()));
        let key = SigningKey::from_slice(&bytes("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI")).unwrap();
        let ours = es256(&key, "k", serde_json::json!({"iss": "joe"})).unwrap();
        let (head, sig) = ours.rsplit_once('.').unwrap();
        let sig = p256::ecdsa::Signature::from_slice(&bytes(sig)).unwrap();
        assert!(Es256.verify_signature(&sig, &public, head.as_bytes()));
    }

    /// RFC 8292 section 2.4: its token verifies under its key, so what is checked here is what services check.
    #[test]
    fn the_vapid_token_of_rfc_8292_and_ours_have_one_form() {
        let k = "BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs";
        let public = VerifyingKey::from_sec1_bytes(&bytes(k)).unwrap();
        let t = "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE0NTM1MjM3NjgsInN1YiI6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0.i3CYb7t4xfxCDquptFOepC9GAu_HLGkMlMuCGSK2rpiUfnK9ojFwDXb1JrErtmysazNjjvW2L9OkSSHzvoD1oA";
        let parts = |token: &str, public: &VerifyingKey| {
            let (signed, signature) = token.rsplit_once('.').unwrap();
            let signature = p256::ecdsa::Signature::from_slice(&bytes(signature)).unwrap();
            assert!(Es256.verify_signature(&signature, public, signed.as_bytes()));
            let json = |part: &str| serde_json::from_slice::<serde_json::Value>(&bytes(part)).unwrap();
            let (head, claims) = signed.split_once('.').unwrap();
            (json(head), json(claims))
        };
        let claims = serde_json::json!({
            "aud": "https://push.example.net", "exp": 1_453_523_768, "sub": "mailto:push@example.com"
        });
        let key = SigningKey::from_slice(&[7; 32]).unwrap();
        let ours = vapid(&key, &claims).unwrap();
        assert_eq!(parts(t, &public), parts(&ours, key.verifying_key()));
        assert_eq!(parts(t, &public).1, claims);
    }

    /// RFC 7515 appendix A.2: RS256 is deterministic, so the signature is compared byte for byte (test key of the RFC).
    #[test]
    fn rs256_of_rfc_7515() {
        let key = RsaPrivateKey::from_components(
            number(concat!(
                "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-",
                "SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7W",
                "TBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kz",
                "k2PAcDTW9gb54h4FRWyuXpoQ"
            )),
            number("AQAB"),
            number(concat!(
                "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_G",
                "O-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQ",
                "lBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjncz",
                "T0QU91p1DhOVRuOopznQ"
            )),
            vec![
                number(
                    "4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc",
                ),
                number(
                    "uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc",
                ),
            ],
        )
        .unwrap();
        let message = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let signature =
            jwt_compact::AlgorithmSignature::as_bytes(&Rsa::rs256().sign(&key, message.as_bytes()))
                .into_owned();
        assert_eq!(
            URL_SAFE_NO_PAD.encode(signature),
            "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
        );
    }
}
