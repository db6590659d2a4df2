//! A Web Push message, encrypted for one browser: RFC 8291 over RFC 8188 (`aes128gcm`), in one record. Randomness is an
//! argument: the same one must never be used for two messages.

use aes_gcm::{Aes128Gcm, KeyInit, aead::Aead};
use hkdf::SimpleHkdf;
use p256::{PublicKey, SecretKey, ecdh::diffie_hellman, elliptic_curve::sec1::ToEncodedPoint};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Bytes of a body that every push service takes (RFC 8030 section 7.2), and of our one record.
const BODY_MAX: usize = 4_096;
/// Salt, record size, length of the key, key.
const HEAD: usize = 16 + 4 + 1 + 65;
/// Most bytes that can be encrypted: a delimiter and a tag come to them.
pub const PLAIN_MAX: usize = BODY_MAX - HEAD - 1 - 16;
/// Says that a record is the last one (RFC 8188 section 2).
const LAST: u8 = 2;

/// Whom a message is for.
#[derive(Clone, PartialEq, Eq)]
pub struct Receiver {
    /// The browser's public key, as a point.
    public: PublicKey,
    /// The same in its uncompressed form.
    pub p256dh: [u8; 65],
    /// What the browser and we alone know.
    pub auth: [u8; 16],
}

impl std::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Receiver(…)")
    }
}

impl Receiver {
    /// From a subscription's keys. `None`: `p256dh` is no point of the curve P-256 in its uncompressed form.
    pub fn new(p256dh: [u8; 65], auth: [u8; 16]) -> Option<Self> {
        PublicKey::from_sec1_bytes(&p256dh).ok().map(|public| Self { public, p256dh, auth })
    }
}

/// Random bytes for one message: the salt, then a private key.
pub type Random = [u8; 48];

/// What is used for one message only.
pub struct Once {
    salt: [u8; 16],
    key: SecretKey,
}

impl std::fmt::Debug for Once {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Once(…)")
    }
}

impl Once {
    /// From random bytes. `None`: once in 2^32 times they are no private key.
    pub fn new(random: &Random) -> Option<Self> {
        let (salt, key) = random.split_first_chunk::<16>()?;
        SecretKey::from_slice(key).ok().map(|key| Self { salt: *salt, key })
    }
}

/// The body of a request. `None`: the text is longer than [`PLAIN_MAX`].
pub fn encrypt(plain: &[u8], to: &Receiver, once: &Once) -> Option<Vec<u8>> {
    if plain.len() > PLAIN_MAX {
        return None;
    }
    let ours = once.key.public_key().to_encoded_point(false);
    let shared = diffie_hellman(once.key.to_nonzero_scalar(), to.public.as_affine());
    let info = [b"WebPush: info\0".as_slice(), &to.p256dh, ours.as_bytes()].concat();
    let ikm = derive::<32>(&to.auth, shared.raw_secret_bytes(), &info)?;
    let key = derive::<16>(&once.salt, ikm.as_slice(), b"Content-Encoding: aes128gcm\0")?;
    let nonce = derive::<12>(&once.salt, ikm.as_slice(), b"Content-Encoding: nonce\0")?;
    let record = [plain, &[LAST]].concat();
    let cipher = Aes128Gcm::new(&(*key).into());
    let sealed = cipher.encrypt(&(*nonce).into(), record.as_slice()).ok()?;
    let size = u32::try_from(BODY_MAX).ok()?.to_be_bytes();
    let length = u8::try_from(ours.len()).ok()?;
    Some([&once.salt, size.as_slice(), &[length], ours.as_bytes(), &sealed].concat())
}

/// HKDF with SHA-256 (RFC 5869), over the HMAC that ES256 brings along.
fn derive<const N: usize>(salt: &[u8], ikm: &[u8], info: &[u8]) -> Option<Zeroizing<[u8; N]>> {
    let mut derived = Zeroizing::new([0; N]);
    SimpleHkdf::<Sha256>::new(Some(salt), ikm).expand(info, derived.as_mut_slice()).ok()?;
    Some(derived)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::base64url;

    const P256DH: &str =
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";
    const UA_PRIVATE: &str = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94";
    const SALT: &str = "DGv6ra1nlYgDCS1FRnbzlw";
    const AS_PRIVATE: &str = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        base64url::decode(text).unwrap()
    }

    fn receiver() -> Receiver {
        Receiver::new(bytes(P256DH), bytes(AUTH)).unwrap()
    }

    fn once() -> Once {
        let mut random = [0; 48];
        random[..16].copy_from_slice(&bytes::<16>(SALT));
        random[16..].copy_from_slice(&bytes::<32>(AS_PRIVATE));
        Once::new(&random).unwrap()
    }

    /// The receiver's side: its private key, and the sender's public one out of the body.
    fn decrypt(body: &[u8]) -> Vec<u8> {
        let (head, sealed) = body.split_at(HEAD);
        assert_eq!(head[16..21], [0, 0, 16, 0, 65], "record size 4096, a key of 65 bytes");
        let private = SecretKey::from_slice(&bytes::<32>(UA_PRIVATE)).unwrap();
        let sender = PublicKey::from_sec1_bytes(&head[21..]).unwrap();
        let shared = diffie_hellman(private.to_nonzero_scalar(), sender.as_affine());
        let info = [b"WebPush: info\0".as_slice(), &bytes::<65>(P256DH), &head[21..]].concat();
        let ikm = derive::<32>(&bytes::<16>(AUTH), shared.raw_secret_bytes(), &info).unwrap();
        let key = derive::<16>(&head[..16], ikm.as_slice(), b"Content-Encoding: aes128gcm\0").unwrap();
        let nonce = derive::<12>(&head[..16], ikm.as_slice(), b"Content-Encoding: nonce\0").unwrap();
        let cipher = Aes128Gcm::new(&(*key).into());
        let mut plain = cipher.decrypt(&(*nonce).into(), sealed).unwrap();
        assert_eq!(plain.pop(), Some(2));
        plain
    }

    /// RFC 8291 section 5 and appendix A, byte for byte (test keys of the RFC).
    #[test]
    fn the_example_of_rfc_8291() {
        let plain = b"When I grow up, I want to be a watermelon";
        let body = encrypt(plain, &receiver(), &once()).unwrap();
        assert_eq!(
            base64url::encode(&body),
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
        );
        assert_eq!(decrypt(&body), plain);
    }

    /// RFC 8291 appendix A: the secrets on the way, so that a fault is found where it is.
    #[test]
    fn the_secrets_of_rfc_8291_appendix_a() {
        let shared = diffie_hellman(once().key.to_nonzero_scalar(), receiver().public.as_affine());
        let text = |secret: &[u8]| base64url::encode(secret);
        assert_eq!(text(shared.raw_secret_bytes()), "kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs");
        let ikm: [u8; 32] = bytes("S4lYMb_L0FxCeq0WhDx813KgSYqU26kOyzWUdsXYyrg");
        let info = key_info();
        assert_eq!(*derive::<32>(&bytes::<16>(AUTH), shared.raw_secret_bytes(), &info).unwrap(), ikm);
        let salt: [u8; 16] = bytes(SALT);
        let of = |info: &[u8]| text(derive::<16>(&salt, &ikm, info).unwrap().as_slice());
        assert_eq!(of(b"Content-Encoding: aes128gcm\0"), "oIhVW04MRdy2XN9CiKLxTg");
        let nonce = derive::<12>(&salt, &ikm, b"Content-Encoding: nonce\0").unwrap();
        assert_eq!(text(nonce.as_slice()), "4h_95klXJ5E_qnoN");
    }

    fn key_info() -> [u8; 144] {
        bytes(concat!(
            "V2ViUHVzaDogaW5mbwAEJXGyvs3942BVGq8e0PTNNmwRzr5VX4m8t7GGpTM5FzFo7OLr4BhZe9MEebhuPI-OztV3ylkYfpJGmQ22ggCLDgT-M_",
            "SrDepxkU21WCP3O1SUj0EwbZIHMtu5pZpTKGSCIA5Zent7wmC6HCJ5mFgJkuk5cwAvMBKiiujwa7t45ewP"
        ))
    }

    /// RFC 8188 section 3.1: the content encoding alone.
    #[test]
    fn the_key_and_nonce_of_rfc_8188() {
        let (salt, ikm): ([u8; 16], [u8; 16]) =
            (bytes("I1BsxtFttlv3u_Oo94xnmw"), bytes("yqdlZ-tYemfogSmv7Ws5PQ"));
        let key = derive::<16>(&salt, &ikm, b"Content-Encoding: aes128gcm\0").unwrap();
        assert_eq!(base64url::encode(key.as_slice()), "_wniytB-ofscZDh4tbSjHw");
        let nonce = derive::<12>(&salt, &ikm, b"Content-Encoding: nonce\0").unwrap();
        assert_eq!(base64url::encode(nonce.as_slice()), "Bcs8gkIRKLI8GeI8");
    }

    #[test]
    fn what_fits_has_at_most_4096_bytes_and_one_more_is_refused() {
        assert_eq!(PLAIN_MAX, 3_993);
        for length in [0, 1, 3_992, 3_993] {
            let plain = vec![b'x'; length];
            let body = encrypt(&plain, &receiver(), &once()).unwrap();
            assert_eq!((body.len(), decrypt(&body)), (HEAD + length + 17, plain), "{length}");
            assert!(body.len() <= 4_096);
        }
        assert_eq!(encrypt(&[b'x'; 3_994], &receiver(), &once()), None);
    }

    #[test]
    fn keys_that_are_none_are_refused() {
        let mut off_the_curve: [u8; 65] = bytes(P256DH);
        off_the_curve[64] ^= 1;
        let mut compressed: [u8; 65] = bytes(P256DH);
        compressed[0] = 2;
        for bad in [off_the_curve, compressed, [0; 65], [4; 65], [255; 65]] {
            assert_eq!(Receiver::new(bad, [0; 16]), None);
        }
        assert!(Once::new(&[0; 48]).is_none() && Once::new(&[255; 48]).is_none());
        assert_eq!(format!("{:?}", once()), "Once(…)");
    }
}
