//! What came of one request to one token or more.

use super::words;
use crate::model::outcome::{Outcome, Verdict};

/// One verdict for all but a few.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    rest: Verdict,
    odd: Vec<(String, Verdict)>,
}

impl Split {
    /// The same for all.
    pub fn all(verdict: Verdict) -> Self {
        Self { rest: verdict, odd: Vec::new() }
    }

    /// Another one for one token.
    pub fn but(mut self, token: impl Into<String>, verdict: Verdict) -> Self {
        self.odd.push((token.into(), verdict));
        self
    }

    /// With another verdict in place of some.
    pub fn without(mut self, which: impl Fn(&Outcome) -> bool, other: &Verdict) -> Self {
        self.all_mut().filter(|verdict| which(&verdict.outcome)).for_each(|verdict| *verdict = other.clone());
        self
    }

    /// With none of the call's tokens in the words, nor the begin of one where the words were cut.
    pub fn masked(mut self, tokens: &[&str]) -> Self {
        for detail in self.all_mut().filter_map(|verdict| verdict.detail.as_mut()) {
            for token in tokens.iter().filter(|token| !token.is_empty()) {
                if detail.contains(token) {
                    *detail = detail.replace(token, "…");
                }
                let begin = |n: usize| detail.strip_suffix(token.get(..n)?).map(str::len);
                let cut = detail.len() >= words::MAX;
                if let Some(kept) = (8..token.len()).rev().filter(|_| cut).find_map(begin) {
                    detail.truncate(kept);
                    detail.push('…');
                }
            }
        }
        self
    }

    fn all_mut(&mut self) -> impl Iterator<Item = &mut Verdict> {
        std::iter::once(&mut self.rest).chain(self.odd.iter_mut().map(|(_, verdict)| verdict))
    }

    /// The verdict on a token.
    pub fn of(&self, token: &str) -> &Verdict {
        self.odd.iter().find(|(of, _)| of == token).map_or(&self.rest, |(_, verdict)| verdict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_token_of_the_call_is_shown() {
        let said = |detail: &str| Verdict::new(Outcome::Rejected, detail);
        let long = format!("{}12345678901", "no ".repeat(64));
        let tokens = ["t1", "12345678901234567890123"];
        for (detail, shown) in [
            ("t1 and 't1' are bad".to_owned(), "… and '…' are bad".to_owned()),
            ("regId 12345678901234567890123".to_owned(), "regId …".to_owned()),
            ("code 12345678".to_owned(), "code 12345678".to_owned()),
            (long, format!("{}…", "no ".repeat(64))),
        ] {
            let split = Split::all(said("fine")).but("t1", said(&detail)).masked(&tokens);
            assert_eq!(split.of("t1").detail.as_deref(), Some(shown.as_str()));
            assert_eq!(Split::all(said(&detail)).masked(&tokens).of("x").detail, Some(shown));
        }
    }
}
