//! How the deliveries of a page go from state to state. The worker that sends and the ledger run the very same
//! functions on their copies, so what a caller is told and what is written down cannot disagree.

use crate::{
    crypto::hash,
    model::{
        delivery::{Delivery, Reason, Seen, State},
        ids::PushId,
        page::{Page, Part},
        push::OnUnknown,
        time::Millis,
    },
    wire::ledger::{End, To},
};

/// A delivery that is `sending` for so long has lost its worker: a worker ends within 45 s.
pub const SILENT_MS: u64 = 60_000;
/// Most tries of one delivery.
pub const TRIES_MAX: u32 = 12;
/// What waits for its account comes up to a quarter of this later, milliseconds.
const SPREAD_MS: u64 = 20_000;

/// Applies what became of deliveries. A word on another try than the present one, or on a delivery that has ended, changes
/// nothing: a call that is repeated is harmless. `true`: something was applied.
pub fn settle(page: &mut Page, ends: &[End], now: Millis) -> bool {
    let mut applied = false;
    let Page { push, part, expires, on_unknown, deliveries, .. } = page;
    let (expires, on_unknown) = (*expires, *on_unknown);
    for end in ends {
        let Some(delivery) = deliveries.get_mut(end.at as usize) else { continue };
        if delivery.tries != end.tries || !takes(delivery, &end.to) {
            continue;
        }
        applied = true;
        delivery.sent |= end.sent;
        delivery.downgraded = end.downgraded;
        if let Some(tag) = end.tag.filter(|tag| *tag != delivery.tag) {
            // What was reported of another token says nothing of this one.
            (delivery.tag, delivery.lost) = (tag, None);
        }
        if delivery.arrived() && !matches!(end.to, To::Accepted(_)) {
            arrived(delivery, now);
            continue;
        }
        let salt = || salt(push, *part, end.tries);
        match &end.to {
            To::Accepted(vendor_id) => {
                delivery.go(State::Accepted, None, end.detail.clone(), now);
                delivery.vendor_id.clone_from(vendor_id);
                lost(delivery, now);
            }
            To::Skipped(until) => {
                delivery.go(State::Skipped, end.reason, end.detail.clone(), now);
                delivery.until = *until;
            }
            To::Failed => delivery.go(State::Failed, end.reason, end.detail.clone(), now),
            To::Held(until) => {
                delivery.go(State::Held, end.reason, end.detail.clone(), now);
                delivery.until = Some(*until);
            }
            To::Wait(until) => match waits(delivery, *until, expires, &salt, now) {
                Ok(at) => delivery.wait(at, end.reason, end.detail.clone(), now),
                Err(why) => delivery.go(State::Failed, why.or(end.reason), end.detail.clone(), now),
            },
            To::Unknown => unknown(delivery, on_unknown, end.detail.clone(), expires, &salt, now),
            To::Retry(after) => match next_try(delivery, *after, expires, &salt, now) {
                Ok(at) => {
                    delivery.go(State::Retrying, end.reason, end.detail.clone(), now);
                    delivery.until = Some(at);
                }
                Err(why) => delivery.go(State::Failed, why.or(end.reason), end.detail.clone(), now),
            },
        }
    }
    applied
}

/// Whether a word on the present try still counts: the delivery waits for it, or was given up without one.
fn takes(delivery: &Delivery, to: &To) -> bool {
    let given_up = match delivery.state {
        State::Unknown => true,
        State::Retrying => delivery.reason == Some(Reason::NoAnswer),
        State::Sending
        | State::Accepted
        | State::Skipped
        | State::Failed
        | State::Cancelled
        | State::Held => false,
    };
    delivery.state == State::Sending || (given_up && *to != To::Unknown)
}

/// The end of a try is not known: once more where the push says so, under the same ids.
fn unknown(
    delivery: &mut Delivery,
    on_unknown: OnUnknown,
    detail: Option<String>,
    expires: Millis,
    salt: &dyn Fn() -> u32,
    now: Millis,
) {
    delivery.sent = true;
    if delivery.arrived() {
        return arrived(delivery, now);
    }
    if lost(delivery, now) {
        return;
    }
    let again = match on_unknown {
        OnUnknown::Resend => next_try(delivery, None, expires, salt, now).ok(),
        OnUnknown::Keep => None,
    };
    let state = if again.is_some() { State::Retrying } else { State::Unknown };
    delivery.go(state, Some(Reason::NoAnswer), detail, now);
    delivery.until = again;
}

/// What came to the phone was accepted, whatever the answer was: it is not sent again.
pub(super) fn arrived(delivery: &mut Delivery, now: Millis) {
    delivery.go(State::Accepted, None, Some("reported as arrived".into()), now);
}

/// Ends what its vendor has reported as not arrived: it had been accepted. `true`: there was such a report.
pub(super) fn lost(delivery: &mut Delivery, now: Millis) -> bool {
    let Some((reason, detail)) = delivery.lost.take_if(|_| delivery.seen.is_none()) else { return false };
    delivery.seen = Some((Seen::Lost, now));
    delivery.go(State::Failed, Some(reason), Some(detail), now);
    true
}

/// When a delivery is tried again: as the vendor asks, not sooner than its rule, and up to a quarter later, so that what
/// failed together does not come back together. `Err`: never; the reason, if it is another one than the vendor's.
fn next_try(
    delivery: &Delivery,
    after: Option<u32>,
    expires: Millis,
    salt: &dyn Fn() -> u32,
    now: Millis,
) -> Result<Millis, Option<Reason>> {
    let rule = delivery.vendor.map_or(60, |vendor| vendor.retry_secs(delivery.tried()));
    let wait = u64::from(after.unwrap_or_default().max(rule)) * 1_000;
    let at = Millis(now.0.saturating_add(wait + wait * u64::from(salt() % 256) / 1_024));
    if delivery.tried() >= TRIES_MAX {
        return Err(None);
    }
    if at < expires { Ok(at) } else { Err(too_late(delivery, expires)) }
}

/// When a delivery that its account does not let pass asks again: at that time or some seconds later, so that not all ask at once,
/// but not too late.
fn waits(
    delivery: &Delivery,
    until: Millis,
    expires: Millis,
    salt: &dyn Fn() -> u32,
    now: Millis,
) -> Result<Millis, Option<Reason>> {
    let until = until.max(now);
    if until >= expires {
        return Err(too_late(delivery, expires));
    }
    let spread = (until.0 - now.0).min(SPREAD_MS) * u64::from(salt() % 256) / 1_024;
    Ok(Millis(until.0.saturating_add(spread)).min(Millis(expires.0 - 1)))
}

/// Now or never (`ttl` 0) does not expire: there the vendor's reason is the reason.
fn too_late(delivery: &Delivery, expires: Millis) -> Option<Reason> {
    let now_or_never = delivery.trace.is_empty() && delivery.since >= expires;
    (!now_or_never).then_some(Reason::Expired)
}

/// A number that is the same for every copy of this try, and for all deliveries of the page: a list of tokens that comes back
/// together is the same list, and so has the same id for the vendor.
fn salt(push: &PushId, part: Part, tries: u32) -> u32 {
    let [a, b, ..] = hash::sha256(format!("{push}{part}/{tries}").as_bytes());
    u32::from(u16::from_be_bytes([a, b]))
}

/// Takes the deliveries that are due: their next try begins. What has expired ends instead.
pub fn take(page: &mut Page, now: Millis) -> Vec<u32> {
    let expires = page.expires;
    let mut due = Vec::new();
    for (at, delivery) in (0u32..).zip(&mut page.deliveries) {
        if !delivery.state.waits() || delivery.until.is_some_and(|until| until > now) {
            continue;
        }
        if expires <= now {
            delivery.go(State::Failed, Some(Reason::Expired), None, now);
        } else {
            delivery.go(State::Sending, None, None, now);
            delivery.tries += 1;
            due.push(at);
        }
    }
    due
}

/// Gives up deliveries whose worker is gone. `true`: there were some.
pub fn sweep(page: &mut Page, now: Millis) -> bool {
    let Page { push, part, expires, on_unknown, deliveries, .. } = page;
    let mut found = false;
    for delivery in deliveries {
        if delivery.state == State::Sending && now.0 >= delivery.since.0.saturating_add(SILENT_MS) {
            let tries = delivery.tries;
            let salt = || salt(push, *part, tries);
            let why = Some("the worker ended before the answer".into());
            unknown(delivery, *on_unknown, why, *expires, &salt, now);
            found = true;
        }
    }
    found
}

/// Ends what waits when its time is over, also if nobody ever takes it. `true`: there was something.
pub fn expire(page: &mut Page, now: Millis) -> bool {
    if page.expires > now {
        return false;
    }
    let mut found = false;
    for delivery in page.deliveries.iter_mut().filter(|delivery| delivery.state.waits()) {
        delivery.go(State::Failed, Some(Reason::Expired), None, now);
        found = true;
    }
    found
}

/// Takes back what waits. `true`: there was something.
pub fn cancel(page: &mut Page, now: Millis) -> bool {
    let mut found = false;
    for delivery in page.deliveries.iter_mut().filter(|delivery| delivery.state.waits()) {
        delivery.go(State::Cancelled, None, None, now);
        found = true;
    }
    found
}

/// When something has to be looked at next.
pub fn next(page: &Page) -> Option<Millis> {
    let due = |delivery: &Delivery| match delivery.state {
        State::Sending => Some(Millis(delivery.since.0.saturating_add(SILENT_MS))),
        State::Retrying => Some(delivery.until.unwrap_or(delivery.since)),
        // What would be held beyond its time ends when that is over.
        State::Held => Some(delivery.until.unwrap_or(delivery.since).min(page.expires)),
        State::Accepted | State::Skipped | State::Failed | State::Unknown | State::Cancelled => None,
    };
    page.deliveries.iter().filter_map(due).min()
}
