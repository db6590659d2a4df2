//! Huawei's signature of a callback: the header `X-HUAWEI-CALLBACK-ID`, `timestamp=<ms>; nonce=<text>; value=<base64>` with
//! HMAC-SHA-256 of timestamp, nonce and user name. The body is not signed, and a call may be repeated within its five minutes:
//! the path proves more, and a repeated report changes nothing.
//!
//! Source: <https://developer.huawei.com/consumer/cn/doc/HMSCore-Guides/msg-receipt-guide-0000001050040176>

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::model::time::Millis;

/// How far its time may be from ours, milliseconds.
const AGE_MAX_MS: u64 = 300_000;

/// Whether the header is of a holder of the secret, and of now.
pub fn verify(header: &str, user: &str, secret: &str, now: Millis) -> bool {
    let part = |name: &str| {
        let mut pairs = header.split(';').filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(of, _)| *of == name).map(|(_, value)| value)
    };
    let (Some(timestamp), Some(nonce), Some(value)) = (part("timestamp"), part("nonce"), part("value"))
    else {
        return false;
    };
    // Older configurations send seconds.
    let at = timestamp
        .parse::<u64>()
        .ok()
        .map(|at| if at < 100_000_000_000 { at.saturating_mul(1_000) } else { at });
    let Ok(value) = STANDARD.decode(value) else { return false };
    let signs = |key: &[u8]| {
        let Ok(mac) = Hmac::<Sha256>::new_from_slice(key) else { return false };
        let mac = [timestamp, nonce, user].iter().fold(mac, |mac, part| mac.chain_update(part.as_bytes()));
        mac.verify_slice(&value).is_ok()
    };
    // Newer ones show their secret in base64.
    let decoded = STANDARD.decode(secret).unwrap_or_default();
    at.is_some_and(|at| at.abs_diff(now.0) <= AGE_MAX_MS)
        && (signs(secret.as_bytes()) || (!decoded.is_empty() && signs(&decoded)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values made with OpenSSL: `printf %s 1760000000123nonce-1shop | openssl dgst -sha256 -mac HMAC -macopt …`.
    #[test]
    fn both_forms_of_the_secret_sign_for_five_minutes() {
        let now = Millis(1_760_000_000_123);
        let header = |value: &str| format!("timestamp=1760000000123; nonce=nonce-1; value={value}");
        let (plain, decoded) =
            ("YV4dmEAor/psvboK8/0TWg883XHpaairNN3i9TrtAyI=", "WM4Jqqs3e49XIpdNR/Zn+sDmzN1OtoWlXYtk+hn9q5c=");
        for value in [plain, decoded] {
            assert!(verify(&header(value), "shop", "c2VjcmV0LWtleQ==", now), "{value}");
            assert!(!verify(&header(value), "other", "c2VjcmV0LWtleQ==", now));
            assert!(!verify(&header(value), "shop", "c2VjcmV0LWtleg==", now));
            assert!(!verify(&header(value), "shop", "c2VjcmV0LWtleQ==", Millis(now.0 + 300_001)));
        }
        for bad in [
            "",
            "timestamp=1",
            "timestamp=x; nonce=n; value=AA==",
            "timestamp=1760000000123;nonce=nonce-1;value=%",
        ] {
            assert!(!verify(bad, "shop", "c2VjcmV0LWtleQ==", now), "{bad}");
        }
    }
}
