//! What goes through the queues. A job may run twice, and runs in any order.

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::{
    model::{
        ids::{PushId, Tenant},
        time::Millis,
    },
    object::ledger::Job,
    wire::ledger::Event,
};

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

/// What a vendor has reported of one token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Report {
    /// Of which push.
    pub push: PushId,
    /// Number of the delivery within the push, or of another one of the same page.
    pub n: u32,
    /// SHA-256 of the token, in hex: a job may end in the list of dead letters, where people look at it.
    pub token_sha256: String,
    /// What.
    pub event: Event,
    /// When it was so, where the vendor says it.
    pub at: Option<Millis>,
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
            r#"[["shop",1],{"heard":["oppo",[["01ARYZ6S410000000000000000",7,"ab",{"lost":["token_gone","receipt 2"]},9]]]}]"#,
        ] {
            let envelope: Envelope = crate::wire::text::read(text).unwrap();
            assert_eq!(serde_json::to_string(&envelope).unwrap(), text);
        }
        let text = r#"{"body":"x","reason":"y"}"#;
        let letter: Letter = crate::wire::text::read(text).unwrap();
        assert_eq!(serde_json::to_string(&letter).unwrap(), text);
    }
}
