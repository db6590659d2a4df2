//! The Rust side of `glue.js`.

use std::{borrow::Borrow, cell::RefCell};

use js_sys::{JsString, Promise};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use worker::{Context, Env};

use super::{
    js,
    promise::{self, Outcome},
    wait::{self, Came, Wait},
};
use crate::model::table::Table;

/// I/O that failed. The platform's words are for the log.
#[derive(Debug)]
pub(super) struct Failed(pub(super) String);

pub(super) fn failed(error: &JsValue) -> Failed {
    let message = error.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
    Failed(message.unwrap_or_else(|| "not an Error".into()))
}

/// Begins a piece of I/O under a number and waits for its end; gives the text that came, if one did.
pub(super) async fn io(begin: impl FnOnce(usize)) -> Result<Option<String>, Failed> {
    let wait = Wait::new();
    begin(wait.number());
    Ok(match wait.await? {
        Came::Text(text) => Some(text),
        Came::Nothing | Came::Bytes(_) => None,
    })
}

/// A request, read.
pub(super) struct Taken {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) authorization: Option<String>,
    pub(super) idempotency_key: Option<String>,
    /// `None`: longer than the limit.
    pub(super) body: Option<Vec<u8>>,
}

/// What answers requests. `Err`: the body could not be read.
type Handler = fn(web_sys::Request, Env, Context, Result<Taken, Failed>) -> Outcome;
/// The same as JavaScript calls it: request, bindings, context, head, body, and why it could not be read.
type JsHandler = dyn Fn(web_sys::Request, Env, JsValue, String, Option<Vec<u8>>, Option<String>) -> Outcome;

/// This instance begins.
pub(super) fn started(handler: Handler) {
    let answer = move |request, env, context: JsValue, head: String, body, why| {
        handler(request, env, Context::new(context.unchecked_into()), taken(&head, body, why))
    };
    wait::started(Closure::<JsHandler>::new(answer).into_js_value());
}

/// Reads a request, its body up to `limit` bytes, and has it answered by the instance's [`Handler`].
pub(super) fn handle(request: &web_sys::Request, env: &Env, context: &JsValue, limit: u32) -> Promise {
    js::handle(request, env, context, limit)
}

fn taken(head: &str, body: Option<Vec<u8>>, why: Option<String>) -> Result<Taken, Failed> {
    if let Some(why) = why {
        return Err(Failed(why));
    }
    let mut lines = head.split('\n');
    let mut line = || lines.next().map(str::to_owned);
    let (method, url, authorization, idempotency_key) = (line(), line(), line(), line());
    Ok(Taken {
        method: method.unwrap_or_default(),
        url: url.unwrap_or_default(),
        authorization: authorization.filter(|value| !value.is_empty()),
        // An empty one is refused: who sends it believes to have one.
        idempotency_key,
        body,
    })
}

/// A response of a kind of content. `more` is a JSON object of headers that few have.
pub(super) fn respond(
    status: u16,
    kind: &'static str,
    cost: &JsString,
    more: Option<&str>,
    body: &str,
) -> Outcome {
    js::respond(status, &known(kind), cost, more, body)
}

/// Texts of a kind that are kept on JavaScript's side. Those of a day's tables are kept for each day: when there are more, all are
/// forgotten.
const KNOWN_MAX: usize = 300;

/// What answers an object's calls: the text of a call → the text of its answer, or the number of the future that
/// gives it. An empty one is a fault.
pub(super) struct OnCall(Closure<dyn Fn(String) -> Outcome>);

impl OnCall {
    pub(super) fn new(answer: impl Fn(String) -> Outcome + 'static) -> Self {
        Self(Closure::new(answer))
    }
}

/// What takes an object's calls: a function of a call's text.
pub(super) fn serving(answer: &OnCall) -> JsValue {
    js::serving(answer.0.as_ref())
}

thread_local! {
    /// Texts of the program that JavaScript knows already, by where they lie, and for what they were filled in.
    static KNOWN: RefCell<Table<(usize, usize, u64), JsString>> = const { RefCell::new(Table::new()) };
}

/// A text of the program on JavaScript's side: it crosses once.
pub(super) fn known(text: &'static str) -> JsString {
    known_for(text, 0, || text.to_owned())
}

/// The same of a text that is filled in: for what, and how.
pub(super) fn known_for(text: &'static str, of: u64, fill: impl Fn() -> String) -> JsString {
    let place = (text.as_ptr() as usize, text.len(), of);
    KNOWN.with_borrow_mut(|known| kept(known, &place, || fill().into()))
}

/// The text of a key, made where it is not there yet.
fn kept<K, Q>(texts: &mut Table<K, JsString>, key: &Q, make: impl FnOnce() -> JsString) -> JsString
where
    K: Ord + Borrow<Q>,
    Q: Ord + ToOwned<Owned = K> + ?Sized,
{
    if let Some(have) = texts.get(key) {
        return have.clone();
    }
    if texts.len() >= KNOWN_MAX {
        *texts = Table::new();
    }
    let new = make();
    texts.insert(key.to_owned(), new.clone());
    new
}

thread_local! {
    static AGAIN: RefCell<Table<String, JsString>> = const { RefCell::new(Table::new()) };
}

/// A text of few that come again and again, the same for all users of an app: it crosses once.
pub(super) fn again(text: &str) -> JsString {
    AGAIN.with_borrow_mut(|again| kept(again, text, || text.into()))
}

/// Runs a statement of an object's database that writes; gives the rows written.
pub(super) fn sql_write(sql: &JsValue, statement: &JsString, values: &str) -> Result<u32, Failed> {
    js::sql_write(sql, statement, values).map_err(|error| failed(&error))
}

/// Runs one that reads; gives all rows as JSON, every value a text.
pub(super) fn sql_read(sql: &JsValue, statement: &JsString, values: &str) -> Result<String, Failed> {
    js::sql_read(sql, statement, values).map_err(|error| failed(&error))
}

/// The settings and secrets in the order of [`Raw`](crate::config::Raw)'s fields, as a JSON array of texts.
pub(super) fn settings(env: &Env) -> String {
    js::settings(env)
}

/// Minutes by which a time zone's wall clock is ahead of UTC at an instant. `None`: the platform does not know the zone.
pub(super) fn zone_offset(zone: &str, at: u64) -> Option<i32> {
    js::zone_offset(zone, at as f64).ok()
}

/// A Durable Object's stub, for the request that took it.
pub(super) fn object(env: &Env, binding: &'static str, name: &str) -> Result<JsValue, Failed> {
    js::object(env, &known(binding), name).map_err(|error| failed(&error))
}

/// The same of one that is asked all the time.
pub(super) fn object_again(env: &Env, binding: &'static str, name: &str) -> Result<JsValue, Failed> {
    js::object_again(env, &known(binding), &again(name)).map_err(|error| failed(&error))
}

/// Asks a Durable Object.
pub(super) async fn ask(object: &JsValue, body: &str) -> Result<String, Failed> {
    let answer = io(|number| js::ask(number, object, body)).await?;
    answer.filter(|text| !text.is_empty()).ok_or_else(|| Failed("it had a fault".into()))
}

/// Asks one that is asked once.
pub(super) async fn ask_once(
    env: &Env,
    binding: &'static str,
    name: &str,
    body: &str,
) -> Result<String, Failed> {
    ask(&object(env, binding, name)?, body).await
}

/// Reads one value of KV.
pub(super) async fn read(env: &Env, binding: &'static str, key: &str) -> Result<Option<String>, Failed> {
    io(|number| js::read(number, env, &known(binding), key)).await
}

/// Reads up to 100 values of KV in one call. `keys` is a JSON array.
pub(super) async fn read_many(
    env: &Env,
    binding: &'static str,
    keys: &str,
) -> Result<Vec<Option<String>>, Failed> {
    let values = io(|number| js::read_many(number, env, &known(binding), keys)).await?;
    crate::wire::text::read(&values.unwrap_or_default()).map_err(|_| Failed("not what was asked".into()))
}

#[cfg(feature = "test-hooks")]
thread_local! {
    static REFUSE: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// From now on KV behaves as on the free plan when the writes of the day are used up; or does no longer.
#[cfg(feature = "test-hooks")]
pub(super) fn refuse_writes(refuse: bool) {
    REFUSE.set(refuse);
}

/// Writes one value of KV; an empty one removes the key.
pub(super) async fn write(env: &Env, binding: &'static str, key: &str, value: &str) -> Result<(), Failed> {
    #[cfg(feature = "test-hooks")]
    if REFUSE.get() {
        return Err(Failed("KV put() limit exceeded for the day.".into()));
    }
    #[cfg(feature = "test-hooks")]
    super::log::info("kv_put", &[("key", &crate::crypto::hash::sha256_hex(key.as_bytes()))]);
    io(|number| js::write(number, env, &known(binding), key, value)).await.map(|_| ())
}

/// Whether a batch is of dead letters, and its messages: each body, and how often it was tried, this time included.
pub(super) fn messages(batch: &JsValue) -> (bool, Vec<(String, u32)>) {
    crate::wire::text::read(&js::messages(batch)).unwrap_or_default()
}

/// Says what becomes of each message of a batch. What is not named is delivered again.
pub(super) fn done(batch: &JsValue, done: &str) {
    js::done(batch, done);
}

/// Puts messages into a queue. `bodies` is a JSON array of texts.
pub(super) async fn enqueue(env: &Env, binding: &'static str, bodies: &str) -> Result<(), Failed> {
    io(|number| js::enqueue(number, env, &known(binding), bodies)).await.map(|_| ())
}

/// Posts a bundle of requests.
pub(super) async fn post(
    bundle: &str,
    in_flight: u32,
    timeout_ms: u32,
    answer_max: u32,
    leave_by: u64,
    starts: u64,
) -> Result<String, Failed> {
    // Milliseconds are far below 2^53.
    let (leave_by, starts) = (leave_by as f64, starts as f64);
    let answers =
        io(|number| js::post(number, bundle, in_flight, timeout_ms, answer_max, leave_by, starts)).await?;
    Ok(answers.unwrap_or_default())
}

/// Lets time pass.
pub(super) async fn sleep(ms: u64) {
    let _ = io(|number| js::sleep(number, ms as f64)).await;
}

/// Has the platform wait for a future when its request is answered.
pub(super) fn wait_until(context: &Context, future: impl Future<Output = ()> + 'static) {
    js::wait_until(context.as_ref(), &promise::spawn(future));
}
