//! A vendor's own words, made fit to be kept and shown.

/// Most characters kept.
pub(super) const MAX: usize = 200;
/// From how many characters on a run of token characters may be a device token: APNs tokens have 64 or more, FCM
/// tokens 140 or more, and no reason of either vendor comes near.
const TOKEN_MIN: usize = 48;

/// The words verbatim, on one line, bounded, and without what may be a device token the vendor quotes.
pub(super) fn words(text: &str) -> String {
    let shown = text.split_inclusive(|c| !of_a_token(c)).map(|run| {
        let word = run.trim_end_matches(|c| !of_a_token(c));
        if word.len() < TOKEN_MIN {
            run.to_owned()
        } else {
            format!("…{}", run.get(word.len()..).unwrap_or_default())
        }
    });
    let line: String = shown.collect();
    line.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX).collect()
}

fn of_a_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_as_they_are_on_one_bounded_line() {
        assert_eq!(words("BadDeviceToken"), "BadDeviceToken");
        assert_eq!(words("Größe:\r\n\u{1b}[0m zu viel"), "Größe:   [0m zu viel");
        assert_eq!(words(&"é ".repeat(500)).chars().count(), 200);
    }

    #[test]
    fn what_may_be_a_token_is_left_out() {
        assert_eq!(words(&format!("token {}, sorry", "0f".repeat(32))), "token …, sorry");
        assert_eq!(words(&format!("'{}:APA91b{}'", "x".repeat(22), "-_z".repeat(43))), "'…'");
    }
}
