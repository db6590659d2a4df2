//! Step 6, without a call, I/O half: leases of this isolate, and the one call that brings back what is left of them.

use std::{rc::Rc, time::Duration};

use worker::Delay;

use super::{
    admit::{self, account_key},
    cx::Cx,
    memory,
};
use crate::{
    line::lease::{Grants, Wish},
    model::app::App,
    vendor::Vendor,
    wire::account::{Class, Grant, LEASE_MS},
};

/// When a lease has ended it goes back so much later, milliseconds: a push that passed with it gives back what it did not use first.
const LINGER_MS: u64 = 200;

/// Lets deliveries pass out of what is held.
pub(super) fn take(cx: &Cx, app: &App, vendor: Vendor, class: Class, n: usize) -> Option<Grants> {
    memory::purse(&account_key(app, vendor), class, |purse| purse.take(n as u64, app.revision, cx.now))
}

/// What is to be wished for beside a question. What could not bring a lease back does not wish for one.
pub(super) fn wish(cx: &Cx, app: &App, vendor: Vendor, class: Class, n: usize) -> Wish {
    if cx.context.is_none() || !cx.config.quota_leases {
        return Wish::default();
    }
    memory::purse(&account_key(app, vendor), class, |purse| purse.wish(n as u64, class, cx.now))
}

/// Puts away what the account gave. The request that brought it stays until the lease has ended, to bring back what is left.
pub(super) fn keep(cx: &Cx, app: &App, vendor: Vendor, class: Class, grant: &Grant) {
    let (Some(lease), Some(context)) = (grant.lease, &cx.context) else { return };
    let account = account_key(app, vendor);
    memory::purse(&account, class, |purse| purse.put(grant, app.revision));
    let (later, tenant) = (Cx::new(cx.env.clone(), Rc::clone(&cx.config)), app.tenant());
    context.wait_until(async move {
        Delay::from(Duration::from_millis(LEASE_MS + LINGER_MS)).await;
        if let Some(back) = memory::purse(&account, class, |purse| purse.ended(lease.id, class)) {
            admit::bring_back(&later, &tenant, vendor, back).await;
        }
    });
}

/// What was not used after all stays here. `false`: it is to go back to the account.
pub(super) fn put_back(cx: &Cx, app: &App, vendor: Vendor, class: Class, n: u64, grants: Grants) -> bool {
    memory::purse(&account_key(app, vendor), class, |purse| purse.put_back(n, grants, cx.now))
}
