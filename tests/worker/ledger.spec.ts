// One key, one push; one state; what became of every delivery.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { killRuntime } from "./crash.ts";
import { mkdtemp, rm } from "node:fs/promises";
import { type App, copiesAreTrusted, cost, Stage, until } from "./stage.ts";

let stage: Stage;
let app: App;
before(async () => {
  stage = await Stage.start();
  app = await stage.app();
  await stage.iphone(app, "u");
  await stage.android(app, "u");
  await stage.push(app, { to: { users: ["u"] } });
});
after(() => stage.stop());

const keyed = (key: string) => ({ "idempotency-key": key });
const to = { users: ["u"] };

test("50 callers with the same key: one push at the vendor, 50 answers that agree", async () => {
  stage.lab.clearLog();
  stage.lab.fault({ vendor: "apns", do: { delay_ms: 300 } });
  const answers = await Promise.all(Array.from({ length: 50 }, () => stage.push(app, { to, category: "order" }, keyed("fifty"))));
  assert.equal(stage.seen("apns").length, 1);
  assert.equal(stage.seen("fcm").filter((seen) => seen.host === "fcm.googleapis.com").length, 1);
  const fresh = answers.filter((answer) => answer.status === 200 && answer.headers.get("idempotent-replay") === null);
  const replayed = answers.filter((answer) => answer.headers.get("idempotent-replay") === "true");
  const busy = answers.filter((answer) => answer.status === 409);
  assert.equal(fresh.length, 1);
  assert.equal(fresh.length + replayed.length + busy.length, 50);
  const { id } = fresh[0]!.json;
  for (const answer of busy) assert.deepEqual([answer.json.code, answer.json.push], ["push_under_way", id]);
  for (const answer of replayed) assert.equal(answer.text, fresh[0]!.text);
  const late = await stage.push(app, { to, category: "order" }, keyed("fifty"));
  assert.deepEqual([late.status, late.text, late.headers.get("idempotent-replay")], [200, fresh[0]!.text, "true"]);
});

test("another push under the same key is refused; the same one in other bytes is not", async () => {
  const first = await stage.push(app, { to, data: { a: "1", b: "2" } }, keyed("meaning"));
  const raw = '{ "data": {"b":"2","a":"1"}, "notification": {"body":"Your parcel has left","title":"Sent"}, "wait": true, "to": {"users": ["u"]} }';
  const same = await stage.ask("POST", "/v1/push", app.key, raw, keyed("meaning"));
  assert.deepEqual([same.status, same.json.id], [200, first.json.id]);
  const other = await stage.push(app, { to, data: { a: "2" } }, keyed("meaning"));
  assert.deepEqual([other.status, other.json.code, other.json.push], [422, "idempotency_mismatch", first.json.id]);
});

test("a request refused at parsing leaves its key free, and apps do not share keys", async () => {
  const bad = await stage.push(app, { to, ttl: -1 }, keyed("free"));
  assert.equal(bad.status, 400);
  const good = await stage.push(app, { to }, keyed("free"));
  assert.deepEqual([good.status, good.headers.get("idempotent-replay")], [200, null]);
  const other = await stage.app();
  await stage.iphone(other, "u");
  const foreign = await stage.push(other, { to }, keyed("free"));
  assert.deepEqual([foreign.status, foreign.headers.get("idempotent-replay")], [200, null]);
  assert.equal((await stage.ask("GET", `/v1/push/${good.json.id}`, other.key)).status, 404);
});

test("a key that is none is refused, an empty one too: who sends it believes to have one", async () => {
  for (const key of ["x".repeat(256), "a\tb", "", "\u00e9"]) {
    const answer = await stage.push(app, { to }, keyed(key));
    assert.deepEqual([answer.status, answer.json.code], [400, "invalid_value"], key);
  }
});

test("a push costs two ledger calls and two rows, and one for an alarm in a minute; a guarded one asks its user", async () => {
  const quiet = await stage.app();
  await stage.iphone(quiet, "u");
  let rows = 0;
  const pushes = 60;
  // Ledgers make their tables with their first push: that is once a day.
  for (let n = 0; n < 40; n++) await stage.push(quiet, { to, category: "im" }, keyed(`warm ${n}`));
  await copiesAreTrusted();
  for (let n = 0; n < pushes; n++) {
    const category = n % 2 === 0 ? "follow" : "im";
    const spent = cost(await stage.push(quiet, { to, category }, keyed(`cost ${n}`)));
    assert.deepEqual([spent.object_calls, spent.kv_reads, spent.fetches], category === "im" ? [3, 0, 1] : [2, 1, 1]);
    rows += spent.rows_written;
  }
  assert.ok(rows <= 2 * pushes + 4, `${rows} rows for ${pushes} pushes`);
});

test("GET tells of every delivery where it is and where it was", async () => {
  const push = await stage.push(app, { to: { users: ["u", "nobody"] }, category: "order", campaign: "spring" });
  const answer = await stage.ask("GET", `/v1/push/${push.json.id}`, app.key);
  assert.equal(answer.status, 200);
  const { id, status, percent, counts, category, campaign, deliveries } = answer.json;
  assert.deepEqual([id, status, percent, category, campaign], [push.json.id, "done", 100, "order", "spring"]);
  assert.deepEqual(counts, { accepted: 2, skipped: 1 });
  const steps = deliveries.map((delivery: any) => delivery.trace.map((step: any) => step.step));
  assert.deepEqual(steps.toSorted(), [["sending", "accepted"], ["sending", "accepted"], ["skipped"]]);
  const stripped = deliveries.map(({ trace, tries, ...rest }: any) => rest);
  assert.deepEqual(stripped, push.json.deliveries);
  for (const [path, code] of [["/v1/push/01ARYZ6S410000000000000000", "unknown_push"], ["/v1/push/x", "invalid_id"]] as const) {
    assert.equal((await stage.ask("GET", path, app.key)).json.code, code);
  }
});

test("the funnel adds up to what was sent, in every grouping", async () => {
  const own = await stage.app({ quota: { fcm: { marketing: { per_day: 1 } } } });
  const dead = await stage.iphone(own, "u");
  await stage.android(own, "u");
  await stage.iphone(own, "off", "off-iphone", { permission: "denied" });
  await stage.push(own, { to: { users: ["u", "off", "nobody"] }, campaign: "spring" });
  stage.lab.fault({ vendor: "apns", match: { token: dead }, do: { reason: "Unregistered" } });
  await stage.push(own, { to: { users: ["u"] } });
  await stage.push(own, { to: { users: ["u"] }, category: "order" });
  const total = { resolved: [7, 6], admitted: [6, 4], sent: [4, 4], accepted: [4, 3], received: [3, 0], shown: [0, 0], clicked: [0, 0] };
  for (const by of ["", "?by=vendor", "?by=category", "?by=campaign", "?by=platform"]) {
    const { json } = await stage.ask("GET", `/v1/funnel${by}`, own.key);
    assert.equal(json.balanced, true);
    const flow = Object.fromEntries(json.total.stages.map((stage: any) => [stage.stage, [stage.in, stage.out]]));
    assert.deepEqual(flow, total, by);
    const sum = json.groups.reduce((n: number, group: any) => n + group.requested, 0);
    assert.equal(sum, by === "" ? 0 : 7);
  }
  const { json } = await stage.ask("GET", "/v1/funnel", own.key);
  assert.deepEqual(json.total.stages.map((stage: any) => stage.lost), [{ no_device: 1 }, { permission_off: 1, quota: 1 }, {}, { token_gone: 1 }, {}, {}, {}]);
});

test("explain shows what would go out, sends nothing, counts nothing, and no token", async () => {
  stage.lab.clearLog();
  const before = await stage.ask("GET", "/v1/funnel", app.key);
  const answer = await stage.ask("POST", "/v1/push:explain", app.key, { to: { users: ["u", "nobody"] }, category: "order", notification: { title: "Sent" } });
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual(answer.json.deliveries.map((delivery: any) => [delivery.vendor, delivery.would, delivery.reason]), [
    ["fcm", "send", undefined],
    ["apns", "send", undefined],
    [undefined, "skip", "no_device"],
  ]);
  assert.equal(answer.json.deliveries[1].request.headers["apns-push-type"], "alert");
  assert.equal(answer.json.deliveries[1].request.body.aps.alert.title, "Sent");
  assert.equal(stage.seen().length, 0);
  assert.equal((await stage.ask("GET", "/v1/funnel", app.key)).text, before.text);
  assert.deepEqual(cost(answer), { kv_reads: 0, object_calls: 2, rows_written: 0, fetches: 0 });
});

test("growing: keys and pushes of before are found", async () => {
  const persist = await mkdtemp("target/grow-");
  const small = await Stage.start({ persist, lab: stage.lab, bindings: { LEDGER_SHARDS: "2" } });
  let own: App;
  let pushes: any[] = [];
  try {
    own = await small.app();
    await small.iphone(own, "u");
    for (let n = 0; n < 8; n++) pushes.push((await small.push(own, { to }, keyed(`grow ${n}`))).json);
  } finally {
    await small.stop();
  }
  const large = await Stage.start({ persist, lab: stage.lab, bindings: { LEDGER_SHARDS: "7", LEDGER_SHARDS_BEFORE: "2" } });
  try {
    for (const [n, push] of pushes.entries()) {
      const again = await large.push(own, { to }, keyed(`grow ${n}`));
      assert.deepEqual([again.json.id, again.headers.get("idempotent-replay")], [push.id, "true"]);
      assert.equal((await large.ask("GET", `/v1/push/${push.id}`, own.key)).status, 200);
    }
    assert.equal((await large.ask("GET", "/v1/funnel", own.key)).json.total.requested, 8);
  } finally {
    await large.stop();
    await rm(persist, { recursive: true, force: true });
  }
});

/** A push whose caller hangs up as soon as the vendor has it. */
async function hungUp(at: Stage, app: App, body: object, key: string): Promise<void> {
  const before = at.seen("apns").length;
  const caller = new AbortController();
  const answered = at.push(app, body, keyed(key), caller.signal).then(
    () => true,
    () => false,
  );
  await until(() => (at.seen("apns").length > before ? true : undefined));
  caller.abort();
  assert.equal(await answered, false);
}

test("a worker that dies in mid-send: im is sent again under the same ids, marketing ends as unknown; one whose caller hangs up goes on", async () => {
  const persist = await mkdtemp("target/ledger-");
  const crashing = await Stage.start({ persist, lab: stage.lab });
  try {
    const own = await crashing.app();
    const token = await crashing.iphone(own, "u");
    stage.lab.clearLog();
    stage.lab.fault({ vendor: "apns", match: { token }, times: 2, do: { hang: true } });
    const lost = [
      crashing.push(own, { to, category: "im" }, keyed("im")).catch(() => undefined),
      crashing.push(own, { to, category: "marketing" }, keyed("marketing")).catch(() => undefined),
    ];
    await until(() => (stage.seen("apns").length >= 2 ? true : undefined));
    await killRuntime(crashing);
    await Promise.all(lost);
    const began = Date.now();
    stage.lab.fault({ vendor: "apns", match: { token }, times: 1, do: { hang: true } });
    await hungUp(crashing, own, { to, category: "marketing" }, "hung up");
    const busy = await crashing.push(own, { to, category: "im" }, keyed("im"));
    assert.deepEqual([busy.status, busy.json.code], [409, "push_under_way"]);
    const ends = await until(async () => {
      const answers = await Promise.all(
        ["im", "marketing", "hung up"].map((key) => {
          return crashing.push(own, { to, category: key === "im" ? "im" : "marketing" }, keyed(key));
        }),
      );
      const states = answers.map((answer) => (answer.status === 200 ? answer.json.deliveries[0].state : "busy"));
      return states.join() === "accepted,unknown,unknown" ? answers : undefined;
    }, 125_000);
    assert.ok(Date.now() - began < 120_000, "found within two minutes");
    assert.equal(ends[0]!.json.deliveries[0].reason, undefined);
    assert.equal(ends[1]!.json.deliveries[0].reason, "no_answer");
    // The worker itself has given the vendor up: its ledger had not to.
    assert.equal(ends[2]!.json.deliveries[0].detail, "no answer within 15 s");
    assert.equal(ends[1]!.json.deliveries[0].detail, "the worker ended before the answer");
    const ids = stage.seen("apns").map((seen) => seen.headers["apns-id"]);
    assert.equal(ids.length, 4);
    assert.equal(new Set(ids).size, 3, "the second try has the ids of the first");
    const { json } = await crashing.ask("GET", "/v1/funnel", own.key);
    assert.deepEqual([json.balanced, json.total.requested, json.total.stages[3].out], [true, 3, 1]);
  } finally {
    await crashing.stop();
    await rm(persist, { recursive: true, force: true });
  }
});
