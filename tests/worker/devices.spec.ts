// Devices: registration, refresh, removal; what vendors say of dead tokens.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { after, before, test } from "node:test";
import { killRuntime } from "./crash.ts";
import { type App, Stage, copied, cost, until } from "./stage.ts";

let stage: Stage;
before(async () => {
  stage = await Stage.start();
});
after(() => stage.stop());

const copyOf = async (app: App, user: string) => {
  const kv = await stage.kv("DEVICES");
  const text = await kv.get(`user:${app.id}.1:${user}`);
  return text === null ? undefined : copied(text);
};

test("a device is registered, shown without its token, and removed; KV follows", async () => {
  const app = await stage.app();
  const body = { platform: "android", vendor: "fcm", token: "t0ken:1", permission: "granted", locale: "de-CH" };
  const made = await stage.ask("PUT", "/v1/users/u%2F1/devices/d%201", app.key, body);
  assert.equal(made.status, 201);
  const shown = (await stage.ask("GET", "/v1/users/u%2F1", app.key)).json;
  assert.equal(shown.user, "u/1");
  assert.equal(shown.devices[0].device, "d 1");
  assert.equal(shown.devices[0].locale, "de-CH");
  assert.ok(!JSON.stringify(shown).includes("t0ken"));
  assert.deepEqual(await copyOf(app, "u/1"), ["d 1"]);
  assert.equal((await stage.ask("DELETE", "/v1/users/u%2F1/devices/d%201", app.key)).status, 204);
  await until(async () => ((await copyOf(app, "u/1")) === undefined ? true : undefined));
  const again = await stage.ask("DELETE", "/v1/users/u%2F1/devices/d%201", app.key);
  assert.deepEqual([again.status, again.json.code], [404, "unknown_device"]);
});

test("'still here' costs no row and no KV write", async () => {
  const app = await stage.app();
  const body = { platform: "android", vendor: "fcm", token: "t0ken:1" };
  const first = await stage.ask("PUT", "/v1/users/u/devices/d", app.key, body);
  assert.ok(cost(first).rows_written > 0);
  const kv = await stage.kv("DEVICES");
  await kv.delete(`user:${app.id}.1:u`);
  const second = await stage.ask("PUT", "/v1/users/u/devices/d", app.key, body);
  assert.deepEqual([second.status, cost(second).rows_written], [200, 0]);
  assert.equal(await copyOf(app, "u"), undefined, "nothing wrote the copy again");
});

test("a KV miss asks the object before anyone says unknown", async () => {
  const app = await stage.app();
  await stage.iphone(app, "u");
  await (await stage.kv("DEVICES")).delete(`user:${app.id}.1:u`);
  const answer = await stage.push(app, { to: { users: ["u"] } });
  assert.deepEqual(answer.json.counts, { accepted: 1 });
});

test("64 devices of one user, registered at once, are all there; the next one is refused", async () => {
  const app = await stage.app();
  const name = (n: number) => `d${String(n).padStart(2, "0")}`;
  await Promise.all(Array.from({ length: 64 }, (_, n) => stage.iphone(app, "u", name(n))));
  const all = Array.from({ length: 64 }, (_, n) => name(n));
  assert.deepEqual(await stage.devices(app, "u").then((ids) => ids.sort()), all);
  // KV takes one write per second and key: the first one was alone, the last one follows.
  await until(async () => ((await copyOf(app, "u"))?.length === 64 ? true : undefined), 10_000);
  const body = { platform: "android", vendor: "fcm", token: "t:1" };
  const over = await stage.ask("PUT", "/v1/users/u/devices/one-more", app.key, body);
  assert.deepEqual([over.status, over.json.code], [409, "limit_reached"]);
});

test("a token that the vendor calls dead is removed", async () => {
  const app = await stage.app();
  const apns = await stage.iphone(app, "u");
  const fcm = await stage.android(app, "u");
  stage.lab.token("apns", apns, { state: "unregistered", timestamp: Date.now() + 1_000 });
  stage.lab.token("fcm", fcm, { state: "unregistered" });
  const answer = await stage.push(app, { to: { users: ["u"] } });
  assert.deepEqual(answer.json.deliveries.map((d: any) => [d.state, d.reason]), [
    ["failed", "token_gone"],
    ["failed", "token_gone"],
  ]);
  assert.deepEqual(await stage.devices(app, "u"), []);
  await until(async () => ((await copyOf(app, "u")) === undefined ? true : undefined), 10_000);
});

test("a 410 from before the device's last word removes nothing", async () => {
  const app = await stage.app();
  const token = await stage.iphone(app, "u");
  stage.lab.token("apns", token, { state: "unregistered", timestamp: Date.now() - 60_000 });
  const answer = await stage.push(app, { to: { users: ["u"] } });
  assert.equal(answer.json.deliveries[0].reason, "token_gone");
  assert.deepEqual(await stage.devices(app, "u"), ["u-iphone"]);
});

test("25 single pushes all answered BadDeviceToken remove nothing", async () => {
  const app = await stage.app();
  for (let n = 0; n < 25; n++) {
    const token = await stage.iphone(app, `u${n}`);
    stage.lab.token("apns", token, { state: "alive", environment: "sandbox" });
    const answer = await stage.push(app, { to: { users: [`u${n}`] } });
    assert.deepEqual([answer.json.deliveries[0].reason, answer.json.deliveries[0].detail], ["token_gone", "BadDeviceToken"]);
  }
  for (let n = 0; n < 25; n++) assert.deepEqual(await stage.devices(app, `u${n}`), [`u${n}-iphone`]);
  const kept = (await stage.ask("GET", "/v1/users/u0", app.key)).json.devices[0];
  assert.ok(kept.suspect_since, "it is marked");
});

test("2 of a batch of 25 are removed", async () => {
  const app = await stage.app();
  const users = Array.from({ length: 25 }, (_, n) => `u${n}`);
  for (const [n, user] of users.entries()) {
    const token = await stage.iphone(app, user);
    if (n < 2) stage.lab.token("apns", token, { state: "alive", environment: "sandbox" });
  }
  const answer = await stage.push(app, { to: { users } });
  assert.deepEqual(answer.json.counts, { accepted: 23, failed: 2 });
  assert.deepEqual(await stage.devices(app, "u0"), []);
  assert.deepEqual(await stage.devices(app, "u1"), []);
  assert.deepEqual(await stage.devices(app, "u2"), ["u2-iphone"]);
});

test("if most of a batch is dead at once, even for certain, nothing is removed", async () => {
  const app = await stage.app();
  const users = Array.from({ length: 25 }, (_, n) => `u${n}`);
  for (const user of users) {
    const token = await stage.android(app, user);
    stage.lab.token("fcm", token, { state: "unregistered" });
  }
  const answer = await stage.push(app, { to: { users } });
  assert.deepEqual(answer.json.counts, { failed: 25 });
  for (const user of users) assert.deepEqual(await stage.devices(app, user), [`${user}-android`]);
});

test("a token that was replaced while the push was under way is not removed", async () => {
  const app = await stage.app();
  const token = await stage.android(app, "u");
  stage.lab.token("fcm", token, { state: "unregistered" });
  stage.lab.fault({ vendor: "fcm", match: { token }, do: { delay_ms: 300 } });
  const push = stage.push(app, { to: { users: ["u"] } });
  await new Promise((next) => setTimeout(next, 100));
  await stage.android(app, "u");
  assert.equal((await push).json.deliveries[0].reason, "token_gone");
  assert.deepEqual(await stage.devices(app, "u"), ["u-android"]);
});

test("a call that dies before its copy in KV is written leaves no stale copy behind", { timeout: 120_000 }, async () => {
  const persist = await mkdtemp("target/copies-");
  const dying = await Stage.start({ persist, lab: stage.lab });
  try {
    const app = await dying.app();
    const users = Array.from({ length: 60 }, (_, n) => `u${n}`);
    for (let at = 0; at < users.length; at += 20) await Promise.all(users.slice(at, at + 20).map((user) => dying.iphone(app, user)));
    for (const part of [users.slice(0, 20), users.slice(20, 40), users.slice(40)]) {
      const running = part.map((user) => dying.ask("DELETE", `/v1/users/${user}/devices/${user}-iphone`, app.key).catch(() => undefined));
      await new Promise((next) => setTimeout(next, 8 + Math.random() * 20));
      await killRuntime(dying);
      await Promise.all(running);
    }
    const kv = await dying.kv("DEVICES");
    const stale = async () => {
      const wrong = await Promise.all(
        users.map(async (user) => ((await kv.get(`user:${app.id}.1:${user}`)) !== null) !== ((await dying.devices(app, user)).length > 0)),
      );
      return wrong.filter(Boolean).length;
    };
    await until(async () => ((await stale()) === 0 ? true : undefined), 60_000);
  } finally {
    await dying.stop();
    await rm(persist, { recursive: true, force: true });
  }
});
