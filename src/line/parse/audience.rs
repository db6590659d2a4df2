//! `PUT /v1/audiences/{audience}`: a stream of bytes → user ids, a line each.
//!
//! A line that begins with `"` or `{` is JSON: the id, or an object with the one field `user`. Every other line is the id as
//! it stands. Empty lines are passed over. A bad line is reported with its number and stops nothing.

use super::{body, json::Json, reader::Field, text};
use crate::model::{
    ids::UserId,
    problem::{Code, Problem},
};

/// Longest line, bytes: an id of 128 with every byte escaped is shorter.
const LINE_MAX: usize = 1_024;
/// Bad lines that are told of one by one.
pub const ERRORS_MAX: usize = 100;

/// A bad line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// Its number, from 1.
    pub line: u64,
    /// What is wrong.
    pub detail: String,
}

/// Lines as they come in.
#[derive(Debug)]
pub struct Lines {
    lines: super::lines::Lines,
    line: u64,
    /// Bad lines, the first [`ERRORS_MAX`] of them.
    pub errors: Vec<BadLine>,
    /// How many there were.
    pub bad: u64,
}

impl Default for Lines {
    fn default() -> Self {
        Self { lines: super::lines::Lines::new(LINE_MAX), line: 0, errors: Vec::new(), bad: 0 }
    }
}

impl Lines {
    /// Reads more bytes; gives the ids of the lines that ended in them.
    pub fn feed(&mut self, bytes: &[u8], mut found: impl FnMut(UserId)) {
        let mut ended = Vec::new();
        self.lines.feed(bytes, |line| ended.push(line));
        for line in ended {
            self.end_line(line.as_deref(), &mut found);
        }
    }

    /// The end of the stream; a last line need not end in a line break.
    pub fn end(&mut self, mut found: impl FnMut(UserId)) {
        if let Some(line) = self.lines.end() {
            self.end_line(line.as_deref(), &mut found);
        }
    }

    fn end_line(&mut self, line: Option<&[u8]>, found: &mut dyn FnMut(UserId)) {
        self.line += 1;
        let read = match line {
            None => Err(format!("longer than {LINE_MAX} bytes")),
            Some(line) => read(line).map_err(|problem| problem.detail),
        };
        match read {
            Ok(user) => user.into_iter().for_each(found),
            Err(detail) => {
                self.bad += 1;
                if self.errors.len() < ERRORS_MAX {
                    self.errors.push(BadLine { line: self.line, detail });
                }
            }
        }
    }
}

fn read(line: &[u8]) -> Result<Option<UserId>, Problem> {
    match line.first() {
        None => Ok(None),
        Some(b'"') => text::user_id(Field::root(body(line)?)).map(Some),
        Some(b'{') => {
            let mut fields = Field::root(body(line)?).object()?;
            let user = text::user_id(fields.need("user")?)?;
            fields.end()?;
            Ok(Some(user))
        }
        Some(_) => {
            let refused = |_| Problem::new(Code::InvalidUtf8, "not UTF-8");
            let id = std::str::from_utf8(line).map_err(refused)?;
            text::user_id(Field::root(Json::Text(id.to_owned()))).map(Some)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(chunks: &[&[u8]]) -> (Vec<String>, Vec<u64>) {
        let mut lines = Lines::default();
        let mut users = Vec::new();
        for chunk in chunks {
            lines.feed(chunk, |user| users.push(user.to_string()));
        }
        lines.end(|user| users.push(user.to_string()));
        assert_eq!(lines.bad, lines.errors.len() as u64);
        (users, lines.errors.iter().map(|error| error.line).collect())
    }

    #[test]
    fn every_form_of_a_line_is_read_wherever_the_stream_is_cut() {
        let text = "u1\r\n\"u 2\"\n\n{\"user\":\"u3\"}\nü4\nlast".as_bytes();
        let wanted = ["u1", "u 2", "u3", "ü4", "last"];
        for cut in 0..text.len() {
            let (head, tail) = text.split_at(cut);
            assert_eq!(run(&[head, tail]).0, wanted, "cut at {cut}");
        }
    }

    #[test]
    fn bad_lines_are_counted_by_their_number_and_stop_nothing() {
        let long = [vec![b'x'; 3_000], b"\nok\n".to_vec()].concat();
        assert_eq!(run(&[&long]), (vec!["ok".to_owned()], vec![1]));
        let text: &[u8] = b"ok\n..\n\"open\n{\"user\":1}\n{\"user\":\"u\",\"x\":1}\n\xff\n\ta\nok2";
        assert_eq!(run(&[text]), (vec!["ok".to_owned(), "ok2".to_owned()], vec![2, 3, 4, 5, 6, 7]));
        let mut lines = Lines::default();
        lines.feed("..\n".repeat(300).as_bytes(), |_| {});
        assert_eq!((lines.bad, lines.errors.len()), (300, ERRORS_MAX));
    }
}
