//! Hashes, JWTs, key files and the sealing of credentials, all from RustCrypto crates or on top of them.

pub mod base64url;
pub mod callback;
pub mod ece;
pub mod hash;
pub mod jwt;
pub mod pem;
pub mod seal;
pub mod user_token;
