// A vendor says "not now": the delivery waits as it was told, and nobody else does.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { type App, Stage, sentTo, until } from "./stage.ts";

let stage: Stage;
let app: App;
let iphone: string;
before(async () => {
  stage = await Stage.start();
});
// An app for each test: what all of them put together would open a circuit breaker.
beforeEach(async () => {
  app = await stage.app();
  iphone = await stage.iphone(app, "u");
  await stage.android(app, "g");
  await stage.push(app, { to: { users: ["u", "g"] } });
});
after(() => stage.stop());

const to = { users: ["u"] };
const status = (status: number, headers: Record<string, string> = {}) => ({
  reason: status === 429 ? "TooManyRequests" : "ServiceUnavailable",
  headers,
});

async function ends(id: string, ms = 20_000): Promise<any> {
  return until(async () => {
    const { json } = await stage.ask("GET", `/v1/push/${id}`, app.key);
    return json.status === "done" ? json : undefined;
  }, ms);
}

test("429 with Retry-After: not before it, under the same apns-id, and the caller sees it coming", async () => {
  stage.lab.clearLog();
  stage.lab.fault({ vendor: "apns", match: { token: iphone }, do: status(429, { "retry-after": "3" }) });
  const push = await stage.push(app, { to, category: "order" });
  const [delivery] = push.json.deliveries;
  assert.deepEqual([push.status, push.json.status, delivery.state, delivery.reason], [200, "retrying", "retrying", "rate_limited"]);
  const wait = Date.parse(delivery.until) - Date.now();
  assert.ok(wait > 1_500 && wait < 4_000, `${wait} ms`);
  const done = await ends(push.json.id);
  assert.deepEqual(done.counts, { accepted: 1 });
  assert.deepEqual(done.deliveries[0].trace.map((step: any) => step.step), ["sending", "retrying", "sending", "accepted"]);
  const [first, second] = stage.seen("apns");
  assert.equal(first.headers["apns-id"], second.headers["apns-id"]);
  assert.equal(stage.seen("apns").length, 2);
  assert.ok(Date.parse(second.at) - Date.parse(first.at) >= 3_000, `${Date.parse(second.at) - Date.parse(first.at)} ms`);
});

test("Retry-After that is a date, zero, negative, huge or no time at all is bounded", async () => {
  const date = new Date(Date.now() + 30_000).toUTCString();
  for (const [value, least, most] of [["0", 0, 3], ["-5", 0, 3], ["soon", 0, 3], ["999999999999", 3_600, 4_600], [date, 20, 40]] as const) {
    stage.lab.fault({ vendor: "apns", match: { token: iphone }, do: status(503, { "retry-after": value }) });
    const push = await stage.push(app, { to, ttl: 86_400 });
    const wait = (Date.parse(push.json.deliveries[0].until) - Date.now()) / 1_000;
    assert.ok(wait >= least - 1 && wait <= most, `${value}: ${wait} s`);
    await stage.ask("DELETE", `/v1/push/${push.json.id}`, app.key);
  }
});

test("never past the end of the ttl, and with ttl 0 never at all", async () => {
  for (const [ttl, reason] of [[60, "expired"], [0, "vendor_unavailable"]] as const) {
    stage.lab.fault({ vendor: "apns", match: { token: iphone }, do: status(503, { "retry-after": "120" }) });
    const push = await stage.push(app, { to, ttl });
    assert.deepEqual([push.json.deliveries[0].state, push.json.deliveries[0].reason], ["failed", reason]);
  }
});

test("one that waits is taken back, and what is gone is said", async () => {
  stage.lab.clearLog();
  stage.lab.fault({ vendor: "apns", match: { token: iphone }, do: status(503, { "retry-after": "2" }) });
  const push = await stage.push(app, { to: { users: ["u", "g"] }, category: "order" });
  assert.deepEqual(push.json.counts, { accepted: 1, retrying: 1 });
  const cancelled = await stage.ask("DELETE", `/v1/push/${push.json.id}`, app.key);
  assert.deepEqual([cancelled.status, cancelled.json.counts], [200, { accepted: 1, cancelled: 1 }]);
  await new Promise((next) => setTimeout(next, 4_000));
  assert.equal(stage.seen("apns").length, 1);
  assert.deepEqual((await ends(push.json.id)).counts, { accepted: 1, cancelled: 1 });
});

test("a device that is gone meanwhile is not sent to, one with a new token is", async () => {
  const token = await stage.iphone(app, "moves");
  stage.lab.fault({ vendor: "apns", match: { token }, do: status(503) });
  const push = await stage.push(app, { to: { users: ["moves"] }, category: "order" });
  assert.equal(push.json.deliveries[0].state, "retrying");
  const renewed = await stage.iphone(app, "moves");
  stage.lab.clearLog();
  assert.deepEqual((await ends(push.json.id)).counts, { accepted: 1 });
  assert.equal(sentTo(stage.seen("apns")[0]), renewed);
  stage.lab.fault({ vendor: "apns", match: { token: renewed }, do: status(503) });
  const second = await stage.push(app, { to: { users: ["moves"] }, category: "order" });
  await stage.ask("DELETE", "/v1/users/moves/devices/moves-iphone", app.key);
  const done = await ends(second.json.id);
  assert.deepEqual([done.deliveries[0].state, done.deliveries[0].reason], ["skipped", "no_device"]);
});

test("one sick vendor does not hold another one back", async () => {
  const fast = async () => {
    const began = performance.now();
    const answer = await stage.push(app, { to: { users: ["g"] } });
    assert.deepEqual(answer.json.counts, { accepted: 1 }, answer.text);
    return performance.now() - began;
  };
  const median = (times: number[]) => times.toSorted((a, b) => a - b)[times.length >> 1]!;
  const sample = async () => {
    const times = [];
    for (let n = 0; n < 30; n++) times.push(await fast());
    return median(times);
  };
  await sample();
  const healthy = await sample();
  stage.lab.fault({ vendor: "apns", times: -1, do: { hang: true } });
  const hanging = Array.from({ length: 30 }, () => stage.push(app, { to, ttl: 0 }));
  await new Promise((next) => setTimeout(next, 500));
  const beside = await sample();
  stage.lab.clearFaults();
  assert.ok(beside < 4 * healthy + 20, `${beside.toFixed(1)} ms with APNs hanging, ${healthy.toFixed(1)} ms without`);
  const unknown = await Promise.all(hanging);
  for (const answer of unknown) assert.equal(answer.json.deliveries[0].state, "unknown");
});

test("a lost connection is unknown, an answer is a retry, an answer cut off after its status counts by its status", async () => {
  for (const [fault, category, state, reason] of [
    [{ close: true }, "marketing", "unknown", "no_answer"],
    [{ close: true }, "im", "retrying", "no_answer"],
    [{ reason: "Shutdown" }, "marketing", "retrying", "vendor_unavailable"],
    [{ html: 502 }, "marketing", "retrying", "vendor_unavailable"],
    [{ cut: 0 }, "marketing", "accepted", undefined],
  ] as const) {
    stage.lab.fault({ vendor: "apns", match: { token: iphone }, do: fault });
    const push = await stage.push(app, { to, category });
    assert.deepEqual([push.json.deliveries[0].state, push.json.deliveries[0].reason], [state, reason]);
    await stage.ask("DELETE", `/v1/push/${push.json.id}`, app.key);
  }
});

test("a vendor that refuses connections: nobody can tell whether anything left, so on_unknown decides", async () => {
  const nowhere = await Stage.start({ lab: stage.lab, bindings: { VENDOR_PROXY: "http://127.0.0.1:1" } });
  try {
    const own = await nowhere.app();
    await nowhere.iphone(own, "u");
    for (const [category, state] of [["marketing", "unknown"], ["im", "retrying"]] as const) {
      const [delivery] = (await nowhere.push(own, { to, category })).json.deliveries;
      assert.deepEqual([delivery.state, delivery.reason], [state, "no_answer"]);
    }
  } finally {
    await nowhere.stop();
  }
});

test("503 for some time: the same delivery is tried until the vendor is back", async () => {
  stage.lab.clearLog();
  stage.lab.fault({ vendor: "apns", match: { token: iphone }, times: 2, do: { reason: "ServiceUnavailable" } });
  const push = await stage.push(app, { to, category: "order" });
  const done = await ends(push.json.id);
  assert.deepEqual([done.counts, done.deliveries[0].tries], [{ accepted: 1 }, 3]);
  const [first, second, third] = stage.seen("apns").map((seen) => Date.parse(seen.at));
  assert.ok(second! - first! >= 1_000 && third! - second! >= 5_000, "one second, then five");
  assert.equal(new Set(stage.seen("apns").map((seen) => seen.headers["apns-id"])).size, 1);
});
