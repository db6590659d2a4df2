//! Shell of the `User` object: one user's devices.

use wasm_bindgen::prelude::wasm_bindgen;
use worker::{Env, State};

use super::{
    super::cx::now,
    rows::{Rows, Table},
    shell::Shell,
};
use crate::{
    object::user::{Devices, Step, Write},
    wire::user::{BINDING, COPY, Call, Copy, Done, Reach, Reply, Request as Ask},
};

/// Devices, one row each.
const TABLES: &[Table] = &[Table {
    name: "device",
    make: "CREATE TABLE IF NOT EXISTS device (id TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID",
}];

/// The object.
#[wasm_bindgen]
pub struct User {
    shell: Shell<Devices>,
}

export!(User, BINDING, alarm);

impl User {
    fn new(state: State, env: Env) -> Self {
        Self { shell: Shell::new(state, env, TABLES) }
    }

    async fn alarm(&self) -> worker::Result<()> {
        self.shell.look(COPY, load, copy).await
    }
}

impl User {
    async fn call(&self, ask: Ask) -> worker::Result<Reply> {
        let now = now();
        let (step, devices) = self.shell.with(load, |devices, rows| {
            let step = match ask.call {
                Call::Get => Step { done: Done::Read, writes: Vec::new(), copy: false },
                Call::Put { device, registration } => devices.put(device, *registration, now),
                Call::Delete { device } => devices.delete(&device),
                Call::Gone { items } => devices.gone(items, now),
            };
            for write in &step.writes {
                store(rows, write)?;
            }
            // What this call saw: while its copy is written, others may change the state.
            Ok((step, devices.all().to_vec()))
        })?;
        if step.copy {
            self.shell.changed(&ask.name).await?;
            self.shell.copy(COPY, &ask.name, copy).await;
        }
        Ok(Reply { done: step.done, devices, rows: self.shell.rows()?.take_written() })
    }
}

/// A row that cannot be read is an error, not a user without devices.
fn load(rows: &Rows) -> worker::Result<Devices> {
    let records = rows.read("SELECT record FROM device ORDER BY id")?;
    let devices = records.into_iter().flatten().map(|text| Ok(serde_json::from_str(&text)?));
    Ok(Devices::load(devices.collect::<worker::Result<_>>()?, now()))
}

fn store(rows: &Rows, write: &Write) -> worker::Result<()> {
    match write {
        Write::Put(device) => {
            let record = serde_json::to_string(device)?;
            let values = vec![device.id.as_str().into(), record.into()];
            rows.write("INSERT OR REPLACE INTO device (id, record) VALUES (?, ?)", values)
        }
        Write::Remove(id) => rows.write("DELETE FROM device WHERE id = ?", vec![id.as_str().into()]),
    }
}

/// The read copy: nothing for a user without devices.
fn copy(devices: &Devices) -> String {
    let devices: Vec<Reach> = devices.all().iter().map(Reach::of).collect();
    if devices.is_empty() {
        String::new()
    } else {
        serde_json::to_string(&Copy { devices }).unwrap_or_default()
    }
}
