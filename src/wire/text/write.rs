//! What serde says of a value → tokens, into one text. The counterpart of the reader: nothing can fail, so there is no error to
//! carry through every type's code.

use std::fmt::Display;

use serde::{Serialize, Serializer};

use super::{Raw, Unreadable, open::Open};

pub(super) type Written = Result<(), Unreadable>;

/// A text that grows. Bytes: a single one is stored where it belongs, while each piece of a text is a call that copies memory.
pub(super) struct Writer {
    pub(super) text: Vec<u8>,
    /// The next text is JSON already.
    raw: bool,
}

impl Writer {
    pub(super) fn new() -> Self {
        Self { text: Vec::with_capacity(512), raw: false }
    }

    pub(super) fn put(&mut self, text: &str) -> Written {
        self.text.extend_from_slice(text.as_bytes());
        Ok(())
    }

    pub(super) fn byte(&mut self, byte: u8) {
        self.text.push(byte);
    }

    pub(super) fn colon(&mut self) -> Written {
        self.byte(b':');
        Ok(())
    }

    /// The text. Nothing was put in that is not UTF-8.
    pub(super) fn finish(self) -> String {
        String::from_utf8(self.text).unwrap_or_default()
    }

    fn whole(&mut self, number: impl itoa::Integer) -> Written {
        self.put(itoa::Buffer::new().format(number))
    }

    #[inline(never)]
    fn number(&mut self, number: &dyn Display) -> Written {
        self.put(&number.to_string())
    }

    /// RFC 8259 section 7: what has to be escaped, and no more.
    #[inline(never)]
    pub(super) fn string(&mut self, text: &str) -> Written {
        self.byte(b'"');
        let mut rest = text;
        while let Some(at) = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)) {
            let (plain, special) = rest.split_at(at);
            self.put(plain)?;
            match special.bytes().next() {
                Some(b'\n') => self.put("\\n")?,
                Some(b'\r') => self.put("\\r")?,
                Some(b'\t') => self.put("\\t")?,
                Some(0x08) => self.put("\\b")?,
                Some(0x0c) => self.put("\\f")?,
                Some(byte @ (b'"' | b'\\')) => self.text.extend([b'\\', byte]),
                Some(byte) => self.number(&format_args!("\\u{byte:04x}"))?,
                None => {}
            }
            rest = special.get(1..).unwrap_or_default();
        }
        self.put(rest)?;
        self.byte(b'"');
        Ok(())
    }

    /// Opens a variant: `{"name":`.
    #[inline(never)]
    fn variant(&mut self, name: &str) -> Written {
        self.byte(b'{');
        self.string(name)?;
        self.colon()
    }

    fn open(&mut self, begin: &str, end: &'static str) -> Result<Open<'_>, Unreadable> {
        self.put(begin)?;
        Ok(Open::new(self, end))
    }
}

macro_rules! numbers {
    ($($name:ident $type:ty)*) => {
        $(fn $name(self, number: $type) -> Written {
            self.whole(number)
        })*
    };
}

impl<'a> Serializer for &'a mut Writer {
    type Ok = ();
    type Error = Unreadable;
    type SerializeSeq = Open<'a>;
    type SerializeTuple = Open<'a>;
    type SerializeTupleStruct = Open<'a>;
    type SerializeTupleVariant = Open<'a>;
    type SerializeMap = Open<'a>;
    type SerializeStruct = Open<'a>;
    type SerializeStructVariant = Open<'a>;

    numbers! {
        serialize_u8 u8 serialize_u16 u16 serialize_u32 u32 serialize_u64 u64
        serialize_i8 i8 serialize_i16 i16 serialize_i32 i32 serialize_i64 i64
    }

    fn serialize_f32(self, number: f32) -> Written {
        self.serialize_f64(number.into())
    }

    /// A fraction as `serde_json` writes it; what is no number is `null`.
    fn serialize_f64(self, number: f64) -> Written {
        match serde_json::Number::from_f64(number) {
            Some(number) => self.number(&number),
            None => self.put("null"),
        }
    }

    fn serialize_bool(self, value: bool) -> Written {
        self.put(if value { "true" } else { "false" })
    }

    fn serialize_char(self, value: char) -> Written {
        self.string(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, text: &str) -> Written {
        if std::mem::take(&mut self.raw) { self.put(text) } else { self.string(text) }
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Written {
        self.collect_seq(bytes)
    }

    fn serialize_none(self) -> Written {
        self.put("null")
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Written {
        self.put("null")
    }

    fn serialize_unit_struct(self, _: &'static str) -> Written {
        self.put("null")
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Written {
        self.string(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Written {
        self.raw = name == Raw::NAME;
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Written {
        self.variant(variant)?;
        value.serialize(&mut *self)?;
        self.put("}")
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Open<'a>, Unreadable> {
        self.open("[", "]")
    }

    fn serialize_tuple(self, _: usize) -> Result<Open<'a>, Unreadable> {
        self.open("[", "]")
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Open<'a>, Unreadable> {
        self.open("[", "]")
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Open<'a>, Unreadable> {
        self.variant(variant)?;
        self.open("[", "]}")
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Open<'a>, Unreadable> {
        self.open("{", "}")
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Open<'a>, Unreadable> {
        self.open("{", "}")
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Open<'a>, Unreadable> {
        self.variant(variant)?;
        self.open("{", "}}")
    }
}
