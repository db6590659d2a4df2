//! Words that come late, and again: what vendors report of messages.

use super::{
    super::sample::{HOUR, NOON, gone, id, put, registered_at, registration},
    *,
};
use crate::wire::user::Gone;

fn reported(since: u64) -> Vec<Gone> {
    gone("t", Some(since), true).into_iter().map(|gone| Gone { reported: true, ..gone }).collect()
}

#[test]
fn a_late_report_does_not_remove_a_device_that_has_registered_since() {
    let mut home = registered_at(NOON);
    put(&mut home, "d", registration("t"), Millis(NOON + 2 * HOUR));
    let late = home.gone(reported(NOON + HOUR), Millis(NOON + 3 * HOUR));
    assert_eq!(late, Step::nothing(Done::Unchanged));
    assert_eq!(home.gone(reported(NOON + 3 * HOUR), Millis(NOON + 3 * HOUR)).done, Done::Removed);
}

/// After a wake the last word is known to the week only: the same report once more is no second word.
#[test]
fn a_report_that_comes_again_is_no_second_word() {
    let on_file = registered_at(NOON).devices().to_vec();
    let mut home = Home::load(on_file, About::default(), Millis(NOON + 6 * HOUR));
    let mut hear = |since, at| home.gone(reported(since), Millis(at)).done;
    assert_eq!(hear(NOON + HOUR, NOON + 6 * HOUR), Done::Unchanged);
    assert_eq!(hear(NOON + HOUR, NOON + 30 * HOUR), Done::Unchanged, "a day later, and still the same");
    assert_eq!(hear(NOON + HOUR + 59_999, NOON + 30 * HOUR), Done::Unchanged, "of one moment");
    assert_eq!(hear(NOON + 2 * HOUR, NOON + 30 * HOUR), Done::Removed, "of the next message");
}

#[test]
fn a_late_report_of_muted_says_nothing_against_a_newer_word() {
    let mut home = registered_at(NOON);
    home.permission(&id("d"), Permission::Granted, Millis(NOON + 2 * HOUR));
    let permission = |home: &Home| home.devices()[0].registration.permission;
    assert_eq!(home.muted(&reported(NOON + HOUR)), Step::nothing(Done::Unchanged));
    assert_eq!(permission(&home), Permission::Granted);
    assert!(home.muted(&reported(NOON + 3 * HOUR)).copy);
    assert_eq!(permission(&home), Permission::Denied);
    put(&mut home, "d", registration("t"), Millis(NOON + 4 * HOUR));
    assert!(home.muted(&gone("t", None, true)).copy, "an answer is of now");
}
