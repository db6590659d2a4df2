//! When a user's quiet hours end: wall-clock time of the user's time zone, whatever the clock does there.

use crate::{
    model::{preferences::QuietHours, time::Millis},
    wire::user::Quiet,
};

const MINUTE: u64 = 60_000;
const DAY_MINUTES: i64 = 1_440;
/// No clock is ever changed by more, minutes.
const CHANGE_MAX: u64 = 180;

/// The first instant from now on that is outside the quiet hours; `None`: now is. `offset` gives the minutes by which the
/// zone's wall clock is ahead of UTC at an instant.
pub fn end(quiet: &Quiet, now: Millis, offset: impl Fn(Millis) -> i32) -> Option<Millis> {
    let wall = |at: Millis| (at.0 / MINUTE).cast_signed() + i64::from(offset(at));
    let inside = |at: Millis| covers(&quiet.hours, wall(at).rem_euclid(DAY_MINUTES));
    if !inside(now) {
        return None;
    }
    let left = (i64::from(quiet.hours.to.of_day()) - wall(now)).rem_euclid(DAY_MINUTES);
    let left = u64::try_from(left).unwrap_or_default();
    // If the clock is changed meanwhile, the end is up to some hours off this: the first minute around it that is outside.
    let start = now.0 / MINUTE;
    let from = start + left.saturating_sub(CHANGE_MAX).max(1);
    let at_wall = start + left;
    if offset(now) == offset(Millis(at_wall * MINUTE)) && offset(now) == offset(Millis(from * MINUTE)) {
        return Some(Millis(at_wall * MINUTE));
    }
    let found = (from..at_wall + CHANGE_MAX).map(|minute| Millis(minute * MINUTE)).find(|at| !inside(*at));
    found.or(Some(Millis(at_wall * MINUTE)))
}

fn covers(hours: &QuietHours, minute: i64) -> bool {
    let (from, to) = (i64::from(hours.from.of_day()), i64::from(hours.to.of_day()));
    if from < to { from <= minute && minute < to } else { minute >= from || minute < to }
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, tz::TimeZone};
    use proptest::prelude::*;

    use super::*;
    use crate::model::preferences::Minute;

    fn quiet(from: &str, to: &str, zone: &str) -> Quiet {
        let minute = |text| Minute::parse(text).unwrap();
        let hours = QuietHours { from: minute(from), to: minute(to), categories: Vec::new() };
        Quiet { hours, zone: zone.to_owned() }
    }

    /// The time-zone database of a library.
    fn offset_of(zone: &str) -> impl Fn(Millis) -> i32 + use<> {
        let zone = TimeZone::get(zone).unwrap();
        move |at| {
            let at = Timestamp::from_millisecond(i64::try_from(at.0).unwrap()).unwrap();
            zone.to_offset(at).seconds().div_euclid(60)
        }
    }

    fn ends(quiet: &Quiet, at: &str) -> Option<String> {
        let at = Millis::parse_rfc3339(at).unwrap();
        end(quiet, at, offset_of(&quiet.zone)).map(Millis::rfc3339)
    }

    #[test]
    fn hours_end_by_the_wall_clock_across_midnight_and_clock_changes() {
        let berlin = quiet("22:00", "07:00", "Europe/Berlin");
        let ends = |quiet: &Quiet, at: &str| ends(quiet, at).unwrap_or_default();
        assert_eq!(ends(&berlin, "2026-11-25T20:59:59Z"), "");
        assert_eq!(ends(&berlin, "2026-11-25T21:00:00Z"), "2026-11-26T06:00:00Z");
        assert_eq!(ends(&berlin, "2026-11-26T05:59:59.999Z"), "2026-11-26T06:00:00Z");
        assert_eq!(ends(&berlin, "2026-11-26T06:00:00Z"), "");
        // To summer time on 29 March 2026, from it on 25 October: 07:00 is an hour earlier, and later.
        assert_eq!(ends(&berlin, "2026-03-28T22:00:00Z"), "2026-03-29T05:00:00Z");
        assert_eq!(ends(&berlin, "2026-10-24T21:00:00Z"), "2026-10-25T06:00:00Z");
        // 02:30 does not exist in that night: the clock is past it at 03:00. Six months later it comes twice: the first one.
        let night = quiet("23:00", "02:30", "Europe/Berlin");
        assert_eq!(ends(&night, "2026-03-28T23:00:00Z"), "2026-03-29T01:00:00Z");
        assert_eq!(ends(&night, "2026-10-24T22:00:00Z"), "2026-10-25T00:30:00Z");
        let noon = quiet("12:00", "14:00", "Asia/Kolkata");
        assert_eq!(ends(&noon, "2026-11-25T07:00:00Z"), "2026-11-25T08:30:00Z");
        assert_eq!(ends(&noon, "2026-11-25T08:30:00Z"), "");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

        /// Against looking at every minute.
        #[test]
        fn it_is_the_first_minute_outside(
            zone in prop::sample::select(vec!["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Shanghai", "America/Santiago", "Africa/Casablanca", "UTC"]),
            minute in 0u64..(4 * 366 * 1_440),
            from in 0u16..1_440,
            to in 0u16..1_440,
        ) {
            prop_assume!(from != to);
            let text = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
            let quiet = quiet(&text(from), &text(to), zone);
            let offset = offset_of(zone);
            let now = Millis(1_767_225_600_000 + minute * MINUTE);
            let inside = |at: Millis| covers(&quiet.hours, ((at.0 / MINUTE).cast_signed() + i64::from(offset(at))).rem_euclid(DAY_MINUTES));
            let wanted = inside(now).then(|| (0u64..).map(|n| Millis(now.0 + n * MINUTE)).find(|at| !inside(*at)).unwrap());
            prop_assert_eq!(end(&quiet, now, &offset), wanted);
        }
    }
}
