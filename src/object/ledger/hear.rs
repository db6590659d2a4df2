//! What vendors and apps report of deliveries later: found by the push, a number within it, and whose it is.

use super::{Fault, Ledger, Part, Place, Record, Store, key, page};
use crate::{
    model::{ids::PushId, page::Page, time::Millis},
    wire::ledger::{Heard, Outcome},
};

/// A page that reports are about, as it was and as it is.
type Open = (PushId, Place, Page, Page);

impl Ledger {
    /// Applies reports: one row for each page that they change. Reports about nothing that is known change nothing.
    pub fn hear(&mut self, store: &mut impl Store, reports: &[Heard], now: Millis) -> Result<Outcome, Fault> {
        self.now = now;
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
            whose.push(page.and_then(|page| page::hear(page, report.n, &report.whose, &report.event, now)));
        }
        for (_, place, before, after) in open {
            self.put_page(store, place, before, after)?;
        }
        Ok(Outcome::Heard(whose))
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
