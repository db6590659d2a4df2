//! Which access token of an account is current, and when another may be asked for: vendors count these requests too (vivo: 10,000
//! a day; Huawei: 1,000 in five minutes), and a wrong secret would use them up.

use crate::{
    crypto::hash,
    model::{delivery::Reason, time::Millis},
    wire::account::Bearer,
};

/// After a second request that failed nobody asks for this long, milliseconds; twice as long after each further one.
const FIRST_MS: u64 = 1_000;
/// But not longer.
const LONGEST_MS: u64 = 60_000;
/// A token that was fetched in place of a refused one, and is refused itself within this time, is not replaced at once.
const RENEWED_MS: u64 = 10_000;

/// Why there is no bearer.
pub type Refusal = (Reason, String);

/// What is known of an account's access tokens. In memory; the token itself is also written down.
#[derive(Debug, Default)]
pub struct Bearers {
    current: Option<Bearer>,
    /// When a token was last fetched because one was refused.
    renewed_at: Option<Millis>,
    failures: u32,
    /// Until when nobody asks, under which credential, and what they are told.
    hold: Option<(Millis, u64, Refusal)>,
}

/// What a caller gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Have {
    /// This one.
    Bearer(Bearer),
    /// None, for now.
    Not(Refusal),
    /// One has to be asked for.
    Ask,
}

impl Bearers {
    /// From what was written.
    pub fn load(current: Option<Bearer>) -> Self {
        Self { current, ..Self::default() }
    }

    /// The bearer that may be handed out: not due for renewal, of this credential or a newer one, and not the one that the
    /// vendor has just refused.
    pub fn have(&self, revision: u64, refused: Option<&str>, now: Millis) -> Have {
        let current = self.current.as_ref();
        let current = current.filter(|bearer| bearer.renew_at > now && bearer.revision >= revision);
        let is_refused = |bearer: &&Bearer| {
            refused.is_some_and(|refused| refused == hash::sha256_hex(bearer.token.reveal().as_bytes()))
        };
        match current {
            Some(bearer) if !is_refused(&bearer) => return Have::Bearer(bearer.clone()),
            Some(_) if self.renewed_at.is_some_and(|at| now.0.saturating_sub(at.0) < RENEWED_MS) => {
                let detail = "the vendor refuses an access token that it gave a moment ago: look at the credential and \
                              what it may do in the vendor's console";
                return Have::Not((Reason::VendorUnavailable, detail.to_owned()));
            }
            Some(_) | None => {}
        }
        match &self.hold {
            Some((until, of, refusal)) if *until > now && *of >= revision => {
                // Only a fresh word of the vendor is final.
                let (reason, detail) = refusal;
                let why = format!("no access token for now ({}): {detail}", reason.name());
                Have::Not((Reason::VendorUnavailable, why))
            }
            Some(_) | None => Have::Ask,
        }
    }

    /// A bearer that was fetched; `refused`: in place of one that the vendor would not take.
    pub fn fetched(&mut self, bearer: Bearer, refused: bool, now: Millis) {
        *self = Self { current: Some(bearer), renewed_at: refused.then_some(now), ..Self::default() };
    }

    /// The request came to nothing, under this credential.
    pub fn failed(&mut self, revision: u64, refusal: &Refusal, now: Millis) {
        self.failures = self.failures.saturating_add(1);
        let Some(more) = self.failures.checked_sub(2) else { return };
        let wait = FIRST_MS.saturating_mul(1 << more.min(6)).min(LONGEST_MS);
        self.hold = Some((Millis(now.0.saturating_add(wait)), revision, refusal.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::secret::Secret;

    fn bearer(token: &str, renew_at: u64, revision: u64) -> Bearer {
        Bearer { token: Secret::new(token), renew_at: Millis(renew_at), revision }
    }

    fn hash_of(token: &str) -> String {
        hash::sha256_hex(token.as_bytes())
    }

    #[test]
    fn a_bearer_is_handed_out_until_it_is_due_refused_or_of_an_older_credential() {
        let mut bearers = Bearers::default();
        assert_eq!(bearers.have(1, None, Millis(0)), Have::Ask);
        bearers.fetched(bearer("t", 10, 2), false, Millis(0));
        let handed_out = |have| matches!(have, Have::Bearer(_));
        assert!(handed_out(bearers.have(1, None, Millis(9))));
        assert!(handed_out(bearers.have(2, Some(&hash_of("another")), Millis(9))));
        assert_eq!(bearers.have(2, Some(&hash_of("t")), Millis(9)), Have::Ask);
        assert_eq!(bearers.have(3, None, Millis(9)), Have::Ask);
        assert_eq!(bearers.have(2, None, Millis(10)), Have::Ask);
    }

    #[test]
    fn a_request_that_fails_twice_is_not_repeated_at_once_but_under_a_newer_credential() {
        let mut bearers = Bearers::default();
        let refusal = (Reason::Credentials, "why".to_owned());
        let held = || {
            Have::Not((Reason::VendorUnavailable, "no access token for now (credentials): why".to_owned()))
        };
        bearers.failed(2, &refusal, Millis(0));
        assert_eq!(bearers.have(2, None, Millis(0)), Have::Ask, "once is no sign");
        bearers.failed(2, &refusal, Millis(0));
        assert_eq!(bearers.have(2, None, Millis(999)), held());
        assert_eq!(bearers.have(3, None, Millis(999)), Have::Ask);
        assert_eq!(bearers.have(2, None, Millis(1_000)), Have::Ask);
        bearers.failed(2, &refusal, Millis(1_000));
        assert_eq!(bearers.have(2, None, Millis(2_999)), held());
        for _ in 0..100 {
            bearers.failed(2, &refusal, Millis(3_000));
        }
        assert_eq!(bearers.have(2, None, Millis(62_999)), held());
        assert_eq!(bearers.have(2, None, Millis(63_000)), Have::Ask);
    }

    #[test]
    fn a_vendor_that_refuses_every_token_is_not_asked_for_one_after_the_other() {
        let mut bearers = Bearers::default();
        bearers.fetched(bearer("a", 99_000, 1), false, Millis(0));
        assert_eq!(bearers.have(1, Some(&hash_of("a")), Millis(1)), Have::Ask);
        bearers.fetched(bearer("b", 99_000, 1), true, Millis(1));
        let again = bearers.have(1, Some(&hash_of("b")), Millis(2));
        assert!(matches!(again, Have::Not((Reason::VendorUnavailable, _))), "{again:?}");
        assert_eq!(bearers.have(2, Some(&hash_of("b")), Millis(2)), Have::Ask, "a newer credential");
        assert_eq!(bearers.have(1, Some(&hash_of("b")), Millis(10_001)), Have::Ask);
    }
}
