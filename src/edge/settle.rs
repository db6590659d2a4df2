//! Step 8, I/O half: unused grants go back, dead tokens go to the `User` objects. Neither can change what the caller
//! is told: the deliveries are final before.

use std::collections::BTreeMap;

use super::{
    admit::{self, Pass},
    cx::{Cx, now},
    log, memory, resolve,
};
use crate::{
    line::{
        begin::Batch,
        settle::{self, Aftermath, Tried, Weigh},
    },
    model::{app::App, push::Category},
    vendor::Vendor,
    wire::{
        account::{Call, Outcome},
        user,
    },
};

/// Makes every state final, then cleans up.
pub(super) async fn settle(
    cx: &Cx,
    app: &App,
    category: Category,
    batch: &mut Batch,
    passes: &BTreeMap<Vendor, Pass>,
    tried: Vec<Tried>,
) {
    let Aftermath { weigh, unused } = settle::settle(batch, tried, now());
    for (vendor, n) in unused {
        if let Some(pass) = passes.get(&vendor) {
            admit::give_back(cx, app, vendor, category, pass, n).await;
        }
    }
    for ((vendor, blame), weigh) in weigh {
        let account = admit::account_key(app, vendor);
        memory::count_accepted(&account, &blame, weigh.accepted);
        if weigh.certain.is_empty() && weigh.ambiguous.is_empty() {
            continue;
        }
        if weigh.mass() {
            log::alert(
                "most_tokens_of_a_batch_gone",
                &[("app", app.id.as_str()), ("vendor", vendor.name()), ("push", batch.id.as_str())],
            );
        }
        let believed = believed(cx, app, vendor, &blame, &weigh).await;
        for (user, items) in settle::by_user(weigh.words(believed)) {
            let call = user::Call::Gone { items };
            if resolve::call(cx, &app.tenant(), &user, call).await.is_err() {
                log::error(
                    "dead_token_not_reported",
                    &[("app", app.id.as_str()), ("push", batch.id.as_str())],
                );
            }
        }
    }
}

/// Whether ambiguous answers may remove tokens: the account's memory decides, and doubt keeps.
async fn believed(cx: &Cx, app: &App, vendor: Vendor, blame: &str, weigh: &Weigh) -> bool {
    if weigh.ambiguous.is_empty() {
        return false;
    }
    let accepted = memory::take_accepted(&admit::account_key(app, vendor), blame);
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
