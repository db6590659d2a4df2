//! The Rust side of `glue.js`.

use std::cell::RefCell;

use js_sys::{JsString, Promise, Uint8Array};
use wasm_bindgen::{
    JsCast, JsValue,
    prelude::{Closure, wasm_bindgen},
};
use wasm_bindgen_futures::JsFuture;
use worker::{Context, Env};

use super::promise::Outcome;
use crate::model::table::Table;

#[wasm_bindgen(module = "/src/edge/glue.js")]
extern "C" {
    #[wasm_bindgen(js_name = started)]
    fn js_started();
    #[wasm_bindgen(js_name = handle)]
    fn js_handle(
        request: &web_sys::Request,
        env: &Env,
        context: &JsValue,
        limit: u32,
        answer: &JsValue,
    ) -> Promise;
    #[wasm_bindgen(js_name = respond, catch)]
    fn js_respond(status: u16, headers: &str, body: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_name = reader, catch)]
    fn js_reader(request: &web_sys::Request) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_name = piece)]
    fn js_piece(reader: &JsValue) -> Promise;
    #[wasm_bindgen(js_name = ndjson, catch)]
    fn js_ndjson() -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_name = writePiece)]
    fn js_write_piece(writer: &JsValue, text: &str) -> Promise;
    #[wasm_bindgen(js_name = endPieces)]
    fn js_end_pieces(writer: &JsValue, whole: bool) -> Promise;
    #[wasm_bindgen(js_name = serve)]
    fn js_serve(request: &web_sys::Request, answer: &JsValue) -> Promise;
    #[wasm_bindgen(js_name = sqlWrite, catch)]
    fn js_sql_write(sql: &JsValue, statement: &JsString, values: &str) -> Result<u32, JsValue>;
    #[wasm_bindgen(js_name = sqlRead, catch)]
    fn js_sql_read(sql: &JsValue, statement: &JsString, values: &str) -> Result<String, JsValue>;
    #[wasm_bindgen(js_name = settings)]
    fn js_settings(env: &Env) -> String;
    #[wasm_bindgen(js_name = ask)]
    fn js_ask(env: &Env, binding: &JsString, name: &str, body: &str) -> Promise;
    #[wasm_bindgen(js_name = read, catch)]
    fn js_read(env: &Env, binding: &JsString, key: &str) -> Result<Promise, JsValue>;
    #[wasm_bindgen(js_name = readMany)]
    fn js_read_many(env: &Env, binding: &JsString, keys: &str) -> Promise;
    #[wasm_bindgen(js_name = write, catch)]
    fn js_write(env: &Env, binding: &JsString, key: &str, value: &str) -> Result<Promise, JsValue>;
    #[wasm_bindgen(js_name = messages)]
    fn js_messages(batch: &JsValue) -> String;
    #[wasm_bindgen(js_name = done)]
    fn js_done(batch: &JsValue, done: &str);
    #[wasm_bindgen(js_name = enqueue)]
    fn js_enqueue(env: &Env, binding: &JsString, bodies: &str) -> Promise;
    #[wasm_bindgen(js_name = post)]
    fn js_post(
        bundle: &str,
        in_flight: u32,
        timeout_ms: u32,
        answer_max: u32,
        leave_by: f64,
        starts: f64,
    ) -> Promise;
    #[wasm_bindgen(js_name = zoneOffset, catch)]
    fn js_zone_offset(zone: &str, at: f64) -> Result<i32, JsValue>;
}

/// I/O that failed. The platform's words are for the log.
#[derive(Debug)]
pub(super) struct Failed(pub(super) String);

fn failed(error: &JsValue) -> Failed {
    let message = error.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
    Failed(message.unwrap_or_else(|| "not an Error".into()))
}

async fn settle(promise: Promise) -> Result<JsValue, Failed> {
    JsFuture::from(promise).await.map_err(|error| failed(&error))
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

/// This instance begins.
pub(super) fn started() {
    js_started();
}

/// What answers requests. `Err`: the body could not be read.
type Handler = fn(web_sys::Request, Env, Context, Result<Taken, Failed>) -> Outcome;
/// The same as JavaScript calls it: request, bindings, context, head and body.
type JsHandler = Closure<dyn Fn(web_sys::Request, Env, JsValue, String, JsValue) -> Outcome>;

thread_local! {
    static HANDLER: RefCell<Option<JsHandler>> = const { RefCell::new(None) };
}

/// Reads a request, its body up to `limit` bytes, and has it answered.
pub(super) fn handle(
    request: &web_sys::Request,
    env: &Env,
    context: &JsValue,
    limit: u32,
    handler: Handler,
) -> Promise {
    let answer = HANDLER.with_borrow_mut(|have| {
        let js = have.get_or_insert_with(|| {
            Closure::new(move |request, env, context: JsValue, head: String, body: JsValue| {
                handler(request, env, Context::new(context.unchecked_into()), taken(&head, &body))
            })
        });
        js.as_ref().clone()
    });
    js_handle(request, env, context, limit, &answer)
}

fn taken(head: &str, body: &JsValue) -> Result<Taken, Failed> {
    if let Some(why) = body.as_string() {
        return Err(Failed(why));
    }
    let mut lines = head.split('\n');
    let mut line = || lines.next().unwrap_or_default().to_owned();
    let (method, url, authorization, idempotency_key) = (line(), line(), line(), line());
    Ok(Taken {
        method,
        url,
        authorization: Some(authorization).filter(|value| !value.is_empty()),
        idempotency_key: Some(idempotency_key).filter(|value| !value.is_empty()),
        body: body.dyn_ref::<Uint8Array>().map(Uint8Array::to_vec),
    })
}

/// A response. `headers` is a JSON object.
pub(super) fn respond(status: u16, headers: &str, body: &str) -> Outcome {
    js_respond(status, headers, body)
}

/// A body that is read piece by piece.
pub(super) struct Pieces(JsValue);

impl Pieces {
    pub(super) fn of(request: &web_sys::Request) -> Result<Self, Failed> {
        js_reader(request).map(Self).map_err(|error| failed(&error))
    }

    /// `None`: that was all.
    pub(super) async fn next(&self) -> Result<Option<Vec<u8>>, Failed> {
        if self.0.is_null() {
            return Ok(None);
        }
        let piece = settle(js_piece(&self.0)).await?;
        Ok(piece.dyn_ref::<Uint8Array>().map(Uint8Array::to_vec))
    }
}

/// A response's body that is written piece by piece.
pub(super) struct Stream(JsValue);

impl Stream {
    /// The body, and the response that it is of.
    pub(super) fn ndjson() -> Result<(Self, web_sys::Response), Failed> {
        let pair = js_sys::Array::from(&js_ndjson().map_err(|error| failed(&error))?);
        Ok((Self(pair.get(1)), pair.get(0).unchecked_into()))
    }

    /// Writes a piece; waits until the reader has taken what came before.
    pub(super) async fn write(&self, text: &str) -> Result<(), Failed> {
        settle(js_write_piece(&self.0, text)).await.map(|_| ())
    }

    /// That was all.
    pub(super) async fn close(&self) {
        let _ = settle(js_end_pieces(&self.0, true)).await;
    }

    /// It breaks off.
    pub(super) fn abort(&self) {
        drop(js_end_pieces(&self.0, false));
    }
}

/// Texts kept on JavaScript's side. Those of a day's tables are kept for each day: when there are more, all are forgotten.
const KNOWN_MAX: usize = 300;

/// What answers an object's calls: the text of a call → the text of its answer, or a promise of it. An empty one is a fault.
pub(super) struct OnCall(Closure<dyn Fn(String) -> Outcome>);

impl OnCall {
    pub(super) fn new(answer: impl Fn(String) -> Outcome + 'static) -> Self {
        Self(Closure::new(answer))
    }
}

/// Answers a call to an object.
pub(super) fn serve(request: &web_sys::Request, answer: &OnCall) -> Promise {
    js_serve(request, answer.0.as_ref())
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
    KNOWN.with_borrow_mut(|known| {
        if let Some(have) = known.get(&place) {
            return have.clone();
        }
        if known.len() >= KNOWN_MAX {
            *known = Table::new();
        }
        let new = JsString::from(fill());
        known.insert(place, new.clone());
        new
    })
}

/// Runs a statement of an object's database that writes; gives the rows written.
pub(super) fn sql_write(sql: &JsValue, statement: &JsString, values: &str) -> Result<u32, Failed> {
    js_sql_write(sql, statement, values).map_err(|error| failed(&error))
}

/// Runs one that reads; gives all rows as JSON, every value a text.
pub(super) fn sql_read(sql: &JsValue, statement: &JsString, values: &str) -> Result<String, Failed> {
    js_sql_read(sql, statement, values).map_err(|error| failed(&error))
}

/// The settings and secrets in the order of [`Raw`](crate::config::Raw)'s fields, as a JSON array of texts.
pub(super) fn settings(env: &Env) -> String {
    js_settings(env)
}

/// Minutes by which a time zone's wall clock is ahead of UTC at an instant. `None`: the platform does not know the zone.
pub(super) fn zone_offset(zone: &str, at: u64) -> Option<i32> {
    js_zone_offset(zone, at as f64).ok()
}

/// Asks a Durable Object.
pub(super) async fn ask(env: &Env, binding: &'static str, name: &str, body: &str) -> Result<String, Failed> {
    Ok(settle(js_ask(env, &known(binding), name, body)).await?.as_string().unwrap_or_default())
}

/// Reads one value of KV.
pub(super) async fn read(env: &Env, binding: &'static str, key: &str) -> Result<Option<String>, Failed> {
    let promise = js_read(env, &known(binding), key).map_err(|error| failed(&error))?;
    Ok(settle(promise).await?.as_string())
}

/// Reads up to 100 values of KV in one call. `keys` is a JSON array.
pub(super) async fn read_many(
    env: &Env,
    binding: &'static str,
    keys: &str,
) -> Result<Vec<Option<String>>, Failed> {
    let values = js_sys::Array::from(&settle(js_read_many(env, &known(binding), keys)).await?);
    Ok(values.iter().map(|value| value.as_string()).collect())
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
    let promise = js_write(env, &known(binding), key, value).map_err(|error| failed(&error))?;
    settle(promise).await.map(|_| ())
}

/// Whether a batch is of dead letters, and its messages: each body, and how often it was tried, this time included.
pub(super) fn messages(batch: &JsValue) -> (bool, Vec<(String, u32)>) {
    crate::wire::text::read(&js_messages(batch)).unwrap_or_default()
}

/// Says what becomes of each message of a batch. What is not named is delivered again.
pub(super) fn done(batch: &JsValue, done: &str) {
    js_done(batch, done);
}

/// Puts messages into a queue. `bodies` is a JSON array of texts.
pub(super) async fn enqueue(env: &Env, binding: &'static str, bodies: &str) -> Result<(), Failed> {
    settle(js_enqueue(env, &known(binding), bodies)).await.map(|_| ())
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
    Ok(settle(js_post(bundle, in_flight, timeout_ms, answer_max, leave_by as f64, starts as f64))
        .await?
        .as_string()
        .unwrap_or_default())
}
