//! What one request works with: bindings, settings, the time it began, and the count of what it has cost.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use serde::{Serialize, de::DeserializeOwned};
use worker::{Context, Env};

use super::{glue, log};
use crate::{
    config::{Config, Raw},
    model::{
        problem::{Code, Problem},
        secret::Secret,
        time::Millis,
    },
    wire::text,
};

/// What is paid for, and what takes time.
#[derive(Debug, Default)]
pub(super) struct Cost {
    kv_reads: Cell<u32>,
    object_calls: Cell<u32>,
    rows: Cell<u32>,
    fetches: Cell<u32>,
}

fn add(to: &Cell<u32>, n: u32) {
    to.set(to.get().saturating_add(n));
}

impl Cost {
    pub(super) fn rows(&self, n: u32) {
        add(&self.rows, n);
    }

    pub(super) fn fetches(&self, n: u32) {
        add(&self.fetches, n);
    }

    pub(super) fn rows_written(&self) -> u32 {
        self.rows.get()
    }

    /// The header `Edgepush-Cost`.
    pub(super) fn header(&self) -> String {
        let (kv, objects, rows, fetches) =
            (self.kv_reads.get(), self.object_calls.get(), self.rows.get(), self.fetches.get());
        format!("kv_reads={kv}, object_calls={objects}, rows_written={rows}, fetches={fetches}")
    }
}

/// One request's surroundings.
pub(super) struct Cx {
    pub(super) env: Env,
    pub(super) config: Rc<Config>,
    pub(super) cost: Cost,
    pub(super) now: Millis,
    /// Of a request: what can go on when its answer has left.
    pub(super) context: Option<Rc<Context>>,
}

thread_local! {
    /// The settings do not change while an instance lives.
    static CONFIG: RefCell<Option<Rc<Config>>> = const { RefCell::new(None) };
}

/// The settings, checked at the first request.
pub(super) fn config(env: &Env) -> Result<Rc<Config>, Problem> {
    if let Some(config) = CONFIG.with_borrow(Clone::clone) {
        return Ok(config);
    }
    let texts: [String; 11] = crate::wire::text::read(&glue::settings(env)).unwrap_or_default();
    let [
        admin_key,
        seal_key,
        seal_key_old,
        vendor_proxy,
        shards,
        shards_before,
        hours,
        days,
        hosts,
        public_url,
        quota_leases,
    ] = texts;
    let raw = Raw {
        admin_key: Secret::new(admin_key),
        seal_key: Secret::new(seal_key),
        seal_key_old: Secret::new(seal_key_old),
        vendor_proxy,
        ledger_shards: shards,
        ledger_shards_before: shards_before,
        idempotency_hours: hours,
        keep_days: days,
        webpush_hosts: hosts,
        public_url,
        quota_leases,
    };
    let config = Rc::new(Config::parse(&raw)?);
    CONFIG.set(Some(Rc::clone(&config)));
    Ok(config)
}

/// Now. On Workers the clock moves only with I/O.
pub(super) fn now() -> Millis {
    Millis(js_sys::Date::now() as u64)
}

/// Random bytes from the platform.
pub(super) fn random<const N: usize>() -> Result<[u8; N], Problem> {
    let mut bytes = [0; N];
    getrandom::getrandom(&mut bytes).map_err(|_| no_random())?;
    Ok(bytes)
}

thread_local! {
    /// What is left of the random bytes last drawn.
    static DRAWN: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Random bytes for a push id: drawn from the platform by the half kilobyte, each given once. For keys and nonces there is
/// [`random`].
pub(super) fn random_id() -> Result<[u8; 10], Problem> {
    DRAWN.with_borrow_mut(|drawn| {
        if drawn.len() < 10 {
            *drawn = random::<512>()?.to_vec();
        }
        let id = *drawn.last_chunk().ok_or_else(no_random)?;
        drawn.truncate(drawn.len() - id.len());
        Ok(id)
    })
}

fn no_random() -> Problem {
    unavailable("the platform gives no random bytes")
}

/// A part of the platform does not answer.
pub(super) fn unavailable(detail: &str) -> Problem {
    Problem::new(Code::Unavailable, format!("{detail}; nothing was sent, try again in some seconds"))
}

impl Cx {
    pub(super) fn new(env: Env, config: Rc<Config>) -> Self {
        Self { env, config, cost: Cost::default(), now: now(), context: None }
    }

    /// Asks a Durable Object.
    pub(super) async fn ask<R: DeserializeOwned>(
        &self,
        binding: &'static str,
        name: &str,
        request: &impl Serialize,
    ) -> Result<R, Problem> {
        add(&self.cost.object_calls, 1);
        let fault = |why: &str| {
            log::error("object_failed", &[("binding", binding), ("why", why)]);
            unavailable("a storage object does not answer")
        };
        let body = text::write(request);
        let text = glue::ask(&self.env, binding, name, &body).await.map_err(|failed| fault(&failed.0))?;
        crate::wire::text::read(&text).map_err(|_| fault("reply"))
    }

    /// Reads one value of KV. A read that fails is a miss: the object knows.
    pub(super) async fn read(&self, binding: &'static str, key: &str) -> Option<String> {
        add(&self.cost.kv_reads, 1);
        match glue::read(&self.env, binding, key).await {
            Ok(value) => value,
            Err(failed) => {
                log::error("kv_read_failed", &[("binding", binding), ("why", &failed.0)]);
                None
            }
        }
    }

    /// Reads many values of KV, 100 a call.
    pub(super) async fn read_many(&self, binding: &'static str, keys: &[String]) -> Vec<Option<String>> {
        if let [key] = keys {
            return vec![self.read(binding, key).await];
        }
        let mut values = Vec::with_capacity(keys.len());
        for keys in keys.chunks(100) {
            add(&self.cost.kv_reads, u32::try_from(keys.len()).unwrap_or(u32::MAX));
            let list = text::write(keys);
            match glue::read_many(&self.env, binding, &list).await {
                Ok(found) if found.len() == keys.len() => values.extend(found),
                Ok(_) => values.extend(keys.iter().map(|_| None)),
                Err(failed) => {
                    log::error("kv_read_failed", &[("binding", binding), ("why", &failed.0)]);
                    values.extend(keys.iter().map(|_| None));
                }
            }
        }
        values
    }
}
