//! Part of step 6: begun deliveries → those that their users' devices may still have. Pure half: which users are asked, and what
//! their answers mean for the deliveries.

use super::{admit, begin::Batch};
use crate::{
    crypto::hash,
    model::{
        app::{App, Over},
        delivery::{Reason, Recipient},
        ids::UserId,
        page::Page,
        time::Millis,
    },
    vendor::rules,
    wire::{
        ledger::{End, To},
        user::{Call, Spend, Spent, tag},
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
    /// The rules that users were asked about, by their places in the policy.
    pub rules: Vec<usize>,
}

/// Who is to be asked: users of whose devices something limits how often they are sent to. Nobody where nothing does; a raw token
/// has no user.
pub fn questions(app: &App, batch: &Batch) -> Said {
    let (page, policy) = (&batch.page, &app.policy);
    let caps = policy.caps(page.category);
    let (mut govern, mut rules, mut whole) = (Vec::new(), Vec::new(), 0);
    for by_campaign in [false, true] {
        for rule in policy.govern(Some(page.category)).iter().filter(|rule| rule.wait.is_none()) {
            if rule.campaign.is_some() == by_campaign && rule.means(page.campaign.as_deref()) {
                govern.push((rule.under, rule.sends));
                rules.push(rule.at);
            }
        }
        if !by_campaign {
            whole = rules.len();
        }
    }
    let campaign = page.campaign.as_deref().map_or(0, hash::tag);
    let mut all: Vec<Asked> = Vec::new();
    for (at, delivery) in page.deliveries.iter().enumerate() {
        let (Some(vendor), Recipient::Device(user, device)) = (delivery.vendor, &delivery.recipient) else {
            continue;
        };
        let limit = rules::per_device(vendor, admit::class(app, vendor, page.category).goes_as, policy);
        if batch.address(at, vendor).is_none() || (limit.is_none() && caps.is_empty() && govern.is_empty()) {
            continue;
        }
        let asked = match all.iter().position(|asked| asked.user == *user) {
            Some(at) => at,
            None => {
                let spend = Spend {
                    push: page.push.tail().to_owned(),
                    category: page.category,
                    devices: Vec::new(),
                    caps: caps.clone(),
                    campaign,
                    govern: govern.clone(),
                    whole,
                    again: batch.again,
                };
                all.push(Asked { user: user.clone(), spend, entries: Vec::new(), answers: Vec::new() });
                all.len() - 1
            }
        };
        if let Some(asked) = all.get_mut(asked) {
            asked.spend.devices.push((tag(vendor, device), limit.unwrap_or_default().into()));
            asked.entries.push(at);
        }
    }
    Said { governed: None, asked: all, rules }
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
                Spent::Governed(rule) => governed(said.rules.get(*rule).copied().unwrap_or_default()),
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
        for ((at, spent), (tag, _)) in asked.entries.iter().zip(&asked.answers).zip(&asked.spend.devices) {
            if is(*at, *spent) {
                tags.push(*tag);
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
pub fn unspent(all: &[Asked], ends: &[End]) -> Vec<(UserId, Call)> {
    let goes_back = |end: &End| match (&end.to, end.reason) {
        (To::Accepted(_) | To::Unknown | To::Retry(_) | To::Wait(_), _)
        | (To::Failed, Some(Reason::Cap | Reason::TokenGone)) => false,
        (To::Skipped(_) | To::Failed | To::Held(_), _) => true,
    };
    back(all, &|at, spent| spent.passes() && ends.iter().any(|end| end.at as usize == at && goes_back(end)))
}

#[cfg(test)]
mod tests;
