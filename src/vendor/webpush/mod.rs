//! Web Push: messages to browsers through whichever push service each of them has.

mod endpoint;
#[cfg(test)]
mod tests;

pub use endpoint::{Endpoint, Hosts};
