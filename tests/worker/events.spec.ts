// What apps report of messages: found, counted once, and of their own users only.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type App, Stage } from "./stage.ts";

let stage: Stage;
before(async () => {
  stage = await Stage.start();
});
after(() => stage.stop());

const deliveries = async (app: App, push: string) => (await stage.must("GET", `/v1/push/${push}`, app.key)).deliveries;
const stages = async (app: App) => {
  const { total, balanced } = await stage.must("GET", "/v1/funnel", app.key);
  assert.equal(balanced, true);
  return Object.fromEntries(total.stages.map((one: any) => [one.stage, one]));
};

test("an app reports what was received, shown, dismissed and tapped, of its own user's messages only", async () => {
  const app = await stage.app();
  await stage.iphone(app, "u");
  await stage.android(app, "u");
  const push = await stage.push(app, { to: { users: ["u"] } });
  const id = (n: number) => `${push.json.id}.${n}`;
  const events = (list: object[]) => stage.ask("POST", "/v1/events", app.key, { events: list });
  const answer = await events([
    { type: "received", user: "u", id: id(0) },
    { type: "dismissed", user: "u", id: id(1) },
    { type: "clicked", user: "u", id: id(0), device: push.json.deliveries[0].device },
    { type: "clicked", user: "somebody-else", id: id(0) },
    { type: "shown", user: "u", id: "01ARYZ6S410000000000000000.0" },
    { type: "clicked", user: "u", id: id(0), device: "no-such-device" },
  ]);
  assert.deepEqual([answer.status, answer.json], [200, { taken: 3, unknown: 3 }], answer.text);
  assert.deepEqual((await deliveries(app, push.json.id)).map((delivery: any) => delivery.seen), ["clicked", "shown"]);
  const { received, shown, clicked } = await stages(app);
  assert.deepEqual([received.in, shown.in, clicked.in, clicked.out, clicked.under_way], [2, 2, 2, 1, 1]);
  const bad = await events([{ type: "clicked", user: "u", id: "x" }]);
  assert.deepEqual([bad.status, bad.json.code, bad.json.pointer], [400, "invalid_id", "/events/0/id"]);
});

test("an event that names no device of two in one list is nobody's", async () => {
  const app = await stage.channels();
  for (const phone of ["one", "two"]) await stage.device(app, "twice", `twice-${phone}`, { platform: "android", vendor: "xiaomi", token: `xiaomi-twice-${phone}` });
  const push = await stage.push(app, { to: { users: ["twice"] }, category: "im" });
  assert.deepEqual(push.json.counts, { accepted: 2 }, push.text);
  const event = { type: "clicked", user: "twice", id: `${push.json.id}.0` };
  const nameless = await stage.ask("POST", "/v1/events", app.key, { events: [event] });
  assert.deepEqual(nameless.json, { taken: 0, unknown: 1 });
  const named = await stage.ask("POST", "/v1/events", app.key, { events: [{ ...event, device: "twice-two" }] });
  assert.deepEqual(named.json, { taken: 1, unknown: 0 });
  const seen = (await deliveries(app, push.json.id)).map(({ device, seen }: any) => [device, seen]);
  assert.deepEqual(seen, [["twice-one", undefined], ["twice-two", "clicked"]]);
});

test("a phone that reports first ends the retries: nothing rings twice", async () => {
  const app = await stage.app();
  const token = await stage.iphone(app, "quick");
  stage.lab.fault({ vendor: "apns", match: { token }, do: { status: 503, body: "" } });
  const push = await stage.push(app, { to: { users: ["quick"] }, category: "im" });
  assert.deepEqual(push.json.counts, { retrying: 1 }, push.text);
  const answer = await stage.ask("POST", "/v1/events", app.key, { events: [{ type: "shown", user: "quick", id: `${push.json.id}.0` }] });
  assert.equal(answer.json.taken, 1);
  const [delivery] = await deliveries(app, push.json.id);
  assert.deepEqual([delivery.state, delivery.seen], ["accepted", "shown"]);
  await new Promise((next) => setTimeout(next, 4_000));
  assert.equal(stage.seen("apns").filter(({ path }) => path.endsWith(token)).length, 1);
});
