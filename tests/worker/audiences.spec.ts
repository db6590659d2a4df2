// Audiences: stored lists of users, uploaded line by line, and pushes to them.

import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { type App, Stage, cost, sentTo, until } from "./stage.ts";

let stage: Stage;
let app: App;
before(async () => {
  stage = await Stage.start();
  app = await stage.app();
});
after(() => stage.stop());

const put = (id: string, body: string | Uint8Array, key = app.key) => stage.ask("PUT", `/v1/audiences/${id}`, key, body, { "content-type": "text/plain" });
const get = (id: string, key = app.key) => stage.ask("GET", `/v1/audiences/${id}`, key);

test("100,000 users are uploaded in few rows", async () => {
  const body = Array.from({ length: 100_000 }, (_, n) => `customer-${n}`).join("\n");
  const answer = await put("all", body);
  assert.deepEqual([answer.status, answer.json.users, answer.json.bad_lines], [200, 100_000, 0]);
  assert.ok(cost(answer).rows_written <= 110, `${cost(answer).rows_written} rows`);
  const known = (await get("all")).json;
  assert.deepEqual([known.audience, known.users, known.version], ["all", 100_000, 1]);
  const days = (Date.parse(known.expires_at) - Date.parse(known.created_at)) / 86_400_000;
  assert.equal(days, 30);
});

test("bad lines are told with their numbers, JSON and plain lines are read, and the rest is kept", async () => {
  const answer = await put("mixed", 'u1\r\n"u 2"\n..\n\n{"user":"u3"}\n{"usr":"u4"}\nlast');
  assert.deepEqual([answer.json.users, answer.json.bad_lines], [4, 2]);
  assert.deepEqual(answer.json.errors.map((error: any) => error.line), [3, 6]);
});

test("an upload that breaks off changes nothing", async () => {
  await put("kept", "a\nb\nc");
  const { port, hostname } = new URL(stage.url);
  await new Promise<void>((done) => {
    const socket = connect(Number(port), hostname, () => {
      socket.write(`PUT /v1/audiences/kept HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${app.key}\r\ncontent-length: 1000000\r\n\r\n`);
      socket.write("x\n".repeat(5_000));
      setTimeout(() => socket.destroy(), 300);
    });
    socket.on("close", () => done());
    socket.on("error", () => {});
  });
  await new Promise((next) => setTimeout(next, 300));
  assert.deepEqual([(await get("kept")).json.users, (await get("kept")).json.version], [3, 1]);
});

test("a push to an audience reaches each of its users once, and the version it began with", async () => {
  const users = Array.from({ length: 1_250 }, (_, n) => `spring ${n}`);
  await stage.copies(app, users);
  await put("spring", users.map((user) => JSON.stringify(user)).join("\n"));
  stage.lab.clearLog();
  const at = new Date(Date.now() + 1_500).toISOString();
  const push = await stage.push(app, { to: { audience: "spring" }, send: { at }, campaign: "spring" });
  assert.deepEqual([push.status, push.json.counts], [202, { queued: 1_250 }]);
  await put("spring", "somebody else");
  const done = await until(async () => {
    const { json } = await stage.ask("GET", `/v1/push/${push.json.id}`, app.key);
    return json.percent === 100 ? json : undefined;
  }, 30_000);
  assert.deepEqual(done.counts, { accepted: 1_250 });
  assert.equal(new Set(stage.seen("apns").map(sentTo)).size, 1_250);
  const funnel = (await stage.ask("GET", "/v1/funnel?by=campaign", app.key)).json;
  assert.equal(funnel.balanced, true);
  assert.equal(funnel.groups.find((group: any) => group.key === "spring").requested, 1_250);
});

test("an audience is removed, unknown to other apps, and needs the scope", async () => {
  await put("mine", "a");
  const other = await stage.app();
  assert.deepEqual((await get("mine", other.key)).json.code, "unknown_audience");
  assert.equal((await stage.push(other, { to: { audience: "mine" } })).json.code, "unknown_audience");
  const { key } = (await stage.ask("POST", `/v1/apps/${app.id}/keys`, app.key, { scopes: ["read"] })).json;
  assert.equal((await put("mine", "b", key)).json.code, "missing_scope");
  assert.equal((await stage.ask("DELETE", "/v1/audiences/mine", app.key)).status, 204);
  assert.equal((await get("mine")).status, 404);
  assert.equal((await stage.ask("DELETE", "/v1/audiences/mine", app.key)).status, 404);
  assert.equal((await put("a%20b", "a")).json.code, "invalid_id");
});

test("explain takes an audience's first users", async () => {
  await put("few", "nobody\nno one");
  const answer = await stage.ask("POST", "/v1/push:explain", app.key, { to: { audience: "few" }, notification: { title: "t" } });
  assert.deepEqual(answer.json.deliveries.map((delivery: any) => [delivery.user, delivery.reason]), [["nobody", "no_device"], ["no one", "no_device"]]);
});
