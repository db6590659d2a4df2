// Quota: granted never exceeds the limit, and all of it can be used.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { after, before, test } from "node:test";
import { killRuntime } from "./crash.ts";
import { copiesAreTrusted, cost, Stage } from "./stage.ts";

let stage: Stage;
before(async () => {
  // One ledger for all pushes: what a day's first push writes is written once.
  stage = await Stage.start({ bindings: { LEDGER_SHARDS: "1" } });
});
after(() => stage.stop());

const limited = (per_day: number, vendor = "fcm") => ({ quota: { [vendor]: { marketing: { per_day } } } });
const sent = (vendor: string) => stage.seen(vendor).filter((entry) => entry.host !== "oauth2.googleapis.com").length;

test("64 parallel pushes against a limit: never over it, all of it used", async () => {
  const app = await stage.app(limited(50));
  await Promise.all(["a", "b", "c"].map((device) => stage.android(app, "u", device)));
  stage.lab.clearLog();
  const answers = await Promise.all(Array.from({ length: 64 }, () => stage.push(app, { to: { users: ["u"] } })));
  const deliveries = answers.flatMap((answer) => answer.json.deliveries);
  assert.equal(deliveries.length, 192);
  assert.equal(deliveries.filter((d) => d.state === "accepted").length, 50);
  const skipped = deliveries.filter((d) => d.state === "skipped");
  assert.equal(skipped.length, 142);
  const tomorrow = new Date(Math.ceil((Date.now() + 1) / 86_400_000) * 86_400_000).toISOString().replace(".000", "");
  for (const delivery of skipped) assert.deepEqual([delivery.reason, delivery.until], ["quota", tomorrow]);
  assert.equal(sent("fcm"), 50);
});

test("other categories and vendors are not limited with it", async () => {
  const app = await stage.app(limited(0));
  await stage.iphone(app, "u");
  await stage.android(app, "u");
  const marketing = await stage.push(app, { to: { users: ["u"] } });
  assert.deepEqual(marketing.json.counts, { accepted: 1, skipped: 1 });
  const order = await stage.push(app, { to: { users: ["u"] }, category: "order" });
  assert.deepEqual(order.json.counts, { accepted: 2 });
});

test("what was granted and not used goes back", async () => {
  const app = await stage.app(limited(2, "apns"));
  const token = await stage.iphone(app, "u");
  stage.lab.fault({ vendor: "apns", match: { token }, times: 4, do: { reason: "ServiceUnavailable" } });
  for (let n = 0; n < 4; n++) {
    const answer = await stage.push(app, { to: { users: ["u"] } });
    assert.equal(answer.json.deliveries[0].reason, "vendor_unavailable", answer.text);
  }
  for (const state of ["accepted", "accepted", "skipped"]) {
    assert.equal((await stage.push(app, { to: { users: ["u"] } })).json.deliveries[0].state, state);
  }
});

test("what may have arrived keeps its grant", async () => {
  const app = await stage.app(limited(1, "apns"));
  const token = await stage.iphone(app, "u");
  stage.lab.fault({ vendor: "apns", match: { token }, do: { close: true } });
  const first = await stage.push(app, { to: { users: ["u"] } });
  assert.deepEqual([first.json.deliveries[0].state, first.json.deliveries[0].reason], ["unknown", "no_answer"]);
  assert.equal((await stage.push(app, { to: { users: ["u"] } })).json.deliveries[0].reason, "quota");
});

test("a limit that is raised holds from the next push on", async () => {
  const app = await stage.app(limited(1));
  await stage.android(app, "u");
  await stage.push(app, { to: { users: ["u"] } });
  assert.deepEqual((await stage.push(app, { to: { users: ["u"] } })).json.counts, { skipped: 1 });
  await stage.admin("PUT", `/v1/apps/${app.id}`, { policy: limited(2) });
  assert.deepEqual((await stage.push(app, { to: { users: ["u"] } })).json.counts, { accepted: 1 });
});

test("a crash never grants twice, and costs at most a block", async () => {
  const persist = await mkdtemp("target/quota-");
  const crashing = await Stage.start({ persist, lab: stage.lab });
  try {
    const app = await crashing.app(limited(400));
    await Promise.all(["a", "b"].map((device) => crashing.android(app, "u", device)));
    let accepted = 0;
    const burst = async (n: number) => {
      const answers = await Promise.allSettled(Array.from({ length: n }, () => crashing.push(app, { to: { users: ["u"] } })));
      for (const answer of answers) {
        if (answer.status === "fulfilled" && answer.value.status === 200) accepted += answer.value.json.counts.accepted ?? 0;
      }
    };
    stage.lab.clearLog();
    for (let kill = 0; kill < 4; kill++) {
      const running = burst(24);
      await new Promise((next) => setTimeout(next, 20 + 15 * kill));
      await killRuntime(crashing);
      await running;
    }
    for (let n = 0; n < 12; n++) await burst(24);
    const seen = sent("fcm");
    assert.ok(seen <= 400, `${seen} sent of 400`);
    assert.ok(accepted <= seen);
    // Each kill forgets at most a block (1 % of the limit) and what was under way (48 deliveries).
    assert.ok(seen >= 400 - 4 * (4 + 48), `${seen} sent: the limit was usable`);
  } finally {
    await crashing.stop();
    await rm(persist, { recursive: true, force: true });
  }
});

test("a push of an unlimited class asks no account: begin and settle are all its calls and rows", async () => {
  const app = await stage.app(limited(10, "apns"));
  await stage.iphone(app, "u");
  await copiesAreTrusted();
  await stage.push(app, { to: { users: ["u"] }, category: "follow" });
  const warm = cost(await stage.push(app, { to: { users: ["u"] }, category: "follow" }));
  assert.deepEqual(warm, { kv_reads: 1, object_calls: 2, rows_written: 2, fetches: 1 });
});

test("a push of a limited class asks once more, and writes at most one row more and an alarm", async () => {
  const app = await stage.app(limited(1000, "apns"));
  await stage.iphone(app, "u");
  await copiesAreTrusted();
  await stage.push(app, { to: { users: ["u"] } });
  const warm = cost(await stage.push(app, { to: { users: ["u"] } }));
  assert.deepEqual([warm.kv_reads, warm.object_calls, warm.fetches], [1, 3, 1]);
  assert.ok(warm.rows_written <= 4, `${warm.rows_written} rows: the mark, and the alarm that trims it`);
});

test("a burst of a limited class writes far fewer rows than pushes", async () => {
  const app = await stage.app(limited(1_000_000, "apns"));
  await stage.iphone(app, "u");
  await stage.push(app, { to: { users: ["u"] } });
  let rows = 0;
  for (let n = 0; n < 100; n++) rows += cost(await stage.push(app, { to: { users: ["u"] } })).rows_written;
  assert.ok(rows <= 220, `${rows} rows for 100 pushes, 200 of them the ledger's`);
});

test("50 users are resolved in one bulk read of KV, one key each, and no object is asked", async () => {
  const app = await stage.app();
  const users = Array.from({ length: 50 }, (_, n) => `u${n}`);
  await Promise.all(users.map((user) => stage.iphone(app, user)));
  await copiesAreTrusted();
  await stage.push(app, { to: { users: ["u0"] }, category: "follow" });
  const warm = cost(await stage.push(app, { to: { users }, category: "follow" }));
  assert.deepEqual(warm, { kv_reads: 50, object_calls: 2, rows_written: 2, fetches: 50 });
});

test("grants that came back are still there after the object has slept", async () => {
  const persist = await mkdtemp("target/quota-");
  const sleeping = await Stage.start({ persist, lab: stage.lab });
  try {
    const app = await sleeping.app(limited(50, "apns"));
    const users = Array.from({ length: 50 }, (_, n) => `u${n}`);
    await Promise.all(users.map((user) => sleeping.iphone(app, user)));
    stage.lab.fault({ vendor: "apns", times: 50, do: { reason: "PayloadEmpty" } });
    const refused = await sleeping.push(app, { to: { users }, ttl: 0 });
    assert.deepEqual(refused.json.counts, { failed: 50 });
    // The alarm writes down what came back; then memory is lost.
    await new Promise((next) => setTimeout(next, 6_000));
    await killRuntime(sleeping);
    assert.deepEqual((await sleeping.push(app, { to: { users } })).json.counts, { accepted: 50 });
  } finally {
    await sleeping.stop();
    await rm(persist, { recursive: true, force: true });
  }
});
