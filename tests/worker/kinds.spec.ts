// Apple's other kinds of tokens: calls, Live Activities and the rest, each with its own topic, in both environments. The lab
// checks type, topic, priority and size as Apple does.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { type App, copiesAreTrusted, Stage, until } from "./stage.ts";

let stage: Stage;
before(async () => {
  stage = await Stage.start();
});
after(() => stage.stop());

async function phone(app: App, user: string, kinds: readonly string[], more: object = {}): Promise<Record<string, string>> {
  const tokens: Record<string, string> = {};
  for (const kind of kinds) {
    tokens[kind] = randomBytes(32).toString("hex");
    const activity = kind === "live_activity" ? { activity: "ride-1" } : {};
    const shown = await stage.device(app, user, `${user}/${kind}`, { platform: "ios", vendor: "apns", token: tokens[kind], topic: app.topic, environment: "production", kind, ...activity, ...more });
    assert.equal(shown.kind, kind === "alert" ? undefined : kind);
  }
  return tokens;
}

const seen = () => stage.seen("apns").map(({ path, headers, body, status, host }) => ({ token: path.split("/").at(-1), type: headers["apns-push-type"], topic: headers["apns-topic"], aps: body.aps, status, host }));

test("a push reaches the tokens of its own kind, with the topic of that kind", async () => {
  const app = await stage.app();
  const kinds = ["alert", "voip", "complication", "fileprovider", "location", "pushtotalk", "widgets", "controls"];
  const tokens = await phone(app, "all", kinds);
  const topics: Record<string, string> = { alert: "", voip: ".voip", complication: ".complication", fileprovider: ".pushkit.fileprovider", location: ".location-query", pushtotalk: ".voip-ptt", widgets: ".push-type.widgets", controls: ".push-type.controls" };
  for (const type of kinds) {
    stage.lab.clearLog();
    const answer = await stage.ask("POST", "/v1/push", app.key, { to: { users: ["all"] }, category: "im", type, data: { call: "1" } });
    assert.deepEqual(answer.json.counts, { accepted: 1 }, `${type}: ${answer.text}`);
    const [one, ...more] = seen();
    assert.deepEqual([one!.token, one!.topic, one!.status, more.length], [tokens[type], app.topic + topics[type], 200, 0], type);
  }
  const nobody = await stage.push(app, { to: { users: ["nobody"] }, type: "voip" });
  assert.equal(nobody.json.deliveries[0].reason, "no_device");
});

test("a Live Activity starts, goes on and ends, each by its own token", async () => {
  const app = await stage.app();
  const tokens = await phone(app, "rider", ["live_activity_start", "live_activity"]);
  stage.lab.clearLog();
  const send = (body: object) => stage.ask("POST", "/v1/push", app.key, { to: { users: ["rider"] }, category: "order", ...body });
  const start = await send({ type: "live_activity_start", notification: { title: "Your ride" }, activity: { event: "start", state: { eta: 5 }, attributes_type: "Ride", attributes: { car: "7" } } });
  const update = await send({ type: "live_activity", activity: { event: "update", id: "ride-1", state: { eta: 4 }, stale_at: "2030-01-01T00:00:00Z" } });
  const end = await send({ type: "live_activity", activity: { event: "end", id: "ride-1", state: { eta: 0 }, dismiss_at: "2030-01-01T00:00:00Z" } });
  for (const answer of [start, update, end]) assert.deepEqual(answer.json.counts, { accepted: 1 }, answer.text);
  const log = seen();
  assert.deepEqual(log.map(({ token }) => token), [tokens["live_activity_start"], tokens["live_activity"], tokens["live_activity"]]);
  assert.ok(log.every(({ type, topic, status }) => type === "liveactivity" && topic === `${app.topic}.push-type.liveactivity` && status === 200));
  assert.deepEqual(log.map(({ aps }) => [aps.event, aps["content-state"].eta]), [["start", 5], ["update", 4], ["end", 0]]);
  assert.deepEqual([log[0]!.aps["attributes-type"], log[0]!.aps.alert.title], ["Ride", "Your ride"]);
  assert.deepEqual([log[1]!.aps["stale-date"], log[2]!.aps["dismissal-date"]], [1_893_456_000, 1_893_456_000]);
});

test("of two activities of one user an update reaches the one it names, from the object and from KV", async () => {
  const app = await stage.app();
  const tokens: Record<string, string> = {};
  for (const activity of ["order-1", "order-2"]) {
    tokens[activity] = randomBytes(32).toString("hex");
    const shown = await stage.device(app, "two", `two/${activity}`, { platform: "ios", vendor: "apns", token: tokens[activity], topic: app.topic, kind: "live_activity", activity });
    assert.deepEqual([shown.kind, shown.activity], ["live_activity", activity]);
  }
  await copiesAreTrusted();
  const update = (id: string | undefined, to: object = { users: ["two"] }, category = "order") =>
    stage.ask("POST", "/v1/push", app.key, { to, category, type: "live_activity", activity: { event: "update", ...(id === undefined ? {} : { id }), state: { at: id ?? "?" } } });
  stage.lab.clearLog();
  // `order` asks the user's object, `follow` reads KV.
  for (const category of ["order", "follow"]) assert.deepEqual((await update("order-2", undefined, category)).json.counts, { accepted: 1 });
  assert.deepEqual(seen().map(({ token, aps }) => [token, aps["content-state"].at]), [[tokens["order-2"], "order-2"], [tokens["order-2"], "order-2"]]);
  const none = await update("order-3");
  assert.deepEqual([none.json.deliveries[0].reason, none.json.deliveries[0].detail], ["no_device", "this user has no device for the activity `order-3` on file"]);
  const one = await update(undefined, { devices: [{ user: "two", device: "two/order-1" }] });
  assert.deepEqual([one.json.counts, seen().at(-1)!.token], [{ accepted: 1 }, tokens["order-1"]]);
  await stage.must("DELETE", "/v1/users/two/devices/two%2Forder-1", app.key);
  assert.equal((await update("order-1")).json.deliveries[0].reason, "no_device");
});

test("a start reaches the token of its type of attributes, and one that names none", async () => {
  const app = await stage.app();
  const tokens: Record<string, string> = {};
  for (const activity of ["Ride", "Meal", undefined]) {
    const name = activity ?? "any";
    tokens[name] = randomBytes(32).toString("hex");
    await stage.device(app, "host", `host/${name}`, { platform: "ios", vendor: "apns", token: tokens[name], topic: app.topic, kind: "live_activity_start", ...(activity === undefined ? {} : { activity }) });
  }
  stage.lab.clearLog();
  const answer = await stage.push(app, { to: { users: ["host"] }, category: "order", type: "live_activity_start", activity: { event: "start", state: {}, attributes_type: "Ride", attributes: {} } });
  assert.deepEqual(answer.json.counts, { accepted: 2 }, answer.text);
  assert.deepEqual(seen().map(({ token }) => token).sort(), [tokens["Ride"], tokens["any"]].sort());
});

test("an end that was planned for later is newer than an update that went out meanwhile", async () => {
  const app = await stage.app();
  await phone(app, "later", ["live_activity"]);
  stage.lab.clearLog();
  const at = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 2_000);
  const push = (event: string, more: object = {}) =>
    stage.ask("POST", "/v1/push", app.key, { to: { users: ["later"] }, category: "order", type: "live_activity", activity: { event, id: "ride-1", state: {} }, ...more });
  const end = await push("end", { send: { at: at.toISOString() } });
  assert.equal(end.status, 202, end.text);
  await new Promise((next) => setTimeout(next, 1_100));
  assert.deepEqual((await push("update")).json.counts, { accepted: 1 });
  const log = await until(() => (seen().length === 2 ? seen() : undefined), 70_000);
  assert.deepEqual(log.map(({ aps }) => aps.event), ["update", "end"]);
  assert.ok(log[0]!.aps.timestamp < log[1]!.aps.timestamp);
  assert.equal(log[1]!.aps.timestamp, at.getTime() / 1_000);
});

test("calls and background pushes do not ask for permission to show notifications", async () => {
  const app = await stage.app();
  await phone(app, "off", ["alert", "voip", "widgets", "live_activity"], { permission: "denied" });
  const send = (body: object) => stage.ask("POST", "/v1/push", app.key, { to: { users: ["off"] }, category: "im", ...body });
  stage.lab.clearLog();
  for (const body of [
    { type: "voip", data: { call: "1" } },
    { data: { sync: "inbox" } },
    { type: "widgets" },
    { type: "live_activity", activity: { event: "update", id: "ride-1", state: {} } },
  ]) {
    const answer = await send(body);
    assert.deepEqual(answer.json.counts, { accepted: 1 }, answer.text);
  }
  const [call] = stage.seen("apns");
  const expires = Number(call.headers["apns-expiration"]) - Date.now() / 1_000;
  assert.ok(expires > 20 && expires <= 31, `a call is worth 30 seconds: ${expires}`);
  assert.deepEqual(seen().map(({ type }) => type), ["voip", "background", "widgets", "liveactivity"]);
  const shown = await send({ notification: { title: "t" } });
  assert.deepEqual([shown.json.deliveries[0].state, shown.json.deliveries[0].reason], ["skipped", "permission_off"]);
});

test("sandbox and production stand side by side, for every kind", async () => {
  const app = await stage.app();
  await phone(app, "both", ["alert", "voip"]);
  await phone(app, "dev", ["alert", "voip"], { environment: "sandbox" });
  stage.lab.clearLog();
  const answer = await stage.push(app, { to: { users: ["both", "dev"] }, category: "im", type: "voip" });
  assert.deepEqual(answer.json.counts, { accepted: 2 });
  assert.deepEqual(seen().map(({ host }) => host).sort(), ["api.push.apple.com", "api.sandbox.push.apple.com"]);
});

test("what a type does not take is refused, and nothing is sent", async () => {
  const app = await stage.app();
  stage.lab.clearLog();
  for (const [body, code, pointer] of [
    [{ type: "pigeon" }, "invalid_value", "/type"],
    [{ type: "live_activity" }, "missing_field", "/activity"],
    [{ type: "live_activity", activity: { event: "update", state: {} } }, "missing_field", "/activity/id"],
    [{ type: "live_activity", activity: { event: "update", id: "a", state: {}, dismiss_at: "2030-01-01T00:00:00Z" } }, "invalid_value", "/activity/dismiss_at"],
    [{ type: "live_activity", activity: { event: "end", id: "a", state: {} }, options: { apns: { headers: { "apns-priority": "1" } } } }, "invalid_value", "/options/apns/headers/apns-priority"],
    [{ type: "widgets", notification: { title: "x" } }, "invalid_value", "/notification"],
  ] as const) {
    const answer = await stage.ask("POST", "/v1/push", app.key, { to: { users: ["u"] }, ...body });
    assert.deepEqual([answer.status, answer.json.code, answer.json.pointer], [400, code, pointer]);
  }
  const device = await stage.ask("PUT", "/v1/users/u/devices/d", app.key, { platform: "android", vendor: "fcm", token: "a:b", kind: "voip" });
  assert.deepEqual([device.status, device.json.pointer], [400, "/kind"]);
  assert.equal(stage.seen("apns").length, 0);
});
