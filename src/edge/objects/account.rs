//! Shell of the `Account` object: one app at one vendor.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use wasm_bindgen::prelude::wasm_bindgen;
use worker::{Env, State};

use super::{
    super::{
        bearer::seal_owner,
        census,
        cx::{Cx, config, now, random},
        send::post_one,
    },
    flight::{Flight, Turn},
    rows::{Rows, Table},
    shell::{PLACE, Shell},
};
use crate::{
    crypto::seal::Sealed,
    line::health,
    model::{delivery::Reason, problem::Problem},
    object::{
        account::{Kept, State as Held, Taken},
        bearer::{Have, Refusal},
        judge::Seen,
    },
    vendor::Credential,
    wire::{
        account::{Admit, BINDING, Bearer, Call, Devices, Grant, Outcome, Reply, Request as Ask},
        app, text,
    },
};

/// What counts against limits, in one row; the access token, sealed.
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
const TRIM_AFTER: Duration = Duration::from_secs(5);

/// Settings whose answers are remembered; callers choose topics, so it is bounded. Forgetting keeps tokens.
const SEEN_MAX: usize = 1_000;

/// The object.
#[wasm_bindgen]
pub struct Account {
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
                let ahead = self.with(ask, |held, rows| {
                    held.give_back(back, ask.vendor);
                    if back.close {
                        held.close(back.class, ask.vendor, now());
                        store(rows, &held.keep(now()))?;
                    }
                    Ok(held.is_ahead())
                })?;
                self.trim_later(ahead).await?;
                Outcome::Returned
            }
            Call::Show => {
                let now = now();
                let (levels, devices) =
                    self.with(ask, |held, _| Ok((held.levels(ask.vendor, now), held.devices())))?;
                Outcome::Levels(levels, ask.vendor.resets_at(now), devices)
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
        let bearer = if admit.bearer {
            match self.bearer(ask, admit).await? {
                Ok(bearer) => Some(bearer),
                Err((reason, detail)) => return Ok(Outcome::NoBearer(reason, detail)),
            }
        } else {
            None
        };
        while self.with(ask, |held, _| Ok(held.wants_devices(admit, ask.vendor, now())))? {
            if let Turn::Mine(landing) = self.counting.turn().await {
                let devices = self.count(ask).await?;
                self.with(ask, |held, rows| {
                    held.set_devices(devices, now());
                    store(rows, &held.keep(now()))
                })?;
                landing.tell(&());
            }
        }
        let now = now();
        let (taken, until, ahead) = self.with(ask, |held, rows| {
            let taken = held.take(admit, ask.vendor, now);
            if taken.write {
                store(rows, &held.keep(now))?;
            }
            Ok((taken, held.until(admit.class, ask.vendor, now), held.is_ahead()))
        })?;
        self.trim_later(ahead).await?;
        let Taken { granted, own, lower, lease, write: _ } = taken;
        Ok(Outcome::Granted(Grant { n: granted, until, own, bearer, lower, lease }))
    }

    /// How many devices the vendor's limit depends on.
    async fn count(&self, ask: &Ask) -> worker::Result<Option<Devices>> {
        let cx = Cx::new(self.shell.env.clone(), config(&self.shell.env).map_err(fault)?);
        let counted = census::count(&cx, &ask.tenant).await.ok();
        Ok(counted.map(|counted| health::devices(&counted, ask.vendor)))
    }

    /// Sets the alarm that writes down marks which are above what was granted: those that ran ahead, and those whose
    /// grants came back.
    async fn trim_later(&self, ahead: bool) -> worker::Result<()> {
        if ahead && !self.trimming.replace(true) {
            self.shell.rows()?.count(1);
            if self.shell.state.storage().set_alarm(TRIM_AFTER).await.is_err() {
                // What is above counts as used until the next burst trims it: a loss, not an overshoot.
                self.trimming.set(false);
            }
        }
        Ok(())
    }

    fn with<R>(
        &self,
        ask: &Ask,
        step: impl FnOnce(&mut Held, &Rows) -> worker::Result<R>,
    ) -> worker::Result<R> {
        self.shell.with(|rows| load(rows, &self.shell.env, ask), step)
    }

    /// The current bearer, or a new one, fetched once however many ask.
    async fn bearer(&self, ask: &Ask, admit: &Admit) -> worker::Result<Result<Bearer, Refusal>> {
        loop {
            let refused = admit.refused.as_deref();
            match self.with(ask, |held, _| Ok(held.bearers.have(admit.revision, refused, now())))? {
                Have::Bearer(bearer) => return Ok(Ok(bearer)),
                Have::Not(refusal) => return Ok(Err(refusal)),
                Have::Ask => {}
            }
            match self.flight.turn().await {
                Turn::Told(Err(refusal)) => return Ok(Err(refusal)),
                // It may be of an older credential, or the very one that was refused: the state decides.
                Turn::Told(Ok(_)) | Turn::Again => {}
                Turn::Mine(landing) => {
                    let result = self.fetch_bearer(ask).await?;
                    self.with(ask, |held, rows| {
                        match &result {
                            Ok(bearer) => {
                                keep(rows, &self.shell.env, ask, bearer)?;
                                held.bearers.fetched(bearer.clone(), refused.is_some(), now());
                            }
                            Err(refusal) => held.bearers.failed(admit.revision, refusal, now()),
                        }
                        Ok(())
                    })?;
                    landing.tell(&result);
                    return Ok(result);
                }
            }
        }
    }

    /// Fetches a bearer from the vendor with the credential that the `App` object has now.
    async fn fetch_bearer(&self, ask: &Ask) -> worker::Result<Result<Bearer, Refusal>> {
        let cx = Cx::new(self.shell.env.clone(), config(&self.shell.env).map_err(fault)?);
        let request = app::Request { app: ask.tenant.app.clone(), call: app::Call::Get };
        let reply: app::Reply =
            cx.ask(app::BINDING, &app::name(&ask.tenant.app), &request).await.map_err(fault)?;
        let stored = reply
            .app
            .filter(|app| app.tenant() == ask.tenant)
            .and_then(|app| app.credentials.get(&ask.vendor).cloned());
        let Some(stored) = stored else {
            return Ok(Err(credentials("the app has no credential for this vendor")));
        };
        let owner = seal_owner(&ask.tenant.app, ask.vendor);
        let opened = cx.config.seal_keys.open(&owner, &stored.sealed).ok();
        let Some(credential) = opened.and_then(|bytes| Credential::from_stored(ask.vendor, &bytes)) else {
            return Ok(Err(credentials(
                "the credential does not open: was SEAL_KEY changed without SEAL_KEY_OLD?",
            )));
        };
        if let Some(bearer) = credential.signed(stored.revision, cx.now) {
            return Ok(Ok(bearer));
        }
        let Some(request) = credential.token_request(cx.now) else {
            return Ok(Err(credentials("the credential does not sign")));
        };
        let answer = post_one(&cx, ask.vendor, request).await;
        Ok(credential.bearer_from(&answer, stored.revision, now()))
    }
}

fn fault(problem: Problem) -> worker::Error {
    worker::Error::RustError(problem.detail)
}

fn credentials(detail: &str) -> Refusal {
    (Reason::Credentials, detail.to_owned())
}

/// A row that cannot be read is an error: as empty counters it would grant twice.
fn load(rows: &Rows, env: &Env, ask: &Ask) -> worker::Result<Held> {
    let kept = rows.read("SELECT record FROM kept")?.into_iter().flatten().next();
    let kept: Kept = kept.map(|row| text::read(&row)).transpose()?.unwrap_or_default();
    let sealed = rows.read("SELECT record FROM bearer")?.into_iter().flatten().next();
    let bearer = sealed.and_then(|text| open(&text, env, ask));
    Ok(Held::load(kept, bearer, ask.vendor, now()))
}

fn store(rows: &Rows, kept: &Kept) -> worker::Result<()> {
    let values = vec![text::write(kept).into()];
    rows.write("INSERT OR REPLACE INTO kept (id, record) VALUES (1, ?)", values)
}

fn bearer_owner(ask: &Ask) -> String {
    format!("bearer of {}", seal_owner(&ask.tenant.app, ask.vendor))
}

/// The bearer outlives the object's memory, sealed like the credential it was made from.
fn keep(rows: &Rows, env: &Env, ask: &Ask, bearer: &Bearer) -> worker::Result<()> {
    let text = text::write(bearer);
    let nonce = random().map_err(fault)?;
    let sealed = config(env).map_err(fault)?.seal_keys.seal(&bearer_owner(ask), text.as_bytes(), nonce);
    let Ok(sealed) = sealed else { return Ok(()) };
    rows.write("INSERT OR REPLACE INTO bearer (id, record) VALUES (1, ?)", vec![text::write(&sealed).into()])
}

/// One that does not open is fetched anew.
fn open(stored: &str, env: &Env, ask: &Ask) -> Option<Bearer> {
    let sealed: Sealed = text::read(stored).ok()?;
    let bytes = config(env).ok()?.seal_keys.open(&bearer_owner(ask), &sealed).ok()?;
    text::read(std::str::from_utf8(&bytes).ok()?).ok()
}
