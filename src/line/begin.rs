//! Step 5: plan → a push with an id, all its deliveries begun. Every delivery gets its ids here, once, so that each
//! try carries the same ones.

use std::collections::BTreeMap;

use super::plan::{Decision, Plan};
use crate::{
    model::{
        delivery::{Delivery, State},
        device::Address,
        ids::PushId,
    },
    vendor::{Draft, Ids, Vendor},
};

/// A delivery with what sending it needs.
#[derive(Debug)]
pub struct Entry {
    /// Where it is.
    pub delivery: Delivery,
    /// Its ids.
    pub ids: Ids,
    /// Where to; `None` where nothing is sent.
    pub address: Option<Address>,
}

/// A push under way.
#[derive(Debug)]
pub struct Batch {
    /// The push.
    pub id: PushId,
    /// Its deliveries, in the order named.
    pub entries: Vec<Entry>,
    /// Per vendor.
    pub drafts: BTreeMap<Vendor, Draft>,
}

/// Writes every delivery down as `sending` or `skipped`.
pub fn begin(id: PushId, plan: Plan) -> Batch {
    let Plan { decisions, drafts } = plan;
    let entries = decisions
        .into_iter()
        .enumerate()
        .map(|(n, (recipient, decision))| {
            let ids = Ids::new(&id, n);
            match decision {
                Decision::Send(address) => {
                    let shortened = drafts.get(&address.vendor).is_some_and(|draft| draft.shortened);
                    let delivery = Delivery::sending(recipient, address.vendor, shortened);
                    Entry { delivery, ids, address: Some(address) }
                }
                Decision::Skip { reason, vendor, detail } => Entry {
                    delivery: Delivery::skipped(recipient, vendor, reason, detail),
                    ids,
                    address: None,
                },
            }
        })
        .collect();
    Batch { id, entries, drafts }
}

impl Batch {
    /// How many deliveries are under way at a vendor.
    pub fn under_way(&self, vendor: Vendor) -> usize {
        self.entries.iter().filter(|entry| entry.under_way_at(vendor)).count()
    }

    /// The vendors with deliveries under way.
    pub fn vendors(&self) -> Vec<Vendor> {
        Vendor::ALL.into_iter().filter(|vendor| self.under_way(*vendor) > 0).collect()
    }
}

impl Entry {
    /// Begun, not ended, at this vendor.
    pub fn under_way_at(&self, vendor: Vendor) -> bool {
        self.delivery.state == State::Sending && self.delivery.vendor == Some(vendor)
    }
}
