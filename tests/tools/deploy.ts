// `make deploy`: looks whether everything is in place before anything is changed, then deploys.
//
//   --dry-run   bundle what would be deployed into target/dry-run; needs no login and no network

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { unstable_readConfig } from "wrangler";
import { checkAll, type Config, type Ran, report } from "./deploy-checks.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const WRANGLER = join(ROOT, "node_modules/wrangler/bin/wrangler.js");
const CONFIG = join(ROOT, "wrangler.toml");
const DRY_RUN = join(ROOT, "target/dry-run");

const env = { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_LOG_PATH: join(ROOT, "target/wrangler-logs") };

/** For what only wants the answer. */
function ask(args: readonly string[]): Ran {
  const ran = spawnSync(process.execPath, [WRANGLER, ...args], { cwd: ROOT, env, encoding: "utf8" });
  return { status: ran.status ?? 1, stdout: ran.stdout, stderr: ran.stderr };
}

/** For what the user watches, and may have to answer. */
function run(args: readonly string[]): number {
  return spawnSync(process.execPath, [WRANGLER, ...args], { cwd: ROOT, env, stdio: "inherit" }).status ?? 1;
}

/** What is read of wrangler's own type, which needs the types of a whole runtime to be resolved. */
interface Read {
  kv_namespaces: { binding: string; id?: string }[];
  queues: { producers?: { queue: string }[] };
}

function readConfig(): Config {
  const config = unstable_readConfig({ config: CONFIG }) as Read;
  return {
    kv: config.kv_namespaces,
    queues: [...new Set((config.queues.producers ?? []).map((producer) => producer.queue))],
  };
}

function dryRun(): number {
  const status = run(["deploy", "--config", CONFIG, "--dry-run", "--outdir", DRY_RUN]);
  if (status !== 0) return status;
  if (existsSync(join(DRY_RUN, "index.js"))) return 0;
  console.error(`wrangler ended without an error, but ${DRY_RUN} holds no index.js`);
  return 1;
}

function deploy(): number {
  const checks = checkAll(readConfig(), ask);
  for (const line of report(checks)) console.log(line);
  if (checks.some((check) => check.state === "missing")) return 1;
  return run(["deploy", "--config", CONFIG]);
}

process.exit(process.argv.includes("--dry-run") ? dryRun() : deploy());
