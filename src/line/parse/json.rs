//! JSON as it was sent: unlike `serde_json::Value`, members keep their order and repeated names stay visible, so
//! that a field given twice can be refused instead of one of the two being picked.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Any number.
    Number(Number),
    /// A text.
    Text(String),
    /// `[…]`.
    Array(Vec<Json>),
    /// `{…}`, in the order sent, repeated names included.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads a whole text. Nesting is bounded by `serde_json` (128 levels). The error says line and column, and
    /// never repeats what was sent.
    pub fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| {
            format!("{:?} error at line {}, column {}", error.classify(), error.line(), error.column())
                .to_ascii_lowercase()
        })
    }

    /// What it is, for errors.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }

    /// As an ordinary value. `Err`: the pointer (below `at`) of a name that stands twice in one object.
    pub fn into_value(self, at: &str) -> Result<Value, String> {
        Ok(match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Number(value) => Value::Number(value),
            Self::Text(value) => Value::String(value),
            Self::Array(items) => {
                let mut values = Vec::with_capacity(items.len());
                for (index, item) in items.into_iter().enumerate() {
                    values.push(item.into_value(&format!("{at}/{index}"))?);
                }
                Value::Array(values)
            }
            Self::Object(members) => {
                let mut map = Map::new();
                for (name, member) in members {
                    let pointer = child(at, &name);
                    let value = member.into_value(&pointer)?;
                    if map.insert(name, value).is_some() {
                        return Err(pointer);
                    }
                }
                Value::Object(map)
            }
        })
    }
}

/// The pointer of a member (RFC 6901 section 3: `~` and `/` are escaped).
pub fn child(at: &str, name: &str) -> String {
    if name.bytes().any(|byte| matches!(byte, b'~' | b'/')) {
        return [at, "/", &name.replace('~', "~0").replace('/', "~1")].concat();
    }
    [at, "/", name].concat()
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Json;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any JSON value")
            }

            fn visit_unit<E>(self) -> Result<Json, E> {
                Ok(Json::Null)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
                Ok(Json::Bool(value))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
                Ok(Json::Number(value.into()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
                Ok(Json::Number(value.into()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
                Ok(Number::from_f64(value).map_or(Json::Null, Json::Number))
            }

            fn visit_str<E>(self, value: &str) -> Result<Json, E> {
                Ok(Json::Text(value.to_owned()))
            }

            fn visit_string<E>(self, value: String) -> Result<Json, E> {
                Ok(Json::Text(value))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Json::Array(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Json::Object(members))
            }
        }

        from.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_names_stay_visible() {
        let json = Json::parse(r#"{"a":1,"a":2}"#).unwrap();
        assert_eq!(
            json,
            Json::Object(vec![("a".into(), Json::Number(1.into())), ("a".into(), Json::Number(2.into()))])
        );
        assert_eq!(json.into_value(""), Err("/a".into()));
        let deep = Json::parse(r#"[{"x":{"~/":1,"~/":2}}]"#).unwrap();
        assert_eq!(deep.into_value("/o"), Err("/o/0/x/~0~1".into()));
    }

    #[test]
    fn errors_do_not_repeat_what_was_sent() {
        for bad in ["{", "{\"secret\":}", "\"\\ud800\"", "1e999", "[1,]", "{\"a\":1}x", ""] {
            let error = Json::parse(bad).unwrap_err();
            assert!(error.contains("line 1") || error.contains("line 0"), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
        assert!(Json::parse(&"[".repeat(100_000)).is_err());
    }
}
