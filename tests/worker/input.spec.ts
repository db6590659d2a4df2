// Bad input: each kind has its own code and pointer, nothing is sent and nothing stored.

import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, test } from "node:test";
import { ADMIN_KEY, type App, Stage, cost } from "./stage.ts";

let stage: Stage;
let app: App;
before(async () => {
  stage = await Stage.start();
  app = await stage.app();
  await stage.iphone(app, "u");
});
after(() => stage.stop());

const push = (body: unknown) => stage.ask("POST", "/v1/push", app.key, body);
const fine = { to: { users: ["u"] }, notification: { title: "t" } };

test("every fault of a push has its code and pointer, and nothing is sent", async () => {
  stage.lab.clearLog();
  const text = (more: string) => `{"to":{"users":["u"]},"notification":{"title":"t"}${more}}`;
  const cases: [unknown, number, string, string | undefined][] = [
    [text(`,"titel":1`), 400, "unknown_field", "/titel"],
    [text(`,"ttl":1,"ttl":2`), 400, "duplicate_field", "/ttl"],
    [text(`,"ttl":"1"`), 400, "wrong_type", "/ttl"],
    [text(`,"ttl":2592001`), 400, "invalid_value", "/ttl"],
    [text(`,"data":{"a":1}`), 400, "wrong_type", "/data/a"],
    [text(`,"data":{"google.x":"1"}`), 400, "reserved_name", "/data/google.x"],
    [text(`,"collapse":"a\\u0007"`), 400, "invalid_characters", "/collapse"],
    [text(`,"options":{"fcm":{"topic":"all"}}`), 400, "invalid_value", "/options/fcm/topic"],
    [text(`,"options":{"apns":{"headers":{"authorization":"x"}}}`), 400, "invalid_value", "/options/apns/headers/authorization"],
    [text(`,"send":"best"`), 501, "not_supported", "/send"],
    [text(`,"send":{"at":"soon"}`), 400, "invalid_value", "/send/at"],
    [text(`,"wait":0`), 400, "wrong_type", "/wait"],
    ["{", 400, "invalid_json", undefined],
    ["", 400, "invalid_json", undefined],
    ["[".repeat(5000), 400, "invalid_json", undefined],
    [Buffer.from([0x7b, 0xff, 0x7d]), 400, "invalid_utf8", undefined],
    [{ notification: { title: "t" } }, 400, "missing_field", "/to"],
    [{ ...fine, to: {} }, 400, "no_targets", "/to"],
    [{ ...fine, to: { users: [] } }, 400, "no_targets", "/to"],
    [{ ...fine, to: { users: [".."] } }, 400, "invalid_id", "/to/users/0"],
    [{ ...fine, to: { users: ["a\u0000"] } }, 400, "invalid_characters", "/to/users/0"],
    [{ ...fine, to: { tokens: [{ vendor: "apns", token: "aa/../bb" }] } }, 400, "invalid_token", "/to/tokens/0/token"],
    [{ ...fine, to: { tokens: [{ vendor: "fcm", token: "../x" }] } }, 400, "invalid_token", "/to/tokens/0/token"],
    [{ ...fine, to: { users: Array.from({ length: 10_001 }, (_, n) => `u${n}`) } }, 400, "too_many_targets", "/to"],
    [{ ...fine, notification: { title: "t", link: "javascript:alert(1)" } }, 400, "link_not_allowed", "/notification/link"],
    [{ ...fine, notification: { title: "a\nb" } }, 400, "invalid_characters", "/notification/title"],
    ["x".repeat(2 * 1024 * 1024 + 1), 413, "body_too_large", undefined],
  ];
  for (const [body, status, code, pointer] of cases) {
    const answer = await push(body);
    const what = `${String(body).slice(0, 90)} → ${answer.text}`;
    assert.equal(answer.status, status, what);
    assert.equal(answer.headers.get("content-type"), "application/problem+json", what);
    assert.deepEqual([answer.json.code, answer.json.pointer, answer.json.status], [code, pointer, status], what);
    assert.ok(answer.json.detail.length > 10, what);
  }
  assert.equal(stage.seen().length, 0);
});

test("a body of unknown length is read up to the limit", async () => {
  // Its own connection: the runtime closes it on whoever still writes what is not read.
  const send = (bytes: number) =>
    new Promise<{ code: string }>((resolve, reject) => {
      const headers = { authorization: `Bearer ${app.key}`, "transfer-encoding": "chunked" };
      const sent = request(`${stage.url}/v1/push`, { method: "POST", agent: false, headers }, (response) => {
        const pieces: Buffer[] = [];
        response.on("data", (piece: Buffer) => pieces.push(piece));
        response.on("end", () => resolve(JSON.parse(Buffer.concat(pieces).toString()) as { code: string }));
        sent.removeAllListeners("error").on("error", () => {});
      });
      sent.on("error", reject);
      for (let left = bytes; left > 0; left -= 65536) sent.write(Buffer.alloc(Math.min(left, 65536), 32));
      sent.end();
    });
  assert.equal((await send(3 * 1024 * 1024)).code, "body_too_large");
  assert.equal((await send(1000)).code, "invalid_json");
});

test("keys that are not good are refused alike", async () => {
  const other = `${app.key.slice(0, -1)}${app.key.endsWith("a") ? "b" : "a"}`;
  for (const key of [undefined, "", other, "epk_nobody_aaaaaaaa", "epk_", ADMIN_KEY, "x"]) {
    const answer = await stage.ask("POST", "/v1/push", key, fine);
    assert.deepEqual([answer.status, answer.json.code], [401, "unauthorized"], String(key));
    assert.equal(answer.headers.get("www-authenticate"), "Bearer");
  }
});

test("a key of an app that does not exist costs one question and writes nothing", async () => {
  const key = `epk_nobody-${Date.now().toString(36)}_aaaaaaaa`;
  const first = await stage.ask("GET", "/v1/users/u", key);
  assert.equal(first.status, 401);
  assert.deepEqual(cost(first), { kv_reads: 1, object_calls: 1, rows_written: 0, fetches: 0 });
  const second = await stage.ask("GET", "/v1/users/u", key);
  assert.deepEqual(cost(second), { kv_reads: 0, object_calls: 0, rows_written: 0, fetches: 0 });
});

test("a push to users who do not exist writes its own row, and none for them", async () => {
  const spent = async (user: string) => cost(await push({ ...fine, to: { users: [`${user}1`, `${user}2`] } }));
  // Every ledger makes its tables with its first push.
  for (let n = 0; n < 40; n++) await spent("nobody");
  assert.deepEqual(await spent("nobody at all"), { kv_reads: 2, object_calls: 3, rows_written: 1, fetches: 0 });
});

test("bad registrations have their code, and nothing is stored", async () => {
  const put = (path: string, body: unknown) => stage.ask("PUT", path, app.key, body);
  const good = { platform: "android", vendor: "fcm", token: "abc" };
  for (const [path, body, code, pointer] of [
    ["/v1/users/x/devices/d", { ...good, token: "a/b" }, "invalid_token", "/token"],
    ["/v1/users/x/devices/d", { ...good, token: "a\u0000" }, "invalid_token", "/token"],
    ["/v1/users/x/devices/d", { ...good, vendor: "mars" }, "invalid_value", "/vendor"],
    ["/v1/users/x/devices/d", { ...good, platform: "ios", vendor: "apns" }, "invalid_token", "/token"],
    ["/v1/users/x/devices/d", { ...good, extra: 1 }, "unknown_field", "/extra"],
    ["/v1/users/x/devices/%2e%2e%2f", good, undefined, undefined],
    ["/v1/users/x/devices/%00", good, "invalid_characters", undefined],
    [`/v1/users/${"x".repeat(129)}/devices/d`, good, "invalid_id", undefined],
    ["/v1/users/%ff/devices/d", good, "invalid_id", undefined],
    ["/v1/users/x/devices/d", "x".repeat(17 * 1024), "body_too_large", undefined],
  ] as const) {
    const answer = await put(path, body);
    if (code === undefined) {
      assert.equal(answer.status, 201, "`../` in one segment is an id like any other");
      continue;
    }
    assert.deepEqual([answer.json.code, answer.json.pointer], [code, pointer], `${path} ${answer.text}`);
  }
  assert.deepEqual(await stage.devices(app, "x"), ["../"]);
});

test("unknown routes and methods", async () => {
  assert.equal((await stage.ask("GET", "/v1/nothing")).json.code, "not_found");
  const answer = await stage.ask("GET", "/v1/push");
  assert.deepEqual([answer.status, answer.json.code, answer.headers.get("allow")], [405, "method_not_allowed", "POST"]);
  assert.equal((await stage.ask("POST", "/__test/panic")).status, 404, "a production build has no test hooks");
});

test("healthz and the contract are open", async () => {
  const health = await stage.ask("GET", "/healthz");
  assert.deepEqual([health.status, health.json.status], [200, "ok"]);
  const contract = await stage.ask("GET", "/openapi.json");
  assert.match(contract.json.openapi, /^3\.1/);
  assert.ok(contract.json.paths["/v1/push"].post);
});
