//! The way of a push: one straight line, a file or folder for each step. The pure half of every step is here; the
//! half that asks the platform has the same name under `edge`.
//!
//! | step | from → to |
//! |---|---|
//! | [`authenticate`] | a bearer → who calls, with which scopes |
//! | [`parse`] | bytes → [`Push`](crate::model::push::Push), once |
//! | [`resolve`] | users → devices |
//! | [`plan`] | devices → what each of them gets, or why nothing |
//! | [`begin`] | plan → a push with an id, all its deliveries begun |
//! | [`admit`], [`caps`] | begun deliveries → those that the quota, and the caps of their users and devices, let through |
//! | [`send`] | admitted deliveries → one answer each |
//! | [`settle`] | answers → final states, dead tokens, unused quota |
//! | [`reply`] | the end → JSON |
//!
//! [`lease`] is what passes without asking. [`page`] cuts the targets of a queued push into the pages that go this way; [`explain`] shows
//! what would go, [`simulate`] what the quotas would let pass of it, with [`audience`] for a sample; [`funnel`] counts what went.
//! [`receipts`] is where vendors report to, [`report`] what becomes of it.

pub mod admit;
pub mod audience;
pub mod authenticate;
pub mod begin;
pub mod caps;
pub mod explain;
pub mod funnel;
pub mod govern;
pub mod health;
pub mod lease;
pub mod pace;
pub mod page;
pub mod parse;
pub mod plan;
pub mod quiet;
pub mod quota;
pub mod receipts;
pub mod reply;
pub mod report;
pub mod resolve;
pub mod send;
pub mod settle;
pub mod simulate;
