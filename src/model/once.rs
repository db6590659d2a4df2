//! What has been named before. One set of texts for all that is counted once: every kind of `HashSet` brings 2 KB of code into the wasm.

use std::collections::HashSet;

/// What has been named.
#[derive(Debug, Default)]
pub struct Once {
    named: HashSet<String>,
}

impl Once {
    /// Whether this is the first time that something is named. Its parts hold no control characters.
    pub fn first(&mut self, parts: &[&str]) -> bool {
        self.named.insert(parts.join("\n"))
    }

    /// Whether it has been named.
    pub fn has(&self, parts: &[&str]) -> bool {
        self.named.contains(&parts.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_apart() {
        let mut once = Once::default();
        assert!(once.first(&["ab", "c"]) && once.first(&["a", "bc"]) && once.first(&["abc"]));
        assert!(!once.first(&["a", "bc"]));
    }
}
