//! A stream of bytes → lines, wherever it is cut.

/// Cuts a stream into lines, without their ends. A line that is too long is given as `None`.
#[derive(Debug)]
pub struct Lines {
    max: usize,
    rest: Vec<u8>,
    too_long: bool,
}

impl Lines {
    /// Lines of up to so many bytes.
    pub fn new(max: usize) -> Self {
        Self { max, rest: Vec::new(), too_long: false }
    }

    /// More bytes; gives the lines that ended in them.
    pub fn feed(&mut self, bytes: &[u8], mut found: impl FnMut(Option<Vec<u8>>)) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, ended) = match part.split_last() {
                Some((b'\n', text)) => (text, true),
                Some(_) | None => (part, false),
            };
            // What is too long already is not kept.
            if self.rest.len() + text.len() > self.max {
                self.too_long = true;
            } else {
                self.rest.extend_from_slice(text);
            }
            if ended {
                found(self.take());
            }
        }
    }

    /// The end of the stream: a last line need not end in a line break.
    pub fn end(&mut self) -> Option<Option<Vec<u8>>> {
        (!self.rest.is_empty() || self.too_long).then(|| self.take())
    }

    fn take(&mut self) -> Option<Vec<u8>> {
        let mut line = std::mem::take(&mut self.rest);
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        (!std::mem::take(&mut self.too_long)).then_some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: usize = 1_000;

    #[test]
    fn lines_are_the_same_wherever_the_stream_is_cut() {
        let long = "x".repeat(MAX + 1);
        let text = format!("a\r\n\nb\n{long}\nlast");
        let wanted = [Some("a"), Some(""), Some("b"), None, Some("last")];
        for cut in (0..20).chain([MAX, text.len() - 3]) {
            let (mut lines, mut found) = (Lines::new(MAX), Vec::new());
            let (head, tail) = text.as_bytes().split_at(cut);
            lines.feed(head, |line| found.push(line));
            lines.feed(tail, |line| found.push(line));
            found.extend(lines.end());
            let found: Vec<_> = found
                .iter()
                .map(|line| line.as_deref().map(|line| std::str::from_utf8(line).unwrap()))
                .collect();
            assert_eq!(found, wanted, "cut at {cut}");
        }
    }
}
