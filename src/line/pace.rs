//! Between admit and settle: what keeps to a send rate, what waits for its account, and how sends went.

use super::{admit::Refusal, begin::Batch};
use crate::{
    model::{delivery::Reason, outcome::Verdict, page::Part, time::Millis},
    vendor::Vendor,
    wire::{account::Report, ledger::To},
};

/// From so many deliveries at one vendor on a request is a large push.
const LARGE: usize = 10;

/// Whether deliveries keep to the send rate: those of a page of the queue, and of a request with many. To ask for each single one
/// would be a call more for each.
pub fn large(batch: &Batch, n: usize) -> bool {
    batch.again || batch.page.part != Part::Whole || n >= LARGE
}

/// What an account does not let through that is in trouble or has no room: it waits, and was not tried.
pub fn waits(until: Millis, open_for: Option<Reason>) -> Refusal {
    let at = until.rfc3339();
    let (reason, detail) = match open_for {
        Some(reason) => (reason, format!("the circuit breaker of this vendor's account is open until {at}")),
        None => {
            (Reason::RateLimited, format!("this vendor's account has room in its send rate from {at} on"))
        }
    };
    (To::Wait(until), reason, Some(detail))
}

/// Counts how one delivery went.
pub fn note(all: &mut Vec<(Vendor, Report)>, vendor: Vendor, verdict: &Verdict) {
    if all.iter().all(|(of, _)| *of != vendor) {
        all.push((vendor, Report::default()));
    }
    let Some((_, report)) = all.iter_mut().find(|(of, _)| *of == vendor) else { return };
    match verdict.trouble() {
        Some((reason, after)) => {
            report.trouble += 1;
            report.after = report.after.max(after);
            report.limited += u64::from(reason == Reason::RateLimited);
        }
        // What has not left says nothing.
        None => report.went += u64::from(verdict.left),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_for_its_account_says_for_what_and_until_when() {
        let (to, reason, detail) = waits(Millis(1_000), Some(Reason::VendorUnavailable));
        assert_eq!((to, reason), (To::Wait(Millis(1_000)), Reason::VendorUnavailable));
        let detail = detail.unwrap();
        assert!(
            detail.ends_with("circuit breaker of this vendor's account is open until 1970-01-01T00:00:01Z")
        );
        assert_eq!(waits(Millis(1_000), None).1, Reason::RateLimited);
    }
}
