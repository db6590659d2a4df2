//! Shell of the `Ledger` object: one shard of an app's pushes.

use std::cell::{Cell, OnceCell, RefCell};

use worker::Env;

use super::{
    super::{
        cx::{config, now},
        glue, log,
    },
    rows::Rows,
    state::State,
};
use crate::{
    model::{ids::Tenant, time::Millis},
    object::ledger::{Fault, Ledger as Held},
    wire::{
        job::{DISPATCH, Envelope},
        ledger::{BINDING, Call, Reply, Request},
        text,
    },
};

mod store;

use store::{Days, Sql, TABLES};

/// When the platform's alarm is set for, as far as that is known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Alarm {
    Unasked,
    At(Millis),
    Unset,
}

/// The object.
struct Ledger {
    state: State,
    env: Env,
    rows: RefCell<Option<Rows>>,
    days: Days,
    held: RefCell<Option<Held>>,
    owner: OnceCell<Tenant>,
    alarm: Cell<Alarm>,
}

export!(Ledger, BINDING, alarm);

impl Ledger {
    fn new(state: State, env: Env) -> Self {
        Self {
            state,
            env,
            rows: RefCell::new(None),
            days: Days::default(),
            held: RefCell::new(None),
            owner: OnceCell::new(),
            alarm: Cell::new(Alarm::Unasked),
        }
    }

    /// A round: what is due is offered to the queue. One that fails is tried again by the platform.
    async fn alarm(&self) -> worker::Result<()> {
        self.alarm.set(Alarm::Unset);
        let round = self.step(|held, sql| held.alarm(sql, now()))?;
        if round.lost > 0 {
            log::warn("workers_lost", &[("pages", &round.lost.to_string())]);
        }
        if !round.jobs.is_empty() {
            let tenant = self.owner(None)?;
            let body = |job| text::write(&Envelope { tenant: tenant.clone(), job });
            let bodies: Vec<String> = round.jobs.into_iter().map(body).collect();
            let list = text::write(&bodies);
            glue::enqueue(&self.env, DISPATCH, &list)
                .await
                .map_err(|failed| worker::Error::RustError(failed.0))?;
        }
        self.arm(None).await?;
        Ok(())
    }
}

impl Ledger {
    async fn call(&self, Request(tenant, _, call): Request<'static>) -> worker::Result<Reply> {
        let now = now();
        if self.alarm.get() == Alarm::Unasked {
            let set = self.state.alarm().await?;
            self.alarm.set(set.map_or(Alarm::Unset, Alarm::At));
        }
        let outcome = self.step(|held, sql| match call {
            Call::Begin(page, work, copies) => match held.refuses(sql, copies, now)? {
                Some(refused) => Ok(refused),
                None => held.begin(sql, page.into_owned(), work.get(), now),
            },
            Call::Distrust(until) => held.set_distrust(sql, until),
            Call::Settle(push, part, now, ends) => held.settle(sql, &push, part, &ends, now),
            Call::Hear(reports) => held.hear(sql, &reports, now),
            Call::Abort(push, part) => held.abort(sql, &push, part),
            Call::Take(push, part) => held.take(sql, &push, part, now),
            Call::Queue(head, work, targets) => held.queue(sql, *head, work.get(), &targets, now),
            Call::Slice(push, slice, part) => held.slice(sql, &push, slice, part, now),
            Call::Held(push) => held.holds(sql, &push, now),
            Call::Get(push, after) => held.get(sql, &push, after.as_deref()),
            Call::Cancel(push) => held.cancel(sql, &push, now),
            Call::Erase(user, after) => held.erase(sql, &user, after, now),
            Call::Funnel(from, to) => held.funnel(sql, from, to),
        })?;
        self.arm(Some(&tenant)).await?;
        Ok(Reply { outcome, rows: self.written()? })
    }

    /// Runs a step. One that fails empties the memory: the rows are the truth. Nothing is awaited here, so the platform
    /// writes all rows of a step together or none.
    fn step<R>(&self, step: impl FnOnce(&mut Held, &mut Sql<'_>) -> Result<R, Fault>) -> worker::Result<R> {
        if self.rows.borrow().is_none() {
            self.rows.replace(Some(Rows::open(&self.state, TABLES)?));
        }
        let rows = self.rows.borrow();
        let Some(rows) = rows.as_ref() else { return Err(worker::Error::RustError("no database".into())) };
        let mut held = match self.held.take() {
            Some(held) => held,
            None => {
                Held::new(config(&self.env).map_err(|problem| worker::Error::RustError(problem.detail))?.keep)
            }
        };
        let mut sql = Sql { rows, days: &self.days };
        let result = step(&mut held, &mut sql).map_err(|Fault(why)| worker::Error::RustError(why))?;
        self.held.replace(Some(held));
        Ok(result)
    }

    fn written(&self) -> worker::Result<u32> {
        Ok(self.rows.borrow().as_ref().map(Rows::take_written).unwrap_or_default())
    }

    /// Whose ledger this is, written down once: an alarm does not say.
    fn owner(&self, tenant: Option<&Tenant>) -> worker::Result<Tenant> {
        if let Some(owner) = self.owner.get() {
            return Ok(owner.clone());
        }
        let rows = self.rows.borrow();
        let Some(rows) = rows.as_ref() else { return Err(worker::Error::RustError("no database".into())) };
        let known = rows.read("SELECT tenant FROM owner")?.into_iter().flatten().next();
        let owner = match (known, tenant) {
            (Some(known), _) => crate::wire::text::read(&known)?,
            (None, Some(tenant)) => {
                let text = text::write(tenant);
                rows.write("INSERT INTO owner (id, tenant) VALUES (1, ?)", vec![text.into()])?;
                tenant.clone()
            }
            (None, None) => return Err(worker::Error::RustError("a ledger without an owner".into())),
        };
        Ok(self.owner.get_or_init(|| owner).clone())
    }

    /// Sets the alarm, where none is set that comes early enough: a row written.
    async fn arm(&self, tenant: Option<&Tenant>) -> worker::Result<()> {
        let Some(next) = self.held.borrow().as_ref().and_then(Held::next) else { return Ok(()) };
        if let Alarm::At(at) = self.alarm.get()
            && at <= next
        {
            return Ok(());
        }
        if let Some(tenant) = tenant {
            self.owner(Some(tenant))?;
        }
        self.alarm.set(Alarm::At(next));
        if let Some(rows) = self.rows.borrow().as_ref() {
            rows.count(1);
        }
        let set = self.state.set_alarm(next).await;
        if set.is_err() {
            self.alarm.set(Alarm::Unset);
        }
        set
    }
}
