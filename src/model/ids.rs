//! Identifiers. Whoever holds one of these types holds a checked value: ids are put into object names, KV keys
//! and URLs without another look.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

/// Longest user or device id, in bytes.
pub const ID_MAX_BYTES: usize = 128;

/// Why a text is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdError {
    /// Nothing there.
    Empty,
    /// More bytes than allowed.
    TooLong,
    /// `.` or `..`: a URL parser would take it for a step through folders.
    Dots,
    /// A control character (Unicode `Cc`).
    Control,
    /// Not of the form an app id has.
    Form,
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the id is empty",
            Self::TooLong => "the id has more than 128 bytes",
            Self::Dots => "`.` and `..` cannot be ids",
            Self::Control => "the id has a control character",
            Self::Form => {
                "an app id has 1 to 32 characters of a-z, 0-9 and `-` and begins with a letter or digit; a push id is a ULID; an audience id has 1 to 64 of a-z, A-Z, 0-9, `.`, `_` and `-`"
            }
        })
    }
}

fn opaque(text: &str) -> Result<(), IdError> {
    if text.is_empty() {
        Err(IdError::Empty)
    } else if text.len() > ID_MAX_BYTES {
        Err(IdError::TooLong)
    } else if text == "." || text == ".." {
        Err(IdError::Dots)
    } else if text.chars().any(char::is_control) {
        Err(IdError::Control)
    } else {
        Ok(())
    }
}

fn app_form(text: &str) -> Result<(), IdError> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if text.is_empty() {
        Err(IdError::Empty)
    } else if text.len() > 32 || !text.bytes().all(allowed) || text.starts_with('-') {
        Err(IdError::Form)
    } else {
        Ok(())
    }
}

fn audience_form(text: &str) -> Result<(), IdError> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if text.len() > 64 || !text.bytes().all(allowed) { Err(IdError::Form) } else { opaque(text) }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $check:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks the form.
            pub fn parse(text: impl Into<String>) -> Result<Self, IdError> {
                let text = text.into();
                $check(&text)?;
                Ok(Self(text))
            }

            /// The text as the caller gave it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A tenant, chosen by the operator. No underscore, because it stands inside the key `epk_<app>_<random>`.
    AppId,
    app_form
);
id!(
    /// The app's own user id: opaque, at most 128 bytes.
    UserId,
    opaque
);
id!(
    /// One installation, chosen by the client: opaque, at most 128 bytes.
    DeviceId,
    opaque
);

id!(
    /// A stored list of users: 1 to 64 of `a-z`, `A-Z`, `0-9`, `.`, `_` and `-`.
    AudienceId,
    audience_form
);

/// One life of an app: an app that was deleted and made again under the same id starts another one, so that
/// nothing of the old one (users, devices, counters) can be reached through the new one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize_tuple, Deserialize_tuple)]
pub struct Tenant {
    /// The app.
    pub app: AppId,
    /// Which life of it, from 1.
    pub generation: u32,
}

impl Tenant {
    /// As its `Display` has it, without the machine of `fmt`: every push has names of objects and keys made of it.
    pub fn text(&self) -> String {
        [self.app.as_str(), ".", itoa::Buffer::new().format(self.generation)].concat()
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

/// A push: a ULID, so ids sort by time. The lower 80 bits are random, or made from the caller's idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct PushId(String);

/// Crockford's base 32, as the ULID specification has it.
const BASE32: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// What one of its digits stands for.
fn value_of(byte: u8) -> Option<u8> {
    Some(match byte {
        b'0'..=b'9' => byte - b'0',
        b'A'..=b'H' => byte - b'A' + 10,
        b'J' | b'K' => byte - b'J' + 18,
        b'M' | b'N' => byte - b'M' + 20,
        b'P'..=b'T' => byte - b'P' + 22,
        b'V'..=b'Z' => byte - b'V' + 27,
        _ => return None,
    })
}

/// The number that digits make.
fn number(digits: impl Iterator<Item = u8>) -> u64 {
    digits.fold(0, |value, byte| (value << 5) | u64::from(value_of(byte).unwrap_or_default()))
}

impl PushId {
    /// 48 bits of milliseconds, then 80 random ones: 26 characters (<https://github.com/ulid/spec>).
    pub fn new(now: super::time::Millis, random: [u8; 10]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j] = random;
        let (high, low) = ([0, 0, 0, a, b, c, d, e], [0, 0, 0, f, g, h, i, j]);
        let mut text = String::with_capacity(26);
        for (value, digits) in
            [(now.0 & 0xffff_ffff_ffff, 10), (u64::from_be_bytes(high), 8), (u64::from_be_bytes(low), 8)]
        {
            let digit = |at: u32| BASE32.get(((value >> (5 * at)) & 31) as usize).copied().map(char::from);
            text.extend((0..digits).rev().filter_map(digit));
        }
        Self(text)
    }

    /// Reads one, in the form that [`new`](Self::new) writes.
    pub fn parse(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        let form = text.len() == 26
            && text.bytes().all(|byte| value_of(byte).is_some())
            && text.bytes().next().is_some_and(|first| first <= b'7');
        form.then_some(Self(text))
    }

    /// The 26 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// When it was made.
    pub fn created(&self) -> super::time::Millis {
        super::time::Millis(number(self.0.bytes().take(10)))
    }

    /// The lower 80 bits, 16 characters: what an idempotency key decides, whenever it comes again.
    pub fn tail(&self) -> &str {
        self.0.get(10..).unwrap_or_default()
    }

    /// Which of `shards` equal parts of all ids it falls into.
    pub fn shard(&self, shards: u32) -> u32 {
        let high = number(self.tail().bytes().take(6));
        u32::try_from((high * u64::from(shards)) >> 30).unwrap_or_default()
    }
}

impl TryFrom<String> for PushId {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        Self::parse(text).ok_or(IdError::Form)
    }
}

impl fmt::Display for PushId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Millis;

    #[test]
    fn a_tenant_reads_the_same_however_it_is_written() {
        let tenant = Tenant { app: AppId::parse("shop").unwrap(), generation: 12 };
        assert_eq!((tenant.text().as_str(), tenant.to_string().as_str()), ("shop.12", "shop.12"));
    }

    #[test]
    fn ids_that_could_leave_their_path_are_refused() {
        assert_eq!(UserId::parse("."), Err(IdError::Dots));
        assert_eq!(UserId::parse(".."), Err(IdError::Dots));
        assert_eq!(UserId::parse(""), Err(IdError::Empty));
        assert_eq!(UserId::parse("a\u{7f}"), Err(IdError::Control));
        assert_eq!(UserId::parse("a\nb"), Err(IdError::Control));
        assert_eq!(UserId::parse("x".repeat(129)), Err(IdError::TooLong));
        assert!(UserId::parse("é".repeat(64)).is_ok());
        assert!(DeviceId::parse("a/b..c").is_ok());
    }

    #[test]
    fn audience_ids_are_plain_words() {
        assert!(AudienceId::parse("Spring.2026_a-b").is_ok());
        for bad in ["", ".", "..", "a b", "a/b", "ä", &"a".repeat(65)] {
            assert!(AudienceId::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn app_ids_fit_into_a_key() {
        assert!(AppId::parse("shop-1").is_ok());
        for bad in ["", "a_b", "Shop", "-a", "a.b", "ä", &"a".repeat(33)] {
            assert!(AppId::parse(bad).is_err(), "{bad}");
        }
    }

    /// The example of the ULID specification: time 1469918176385 encodes as 01ARYZ6S41.
    #[test]
    fn push_id_is_a_ulid() {
        for byte in 0..=255 {
            let place = BASE32.iter().position(|have| *have == byte);
            assert_eq!(value_of(byte).map(usize::from), place, "{byte}");
        }
        let id = PushId::new(Millis(1_469_918_176_385), [0; 10]);
        assert_eq!(id.as_str(), "01ARYZ6S410000000000000000");
        assert!(PushId::new(Millis(1), [255; 10]).as_str() < id.as_str());
        assert_eq!(PushId::new(Millis(0), [255; 10]).as_str(), "0000000000ZZZZZZZZZZZZZZZZ");
        // Rows and shards go by the order of the bytes.
        let ordered = PushId::new(Millis(1_469_918_176_385), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        assert_eq!(ordered.as_str(), "01ARYZ6S41041061050R3GG28A");
        assert_eq!(id.created(), Millis(1_469_918_176_385));
        assert_eq!(PushId::parse(id.as_str()), Some(id));
        for not in
            ["", "01arYZ6S410000000000000000", "81ARYZ6S410000000000000000", "01ARYZ6S41000000000000000"]
        {
            assert_eq!(PushId::parse(not), None, "{not}");
        }
    }

    #[test]
    fn shards_are_equal_parts() {
        let mut count = [0; 3];
        for n in 0..=255u8 {
            let id = PushId::new(Millis(1), [n, 7, 0, 0, 0, 0, 0, 0, 0, 0]);
            count[id.shard(3) as usize] += 1;
            assert_eq!(id.shard(1), 0);
        }
        assert!(count.iter().all(|n| (85..=86).contains(n)), "{count:?}");
    }
}
