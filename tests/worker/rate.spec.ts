// The send rate of an account: a large push keeps to it, whatever is beside it; a single message does not wait for it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type App, Stage, copiesAreTrusted, cost, until } from "./stage.ts";

let stage: Stage;
before(async () => {
  stage = await Stage.start({ bindings: { LEDGER_SHARDS: "1" } });
});
after(() => stage.stop());

const rate = async (app: App, vendor: string) => (await stage.must("GET", "/v1/quota", app.key)).accounts[vendor].rate;
const tokens = (vendor: string, n: number) => Array.from({ length: n }, (_, at) => ({ vendor, token: `${vendor}-${at.toString(16).padStart(32, "0")}` }));

async function ends(app: App, id: string, ms: number): Promise<any> {
  return until(async () => {
    const { json } = await stage.ask("GET", `/v1/push/${id}`, app.key);
    return json.status === "done" ? json : undefined;
  }, ms);
}

/** Most requests that the lab saw of a vendor within any second. */
function densest(vendor: string): number {
  const times = stage.seen(vendor).map((seen) => Date.parse(seen.at)).toSorted((a, b) => a - b);
  return Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + 1_000).length));
}

test("a queued push keeps to the app's rate in every second, and another vendor beside it does not wait", { timeout: 90_000 }, async () => {
  const app = await stage.app({ per_second: { apns: 20 } });
  const users = Array.from({ length: 100 }, (_, n) => `u${n}`);
  await stage.copies(app, users);
  for (let n = 0; n < 10; n++) await stage.android(app, `g${n}`);
  await copiesAreTrusted();
  stage.lab.clearLog();
  const began = Date.now();
  const push = await stage.push(app, { to: { users: [...users, ...Array.from({ length: 10 }, (_, n) => `g${n}`)] }, category: "follow", wait: false });
  assert.equal(push.status, 202, push.text);
  await until(() => (stage.seen("fcm").length === 10 ? true : undefined), 5_000);
  assert.ok(stage.seen("apns").length <= 40, "the others are not through yet");
  // A single message beside it is not held up.
  const single = await stage.push(app, { to: { users: ["u0"] }, category: "follow" });
  assert.deepEqual([single.json.counts, cost(single).object_calls], [{ accepted: 1 }, 2], single.text);
  const waits = await until(async () => {
    const { json } = await stage.ask("GET", `/v1/push/${push.json.id}`, app.key);
    return json.deliveries.find((one: any) => one.state === "retrying");
  });
  assert.equal(waits.reason, "rate_limited");
  assert.match(waits.detail, /send rate/);
  const done = await ends(app, push.json.id, 40_000);
  assert.deepEqual(done.counts, { accepted: 110 });
  const seen = stage.seen("apns");
  assert.equal(new Set(seen.map((one) => one.headers["apns-id"])).size, 101, "each once");
  assert.ok(densest("apns") <= 41, `${densest("apns")} in a second: the rate, a second's worth on top, and the single one`);
  const took = (Date.parse(seen.at(-1).at) - began) / 1_000;
  assert.ok(took >= 4 && took < 20, `${took} s for 100 at 20 a second`);
  assert.deepEqual(await rate(app, "apns"), { per_second: 20, counts: "requests", by: "app" });
  assert.equal(await rate(app, "fcm"), undefined);
});

test("a request with many waits for its turn within its call, and what waits too long comes back", { timeout: 60_000 }, async () => {
  const app = await stage.app({ per_second: { apns: 10 } });
  const users = Array.from({ length: 10 }, (_, n) => `u${n}`);
  await stage.copies(app, users);
  await copiesAreTrusted();
  stage.lab.clearLog();
  const began = Date.now();
  const answers = await Promise.all(Array.from({ length: 9 }, () => stage.push(app, { to: { users }, category: "follow" })));
  const took = Date.now() - began;
  assert.ok(took < 9_000, `${took} ms`);
  const states = answers.map(({ json }) => json.deliveries[0].state);
  assert.ok(states.filter((state) => state === "accepted").length >= 4, states.join());
  assert.ok(states.includes("retrying"), states.join());
  for (const { json } of answers) assert.deepEqual((await ends(app, json.id, 30_000)).counts, { accepted: 10 });
  assert.equal(stage.seen("apns").length, 90);
  assert.ok(densest("apns") <= 21, `${densest("apns")} in a second`);
});

test("what is for its user's eyes only is looked up once more after its wait", { timeout: 60_000 }, async () => {
  const app = await stage.app({ per_second: { apns: 10 } });
  const users = Array.from({ length: 10 }, (_, n) => `u${n}`);
  await Promise.all(users.map((user) => stage.iphone(app, user)));
  stage.lab.clearLog();
  const answers = await Promise.all(Array.from({ length: 4 }, () => stage.push(app, { to: { users }, category: "order" })));
  for (const answer of answers) assert.deepEqual(answer.json.counts, { accepted: 10 }, answer.text);
  const calls = answers.map((answer) => cost(answer).object_calls).toSorted((a, b) => a - b);
  // A call to each user, and three of the push; those who wait for longer than a lookup holds ask each user twice.
  assert.equal(calls[0], 13, calls.join());
  assert.ok(calls.at(-1)! >= 23, calls.join());
  assert.equal(stage.seen("apns").length, 40);
});

test("a vendor's own rate counts lists as one, and is shown with its source", async () => {
  const app = await stage.channels();
  const single = await stage.push(app, { to: { tokens: tokens("meizu", 1) }, category: "im" });
  assert.equal(cost(single).object_calls, 2, "a single message does not ask");
  const list = await stage.push(app, { to: { tokens: tokens("meizu", 40) }, category: "im" });
  assert.deepEqual([list.json.counts, cost(list).object_calls, cost(list).fetches], [{ accepted: 40 }, 3, 1], list.text);
  const shown = await rate(app, "meizu");
  assert.deepEqual([shown.per_second, shown.counts, shown.by], [200, "requests", "vendor"]);
  assert.match(shown.source, /^https:/);
  assert.equal((await rate(app, "xiaomi")).per_second, 500);
});
