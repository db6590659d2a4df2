//! What vendors and apps report of deliveries later: found by the push, a number within it, and whose it is.

use super::{Fault, Ledger, Part, Place, Record, Store, key, page};
use crate::{
    model::{
        delivery::{Delivery, Reason, Recipient, Seen, State},
        ids::PushId,
        page::{PAGE_MAX, Page},
        time::Millis,
    },
    wire::ledger::{Event, Found, Heard, Outcome, Whose},
};

/// A page that reports are about, as it was and as it is.
type Open = (PushId, Place, Page, Page);

impl Ledger {
    /// Applies reports: one row for each page that they change. Reports about nothing that is known change nothing.
    pub fn hear(&mut self, store: &mut impl Store, reports: &[Heard], now: Millis) -> Result<Outcome, Fault> {
        self.now = now;
        // All reports of one call are of one vendor, or an app's.
        let vendor = reports.first().and_then(|report| match report.whose {
            Whose::Token(vendor, _) => Some(vendor),
            Whose::Device(..) => None,
        });
        let mut open: Vec<Open> = Vec::new();
        let mut whose = Vec::with_capacity(reports.len());
        for report in reports {
            let known = open.iter().position(|(push, _, _, page)| {
                *push == report.push && (page.part == Part::Whole || page.part == Part::of(report.n))
            });
            let at = match known {
                Some(at) => Some(at),
                None => self.page_of(store, report)?.map(|(place, page)| {
                    open.push((report.push.clone(), place, page.clone(), page));
                    open.len() - 1
                }),
            };
            let page = at.and_then(|at| open.get_mut(at)).map(|(_, _, _, page)| page);
            whose.push(page.and_then(|page| hear(page, report, now)));
        }
        let (mut standing, mut gone) = (0, 0);
        for (_, place, before, after) in open {
            for delivery in after
                .deliveries
                .iter()
                .filter(|delivery| vendor.is_some_and(|of| delivery.vendor == Some(of)))
            {
                standing += u32::from(delivery.state == State::Accepted);
                gone += u32::from(delivery.reason == Some(Reason::TokenGone));
            }
            self.put_page(store, place, before, after)?;
        }
        Ok(Outcome::Heard(whose, standing, gone))
    }

    fn page_of(&mut self, store: &impl Store, report: &Heard) -> Result<Option<(Place, Page)>, Fault> {
        let Some(place) = self.find(store, &report.push)? else { return Ok(None) };
        let record = match self.row(store, &place)?.map(|row| row.record) {
            Some(Record::Head(_)) => {
                let place = (place.0, key(&report.push, Part::of(report.n)));
                self.row(store, &place)?.map(|row| (place, row.record))
            }
            whole => whole.map(|record| (place, record)),
        };
        Ok(match record {
            Some((place, Record::Page(page))) => Some((place, page)),
            Some((_, Record::Head(_))) | None => None,
        })
    }
}

/// What was heard of one delivery of a page; gives whose it is. A report that says less than is known changes nothing, so
/// reports may come twice and in any order.
fn hear(page: &mut Page, report: &Heard, now: Millis) -> Option<Found> {
    let at = (report.n as usize).checked_sub(page.part.first()).filter(|at| *at < PAGE_MAX)?;
    let at = named(page, at, &report.whose)?;
    let delivery = page.deliveries.get_mut(at)?;
    match &report.event {
        Event::Seen(seen) => see(delivery, *seen, now),
        Event::Lost(reason, detail) => {
            if delivery.seen.is_none() && may_have_left(delivery) {
                delivery.lost.get_or_insert_with(|| (*reason, detail.clone()));
            }
            // While the answer is under way, or another try is, that decides the state.
            if matches!(delivery.state, State::Accepted | State::Unknown) {
                page::lost(delivery, now);
            }
        }
    }
    Some(Found { recipient: delivery.recipient.clone(), sent_at: sent_at(delivery) })
}

/// The delivery that a report names. A list of tokens has the number of its first one.
fn named(page: &Page, at: usize, whose: &Whose) -> Option<usize> {
    let numbered = page.deliveries.get(at);
    let of_list = numbered.and_then(|have| have.vendor).filter(|vendor| vendor.spec().list_max > 1);
    let own = |delivery: &Delivery| match (whose, &delivery.recipient) {
        (Whose::Token(vendor, tag), _) => delivery.vendor == Some(*vendor) && delivery.tag == *tag,
        (Whose::Device(user, None), Recipient::Device(of, _)) => of == user,
        (Whose::Device(user, Some(device)), Recipient::Device(of, have)) => of == user && have == device,
        (Whose::Device(..), Recipient::User(_) | Recipient::Missing(..) | Recipient::Token(_)) => false,
    };
    let mut all = page.deliveries.iter().enumerate().filter(|(_, delivery)| own(delivery));
    let nameless = matches!(whose, Whose::Device(_, None));
    if nameless && of_list.is_some() {
        // All of the list have this number, and a user's name alone does not tell which of the user's phones it was.
        let mut list = all.filter(|(_, delivery)| delivery.vendor == of_list);
        let (first, others) = (list.next(), list.next());
        return first.filter(|_| others.is_none()).map(|(at, _)| at);
    }
    match numbered.is_some_and(own) {
        true => Some(at),
        false if nameless => None,
        false => all.next().map(|(at, _)| at),
    }
}

/// The answer is under way, or a request of some try has left.
fn may_have_left(delivery: &Delivery) -> bool {
    delivery.sent || matches!(delivery.state, State::Sending | State::Accepted)
}

fn see(delivery: &mut Delivery, seen: Seen, now: Millis) {
    if delivery.seen.is_some_and(|(have, _)| have >= seen) || !may_have_left(delivery) {
        return;
    }
    delivery.seen = Some((seen, now));
    // While the answer is under way, that decides the state.
    if !matches!(delivery.state, State::Sending | State::Accepted) {
        page::arrived(delivery, now);
    }
}

/// When its last try began.
fn sent_at(delivery: &Delivery) -> Millis {
    if delivery.state == State::Sending {
        return delivery.since;
    }
    let tries = delivery.trace.iter().rev().filter(|step| step.state == State::Sending);
    tries.map(|step| step.at).next().unwrap_or(delivery.since)
}
