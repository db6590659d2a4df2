//! Instants and days. The clock itself is never asked here: `now` is an argument everywhere.

use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
pub struct Millis(pub u64);

/// Milliseconds of a day.
const DAY: u64 = 86_400_000;

impl Millis {
    /// Whole seconds since the epoch, rounded down.
    pub fn secs(self) -> u64 {
        self.0 / 1_000
    }

    /// Later by whole seconds.
    pub fn plus_secs(self, secs: u64) -> Self {
        Self(self.0.saturating_add(secs.saturating_mul(1_000)))
    }

    /// The day this instant falls on.
    pub fn day(self, zone: DayZone) -> Day {
        Day((self.0 + zone.offset()) / DAY)
    }

    /// Reads an RFC 3339 time; fractions of a millisecond are cut off, and nothing before 1970 is one.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let at = OffsetDateTime::parse(text, &Rfc3339).ok()?.unix_timestamp_nanos();
        u64::try_from(at.div_euclid(1_000_000)).ok().map(Self)
    }

    /// RFC 3339 in UTC, whole seconds where they are whole.
    pub fn rfc3339(self) -> String {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .ok()
            .and_then(|at| at.format(&Rfc3339).ok())
            .unwrap_or_default()
    }
}

/// Where a vendor's day begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayZone {
    /// Midnight UTC.
    Utc,
    /// Midnight in China (UTC+8, no summer time): all vendors there.
    China,
}

impl DayZone {
    fn offset(self) -> u64 {
        match self {
            Self::Utc => 0,
            Self::China => 8 * 3_600_000,
        }
    }
}

/// A calendar day of one zone, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Day(pub u64);

impl Day {
    /// The instant at which the day is over.
    pub fn end(self, zone: DayZone) -> Millis {
        Millis(((self.0 + 1) * DAY).saturating_sub(zone.offset()))
    }
}

/// A `Retry-After` value (RFC 9110 section 10.2.3): seconds, or an HTTP date (IMF-fixdate or the two obsolete
/// forms). What lies in the past or is 0 becomes `floor` seconds, at most an hour is believed, and what is not of
/// the grammar counts as absent.
pub fn retry_after(value: &str, now: Millis, floor: u32) -> Option<u32> {
    const HOUR: u64 = 3_600;
    let value = value.trim();
    let secs = if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        value.parse().unwrap_or(HOUR)
    } else {
        http_date(value)?.saturating_sub(now.secs())
    };
    u32::try_from(secs.min(HOUR)).ok().map(|secs| secs.max(floor))
}

/// Seconds since the epoch of an HTTP date (RFC 9110 section 5.6.7).
fn http_date(value: &str) -> Option<u64> {
    let words: Vec<&str> = value.split([' ', ',', '-']).filter(|word| !word.is_empty()).collect();
    let (day, month, year, clock) = match words.as_slice() {
        // Sun Nov  6 08:49:37 1994
        [_, month, day, clock, year] if clock.contains(':') => (day, month, year, clock),
        // Sun, 06 Nov 1994 08:49:37 GMT and Sunday, 06-Nov-94 08:49:37 GMT
        [_, day, month, year, clock, "GMT"] => (day, month, year, clock),
        _ => return None,
    };
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = u8::try_from(months.iter().position(|name| name == month)? + 1).ok()?;
    let year: i32 = match (year.len(), year.parse::<i32>().ok()?) {
        (4, year) => year,
        (2, year) if year < 70 => 2_000 + year,
        (2, year) => 1_900 + year,
        _ => return None,
    };
    let mut parts = clock.split(':').map(str::parse::<u8>);
    let (hour, minute, second) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    if parts.next().is_some() {
        return None;
    }
    let date =
        time::Date::from_calendar_date(year, time::Month::try_from(month).ok()?, day.parse().ok()?).ok()?;
    // A leap second is a valid HTTP date; the crate's clock has none.
    let at = date.with_hms(hour, minute, second.min(59)).ok()?.assume_utc();
    u64::try_from(at.unix_timestamp()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The three forms of RFC 9110 section 5.6.7, all of the same instant.
    #[test]
    fn http_dates_of_the_rfc() {
        for form in
            ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
        {
            assert_eq!(http_date(form), Some(784_111_777), "{form}");
        }
        for not in
            ["", "soon", "Sun, 06 Nov 1994 08:49:37", "Sun, 31 Feb 1994 08:49:37 GMT", "1994-11-06T08:49:37Z"]
        {
            assert_eq!(http_date(not), None, "{not}");
        }
    }

    #[test]
    fn retry_after_is_clamped() {
        let now = Millis(784_111_777_000);
        assert_eq!(retry_after("120", now, 1), Some(120));
        assert_eq!(retry_after(" 7 ", now, 1), Some(7));
        assert_eq!(retry_after("0", now, 5), Some(5));
        assert_eq!(retry_after("99999999999999999999999", now, 1), Some(3_600));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:50:37 GMT", now, 1), Some(60));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:40:37 GMT", now, 5), Some(5));
        for not in ["-1", "1.5", "soon", "", "1e3"] {
            assert_eq!(retry_after(not, now, 1), None, "{not}");
        }
    }

    #[test]
    fn vendor_days_end_at_the_vendors_midnight() {
        // 2026-11-25T15:59:59.999Z is still the 25th in China, one millisecond later is the 26th.
        let last = Millis(1_795_622_399_999);
        assert_eq!(last.rfc3339(), "2026-11-25T15:59:59.999Z");
        assert_eq!(last.day(DayZone::China).end(DayZone::China), Millis(last.0 + 1));
        assert_ne!(last.day(DayZone::China), Millis(last.0 + 1).day(DayZone::China));
        assert_eq!(last.day(DayZone::Utc).end(DayZone::Utc).rfc3339(), "2026-11-26T00:00:00Z");
    }
}
