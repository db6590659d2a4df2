// Starts lab and worker on free ports with empty storage, makes the demo app, and lets Schemathesis at
// it. Ends with Schemathesis' own verdict: 0 only if it found nothing. Started by fuzz.sh.

import { spawn } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Children } from "../dev/children.ts";
import { setUpDemo } from "../dev/demo.ts";
import { choosePorts } from "../dev/ports.ts";
import { Progress, reason, say } from "../dev/print.ts";
import { startStack } from "../dev/stack.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const FOLDER = join(ROOT, "target/fuzz");
const SECONDS = Number(process.env["FUZZ_SECONDS"] ?? "120");
const PROGRAM = process.env["SCHEMATHESIS"];
/** The same seed finds the same again; the report names it. */
const SEED = process.env["FUZZ_SEED"];

/** What Schemathesis does not know by itself: `fuzz_hooks.py` beside this file. */
const HOOKS = join(import.meta.dirname, "fuzz_hooks.py");

const log: string[] = [];
const children = new Children((child, line) => log.push(`${child} | ${line}`));

async function finish(status: number): Promise<never> {
  await children.stop();
  writeFileSync(join(FOLDER, "worker.log"), `${log.join("\n")}\n`);
  process.exit(status);
}
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void finish(130));

/** Runs in our own process group: Ctrl-C reaches it directly. */
function schemathesis(worker: string, keys: Record<string, string>): Promise<number> {
  const args = [
    ...["--config-file", join(ROOT, "tests/tools/fuzz.toml"), "run", `${worker}/openapi.json`],
    ...["--url", worker, "--max-time", String(SECONDS), "--continue-on-failure"],
    ...["--workers", "1", "--generation-database", "none", "--warnings", "off"],
    ...(SEED === undefined ? [] : ["--seed", SEED]),
  ];
  return new Promise((done) => {
    const child = spawn(PROGRAM ?? "schemathesis", args, {
      cwd: FOLDER,
      stdio: "inherit",
      env: { ...process.env, ...keys, SCHEMATHESIS_HOOKS: HOOKS },
    });
    child.once("error", (error) => {
      say(`schemathesis could not be started: ${error.message}`);
      done(1);
    });
    child.once("exit", (code) => done(code ?? 1));
  });
}

if (!Number.isInteger(SECONDS) || SECONDS < 1) {
  say("FUZZ_SECONDS must be a whole number of seconds, at least 1");
  process.exit(1);
}
rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
try {
  const ports = await choosePorts({ EDGEPUSH_PORT: "0", LAB_PORT: "0", DEMO_PORT: "0" });
  const progress = new Progress();
  const stack = await startStack(children, { ports, folder: FOLDER, onWait: progress.wait, onReady: progress.ready });
  const scopes = ["push", "devices", "read", "manage"];
  const demo = await setUpDemo({ ...stack, scopes });
  const died = stack.broken.then((child) => {
    if (children.stopping) return 1;
    say(`\nThe ${child.name} ended while it was fuzzed (${child.end}):\n${child.tail.join("\n")}`);
    return 1;
  });
  const keys = { EDGEPUSH_ADMIN_KEY: stack.adminKey, EDGEPUSH_APP_KEY: demo.key };
  const status = await Promise.race([schemathesis(stack.worker, keys), died]);
  say(`\nWhat the worker said stands in target/fuzz/worker.log`);
  await finish(status);
} catch (error) {
  if (!children.stopping) {
    say(`\n${reason(error)}`);
    await finish(1);
  }
}
