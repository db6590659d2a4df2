//! Step 8, I/O half, beside the ledger's: unused grants go back, dead tokens and missed messages go to the `User` objects.
//! None of it can change what the caller is told.

use super::{
    admit::{self, Passes},
    cx::Cx,
    log,
    memory::{self, AccountKey},
    pace, resolve,
};
use crate::{
    line::{
        begin::Batch,
        settle::{self, Aftermath, Weigh},
    },
    model::{app::App, ids::UserId, push::Category},
    vendor::Vendor,
    wire::{
        account::{Call, Outcome},
        user,
    },
};

/// Objects told at once.
const AT_ONCE: usize = 6;

/// Does what is left to do.
pub(super) async fn clean_up(cx: &Cx, app: &App, batch: &Batch, passes: &Passes, after: Aftermath) {
    let Aftermath { weigh, unused, muted, closed, went, back } = after;
    pace::tell(cx, app, passes, &went).await;
    for ((vendor, downgraded), n) in unused {
        let Some(pass) = passes.get(vendor) else { continue };
        let close = closed.contains(&(vendor, downgraded));
        if close {
            let category = if downgraded { Category::Marketing } else { pass.class.goes_as }.name();
            let of = [("app", app.id.as_str()), ("vendor", vendor.name()), ("category", category)];
            log::warn("quota_closed", &of);
        }
        admit::give_back(cx, app, vendor, pass, (n, downgraded), close).await;
    }
    for ((vendor, blame), weigh) in weigh {
        let of = (admit::account_key(app, vendor), blame);
        memory::count_accepted(&of, weigh.accepted, cx.now);
        if weigh.certain.is_empty() && weigh.ambiguous.is_empty() {
            continue;
        }
        if weigh.suspect() {
            log::alert(
                "most_tokens_of_a_batch_gone",
                &[("app", app.id.as_str()), ("vendor", vendor.name()), ("push", batch.page.push.as_str())],
            );
        }
        let believed = believed(cx, app, vendor, of, &weigh).await;
        let words = settle::by_user(weigh.words(believed));
        let words = words.into_iter().map(|(user, items)| (user, user::Call::Gone(items)));
        tell(cx, app, batch, words.collect()).await;
    }
    let muted = settle::by_user(muted).into_iter().map(|(user, items)| (user, user::Call::Muted(items)));
    tell(cx, app, batch, muted.collect()).await;
    let category = batch.page.category;
    let missed = settle::missed(batch).into_iter().map(|user| (user, user::Call::Missed(category)));
    tell(cx, app, batch, missed.chain(back).collect()).await;
}

/// Tells users' objects.
pub(super) async fn tell(cx: &Cx, app: &App, batch: &Batch, words: Vec<(UserId, user::Call)>) {
    for answer in resolve::call_all(cx, &app.tenant(), AT_ONCE, words).await {
        if answer.is_err() {
            log::error("user_not_told", &[("app", app.id.as_str()), ("push", batch.page.push.as_str())]);
        }
    }
}

/// Whether ambiguous answers may remove tokens: the account's memory decides, and doubt keeps.
async fn believed(cx: &Cx, app: &App, vendor: Vendor, of: (AccountKey, String), weigh: &Weigh) -> bool {
    if weigh.ambiguous.is_empty() || weigh.suspect() {
        return false;
    }
    let accepted = memory::take_accepted(&of, cx.now);
    let doubtful = weigh.ambiguous.len() as u64;
    let judge = Call::Judge(of.1, accepted, doubtful);
    let remove = matches!(admit::call(cx, &app.tenant(), vendor, judge).await, Ok(Outcome::Judged(true)));
    if !remove {
        log::warn(
            "tokens_suspected",
            &[("app", app.id.as_str()), ("vendor", vendor.name()), ("n", &doubtful.to_string())],
        );
    }
    remove
}
