//! What a ledger does by itself: it gives up deliveries whose worker is gone, offers what is due to the queue, closes
//! hours and drops old days.

use serde::{Deserialize, Serialize};

use super::{Fault, HOURS_DAYS, Ledger, Part, Place, Record, Row, Store, day, hour, page};
use crate::{
    model::{
        ids::PushId,
        page::{Head, Page, SLICE},
        table::Table,
        time::Millis,
    },
    vendor::Vendor,
    wire::job::Report,
};

/// Rows looked at in one round: the next one follows at once.
const ROUND: usize = 200;
/// Slices of one push that the queue holds at once.
const WINDOW: usize = 1_000;
/// What was offered to the queue and has not been taken is offered again after this.
const OFFER_AGAIN_MS: u64 = 60_000;
/// The same for the targets of a queued push, of which the queue may hold many.
const SPREAD_AGAIN_MS: u64 = 300_000;
/// An hour is closed so long after its end: clocks differ.
const CLOSE_AFTER_MS: u64 = 300_000;
/// Counts that are worth a row of their own before the day is over.
const CLOSE_MIN: u64 = 64;

/// Work for the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Job {
    /// Make and send a page of a queued push.
    /// In order: which push; which slice of its targets; which part of the slice.
    Slice(PushId, u32, u32),
    /// Send what is due of a page.
    /// In order: which push; which page.
    Retry(PushId, Part),
    /// Hear what a vendor has reported, of which more came at once than one request does.
    /// In order: which vendor; the reports.
    Heard(Vendor, Vec<Report>),
}

/// What comes of a round.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// For the queue.
    pub jobs: Vec<Job>,
    /// Deliveries that were given up.
    pub lost: u32,
}

impl Ledger {
    /// When the next round has to be.
    pub fn next(&self) -> Option<Millis> {
        self.due.values().map(|(at, _)| *at).min()
    }

    /// A round.
    pub fn alarm(&mut self, store: &mut impl Store, now: Millis) -> Result<Round, Fault> {
        self.now = now;
        self.wake(store)?;
        let mut round = Round::default();
        let due = |(place, (at, _)): (&Place, &(Millis, u64))| (*at <= now).then(|| place.clone());
        let places: Vec<Place> = self.due.iter().filter_map(due).take(ROUND).collect();
        for place in places {
            match self.row(store, &place)? {
                Some(Row { record: Record::Page(page), .. }) => {
                    self.look_at_page(store, place, page, &mut round)?;
                }
                Some(Row { record: Record::Head(head), .. }) => {
                    self.look_at_head(store, place, head, &mut round)?;
                }
                None => self.forget(&place),
            }
        }
        self.close_hours(store)?;
        self.drop_days(store)?;
        Ok(round)
    }

    fn look_at_page(
        &mut self,
        store: &mut impl Store,
        place: Place,
        before: Page,
        round: &mut Round,
    ) -> Result<(), Fault> {
        let now = self.now;
        let mut after = before.clone();
        if page::sweep(&mut after, now) {
            round.lost += 1;
        }
        page::expire(&mut after, now);
        let due = after
            .deliveries
            .iter()
            .any(|delivery| delivery.state.waits() && delivery.until.is_none_or(|until| until <= now));
        let (push, part, hour) = (after.push.clone(), after.part, hour(after.due));
        let next = page::next(&after);
        self.put_page(store, place.clone(), before, after)?;
        match next {
            Some(next) => {
                let look = if due { Millis(now.0 + OFFER_AGAIN_MS) } else { next };
                self.due.insert(place, (look, hour));
            }
            None => self.forget(&place),
        }
        if due {
            round.jobs.push(Job::Retry(push, part));
        }
        Ok(())
    }

    fn look_at_head(
        &mut self,
        store: &mut impl Store,
        place: Place,
        head: Head,
        round: &mut Round,
    ) -> Result<(), Fault> {
        let now = self.now;
        if head.dropped.is_some() {
            self.forget(&place);
            return Ok(());
        }
        if head.expires <= now && head.expires > head.due {
            return self.expire(store, place, head, now);
        }
        let missing = missing(store, &place, &head)?;
        if missing.is_empty() {
            self.forget(&place);
            self.offered.remove(&place);
            return Ok(());
        }
        let offered = self.offered.get(&place).copied().unwrap_or_default();
        let held = missing.iter().filter(|(slice, _)| *slice < offered).count();
        let again = offered >= head.slices();
        let from = if again { 0 } else { offered };
        let room = if again { WINDOW } else { WINDOW.saturating_sub(held) };
        let offer: Vec<(u32, u32)> =
            missing.into_iter().filter(|(slice, _)| *slice >= from).take(room).collect();
        let upto = match offer.last() {
            Some((slice, _)) if offer.len() == room => (slice + 1).max(offered),
            // Fewer than there is room for: that was all.
            Some(_) | None if room > 0 => head.slices(),
            Some(_) | None => offered,
        };
        for (slice, part) in offer {
            round.jobs.push(Job::Slice(head.push.clone(), slice, part));
        }
        let wait = if upto >= head.slices() { SPREAD_AGAIN_MS } else { 1_000 };
        let hour = hour(head.due);
        self.offered.insert(place.clone(), upto);
        self.due.insert(place, (Millis(now.0 + wait), hour));
        Ok(())
    }

    /// Closes hours that are over and in which nothing is under way.
    fn close_hours(&mut self, store: &mut impl Store) -> Result<(), Fault> {
        let now = Millis(self.now.0.saturating_sub(CLOSE_AFTER_MS));
        let open: Vec<u64> = self.due.values().map(|(_, hour)| *hour).collect();
        let over = |hour: u64, counts: u64| {
            hour < self::hour(now) && (counts >= CLOSE_MIN || hour / 24 < self::hour(now) / 24)
        };
        let close: Vec<u64> = self
            .hours
            .iter()
            .filter(|(hour, counts)| over(**hour, counts.len()) && !open.contains(hour))
            .map(|(hour, _)| *hour)
            .collect();
        for hour in close {
            if let Some(counts) = self.hours.get(&hour) {
                store.close(hour, counts)?;
            }
            self.hours.remove(&hour);
            self.closed.insert(hour, ());
        }
        Ok(())
    }

    /// Drops days that are no longer kept. One in which something is under way, or an hour is not closed, waits.
    fn drop_days(&mut self, store: &mut impl Store) -> Result<(), Fault> {
        let today = day(self.now);
        for old in store.days()?.into_iter().filter(|day| day.0 + self.keep.days < today.0) {
            let of_day = |hour: u64| hour / 24 == old.0;
            if self.due.keys().any(|(day, _)| *day == old) || self.hours.keys().any(|hour| of_day(*hour)) {
                continue;
            }
            store.drop_day(old)?;
            let oldest = hour(self.now).saturating_sub(HOURS_DAYS * 24);
            store.forget_before(oldest)?;
            self.closed.retain(|hour, ()| *hour >= oldest);
        }
        Ok(())
    }
}

/// Slices with targets that no page has taken over, and which part of them comes next.
fn missing(store: &impl Store, place: &Place, head: &Head) -> Result<Vec<(u32, u32)>, Fault> {
    let mut begun: Table<u32, (u32, i64)> = Table::new();
    for sum in store.sums(place.0, &format!("{}.", place.1))? {
        let slice = sum.key.get(17..23).and_then(|digits| digits.parse().ok()).unwrap_or_default();
        let (parts, took) = begun.entry(slice).or_default();
        *parts += 1;
        *took -= sum.counts.waiting();
    }
    let wanted = (0..head.slices()).filter_map(|slice| {
        let of = i64::from(head.targets.saturating_sub(slice.saturating_mul(SLICE)).min(SLICE));
        let (parts, took) = begun.get(&slice).copied().unwrap_or_default();
        (took < of).then_some((slice, parts))
    });
    Ok(wanted.collect())
}
