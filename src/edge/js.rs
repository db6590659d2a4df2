//! What `glue.js` and `wait.js` export. `number` is that of a [`Wait`](super::wait::Wait).

use js_sys::{JsString, Promise};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use worker::Env;

#[wasm_bindgen(module = "/src/edge/glue.js")]
extern "C" {
    pub(in crate::edge) fn handle(
        request: &web_sys::Request,
        env: &Env,
        context: &JsValue,
        limit: u32,
    ) -> Promise;
    #[wasm_bindgen(catch)]
    pub(in crate::edge) fn respond(
        status: u16,
        kind: &JsString,
        cost: &JsString,
        more: Option<&str>,
        body: &str,
    ) -> Result<JsValue, JsValue>;
    pub(in crate::edge) fn serving(answer: &JsValue) -> JsValue;
    #[wasm_bindgen(js_name = sqlWrite, catch)]
    pub(in crate::edge) fn sql_write(
        sql: &JsValue,
        statement: &JsString,
        values: &str,
    ) -> Result<u32, JsValue>;
    #[wasm_bindgen(js_name = sqlRead, catch)]
    pub(in crate::edge) fn sql_read(
        sql: &JsValue,
        statement: &JsString,
        values: &str,
    ) -> Result<String, JsValue>;
    pub(in crate::edge) fn settings(env: &Env) -> String;
    #[wasm_bindgen(catch)]
    pub(in crate::edge) fn object(env: &Env, binding: &JsString, name: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_name = object, catch)]
    pub(in crate::edge) fn object_again(
        env: &Env,
        binding: &JsString,
        name: &JsString,
    ) -> Result<JsValue, JsValue>;
    pub(in crate::edge) fn ask(number: usize, object: &JsValue, body: &str);
    pub(in crate::edge) fn read(number: usize, env: &Env, binding: &JsString, key: &str);
    #[wasm_bindgen(js_name = readMany)]
    pub(in crate::edge) fn read_many(number: usize, env: &Env, binding: &JsString, keys: &str);
    pub(in crate::edge) fn write(number: usize, env: &Env, binding: &JsString, key: &str, value: &str);
    pub(in crate::edge) fn sleep(number: usize, ms: f64);
    #[wasm_bindgen(js_name = waitUntil)]
    pub(in crate::edge) fn wait_until(context: &JsValue, given: &JsValue);
    pub(in crate::edge) fn messages(batch: &JsValue) -> String;
    pub(in crate::edge) fn done(batch: &JsValue, done: &str);
    pub(in crate::edge) fn enqueue(number: usize, env: &Env, binding: &JsString, bodies: &str);
    pub(in crate::edge) fn post(
        number: usize,
        bundle: &str,
        in_flight: u32,
        timeout_ms: u32,
        answer_max: u32,
        leave_by: f64,
        starts: f64,
    );
    #[wasm_bindgen(js_name = zoneOffset, catch)]
    pub(in crate::edge) fn zone_offset(zone: &str, at: f64) -> Result<i32, JsValue>;
    #[wasm_bindgen(catch)]
    pub(in crate::edge) fn reader(request: &web_sys::Request) -> Result<JsValue, JsValue>;
    pub(in crate::edge) fn piece(number: usize, reader: &JsValue);
    #[wasm_bindgen(catch)]
    pub(in crate::edge) fn ndjson() -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_name = writePiece)]
    pub(in crate::edge) fn write_piece(number: usize, writer: &JsValue, text: &str);
    #[wasm_bindgen(js_name = endPieces)]
    pub(in crate::edge) fn end_pieces(number: usize, writer: &JsValue, whole: bool);
    pub(in crate::edge) fn database(state: &JsValue) -> JsValue;
    #[wasm_bindgen(js_name = setAlarm)]
    pub(in crate::edge) fn set_alarm(number: usize, state: &JsValue, at: f64);
    #[wasm_bindgen(js_name = getAlarm)]
    pub(in crate::edge) fn get_alarm(number: usize, state: &JsValue);
}

#[wasm_bindgen(module = "/src/edge/wait.js")]
extern "C" {
    pub(in crate::edge) fn started(
        answer: JsValue,
        came: JsValue,
        brought: JsValue,
        failed: JsValue,
        lost: JsValue,
        turn: JsValue,
    );
    pub(in crate::edge) fn soon();
    pub(in crate::edge) fn later(given: &JsValue) -> JsValue;
    pub(in crate::edge) fn ended(future: usize, value: &JsValue, well: bool);
    pub(in crate::edge) fn cancelled(future: usize);
}
