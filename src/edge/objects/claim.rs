//! Shell of the `Claim` object: who holds a device id or a token.

use worker::Env;

use super::{
    super::{
        cx::now,
        glue::{self, Failed},
        log,
    },
    rows::{Rows, Table},
    shell::{PLACE, Shell},
    state::State,
};
use crate::{
    object::claim::State as Held,
    wire::{
        claim::{BINDING, Call, Holder, Outcome, Reply, Request as Ask},
        text,
        user::{self, Loss},
    },
};

/// One row.
const TABLES: &[Table] = &[Table {
    name: "claim",
    make: "CREATE TABLE IF NOT EXISTS claim (id INTEGER PRIMARY KEY, record TEXT NOT NULL)",
}];
/// Who could not be told is told again after this, seconds.
const TELL_AGAIN_SECS: u64 = 10;

/// The object.
struct Claim {
    shell: Shell<Option<Held>>,
}

export!(Claim, BINDING, alarm);

impl Claim {
    fn new(state: State, env: Env) -> Self {
        Self { shell: Shell::new(state, env, TABLES, PLACE) }
    }

    async fn alarm(&self) -> worker::Result<()> {
        if !self.tell().await? {
            self.later().await?;
        }
        Ok(())
    }

    async fn call(&self, ask: Ask) -> worker::Result<Reply> {
        let now = now();
        let (outcome, owes) = self.shell.with(load, |held, rows| {
            let state = held.get_or_insert_with(|| Held::free(ask.tenant, ask.key));
            let (outcome, changed) = match ask.call {
                Call::Claim(claim) => state.claim(claim, now),
                Call::Release(user, upto) => (Outcome::Done, state.release(&user, upto)),
            };
            let owes = state.tell().is_some();
            if changed {
                store(rows, state)?;
            }
            Ok((outcome, owes && changed))
        })?;
        // With the row of a move an alarm is set, so that whoever lost is told also if this call dies.
        if owes {
            self.later().await?;
        }
        let told = match outcome {
            Outcome::Yours(_) => self.tell().await?,
            Outcome::Later | Outcome::Stale | Outcome::Untold | Outcome::Done => true,
        };
        let outcome = if told { outcome } else { Outcome::Untold };
        Ok(Reply { outcome, rows: self.shell.rows()?.take_written() })
    }

    async fn later(&self) -> worker::Result<()> {
        self.shell.rows()?.count(1);
        self.shell.state.set_alarm(now().plus_secs(TELL_AGAIN_SECS)).await
    }

    /// Tells who held it before. `false`: somebody could not be told.
    async fn tell(&self) -> worker::Result<bool> {
        loop {
            let next = self.shell.with(load, |held, _| {
                let word = held.as_ref().and_then(|held| Some((held.tenant.clone(), held.tell()?)));
                Ok(word.map(|(tenant, (holder, loss))| (tenant, holder.clone(), loss)))
            })?;
            let Some((tenant, Holder { user, .. }, loss)) = next else { return Ok(true) };
            let epoch = loss.epoch;
            if let Err(failed) = self.say(tenant, user, loss).await {
                log::error("loss_not_told", &[("why", &failed.0)]);
                return Ok(false);
            }
            self.shell.with(load, |held, rows| match held {
                Some(held) => {
                    if held.told(epoch) {
                        store(rows, held)?;
                    }
                    Ok(())
                }
                None => Ok(()),
            })?;
        }
    }

    async fn say(
        &self,
        tenant: crate::model::ids::Tenant,
        user: crate::model::ids::UserId,
        loss: Loss,
    ) -> Result<(), Failed> {
        let name = user::name(&tenant, &user);
        let request = user::Request { tenant, user, call: user::Call::Lost(loss) };
        let body = text::write(&request);
        glue::ask_once(&self.shell.env, user::BINDING, &name, &body).await.map(|_| ())
    }
}

fn load(rows: &Rows) -> worker::Result<Option<Held>> {
    let stored = rows.read("SELECT record FROM claim")?.into_iter().flatten().next();
    Ok(stored.map(|text| crate::wire::text::read(&text)).transpose()?)
}

fn store(rows: &Rows, held: &Held) -> worker::Result<()> {
    if held.is_empty() {
        return rows.write("DELETE FROM claim", Vec::new());
    }
    let record = text::write(held);
    rows.write("INSERT OR REPLACE INTO claim (id, record) VALUES (1, ?)", vec![record.into()])
}
