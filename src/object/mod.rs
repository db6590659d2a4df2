//! What each Durable Object decides, as pure steps: state in, state and answer out. The shells under `edge` load,
//! call a step and store; nothing else writes.

pub mod account;
pub mod app;
pub mod audience;
pub mod bearer;
pub mod breaker;
pub mod census;
pub mod claim;
pub mod judge;
pub mod ledger;
pub mod quota;
pub mod rate;
pub mod user;
