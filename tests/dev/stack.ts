// Starts the lab and a worker that sends to it, for `make dev`, the fuzzer and the benchmark. The worker
// is the one from build/, run by wrangler with local storage in the given folder.

import { setTimeout as sleep } from "node:timers/promises";
import { join, resolve } from "node:path";
import type { Child, Children } from "./children.ts";
import { HOST, type Ports } from "./ports.ts";
import { claimFolder, devSecrets } from "./state.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const WRANGLER = join(ROOT, "node_modules/wrangler/bin/wrangler.js");
/** From a cold start on a slow machine; a warm one takes about a second. */
const START_TIMEOUT = 120_000;

export interface Stack {
  worker: string;
  lab: string;
  adminKey: string;
  version: string;
  children: readonly Child[];
  /** Settles when one of the children has ended by itself. */
  broken: Promise<Child>;
}

export interface StackOptions {
  ports: Ports;
  /** Secrets and local storage; the same folder again finds both. */
  folder: string;
  /** Called while waiting: what for, and since how many seconds. */
  onWait: (what: string, seconds: number) => void;
  onReady: (what: string, seconds: number) => void;
}

/** A child that ended before it answered, or never answered. */
export class StartProblem extends Error {}

/** Starts both into `children`, which the caller ends with `children.stop()` whatever happens. */
export async function startStack(children: Children, options: StackOptions): Promise<Stack> {
  const { ports, folder } = options;
  claimFolder(folder);
  const secrets = devSecrets(folder);
  const lab = `http://${HOST}:${ports.lab}`;
  const worker = `http://${HOST}:${ports.worker}`;

  const labChild = children.start("lab", [
    join(ROOT, "tests/lab/main.ts"),
    ...["--port", String(ports.lab), "--h2-port", String(ports.labH2)],
  ]);
  await answers("lab", `${lab}/_lab/`, labChild, options);

  const workerChild = children.start(
    "worker",
    [
      ...[WRANGLER, "dev", "--cwd", ROOT, "--config", join(ROOT, "wrangler.toml")],
      ...["--ip", HOST, "--port", String(ports.worker), "--inspector-port", String(ports.inspector)],
      ...["--persist-to", resolve(folder, "state"), "--env-file", resolve(secrets.file)],
      ...["--var", `VENDOR_PROXY:${lab}`, "--show-interactive-dev-session=false"],
    ],
    { WRANGLER_SEND_METRICS: "false", WRANGLER_LOG_PATH: resolve(folder, "wrangler-logs"), NO_COLOR: "1" },
  );
  const health = await answers("worker", `${worker}/healthz`, workerChild, options);

  const both = [labChild, workerChild];
  return {
    worker,
    lab,
    adminKey: secrets.adminKey,
    version: version(health),
    children: both,
    broken: Promise.race(both.map((child) => child.ended.then(() => child))),
  };
}

/** Waits for any HTTP answer below 500 and returns its body; names the child's last words otherwise. */
async function answers(what: string, url: string, child: Child, options: StackOptions): Promise<string> {
  const start = Date.now();
  const seconds = (): number => (Date.now() - start) / 1000;
  let last = "no answer";
  while (Date.now() - start < START_TIMEOUT) {
    if (child.end !== undefined) {
      throw new StartProblem(`The ${what} ended (${child.end}) before it answered:\n${child.tail.join("\n")}`);
    }
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
      const body = await response.text();
      if (response.status < 500) {
        options.onReady(what, seconds());
        return body;
      }
      last = `status ${response.status}: ${body.slice(0, 200)}`;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    options.onWait(what, seconds());
    await sleep(100);
  }
  const words = child.tail.length > 0 ? `\nIts last lines:\n${child.tail.join("\n")}` : "";
  throw new StartProblem(`The ${what} did not answer at ${url} within ${START_TIMEOUT / 1000} s (${last}).${words}`);
}

function version(health: string): string {
  try {
    const parsed: unknown = JSON.parse(health);
    if (typeof parsed === "object" && parsed !== null && "version" in parsed) return String(parsed.version);
  } catch {
    // A worker without the page is still a worker that answers.
  }
  return "unknown version";
}
