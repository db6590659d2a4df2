//! Rules of an app on what its users do not care for.

use serde::{Deserialize, Serialize};

use super::push::Category;

/// A rule on what users do not care for: held back is what a smaller part than this was clicked of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "GovernRow", into = "GovernRow")]
pub struct Govern {
    /// Only messages of this category are meant, and counted.
    pub category: Category,
    /// And of this campaign, if it names one.
    pub campaign: Option<String>,
    /// Which part.
    pub click_rate_under: ClickRate,
    /// Of the last so many that were sent.
    pub sends: u32,
    /// Sent to whom.
    pub whose: Whose,
}

impl Govern {
    /// A push of this category and campaign is meant.
    pub fn means(&self, category: Category, campaign: Option<&str>) -> bool {
        self.category == category && (self.campaign.is_none() || self.campaign.as_deref() == campaign)
    }
}

/// Whose sends and clicks a rule counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Each user's by itself.
    User,
    /// Everybody's.
    App {
        /// What was sent in the last so many seconds has not had its time to be clicked and does not count.
        wait_secs: u32,
    },
}

impl Whose {
    /// Everybody's, where the rule does not say for how long to wait.
    pub const APP: Self = Self::App { wait_secs: 3_600 };
}

/// A part of what was sent. It is counted in millionths, and shown as it was said.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ClickRate(f64);

/// Never NaN: JSON has none.
impl Eq for ClickRate {}

impl ClickRate {
    /// From one in a million to all.
    pub fn new(rate: f64) -> Option<Self> {
        (1e-6..=1.0).contains(&rate).then_some(Self(rate))
    }

    /// Of so many sends fewer were clicked.
    pub fn is_above(self, clicks: i64, sends: i64) -> bool {
        let millionths = (self.0 * 1e6).round() as i64;
        clicks.saturating_mul(1_000_000) < millionths.saturating_mul(sends)
    }
}

/// [`Govern`] in the contract's form.
#[derive(Serialize, Deserialize)]
struct GovernRow {
    category: Category,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    campaign: Option<String>,
    click_rate_under: ClickRate,
    sends: u32,
    of: Of,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    wait: Option<u32>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Of {
    User,
    App,
}

impl From<GovernRow> for Govern {
    fn from(row: GovernRow) -> Self {
        let GovernRow { category, campaign, click_rate_under, sends, of, wait } = row;
        let whose = match of {
            Of::User => Whose::User,
            Of::App => wait.map_or(Whose::APP, |wait_secs| Whose::App { wait_secs }),
        };
        Self { category, campaign, click_rate_under, sends, whose }
    }
}

impl From<Govern> for GovernRow {
    fn from(rule: Govern) -> Self {
        let Govern { category, campaign, click_rate_under, sends, whose } = rule;
        let (of, wait) = match whose {
            Whose::User => (Of::User, None),
            Whose::APP => (Of::App, None),
            Whose::App { wait_secs } => (Of::App, Some(wait_secs)),
        };
        Self { category, campaign, click_rate_under, sends, of, wait }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::text;

    #[test]
    fn a_rule_is_stored_and_shown_as_it_was_said() {
        for (said, whose) in [
            (
                r#"{"category":"im","campaign":"spring","click_rate_under":0.3333333333333333,"sends":20,"of":"user"}"#,
                Whose::User,
            ),
            (r#"{"category":"im","click_rate_under":1e-6,"sends":5000,"of":"app"}"#, Whose::APP),
            (r#"{"category":"im","click_rate_under":1.0,"sends":5000,"of":"app"}"#, Whose::APP),
            (
                r#"{"category":"im","click_rate_under":0.05,"sends":5000,"of":"app","wait":0}"#,
                Whose::App { wait_secs: 0 },
            ),
        ] {
            let rule: Govern = text::read(said).unwrap();
            assert_eq!(rule.whose, whose);
            assert_eq!(text::write(&rule), said);
        }
        let said = r#"{"category":"im","click_rate_under":1,"sends":1,"of":"app","wait":3600}"#;
        assert_eq!(text::read::<Govern>(said).unwrap().whose, Whose::APP, "an hour is what is meant anyway");
    }

    #[test]
    fn a_rate_is_above_what_was_clicked_less_and_not_above_itself() {
        for millionths in (1..=1_000_000).step_by(7) {
            let rate = ClickRate::new(f64::from(millionths) / 1e6).unwrap();
            let clicks = i64::from(millionths);
            assert!(!rate.is_above(clicks, 1_000_000) && rate.is_above(clicks - 1, 1_000_000), "{rate:?}");
        }
        for rate in [0.0, 1e-7, 1.000_001, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(ClickRate::new(rate), None);
        }
    }
}
