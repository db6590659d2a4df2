//! Shell of the `App` object: one app's record.

use worker::Env;

use super::{
    super::cx::now,
    rows::{Rows, Table},
    shell::{PLACE, Shell},
    state::State,
};
use crate::{
    object::app::{self, State as Record},
    wire::app::{BINDING, COPY, Reply, Request as Ask, name},
    wire::text,
};

/// One row: the record, and how many lives the id has had.
const TABLES: &[Table] = &[Table {
    name: "app",
    make: "CREATE TABLE IF NOT EXISTS app (id INTEGER PRIMARY KEY, record TEXT NOT NULL)",
}];

/// The object.
struct App {
    shell: Shell<Record>,
}

export!(App, BINDING, alarm);

impl App {
    fn new(state: State, env: Env) -> Self {
        Self { shell: Shell::new(state, env, TABLES, PLACE) }
    }

    async fn alarm(&self) -> worker::Result<()> {
        self.shell.look(COPY, load, copy).await
    }
}

impl App {
    async fn call(&self, ask: Ask) -> worker::Result<Reply> {
        let now = now();
        let (done, changed, app) = self.shell.with(load, |record, rows| {
            let (done, changed) = app::step(record, &ask.app, ask.call, now);
            if changed {
                let text = text::write(record);
                rows.write("INSERT OR REPLACE INTO app (id, record) VALUES (1, ?)", vec![text.into()])?;
            }
            Ok((done, changed, record.app.clone()))
        })?;
        if changed {
            let key = name(&ask.app);
            self.shell.changed(&key, true).await?;
            self.shell.copy(COPY, &key, copy).await;
        }
        Ok(Reply { done, app, rows: self.shell.rows()?.take_written() })
    }
}

/// A record that cannot be read is an error, not an app that does not exist.
fn load(rows: &Rows) -> worker::Result<Record> {
    let stored = rows.read("SELECT record FROM app")?.into_iter().flatten().next();
    Ok(stored.map(|text| crate::wire::text::read(&text)).transpose()?.unwrap_or_default())
}

/// The read copy: nothing for an app that is gone.
fn copy(record: &Record) -> String {
    record.app.as_ref().map(text::write).unwrap_or_default()
}
