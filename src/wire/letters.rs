//! The `Letters` object: jobs of the queue that were given up, one object for all apps. A message that is no job names no
//! app.

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::model::time::Millis;

/// Durable Object binding.
pub const BINDING: &str = "LETTERS";
/// The object's name.
pub const NAME: &str = "letters";
/// Letters in one answer.
pub const PAGE: usize = 100;
/// Longest body that is kept, bytes: what is longer never was a job.
pub const BODY_MAX: usize = 16 * 1024;

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// Keep these.
    Add(Vec<Letter>),
    /// Those behind this number, [`PAGE`] of them.
    /// Behind this number; 0: from the beginning.
    List(u64),
    /// Those with these numbers are done.
    Remove(Vec<u64>),
}

/// A job that was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// Its number.
    pub id: u64,
    /// When it was given up.
    pub at: Millis,
    /// The message as it was.
    pub body: String,
    /// Why.
    pub reason: String,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Reply {
    /// What was asked for.
    pub letters: Vec<Letter>,
    /// Rows written.
    pub rows: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_pinned() {
        for text in
            [r#"{"add":[{"id":0,"at":7,"body":"x","reason":"y"}]}"#, r#"{"list":0}"#, r#"{"remove":[1]}"#]
        {
            let call: Call = crate::wire::text::read(text).unwrap();
            assert_eq!(serde_json::to_string(&call).unwrap(), text);
        }
    }
}
