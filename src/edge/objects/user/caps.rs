//! What the user was sent of late: a row of its own, which is read when somebody asks.

use super::{
    super::{super::cx::now, rows::Rows},
    User, load,
};
use crate::{
    object::user::caps::Caps,
    wire::{
        text,
        user::{Done, Spend, Spent},
    },
};

impl User {
    pub(super) fn spend(&self, ask: &Spend) -> worker::Result<Vec<Spent>> {
        let mut answers = Vec::new();
        self.caps(&mut |caps| {
            answers = caps.spend(ask, now());
            answers.contains(&Spent::Counted)
        })?;
        Ok(answers)
    }

    pub(super) fn unspend(&self, push: &str, devices: &[u32]) -> worker::Result<Done> {
        self.caps(&mut |caps| caps.unspend(push, devices)).map(done)
    }

    pub(super) fn clicked(&self, pushes: &[String]) -> worker::Result<Done> {
        self.caps(&mut |caps| caps.clicked(pushes)).map(done)
    }

    /// `true`: there was something.
    pub(super) fn forget_caps(&self) -> worker::Result<bool> {
        self.caps(&mut |caps| !std::mem::take(caps).is_empty())
    }

    /// Runs a step, and writes the row where the step says so, with nothing awaited between.
    fn caps(&self, step: &mut dyn FnMut(&mut Caps) -> bool) -> worker::Result<bool> {
        self.shell.with(load, |home, rows| {
            let mut caps = match home.caps.take() {
                Some(caps) => caps,
                None => read(rows)?,
            };
            let changed = step(&mut caps);
            if changed && caps.is_empty() {
                rows.write("DELETE FROM kept WHERE key = 'caps'", Vec::new())?;
            } else if changed {
                let record = text::write(&caps).into();
                rows.write("INSERT OR REPLACE INTO kept (key, record) VALUES ('caps', ?)", vec![record])?;
            }
            home.caps = Some(caps);
            Ok(changed)
        })
    }
}

fn done(changed: bool) -> Done {
    if changed { Done::Changed } else { Done::Unchanged }
}

fn read(rows: &Rows) -> worker::Result<Caps> {
    let stored = rows.read("SELECT record FROM kept WHERE key = 'caps'")?.into_iter().flatten().next();
    Ok(stored.map(|stored| text::read(&stored)).transpose()?.unwrap_or_default())
}
