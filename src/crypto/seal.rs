//! Sealing: AES-256-GCM under the secret `SEAL_KEY`, with the owner (app and vendor) as associated data, so that a
//! sealed text cannot be moved to another app. The key's id rides along, so that keys can be rotated: new seals
//! are made with `SEAL_KEY`, old ones are opened with `SEAL_KEY_OLD`.

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use hkdf::Hkdf;
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::hash;

/// A text that only a holder of the seal key can read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Sealed {
    /// Which key: the first 4 bytes of its SHA-256, hex.
    pub key_id: String,
    /// 96 random bits, base64.
    pub nonce: String,
    /// Ciphertext and tag, base64.
    pub text: String,
}

/// Why a sealed text does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealError {
    /// Sealed with a key that is neither `SEAL_KEY` nor in `SEAL_KEY_OLD`.
    UnknownKey,
    /// Changed, cut, or sealed for somebody else.
    Broken,
}

/// One seal key.
struct Key {
    id: String,
    bytes: Zeroizing<Vec<u8>>,
    cipher: Aes256Gcm,
}

/// The key that seals, and those that may still open.
pub struct SealKeys {
    current: Key,
    old: Vec<Key>,
}

impl std::fmt::Debug for SealKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealKeys({} and {} old)", self.current.id, self.old.len())
    }
}

impl Key {
    fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(STANDARD.decode(text.trim()).ok()?);
        let cipher = Aes256Gcm::new_from_slice(&bytes).ok()?;
        let id = hash::hex(hash::sha256(&bytes).first_chunk::<4>()?);
        Some(Self { id, bytes, cipher })
    }
}

impl Key {
    fn derive(&self, purpose: &str) -> [u8; 20] {
        let mut derived = [0; 20];
        // It fails for lengths beyond 8,160 bytes only.
        let _ = Hkdf::<Sha256>::new(None, &self.bytes).expand(purpose.as_bytes(), &mut derived);
        derived
    }
}

impl SealKeys {
    /// `current` is base64 of 32 bytes, `old` a comma-separated list of such.
    pub fn parse(current: &str, old: &str) -> Result<Self, &'static str> {
        let current = Key::parse(current).ok_or("SEAL_KEY")?;
        let old = old
            .split(',')
            .filter(|text| !text.trim().is_empty())
            .map(|text| Key::parse(text).ok_or("SEAL_KEY_OLD"))
            .collect::<Result<_, _>>()?;
        Ok(Self { current, old })
    }

    /// A secret of its own for a purpose (HKDF-SHA-256, RFC 5869).
    pub fn derive(&self, purpose: &str) -> [u8; 20] {
        self.current.derive(purpose)
    }

    /// The same from every key that may still open.
    pub fn derive_all(&self, purpose: &str) -> Vec<[u8; 20]> {
        std::iter::once(&self.current).chain(&self.old).map(|key| key.derive(purpose)).collect()
    }

    /// Seals `text` for `owner`. `nonce` must be fresh random bytes.
    pub fn seal(&self, owner: &str, text: &[u8], nonce: [u8; 12]) -> Result<Sealed, SealError> {
        let payload = Payload { msg: text, aad: owner.as_bytes() };
        let sealed = self.current.cipher.encrypt(&nonce.into(), payload).map_err(|_| SealError::Broken)?;
        Ok(Sealed {
            key_id: self.current.id.clone(),
            nonce: STANDARD.encode(nonce),
            text: STANDARD.encode(sealed),
        })
    }

    /// Opens what was sealed for `owner`.
    pub fn open(&self, owner: &str, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let key = std::iter::once(&self.current)
            .chain(&self.old)
            .find(|key| key.id == sealed.key_id)
            .ok_or(SealError::UnknownKey)?;
        let nonce: [u8; 12] = STANDARD
            .decode(&sealed.nonce)
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(SealError::Broken)?;
        let text = STANDARD.decode(&sealed.text).map_err(|_| SealError::Broken)?;
        let payload = Payload { msg: &text, aad: owner.as_bytes() };
        key.cipher.decrypt(&nonce.into(), payload).map(Zeroizing::new).map_err(|_| SealError::Broken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> String {
        STANDARD.encode([byte; 32])
    }

    #[test]
    fn opens_only_for_its_owner_and_unchanged() {
        let keys = SealKeys::parse(&key(1), "").unwrap();
        let sealed = keys.seal("shop/apns", b"secret", [9; 12]).unwrap();
        assert_eq!(keys.open("shop/apns", &sealed).unwrap().as_slice(), b"secret");
        assert_eq!(keys.open("other/apns", &sealed), Err(SealError::Broken));
        let mut bytes = STANDARD.decode(&sealed.text).unwrap();
        bytes[0] ^= 1;
        let changed = Sealed { text: STANDARD.encode(bytes), ..sealed.clone() };
        assert_eq!(keys.open("shop/apns", &changed), Err(SealError::Broken));
        let cut = Sealed { nonce: "AAAA".into(), ..sealed };
        assert_eq!(keys.open("shop/apns", &cut), Err(SealError::Broken));
    }

    #[test]
    fn keys_rotate() {
        let before = SealKeys::parse(&key(1), "").unwrap();
        let sealed = before.seal("shop/apns", b"secret", [9; 12]).unwrap();
        let after = SealKeys::parse(&key(2), &format!("{}, {}", key(1), key(3))).unwrap();
        assert_eq!(after.open("shop/apns", &sealed).unwrap().as_slice(), b"secret");
        let renewed = after.seal("shop/apns", b"secret", [8; 12]).unwrap();
        assert_ne!(renewed.key_id, sealed.key_id);
        let without = SealKeys::parse(&key(2), "").unwrap();
        assert_eq!(without.open("shop/apns", &sealed), Err(SealError::UnknownKey));
    }

    #[test]
    fn bad_keys_are_named() {
        assert_eq!(SealKeys::parse("short", "").unwrap_err(), "SEAL_KEY");
        assert_eq!(SealKeys::parse(&key(1), "AAAA").unwrap_err(), "SEAL_KEY_OLD");
    }
}
