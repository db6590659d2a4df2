// How often one device and one user are sent to: the vendors' rules for a device and day, and the app's own caps. Each push
// counts once, whatever becomes of its call, and what was not sent does not count.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { after, before, test } from "node:test";
import { killRuntime } from "./crash.ts";
import { type Answer, type App, Stage, copiesAreTrusted, cost, until } from "./stage.ts";

let stage: Stage;
before(async () => {
  stage = await Stage.start({ bindings: { LEDGER_SHARDS: "1" } });
});
after(() => stage.stop());

const DAY_MS = 86_400_000;
/** When the day in China ends. */
const tomorrow = () => (Math.floor((Date.now() + 8 * 3_600_000) / DAY_MS) + 1) * DAY_MS - 8 * 3_600_000;
/** What counts in a day is counted in one. */
const notAtMidnight = async () => {
  const left = tomorrow() - Date.now();
  if (left < 20_000) await new Promise((next) => setTimeout(next, left + 100));
};
const phone = (app: App, user: string, device = `${user}-phone`, vendor = "vivo") =>
  stage.device(app, user, device, { platform: "android", vendor, token: `${vendor}-${device}-${"0".repeat(16)}`.slice(0, 40), permission: "granted" });
const ends = (answer: Answer) => answer.json.deliveries.map(({ state, reason }: any) => (reason === undefined ? state : `${state} ${reason}`));
const send = (app: App, user: string, more: object = {}, headers?: Record<string, string>) => stage.push(app, { to: { users: [user] }, ...more }, headers);
const capped = (most: number, secs: number, more: object = {}) => ({ caps: { marketing: [{ most, in: secs }] }, ...more });

test("two marketing messages a day to one phone at vivo: two of sixteen at once, and the vendor is not asked about the others", async () => {
  await notAtMidnight();
  const app = await stage.channels();
  await phone(app, "u");
  stage.lab.clearLog();
  const answers = await Promise.all(Array.from({ length: 16 }, (_, n) => send(app, "u", { category: n % 2 === 0 ? "marketing" : "follow" })));
  const all = answers.flatMap(ends).toSorted();
  assert.deepEqual(all, [...Array(2).fill("accepted"), ...Array(14).fill("skipped cap")]);
  for (const answer of answers.filter(({ json }) => json.counts.skipped === 1)) {
    const [delivery] = answer.json.deliveries;
    assert.equal(Date.parse(delivery.until), tomorrow());
    assert.equal(cost(answer).fetches, 0);
  }
  assert.deepEqual(ends(await send(app, "u", { category: "order" })), ["accepted"], "what is not limited passes");
  await phone(app, "other");
  assert.deepEqual(ends(await send(app, "other")), ["accepted"], "another phone has its own day");
  const { total, balanced } = await stage.must("GET", "/v1/funnel", app.key);
  assert.deepEqual([balanced, total.stages.find(({ stage }: any) => stage === "admitted").lost], [true, { cap: 14 }]);
  // A slow machine makes two of the sixteen come after one another, and quick traffic may hold grants ahead for ten seconds.
  const rule = await until(async () => {
    const [limit] = (await stage.must("GET", "/v1/quota", app.key)).accounts.vivo.limits;
    return limit.granted === 3 ? limit : undefined;
  }, 30_000);
  assert.deepEqual([rule.rule.per_device, rule.used, rule.reserved], [2, 3, 0], "grants of what may not pass went back");
});

test("news apps have five, and an app that leaves the counting to the vendors hears it from them", async () => {
  await notAtMidnight();
  // Meizu says it at once, of each phone.
  for (const [policy, perDevice, passes, over] of [[{ app_kind: "news" }, 5, 5, "skipped cap"], [{ per_device: false }, 3, 3, "failed cap"], [{ per_device: false }, false, 7, ""]] as const) {
    const app = await stage.channels(policy, { meizu: { per_device: perDevice } });
    await phone(app, "u", "u-phone", "meizu");
    const all = [];
    for (let n = 0; n < 7; n++) all.push(...ends(await send(app, "u")));
    assert.deepEqual(all, [...Array(passes).fill("accepted"), ...Array(7 - passes).fill(over)]);
  }
  assert.ok(stage.seen("vivo").every(({ capped }) => capped.length === 0), "of all that was sent nothing was over");
});

test("one key is one push, and a retry is the same push", async () => {
  const app = await stage.channels();
  await phone(app, "u");
  const replayed = await Promise.all(Array.from({ length: 5 }, () => send(app, "u", {}, { "idempotency-key": "once" })));
  assert.ok(replayed.some(({ status }) => status === 200));
  for (let n = 0; n < 3; n++) assert.deepEqual(ends(await send(app, "u", {}, { "idempotency-key": "once" })), ["accepted"]);
  stage.lab.fault({ vendor: "vivo", times: 1, do: { status: 503, body: "" } });
  const retried = await send(app, "u", { category: "follow" });
  assert.equal(retried.json.counts.retrying, 1, retried.text);
  assert.deepEqual(ends(await send(app, "u")), ["skipped cap"], "what waits for another try keeps its place");
  const done = await until(async () => {
    const { json } = await stage.ask("GET", `/v1/push/${retried.json.id}`, app.key);
    return json.status === "done" ? json : undefined;
  }, 60_000);
  assert.deepEqual(done.counts, { accepted: 1 });
  assert.deepEqual(ends(await send(app, "u")), ["skipped cap"]);
});

test("what the account or the vendor refuses has not been sent, and does not count", async () => {
  const app = await stage.channels({ quota: { vivo: { marketing: { per_day: 0 } } } });
  await phone(app, "u");
  for (let n = 0; n < 3; n++) assert.deepEqual(ends(await send(app, "u")), ["skipped quota"]);
  stage.lab.fault({ vendor: "vivo", times: 1, do: { reason: "10070" } });
  assert.deepEqual(ends(await send(app, "u", { category: "follow" })), ["failed quota"]);
  const own = await stage.app({ caps: { im: [{ most: 1, in: 3_600 }] } });
  const token = await stage.iphone(own, "w");
  stage.lab.fault({ vendor: "apns", match: { token }, do: { reason: "BadPriority" } });
  for (const end of ["failed vendor_rejected", "accepted", "skipped cap"]) assert.deepEqual(ends(await send(own, "w", { category: "im" })), [end]);
});

test("the app's own cap counts pushes of a user, not devices, in a window that slides", async () => {
  const app = await stage.app(capped(2, 60));
  await stage.iphone(app, "u");
  await stage.android(app, "u");
  assert.deepEqual(ends(await send(app, "u")), ["accepted", "accepted"]);
  const first = Date.now();
  assert.deepEqual(ends(await send(app, "u")), ["accepted", "accepted"]);
  const third = await send(app, "u");
  assert.deepEqual([ends(third), cost(third).fetches], [["skipped cap", "skipped cap"], 0]);
  const left = Date.parse(third.json.deliveries[0].until) - first;
  assert.ok(left > 50_000 && left <= 60_000, `${left} ms`);
  assert.deepEqual(ends(await send(app, "u", { category: "follow" })), ["accepted", "accepted"]);
  await stage.iphone(app, "v");
  assert.deepEqual(ends(await stage.push(app, { to: { users: ["u", "v"] } })), ["skipped cap", "skipped cap", "accepted"]);
});

test("what is over a cap waits where the app says so", async () => {
  const app = await stage.app(capped(1, 3_600, { over_quota: { marketing: ["later"] } }));
  await stage.iphone(app, "u");
  assert.deepEqual(ends(await send(app, "u")), ["accepted"]);
  const held = await send(app, "u");
  assert.deepEqual(ends(held), ["held cap"]);
  const wait = Date.parse(held.json.deliveries[0].until) - Date.now();
  assert.ok(wait > 3_600_000 && wait < 3_700_000, `${wait} ms`);
  assert.deepEqual(ends(await send(app, "u", { ttl: 60 })), ["skipped cap"], "its ttl does not last so long");
});

test("a queued push asks the same, page by page, and a user of two pages counts once", async () => {
  const app = await stage.app(capped(1, 3_600));
  const users = Array.from({ length: 120 }, (_, n) => `q${n}`);
  for (let at = 0; at < users.length; at += 20) await Promise.all(users.slice(at, at + 20).map((user) => stage.iphone(app, user)));
  await stage.android(app, "q0");
  assert.deepEqual(ends(await send(app, "q7")), ["accepted"]);
  await copiesAreTrusted();
  const named = users.map((user) => ({ user, device: `${user}-iphone` }));
  const push = await stage.push(app, { to: { devices: [...named, { user: "q0", device: "q0-android" }] } });
  assert.equal(push.status, 202, push.text);
  const done = await until(async () => {
    const { json } = await stage.ask("GET", `/v1/push/${push.json.id}`, app.key);
    return json.percent === 100 ? json : undefined;
  }, 30_000);
  assert.deepEqual(done.counts, { accepted: 120, skipped: 1 });
  assert.deepEqual(ends(await send(app, "q0")), ["skipped cap", "skipped cap"]);
});

test("a crash forgets nothing that was spent", async () => {
  const persist = await mkdtemp("target/caps-");
  const crashing = await Stage.start({ persist, lab: stage.lab });
  try {
    const app = await crashing.app(capped(12, 3_600));
    const token = await crashing.iphone(app, "u");
    await copiesAreTrusted();
    stage.lab.clearLog();
    for (let kill = 0; kill < 3; kill++) {
      const running = Promise.allSettled(Array.from({ length: 8 }, () => crashing.push(app, { to: { users: ["u"] } })));
      await new Promise((next) => setTimeout(next, 15 + 15 * kill));
      await killRuntime(crashing);
      await running;
    }
    for (let n = 0; n < 14; n++) await crashing.push(app, { to: { users: ["u"] } });
    const seen = stage.seen("apns").filter(({ path }) => path.endsWith(token)).length;
    assert.ok(seen <= 12, `${seen} sent of 12`);
    assert.deepEqual(ends(await crashing.push(app, { to: { users: ["u"] } })), ["skipped cap"]);
  } finally {
    await crashing.stop();
    await rm(persist, { recursive: true, force: true });
  }
});

test("erasing a user forgets what was sent", async () => {
  const app = await stage.app(capped(1, 3_600));
  await stage.iphone(app, "u");
  assert.deepEqual(ends(await send(app, "u")), ["accepted"]);
  assert.deepEqual(ends(await send(app, "u")), ["skipped cap"]);
  await stage.must("DELETE", "/v1/users/u", app.key);
  await stage.iphone(app, "u", "new");
  assert.deepEqual(ends(await send(app, "u")), ["accepted"]);
});

test("it costs one call and one row where something is limited, and nothing elsewhere", async () => {
  const app = await stage.app(capped(100, 3_600));
  await stage.iphone(app, "u");
  await copiesAreTrusted();
  for (const [category, object_calls, rows_written] of [["marketing", 3, 3], ["follow", 2, 2]] as const) {
    await send(app, "u", { category });
    assert.deepEqual(cost(await send(app, "u", { category })), { kv_reads: 1, object_calls, rows_written, fetches: 1 }, category);
  }
  const all = await stage.channels();
  for (const [vendor, category, calls] of [["huawei", "marketing", 3], ["huawei", "follow", 2], ["meizu", "follow", 3]] as const) {
    const user = `${vendor}-${category}`;
    await phone(all, user, user, vendor);
    await copiesAreTrusted();
    await send(all, user, { category });
    const { object_calls, rows_written } = cost(await send(all, user, { category }));
    assert.deepEqual([object_calls, rows_written], [calls, calls], `${vendor} ${category}`);
  }
});

/** A rule on what users do not care for. */
const rule = (of: "user" | "app", click_rate_under: number, sends: number, more: object = {}) => ({ category: "marketing", click_rate_under, sends, of, ...more });
const click = (app: App, push: Answer, user: string) => stage.must("POST", "/v1/events", app.key, { events: [{ type: "clicked", user, id: `${push.json.id}.0` }] });

test("what a user does not click is held back for that user once enough was sent, and a click brings it back", async () => {
  const govern = [rule("user", 0.3, 2, { campaign: "spring" }), rule("user", 0.3, 3)];
  const app = await stage.app({ govern });
  assert.deepEqual((await stage.admin("GET", `/v1/apps/${app.id}`)).json.policy, { govern });
  for (const user of ["cold", "warm"]) await stage.iphone(app, user);
  const sent: Record<string, Answer[]> = { cold: [], warm: [] };
  for (const user of ["cold", "warm"]) {
    for (let n = 0; n < 3; n++) sent[user]!.push(await send(app, user));
    assert.deepEqual(sent[user]!.flatMap(ends), ["accepted", "accepted", "accepted"], "too few sends say nothing");
  }
  await click(app, sent["warm"]![2]!, "warm");
  const held = await send(app, "cold");
  assert.deepEqual([ends(held), cost(held).fetches], [["skipped governed"], 0]);
  assert.match(held.json.deliveries[0].detail, /policy\.govern\/1$/);
  assert.deepEqual(ends(await send(app, "warm")), ["accepted"]);
  assert.deepEqual(ends(await send(app, "cold", { category: "follow" })), ["accepted"], "another category");
  const { total } = await stage.must("GET", "/v1/funnel", app.key);
  assert.deepEqual(total.stages.find(({ stage }: any) => stage === "admitted").lost, { governed: 1 });
  // A click that comes late counts; a campaign has its own.
  await click(app, sent["cold"]![2]!, "cold");
  for (const end of ["accepted", "accepted", "skipped governed"]) {
    const push = await send(app, "cold", { campaign: "spring" });
    assert.deepEqual(ends(push), [end]);
    if (end === "skipped governed") assert.match(push.json.deliveries[0].detail, /policy\.govern\/[01]$/);
  }
});

test("what nobody clicks is held back at all, and the ledgers are not asked each time", async () => {
  const app = await stage.app({ govern: [rule("app", 0.5, 4, { campaign: "spring", wait: 0 })] });
  await stage.iphone(app, "u");
  await copiesAreTrusted();
  const pushes = [];
  for (let n = 0; n < 4; n++) pushes.push(await send(app, "u", { campaign: "autumn" }));
  assert.deepEqual(ends(await send(app, "u", { campaign: "spring" })), ["accepted"], "another campaign's clicks say nothing");
  await stage.admin("PUT", `/v1/apps/${app.id}`, { policy: { govern: [rule("app", 0.5, 4, { wait: 0 })] } });
  const held = await send(app, "u", { campaign: "spring" });
  assert.deepEqual([ends(held), cost(held).fetches], [["skipped governed"], 0]);
  assert.deepEqual(ends(await stage.push(app, { to: { tokens: [{ vendor: "apns", token: "00".repeat(32), topic: app.topic }] } })), ["skipped governed"]);
  assert.equal(cost(await send(app, "u")).object_calls, 2, "begin and settle");
  for (const push of pushes.slice(0, 3)) await click(app, push, "u");
  // Another policy is looked at anew.
  await stage.admin("PUT", `/v1/apps/${app.id}`, { policy: { govern: [rule("app", 0.51, 4, { wait: 0 })] } });
  assert.deepEqual(ends(await send(app, "u")), ["accepted"]);
  await stage.admin("PUT", `/v1/apps/${app.id}`, { policy: { govern: [rule("app", 1, 4)] } });
  assert.deepEqual(ends(await send(app, "u")), ["accepted"], "what was sent just now has not had its time");
});
