//! Rules of the app's on what nobody cares for: counts of the funnel → which of them hold back.

use crate::{
    model::{
        app::Govern,
        delivery::{Seen, State},
        push::Category,
        time::Millis,
    },
    wire::ledger::Cell,
};

/// How far is looked back for as many sends as a rule wants, hours.
pub const BACK: [u64; 3] = [24, 7 * 24, 30 * 24];
const HOUR_MS: u64 = 3_600_000;

impl Govern<'_> {
    /// A push of this campaign is meant.
    pub fn means(&self, campaign: Option<&str>) -> bool {
        self.campaign.is_none() || self.campaign == campaign
    }
}

/// The hour before which what was sent has had its time. Without such a time the present hour counts, too.
pub fn until(wait: u64, now: Millis) -> u64 {
    match wait {
        0 => now.0 / HOUR_MS + 1,
        wait => now.0.saturating_sub(wait.saturating_mul(1_000)) / HOUR_MS,
    }
}

/// Whether a rule holds back, by what vendors took and users clicked; `None`: that was too little to say.
pub fn holds(rule: &Govern<'_>, category: Category, cells: &[Cell]) -> Option<bool> {
    let (mut sends, mut clicks) = (0, 0);
    for Cell { kind, n } in cells {
        if kind.category == category
            && rule.means(kind.campaign.as_deref())
            && kind.state == Some(State::Accepted)
        {
            sends += n;
            clicks += if kind.seen == Some(Seen::Clicked) { *n } else { 0 };
        }
    }
    let enough = u64::try_from(sends).is_ok_and(|sends| sends >= rule.sends);
    enough.then(|| clicks.saturating_mul(1_000_000) < i64::from(rule.under).saturating_mul(sends))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::ledger::Kind;

    fn cell(campaign: Option<&str>, state: State, seen: Option<Seen>, n: i64) -> Cell {
        let (category, campaign) = (Category::Marketing, campaign.map(str::to_owned));
        let (vendor, platform, reason) = (None, None, None);
        let kind =
            Kind { category, campaign, vendor, platform, state: Some(state), reason, sent: true, seen };
        Cell { kind, n }
    }

    #[test]
    fn a_rule_holds_back_once_there_are_enough_sends_and_too_few_clicks() {
        let cells = [
            cell(Some("spring"), State::Accepted, None, 60),
            cell(Some("spring"), State::Accepted, Some(Seen::Shown), 30),
            cell(None, State::Accepted, Some(Seen::Clicked), 10),
            cell(Some("spring"), State::Failed, None, 1_000),
        ];
        let rule = |campaign, under, sends| Govern { at: 0, campaign, under, sends, wait: Some(0) };
        for (rule, category, holds) in [
            (rule(None, 100_001, 100), Category::Marketing, Some(true)),
            (rule(None, 100_000, 100), Category::Marketing, Some(false)),
            (rule(None, 100_001, 101), Category::Marketing, None),
            (rule(None, 100_001, 1), Category::Im, None),
            (rule(Some("spring"), 1, 90), Category::Marketing, Some(true)),
            (rule(Some("spring"), 1, 91), Category::Marketing, None),
            (rule(Some("autumn"), 1, 1), Category::Marketing, None),
        ] {
            assert_eq!(super::holds(&rule, category, &cells), holds, "{rule:?}");
        }
    }

    #[test]
    fn what_was_sent_just_now_has_not_had_its_time() {
        let now = Millis(10 * HOUR_MS + 60_000);
        assert_eq!([until(0, now), until(60, now), until(61, now), until(3_600, now)], [11, 10, 9, 9]);
    }
}
