//! Credentials that are a handful of texts: ids, which are open, and secrets.

use std::fmt;

use zeroize::Zeroizing;

use super::{Facts, Vendor};
use crate::{
    line::parse::{json::Json, reader::Field, text::word},
    model::{
        problem::{Code, Problem},
        secret::Secret,
        table::Table,
    },
};

/// One of the texts.
#[derive(Debug)]
pub struct Key {
    /// Its name in `credentials`.
    pub name: &'static str,
    /// It is shown, and requests are made with it while the rest stays sealed.
    pub open: bool,
    /// It may be left away.
    pub optional: bool,
    /// What it looks like, for people.
    pub form: &'static str,
    /// Whether a text is of that form.
    pub of: fn(&str) -> bool,
}

impl Key {
    /// An id made of digits.
    pub const fn digits(name: &'static str) -> Self {
        Self {
            name,
            open: true,
            optional: false,
            form: "digits",
            of: |text| text.bytes().all(|b| b.is_ascii_digit()),
        }
    }

    /// An id.
    pub const fn id(name: &'static str) -> Self {
        let of =
            |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        Self { name, open: true, optional: false, form: "letters, digits, `-`, `_` and `.`", of }
    }

    /// A secret.
    pub const fn secret(name: &'static str) -> Self {
        Self {
            name,
            open: false,
            optional: false,
            form: "visible ASCII characters",
            of: |text| text.bytes().all(|b| b.is_ascii_graphic()),
        }
    }

    /// The same, if it is there.
    pub const fn or_none(self) -> Self {
        Self { optional: true, ..self }
    }
}

/// User name and secret with which a vendor signs its reports.
pub(super) const CALLBACK: (&str, &str) = ("callback_user", "callback_secret");

/// Refuses one of both without the other: reports would be taken unsigned.
pub(super) fn pair(user: bool, secret: bool, at: &str) -> Result<(), Problem> {
    if user == secret {
        return Ok(());
    }
    let missing = if user { CALLBACK.1 } else { CALLBACK.0 };
    let detail = format!("`{}` and `{}` go together", CALLBACK.0, CALLBACK.1);
    Err(Problem::at(Code::MissingField, format!("{at}/{missing}"), detail))
}

/// The texts of one credential.
pub struct Keys {
    vendor: Vendor,
    texts: Table<String, Secret>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("vendor", &self.vendor).finish_non_exhaustive()
    }
}

impl Keys {
    /// Reads what an operator gives. Whether a secret is the right one only its vendor can tell.
    pub fn parse(vendor: Vendor, json: Json, at: &str) -> Result<Self, Problem> {
        let mut fields = Field { json, at: at.to_owned() }.object()?;
        let mut texts: Table<String, Secret> = Table::new();
        for key in vendor.spec().keys {
            let field = match fields.take(key.name) {
                None if key.optional => continue,
                Some(field) => field,
                None => fields.need(key.name)?,
            };
            let at = field.at.clone();
            let text = word(field, 256)?;
            if !(key.of)(&text) {
                return Err(Problem::at(Code::InvalidValue, at, format!("must be of the form {}", key.form)));
            }
            texts.insert(key.name.to_owned(), Secret::new(text));
        }
        fields.end()?;
        pair(texts.contains_key(CALLBACK.0), texts.contains_key(CALLBACK.1), at)?;
        Ok(Self { vendor, texts })
    }

    /// User name and secret of the calls that report.
    pub fn callback(&self) -> Option<(Secret, Secret)> {
        self.texts.get(CALLBACK.0).cloned().zip(self.texts.get(CALLBACK.1).cloned())
    }

    /// One of them; empty where it was left away.
    pub fn get(&self, name: &str) -> &str {
        self.texts.iter().find(|(of, _)| of.as_str() == name).map_or("", |(_, text)| text.reveal())
    }

    /// For sealing.
    pub fn to_stored(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(crate::wire::text::write(&self.texts).into_bytes())
    }

    /// After opening.
    pub fn from_stored(vendor: Vendor, bytes: &[u8]) -> Option<Self> {
        Some(Self { vendor, texts: crate::wire::text::read(std::str::from_utf8(bytes).ok()?).ok()? })
    }

    /// The open ones.
    pub fn facts(&self) -> Facts {
        let open = self.vendor.spec().keys.iter().filter(|key| key.open);
        let shown = open.map(|key| (key.name.to_owned(), self.get(key.name).to_owned()));
        Facts::Keys(crate::model::table::gather(shown.filter(|(_, text)| !text.is_empty())))
    }
}
