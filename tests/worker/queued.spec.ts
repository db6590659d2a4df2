// Pushes that nobody waits for: to many, later, or simply not waited for. And what becomes of jobs that cannot be done.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ADMIN_KEY, type App, Stage, cost, sentTo, until } from "./stage.ts";

let stage: Stage;
let app: App;
const users = Array.from({ length: 260 }, (_, n) => `u${n}`);
before(async () => {
  stage = await Stage.start();
  app = await stage.app();
  for (let at = 0; at < users.length; at += 20) {
    await Promise.all(users.slice(at, at + 20).map((user) => stage.iphone(app, user)));
  }
  await stage.push(app, { to: { users: ["u0"] } });
});
after(() => stage.stop());

const get = async (id: string) => (await stage.ask("GET", `/v1/push/${id}`, app.key)).json;
const ends = (id: string, ms = 20_000) =>
  until(async () => {
    const json = await get(id);
    return json.percent === 100 ? json : undefined;
  }, ms);

test("260 users are queued, and each of them is sent to once", async () => {
  stage.lab.clearLog();
  const push = await stage.push(app, { to: { users: [...users, "u7", "nobody"] } }, { "idempotency-key": "many" });
  assert.deepEqual([push.status, push.json.status, push.json.counts], [202, "queued", { queued: 261 }]);
  const done = await ends(push.json.id);
  assert.deepEqual(done.counts, { accepted: 260, skipped: 1 });
  const tokens = stage.seen("apns").map((seen) => sentTo(seen));
  assert.deepEqual([tokens.length, new Set(tokens).size], [260, 260]);
  const ids = stage.seen("apns").map((seen) => seen.headers["apns-id"]);
  assert.equal(new Set(ids).size, 260, "every delivery has an id of its own");
  const again = await stage.push(app, { to: { users: [...users, "u7", "nobody"] } }, { "idempotency-key": "many" });
  assert.deepEqual([again.status, again.json.id, again.headers.get("idempotent-replay")], [202, push.json.id, "true"]);
});

test("GET gives the deliveries page by page", async () => {
  const big = Array.from({ length: 1_300 }, (_, n) => `big ${n}`);
  await stage.copies(app, big);
  const push = await stage.push(app, { to: { users: big } });
  const first = await ends(push.json.id);
  assert.equal(first.deliveries.length, 1_000);
  const second = await stage.ask("GET", `/v1/push/${push.json.id}?after=${encodeURIComponent(first.next)}`, app.key);
  assert.equal(second.json.deliveries.length, 300);
  assert.equal(second.json.next, undefined);
  const seen = [...first.deliveries, ...second.json.deliveries].map((delivery: any) => delivery.user);
  assert.deepEqual(new Set(seen), new Set(big));
});

test("a large push writes few rows", async () => {
  const all = Array.from({ length: 5_000 }, (_, n) => `n${n}`);
  await stage.copies(app, all);
  const push = await stage.push(app, { to: { users: all } });
  // A head, five rows of targets, an alarm.
  assert.ok(cost(push).rows_written <= 20, `${cost(push).rows_written} rows`);
  assert.deepEqual((await ends(push.json.id, 60_000)).counts, { accepted: 5_000 });
});

test("users with many devices come to more than one page, none is left out or sent to twice", async () => {
  const many = ["a", "b", "c"];
  for (const user of many) {
    for (let n = 0; n < 60; n += 20) {
      await Promise.all(Array.from({ length: 20 }, (_, m) => stage.iphone(app, user, `${user}-d${n + m}`)));
    }
  }
  stage.lab.clearLog();
  const push = await stage.push(app, { to: { users: many } });
  assert.equal(push.status, 202);
  assert.deepEqual((await ends(push.json.id)).counts, { accepted: 180 });
  assert.equal(new Set(stage.seen("apns").map((seen) => sentTo(seen))).size, 180);
});

test("wait: false answers at once; devices and tokens are queued as users are", async () => {
  const token = await stage.iphone(app, "one");
  stage.lab.clearLog();
  const push = await stage.push(app, {
    to: { devices: [{ user: "one", device: "one-iphone" }], tokens: [{ vendor: "apns", token: "ab".repeat(32), topic: app.topic }] },
    wait: false,
  });
  assert.deepEqual([push.status, push.json.counts], [202, { queued: 2 }]);
  assert.deepEqual((await ends(push.json.id)).counts, { accepted: 2 });
  assert.deepEqual(stage.seen("apns").map((seen) => sentTo(seen)).toSorted(), [token, "ab".repeat(32)].toSorted());
});

test("a push for later goes out then, and not before", async () => {
  stage.lab.clearLog();
  const at = new Date(Date.now() + 3_000).toISOString();
  const push = await stage.push(app, { to: { users: ["u1"] }, send: { at } });
  assert.deepEqual([push.status, push.json.status, Date.parse(push.json.due_at)], [202, "scheduled", Date.parse(at)]);
  await new Promise((next) => setTimeout(next, 1_500));
  assert.equal(stage.seen("apns").length, 0);
  assert.equal((await get(push.json.id)).status, "scheduled");
  await ends(push.json.id);
  const [seen] = stage.seen("apns");
  assert.ok(Date.parse(seen.at) >= Date.parse(at), seen.at);
  const far = await stage.push(app, { to: { users: ["u1"] }, send: { at: new Date(Date.now() + 31 * 86_400_000).toISOString() } });
  assert.deepEqual([far.status, far.json.pointer], [400, "/send/at"]);
});

test("a push for later is taken back as a whole, one that is on its way as far as it has not gone", async () => {
  stage.lab.clearLog();
  const at = new Date(Date.now() + 2_500).toISOString();
  const later = await stage.push(app, { to: { users }, send: { at } });
  const none = await stage.ask("DELETE", `/v1/push/${later.json.id}`, app.key);
  assert.deepEqual([none.json.status, none.json.counts], ["cancelled", { cancelled: 260 }]);
  await new Promise((next) => setTimeout(next, 3_500));
  assert.equal(stage.seen("apns").length, 0);

  stage.lab.fault({ vendor: "apns", times: -1, do: { delay_ms: 100 } });
  const big = await stage.push(app, { to: { users } });
  await until(() => (stage.seen("apns").length > 10 ? true : undefined));
  const answer = await stage.ask("DELETE", `/v1/push/${big.json.id}`, app.key);
  assert.equal(answer.status, 200);
  const done = await ends(big.json.id);
  stage.lab.clearFaults();
  assert.equal((done.counts.accepted ?? 0) + (done.counts.cancelled ?? 0), 260);
  assert.equal(stage.seen("apns").length, done.counts.accepted);
});

test("many retries of a queued push go out when they are due", async () => {
  stage.lab.clearLog();
  stage.lab.fault({ vendor: "apns", times: 30, do: { reason: "ServiceUnavailable" } });
  const push = await stage.push(app, { to: { users }, category: "order" });
  const done = await ends(push.json.id, 30_000);
  assert.deepEqual(done.counts, { accepted: 260 });
  assert.equal(stage.seen("apns").length, 290);
});

test("a message that is no job ends as a dead letter with its reason, and can be re-driven", async () => {
  const queue = (await stage.mf.getQueueProducer("DISPATCH")) as any;
  // U+001F, raw, stands between the values of a statement on their way to SQLite.
  await queue.send("rub\u001fbish");
  await queue.send({ also: "rubbish" });
  const letters = await until(async () => {
    const { json } = await stage.ask("GET", "/v1/dead-letters", ADMIN_KEY);
    return json.letters.length === 2 ? json.letters : undefined;
  });
  assert.deepEqual(letters.map((letter: any) => letter.reason), ["not a job of this version", "not a job of this version"]);
  assert.deepEqual(letters.map((letter: any) => letter.job).toSorted(), [{ also: "rubbish" }, "rub\u001fbish"].toSorted());
  assert.equal((await stage.ask("GET", "/v1/dead-letters", app.key)).status, 401);
  const again = await stage.ask("POST", "/v1/dead-letters:redrive", ADMIN_KEY, { ids: [letters[0].id] });
  assert.deepEqual(again.json, { redriven: [letters[0].id] });
  const back = await until(async () => {
    const { json } = await stage.ask("GET", "/v1/dead-letters", ADMIN_KEY);
    return json.letters.length === 2 && json.letters.every((letter: any) => letter.id !== letters[0].id) ? json.letters : undefined;
  });
  assert.equal(back.length, 2);
});

test("a job that runs twice changes nothing", async () => {
  stage.lab.clearLog();
  const push = await stage.push(app, { to: { users: users.slice(0, 120) } });
  await ends(push.json.id);
  const [{ tenant }] = [{ tenant: { app: app.id, generation: 1 } }];
  const queue = (await stage.mf.getQueueProducer("DISPATCH")) as any;
  for (const slice of [0, 1, 0, 7]) {
    await queue.send(JSON.stringify({ tenant, job: { slice: { push: push.json.id, slice, part: 0 } } }), { contentType: "text" });
  }
  await queue.send(JSON.stringify({ tenant, job: { retry: { push: push.json.id, part: { slice: [0, 0] } } } }), { contentType: "text" });
  await new Promise((next) => setTimeout(next, 1_500));
  assert.equal(stage.seen("apns").length, 120);
  assert.deepEqual((await get(push.json.id)).counts, { accepted: 120 });
});
