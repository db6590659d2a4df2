//! What goes through the queues. A job may run twice, and runs in any order.

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::{model::ids::Tenant, object::ledger::Job};

/// Queue binding of jobs.
pub const DISPATCH: &str = "DISPATCH";
/// Queue binding of jobs that were given up.
pub const DEAD: &str = "DEAD";
/// Tries of a job before it is given up.
pub const TRIES_MAX: u32 = 5;

/// A job, with whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Envelope {
    /// The app and which life of it.
    pub tenant: Tenant,
    /// What is to be done.
    pub job: Job,
}

/// A job that was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// The message as it was.
    pub body: String,
    /// Why.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_pinned() {
        for text in [
            r#"[["shop",1],{"slice":["01ARYZ6S410000000000000000",7,0]}]"#,
            r#"[["shop",1],{"retry":["01ARYZ6S410000000000000000",{"slice":[7,0]}]}]"#,
            r#"[["shop",1],{"retry":["01ARYZ6S410000000000000000","whole"]}]"#,
        ] {
            let envelope: Envelope = crate::wire::text::read(text).unwrap();
            assert_eq!(serde_json::to_string(&envelope).unwrap(), text);
        }
        let text = r#"{"body":"x","reason":"y"}"#;
        let letter: Letter = crate::wire::text::read(text).unwrap();
        assert_eq!(serde_json::to_string(&letter).unwrap(), text);
    }
}
