//! The `Audience` object: one stored list of user ids.

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::{
    model::ids::{AudienceId, Tenant},
    object::audience::Version,
};

/// Durable Object binding.
pub const BINDING: &str = "AUDIENCE";
/// Users in a row, an id a line.
pub const ROW: u32 = 1_000;

/// The object's name.
pub fn name(tenant: &Tenant, id: &AudienceId) -> String {
    format!("audience:{tenant}:{id}")
}

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// Begin an upload.
    Start,
    /// Rows of an upload, [`ROW`] users in each but the last.
    /// In order: of which upload; number of the first row; ids, a line each.
    Add(u64, u32, Vec<String>),
    /// The upload is complete.
    /// In order: which; users in it.
    Finish(u64, u32),
    /// What is known.
    Get,
    /// Remove it.
    Remove,
    /// Some users of a version, all of one row.
    /// In order: which version; number of the first user; how many.
    Slice(u64, u32, u32),
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// An upload has begun, or goes on.
    Version(u64),
    /// The current version.
    Current(Version),
    /// There is none, or the upload was given up.
    Missing,
    /// Removed.
    Removed,
    /// Ids, a line each.
    Ids(String),
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Reply {
    /// What came of it.
    pub outcome: Outcome,
    /// Rows written.
    pub rows: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_pinned() {
        for text in
            [r#""start""#, r#"{"add":[1,0,["a\nb"]]}"#, r#"{"finish":[1,2]}"#, r#"{"slice":[1,100,100]}"#]
        {
            let call: Call = crate::wire::text::read(text).unwrap();
            assert_eq!(serde_json::to_string(&call).unwrap(), text);
        }
    }
}
