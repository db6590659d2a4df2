//! What a user wants of all devices together.

use serde::{Deserialize, Serialize};

use super::push::Category;

/// Most tags of a user.
pub const TAGS_MAX: usize = 64;

/// As the app's backend set them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preferences {
    /// BCP 47 language tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// IANA time zone name. Absent: that of the device seen last, else UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// When nothing may ring.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHours>,
    /// Categories that are not wanted at all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opt_out: Vec<Category>,
    /// Words of the app's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

/// Hours of every day by the wall clock of the user's time zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuietHours {
    /// First minute.
    pub from: Minute,
    /// The minute at which they end; before `from`: on the next day.
    pub to: Minute,
    /// What is held back.
    pub categories: Vec<Category>,
}

/// A minute of the day, `HH:MM`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Minute(u16);

impl Minute {
    /// Reads `HH:MM`, 00:00 to 23:59.
    pub fn parse(text: &str) -> Option<Self> {
        let (hours, minutes) = text.split_once(':')?;
        let number = |text: &str, below: u16| {
            let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<u16>().ok().filter(|n| digits && *n < below)
        };
        Some(Self(number(hours, 24)? * 60 + number(minutes, 60)?))
    }

    /// Minutes since midnight.
    pub fn of_day(self) -> u16 {
        self.0
    }
}

impl TryFrom<String> for Minute {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("must be HH:MM")
    }
}

impl From<Minute> for String {
    fn from(Minute(minute): Minute) -> Self {
        format!("{:02}:{:02}", minute / 60, minute % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_are_read_and_written_in_one_form() {
        for text in ["00:00", "07:05", "23:59"] {
            assert_eq!(String::from(Minute::parse(text).unwrap()), text);
        }
        for not in ["24:00", "7:05", "07:60", "07:5", "+7:05", "0705", "", "07:05:00", "aa:bb"] {
            assert_eq!(Minute::parse(not), None, "{not}");
        }
    }
}
