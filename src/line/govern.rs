//! Rules of the app's on what nobody cares for: counts of the funnel → which of them hold back.

use crate::{
    model::{
        delivery::{Seen, State},
        govern::Govern,
        time::Millis,
    },
    wire::ledger::Cell,
};

/// How far is looked back for as many sends as a rule wants, hours.
pub const BACK: [u64; 3] = [24, 7 * 24, 30 * 24];
const HOUR_MS: u64 = 3_600_000;

/// The hour before which what was sent has had its time. Without such a time the present hour counts, too.
pub fn until(wait_secs: u32, now: Millis) -> u64 {
    match wait_secs {
        0 => now.0 / HOUR_MS + 1,
        secs => now.0.saturating_sub(u64::from(secs) * 1_000) / HOUR_MS,
    }
}

/// Whether a rule holds back, by what vendors took and users clicked; `None`: that was too little to say.
pub fn holds(rule: &Govern, cells: &[Cell]) -> Option<bool> {
    let (mut sends, mut clicks) = (0, 0);
    for Cell { kind, n } in cells {
        if rule.means(kind.category, kind.campaign.as_deref()) && kind.state == Some(State::Accepted) {
            sends += n;
            clicks += if kind.seen == Some(Seen::Clicked) { *n } else { 0 };
        }
    }
    (sends >= i64::from(rule.sends)).then(|| rule.click_rate_under.is_above(clicks, sends))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{
            govern::{ClickRate, Whose},
            push::Category,
        },
        wire::ledger::Kind,
    };

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
        for (category, campaign, rate, sends, holds) in [
            (Category::Marketing, None, 0.100_001, 100, Some(true)),
            (Category::Marketing, None, 0.1, 100, Some(false)),
            (Category::Marketing, None, 0.100_001, 101, None),
            (Category::Im, None, 0.100_001, 1, None),
            (Category::Marketing, Some("spring"), 1e-6, 90, Some(true)),
            (Category::Marketing, Some("spring"), 1e-6, 91, None),
            (Category::Marketing, Some("autumn"), 1e-6, 1, None),
        ] {
            let click_rate_under = ClickRate::new(rate).unwrap();
            let campaign = campaign.map(str::to_owned);
            let rule = Govern { category, campaign, click_rate_under, sends, whose: Whose::APP };
            assert_eq!(super::holds(&rule, &cells), holds, "{rule:?}");
        }
    }

    #[test]
    fn what_was_sent_just_now_has_not_had_its_time() {
        let now = Millis(10 * HOUR_MS + 60_000);
        assert_eq!([until(0, now), until(60, now), until(61, now), until(3_600, now)], [11, 10, 9, 9]);
    }
}
