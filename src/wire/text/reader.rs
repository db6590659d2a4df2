//! The tokens of JSON.

use std::borrow::Cow;

use serde_json::{Number, Value};

use super::{Read, Unreadable};

/// Deepest nesting: what `serde_json` allows.
const DEPTH_MAX: u8 = 128;

/// A text, and how far it has been read.
pub(super) struct Reader<'de> {
    text: &'de str,
    at: usize,
    depth: u8,
}

impl<'de> Reader<'de> {
    pub(super) fn new(text: &'de str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    /// The next byte that is no space.
    #[inline(never)]
    pub(super) fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.as_bytes().get(self.at)?;
            if !byte.is_ascii_whitespace() {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    #[inline(never)]
    pub(super) fn eat(&mut self, byte: u8) -> Read<()> {
        if self.peek() != Some(byte) {
            return Err(Unreadable);
        }
        self.at += 1;
        Ok(())
    }

    #[inline(never)]
    pub(super) fn begin(&mut self, byte: u8) -> Read<()> {
        self.depth += 1;
        if self.depth > DEPTH_MAX { Err(Unreadable) } else { self.eat(byte) }
    }

    #[inline(never)]
    pub(super) fn end(&mut self, byte: u8) -> Read<()> {
        self.depth -= 1;
        self.eat(byte)
    }

    /// Whether another item follows.
    #[inline(never)]
    pub(super) fn more(&mut self, first: &mut bool, end: u8) -> Read<bool> {
        if self.peek() == Some(end) {
            return Ok(false);
        }
        if !std::mem::replace(first, false) {
            self.eat(b',')?;
        }
        Ok(true)
    }

    /// The bytes from here on.
    fn rest(&self) -> &'de [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// Takes the next so many bytes.
    fn take(&mut self, bytes: usize) -> Read<&'de str> {
        let taken = self.text.get(self.at..self.at + bytes).ok_or(Unreadable)?;
        self.at += bytes;
        Ok(taken)
    }

    #[inline(never)]
    pub(super) fn string(&mut self) -> Read<Cow<'de, str>> {
        self.eat(b'"')?;
        let mut escaped = false;
        let mut plain = true;
        let end = self.rest().iter().position(|byte| match byte {
            _ if std::mem::take(&mut escaped) => false,
            b'\\' => {
                (escaped, plain) = (true, false);
                false
            }
            _ => *byte == b'"',
        });
        let text = self.take(end.ok_or(Unreadable)?)?;
        self.at += 1;
        if plain {
            return Ok(Cow::Borrowed(text));
        }
        match serde_json::from_str(&format!("\"{text}\"")) {
            Ok(Value::String(text)) => Ok(Cow::Owned(text)),
            Ok(_) | Err(_) => Err(Unreadable),
        }
    }

    #[inline(never)]
    pub(super) fn number(&mut self) -> Read<Number> {
        self.peek();
        let of = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E');
        let end = self.rest().iter().take_while(|byte| of(byte)).count();
        let text = self.take(end)?;
        match text.parse::<u64>() {
            Ok(number) if text == "0" || !text.starts_with(['+', '0']) => Ok(number.into()),
            _ => match serde_json::from_str(text) {
                Ok(Value::Number(number)) => Ok(number),
                Ok(_) | Err(_) => Err(Unreadable),
            },
        }
    }

    #[inline(never)]
    pub(super) fn word(&mut self, word: &str) -> Read<()> {
        self.peek();
        if self.take(word.len())? == word { Ok(()) } else { Err(Unreadable) }
    }

    /// Passes over a value; gives its text.
    #[inline(never)]
    pub(super) fn value(&mut self) -> Read<&'de str> {
        self.peek();
        let from = self.at;
        self.pass()?;
        self.text.get(from..self.at).ok_or(Unreadable)
    }

    pub(super) fn pass(&mut self) -> Read<()> {
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
