//! Step 6: begun deliveries → those the quota lets through. Pure half: when the `Account` object has to be asked,
//! and what its answer means for the deliveries.

use super::begin::Batch;
use crate::{
    model::{
        app::App,
        delivery::{Reason, State},
        push::Category,
        time::Millis,
    },
    vendor::{Bearer, Vendor},
    wire::account::Admit,
};

/// What has to be asked of one account: nothing where no rule limits the class and the bearer is at hand.
pub fn ask(app: &App, vendor: Vendor, category: Category, n: usize, bearer_at_hand: bool) -> Option<Admit> {
    let limit = app.policy.per_day(vendor, category);
    let bearer = match vendor.bearer() {
        Bearer::Signed => false,
        Bearer::Fetched => !bearer_at_hand,
    };
    let revision = app.credentials.get(&vendor)?.revision;
    (limit.is_some() || bearer).then_some(Admit {
        category,
        n: n as u64,
        limit,
        bearer,
        refused: None,
        revision,
    })
}

/// Skips what was not granted: the last ones named.
pub fn granted(batch: &mut Batch, vendor: Vendor, granted: u64, resets_at: Millis) {
    let mut left = granted;
    for entry in batch.entries.iter_mut().filter(|entry| entry.under_way_at(vendor)) {
        if left > 0 {
            left -= 1;
            continue;
        }
        entry.delivery.state = State::Skipped;
        entry.delivery.reason = Some(Reason::Quota);
        entry.delivery.until = Some(resets_at);
        entry.delivery.detail = Some("the day's quota of this category at this vendor is used up".into());
    }
}

/// Fails everything under way at a vendor: there is no bearer to send with.
pub fn refused(batch: &mut Batch, vendor: Vendor, reason: Reason, detail: &str) {
    for entry in batch.entries.iter_mut().filter(|entry| entry.under_way_at(vendor)) {
        entry.delivery.state = State::Failed;
        entry.delivery.reason = Some(reason);
        entry.delivery.detail = Some(detail.to_owned());
    }
}
