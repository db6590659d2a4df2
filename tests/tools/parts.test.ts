// The runner of the parts: a failed test that leaves something open ends the run, with its words, and cuts nothing off.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

const folder = mkdtempSync(join(tmpdir(), "edgepush-parts-"));
after(() => rmSync(folder, { recursive: true }));

const OPEN = 'import { createServer } from "node:http";\nimport { after, test } from "node:test";\ncreateServer().listen(0);\n';

/** Runs test files as the parts do; what they left open would keep this waiting. */
function run(files: Record<string, string>, timeout?: number) {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const own = timeout === undefined ? "" : `TEST_TIMEOUT=${timeout};`;
  const script = `. tests/tools/lib.sh; . tests/tools/parts.sh; ${own} node_tests spec ${Object.keys(files).map((name) => join(folder, name)).join(" ")}`;
  // Inside a test of its own the runner would only report to this one.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status, signal, stdout } = spawnSync("bash", ["-c", script], { encoding: "utf8", timeout: 60_000, env });
  assert.equal(signal, null, "it ended by itself");
  return { status, stdout };
}

test("a failed test that leaves a server open ends the run, and the others are waited for", { timeout: 90_000 }, () => {
  const { status, stdout } = run({
    "fails.spec.mjs": `${OPEN}test("fails", () => { throw new Error("its own words"); });\ntest("next", () => console.log("x".repeat(200_000) + "whole"));\n`,
    "slow.spec.mjs": `${OPEN}test("slow", () => new Promise((next) => setTimeout(next, 2_000)));\nafter(async () => { await new Promise((next) => setTimeout(next, 1_000)); console.log("after it"); });\n`,
  });
  assert.equal(status, 1);
  for (const words of ["its own words", "xwhole", "after it", "pass 2", "fail 1"]) assert.ok(stdout.includes(words), words);
});

test("what only leaves something open passes, and what never ends is given up", { timeout: 90_000 }, () => {
  assert.equal(run({ "passes.spec.mjs": `${OPEN}test("passes", () => {});\n` }).status, 0);
  const { status, stdout } = run({ "never.spec.mjs": `${OPEN}test("never ends", () => new Promise(() => {}));\n` }, 1_000);
  assert.equal(status, 1);
  assert.match(stdout, /never ends[\s\S]*timed out after 1000ms/);
});
