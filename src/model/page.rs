//! A page: up to 100 deliveries of one push, the one unit of a Ledger row, a Ledger call and a queue job.
//!
//! A push that is sent while its caller waits is one page. A queued push is a [`Head`], which names its targets, and a
//! page for each slice of them.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use super::{
    delivery::{Delivery, Reason},
    ids::{AudienceId, PushId},
    push::{Category, OnUnknown},
    time::Millis,
};

/// Most deliveries of a page.
pub const PAGE_MAX: usize = 100;

/// Which page of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The push is one page.
    #[default]
    Whole,
    /// The targets of a slice come to one page, or to more where users have many devices.
    Slice(u32, u32),
}

impl Part {
    /// Most parts of a slice: each takes at least one of its 100 targets.
    const PARTS_MAX: usize = SLICE as usize;

    /// Number of the page's first delivery within the push.
    pub fn first(self) -> usize {
        match self {
            Self::Whole => 0,
            Self::Slice(slice, part) => (slice as usize * Self::PARTS_MAX + part as usize) * PAGE_MAX,
        }
    }

    /// The page of a queued push in which the delivery of this number is.
    pub fn of(n: u32) -> Self {
        let (page, parts) = (n / PAGE_MAX as u32, Self::PARTS_MAX as u32);
        Self::Slice(page / parts, page % parts)
    }
}

/// Names a page within its push: its row's key is this behind the push's [`tail`](PushId::tail). Numbers are padded,
/// so that keys sort as the pages do.
impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => Ok(()),
            Self::Slice(slice, part) => write!(f, ".{slice:06}.{part:02}"),
        }
    }
}

/// A page, with what has to be known of its push to carry each delivery to an end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Page {
    /// Of which push.
    pub push: PushId,
    /// Which of its pages.
    pub part: Part,
    /// What the push is for.
    pub category: Category,
    /// In counts.
    pub campaign: Option<String>,
    /// When the push was due: `ttl` counts from here.
    pub due: Millis,
    /// When its `ttl` ends. The same instant as `due` means now or never.
    pub expires: Millis,
    /// What becomes of deliveries whose end is not known.
    pub on_unknown: OnUnknown,
    /// Digest of the request, where an idempotency key came with it.
    pub body: Option<String>,
    /// Targets of the head that this page has taken over.
    pub took: u32,
    /// In the order named.
    pub deliveries: Vec<Delivery>,
}

impl Page {
    /// Something of it goes on by itself.
    pub fn open(&self) -> bool {
        self.deliveries.iter().any(|delivery| delivery.state.open())
    }
}

/// Where the targets of a queued push are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Beside the head.
    Inline,
    /// One version of an audience.
    /// In order: its id; which version.
    Audience(AudienceId, u64),
}

/// A queued push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Head {
    /// Which.
    pub push: PushId,
    /// What it is for.
    pub category: Category,
    /// In counts.
    pub campaign: Option<String>,
    /// When it was or will be due.
    pub due: Millis,
    /// When its `ttl` ends.
    pub expires: Millis,
    /// Digest of the request, where an idempotency key came with it.
    pub body: Option<String>,
    /// Where the targets are.
    pub source: Source,
    /// How many there are.
    pub targets: u32,
    /// Targets that were never taken over by a page and never will be, and why: cancelled or expired.
    pub dropped: Option<Dropped>,
}

/// Targets that will not be sent to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Dropped {
    /// `None`: cancelled.
    pub reason: Option<Reason>,
    /// How many.
    pub targets: u32,
    /// When.
    pub at: Millis,
}

/// Targets of a slice.
pub const SLICE: u32 = 100;

impl Head {
    /// How many slices the targets come to.
    pub fn slices(&self) -> u32 {
        self.targets.div_ceil(SLICE)
    }
}
