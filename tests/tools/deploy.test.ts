// What `make deploy` says before it touches anything, with wrangler played by a table.

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkAll, type Config, type Ran, report, type Wrangler } from "./deploy-checks.ts";

const ID = "0123456789abcdef0123456789abcdef";
const READY: Config = { kv: [{ binding: "DEVICES", id: ID }], queues: ["edgepush-dispatch"] };
const SECRETS = JSON.stringify([{ name: "ADMIN_KEY" }, { name: "SEAL_KEY" }]);

function wrangler(answers: Record<string, Partial<Ran>>): Wrangler {
  return (args) => ({ status: 0, stdout: "", stderr: "", ...answers[args[0] ?? ""] });
}

function missing(config: Config, answers: Record<string, Partial<Ran>>): string[] {
  return checkAll(config, wrangler(answers))
    .filter((check) => check.state === "missing")
    .map((check) => check.what);
}

test("nothing is missing when everything is there", () => {
  assert.deepEqual(missing(READY, { secret: { stdout: SECRETS } }), []);
});

test("a placeholder is not a namespace id", () => {
  const config = { ...READY, kv: [{ binding: "DEVICES", id: "put-the-id-of-DEVICES-here" }, { binding: "APPS" }] };
  assert.deepEqual(missing(config, { secret: { stdout: SECRETS } }), ["KV namespace DEVICES", "KV namespace APPS"]);
});

test("each missing secret is named", () => {
  const stdout = `some words of wrangler\n${JSON.stringify([{ name: "SEAL_KEY" }])}`;
  assert.deepEqual(missing(READY, { secret: { stdout } }), ["secret ADMIN_KEY"]);
});

test("before the first deployment both secrets are missing", () => {
  const secret = { status: 1, stderr: "This Worker does not exist on your account. [code: 10007]" };
  assert.deepEqual(missing(READY, { secret }), ["secret ADMIN_KEY", "secret SEAL_KEY"]);
});

test("a queue that wrangler does not know is missing", () => {
  const stderr = 'Queue "edgepush-dispatch" does not exist.';
  const answers = { queues: { status: 1, stderr }, secret: { stdout: SECRETS } };
  assert.deepEqual(missing(READY, answers), ["queue edgepush-dispatch"]);
});

test("without a login only what needs none is judged", () => {
  const checks = checkAll(READY, wrangler({ whoami: { status: 1 } }));
  assert.deepEqual(
    checks.map((check) => check.state),
    ["missing", "ok", "unknown", "unknown", "unknown"],
  );
});

test("the report holds the command for what is missing and for nothing else", () => {
  const queues = { status: 1, stderr: "does not exist" };
  const lines = report(checkAll(READY, wrangler({ secret: { stdout: SECRETS }, queues })));
  assert.ok(lines.includes("    npx wrangler queues create edgepush-dispatch"));
  assert.ok(!lines.some((line) => line.includes("wrangler login")));
});

test("an answer that did not come is not taken for an absence", () => {
  const failed = { status: 1, stderr: "fetch failed" };
  const checks = checkAll(READY, wrangler({ secret: failed, queues: failed }));
  const fixes = checks.filter((check) => check.state === "missing").map((check) => check.fix.at(-1));
  assert.deepEqual(fixes, ["fetch failed", "fetch failed"]);
});
