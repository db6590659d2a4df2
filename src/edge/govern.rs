//! Part of step 6, I/O half: whether a rule of the app's holds back what nobody cares for. The ledgers' counts say so; they are
//! asked once in some minutes.

use super::{cx::Cx, ledger, log, memory};
use crate::{
    line::{begin::Batch, govern},
    model::{
        app::App,
        govern::{Govern, Whose},
        time::Millis,
    },
};

/// What the counts say holds for so long, milliseconds.
const HOLDS_MS: u64 = 300_000;

/// The first rule that holds this page back, by its place in the policy.
pub(super) async fn holds(cx: &Cx, app: &App, batch: &Batch) -> Option<usize> {
    let (category, campaign) = (batch.page.category, batch.page.campaign.as_deref());
    for (at, rule) in app.policy.govern.iter().enumerate() {
        let Whose::App { wait_secs } = rule.whose else { continue };
        if !rule.means(category, campaign) {
            continue;
        }
        // Another policy is another rule.
        let name = format!("{} {} {at}", app.tenant(), app.revision);
        let holds = match memory::holds(&name, cx.now) {
            Some(holds) => holds,
            None => {
                let holds = ask(cx, app, rule, wait_secs).await;
                memory::remember_holds(name, holds, Millis(cx.now.0 + HOLDS_MS));
                holds
            }
        };
        if holds {
            return Some(at);
        }
    }
    None
}

/// Looks back until there are as many sends as the rule wants. Where a ledger does not answer, or there are too few, it lets pass.
async fn ask(cx: &Cx, app: &App, rule: &Govern, wait_secs: u32) -> bool {
    let to = govern::until(wait_secs, cx.now);
    for hours in govern::BACK {
        match ledger::funnel(cx, &app.tenant(), to.saturating_sub(hours), to).await {
            Ok(cells) => {
                if let Some(holds) = govern::holds(rule, &cells) {
                    return holds;
                }
            }
            Err(_) => {
                log::error("govern_not_known", &[("app", app.id.as_str())]);
                return false;
            }
        }
    }
    false
}
