//! How the gateway reads its own texts: calls between its parts, rows, copies in KV. They are JSON that `serde_json` has written,
//! without names where `serde_tuple` writes them.
//!
//! They are not read by `serde_json`: for each type it brings some hundred bytes of code that say in words what was expected and
//! what was found, and nobody reads these words here. The wasm has a limit, and this reader made it 7 % smaller. What is not its
//! own (escapes, fractions) it leaves to `serde_json`. User tokens are read with it as well; requests and vendors' answers, of which errors
//! are told in words, are not.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, DeserializeOwned, DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor},
    forward_to_deserialize_any,
};
use serde_json::{Number, value::RawValue};

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

/// Deepest nesting: what `serde_json` allows.
const DEPTH_MAX: u8 = 128;

/// Reads a whole text.
pub fn read<T: DeserializeOwned>(text: &str) -> Read<T> {
    let mut reader = Reader { rest: text, depth: 0 };
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

struct Reader<'de> {
    rest: &'de str,
    depth: u8,
}

impl<'de> Reader<'de> {
    #[inline(never)]
    fn peek(&mut self) -> Option<u8> {
        self.rest = self.rest.trim_ascii_start();
        self.rest.bytes().next()
    }

    #[inline(never)]
    fn eat(&mut self, byte: u8) -> Read<()> {
        if self.peek() != Some(byte) {
            return Err(Unreadable);
        }
        self.skip(1)
    }

    fn skip(&mut self, bytes: usize) -> Read<()> {
        self.rest = self.rest.get(bytes..).ok_or(Unreadable)?;
        Ok(())
    }

    #[inline(never)]
    fn begin(&mut self, byte: u8) -> Read<()> {
        self.depth += 1;
        if self.depth > DEPTH_MAX { Err(Unreadable) } else { self.eat(byte) }
    }

    #[inline(never)]
    fn end(&mut self, byte: u8) -> Read<()> {
        self.depth -= 1;
        self.eat(byte)
    }

    /// Whether another item follows.
    #[inline(never)]
    fn more(&mut self, first: &mut bool, end: u8) -> Read<bool> {
        if self.peek() == Some(end) {
            return Ok(false);
        }
        if !std::mem::replace(first, false) {
            self.eat(b',')?;
        }
        Ok(true)
    }

    /// Takes the next so many bytes.
    fn take(&mut self, bytes: usize) -> Read<&'de str> {
        let taken = self.rest.get(..bytes).ok_or(Unreadable)?;
        self.skip(bytes)?;
        Ok(taken)
    }

    #[inline(never)]
    fn string(&mut self) -> Read<Cow<'de, str>> {
        self.eat(b'"')?;
        let mut escaped = false;
        let mut plain = true;
        let end = self.rest.bytes().position(|byte| match byte {
            _ if std::mem::take(&mut escaped) => false,
            b'\\' => {
                (escaped, plain) = (true, false);
                false
            }
            _ => byte == b'"',
        });
        let text = self.take(end.ok_or(Unreadable)?)?;
        self.skip(1)?;
        if plain {
            return Ok(Cow::Borrowed(text));
        }
        serde_json::from_str(&format!("\"{text}\"")).map(Cow::Owned).map_err(|_| Unreadable)
    }

    #[inline(never)]
    fn number(&mut self) -> Read<Number> {
        self.peek();
        let of = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E');
        let end = self.rest.bytes().position(|byte| !of(byte)).unwrap_or(self.rest.len());
        let text = self.take(end)?;
        match text.parse::<u64>() {
            Ok(number) if text == "0" || !text.starts_with(['+', '0']) => Ok(number.into()),
            _ => serde_json::from_str(text).map_err(|_| Unreadable),
        }
    }

    #[inline(never)]
    fn word(&mut self, word: &str) -> Read<()> {
        self.peek();
        if self.take(word.len())? == word { Ok(()) } else { Err(Unreadable) }
    }

    /// Passes over a value; gives its text.
    #[inline(never)]
    fn value(&mut self) -> Read<&'de str> {
        self.peek();
        let all = self.rest;
        self.pass()?;
        all.get(..all.len() - self.rest.len()).ok_or(Unreadable)
    }

    fn pass(&mut self) -> Read<()> {
        let mut first = true;
        match self.peek() {
            Some(b'"') => self.string().map(drop),
            Some(b'[') => {
                self.begin(b'[')?;
                while self.more(&mut first, b']')? {
                    self.pass()?;
                }
                self.end(b']')
            }
            Some(b'{') => {
                self.begin(b'{')?;
                while self.more(&mut first, b'}')? {
                    self.string()?;
                    self.eat(b':')?;
                    self.pass()?;
                }
                self.end(b'}')
            }
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            Some(_) => self.number().map(drop),
            None => Err(Unreadable),
        }
    }
}

fn text<'de, V: Visitor<'de>>(reader: &mut Reader<'de>, visitor: V) -> Read<V::Value> {
    match reader.string()? {
        Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
        Cow::Owned(text) => visitor.visit_string(text),
    }
}

fn number<'de, V: Visitor<'de>>(reader: &mut Reader<'de>, visitor: V) -> Read<V::Value> {
    let number = reader.number()?;
    match (number.as_u64(), number.as_i64(), number.as_f64()) {
        (Some(number), ..) => visitor.visit_u64(number),
        (_, Some(number), _) => visitor.visit_i64(number),
        (.., Some(number)) => visitor.visit_f64(number),
        (None, None, None) => Err(Unreadable),
    }
}

fn boolean(reader: &mut Reader<'_>) -> Read<bool> {
    let value = reader.peek() == Some(b't');
    reader.word(if value { "true" } else { "false" })?;
    Ok(value)
}

macro_rules! numbers {
    ($($name:ident)*) => {
        $(fn $name<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
            number(self, visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Unreadable;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        match self.peek() {
            Some(b'"') => text(self, visitor),
            Some(b'[') => self.deserialize_seq(visitor),
            Some(b'{') => self.deserialize_map(visitor),
            Some(b't' | b'f') => visitor.visit_bool(boolean(self)?),
            Some(b'n') => self.deserialize_unit(visitor),
            Some(_) => number(self, visitor),
            None => Err(Unreadable),
        }
    }

    numbers! {
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_f32 deserialize_f64
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        visitor.visit_bool(boolean(self)?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        text(self, visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        text(self, visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        text(self, visitor)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.word("null")?;
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        if self.peek() == Some(b'n') {
            self.word("null")?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Read<V::Value> {
        if name == Raw::NAME {
            return visitor.visit_borrowed_str(self.value()?);
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.begin(b'[')?;
        let value = visitor.visit_seq(Items { reader: self, first: true })?;
        self.end(b']')?;
        Ok(value)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Read<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Read<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.begin(b'{')?;
        let value = visitor.visit_map(Items { reader: self, first: true })?;
        self.end(b'}')?;
        Ok(value)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Read<V::Value> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Read<V::Value> {
        if self.peek() == Some(b'"') {
            return visitor.visit_enum(Variant { reader: self, whole: true });
        }
        self.begin(b'{')?;
        let value = visitor.visit_enum(Variant { reader: self, whole: false })?;
        self.end(b'}')?;
        Ok(value)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.pass()?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { i128 u128 char bytes byte_buf unit_struct }
}

/// What stands between brackets.
struct Items<'a, 'de> {
    reader: &'a mut Reader<'de>,
    first: bool,
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = Unreadable;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Read<Option<S::Value>> {
        if !self.reader.more(&mut self.first, b']')? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

impl<'de> MapAccess<'de> for Items<'_, 'de> {
    type Error = Unreadable;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Read<Option<S::Value>> {
        if !self.reader.more(&mut self.first, b'}')? {
            return Ok(None);
        }
        seed.deserialize(Key(self.reader)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Read<S::Value> {
        self.reader.eat(b':')?;
        seed.deserialize(&mut *self.reader)
    }
}

/// A name in an object: a text, or a number or a variant written as one.
struct Key<'a, 'de>(&'a mut Reader<'de>);

macro_rules! number_keys {
    ($($name:ident)*) => {
        $(fn $name<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
            visitor.visit_u64(self.0.string()?.parse().map_err(|_| Unreadable)?)
        })*
    };
}

impl<'de> Deserializer<'de> for Key<'_, 'de> {
    type Error = Unreadable;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        text(self.0, visitor)
    }

    number_keys! { deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Read<V::Value> {
        visitor.visit_enum(Variant { reader: self.0, whole: true })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Read<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

/// A variant: a name, or an object of one member.
struct Variant<'a, 'de> {
    reader: &'a mut Reader<'de>,
    whole: bool,
}

impl<'de> EnumAccess<'de> for Variant<'_, 'de> {
    type Error = Unreadable;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Read<(S::Value, Self)> {
        let name = seed.deserialize(Key(self.reader))?;
        if !self.whole {
            self.reader.eat(b':')?;
        }
        Ok((name, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, 'de> {
    type Error = Unreadable;

    fn unit_variant(self) -> Read<()> {
        if self.whole { Ok(()) } else { self.reader.word("null") }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Read<S::Value> {
        if self.whole { Err(Unreadable) } else { seed.deserialize(self.reader) }
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Read<V::Value> {
        if self.whole { Err(Unreadable) } else { self.reader.deserialize_seq(visitor) }
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Read<V::Value> {
        if self.whole { Err(Unreadable) } else { self.reader.deserialize_map(visitor) }
    }
}

#[cfg(test)]
mod tests;
