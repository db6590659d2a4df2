//! Step 5: plan → a page with all its deliveries begun. Every delivery gets its ids here, so that each try carries the
//! same ones; and the push gets its own, from the caller's idempotency key where one came.

use crate::model::table::Table;

use super::{
    plan::{Decided, Decision, Plan},
    resolve::Directory,
};
use crate::{
    crypto::hash,
    model::{
        delivery::{Delivery, Reason, Recipient, State},
        device::Address,
        ids::{PushId, Tenant},
        page::{Page, Part},
        problem::{Code, Problem},
        push::{Message, Push, When},
        time::Millis,
    },
    vendor::{Draft, Ids, Vendor},
    wire::ledger::{Target, To},
    wire::text,
};

/// How far ahead a push can be planned, milliseconds: 30 days.
const AHEAD_MAX_MS: u64 = 30 * 86_400_000;
/// A queued push with `ttl` 0 may still begin so long after it is due, milliseconds.
const QUEUED_NOW_MS: u64 = 60_000;

/// What a push is, before anything is known of its devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its id.
    pub id: PushId,
    /// When it is to be sent: `ttl` counts from here.
    pub due: Millis,
    /// When its `ttl` ends.
    pub expires: Millis,
    /// What tells this request from another one under the same key; only where a key came.
    pub body: Option<String>,
}

/// Gives a push its id and its times. One key of one app gives one id's lower part, whoever asks and whenever.
pub fn order(
    tenant: &Tenant,
    push: &Push,
    key: Option<&str>,
    random: [u8; 10],
    now: Millis,
) -> Result<Order, Problem> {
    let due = match push.when {
        When::At(at) if at.0 > now.0.saturating_add(AHEAD_MAX_MS) => {
            return Err(Problem::at(Code::InvalidValue, "/send/at", "at most 30 days ahead"));
        }
        When::At(at) => at.max(now),
        When::Now => now,
    };
    let mut bits = random;
    if let Some(key) = key {
        let digest = hash::sha256(format!("{tenant}\n{key}").as_bytes());
        bits.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    }
    Ok(Order {
        id: PushId::new(now, bits),
        due,
        expires: due.plus_secs(push.message.ttl.into()),
        body: key.map(|_| digest(push)),
    })
}

/// By meaning, not by bytes: of the push as it was read. Whether the caller waits is not part of it.
fn digest(push: &Push) -> String {
    let meaning = text::write(&(&push.to, &push.message, push.when)).into_bytes();
    hash::hex(&hash::sha256(&meaning)).chars().take(32).collect()
}

impl Order {
    /// Until when the targets of a queued push may be begun.
    pub fn queue_expires(&self) -> Millis {
        self.expires.max(Millis(self.due.0.saturating_add(QUEUED_NOW_MS)))
    }
}

/// What sending one delivery needs, and what has already become of this try.
#[derive(Debug)]
pub struct Entry {
    /// Its ids.
    pub ids: Ids,
    /// Where to; `None` where this try sends nothing.
    pub address: Option<Address>,
    /// It ends without a request, and so.
    pub end: Option<(To, Reason, Option<String>)>,
    /// A request was made for it, or was given up.
    pub tried: bool,
    /// It goes in the lower class.
    pub downgraded: bool,
}

/// A page under way.
#[derive(Debug)]
pub struct Batch {
    /// The page.
    pub page: Page,
    /// For each of its deliveries.
    pub entries: Vec<Entry>,
    /// Per vendor.
    pub drafts: Table<Vendor, Draft>,
    /// Per vendor: in the lower class.
    pub lower: Table<Vendor, Draft>,
    /// The page was begun before: this is another try.
    pub again: bool,
}

/// Writes every delivery of a new page down as `sending` or `skipped`.
pub fn begin(order: Order, part: Part, took: u32, message: &Message, plan: Plan, now: Millis) -> Batch {
    let Plan { decisions, drafts } = plan;
    let begun = decisions.into_iter().enumerate().map(|(n, decided)| {
        let ids = Ids::new(&order.id, part.first() + n);
        let Decided { recipient, platform, decision } = decided;
        match decision {
            Decision::Send(address) => {
                let vendor = address.vendor;
                let shortened = drafts.get(&vendor).is_some_and(|draft| draft.shortened);
                let tag = hash::tag(address.token.reveal());
                let delivery =
                    Delivery { tag, ..Delivery::sending(recipient, vendor, platform, shortened, now) };
                (delivery, Entry { ids, address: Some(address), end: None, tried: false, downgraded: false })
            }
            Decision::Hold { vendor, until } => {
                let delivery = Delivery::held(recipient, vendor, platform, Reason::QuietHours, until, now);
                (delivery, Entry { ids, address: None, end: None, tried: false, downgraded: false })
            }
            Decision::Skip { reason, vendor, detail } => {
                let delivery = Delivery::skipped(recipient, vendor, platform, reason, detail, now);
                (delivery, Entry { ids, address: None, end: None, tried: false, downgraded: false })
            }
        }
    });
    let (deliveries, entries) = begun.unzip();
    let Order { id, due, expires, body } = order;
    let page = Page {
        push: id,
        part,
        category: message.category,
        campaign: message.campaign.clone(),
        due,
        expires,
        on_unknown: message.on_unknown,
        body,
        took,
        deliveries,
    };
    Batch { page, entries, drafts, lower: Table::new(), again: false }
}

/// Another try of the deliveries that are due: what was planned for each of them now.
pub fn again(page: Page, due: &[u32], plan: Plan) -> Batch {
    let Plan { decisions, drafts } = plan;
    let mut decided: Table<Recipient, Decision> =
        decisions.into_iter().map(|decided| (decided.recipient, decided.decision)).collect();
    let first = page.part.first();
    let entries = page.deliveries.iter().enumerate().map(|(n, delivery)| {
        let ids = Ids::new(&page.push, first + n);
        let is_due = due.iter().any(|at| *at as usize == n);
        let (address, end) = match decided.remove(&delivery.recipient).filter(|_| is_due) {
            Some(Decision::Send(address)) if delivery.vendor == Some(address.vendor) => (Some(address), None),
            Some(Decision::Send(_)) => {
                let detail = "the device is reached through another vendor by now";
                (None, Some((To::Skipped(None), Reason::NoDevice, Some(detail.to_owned()))))
            }
            Some(Decision::Hold { until, .. }) => (None, Some((To::Held(until), Reason::QuietHours, None))),
            Some(Decision::Skip { reason, detail, .. }) => (None, Some((To::Skipped(None), reason, detail))),
            None if is_due => (None, Some((To::Skipped(None), Reason::NoDevice, None))),
            None => (None, None),
        };
        Entry { ids, address, end, tried: false, downgraded: false }
    });
    let entries = entries.collect();
    Batch { page, entries, drafts, lower: Table::new(), again: true }
}

impl Batch {
    /// How many deliveries are under way at a vendor.
    pub fn under_way(&self, vendor: Vendor) -> usize {
        (0..self.entries.len()).filter(|at| self.address(*at, vendor).is_some()).count()
    }

    /// The vendors with deliveries under way.
    pub fn vendors(&self) -> Vec<Vendor> {
        Vendor::ALL.into_iter().filter(|vendor| self.under_way(*vendor) > 0).collect()
    }

    /// Where a delivery goes to that is under way at this vendor.
    pub fn address(&self, at: usize, vendor: Vendor) -> Option<(&Entry, &Address)> {
        let entry = self.entries.get(at).filter(|entry| entry.end.is_none() && !entry.tried)?;
        let address = entry.address.as_ref().filter(|address| address.vendor == vendor)?;
        let sending = self.page.deliveries.get(at)?.state == State::Sending;
        sending.then_some((entry, address))
    }

    /// The targets of everything that is still to be tried.
    pub fn untried(&self) -> Vec<(usize, Target)> {
        let target = |at: usize| {
            let address = self.entries.get(at)?.address.as_ref()?;
            self.address(at, address.vendor)?;
            match &self.page.deliveries.get(at)?.recipient {
                Recipient::Device(user, device) | Recipient::Missing(user, device) => {
                    Some((at, Target::Device(user.clone(), device.clone())))
                }
                Recipient::User(_) | Recipient::Token(_) => None,
            }
        };
        (0..self.entries.len()).filter_map(target).collect()
    }

    /// What was looked up once more for deliveries that have not left: where the device is no longer the user's, or its token
    /// another one, nothing leaves.
    pub fn look_again(&mut self, untried: &[(usize, Target)], directory: &Directory) {
        for (at, target) in untried {
            let Some(entry) = self.entries.get_mut(*at) else { continue };
            let device = match target {
                Target::Device(user, id) => {
                    directory.get(user).and_then(|known| known.devices.iter().find(|device| device.id == *id))
                }
                Target::User(_) | Target::Token(..) | Target::Nobody => None,
            };
            match device {
                Some(device) if Some(&device.address) == entry.address.as_ref() => {}
                Some(_) => {
                    entry.end = Some((
                        To::Retry(None),
                        Reason::VendorUnavailable,
                        Some("the token has changed".into()),
                    ))
                }
                None => {
                    let detail = "the device is not this user's any more";
                    entry.end = Some((To::Skipped(None), Reason::NoDevice, Some(detail.into())));
                }
            }
        }
    }

    /// What an entry's request is made from.
    pub fn draft(&self, at: usize, vendor: Vendor) -> Option<&Draft> {
        let drafts = if self.entries.get(at)?.downgraded { &self.lower } else { &self.drafts };
        drafts.get(&vendor)
    }

    /// Of the deliveries under way at a vendor: so many pass as they are, so many in the lower class, and the rest ends so.
    pub fn pass(&mut self, vendor: Vendor, mut own: u64, mut lower: u64, end: &(To, Reason, Option<String>)) {
        for at in 0..self.entries.len() {
            if self.address(at, vendor).is_none() {
                continue;
            }
            let Some(entry) = self.entries.get_mut(at) else { continue };
            if own > 0 {
                own -= 1;
            } else if lower > 0 {
                lower -= 1;
                entry.downgraded = true;
            } else {
                // Without an address it has no grant to give back.
                (entry.end, entry.address) = (Some(end.clone()), None);
            }
        }
    }

    /// Makes what goes in the lower class. Where nothing can be made of it, what would have gone so ends.
    pub fn lower(&mut self, make: impl Fn(&Page, Vendor) -> Result<Draft, (To, Reason, Option<String>)>) {
        for vendor in self.downgraded() {
            match make(&self.page, vendor) {
                Ok(draft) => {
                    self.lower.insert(vendor, draft);
                }
                Err(end) => self.no_lower(vendor, &end),
            }
        }
    }

    fn downgraded(&self) -> Vec<Vendor> {
        let goes = |vendor: &Vendor| {
            let mut all = (0..self.entries.len()).filter_map(|at| self.address(at, *vendor));
            all.any(|(entry, _)| entry.downgraded)
        };
        Vendor::ALL.into_iter().filter(goes).collect()
    }

    fn no_lower(&mut self, vendor: Vendor, end: &(To, Reason, Option<String>)) {
        for at in 0..self.entries.len() {
            let goes = self.address(at, vendor).is_some_and(|(entry, _)| entry.downgraded);
            if let Some(entry) = self.entries.get_mut(at).filter(|_| goes) {
                entry.end = Some(end.clone());
            }
        }
    }
}
