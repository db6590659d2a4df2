//! Bodies of Web Push for one browser, from fixed keys: what the crate makes is what `tests/fixtures/webpush.json` holds,
//! and libraries that are not ours read them from there (`tests/lab/webpush.test.ts`, `make interop`).
#![allow(clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

use std::{fs, path::Path};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use edgepush::crypto::ece::{Once, PLAIN_MAX, Receiver, encrypt};
use serde_json::{Value, json};

/// The browser's keys of RFC 8291 section 5, and the sender's.
const PUBLIC_KEY: &str =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const PRIVATE_KEY: &str = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94";
const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";
const SALT: &str = "DGv6ra1nlYgDCS1FRnbzlw";
const SENDER: &str = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";

fn bytes(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).expect("base64url")
}

/// Byte `n` is `n mod 251`: nothing repeats at a power of two.
fn plain(length: usize) -> Vec<u8> {
    (0..=250).cycle().take(length).collect()
}

fn body(length: usize) -> Option<String> {
    let to = Receiver::new(
        bytes(PUBLIC_KEY).try_into().expect("65 bytes"),
        bytes(AUTH).try_into().expect("16 bytes"),
    )
    .expect("a point");
    let random = [bytes(SALT), bytes(SENDER)].concat().try_into().expect("48 bytes");
    let once = Once::new(&random).expect("a key");
    encrypt(&plain(length), &to, &once).map(|body| URL_SAFE_NO_PAD.encode(body))
}

#[test]
fn the_bodies_that_other_libraries_read_are_those_of_this_crate() {
    let vectors: Vec<Value> = [0, 1, PLAIN_MAX]
        .into_iter()
        .map(|length| json!({ "length": length, "body": body(length).expect("it fits") }))
        .collect();
    let ours = json!({
        "about": "Made by tests/webpush_vectors.rs with the keys of RFC 8291 section 5. Byte n of a plaintext is n mod 251.",
        "private_key": PRIVATE_KEY,
        "public_key": PUBLIC_KEY,
        "auth": AUTH,
        "vectors": vectors,
    });
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/webpush.json");
    let held = fs::read_to_string(&file).ok().and_then(|text| serde_json::from_str::<Value>(&text).ok());
    if held.as_ref() != Some(&ours) {
        let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join("webpush.json");
        fs::write(&made, format!("{ours:#}\n")).expect("a place for what was made");
        panic!("{} is another than what the crate makes, which is in {}", file.display(), made.display());
    }
    assert_eq!(PLAIN_MAX, 3_993);
    assert_eq!(body(PLAIN_MAX + 1), None);
}
