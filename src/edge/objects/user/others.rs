//! What a user's object asks of other objects: claims, the ledgers, the census; and the copy in KV.

use std::borrow::Cow;

use futures_util::future;

use super::{
    super::super::{
        cx::{config, now},
        glue, log,
        together::together,
    },
    Owner, User, copy_text,
};
use crate::{
    model::time::Millis,
    object::user::{Ask as Claim, Owed},
    wire::{
        census, claim, ledger, text,
        user::{COPY, Done},
    },
};

impl User {
    /// Asks the `Claim` objects whose a device and its token are; gives the rows that they wrote.
    pub(super) async fn decide(&self, owner: &Owner, ask: Claim, again: bool) -> worker::Result<(Done, u32)> {
        let call = |key: &claim::Key| {
            let call = claim::Call::Claim(ask.claim(owner.user.clone(), again));
            self.ask_claim(owner, key.clone(), call)
        };
        let [device, token] = &ask.keys;
        let (device, token) = future::join(call(device), call(token)).await;
        let rows = [device, token].into_iter().flatten().map(|reply| reply.rows).sum();
        let answers = [device, token].map(|reply| reply.map(|reply| reply.outcome));
        let done = self.change(owner, |home| home.claimed(&ask, answers, now())).await?;
        Ok((done, rows))
    }

    async fn ask_claim(&self, owner: &Owner, key: claim::Key, call: claim::Call) -> Option<claim::Reply> {
        let name = key.name(&owner.tenant);
        let body = text::write(&claim::Request { tenant: owner.tenant.clone(), key, call });
        let answer = glue::ask_once(&self.shell.env, claim::BINDING, &name, &body).await;
        if let Err(failed) = &answer {
            log::error("claim_failed", &[("why", &failed.0)]);
        }
        text::read(&answer.ok()?).ok()
    }

    /// Frees the claims that are due. `false`: one could not be freed.
    pub(super) async fn free(&self, owner: &Owner) -> worker::Result<bool> {
        let mut all = true;
        for owed in self.step(|home| home.owed(false, now()))? {
            all &= self.release(owner, &owed).await?;
        }
        Ok(all)
    }

    pub(super) async fn release(&self, owner: &Owner, owed: &Owed) -> worker::Result<bool> {
        let call = claim::Call::Release(owner.user.clone(), owed.upto);
        if self.ask_claim(owner, owed.key.clone(), call).await.is_none() {
            return Ok(false);
        }
        self.run(|home| (home.freed(owed), ())).map(|_| true)
    }

    /// Writes the read copy. While KV refuses, the app's ledgers are told: pushes then ask the objects.
    pub(super) async fn copy(&self, owner: &Owner) {
        self.shell.copy(COPY, &owner.name(), copy_text).await;
        // Copies may be read from a cache for a minute after they were written.
        let Some(until) = self.shell.refused_until().map(|until| until.plus_secs(120)) else { return };
        let Ok(config) = config(&self.shell.env) else { return };
        let tell = |shard| self.tell_ledger(owner, shard, until);
        together(usize::MAX, (0..config.ledger_shards).map(tell)).await;
        let count = census::Call::Refused(until);
        let _ = self.ask_census(owner, 0, &count).await;
    }

    async fn tell_ledger(&self, owner: &Owner, shard: u32, until: Millis) {
        let name = ledger::name(&owner.tenant, shard);
        let tenant = Cow::Borrowed(&owner.tenant);
        let request = ledger::Request(tenant, shard, ledger::Call::Distrust(until));
        let body = text::write(&request);
        if let Err(failed) = glue::ask_once(&self.shell.env, ledger::BINDING, &name, &body).await {
            log::error("distrust_not_told", &[("why", &failed.0)]);
        }
    }

    /// Tells the census what this user has.
    pub(super) async fn report(&self, owner: &Owner) -> bool {
        let Ok(devices) = self.step(|home| home.entries(now())) else { return false };
        let call = census::Call::Report(census::who(&owner.user), devices);
        self.ask_census(owner, census::shard(&owner.user), &call).await
    }

    async fn ask_census(&self, owner: &Owner, shard: u32, call: &census::Call) -> bool {
        let name = census::name(&owner.tenant, shard);
        let body = text::write(call);
        let answer = glue::ask_once(&self.shell.env, census::BINDING, &name, &body).await;
        if let Err(failed) = &answer {
            log::error("census_failed", &[("why", &failed.0)]);
        }
        answer.is_ok()
    }
}
