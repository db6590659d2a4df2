//! SHA-256, hex, and comparison that takes the same time for every content. MD5 is there for vendors who sign with it.

use md5::Md5;
use sha2::{Digest, Sha256};

/// SHA-256.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// SHA-256 as lowercase hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&sha256(bytes))
}

/// MD5 as lowercase hex: two vendors want it, and nothing else may.
pub fn md5_hex(bytes: &[u8]) -> String {
    hex(&Md5::digest(bytes))
}

/// Lowercase hex.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' - 10 + nibble };
    let digits = bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
    String::from_utf8(digits).unwrap_or_default()
}

/// Equality without an early end.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differs, (x, y)| differs | (x ^ y)) == 0
}

/// The first four bytes of its SHA-256: tells texts apart among a hundred, and tells nothing else of them.
pub fn tag(text: &str) -> u32 {
    let [a, b, c, d, ..] = sha256(text.as_bytes());
    u32::from_be_bytes([a, b, c, d])
}

/// The same, of a text of which the SHA-256 is known in hex.
pub fn tag_of(sha256_hex: &str) -> u32 {
    sha256_hex.get(..8).and_then(|start| u32::from_str_radix(start, 16).ok()).unwrap_or_default()
}

/// A UUID made from a text: version 8 (RFC 9562 section 5.8), the first 122 bits of its SHA-256. The same text
/// gives the same UUID, so a repeated try carries the same vendor id with nothing stored.
pub fn uuid(text: &str) -> String {
    let mut bytes = [0u8; 16];
    bytes.iter_mut().zip(sha256(text.as_bytes())).for_each(|(to, from)| *to = from);
    let [.., version, _, variant, _, _, _, _, _, _, _] = &mut bytes;
    *version = (*version & 0x0f) | 0x80;
    *variant = (*variant & 0x3f) | 0x80;
    let mut text = hex(&bytes);
    for at in [20, 16, 12, 8] {
        text.insert(at, '-');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-4 example.
    #[test]
    fn sha256_of_abc() {
        assert_eq!(sha256_hex(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    /// RFC 1321 appendix A.5.
    #[test]
    fn md5_of_abc() {
        assert_eq!(md5_hex(b"abc"), "900150983cd24fb0d6963f7d28e17f72");
    }

    #[test]
    fn same_is_equality() {
        assert!(same(b"", b"") && same(b"ab", b"ab"));
        assert!(!same(b"ab", b"ac") && !same(b"ab", b"abc") && !same(b"ab", b""));
    }

    #[test]
    fn uuid_has_version_8_and_the_rfc_variant() {
        let id = uuid("01ARYZ6S41.0");
        assert_eq!(id, uuid("01ARYZ6S41.0"));
        assert_ne!(id, uuid("01ARYZ6S41.1"));
        let groups: Vec<&str> = id.split('-').collect();
        assert_eq!(groups.iter().map(|g| g.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert!(groups[2].starts_with('8'), "{id}");
        assert!(groups[3].starts_with(['8', '9', 'a', 'b']), "{id}");
    }
}
