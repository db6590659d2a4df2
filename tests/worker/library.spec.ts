// The device library: preferences, permission, advice, health, erasure, and a KV that does not write.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { type App, Stage, copied, copiesAreTrusted, until } from "./stage.ts";

let stage: Stage;
let app: App;
before(async () => {
  stage = await Stage.start();
  app = await stage.app();
});
after(() => stage.stop());

const wish = (user: string, body: unknown) => stage.ask("PATCH", `/v1/users/${user}`, app.key, body);
const only = async (user: string, category: string, more: object = {}) =>
  (await stage.push(app, { to: { users: [user] }, category, ...more })).json.deliveries[0];

/** Quiet hours in UTC that have begun and end after so many minutes, at the full minute. */
const quiet = (minutes: number, categories: string[]) => {
  const minute = (from: number) => new Date(Date.now() + from * 60_000).toISOString().slice(11, 16);
  return { quiet_hours: { from: minute(-10), to: minute(minutes), categories }, time_zone: "UTC" };
};

test("preferences are merged, shown as they are set, and removed by null", async () => {
  await wish("p", { locale: "de-CH", time_zone: "Europe/Zurich", opt_out: { marketing: true, follow: true }, tags: ["b", "a"] });
  const { json } = await wish("p", { time_zone: null, opt_out: { follow: false }, quiet_hours: { from: "22:00", to: "07:00" } });
  assert.deepEqual(json.preferences, {
    locale: "de-CH",
    quiet_hours: { from: "22:00", to: "07:00", categories: ["follow", "marketing"] },
    opt_out: { marketing: true },
    tags: ["a", "b"],
  });
  assert.deepEqual((await stage.ask("GET", "/v1/users/p", app.key)).json.preferences, json.preferences);
});

test("every bad wish and event has its code and pointer, and changes nothing", async () => {
  const before = (await stage.ask("GET", "/v1/users/p", app.key)).text;
  for (const [body, code, pointer] of [
    [{ time_zone: "Mars/Base" }, "invalid_value", "/time_zone"],
    [{ time_zone: "Berlin" }, "invalid_value", "/time_zone"],
    [{ locale: "de_CH" }, "invalid_value", "/locale"],
    [{ quiet_hours: { from: "22:00", to: "22:00" } }, "invalid_value", "/quiet_hours"],
    [{ quiet_hours: { from: "22:00", to: "25:00" } }, "invalid_value", "/quiet_hours/to"],
    [{ opt_out: { sms: true } }, "unknown_field", "/opt_out/sms"],
    [{ tags: ["x".repeat(65)] }, "invalid_value", "/tags/0"],
    [{ devices: [] }, "unknown_field", "/devices"],
  ] as const) {
    const answer = await wish("p", body);
    assert.deepEqual([answer.status, answer.json.code, answer.json.pointer], [400, code, pointer]);
  }
  for (const [event, code, status] of [
    [{ type: "permission", device: "d", permission: "denied" }, "missing_field", 400],
    [{ type: "clicked", user: "p", device: "d" }, "missing_field", 400],
    [{ type: "permission", user: "p", device: "d", permission: "perhaps" }, "invalid_value", 400],
  ] as const) {
    const answer = await stage.ask("POST", "/v1/events", app.key, { events: [event] });
    assert.deepEqual([answer.status, answer.json.code], [status, code]);
  }
  const long = await stage.ask("PUT", `/v1/users/${"x".repeat(129)}/devices/d`, app.key, {});
  assert.deepEqual([long.status, long.json.code], [400, "invalid_id"]);
  assert.equal((await stage.ask("GET", "/v1/users/p", app.key)).text, before);
});

test("what the user does not want is not sent, also from the copy in KV", async () => {
  await stage.android(app, "out");
  await wish("out", { opt_out: { follow: true, im: true } });
  for (const wait of [0, 1]) {
    if (wait === 1) await copiesAreTrusted();
    const states = [];
    for (const category of ["im", "order", "follow", "marketing"]) states.push((await only("out", category)).reason ?? "sent");
    assert.deepEqual(states, ["opted_out", "sent", "opted_out", "sent"], `round ${wait}`);
  }
});

test("quiet hours hold what they are for until they end; now or never is skipped; it ends with its ttl; it can be taken back", { timeout: 180_000 }, async () => {
  await stage.android(app, "sleeps");
  // They end in half a minute at the soonest.
  await wish("sleeps", quiet(new Date().getUTCSeconds() < 30 ? 1 : 2, ["follow"]));
  stage.lab.clearLog();
  const push = await stage.push(app, { to: { users: ["sleeps"] }, category: "follow" });
  const [held] = push.json.deliveries;
  assert.deepEqual([held.state, held.reason], ["held", "quiet_hours"]);
  assert.equal(Date.parse(held.until) % 60_000, 0);
  assert.equal((await only("sleeps", "order")).state, "accepted", "orders are not held");
  assert.deepEqual(await only("sleeps", "follow", { ttl: 0 }).then(({ state, reason }) => [state, reason]), ["skipped", "quiet_hours"]);
  const short = await stage.push(app, { to: { users: ["sleeps"] }, category: "follow", ttl: 2 });
  const back = await stage.push(app, { to: { users: ["sleeps"] }, category: "follow" });
  assert.equal((await stage.ask("DELETE", `/v1/push/${back.json.id}`, app.key)).json.counts.cancelled, 1);
  const explained = await stage.ask("POST", "/v1/push:explain", app.key, { to: { users: ["sleeps"] }, category: "follow", notification: { title: "x" } });
  assert.deepEqual([explained.json.deliveries[0].would, explained.json.deliveries[0].until], ["hold", held.until]);
  const ends = (id: string, state: string) =>
    until(async () => {
      const known = (await stage.ask("GET", `/v1/push/${id}`, app.key)).json;
      return known.counts[state] === 1 ? known : undefined;
    }, 110_000);
  assert.equal((await ends(short.json.id, "failed")).deliveries[0].reason, "expired");
  const sent = await ends(push.json.id, "accepted");
  assert.deepEqual(sent.deliveries[0].trace.map((step: any) => step.step), ["held", "sending", "accepted"]);
  const arrived = stage.seen("fcm").filter((seen) => seen.body.message.data.ep_id.startsWith(push.json.id));
  assert.equal(arrived.length, 1);
  assert.ok(Date.parse(arrived[0].at) >= Date.parse(held.until), "not before they end");
  assert.equal((await stage.ask("GET", "/v1/funnel", app.key)).json.balanced, true);
});

test("permission off is not sent to; advice says when to ask, with the reason, and nags nobody", async () => {
  await stage.android(app, "off");
  const report = (permission: string) =>
    stage.must("POST", "/v1/events", app.key, { events: [{ type: "permission", user: "off", device: "off-android", permission }] });
  const advice = async () => (await stage.ask("GET", "/v1/users/off/devices/off-android/advice", app.key)).json;
  await report("granted");
  assert.equal((await advice()).advice, "nothing");
  await report("denied");
  assert.equal((await advice()).advice, "wait");
  for (const category of ["order", "order", "im", "marketing"]) assert.equal((await only("off", category)).reason, "permission_off");
  const yes = await advice();
  assert.deepEqual([yes.advice, yes.reason, yes.missed], ["settings", "2 order messages and 1 chat message missed this week", { im: 1, order: 2 }]);
  assert.equal((await advice()).advice, "settings", "the answer may have been lost");
  await stage.iphone(app, "off");
  const again = (await stage.ask("GET", "/v1/users/off/devices/off-iphone/advice", app.key)).json;
  assert.equal(again.advice, "wait", "not on the user's other phone as well");
  assert.ok(Date.parse(again.again_at) > Date.now() + 6 * 86_400_000);
  assert.equal((await stage.ask("GET", "/v1/users/off/devices/none/advice", app.key)).json.code, "unknown_device");
});

test("health counts devices by vendor and state, and users without one", { timeout: 90_000 }, async () => {
  const own = await stage.app();
  await stage.android(own, "a");
  await stage.iphone(own, "b", "b-iphone", { permission: "denied" });
  const dead = await stage.android(own, "c");
  stage.lab.token("fcm", dead, { state: "unregistered" });
  await stage.push(own, { to: { users: ["c", "nobody", "no one"] }, category: "im" });
  const none = { live: 0, stale: 0, permission_off: 0, dead: 0 };
  const health = await until(async () => {
    const { json } = await stage.ask("GET", "/v1/devices/health", own.key);
    return json.total.live + json.total.permission_off + json.total.dead === 3 ? json : undefined;
  }, 70_000);
  assert.deepEqual(health.vendors, { apns: { ...none, permission_off: 1 }, fcm: { ...none, live: 1, dead: 1 } });
  assert.deepEqual(health.users_without_device.map((day: any) => day.users), [2]);
  assert.deepEqual(health.copies, { state: "ok" });
  assert.deepEqual((await stage.ask("GET", "/v1/users/c", own.key)).json.dead.map((dead: any) => [dead.device, dead.vendor]), [["c-android", "fcm"]]);
});

test("a stale device gets no marketing and everything else", async () => {
  const own = await stage.app({ stale_days: { fcm: 14 } });
  const token = await stage.android(own, "s");
  const kv = await stage.kv("DEVICES");
  const copy = JSON.parse((await kv.get(`user:${own.id}.1:s`)) as string);
  // As src/wire/user/copy.rs writes it: devices, each with the day of its last word at its end, and when it was written.
  copy[0][0][7] -= 15;
  copy[3] = 0;
  await kv.put(`user:${own.id}.1:s`, JSON.stringify(copy));
  const reason = async (category: string) => (await stage.push(own, { to: { users: ["s"] }, category })).json.deliveries[0].reason;
  assert.deepEqual([await reason("marketing"), await reason("follow"), await reason("im")], ["stale", undefined, undefined]);
  assert.ok(token.length > 0);
});

test("erasure leaves nothing of a user: objects, KV, claims, counts, pushes", { timeout: 60_000 }, async () => {
  const own = await stage.app();
  const token = await stage.android(own, "gone", "phone");
  await stage.must("PATCH", "/v1/users/gone", own.key, quiet(30, ["follow"]));
  const held = await stage.push(own, { to: { users: ["gone"] }, category: "follow" });
  assert.equal(held.json.deliveries[0].state, "held");
  const queued = await stage.push(own, { to: { users: ["gone", "stays"] }, send: { at: new Date(Date.now() + 3_600_000).toISOString() } });
  const answer = await stage.ask("DELETE", "/v1/users/gone", own.key);
  assert.deepEqual(answer.json, { user: "gone", devices: 1, preferences: true, claims: 2, copy: answer.json.copy, pushes: 2, pending: answer.json.pending });
  const kv = await stage.kv("DEVICES");
  await until(async () => ((await kv.get(`user:${own.id}.1:gone`)) === null ? true : undefined), 10_000);
  assert.equal((await stage.ask("GET", "/v1/users/gone", own.key)).status, 404);
  await until(async () => ((await stage.ask("DELETE", "/v1/users/gone", own.key)).status === 404 ? true : undefined), 15_000);
  const known = (await stage.ask("GET", `/v1/push/${held.json.id}`, own.key)).json;
  assert.deepEqual([known.deliveries[0].user, known.deliveries[0].state], ["(erased)", "cancelled"]);
  assert.ok(!(await stage.ask("GET", `/v1/push/${queued.json.id}`, own.key)).text.includes("gone"));
  assert.equal((await stage.ask("GET", "/v1/funnel", own.key)).json.balanced, true);
  // Nobody has to be told: the phone is free.
  const began = Date.now();
  await stage.device(own, "next", "phone", { platform: "android", vendor: "fcm", token });
  assert.ok(Date.now() - began < 1_500);
});

test("whenever a user is erased, also while an alarm is on its way, the copy goes and nothing is sent", { timeout: 60_000 }, async () => {
  const own = await stage.app();
  const users = Array.from({ length: 12 }, (_, n) => `racing${n}`);
  const sleep = (ms: number) => new Promise((next) => setTimeout(next, ms));
  // The object looks at its copy five seconds after a change; what comes just before finds its alarm set already.
  await Promise.all(
    users.map(async (user, n) => {
      await stage.android(own, user, `${user}-phone`);
      await sleep(3_800 + n * 130);
      await stage.android(own, user, `${user}-phone`);
      await sleep(150);
      await stage.must("DELETE", `/v1/users/${user}`, own.key);
    }),
  );
  const kv = await stage.kv("DEVICES");
  await until(async () => {
    const left = await Promise.all(users.map((user) => kv.get(`user:${own.id}.1:${user}`)));
    return left.every((copy) => copy === null) ? true : undefined;
  }, 20_000);
  await copiesAreTrusted();
  const push = await stage.push(own, { to: { users } });
  assert.deepEqual(push.json.counts, { skipped: users.length });
  await until(async () => ((await stage.ask("DELETE", "/v1/users/racing0", own.key)).status === 404 ? true : undefined), 15_000);
});

test("KV is written once for a change, and at most once a second and key, the last state always", { timeout: 60_000 }, async () => {
  const puts: { key: string; at: number }[] = [];
  const counted = await Stage.start({
    build: "target/build-test",
    lab: stage.lab,
    log: (line) => {
      if (line.includes('"kv_put"')) puts.push({ key: JSON.parse(line).key, at: Date.now() });
    },
  });
  try {
    const own = await counted.app();
    await counted.android(own, "calm");
    const devices = Array.from({ length: 30 }, (_, n) => `busy${n}`);
    for (const device of devices) {
      await counted.android(own, "busy", device);
      await new Promise((next) => setTimeout(next, 60));
    }
    await new Promise((next) => setTimeout(next, 14_000));
    const of = (user: string) => {
      const key = createHash("sha256").update(`user:${own.id}.1:${user}`).digest("hex");
      return puts.filter((put) => put.key === key).map(({ at }) => at);
    };
    assert.equal(of("calm").length, 1, "also when the object has slept meanwhile");
    const busy = of("busy");
    const gaps = busy.slice(1).map((at, n) => at - busy[n]!);
    assert.ok(busy.length >= 2 && gaps.every((gap) => gap >= 950), `gaps of ${gaps.join(", ")} ms`);
    const kv = await counted.kv("DEVICES");
    const copy = (await kv.get(`user:${own.id}.1:busy`)) as string;
    assert.deepEqual(copied(copy).sort(), devices.sort());
  } finally {
    await counted.stop();
  }
});

test("what a user has wished while KV does not write holds for what was held back before", { timeout: 180_000 }, async () => {
  const poor = await Stage.start({ build: "target/build-test", lab: stage.lab });
  try {
    const own = await poor.app();
    await poor.android(own, "sleeper");
    await poor.must("PATCH", "/v1/users/sleeper", own.key, quiet(new Date().getUTCSeconds() < 30 ? 1 : 2, ["follow"]));
    await copiesAreTrusted();
    const push = await poor.push(own, { to: { users: ["sleeper"] }, category: "follow" });
    assert.equal(push.json.deliveries[0].state, "held");
    await poor.ask("POST", "/__test/kv/refuse");
    await poor.must("PATCH", "/v1/users/sleeper", own.key, { opt_out: { follow: true } });
    const [delivery] = await until(async () => {
      const { deliveries } = (await poor.ask("GET", `/v1/push/${push.json.id}`, own.key)).json;
      return deliveries[0].state === "held" || deliveries[0].state === "sending" ? undefined : deliveries;
    }, 150_000);
    assert.deepEqual([delivery.state, delivery.reason], ["skipped", "opted_out"]);
  } finally {
    await poor.stop();
  }
});

test("while KV does not write, registrations and pushes go on, wishes hold, and health says so", { timeout: 60_000 }, async () => {
  const poor = await Stage.start({ build: "target/build-test", lab: stage.lab });
  try {
    const own = await poor.app();
    await poor.android(own, "known");
    await copiesAreTrusted();
    const ask = async (user: string, category: string) => (await poor.push(own, { to: { users: [user] }, category })).json.deliveries;
    assert.equal((await ask("known", "marketing"))[0].state, "accepted");
    await poor.ask("POST", "/__test/kv/refuse");
    // A new user, another device, and an opt-out: none of them is in KV.
    await poor.android(own, "new");
    await poor.android(own, "known", "second");
    assert.deepEqual((await ask("new", "marketing")).map((d: any) => d.state), ["accepted"]);
    assert.deepEqual((await ask("known", "marketing")).map((d: any) => d.state), ["accepted", "accepted"]);
    await poor.must("PATCH", "/v1/users/known", own.key, { opt_out: { marketing: true } });
    assert.deepEqual((await ask("known", "marketing")).map((d: any) => d.reason), ["opted_out", "opted_out"]);
    const { json } = await poor.ask("GET", "/v1/devices/health", own.key);
    assert.equal(json.copies.state, "refused");
    assert.ok(Date.parse(json.copies.until) > Date.now());
  } finally {
    await poor.stop();
  }
});
