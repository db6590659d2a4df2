//! What has been named before. One set of texts for all that is counted once: every kind of `HashSet` brings 2 KB of code into the wasm.

use std::collections::HashSet;

/// What has been named.
#[derive(Debug, Default)]
pub struct Once {
    /// What was named first: in most pushes there is no more, and nothing to hash.
    one: Option<String>,
    more: HashSet<String>,
}

impl Once {
    /// Whether this is the first time that something is named. Its parts hold no control characters.
    pub fn first(&mut self, parts: &[&str]) -> bool {
        let name = parts.join("\n");
        match &self.one {
            Some(one) => *one != name && self.more.insert(name),
            None => {
                self.one = Some(name);
                true
            }
        }
    }

    /// Whether it has been named.
    pub fn has(&self, parts: &[&str]) -> bool {
        let name = parts.join("\n");
        self.one.as_ref() == Some(&name) || self.more.contains(&name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_apart() {
        let mut once = Once::default();
        assert!(once.first(&["ab", "c"]) && once.first(&["a", "bc"]) && once.first(&["abc"]));
        assert!(!once.first(&["a", "bc"]) && !once.first(&["ab", "c"]));
        assert!(once.has(&["ab", "c"]) && once.has(&["abc"]) && !once.has(&["ab"]));
    }
}
