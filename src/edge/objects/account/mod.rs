//! Shell of the `Account` object: one app at one vendor.

use std::cell::{Cell, RefCell};

use worker::Env;

use super::{
    super::{
        census,
        cx::{Cx, config, now},
        log,
    },
    flight::{Flight, Turn},
    rows::{Rows, Table},
    shell::{PLACE, Shell},
    state::State,
};
use crate::{
    line::health,
    model::problem::Problem,
    object::{
        account::{Kept, State as Held, Taken},
        bearer::Refusal,
        breaker::Change,
        judge::Seen,
    },
    wire::{
        account::{Admit, BINDING, Bearer, Call, Grant, Outcome, Reply, Report, Request as Ask},
        text,
    },
};

mod bearer;

/// What counts against limits and the circuit breaker, in one row; the access token, sealed.
const TABLES: &[Table] = &[
    Table {
        name: "kept",
        make: "CREATE TABLE IF NOT EXISTS kept (id INTEGER PRIMARY KEY, record TEXT NOT NULL)",
    },
    Table {
        name: "bearer",
        make: "CREATE TABLE IF NOT EXISTS bearer (id INTEGER PRIMARY KEY, record TEXT NOT NULL)",
    },
];
/// How long after a burst the marks are written down as they are. An object without calls leaves memory after about
/// ten seconds: this is before that.
const TRIM_AFTER_SECS: u64 = 5;

/// Settings whose answers are remembered; callers choose topics, so it is bounded. Forgetting keeps tokens.
const SEEN_MAX: usize = 1_000;

/// The object.
struct Account {
    shell: Shell<Held>,
    trimming: Cell<bool>,
    flight: Flight<Result<Bearer, Refusal>>,
    counting: Flight<()>,
    seen: RefCell<crate::model::table::Table<String, Seen>>,
}

export!(Account, BINDING, alarm);

impl Account {
    fn new(state: State, env: Env) -> Self {
        Self {
            shell: Shell::new(state, env, TABLES, PLACE),
            trimming: Cell::new(false),
            flight: Flight::new(),
            counting: Flight::new(),
            seen: RefCell::default(),
        }
    }

    /// A burst is over: the marks that ran ahead are written down as they are. After a crash there is nothing ahead
    /// any more, and nothing is written.
    async fn alarm(&self) -> worker::Result<()> {
        self.trimming.set(false);
        self.shell.if_held(|held, rows| {
            if !held.is_ahead() {
                return Ok(());
            }
            held.trim();
            store(rows, &held.keep(now()))
        })?;
        Ok(())
    }
}

impl Account {
    async fn call(&self, ask: Ask) -> worker::Result<Reply> {
        let ask = &ask;
        let outcome = match &ask.call {
            Call::Admit(admit) => self.admit(ask, admit).await?,
            Call::Return(back) => {
                let mut ahead = false;
                self.with(ask, &mut |held, rows| {
                    held.give_back(back, ask.vendor);
                    if back.close {
                        held.close(back.class, ask.vendor, now());
                        store(rows, &held.keep(now()))?;
                    }
                    ahead = held.is_ahead();
                    Ok(())
                })?;
                self.trim_later(ahead).await?;
                Outcome::Returned
            }
            Call::Show => {
                let mut shown = None;
                self.with(ask, &mut |held, _| {
                    let (until, reason) = held.breaker().map(|open| (open.until, open.reason)).unzip();
                    let now = now();
                    let levels = held.levels(ask.vendor, now);
                    let resets_at = ask.vendor.resets_at(now);
                    shown = Some(Outcome::Levels(levels, resets_at, held.devices(), until, reason));
                    Ok(())
                })?;
                shown.unwrap_or(Outcome::Returned)
            }
            Call::Report(report) => {
                self.report(ask, report)?;
                Outcome::Returned
            }
            Call::Judge(blame, accepted, doubtful) => {
                let mut seen = self.seen.borrow_mut();
                if seen.len() >= SEEN_MAX && !seen.contains_key(blame) {
                    seen.clear();
                }
                let remove = seen.entry(blame.clone()).or_default().judge(*accepted, *doubtful, now());
                Outcome::Judged(remove)
            }
        };
        Ok(Reply { outcome, rows: self.shell.rows()?.take_written() })
    }

    /// The bearer first, then the grants: where there is none to send with, nothing is granted. Between reading the
    /// counter and writing its mark nothing is awaited.
    async fn admit(&self, ask: &Ask, admit: &Admit) -> worker::Result<Outcome> {
        // Where nothing may go out no token is fetched for it; what was left of a lease comes back in any case.
        let (mut grant, mut shut) = (Grant::default(), false);
        self.with(ask, &mut |held, _| {
            let now = now();
            if let Some(back) = &admit.back {
                held.give_back(back, ask.vendor);
            }
            let mut gate = held.gate(admit, ask.vendor, now);
            held.passed(&mut gate, admit, Taken::default(), now);
            shut = gate.n == 0 && admit.n > 0;
            grant = gate.grant;
            Ok(())
        })?;
        if shut {
            return Ok(Outcome::Granted(grant));
        }
        let bearer = if admit.bearer {
            match self.bearer(ask, admit).await? {
                Ok(bearer) => Some(bearer),
                Err((reason, detail)) => return Ok(Outcome::NoBearer(reason, detail)),
            }
        } else {
            None
        };
        self.have_devices(ask, admit).await?;
        let (now, mut ahead) = (now(), false);
        self.with(ask, &mut |held, rows| {
            let mut gate = held.gate(admit, ask.vendor, now);
            let taken = held.take(&gate.narrow(admit), ask.vendor, now);
            if held.passed(&mut gate, admit, taken, now) || taken.write {
                store(rows, &held.keep(now))?;
            }
            let Taken { granted, own, lower, lease, write: _ } = taken;
            let until = held.until(admit.class, ask.vendor, now);
            grant = Grant { n: granted, until, own, lower, lease, ..gate.grant };
            ahead = held.is_ahead();
            Ok(())
        })?;
        self.trim_later(ahead).await?;
        Ok(Outcome::Granted(Grant { bearer, ..grant }))
    }

    /// Asks the census, where a limit depends on how many devices there are and they were not counted lately.
    async fn have_devices(&self, ask: &Ask, admit: &Admit) -> worker::Result<()> {
        loop {
            let mut wanted = false;
            self.with(ask, &mut |held, _| {
                let (vendor, now) = (ask.vendor, now());
                wanted =
                    held.wants_devices(admit, vendor, now) || held.rate_wants_devices(admit, vendor, now);
                Ok(())
            })?;
            if !wanted {
                return Ok(());
            }
            if let Turn::Mine(landing) = self.counting.turn().await {
                let cx = Cx::new(self.shell.env.clone(), config(&self.shell.env).map_err(fault)?);
                let counted = census::count(&cx, &ask.tenant).await.ok();
                let devices = counted.map(|counted| health::devices(&counted, ask.vendor));
                self.with(ask, &mut |held, rows| {
                    held.set_devices(devices, now());
                    store(rows, &held.keep(now()))
                })?;
                landing.tell(&());
            }
        }
    }

    /// How sends went: what changes the circuit breaker is written down.
    fn report(&self, ask: &Ask, report: &Report) -> worker::Result<()> {
        let mut change = Change::None;
        self.with(ask, &mut |held, rows| {
            change = held.report(report, now());
            if change != Change::None {
                store(rows, &held.keep(now()))?;
            }
            Ok(())
        })?;
        let (app, vendor) = (("app", ask.tenant.app.as_str()), ("vendor", ask.vendor.name()));
        match change {
            Change::Opened(reason) => log::warn("breaker_opened", &[app, vendor, ("reason", reason.name())]),
            Change::Closed => log::info("breaker_closed", &[app, vendor]),
            Change::None | Change::Freed => {}
        }
        Ok(())
    }

    /// Sets the alarm that writes down marks which are above what was granted: those that ran ahead, and those whose
    /// grants came back.
    async fn trim_later(&self, ahead: bool) -> worker::Result<()> {
        if ahead && !self.trimming.replace(true) {
            self.shell.rows()?.count(1);
            if self.shell.state.set_alarm(now().plus_secs(TRIM_AFTER_SECS)).await.is_err() {
                // What is above counts as used until the next burst trims it: a loss, not an overshoot.
                self.trimming.set(false);
            }
        }
        Ok(())
    }

    /// Runs a step on the state. One kind of step for all of them: what loads the state is in the wasm once.
    fn with(&self, ask: &Ask, step: Step<'_>) -> worker::Result<()> {
        self.shell.with(|rows| load(rows, &self.shell.env, ask), step)
    }
}

/// A step that hands out what came of it by itself.
type Step<'a> = &'a mut dyn FnMut(&mut Held, &Rows) -> worker::Result<()>;

fn fault(problem: Problem) -> worker::Error {
    worker::Error::RustError(problem.detail)
}

/// A row that cannot be read is an error: as empty counters it would grant twice.
fn load(rows: &Rows, env: &Env, ask: &Ask) -> worker::Result<Held> {
    let kept = rows.read("SELECT record FROM kept")?.into_iter().flatten().next();
    let kept: Kept = kept.map(|row| text::read(&row)).transpose()?.unwrap_or_default();
    Ok(Held::load(kept, bearer::load(rows, env, ask)?, ask.vendor, now()))
}

fn store(rows: &Rows, kept: &Kept) -> worker::Result<()> {
    let values = vec![text::write(kept).into()];
    rows.write("INSERT OR REPLACE INTO kept (id, record) VALUES (1, ?)", values)
}
