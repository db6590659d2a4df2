//! What came of one request to one token or more.

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
        let all = std::iter::once(&mut self.rest).chain(self.odd.iter_mut().map(|(_, verdict)| verdict));
        all.filter(|verdict| which(&verdict.outcome)).for_each(|verdict| *verdict = other.clone());
        self
    }

    /// The verdict on a token.
    pub fn of(&self, token: &str) -> &Verdict {
        self.odd.iter().find(|(of, _)| of == token).map_or(&self.rest, |(_, verdict)| verdict)
    }
}
