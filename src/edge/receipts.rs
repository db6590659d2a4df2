//! What vendors and apps report of messages later → the ledgers, and what of it changes the device library → the users.

use super::{cx::Cx, ledger, log, resolve, together::together};
use crate::{
    crypto::hash,
    model::{
        delivery::{Reason, Recipient},
        ids::{Tenant, UserId},
        problem::Problem,
        table::Table,
    },
    vendor::{
        Vendor,
        receipt::{self, Receipt},
    },
    wire::{
        ledger::{Call, Event, Found, Heard, Outcome, Whose},
        user::{self, Gone},
    },
};

/// Reports in one call of a ledger.
const ROUND: usize = 500;
/// Objects told at once.
const AT_ONCE: usize = 6;

/// Tells the ledgers; answers for each report whose delivery it is about.
pub(super) async fn hear(
    cx: &Cx,
    tenant: &Tenant,
    reports: Vec<Heard>,
) -> Result<Vec<Option<Found>>, Problem> {
    let mut shards: Table<u32, Vec<(usize, Heard)>> = Table::new();
    let mut whose = vec![None; reports.len()];
    for (at, report) in reports.into_iter().enumerate() {
        shards.entry(report.push.shard(cx.config.ledger_shards)).or_default().push((at, report));
    }
    let rounds = shards.iter().flat_map(|(_, all)| all.chunks(ROUND));
    let told = rounds.map(|round| async move {
        let (places, reports): (Vec<usize>, Vec<Heard>) = round.iter().cloned().unzip();
        let Some(push) = reports.first().map(|report| report.push.clone()) else { return Ok(Vec::new()) };
        match ledger::ask(cx, tenant, &push, Call::Hear(reports)).await? {
            Outcome::Heard(found, ..) => Ok(places.into_iter().zip(found).collect::<Vec<_>>()),
            Outcome::Done
            | Outcome::Exists(_)
            | Outcome::Nothing
            | Outcome::Distrust(_)
            | Outcome::Taken(_)
            | Outcome::Slice(_)
            | Outcome::Known(_)
            | Outcome::Funnel(_)
            | Outcome::Erased(..) => Err(ledger::unusable()),
        }
    });
    for found in together(AT_ONCE, told).await {
        for (at, found) in found? {
            if let Some(place) = whose.get_mut(at) {
                *place = found;
            }
        }
    }
    Ok(whose)
}

/// What a vendor reports. A report about nothing that is known is passed over.
pub(super) async fn take(
    cx: &Cx,
    tenant: &Tenant,
    vendor: Vendor,
    receipts: Vec<Receipt>,
) -> Result<(), Problem> {
    let mut reports = Vec::new();
    let mut tokens = Vec::new();
    for receipt in receipts {
        let Some((push, n)) = receipt::place(&receipt.tag) else { continue };
        for token in receipt.tokens {
            let whose = Whose::Token(vendor, hash::tag(&token));
            reports.push(Heard { push: push.clone(), n, whose, event: receipt.event.clone() });
            tokens.push((token, receipt.event.clone()));
        }
    }
    let whose = hear(cx, tenant, reports).await?;
    let (mut gone, mut muted): (Table<UserId, Vec<Gone>>, Table<UserId, Vec<Gone>>) = Default::default();
    for (recipient, (token, event)) in whose.into_iter().zip(tokens) {
        let Some(Found { recipient: Recipient::Device(user, device), .. }) = recipient else { continue };
        let words = match event {
            Event::Lost(Reason::TokenGone, _) => &mut gone,
            Event::Lost(Reason::PermissionOff, _) => &mut muted,
            Event::Lost(..) | Event::Seen(_) => continue,
        };
        let token_sha256 = hash::sha256_hex(token.as_bytes());
        words.entry(user).or_default().push(Gone { device, token_sha256, since: None, remove: true });
    }
    let gone = gone.into_iter().map(|(user, words)| (user, user::Call::Gone(words)));
    let muted = muted.into_iter().map(|(user, words)| (user, user::Call::Muted(words)));
    let told = gone
        .chain(muted)
        .map(|(user, call)| async move { resolve::call(cx, tenant, &user, call).await.map(|_| ()) });
    // The ledgers know already; a vendor that calls again would tell the users as well.
    for told in together(AT_ONCE, told).await {
        if let Err(problem) = told {
            log::error("user_not_told", &[("app", tenant.app.as_str()), ("vendor", vendor.name())]);
            return Err(problem);
        }
    }
    Ok(())
}
