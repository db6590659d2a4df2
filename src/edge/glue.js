// The crossing between wasm and JavaScript. What costs CPU on Workers is not Rust but each step from one side to the
// other, so every function here does one whole piece of I/O and hands over one value each way.

import { called, enter, later, waits } from "./wait.js";

const EMPTY = new Uint8Array(0);
/** Most characters of one call of a queue; nearly all of them are ASCII. */
const BATCH_MAX = 200_000;

/** Reads a request and has it answered: by its head and its body, or by a text that says why it could not be read. The head is
 * method, URL, authorization and, where there is one, the idempotency key, a line each (no header value can hold a line break). */
export async function handle(request, env, context, limit) {
  const { headers, method } = request;
  let head = `${method}\n${request.url}\n${headers.get("authorization") ?? ""}`;
  const key = headers.get("idempotency-key");
  if (key !== null) head += `\n${key}`;
  let body = EMPTY;
  let why;
  if (method !== "GET" && method !== "HEAD") {
    try {
      body = await bodyOf(request, limit);
    } catch (error) {
      [body, why] = [null, String(error)];
    }
  }
  return later(enter(() => called().answer(request, env, context, head, body, why)));
}

/** A request's body: bytes, or `null` when it is longer than `limit`. Asking for `request.body` makes a stream, which costs:
 * it is done only where the length is not said. */
async function bodyOf(request, limit) {
  // An audience and an import have any length: their routes read them piece by piece.
  if (request.method === "PUT" && request.url.includes("/v1/audiences/")) return null;
  if (request.method === "POST" && request.url.includes("/v1/users:import")) return null;
  const length = request.headers.get("content-length");
  if (length !== null) return Number(length) > limit ? null : new Uint8Array(await request.arrayBuffer());
  return request.body === null ? EMPTY : bounded(request.body, limit);
}

/** Reads a body piece by piece: `null` at its end, and where there is none. */
export function reader(request) {
  return request.body === null ? null : request.body.getReader();
}

/** The next piece; nothing at the end. */
export const piece = waits(async (reader) => {
  const { done, value } = await reader.read();
  return done ? undefined : value;
});

/** Reads a stream of unknown length, up to `limit` bytes. */
async function bounded(stream, limit) {
  const chunks = [];
  let length = 0;
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.byteLength;
    if (length > limit) {
      await reader.cancel();
      return null;
    }
    chunks.push(value);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

/** What takes an object's calls: `answer` takes a call's text and gives the answer's; an empty one is a fault. */
export function serving(answer) {
  return (call) => later(enter(() => answer(call)));
}

/** A response. `more` is a JSON object of headers that few have, if there are any. */
export function respond(status, kind, cost, more, body) {
  const headers = { "cache-control": "no-store" };
  if (kind !== "") headers["content-type"] = kind;
  if (cost !== "") headers["edgepush-cost"] = cost;
  if (more !== undefined) Object.assign(headers, JSON.parse(more));
  return new Response(body === "" ? null : body, { status, headers });
}

/** A response whose body is written piece by piece: `[response, writer]`. */
export function ndjson() {
  const { readable, writable } = new TransformStream();
  const headers = { "content-type": "application/x-ndjson", "cache-control": "no-store" };
  return [new Response(readable, { headers }), writable.getWriter()];
}

const utf8 = new TextEncoder();

/** Writes a piece, when there is room for it. */
export const writePiece = waits((writer, text) => writer.write(utf8.encode(text)));

/** The body ends here; `whole` is false where it was cut off. */
export const endPieces = waits((writer, whole) => (whole ? writer.close() : writer.abort("cut off")));

/** Settings and secrets, as JSON. */
export function settings(env) {
  const names = ["ADMIN_KEY", "SEAL_KEY", "SEAL_KEY_OLD", "VENDOR_PROXY"];
  names.push("LEDGER_SHARDS", "LEDGER_SHARDS_BEFORE", "IDEMPOTENCY_HOURS", "KEEP_DAYS", "WEBPUSH_HOSTS", "PUBLIC_URL");
  names.push("QUOTA_LEASES");
  return JSON.stringify(names.map((name) => String(env[name] ?? "")));
}

const clocks = new Map();

/** Minutes by which a time zone's wall clock is ahead of UTC at an instant; throws where the zone is not known. */
export function zoneOffset(zone, at) {
  let clock = clocks.get(zone);
  if (clock === undefined) {
    const parts = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric" };
    clock = new Intl.DateTimeFormat("en-US", { timeZone: zone, hourCycle: "h23", era: "short", ...parts });
    if (clocks.size >= 600) clocks.clear();
    clocks.set(zone, clock);
  }
  const shown = Object.fromEntries(clock.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const wall = Date.UTC(shown.year, shown.month - 1, shown.day, shown.hour, shown.minute);
  return Math.round((wall - Math.floor(at / 60000) * 60000) / 60000);
}

/** The values of a statement, as `wire/values.rs` writes them. */
export function apart(values) {
  if (values === "") return [];
  if (values[0] === "[") return JSON.parse(values);
  const list = [];
  for (let at = 0, end; at <= values.length; at = end + 1) {
    end = values.indexOf("\x1f", at);
    if (end < 0) end = values.length;
    const kind = values[at];
    list.push(kind === "t" ? values.slice(at + 1, end) : kind === "n" ? null : Number(values.slice(at, end)));
  }
  return list;
}

/** An object's database. */
export function database(state) {
  return state.storage.sql;
}

/** Sets an object's alarm. */
export const setAlarm = waits((state, at) => state.storage.setAlarm(at));

/** When it comes, as a text; nothing where none is set. */
export const getAlarm = waits(async (state) => {
  const at = await state.storage.getAlarm();
  return at === null ? undefined : String(at);
});

/** Runs a statement of an object's database that writes; gives the rows written. */
export function sqlWrite(sql, statement, values) {
  return sql.exec(statement, ...apart(values)).rowsWritten;
}

/** Runs one that reads; gives all rows as JSON, every value a text, `NULL` an empty one. */
export function sqlRead(sql, statement, values) {
  const rows = [...sql.exec(statement, ...apart(values)).raw()];
  return JSON.stringify(rows.map((row) => row.map((value) => (value === null ? "" : String(value)))));
}

/** A Durable Object's stub, for the request that took it. */
export function object(env, binding, name) {
  return env[binding].getByName(name);
}

/** Asks a Durable Object: JSON text in, JSON text out. */
export const ask = waits((object, call) => object.call(call));

/** Reads one value of KV: a text, or null. */
export const read = waits((env, binding, key) => env[binding].get(key));

/** Reads up to 100 values of KV in one call: a JSON array of a text or null for each key, in their order. */
export const readMany = waits(async (env, binding, keys) => {
  const list = JSON.parse(keys);
  const found = await env[binding].get(list);
  return JSON.stringify(list.map((key) => found.get(key) ?? null));
});

/** Writes one value of KV; an empty one removes the key. */
export const write = waits((env, binding, key, value) =>
  value === "" ? env[binding].delete(key) : env[binding].put(key, value),
);

/** Some time, in milliseconds. */
export const sleep = waits((ms) => new Promise((over) => setTimeout(over, ms)));

/** Has the platform wait for a future when its request is answered. */
export function waitUntil(context, given) {
  context.waitUntil(later(given));
}

/** A batch: whether it is of dead letters (their queue's name ends in `-dead`), and its messages: `[[body, attempts], …]`. A
 * body that is not a text becomes its JSON. */
export function messages(batch) {
  const text = (body) => (typeof body === "string" ? body : (JSON.stringify(body) ?? ""));
  return JSON.stringify([batch.queue.endsWith("-dead"), batch.messages.map(({ body, attempts }) => [text(body), attempts])]);
}

/** What becomes of each message of a batch: `"ack"` or `{retry: seconds}`, in their order. */
export function done(batch, list) {
  JSON.parse(list).forEach((what, at) => {
    if (what === "ack") batch.messages[at].ack();
    else batch.messages[at].retry({ delaySeconds: what.retry });
  });
}

/** Puts texts into a queue: 100 messages or 256 KB are one call (Cloudflare's limits). */
export const enqueue = waits(async (env, binding, bodies) => {
  let batch = [];
  let size = 0;
  for (const body of JSON.parse(bodies)) {
    if (batch.length === 100 || (batch.length > 0 && size + body.length > BATCH_MAX)) {
      await env[binding].sendBatch(batch);
      [batch, size] = [[], 0];
    }
    batch.push({ body, contentType: "text" });
    size += body.length;
  }
  if (batch.length > 0) await env[binding].sendBatch(batch);
});

/** The one fetch. Posts a bundle of requests, at most `inFlight` at once, and gives back what came of each: see
 * `line::send` for both forms. What has not left when one time-out is over does not leave any more, so the whole ends
 * within two (both counted from `starts`); and nothing leaves from `leaveBy` on, where that is not 0, nor before `starts`.
 * One timer watches over the bundle and is cleared at its end: one left running keeps an object awake. */
export const post = waits(async (bundle, inFlight, timeoutMs, answerMax, leaveBy, starts) => {
  const began = Date.now();
  const early = starts - began;
  if (early > 0) await new Promise((next) => setTimeout(next, early));
  const requests = JSON.parse(bundle);
  const answers = new Array(requests.length);
  const open = new Set();
  const closing = Math.max(began, starts) + timeoutMs;
  let next = 0;
  const worker = async () => {
    while (next < requests.length) {
      const at = next++;
      // The clock is a call of the platform: it is asked where that decides something.
      if (leaveBy > 0 && Date.now() >= leaveBy) answers[at] = { late: null };
      else if (at >= inFlight && Date.now() >= closing) answers[at] = { not_sent: "the time of this push was over" };
      else answers[at] = await one(requests[at], open, timeoutMs, answerMax);
    }
  };
  // A request is given up between `timeoutMs` and a second later.
  const watch = setInterval(() => {
    const now = Date.now();
    for (const request of open) if (request.until <= now) request.abort.abort();
  }, 1000);
  try {
    const workers = [];
    while (workers.length < inFlight && next < requests.length) workers.push(worker());
    await Promise.all(workers);
  } finally {
    clearInterval(watch);
  }
  return JSON.stringify(answers);
});

async function one({ url, headers, body }, open, timeoutMs, answerMax) {
  const abort = new AbortController();
  const entry = { abort, until: Date.now() + timeoutMs };
  open.add(entry);
  try {
    const sent = typeof body === "string" ? body : Uint8Array.from(atob(body.base64), (c) => c.charCodeAt(0));
    const answer = await fetch(url, { method: "POST", headers, body: sent, redirect: "manual", signal: abort.signal });
    // Each look at `answer.headers` is a call of the platform.
    const told = answer.headers;
    const [text, whole] = await readAnswer(answer, told, answerMax);
    return { reply: [answer.status, told.get("apns-id"), told.get("retry-after"), told.get("location"), text, whole] };
  } catch {
    // The platform's words can hold the URL, and with it a token: they are not passed on.
    return { silence: abort.signal.aborted ? `no answer within ${timeoutMs / 1000} s` : "the connection was lost before an answer" };
  } finally {
    open.delete(entry);
  }
}

/** The body as text, and whether that was all of it. A body that is cut off is not an error here: its status may say
 * all there is to know. */
async function readAnswer(answer, told, max) {
  // The length of a compressed body says nothing of what it becomes.
  const length = told.has("content-encoding") ? null : told.get("content-length");
  try {
    if (length !== null && Number(length) <= max) return [await answer.text(), true];
    if (answer.body === null) return ["", true];
    const bytes = await bounded(answer.body, max);
    return bytes === null ? ["", false] : [new TextDecoder().decode(bytes), true];
  } catch {
    return ["", false];
  }
}
