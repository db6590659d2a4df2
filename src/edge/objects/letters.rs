//! Shell of the `Letters` object: jobs that were given up, a row each. Nothing is decided here, so there is no pure step.

use std::cell::OnceCell;

use worker::Env;

use super::{
    rows::{Rows, Table},
    state::State,
};
use crate::{
    model::time::Millis,
    wire::letters::{BINDING, Call, Letter, PAGE, Reply},
};

const TABLES: &[Table] = &[Table {
    name: "letter",
    make: "CREATE TABLE IF NOT EXISTS letter (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, body TEXT NOT NULL, reason TEXT NOT NULL)",
}];

/// The object.
struct Letters {
    state: State,
    rows: OnceCell<Rows>,
}

export!(Letters, BINDING);

impl Letters {
    fn new(state: State, _env: Env) -> Self {
        Self { state, rows: OnceCell::new() }
    }
}

impl Letters {
    async fn call(&self, call: Call) -> worker::Result<Reply> {
        if self.rows.get().is_none() {
            let _ = self.rows.set(Rows::open(&self.state, TABLES)?);
        }
        let Some(rows) = self.rows.get() else { return Err(worker::Error::RustError("no database".into())) };
        let mut letters = Vec::new();
        match call {
            Call::Add(all) => {
                for Letter { at, body, reason, .. } in all {
                    let values = vec![at.0.into(), body.into(), reason.into()];
                    rows.write("INSERT INTO letter (at, body, reason) VALUES (?, ?, ?)", values)?;
                }
            }
            Call::List(after) => {
                let statement = "SELECT id, at, body, reason FROM letter WHERE id > ? ORDER BY id LIMIT ?";
                let found = rows.read_with(statement, vec![after.into(), (PAGE as u64).into()])?;
                letters = found.into_iter().filter_map(letter).collect();
            }
            Call::Remove(ids) => {
                for id in ids {
                    rows.write("DELETE FROM letter WHERE id = ?", vec![id.into()])?;
                }
            }
        }
        Ok(Reply { letters, rows: rows.take_written() })
    }
}

fn letter(columns: Vec<String>) -> Option<Letter> {
    let [id, at, body, reason] = <[String; 4]>::try_from(columns).ok()?;
    Some(Letter { id: id.parse().ok()?, at: Millis(at.parse().ok()?), body, reason })
}
