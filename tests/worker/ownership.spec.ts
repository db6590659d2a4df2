// One owner: a device id belongs to one user, a token to one device, in every order of events; and what is for one user's eyes
// reaches no phone that has changed hands.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { after, before, test } from "node:test";
import { startLab } from "../lab/lab.ts";
import { killRuntime } from "./crash.ts";
import { Moves } from "./moves.ts";
import { type App, Stage, copied, copiesAreTrusted, cost, sentTo, until } from "./stage.ts";

let stage: Stage;
before(async () => {
  stage = await Stage.start();
});
after(() => stage.stop());

const owners = async (on: Stage, app: App, users: readonly string[]): Promise<Map<string, string[]>> => {
  const all = new Map<string, string[]>();
  for (const user of users) {
    for (const device of await on.devices(app, user)) all.set(device, [...(all.get(device) ?? []), user]);
  }
  return all;
};

test("1,000 racing moves with kills in between: one owner each, KV agrees, nothing strays", { timeout: 300_000 }, async () => {
  const persist = await mkdtemp("target/moves-");
  const lab = await startLab({ settings: { log_size: 200_000 } });
  const racing = await Stage.start({ persist, lab });
  try {
    const app = await racing.app();
    const users = Array.from({ length: 8 }, (_, n) => `user${n}`);
    const phones = Array.from({ length: 40 }, (_, n) => `phone${n}`);
    const moves = new Moves(racing, app, phones);
    let over = false;
    const pick = <T>(from: readonly T[]): T => from[Math.floor(Math.random() * from.length)] as T;
    const movers = Array.from({ length: 120 }, async () => {
      while (moves.acknowledged < 1_000) await moves.move(pick(phones), pick(users));
    });
    const pushers = users.map(async (user) => {
      while (!over) {
        const data = { for: user };
        await racing.push(app, { to: { users: [user] }, category: "im", data, on_unknown: "keep" }).catch(() => undefined);
        await new Promise((next) => setTimeout(next, 100));
      }
    });
    let kills = 0;
    const killer = (async () => {
      for (const after of [150, 350, 550, 750]) {
        await until(() => (moves.acknowledged >= after ? true : undefined), 120_000);
        await killRuntime(racing);
        kills += 1;
      }
    })();
    await Promise.all([...movers, killer]);
    over = true;
    await Promise.all(pushers);
    const arrived = racing.seen("fcm").filter((seen) => seen.body.message.data?.for !== undefined).length;
    assert.equal(kills, 4);
    assert.ok(arrived > 50, `${arrived} messages arrived: too few to say anything`);
    assert.deepEqual(moves.strayed(), []);
    // Whatever was interrupted is carried on by the objects' alarms.
    await until(async () => {
      const all = await owners(racing, app, users);
      return phones.every((phone) => all.get(phone)?.length === 1) ? true : undefined;
    }, 90_000);
    const kv = await racing.kv("DEVICES");
    await until(async () => {
      for (const user of users) {
        const copy = await kv.get(`user:${app.id}.1:${user}`);
        const names = copy === null ? [] : copied(copy);
        if (names.join() !== (await racing.devices(app, user)).join()) return undefined;
      }
      return true;
    }, 60_000);
    // And a push to everybody reaches every phone once.
    lab.clearLog();
    const last = await racing.push(app, { to: { users }, category: "im" });
    assert.equal(last.json.counts.accepted, phones.length, last.text);
    // Chance may have left somebody without a phone.
    assert.ok(last.json.deliveries.every(({ state, reason }: any) => state === "accepted" || reason === "no_device"), last.text);
    const reached = racing.seen("fcm").map((seen) => moves.phones.get(sentTo(seen)));
    assert.deepEqual(reached.sort(), [...phones].sort());
  } finally {
    await racing.stop();
    await lab.close();
    await rm(persist, { recursive: true, force: true });
  }
});

test("a stale copy in KV leads no message of one user to a phone that is another's by now", async () => {
  const app = await stage.app();
  const kv = await stage.kv("DEVICES");
  const token = await stage.android(app, "old", "phone");
  const key = `user:${app.id}.1:old`;
  const stale = (await kv.get(key)) as string;
  await stage.device(app, "new", "phone", { platform: "android", vendor: "fcm", token });
  assert.deepEqual([await stage.devices(app, "old"), await stage.devices(app, "new")], [[], ["phone"]]);
  await kv.put(key, stale);
  await copiesAreTrusted();
  stage.lab.clearLog();
  for (const category of ["im", "order"]) {
    const answer = await stage.push(app, { to: { users: ["old"] }, category });
    assert.deepEqual(answer.json.deliveries.map((d: any) => d.reason), ["no_device"], category);
  }
  assert.equal(stage.seen("fcm").length, 0);
  // What is open to anyone on the phone goes by the copy, and says so to the app.
  await stage.push(app, { to: { users: ["old"] }, category: "marketing" });
  assert.equal(stage.seen("fcm")[0].body.message.data.ep_guard, "open");
});

test("a message that was looked up before a move and has not left is not sent after it", { timeout: 30_000 }, async () => {
  const app = await stage.app();
  const token = await stage.android(app, "before", "shared");
  // The access token takes so long that the lookup no longer holds.
  stage.lab.fault({ vendor: "google_oauth", do: { delay_ms: 5_000 } });
  stage.lab.clearLog();
  const push = stage.push(app, { to: { users: ["before"] }, category: "im" });
  await until(() => (stage.seen("google_oauth").length > 0 ? true : undefined));
  const began = Date.now();
  await stage.device(app, "after", "shared", { platform: "android", vendor: "fcm", token });
  const took = Date.now() - began;
  assert.ok(took > 500 && took < 4_500, `the move waited ${took} ms for what had been let through`);
  const [delivery] = (await push).json.deliveries;
  assert.deepEqual([delivery.state, delivery.reason], ["skipped", "no_device"]);
  assert.equal(stage.seen("fcm").length, 0);
});

test("a token that another device registers moves there, also within one user", async () => {
  const app = await stage.app();
  const token = await stage.android(app, "u", "first");
  await stage.device(app, "u", "second", { platform: "android", vendor: "fcm", token });
  assert.deepEqual(await stage.devices(app, "u"), ["second"]);
  await stage.device(app, "v", "third", { platform: "android", vendor: "fcm", token });
  assert.deepEqual([await stage.devices(app, "u"), await stage.devices(app, "v")], [[], ["third"]]);
});

test("log-out detaches, and the phone is free for the next user", async () => {
  const app = await stage.app();
  const token = await stage.android(app, "leaves", "phone");
  assert.equal((await stage.ask("DELETE", "/v1/users/leaves/devices/phone", app.key)).status, 204);
  const answer = await stage.push(app, { to: { users: ["leaves"] }, category: "im" });
  assert.equal(answer.json.deliveries[0].reason, "no_device");
  await stage.device(app, "comes", "phone", { platform: "android", vendor: "fcm", token });
  assert.deepEqual(await stage.devices(app, "comes"), ["phone"]);
});

test("a new device costs its rows once, a known one none", async () => {
  const app = await stage.app();
  const body = { platform: "android", vendor: "fcm", token: "t:1" };
  const put = async (device: string, token: string) => cost(await stage.ask("PUT", `/v1/users/u/devices/${device}`, app.key, { ...body, token }));
  const first = await put("a", "t:1");
  assert.ok(first.rows_written <= 12, `${first.rows_written} rows for the first device, tables of three new objects included`);
  const second = await put("b", "t:2");
  assert.ok(second.rows_written <= 9, `${second.rows_written} rows for another one`);
  assert.deepEqual([first.object_calls, (await put("b", "t:2")).rows_written], [1, 0]);
});
