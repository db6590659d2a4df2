// Quiet logs: whatever goes wrong, no token, key, JWT, secret, payload or endpoint is in what the runtime writes.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";

/** Runs `logs.noise.ts` in a process of its own, whose output is also that of its runtime. */
async function noise(): Promise<{ log: string; secrets: string[]; events: number }> {
  const child = spawn(process.execPath, ["tests/worker/logs.noise.ts"], { stdio: ["ignore", "pipe", "pipe", "ipc"] });
  let log = "";
  let secrets: string[] = [];
  child.stdout?.on("data", (piece) => (log += piece));
  child.stderr?.on("data", (piece) => (log += piece));
  child.on("message", (message) => (secrets = message as string[]));
  const code = await new Promise((ended) => child.on("close", ended));
  assert.equal(code, 0, log);
  return { log, secrets, events: log.split("\n").filter((line) => line.startsWith('{"')).length };
}

test("no secret is in any log line, whatever goes wrong", { timeout: 120_000 }, async () => {
  const { log, secrets, events } = await noise();
  assert.ok(events >= 5, `${events} events: too little went wrong to say anything\n${log}`);
  assert.ok(log.includes("most_tokens_of_a_batch_gone"), "the alert of a batch of dead tokens is there");
  assert.ok(log.includes("receipt_code_unknown"), "codes of unknown meaning leave a trace");
  assert.ok(secrets.length >= 20);
  for (const secret of secrets) {
    assert.ok(secret.length >= 12, "long enough not to be there by chance");
    assert.ok(!log.includes(secret), `a secret is in the log: ${secret.slice(0, 6)}…`);
  }
});
