//! Step 6, without a call, I/O half: leases of this isolate, and the one call that brings back what is left of them.

use std::rc::Rc;

use super::{
    admit::{self, account_key},
    cx::{Cx, now},
    glue, memory,
};
use crate::{
    line::lease::{Grants, Wish},
    model::{app::App, ids::Tenant},
    vendor::Vendor,
    wire::account::{Class, Grant, LEASE_MS, Return},
};

/// When a lease has ended it goes back so much later, milliseconds: a push that passed with it gives back what it did not use first.
const LINGER_MS: u64 = 200;

/// Lets deliveries pass out of what is held.
pub(super) fn take(app: &App, vendor: Vendor, class: Class, n: usize) -> Option<Grants> {
    let now = now();
    memory::purse(&account_key(app, vendor), class, now, |purse| purse.take(n as u64, app.revision, now))
}

/// What is to be wished for beside a question. What could not bring a lease back does not wish for one.
pub(super) fn wish(cx: &Cx, app: &App, vendor: Vendor, class: Class, n: usize) -> Wish {
    if cx.context.is_none() || !cx.config.quota_leases {
        return Wish::default();
    }
    let now = now();
    memory::purse(&account_key(app, vendor), class, now, |purse| purse.wish(n as u64, class, now))
}

/// Puts away what the account gave. The request that brought it stays until the lease has ended, to bring back what is left.
pub(super) fn keep(cx: &Cx, app: &App, vendor: Vendor, class: Class, grant: &Grant) {
    let (Some(lease), Some(context)) = (grant.lease, &cx.context) else { return };
    let (account, now) = (account_key(app, vendor), now());
    let spare = memory::purse(&account, class, now, |purse| purse.put(grant, class, app.revision));
    let (later, tenant) = (Cx::new(cx.env.clone(), Rc::clone(&cx.config)), app.tenant());
    let lasts = lease.until.0.saturating_sub(now.0).min(LEASE_MS) + LINGER_MS;
    glue::wait_until(context, async move {
        bring_back(&later, &tenant, vendor, spare).await;
        glue::sleep(lasts).await;
        let rest = memory::purse(&account, class, self::now(), |purse| purse.ended(lease.id, class));
        bring_back(&later, &tenant, vendor, rest).await;
    });
}

/// Tells the account what is left of a lease, if anything is.
async fn bring_back(cx: &Cx, tenant: &Tenant, vendor: Vendor, rest: Option<Return>) {
    if let Some(rest) = rest.filter(|rest| rest.n > 0) {
        admit::bring_back(cx, tenant, vendor, rest).await;
    }
}

/// What was not used after all stays here, as far as there is room; gives how many are to go back to the account.
pub(super) fn put_back(app: &App, vendor: Vendor, class: Class, n: u64, grants: Grants) -> u64 {
    let now = now();
    memory::purse(&account_key(app, vendor), class, now, |purse| purse.put_back(n, grants, now))
}
