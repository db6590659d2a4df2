//! Arrays and objects, while they are written.

use serde::{
    Serialize,
    ser::{
        SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
        SerializeTupleStruct, SerializeTupleVariant,
    },
};

use super::{
    Unreadable,
    write::{Writer, Written},
};

/// An array or an object that is open.
pub(super) struct Open<'a> {
    writer: &'a mut Writer,
    /// Something stands in it.
    more: bool,
    end: &'static str,
}

impl<'a> Open<'a> {
    pub(super) fn new(writer: &'a mut Writer, end: &'static str) -> Self {
        Self { writer, more: false, end }
    }

    fn comma(&mut self) {
        if self.more {
            self.writer.byte(b',');
        }
        self.more = true;
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        self.comma();
        value.serialize(&mut *self.writer)
    }

    #[inline(never)]
    fn name(&mut self, name: &str) -> Written {
        self.comma();
        self.writer.string(name)?;
        self.writer.colon()
    }

    fn member<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Written {
        self.name(name)?;
        value.serialize(&mut *self.writer)
    }

    fn close(self) -> Written {
        self.writer.put(self.end)
    }
}

macro_rules! arrays {
    ($($trait:ident $name:ident)*) => {
        $(impl $trait for Open<'_> {
            type Ok = ();
            type Error = Unreadable;

            fn $name<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
                self.item(value)
            }

            fn end(self) -> Written {
                self.close()
            }
        })*
    };
}

arrays! {
    SerializeSeq serialize_element SerializeTuple serialize_element
    SerializeTupleStruct serialize_field SerializeTupleVariant serialize_field
}

macro_rules! objects {
    ($($trait:ident)*) => {
        $(impl $trait for Open<'_> {
            type Ok = ();
            type Error = Unreadable;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Written {
                self.member(name, value)
            }

            fn end(self) -> Written {
                self.close()
            }
        })*
    };
}

objects! { SerializeStruct SerializeStructVariant }

impl SerializeMap for Open<'_> {
    type Ok = ();
    type Error = Unreadable;

    /// A text, or a number, which is written as one.
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Written {
        self.comma();
        let at = self.writer.text.len();
        key.serialize(&mut *self.writer)?;
        if !self.writer.text.get(at..).unwrap_or_default().starts_with(b"\"") {
            self.writer.text.insert(at, b'"');
            self.writer.byte(b'"');
        }
        self.writer.colon()
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        value.serialize(&mut *self.writer)
    }

    fn end(self) -> Written {
        self.close()
    }
}
