//! How the gateway writes JSON, and how it reads its own: calls between its parts, rows, copies in KV, without names where
//! `serde_tuple` writes them.
//!
//! `serde_json` does neither: for each type it brings some hundred bytes of code, for errors of input and output that cannot happen in a
//! text, and to say in words what was expected and what was found, which nobody reads here. The wasm has a limit, and the reader made it 7 %
//! smaller. What is not its own (escapes, fractions) it leaves to `serde_json`. User tokens are read with it as well; requests and
//! vendors' answers, of which errors are told in words, are not.

mod deserialize;
mod open;
mod reader;
mod write;

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, DeserializeOwned, IgnoredAny, Visitor},
    ser,
};

use reader::Reader;
use write::Writer;

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

impl ser::Error for Unreadable {
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

/// Writes a value. Nothing of ours refuses to be written.
pub fn write<T: Serialize + ?Sized>(value: &T) -> String {
    let mut writer = Writer::new();
    let written = value.serialize(&mut writer);
    debug_assert!(written.is_ok(), "a value that refuses to be written");
    writer.finish()
}

/// JSON that is carried along as it is.
#[derive(Debug, Clone)]
pub struct Raw(String);

impl Raw {
    const NAME: &'static str = "$edgepush::Raw";

    /// Of a text that is JSON.
    pub fn new(text: String) -> Option<Self> {
        read::<IgnoredAny>(&text).ok().map(|_| Self(text))
    }

    /// Of a value.
    pub fn of(value: &impl Serialize) -> Self {
        Self(write(value))
    }

    /// The text.
    pub fn get(&self) -> &str {
        &self.0
    }
}

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_newtype_struct(Self::NAME, &self.0)
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
                Ok(Raw(text.to_owned()))
            }
        }
        from.deserialize_newtype_struct(Self::NAME, Text)
    }
}

#[cfg(test)]
mod tests;
