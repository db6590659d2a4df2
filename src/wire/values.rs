//! The values of an SQL statement on their way to JavaScript: all of them as one text, since each crossing costs more than the
//! text does. `edge/glue.js` takes it apart.

use serde::Serialize;

use super::text;

/// A value in a statement's hole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// `NULL`.
    Null,
    /// Below 2^53: JavaScript's numbers.
    Number(u64),
    /// A text.
    Text(String),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

/// Between two values. No JSON text has it: it is escaped there.
const BETWEEN: char = '\u{1f}';

/// All of them: `n` for `NULL`, a number's digits, a `t` before a text. Most texts are JSON, and would have to be escaped inside
/// an array; where one of them has the separator, it is a JSON array after all.
pub fn list(values: &[Value]) -> String {
    let mut list = String::with_capacity(256);
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            list.push(BETWEEN);
        }
        match value {
            Value::Null => list.push('n'),
            Value::Number(number) => list.push_str(itoa::Buffer::new().format(*number)),
            Value::Text(text) if text.contains(BETWEEN) => return text::write(values),
            Value::Text(text) => {
                list.push('t');
                list.push_str(text);
            }
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn literal_lists() {
        assert_eq!(list(&[]), "");
        assert_eq!(list(&[Value::Null]), "n");
        assert_eq!(list(&["".into()]), "t");
        assert_eq!(
            list(&["n".into(), 7.into(), Value::Null, r#"{"a":"\u001f"}"#.into()]),
            "tn\u{1f}7\u{1f}n\u{1f}t{\"a\":\"\\u001f\"}"
        );
        assert_eq!(list(&["[1]".into(), "7".into(), "t".into(), 0.into()]), "t[1]\u{1f}t7\u{1f}tt\u{1f}0");
        assert_eq!(list(&[7.into(), Value::Null, "a\u{1f}b".into()]), r#"[7,null,"a\u001fb"]"#);
    }

    /// As `glue.js` does.
    fn taken_apart(list: &str) -> Vec<Value> {
        if list.is_empty() {
            return Vec::new();
        }
        if list.starts_with('[') {
            let values: Vec<serde_json::Value> = serde_json::from_str(list).unwrap();
            return values
                .into_iter()
                .map(|value| match value {
                    serde_json::Value::Null => Value::Null,
                    serde_json::Value::Number(number) => number.as_u64().unwrap().into(),
                    other => other.as_str().unwrap().into(),
                })
                .collect();
        }
        let one = |value: &str| match value.strip_prefix('t') {
            Some(text) => text.into(),
            None if value == "n" => Value::Null,
            None => value.parse::<u64>().unwrap().into(),
        };
        list.split('\u{1f}').map(one).collect()
    }

    proptest! {
        #[test]
        fn every_list_is_taken_apart(values in prop::collection::vec(prop_oneof![
            Just(Value::Null),
            (0..1_u64 << 53).prop_map(Value::from),
            ".*".prop_map(Value::from),
            "[\\[nt0\u{1f}\"]{0,4}".prop_map(Value::from),
        ], 0..6)) {
            prop_assert_eq!(taken_apart(&list(&values)), values);
        }
    }
}
