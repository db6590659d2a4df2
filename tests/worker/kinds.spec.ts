// Apple's other kinds of tokens: calls, Live Activities and the rest, each with its own topic, in both environments. The lab
// checks type, topic, priority and size as Apple does.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { type App, Stage } from "./stage.ts";

let stage: Stage;
before(async () => {
  stage = await Stage.start();
});
after(() => stage.stop());

async function phone(app: App, user: string, kinds: readonly string[], environment = "production"): Promise<Record<string, string>> {
  const tokens: Record<string, string> = {};
  for (const kind of kinds) {
    tokens[kind] = randomBytes(32).toString("hex");
    const shown = await stage.device(app, user, `${user}/${kind}`, { platform: "ios", vendor: "apns", token: tokens[kind], topic: app.topic, environment, kind });
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
  const update = await send({ type: "live_activity", activity: { event: "update", state: { eta: 4 }, stale_at: "2030-01-01T00:00:00Z" } });
  const end = await send({ type: "live_activity", activity: { event: "end", state: { eta: 0 }, dismiss_at: "2030-01-01T00:00:00Z" } });
  for (const answer of [start, update, end]) assert.deepEqual(answer.json.counts, { accepted: 1 }, answer.text);
  const log = seen();
  assert.deepEqual(log.map(({ token }) => token), [tokens["live_activity_start"], tokens["live_activity"], tokens["live_activity"]]);
  assert.ok(log.every(({ type, topic, status }) => type === "liveactivity" && topic === `${app.topic}.push-type.liveactivity` && status === 200));
  assert.deepEqual(log.map(({ aps }) => [aps.event, aps["content-state"].eta]), [["start", 5], ["update", 4], ["end", 0]]);
  assert.deepEqual([log[0]!.aps["attributes-type"], log[0]!.aps.alert.title], ["Ride", "Your ride"]);
  assert.deepEqual([log[1]!.aps["stale-date"], log[2]!.aps["dismissal-date"]], [1_893_456_000, 1_893_456_000]);
});

test("sandbox and production stand side by side, for every kind", async () => {
  const app = await stage.app();
  await phone(app, "both", ["alert", "voip"]);
  await phone(app, "dev", ["alert", "voip"], "sandbox");
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
    [{ type: "widgets", notification: { title: "x" } }, "invalid_value", "/notification"],
  ] as const) {
    const answer = await stage.ask("POST", "/v1/push", app.key, { to: { users: ["u"] }, ...body });
    assert.deepEqual([answer.status, answer.json.code, answer.json.pointer], [400, code, pointer]);
  }
  const device = await stage.ask("PUT", "/v1/users/u/devices/d", app.key, { platform: "android", vendor: "fcm", token: "a:b", kind: "voip" });
  assert.deepEqual([device.status, device.json.pointer], [400, "/kind"]);
  assert.equal(stage.seen("apns").length, 0);
});
