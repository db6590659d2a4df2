//! What one request works with: bindings, settings, the time it began, and the count of what it has cost.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use serde::{Serialize, de::DeserializeOwned};
use wasm_bindgen::JsValue;
use worker::{Context, Env};

use super::{glue, log};
use crate::{
    config::{Config, Raw},
    model::{
        problem::{Code, Problem},
        secret::Secret,
        time::Millis,
    },
    wire::{ledger, text},
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

    /// The four numbers in one, where each is small: what most requests cost.
    pub(super) fn packed(&self) -> Option<u64> {
        let numbers = [&self.kv_reads, &self.object_calls, &self.rows, &self.fetches];
        numbers
            .into_iter()
            .map(|n| u64::from(n.get()))
            .try_fold(0, |all, n| (n < 4).then_some((all << 2) | n))
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
    /// The ledger asked last: a page's is asked at its begin and at its settle.
    ledger: RefCell<Option<(String, JsValue)>>,
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

thread_local! {
    /// The time of this step, once it was asked for.
    static NOW: Cell<Option<Millis>> = const { Cell::new(None) };
}

/// Now. On Workers the clock moves only with I/O, so it is asked for once in each step.
pub(super) fn now() -> Millis {
    NOW.get().unwrap_or_else(|| {
        let now = Millis(js_sys::Date::now() as u64);
        NOW.set(Some(now));
        now
    })
}

/// A step begins: time may have passed.
pub(super) fn step() {
    NOW.set(None);
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

fn fault(binding: &str, why: &str) -> Problem {
    log::error("object_failed", &[("binding", binding), ("why", why)]);
    unavailable("a storage object does not answer")
}

impl Cx {
    pub(super) fn new(env: Env, config: Rc<Config>) -> Self {
        Self { env, config, cost: Cost::default(), now: now(), context: None, ledger: RefCell::default() }
    }

    /// The same with what the platform says of the request.
    pub(super) fn of_request(self, context: Context) -> Self {
        Self { context: Some(Rc::new(context)), ..self }
    }

    /// Asks a Durable Object.
    pub(super) async fn ask<R: DeserializeOwned>(
        &self,
        binding: &'static str,
        name: &str,
        request: &impl Serialize,
    ) -> Result<R, Problem> {
        let object = glue::object(&self.env, binding, name).map_err(|failed| fault(binding, &failed.0))?;
        self.ask_object(binding, &object, request).await
    }

    /// Asks a `Ledger`.
    pub(super) async fn ask_ledger<R: DeserializeOwned>(
        &self,
        name: &str,
        request: &impl Serialize,
    ) -> Result<R, Problem> {
        let binding = ledger::BINDING;
        let have =
            self.ledger.borrow().as_ref().filter(|(of, _)| of == name).map(|(_, object)| object.clone());
        let object = match have {
            Some(object) => object,
            None => {
                glue::object_again(&self.env, binding, name).map_err(|failed| fault(binding, &failed.0))?
            }
        };
        let reply = self.ask_object(binding, &object, request).await;
        // A stub that has failed once fails from then on: developers.cloudflare.com/durable-objects/best-practices/error-handling
        self.ledger.replace(reply.is_ok().then(|| (name.to_owned(), object)));
        reply
    }

    async fn ask_object<R: DeserializeOwned>(
        &self,
        binding: &'static str,
        object: &JsValue,
        request: &impl Serialize,
    ) -> Result<R, Problem> {
        add(&self.cost.object_calls, 1);
        let text =
            glue::ask(object, &text::write(request)).await.map_err(|failed| fault(binding, &failed.0))?;
        crate::wire::text::read(&text).map_err(|_| fault(binding, "reply"))
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
