//! Shell of the `Audience` object: one stored list of users. A table for each version: what expires together is dropped
//! together.

use std::cell::Cell;

use worker::Env;

use super::{
    super::cx::now,
    rows::{Rows, Table},
    shell::{PLACE, Shell},
    state::State,
};
use crate::{
    model::time::Millis,
    object::audience::State as Held,
    wire::audience::{BINDING, Call, Outcome, ROW, Reply},
    wire::text,
};

const TABLES: &[Table] = &[Table {
    name: "about",
    make: "CREATE TABLE IF NOT EXISTS about (id INTEGER PRIMARY KEY, record TEXT NOT NULL)",
}];

/// The object.
struct Audience {
    shell: Shell<Held>,
    alarm: Cell<Option<Millis>>,
}

export!(Audience, BINDING, alarm);

impl Audience {
    fn new(state: State, env: Env) -> Self {
        Self { shell: Shell::new(state, env, TABLES, PLACE), alarm: Cell::new(None) }
    }

    /// Drops what is no longer needed; an object without anything is emptied by the platform when it holds no row.
    async fn alarm(&self) -> worker::Result<()> {
        self.alarm.set(None);
        self.shell.with(load, |held, rows| {
            for version in held.sweep(now()) {
                rows.write_as(&format!("DROP TABLE IF EXISTS list_{version}").into(), &[])?;
            }
            store(rows, held)
        })?;
        self.arm().await
    }

    async fn call(&self, call: Call) -> worker::Result<Reply> {
        let now = now();
        let outcome = self.shell.with(load, |held, rows| {
            Ok(match call {
                Call::Start => {
                    let version = held.start(now);
                    let make =
                        format!("CREATE TABLE list_{version} (n INTEGER PRIMARY KEY, ids TEXT NOT NULL)");
                    rows.write_as(&make.into(), &[])?;
                    store(rows, held)?;
                    Outcome::Version(version)
                }
                Call::Add(version, _, _) if !held.takes(version) => Outcome::Missing,
                Call::Add(version, first, lists) => {
                    let insert =
                        format!("INSERT OR REPLACE INTO list_{version} (n, ids) VALUES (?, ?)").into();
                    for (n, ids) in (u64::from(first)..).zip(lists) {
                        rows.write_as(&insert, &[n.into(), ids.into()])?;
                    }
                    Outcome::Version(version)
                }
                Call::Finish(version, users) => match held.finish(version, users, now) {
                    Some(current) => {
                        store(rows, held)?;
                        Outcome::Current(current)
                    }
                    None => Outcome::Missing,
                },
                Call::Get => held.current(now).cloned().map_or(Outcome::Missing, Outcome::Current),
                Call::Remove if held.remove(now) => {
                    store(rows, held)?;
                    Outcome::Removed
                }
                Call::Remove => Outcome::Missing,
                Call::Slice(version, _, _) if !held.readable(version) => Outcome::Missing,
                Call::Slice(version, first, n) => {
                    let select = format!("SELECT ids FROM list_{version} WHERE n = ?").into();
                    let found = rows.read_as(&select, &[u64::from(first / ROW).into()])?;
                    let ids = found.into_iter().flatten().next().unwrap_or_default();
                    let some = ids.split('\n').skip((first % ROW) as usize).take(n as usize);
                    Outcome::Ids(some.collect::<Vec<_>>().join("\n"))
                }
            })
        })?;
        self.arm().await?;
        Ok(Reply { outcome, rows: self.shell.rows()?.take_written() })
    }

    /// Sets the alarm for what has to be dropped next, where none is set that comes earlier.
    async fn arm(&self) -> worker::Result<()> {
        let next = self.shell.with(load, |held, _| Ok(held.next()))?;
        let Some(next) = next.filter(|next| self.alarm.get().is_none_or(|set| set > *next)) else {
            return Ok(());
        };
        self.alarm.set(Some(next));
        self.shell.rows()?.count(1);
        self.shell.state.set_alarm(next).await
    }
}

fn load(rows: &Rows) -> worker::Result<Held> {
    let stored = rows.read("SELECT record FROM about")?.into_iter().flatten().next();
    Ok(stored.map(|text| crate::wire::text::read(&text)).transpose()?.unwrap_or_default())
}

fn store(rows: &Rows, held: &Held) -> worker::Result<()> {
    let record = text::write(held);
    rows.write("INSERT OR REPLACE INTO about (id, record) VALUES (1, ?)", vec![record.into()])
}
