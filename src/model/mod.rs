//! The nouns: what every step speaks of. Plain data, no I/O.

pub mod app;
pub mod delivery;
pub mod device;
pub mod govern;
pub mod ids;
pub mod kind;
pub mod once;
pub mod outcome;
pub mod page;
pub mod policy;
pub mod preferences;
pub mod problem;
pub mod push;
pub mod secret;
pub mod slots;
pub mod table;
pub mod time;
