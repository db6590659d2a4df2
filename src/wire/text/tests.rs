//! What is written is what `serde_json` writes, byte for byte; what it writes is read as it reads it, and everything else is read or refused.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use super::*;
use crate::model::table::Table;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Choice {
    Plain,
    One(String),
    Two(u32, Option<bool>),
    Named { a: char, b: () },
}

#[derive(Debug, Clone, PartialEq, Serialize_tuple, Deserialize_tuple)]
struct Row {
    text: String,
    signed: i64,
    unsigned: u64,
    maybe: Option<String>,
    choices: Vec<Choice>,
    table: Table<u32, String>,
    named: Named,
    free: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Named {
    #[serde(default)]
    a: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    b: Option<String>,
}

fn choice() -> impl Strategy<Value = Choice> {
    prop_oneof![
        Just(Choice::Plain),
        any::<String>().prop_map(Choice::One),
        (any::<u32>(), any::<Option<bool>>()).prop_map(|(n, flag)| Choice::Two(n, flag)),
        any::<char>().prop_map(|a| Choice::Named { a, b: () }),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|n| Value::from(f64::from(n) / 8.0)),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_comes_back(
        text in any::<String>(), signed in any::<i64>(), unsigned in any::<u64>(), maybe in any::<Option<String>>(),
        choices in prop::collection::vec(choice(), 0..4), table in prop::collection::btree_map(any::<u32>(), any::<String>(), 0..4),
        a in any::<u8>(), b in any::<Option<String>>(), free in prop::collection::btree_map(any::<String>(), value(), 0..4),
    ) {
        let table = table.into_iter().collect();
        let free = free.into_iter().collect();
        let row = Row { text, signed, unsigned, maybe, choices, table, named: Named { a, b }, free };
        let written = write(&row);
        prop_assert_eq!(&written, &serde_json::to_string(&row).unwrap());
        prop_assert_eq!(read::<Row>(&written), Ok(row.clone()));
        prop_assert_eq!(serde_json::from_str::<Row>(&written).unwrap(), row.clone());
        let spaced = serde_json::to_string_pretty(&row).unwrap();
        prop_assert_eq!(read::<Row>(&spaced), Ok(row));
    }

    #[test]
    fn any_value_is_read_as_the_library_reads_it(value in value()) {
        let written = value.to_string();
        prop_assert_eq!(read::<Value>(&written).ok(), serde_json::from_str::<Value>(&written).ok());
        let raw = read::<Raw>(&written).unwrap();
        prop_assert_eq!(raw.get(), &written);
        prop_assert_eq!(write(&[raw]), format!("[{written}]"));
        prop_assert_eq!(write(&value), written);
    }

    /// What the library refuses is refused, whatever was done to a text that was good.
    #[test]
    fn nothing_else_is_read(value in value(), at in any::<prop::sample::Index>(), remove in 0..4usize, insert in "[\\[\\]{}\",:0-9a-z\\\\ -]{0,3}") {
        let mut text: Vec<char> = value.to_string().chars().collect();
        let from = at.index(text.len());
        let to = (from + remove).min(text.len());
        text.splice(from..to, insert.chars());
        let text: String = text.into_iter().collect();
        if let Ok(value) = read::<Value>(&text) {
            prop_assert_eq!(serde_json::from_str::<Value>(&text).ok(), Some(value), "{}", text);
        }
        let _ = read::<Row>(&text);
    }
}

#[test]
fn depth_has_an_end_and_nothing_follows() {
    let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    assert!(read::<Value>(&nested(127)).is_ok());
    for text in [nested(129), nested(100_000), "[".repeat(100_000), "{\"a\":".repeat(100_000)] {
        assert_eq!(read::<Value>(&text), Err(Unreadable));
        assert_eq!(read::<de::IgnoredAny>(&text).err(), Some(Unreadable));
    }
    assert_eq!(read::<Value>("1 2"), Err(Unreadable));
    assert_eq!(read::<Value>(" [1 , 2 ] "), Ok(json!([1, 2])));
    assert_eq!(read::<Vec<u8>>("[1,,2]"), Err(Unreadable));
    assert_eq!(read::<Vec<u8>>("[1,]"), Err(Unreadable));
    assert_eq!(read::<(u8, u8)>("[1,2,3]"), Err(Unreadable));
    assert_eq!(read::<u8>("256"), Err(Unreadable));
    assert_eq!(read::<u8>("+1"), Err(Unreadable));
    assert_eq!(read::<u8>("-1"), Err(Unreadable));
    assert_eq!(
        read::<String>("\"a\nb\""),
        Ok("a\nb".into()),
        "control characters are its own writer's business"
    );
}
