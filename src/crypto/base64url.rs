//! Base64url (RFC 4648 section 5), as browsers and VAPID tools write keys.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// Writes bytes, without padding.
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads exactly `N` bytes. The other alphabet and padding are taken as well: clients that use `btoa` send these.
pub fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let url_safe: String = text
        .trim_end_matches('=')
        .chars()
        .map(|c| match c {
            '+' => '-',
            '/' => '_',
            other => other,
        })
        .collect();
    URL_SAFE_NO_PAD.decode(url_safe).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_read_and_one_is_written() {
        for text in ["-_-_", "+/+/", "-/+_"] {
            assert_eq!(decode(text), Some([0xfb, 0xff, 0xbf]), "{text}");
        }
        assert_eq!(
            (decode("_w"), decode("/w=="), encode(&[0xff])),
            (Some([0xff]), Some([0xff]), "_w".into())
        );
    }

    #[test]
    fn other_lengths_and_other_texts_are_nothing() {
        for text in ["", "AA", "AAAAAA", "AAA A", "AA=A", "AAA\n", "ÄAAA", "AAB"] {
            assert_eq!(decode::<2>(text), None, "{text}");
        }
    }
}
