//! `POST /v1/users:import`: a stream of lines in, a stream of results out. In memory are some hundred lines at any time, however
//! long it is.

use std::rc::Rc;

use serde_json::json;

use super::{
    authenticate,
    cx::Cx,
    exchange::{Reply, Request},
    glue::Failed,
    promise,
    stream::{Pieces, Stream},
    together::together,
};
use crate::{
    line::parse::{import::LINE_MAX, lines::Lines, text},
    model::{
        app::Scope,
        ids::Tenant,
        problem::{Code, Problem},
    },
    wire::import::{self as wire, LANES, LINES, Tally},
};

/// Registers devices, one for each line.
pub(super) async fn import(cx: &Cx, request: &Request<'_>) -> Result<Reply, Problem> {
    let app = authenticate::app(cx, request.authorization, Scope::Devices).await?;
    let (from, terse) = wanted(request.query)?;
    let broken = |_| Problem::new(Code::Unavailable, "the body could not be read; send it again");
    let pieces = Pieces::of(request.stream).map_err(broken)?;
    let (stream, response) = Stream::ndjson().map_err(broken)?;
    let import = Import {
        cx: Cx::new(cx.env.clone(), Rc::clone(&cx.config)),
        tenant: app.tenant(),
        from,
        terse,
        waiting: Vec::new(),
        line: 0,
    };
    // The answer has begun when this returns: its body is written as the lines come in.
    promise::spawn(import.run(pieces, stream));
    Ok(Reply::stream(response))
}

/// `from`: lines before this one are passed over, so that an import that broke off can go on. `results=failed`: nothing is said
/// of lines that went well, for callers who read no answer before they have written everything.
fn wanted(query: &str) -> Result<(u64, bool), Problem> {
    let (mut from, mut terse) = (1, false);
    for (name, value) in text::query(query)? {
        match (name.as_str(), value.as_str(), value.parse()) {
            ("from", _, Ok(line)) if line > 0 => from = line,
            ("results", "failed", _) => terse = true,
            ("from" | "results", ..) => {
                let detail = "`from` is the number of a line, from 1 on; `results` can be `failed`";
                return Err(Problem::new(Code::InvalidValue, detail));
            }
            _ => return Err(Problem::new(Code::UnknownField, "the query takes `from` and `results`")),
        }
    }
    Ok((from, terse))
}

/// An import under way.
struct Import {
    cx: Cx,
    tenant: Tenant,
    from: u64,
    terse: bool,
    waiting: Vec<(u64, Option<String>)>,
    line: u64,
}

impl Import {
    async fn run(mut self, pieces: Pieces, stream: Stream) {
        let whole = self.go(&pieces, &stream).await;
        if whole.is_err() {
            stream.abort();
        } else {
            stream.close().await;
        }
    }

    async fn go(&mut self, pieces: &Pieces, stream: &Stream) -> Result<(), Failed> {
        let mut lines = Lines::new(LINE_MAX);
        let mut tally = Tally::default();
        let mut more = true;
        while more {
            let mut found = Vec::new();
            match pieces.next().await? {
                Some(bytes) => lines.feed(&bytes, |line| found.push(line)),
                None => {
                    found.extend(lines.end());
                    more = false;
                }
            }
            for line in found {
                self.take(line);
                if self.waiting.len() >= LINES * LANES as usize {
                    self.register(stream, &mut tally).await?;
                }
            }
        }
        self.register(stream, &mut tally).await?;
        let Tally { created, changed, unchanged, failed, rows_written } = tally;
        let last = json!({
            "done": true, "lines": self.line, "created": created, "changed": changed, "unchanged": unchanged,
            "failed": failed, "rows_written": rows_written,
        });
        stream.write(&format!("{last}\n")).await
    }

    fn take(&mut self, line: Option<Vec<u8>>) {
        self.line += 1;
        if self.line < self.from || line.as_ref().is_some_and(Vec::is_empty) {
            return;
        }
        let text = line.map(|line| String::from_utf8(line).ok());
        self.waiting.push((self.line, text.flatten()));
    }

    /// Hands what waits to the objects, side by side, and writes what became of it in the order of the lines.
    async fn register(&mut self, stream: &Stream, tally: &mut Tally) -> Result<(), Failed> {
        let waiting = std::mem::take(&mut self.waiting);
        let calls =
            (0..LANES).zip(waiting.chunks(LINES)).map(|(lane, lines)| self.call(lane, lines.to_vec()));
        for reply in together(LANES as usize, calls).await {
            tally.add(reply.tally);
            stream.write(&reply.results).await?;
        }
        Ok(())
    }

    /// A call that fails has failed for each of its lines.
    async fn call(&self, lane: u32, lines: Vec<(u64, Option<String>)>) -> wire::Reply {
        let numbers: Vec<u64> = lines.iter().map(|(number, _)| *number).collect();
        let request = wire::Request { tenant: self.tenant.clone(), lines, terse: self.terse };
        let answer = self.cx.ask(wire::BINDING, &wire::name(&self.tenant, lane), &request).await;
        answer.unwrap_or_else(|problem: Problem| {
            let lines: Vec<String> = numbers.iter().map(|number| failed(*number, &problem) + "\n").collect();
            let failed = lines.len() as u64;
            wire::Reply { results: lines.concat(), tally: Tally { failed, ..Tally::default() } }
        })
    }
}

/// The result of a line that was refused.
pub(super) fn failed(number: u64, problem: &Problem) -> String {
    let mut result =
        json!({"line": number, "status": "failed", "code": problem.code.as_str(), "detail": problem.detail});
    if let (Some(pointer), Some(fields)) = (&problem.pointer, result.as_object_mut()) {
        fields.insert("pointer".into(), pointer.as_str().into());
    }
    result.to_string()
}
