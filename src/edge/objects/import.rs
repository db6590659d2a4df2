//! Shell of the `Import` object: nothing is kept here.

use worker::Env;

use super::{
    super::{
        cx::{self, Cx},
        resolve,
        routes::devices::{known_zone, registered},
        together::together,
    },
    state::State,
};
use crate::{
    line::{parse::import, plan},
    model::{
        device::{Registration, Source},
        ids::{DeviceId, Tenant, UserId},
        problem::{Code, Problem},
        table::Table,
    },
    wire::{
        import::{BINDING, Reply, Request as Ask, Tally},
        user::{Call, Done},
    },
};

/// Users whose objects are asked at once.
const AT_ONCE: usize = 32;

/// The object.
struct Import {
    env: Env,
}

export!(Import, BINDING);

type Line = (u64, DeviceId, Registration);
type Results = Table<u64, Result<Done, Problem>>;

impl Import {
    fn new(_state: State, env: Env) -> Self {
        Self { env }
    }

    /// Lines of one user follow each other; users go side by side.
    async fn call(&self, ask: Ask) -> worker::Result<Reply> {
        let config = cx::config(&self.env).map_err(|problem| worker::Error::RustError(problem.detail))?;
        let cx = Cx::new(self.env.clone(), config);
        let mut results: Results = Results::new();
        let mut users: Vec<(UserId, Vec<Line>)> = Vec::new();
        for (number, line) in ask.lines {
            match read(&cx, line) {
                Ok((user, device, registration)) => {
                    let line = (number, device, registration);
                    match users.iter_mut().find(|(of, _)| *of == user) {
                        Some((_, lines)) => lines.push(line),
                        None => users.push((user, vec![line])),
                    }
                }
                Err(problem) => drop(results.insert(number, Err(problem))),
            }
        }
        let (cx, tenant) = (&cx, &ask.tenant);
        let done = users.into_iter().map(|(user, lines)| register(cx, tenant, user, lines));
        for some in together(AT_ONCE, done).await {
            for (number, result) in some {
                results.insert(number, result);
            }
        }
        let mut reply = Reply::default();
        for (number, result) in results {
            let told = told(number, &result, &mut reply.tally);
            if result.is_err() || !ask.terse {
                reply.results.push_str(&told);
                reply.results.push('\n');
            }
        }
        reply.tally.rows_written = cx.cost.rows_written().into();
        Ok(reply)
    }
}

fn read(cx: &Cx, line: Option<String>) -> Result<(UserId, DeviceId, Registration), Problem> {
    let max = import::LINE_MAX;
    let line = line.ok_or_else(|| {
        Problem::new(Code::BodyTooLarge, format!("a line has at most {max} bytes of UTF-8"))
    })?;
    let read = import::line(line.as_bytes())?;
    plan::allowed(&read.2.address, &cx.config.webpush_hosts, "/token")?;
    known_zone(cx, read.2.time_zone.as_deref())?;
    Ok(read)
}

async fn register(
    cx: &Cx,
    tenant: &Tenant,
    user: UserId,
    lines: Vec<Line>,
) -> Vec<(u64, Result<Done, Problem>)> {
    let mut results = Vec::with_capacity(lines.len());
    for (number, device, registration) in lines {
        let call = Call::Put(device, Box::new(registration), Source::Import);
        let answer = resolve::call(cx, tenant, &user, call).await;
        results.push((number, answer.and_then(|reply| registered(reply.done).map(|_| reply.done))));
    }
    results
}

fn told(number: u64, result: &Result<Done, Problem>, tally: &mut Tally) -> String {
    let status = match result {
        Ok(Done::Created) => {
            tally.created += 1;
            "created"
        }
        Ok(Done::Unchanged) => {
            tally.unchanged += 1;
            "unchanged"
        }
        Ok(_) => {
            tally.changed += 1;
            "changed"
        }
        Err(problem) => {
            tally.failed += 1;
            return super::super::import::failed(number, problem);
        }
    };
    format!(r#"{{"line":{number},"status":"{status}"}}"#)
}
