//! Step 8, I/O half, beside the ledger's: unused grants go back, dead tokens go to the `User` objects. Neither can change
//! what the caller is told.

use super::{
    admit::{self, Passes},
    cx::Cx,
    log, memory, resolve,
};
use crate::{
    line::{
        begin::Batch,
        settle::{self, Aftermath, Weigh},
    },
    model::app::App,
    vendor::Vendor,
    wire::{
        account::{Call, Outcome},
        user,
    },
};

/// Does what is left to do.
pub(super) async fn clean_up(cx: &Cx, app: &App, batch: &Batch, passes: &Passes, after: Aftermath) {
    let Aftermath { weigh, unused } = after;
    for (vendor, n) in unused {
        if let Some(pass) = passes.get(vendor) {
            admit::give_back(cx, app, vendor, batch.page.category, pass, n).await;
        }
    }
    for ((vendor, blame), weigh) in weigh {
        let account = admit::account_key(app, vendor);
        memory::count_accepted(&account, &blame, weigh.accepted, cx.now);
        if weigh.certain.is_empty() && weigh.ambiguous.is_empty() {
            continue;
        }
        if weigh.suspect() {
            log::alert(
                "most_tokens_of_a_batch_gone",
                &[("app", app.id.as_str()), ("vendor", vendor.name()), ("push", batch.page.push.as_str())],
            );
        }
        let believed = believed(cx, app, vendor, &blame, &weigh).await;
        for (user, items) in settle::by_user(weigh.words(believed)) {
            let call = user::Call::Gone { items };
            if resolve::call(cx, &app.tenant(), &user, call).await.is_err() {
                log::error(
                    "dead_token_not_reported",
                    &[("app", app.id.as_str()), ("push", batch.page.push.as_str())],
                );
            }
        }
    }
}

/// Whether ambiguous answers may remove tokens: the account's memory decides, and doubt keeps.
async fn believed(cx: &Cx, app: &App, vendor: Vendor, blame: &str, weigh: &Weigh) -> bool {
    if weigh.ambiguous.is_empty() || weigh.suspect() {
        return false;
    }
    let accepted = memory::take_accepted(&admit::account_key(app, vendor), blame, cx.now);
    let doubtful = weigh.ambiguous.len() as u64;
    let judge = Call::Judge { blame: blame.to_owned(), accepted, doubtful };
    let remove = matches!(admit::call(cx, app, vendor, judge).await, Ok(Outcome::Judged { remove: true }));
    if !remove {
        log::warn(
            "tokens_suspected",
            &[("app", app.id.as_str()), ("vendor", vendor.name()), ("n", &doubtful.to_string())],
        );
    }
    remove
}
