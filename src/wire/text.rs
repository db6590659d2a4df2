//! How the gateway reads its own texts: calls between its parts, rows, copies in KV. They are JSON that `serde_json` has written,
//! without names where `serde_tuple` writes them.
//!
//! They are not read by `serde_json`: for each type it brings some hundred bytes of code that say in words what was expected and
//! what was found, and nobody reads these words here. The wasm has a limit, and this reader made it 7 % smaller. What is not its
//! own (escapes, fractions) it leaves to `serde_json`. User tokens are read with it as well; requests and vendors' answers, of which errors
//! are told in words, are not.

mod deserialize;
mod reader;

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, DeserializeOwned, Visitor},
};
use serde_json::value::RawValue;

use reader::Reader;

/// A text that is not of the form that it should have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable;

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text of the gateway's own that it cannot read")
    }
}

impl std::error::Error for Unreadable {}

impl de::Error for Unreadable {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

type Read<T> = Result<T, Unreadable>;

/// Reads a whole text.
pub fn read<T: DeserializeOwned>(text: &str) -> Read<T> {
    let mut reader = Reader::new(text);
    let value = T::deserialize(&mut reader)?;
    if reader.peek().is_none() { Ok(value) } else { Err(Unreadable) }
}

/// JSON that is carried along as it is.
#[derive(Debug, Clone)]
pub struct Raw(Box<RawValue>);

impl Raw {
    const NAME: &'static str = "$edgepush::Raw";

    /// Of a text that is JSON.
    pub fn new(text: String) -> Option<Self> {
        RawValue::from_string(text).ok().map(Self)
    }

    /// Of a value.
    pub fn of(value: &impl Serialize) -> Option<Self> {
        serde_json::value::to_raw_value(value).ok().map(Self)
    }

    /// The text.
    pub fn get(&self) -> &str {
        self.0.get()
    }
}

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Raw;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Raw, E> {
                Raw::new(text.to_owned()).ok_or_else(|| E::custom(""))
            }
        }
        from.deserialize_newtype_struct(Self::NAME, Text)
    }
}

#[cfg(test)]
mod tests;
