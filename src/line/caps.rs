//! Part of step 6: begun deliveries → those that their users' devices may still have. Pure half: which users are asked, and what
//! their answers mean for the deliveries.

use super::{admit, begin::Batch};
use crate::{
    crypto::hash,
    model::{
        app::App,
        delivery::{Reason, Recipient},
        govern::{Govern, Whose},
        ids::UserId,
        page::{Page, Part},
        policy::{Over, Policy},
        time::Millis,
    },
    vendor::rules,
    wire::{
        ledger::{End, To},
        user::{Call, Place, Rule, Spend, Spent, tag},
    },
};

/// What one user's object is asked about a page, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Whose.
    pub user: UserId,
    /// The question.
    pub spend: Spend,
    /// Which entry of the page each of its devices is.
    pub entries: Vec<usize>,
    /// The answer about each of them.
    pub answers: Vec<Spent>,
}

/// What holds a page back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// All of it: a rule of the app's on what nobody cares for, by its place in the policy.
    pub governed: Option<usize>,
    /// Each user by itself.
    pub asked: Vec<Asked>,
}

/// Who is to be asked: users of whose devices something limits how often they are sent to. Nobody where nothing does; a raw token
/// has no user.
pub fn questions(app: &App, batch: &Batch) -> Vec<Asked> {
    let (page, policy) = (&batch.page, &app.policy);
    let (caps, rules) = (policy.caps(page.category), rules_on_users(policy, page));
    let mut all: Vec<Asked> = Vec::new();
    for (at, delivery) in page.deliveries.iter().enumerate() {
        let (Some(vendor), Recipient::Device(user, device)) = (delivery.vendor, &delivery.recipient) else {
            continue;
        };
        let goes_as = admit::class(app, vendor, page.category).goes_as;
        let per_day = rules::per_device(vendor, goes_as, policy, page.part == Part::Whole);
        let limited = per_day.is_some() || !caps.is_empty() || !rules.is_empty();
        if batch.address(at, vendor).is_none() || !limited {
            continue;
        }
        let asked = match all.iter().position(|asked| asked.user == *user) {
            Some(at) => at,
            None => {
                let spend = Spend {
                    push: page.push.tail().to_owned(),
                    category: page.category,
                    campaign: page.campaign.as_deref().map(hash::tag),
                    devices: Vec::new(),
                    caps: caps.to_vec(),
                    rules: rules.clone(),
                    again: batch.again,
                };
                all.push(Asked { user: user.clone(), spend, entries: Vec::new(), answers: Vec::new() });
                all.len() - 1
            }
        };
        if let Some(asked) = all.get_mut(asked) {
            asked.spend.devices.push(Place { tag: tag(vendor, device), per_day });
            asked.entries.push(at);
        }
    }
    all
}

/// The rules on what a user does not care for that mean this page.
fn rules_on_users(policy: &Policy, page: &Page) -> Vec<Rule> {
    let mut rules = Vec::new();
    for (at, rule) in policy.govern.iter().enumerate() {
        if rule.whose == Whose::User && rule.means(page.category, page.campaign.as_deref()) {
            let Govern { click_rate_under, sends, .. } = *rule;
            rules.push(Rule { at, by_campaign: rule.campaign.is_some(), click_rate_under, sends });
        }
    }
    rules
}

/// Ends what may not pass.
pub fn apply(batch: &mut Batch, said: &Said, over: &[Over]) {
    let Page { category, expires, .. } = batch.page;
    let capped = |until: Millis, detail: &str| {
        let to = admit::later(over, category, until, expires).map_or(To::Skipped(Some(until)), To::Held);
        (to, Reason::Cap, Some(detail.to_owned()))
    };
    let governed = |rule: usize| {
        let detail = format!("too few of the last of these were clicked: policy.govern/{rule}");
        (To::Skipped(None), Reason::Governed, Some(detail))
    };
    if let Some(rule) = said.governed {
        for vendor in batch.vendors() {
            batch.pass(vendor, 0, 0, &governed(rule));
        }
    }
    for asked in &said.asked {
        for (at, spent) in asked.entries.iter().zip(&asked.answers) {
            let end = match spent {
                Spent::Counted | Spent::Known => continue,
                Spent::User(until) => {
                    capped(*until, "the user has had as many of these as policy.caps allows")
                }
                Spent::Device(until) => {
                    capped(*until, "this device has had as many of these today as its vendor allows")
                }
                Spent::Governed(rule) => governed(*rule),
            };
            if let Some(entry) = batch.entries.get_mut(*at) {
                // Without an address it has no grant to give back.
                (entry.end, entry.address) = (Some(end), None);
            }
        }
    }
}

/// What goes back of what was counted: of the devices of which this is said.
fn back(all: &[Asked], is: &dyn Fn(usize, Spent) -> bool) -> Vec<(UserId, Call)> {
    let mut calls = Vec::new();
    for asked in all {
        let mut tags = Vec::new();
        for ((at, spent), place) in asked.entries.iter().zip(&asked.answers).zip(&asked.spend.devices) {
            if is(*at, *spent) {
                tags.push(place.tag);
            }
        }
        if !tags.is_empty() {
            calls.push((asked.user.clone(), Call::Unspend(asked.spend.push.clone(), tags)));
        }
    }
    calls
}

/// Nothing of the page is sent, or somebody else sends it: what these calls have counted goes back. What another try asked about
/// goes on waiting, and keeps its place.
pub fn undone(batch: &Batch, all: &[Asked]) -> Vec<(UserId, Call)> {
    back(all, &|_, spent| spent == Spent::Counted && !batch.again)
}

/// What passed and did not go out after all, or was refused by its vendor. What waits for another try or may have arrived counts,
/// and so does what the vendor has a cap of its own on; a device with a dead token counts nothing any more.
pub fn unspent(batch: &Batch, all: &[Asked], ends: &[End], now: Millis) -> Vec<(UserId, Call)> {
    // Now or never: there is no other try.
    let never = batch.page.expires <= now;
    let goes_back = |end: &End| match (&end.to, end.reason) {
        (To::Retry(_) | To::Wait(_), _) => never,
        (To::Accepted(_) | To::Unknown, _) | (To::Failed, Some(Reason::Cap | Reason::TokenGone)) => false,
        (To::Skipped(_) | To::Failed | To::Held(_), _) => true,
    };
    back(all, &|at, spent| spent.passes() && ends.iter().any(|end| end.at as usize == at && goes_back(end)))
}

#[cfg(test)]
mod tests;
