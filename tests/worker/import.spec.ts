// Import: any number of lines, a result per line, and again from anywhere.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type App, Stage } from "./stage.ts";

let stage: Stage;
let app: App;
before(async () => {
  stage = await Stage.start();
  app = await stage.app();
});
after(() => stage.stop());

const line = (n: number, more: object = {}) =>
  JSON.stringify({ user: `u${n % 100}`, device: `d${n}`, platform: "android", vendor: "fcm", token: `t${n}:x`, ...more });

async function run(text: string, query = ""): Promise<{ results: any[]; sum: any }> {
  const answer = await stage.ask("POST", `/v1/users:import${query}`, app.key, text);
  assert.equal(answer.status, 200, answer.text);
  const lines = answer.text.trimEnd().split("\n").map((line) => JSON.parse(line));
  const sum = lines.pop();
  assert.equal(sum.done, true);
  return { results: lines, sum };
}

test("1,000 lines are registered, each has its result in order, and again they cost nothing", { timeout: 120_000 }, async () => {
  const text = Array.from({ length: 1_000 }, (_, n) => line(n)).join("\n");
  const first = await run(text);
  assert.deepEqual(first.results.map((result) => result.line), Array.from({ length: 1_000 }, (_, n) => n + 1));
  assert.deepEqual([first.sum.lines, first.sum.created, first.sum.failed], [1_000, 1_000, 0]);
  assert.ok(first.sum.rows_written <= 9.5 * 1_000, `${first.sum.rows_written} rows for 1,000 devices of 100 users`);
  const again = await run(text);
  assert.deepEqual([again.sum.unchanged, again.sum.rows_written], [1_000, 0]);
  const rest = await run(text, "?from=991");
  assert.deepEqual(rest.results, Array.from({ length: 10 }, (_, n) => ({ line: 991 + n, status: "unchanged" })));
  const user = (await stage.ask("GET", "/v1/users/u7", app.key)).json;
  assert.deepEqual([user.devices.length, user.devices[0].source], [10, "import"]);
});

test("bad lines are told by number, code and pointer, and stop nothing", async () => {
  const bad: [string, string, string | undefined][] = [
    ["no json", "invalid_json", undefined],
    ["[]", "wrong_type", ""],
    [line(1, { user: undefined }), "missing_field", "/user"],
    [line(1, { device: "x".repeat(129) }), "invalid_id", "/device"],
    [line(1, { token: "a b" }), "invalid_token", "/token"],
    [line(1, { vendor: "mars" }), "invalid_value", "/vendor"],
    [line(1, { time_zone: "Mars/Base" }), "invalid_value", "/time_zone"],
    [line(1, { locale: "de_CH" }), "invalid_value", "/locale"],
    [line(1, { colour: "red" }), "unknown_field", "/colour"],
    [line(1, { app_version: "x".repeat(20_000) }), "body_too_large", undefined],
  ];
  const text = ["", ...bad.map(([text]) => text), line(5_000), "\r", line(5_001)].join("\n");
  const { results, sum } = await run(text);
  assert.deepEqual(results.slice(0, bad.length).map((result) => [result.line, result.code, result.pointer]), bad.map(([, code, pointer], n) => [n + 2, code, pointer]));
  assert.deepEqual(results.slice(bad.length).map((result) => [result.line, result.status]), [[bad.length + 2, "created"], [bad.length + 4, "created"]]);
  assert.deepEqual([sum.lines, sum.created, sum.failed], [bad.length + 4, 2, bad.length]);
});

test("an import takes no phone from anybody and says nothing against what a phone has said, also when it is repeated", async () => {
  const text = [line(7_001, { user: "old", device: "moved" }), line(7_002, { user: "same", device: "renewed" })].join("\n");
  const first = await run(text);
  assert.deepEqual(first.results.map(({ status }) => status), ["created", "created"]);
  const phone = (user: string, device: string, token: string) => stage.device(app, user, device, { platform: "android", vendor: "fcm", token });
  await phone("new", "moved", "t7001:x");
  await phone("same", "renewed", "newer:x");
  const again = await run(text);
  assert.deepEqual(again.results.map(({ status, code }) => code ?? status), ["device_taken", "unchanged"]);
  assert.deepEqual([await stage.devices(app, "old"), await stage.devices(app, "new")], [[], ["moved"]]);
  stage.lab.clearLog();
  const push = await stage.push(app, { to: { users: ["same"] }, category: "im" });
  assert.deepEqual(push.json.counts, { accepted: 1 });
  assert.equal(stage.seen("fcm")[0].body.message.token, "newer:x");
});

test("who wants only what failed gets nothing else", async () => {
  const { results, sum } = await run([line(8_001), line(8_002, { token: "a b" }), line(8_003)].join("\n"), "?results=failed");
  assert.deepEqual([results.map(({ line }) => line), sum.created, sum.failed], [[2], 2, 1]);
});

test("lines of one user follow each other, and the 65th device is refused", async () => {
  const { results } = await run(Array.from({ length: 66 }, (_, n) => line(n, { user: "many", device: `many${n}`, token: `many${n}:x` })).join("\n"));
  assert.deepEqual(results.filter((result) => result.status === "failed").map((result) => [result.line, result.code]), [[65, "limit_reached"], [66, "limit_reached"]]);
});

test("what is not an import is refused before it begins", async () => {
  for (const [key, query, status, code] of [
    [undefined, "", 401, "unauthorized"],
    [app.key, "?from=0", 400, "invalid_value"],
    [app.key, "?from=x", 400, "invalid_value"],
    [app.key, "?to=1", 400, "unknown_field"],
    [app.key, "?results=all", 400, "invalid_value"],
  ] as const) {
    const answer = await stage.ask("POST", `/v1/users:import${query}`, key, line(1));
    assert.deepEqual([answer.status, answer.json.code], [status, code]);
  }
  assert.deepEqual((await run("")).sum.lines, 0);
});
