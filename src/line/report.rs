//! What vendors report of messages later → words for ledgers and users. Pure half.
//!
//! Reports come late, again, and from whoever knows the address. So a word on a device says when it was said, and the
//! device's own word since then is stronger; and as with answers nothing is removed when most of a batch is called dead.

use super::settle::{Dead, Weigh};
use crate::{
    crypto::hash,
    model::{
        delivery::{Reason, Recipient},
        table::Table,
        time::Millis,
    },
    vendor::{
        Vendor,
        receipt::{self, Receipt},
    },
    wire::{
        job::Report,
        ledger::{Event, Found, Heard, Whose},
        user::Gone,
    },
};

/// Reports that one request or job takes.
pub const ROUND: usize = 100;

/// A report for each token, and how often codes came whose meaning is not known. What names no message of ours is left out.
pub fn each(receipts: Vec<Receipt>) -> (Vec<Report>, Table<String, usize>) {
    let (mut reports, mut unknown) = (Vec::new(), Table::new());
    for Receipt { tag, tokens, word, at } in receipts {
        let event = match word {
            Ok(event) => event,
            Err(code) => {
                *unknown.entry(code).or_default() += tokens.len();
                continue;
            }
        };
        let Some((push, n)) = receipt::place(&tag) else { continue };
        reports.extend(tokens.iter().map(|token| Report {
            push: push.clone(),
            n,
            token_sha256: hash::sha256_hex(token.as_bytes()),
            event: event.clone(),
            at,
        }));
    }
    (reports, unknown)
}

/// The report as its ledger hears it.
pub fn heard(vendor: Vendor, report: &Report) -> Heard {
    let Report { push, n, token_sha256, event, .. } = report;
    let whose = Whose::Token(vendor, hash::tag_of(token_sha256));
    Heard { push: push.clone(), n: *n, whose, event: event.clone() }
}

/// What is to be said to users: of dead tokens, to be weighed, and of notifications that are off. `standing` and `gone` are
/// of the pages that the reports are about.
pub fn words(
    reports: Vec<Report>,
    found: Vec<Option<Found>>,
    standing: u32,
    gone: u32,
    now: Millis,
) -> (Weigh, Vec<Dead>) {
    let (mut weigh, mut muted) = (Weigh { accepted: standing.into(), ..Weigh::default() }, Vec::new());
    for (Report { token_sha256, event, at, .. }, found) in reports.into_iter().zip(found) {
        let Some(Found { recipient: Recipient::Device(user, device), sent_at }) = found else { continue };
        // Where the vendor names no time, what the device has said since it was sent to is stronger.
        let since = Some(at.unwrap_or(sent_at).min(now));
        let word = Dead { user, gone: Gone { device, token_sha256, since, remove: true, reported: true } };
        match event {
            Event::Lost(Reason::TokenGone, _) => weigh.certain.push(word),
            Event::Lost(Reason::PermissionOff, _) => muted.push(word),
            Event::Lost(..) | Event::Seen(_) => {}
        }
    }
    weigh.before = (gone as usize).saturating_sub(weigh.certain.len());
    (weigh, muted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        delivery::Seen,
        ids::{DeviceId, PushId, UserId},
    };

    const SENT: Millis = Millis(1_000);
    const NOW: Millis = Millis(9_000);

    fn report(n: u32, event: Event, at: Option<u64>) -> Report {
        let token_sha256 = hash::sha256_hex(format!("t{n}").as_bytes());
        Report { push: PushId::new(Millis(0), [1; 10]), n, token_sha256, event, at: at.map(Millis) }
    }

    fn found(n: u32) -> Option<Found> {
        let user = UserId::parse(format!("u{n}")).unwrap();
        Some(Found { recipient: Recipient::Device(user, DeviceId::parse("d").unwrap()), sent_at: SENT })
    }

    fn gone() -> Event {
        Event::Lost(Reason::TokenGone, "receipt 2".into())
    }

    #[test]
    fn tokens_become_reports_and_unknown_codes_are_counted() {
        let push = PushId::new(Millis(0), [1; 10]);
        let receipt = |tag: String, word| Receipt {
            tag,
            tokens: vec!["a".into(), "b".into()],
            word,
            at: Some(Millis(5)),
        };
        let own = format!("{push}.7");
        let (reports, unknown) = each(vec![
            receipt(own.clone(), Ok(gone())),
            receipt(own.clone(), Err("77".into())),
            receipt(own, Err("77".into())),
            receipt("m-1".into(), Ok(gone())),
        ]);
        assert_eq!((reports.len(), unknown.get("77")), (2, Some(&4)));
        let Heard { n, whose, .. } = heard(Vendor::Oppo, &reports[1]);
        assert_eq!((n, whose), (7, Whose::Token(Vendor::Oppo, hash::tag("b"))));
    }

    #[test]
    fn a_word_is_of_the_vendors_time_else_of_the_sending_and_never_of_the_future() {
        for (at, since) in [(Some(5_000), 5_000), (None, 1_000), (Some(99_000), 9_000)] {
            let (weigh, muted) = words(vec![report(0, gone(), at)], vec![found(0)], 0, 1, NOW);
            assert_eq!(weigh.certain[0].gone.since, Some(Millis(since)));
            assert!(muted.is_empty() && weigh.certain[0].gone.reported);
            let off = Event::Lost(Reason::PermissionOff, "receipt 6".into());
            let (weigh, muted) = words(vec![report(0, off, at)], vec![found(0)], 0, 0, NOW);
            assert_eq!((weigh.certain.len(), muted[0].gone.since), (0, Some(Millis(since))));
        }
        let reports = vec![report(0, gone(), None), report(1, Event::Seen(Seen::Received), None)];
        assert!(words(reports, vec![None, found(1)], 1, 0, NOW).0.certain.is_empty());
    }

    /// Law 6: as with answers, most of a batch at once is our own fault; and so is most of a page, one by one.
    #[test]
    fn most_of_a_batch_is_not_believed() {
        let removed = |dead: u32, standing, gone_in_all| {
            let reports = (0..dead).map(|n| report(n, gone(), None)).collect();
            let (weigh, _) = words(reports, (0..dead).map(found).collect(), standing, gone_in_all, NOW);
            (weigh.suspect(), weigh.words(false).iter().filter(|dead| dead.gone.remove).count())
        };
        assert_eq!(removed(1, 0, 1), (false, 1));
        assert_eq!(removed(30, 70, 30), (false, 30), "the rest of the page stands");
        assert_eq!(removed(30, 0, 30), (true, 0));
        assert_eq!(removed(5, 40, 60), (true, 0), "55 were called dead before");
    }
}
