//! Counts, derived from pages and heads and from nothing else.

use super::Record;
use crate::{
    model::{
        delivery::{Delivery, State},
        page::{Dropped, Head, Page},
        table::Table,
    },
    wire::ledger::{Cell, Kind},
};

/// Counts per kind; kinds that count nothing are not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts(Table<Kind, i64>);

impl Counts {
    /// What one record counts. Targets that no page has taken over count at their head; a page takes them off.
    pub fn of(record: &Record) -> Self {
        match record {
            Record::Page(page) => Self::of_page(page),
            Record::Head(head) => Self::of_head(head),
        }
    }

    /// What a page counts.
    pub fn of_page(page: &Page) -> Self {
        let mut counts = Self::default();
        let Page { category, campaign, took, deliveries, .. } = page;
        let base = Kind { category: *category, campaign: campaign.clone(), ..Kind::waiting(*category) };
        counts.count(base.clone(), -i64::from(*took));
        for Delivery { vendor, platform, state, reason, sent, seen, .. } in deliveries {
            let kind = Kind {
                vendor: *vendor,
                platform: *platform,
                state: Some(*state),
                reason: *reason,
                sent: *sent,
                seen: seen.map(|(seen, _)| seen),
                ..base.clone()
            };
            counts.count(kind, 1);
        }
        counts
    }

    /// What a head counts.
    pub fn of_head(head: &Head) -> Self {
        let mut counts = Self::default();
        let Head { category, campaign, targets, dropped, .. } = head;
        let base = Kind { campaign: campaign.clone(), ..Kind::waiting(*category) };
        counts.count(base.clone(), i64::from(*targets));
        if let Some(Dropped { reason, targets, .. }) = dropped {
            let state = if reason.is_some() { State::Skipped } else { State::Cancelled };
            counts.count(base.clone(), -i64::from(*targets));
            counts.count(Kind { state: Some(state), reason: *reason, ..base }, i64::from(*targets));
        }
        counts
    }

    fn count(&mut self, kind: Kind, n: i64) {
        let sum = self.0.get(&kind).copied().unwrap_or_default() + n;
        if sum == 0 {
            self.0.remove(&kind);
        } else {
            self.0.insert(kind, sum);
        }
    }

    /// Counts `other` in, `times` times; -1 takes it off.
    pub fn add(&mut self, other: &Self, times: i64) {
        for (kind, n) in other.0.iter() {
            self.count(kind.clone(), n * times);
        }
    }

    /// Targets that no page has taken over; below zero what a page has.
    pub fn waiting(&self) -> i64 {
        self.0.iter().filter(|(kind, _)| kind.state.is_none()).map(|(_, n)| n).sum()
    }

    /// Deliveries by state.
    pub fn states(&self) -> Table<State, u64> {
        let mut states = Table::new();
        for (kind, n) in self.0.iter() {
            if let (Some(state), Ok(n)) = (kind.state, u64::try_from(*n)) {
                *states.entry(state).or_default() += n;
            }
        }
        states
    }

    /// How many there are, whatever their kind.
    pub fn len(&self) -> u64 {
        self.0.values().map(|n| n.unsigned_abs()).sum()
    }

    /// Counts nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As it is written down.
    pub fn cells(&self) -> Vec<Cell> {
        self.0.iter().map(|(kind, n)| Cell { kind: kind.clone(), n: *n }).collect()
    }

    /// Of cells; those of one kind are added up.
    pub fn from_cells(cells: impl IntoIterator<Item = Cell>) -> Self {
        let mut counts = Self::default();
        for Cell { kind, n } in cells {
            counts.count(kind, n);
        }
        counts
    }
}

impl Kind {
    /// Targets that no page has taken over.
    fn waiting(category: crate::model::push::Category) -> Self {
        Self {
            category,
            campaign: None,
            vendor: None,
            platform: None,
            state: None,
            reason: None,
            sent: false,
            seen: None,
        }
    }
}
