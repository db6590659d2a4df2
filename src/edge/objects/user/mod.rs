//! Shell of the `User` object: one user's devices and wishes.

use worker::Env;

use super::{
    super::{cx::now, glue},
    rows::{Rows, Table},
    shell::{Place, Shell},
    state::State,
};
use crate::{
    line::reply,
    model::ids::{Tenant, UserId},
    object::user::{About, Home, Step, Write},
    wire::{
        text,
        user::{self as wire, BINDING, Call, Copy, Done, Erased, Reply, Request as Ask, Shown},
    },
};

mod caps;
mod others;

/// A row per device (`d:<id>`), one with everything else (`about`), one with whose object it is (`owner`). In one table: making one
/// is two rows written, for every user.
const TABLES: &[Table] = &[Table {
    name: "kept",
    make: "CREATE TABLE IF NOT EXISTS kept (key TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID",
}];

const OWNER: Place = Place {
    make: "SELECT 1",
    keep: "INSERT OR IGNORE INTO kept (key, record) VALUES ('owner', ?)",
    read: "SELECT record FROM kept WHERE key = 'owner'",
    forget: "DELETE FROM kept WHERE key = 'owner'",
};

/// A lookup waits for a registration that is under way: so long at a time, and so often, milliseconds.
const LOOK_AGAIN_MS: u64 = 25;
const LOOKS: u32 = 80;

/// The object.
struct User {
    shell: Shell<Home>,
}

export!(User, BINDING, alarm);

/// Whose object it is.
struct Owner {
    tenant: Tenant,
    user: UserId,
}

impl User {
    fn new(state: State, env: Env) -> Self {
        Self { shell: Shell::new(state, env, TABLES, OWNER) }
    }

    /// Carries on whatever is open: registrations, claims to free, the copy, the report to the census.
    async fn alarm(&self) -> worker::Result<()> {
        self.shell.looked();
        let Some((tenant, user)) = self.shell.place()?.as_deref().and_then(wire::parse_name) else {
            return Ok(());
        };
        let owner = Owner { tenant, user };
        for ask in self.step(|home| home.undecided())? {
            self.decide(&owner, ask, true).await?;
        }
        let freed = self.free(&owner).await?;
        if !self.shell.is_copied() {
            self.copy(&owner).await;
        }
        let reported = self.report(&owner).await;
        let now = now();
        let (pending, owed, empty) =
            self.step(|home| (home.pending(), home.next_owed(), home.is_empty() && home.about().is_none()))?;
        // Whatever is open, at its own time: nothing of it waits for something else.
        let copy = (!self.shell.is_copied())
            .then(|| self.shell.refused_until().unwrap_or_default().max(now.plus_secs(1)));
        let again = (pending || !freed || !reported).then(|| now.plus_secs(30));
        let owed = owed.map(|owed| owed.max(now.plus_secs(1)));
        match [copy, again, owed].into_iter().flatten().min() {
            Some(next) => self.shell.look_at(next).await?,
            None if empty => self.shell.forget_place()?,
            None => {}
        }
        // Nobody asks what an alarm has written: the next call is not to be told that it was its own.
        self.shell.rows()?.take_written();
        Ok(())
    }

    async fn call(&self, ask: Ask) -> worker::Result<Reply> {
        let Ask { tenant, user, call } = ask;
        let owner = Owner { tenant, user };
        let now = now();
        let (done, shown, asked) = match call {
            Call::Get => {
                let person = self.step(|home| home.person(now))?;
                let done = if person.is_empty() { Done::Missing } else { Done::Read };
                (done, Shown::Text(reply::user(&owner.user, &person)), 0)
            }
            Call::Reach(guard) => {
                let asked = self.await_decision(&owner).await?;
                let copy = self.step(|home| {
                    if guard {
                        home.guard(self::now());
                    }
                    home.copy()
                })?;
                (Done::Read, Shown::Reach(copy), asked)
            }
            Call::Put(device, registration, source) => {
                let (mut step, ()) =
                    self.run(|home| (home.put(device.clone(), *registration, source, now), ()))?;
                let (done, mut asked) = (step.done, 0);
                self.after(&owner, &step).await?;
                let mut said = done;
                if let Some(ask) = step.claim.take() {
                    let (after, rows) = self.decide(&owner, ask, false).await?;
                    asked = rows;
                    said = if after == Done::Changed { done } else { after };
                }
                let shown = self.step(|home| home.device(&device).cloned())?;
                (said, shown.map_or(Shown::Nothing, |device| Shown::Text(reply::device(&device))), asked)
            }
            Call::Delete(device) => {
                let done = self.change(&owner, |home| home.delete(&device, now)).await?;
                // What was let through before has left when the caller is told that the device is gone.
                self.wait(self.step(|home| home.guarded_for_sure(self::now()))?).await;
                (done, Shown::Nothing, 0)
            }
            Call::Lost(loss) => {
                let done = self.change(&owner, |home| home.lost(&loss, now)).await?;
                // Also where the device is gone already: the object may have died since it had told somebody of it.
                self.wait(self.step(|home| home.guarded(self::now()))?).await;
                (done, Shown::Nothing, 0)
            }
            Call::Gone(items) => {
                (self.change(&owner, |home| home.gone(items, now)).await?, Shown::Nothing, 0)
            }
            Call::Muted(items) => (self.change(&owner, |home| home.muted(&items)).await?, Shown::Nothing, 0),
            Call::Permission(device, permission) => {
                let done = self.change(&owner, |home| home.permission(&device, permission, now)).await?;
                (done, Shown::Nothing, 0)
            }
            Call::Prefer(wish) => {
                let done = self.change(&owner, |home| home.prefer(*wish)).await?;
                (done, Shown::Text(reply::user(&owner.user, &self.step(|home| home.person(now))?)), 0)
            }
            Call::Missed(category) => {
                (self.change(&owner, |home| home.missed(category, now)).await?, Shown::Nothing, 0)
            }
            Call::Advice(device, rule) => {
                let (step, advice) = self.run(|home| home.advise(&device, rule, now))?;
                self.after(&owner, &step).await?;
                (step.done, advice.map_or(Shown::Nothing, |advice| Shown::Text(reply::advice(&advice))), 0)
            }
            Call::Spend(ask) => (Done::Read, Shown::Spent(self.spend(&ask)?), 0),
            Call::Unspend(push, devices) => (self.unspend(&push, &devices)?, Shown::Nothing, 0),
            Call::Clicked(pushes) => (self.clicked(&pushes)?, Shown::Nothing, 0),
            Call::Erase => {
                let (done, erased, rows) = self.erase(&owner).await?;
                (done, Shown::Text(reply::erased(&owner.user, &erased)), rows)
            }
        };
        Ok(Reply { done, shown, rows: asked + self.shell.rows()?.take_written() })
    }

    /// Looks at the state, or changes what is in memory only.
    fn step<R>(&self, look: impl FnOnce(&mut Home) -> R) -> worker::Result<R> {
        self.shell.with(load, |home, _| Ok(look(home)))
    }

    /// Runs a step and writes its rows, with nothing awaited between.
    fn run<R>(&self, step: impl FnOnce(&mut Home) -> (Step, R)) -> worker::Result<(Step, R)> {
        self.shell.with(load, |home, rows| {
            let (step, more) = step(home);
            for write in &step.writes {
                store(rows, write, home)?;
            }
            Ok((step, more))
        })
    }

    /// What follows rows that were written: an alarm, and the copy.
    async fn after(&self, owner: &Owner, step: &Step) -> worker::Result<()> {
        let open = step.claim.is_some() || self.step(|home| home.next_owed().is_some())?;
        if step.copy || (open && !step.writes.is_empty()) {
            self.shell.changed(&owner.name(), step.copy).await?;
        }
        if step.copy {
            self.copy(owner).await;
        }
        Ok(())
    }

    async fn change(&self, owner: &Owner, step: impl FnOnce(&mut Home) -> Step) -> worker::Result<Done> {
        let (step, ()) = self.run(|home| (step(home), ()))?;
        self.after(owner, &step).await?;
        Ok(step.done)
    }

    async fn wait(&self, ms: u64) {
        if ms > 0 {
            glue::sleep(ms).await;
        }
    }

    /// A lookup right after a registration finds the device: what is being decided is waited for, and what was interrupted is
    /// carried on.
    async fn await_decision(&self, owner: &Owner) -> worker::Result<u32> {
        let mut rows = 0;
        for look in 0..LOOKS {
            if !self.step(|home| home.pending())? {
                break;
            }
            if look == 0 {
                for ask in self.step(|home| home.interrupted())? {
                    rows += self.decide(owner, ask, true).await?.1;
                }
            }
            self.wait(LOOK_AGAIN_MS).await;
        }
        Ok(rows)
    }

    /// Forgets everything: devices, claims, preferences, the copy, the report. What does not answer is gone on with by the
    /// alarm.
    async fn erase(&self, owner: &Owner) -> worker::Result<(Done, Erased, u32)> {
        let forgot = self.forget_caps()?;
        let (before, nothing) =
            self.step(|home| (home.person(now()), home.is_empty() && home.about().is_none()))?;
        if nothing && !forgot && self.shell.place()?.is_none() {
            return Ok((Done::Missing, Erased::default(), 0));
        }
        self.change(owner, |home| home.erase(now())).await?;
        self.wait(self.step(|home| home.guarded(now()))?).await;
        let mut claims = 0;
        for owed in self.step(|home| home.owed(true, now()))? {
            claims += u32::from(self.release(owner, &owed).await?);
        }
        let copy = self.shell.is_copied();
        let reported = self.report(owner).await;
        // What is left is the alarm's.
        let pending = !copy || !reported || self.step(|home| home.next_owed().is_some())?;
        let erased = Erased {
            devices: u32::try_from(before.devices.len()).unwrap_or(u32::MAX),
            preferences: before.preferences != Default::default(),
            claims,
            copy,
            pending,
        };
        Ok((Done::Removed, erased, 0))
    }
}

impl Owner {
    fn name(&self) -> String {
        wire::name(&self.tenant, &self.user)
    }
}

/// A row that cannot be read is an error, not a user without devices.
fn load(rows: &Rows) -> worker::Result<Home> {
    let records = rows.read("SELECT record FROM kept WHERE key >= 'd:' AND key < 'd;' ORDER BY key")?;
    let devices = records.into_iter().flatten().map(|stored| Ok(text::read(&stored)?));
    let about = rows.read("SELECT record FROM kept WHERE key = 'about'")?.into_iter().flatten().next();
    let about: Option<About> = about.map(|stored| text::read(&stored)).transpose()?;
    Ok(Home::load(devices.collect::<worker::Result<_>>()?, about.unwrap_or_default(), now()))
}

fn store(rows: &Rows, write: &Write, home: &Home) -> worker::Result<()> {
    match (write, home.about()) {
        (Write::Put(device), _) => {
            let values = vec![format!("d:{}", device.id).into(), text::write(device).into()];
            rows.write("INSERT OR REPLACE INTO kept (key, record) VALUES (?, ?)", values)
        }
        (Write::Remove(id), _) => {
            rows.write("DELETE FROM kept WHERE key = ?", vec![format!("d:{id}").into()])
        }
        (Write::About, Some(about)) => {
            let record = text::write(about);
            rows.write("INSERT OR REPLACE INTO kept (key, record) VALUES ('about', ?)", vec![record.into()])
        }
        (Write::About, None) => rows.write("DELETE FROM kept WHERE key = 'about'", Vec::new()),
    }
}

/// The read copy: nothing for a user without devices.
fn copy_text(home: &Home) -> String {
    let copy = Copy { at: now(), ..home.copy() };
    if copy.devices.is_empty() { String::new() } else { text::write(&copy) }
}
