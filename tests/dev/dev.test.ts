// `make dev` from start to end, on free ports and a folder of its own: what a newcomer sees first must
// not break unnoticed. Needs a build and the lab.

import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { call, type Delivery, Gateway, Lab, type PushReply } from "./client.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(join(ROOT, "target/dev-test-"));
const started: ChildProcess[] = [];
after(async () => {
  // A test that failed leaves its run behind: it ends its own children when it is told to end.
  const running = started.filter((child) => child.exitCode === null && child.kill("SIGTERM"));
  await Promise.all(running.map((child) => new Promise((ended) => child.once("close", ended))));
  rmSync(folder, { recursive: true, force: true });
});

const TIMEOUT = { timeout: 180_000 };

interface Dev {
  process: ChildProcess;
  output: () => string;
  ended: Promise<number | null>;
}

function dev(args: readonly string[] = [], env: Record<string, string> = {}): Dev {
  const child = spawn(process.execPath, [join(ROOT, "tests/dev/dev.ts"), ...args], {
    cwd: ROOT,
    env: { ...process.env, EDGEPUSH_PORT: "0", LAB_PORT: "0", DEMO_PORT: "0", EDGEPUSH_STATE: folder, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  started.push(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += text));
  return {
    process: child,
    output: () => output,
    ended: new Promise((done) => child.once("close", (code) => done(code))),
  };
}

async function until(what: string, running: Dev, isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (!isSo()) {
    if (running.process.exitCode !== null || Date.now() > deadline) {
      running.process.kill("SIGTERM");
      assert.fail(`${what} did not happen; the output so far:\n${running.output()}`);
    }
    await sleep(50);
  }
}

test("a push goes through, and Ctrl-C ends everything it started", TIMEOUT, async () => {
  const running = dev();
  await until("the log's beginning", running, () => running.output().includes("Ctrl-C ends"));
  const output = running.output();
  assert.match(output, /u42\/iphone +apns +accepted/);
  assert.match(output, /u42\/pixel +fcm +accepted/);

  // The printed command is what the user will run next: run it.
  const command = output.slice(output.indexOf("curl -sS"), output.indexOf("\nAddresses"));
  const curl = spawnSync("sh", ["-c", command], { encoding: "utf8" });
  assert.equal((JSON.parse(curl.stdout) as { status: string }).status, "done", curl.stdout + curl.stderr);

  const started = descendants(running.process.pid ?? 0);
  assert.ok(started.length >= 2, `found only the processes ${started.join(", ")}`);
  running.process.kill("SIGINT");
  assert.equal(await running.ended, 0, running.output());
  assert.deepEqual(started.filter(isAlive), []);
});

test("a browser that the page registers gets the push, and what it reports is seen", TIMEOUT, async () => {
  const running = dev();
  await until("the log's beginning", running, () => running.output().includes("Ctrl-C ends"));
  const address = (name: string): string => new RegExp(`  ${name} +(http://[^ /]+)`).exec(running.output())?.[1] ?? "";
  const page = address("demo page");
  const lab = new Lab(address("lab's log"));
  const gateway = new Gateway(address("worker"), readFileSync(join(folder, "demo.key"), "utf8").trim());
  const ask = <T>(path: string, body?: unknown): Promise<T> =>
    call(body === undefined ? "GET" : "POST", `${page}/api/${path}`, { body, headers: { origin: page } });

  // A browser that is not the lab's would be sent to for real; this one is.
  assert.equal((await lab.settings({}))["webpush_forward"], true);
  const { public_key } = await ask<{ public_key: string }>("demo");
  const subscription = await lab.subscribe({ public_key });
  const device = `browser-${crypto.randomUUID()}`;
  await ask("device", { device, permission: "granted", subscription });
  const { id } = await ask<{ id: string }>("push", {});

  const { entries } = await call<{ entries: Seen[] }>("GET", `${lab.base}/_lab/log?vendor=webpush`);
  const read = entries.at(-1)?.body.notification;
  assert.equal(read?.body, "Your parcel has left");
  assert.equal(read.data["ep_link"], `${page}/#order-4711`);
  const seen = async (): Promise<(string | undefined)[]> => {
    const { deliveries } = await gateway.call<PushReply>("GET", `/v1/push/${id}`);
    const table = await ask<{ deliveries: (Delivery & { push: string })[] }>("deliveries");
    const mine = deliveries.find((delivery) => delivery.device === device);
    const row = table.deliveries.find((delivery) => delivery.push === id && delivery.device === device);
    return [mine?.state, mine?.seen, row?.state, row?.seen];
  };
  for (const type of ["shown", "clicked"]) {
    assert.deepEqual(await ask("event", { type, id: read.data["ep_id"], device }), { taken: 1, unknown: 0 });
    assert.deepEqual(await seen(), ["accepted", type, "accepted", type]);
  }

  await gateway.call("DELETE", `/v1/users/u42/devices/${device}`);
  running.process.kill("SIGINT");
  assert.equal(await running.ended, 0, running.output());
});

interface Seen {
  body: { notification?: { body: string; data: Record<string, string> } };
}

test("the second start finds state and keys again, and --once ends by itself", TIMEOUT, async () => {
  const keys = ["demo.key", "demo-vapid.json"].map((name) => join(folder, name));
  const read = (): string[] => keys.map((file) => readFileSync(file, "utf8"));
  const before = read();
  const again = dev(["--once"]);
  assert.equal(await again.ended, 0, again.output());
  assert.deepEqual(read(), before);
  for (const file of keys) assert.equal(statSync(file).mode & 0o777, 0o600, file);
});

test("a busy port is named with its setting before anything starts", TIMEOUT, async () => {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? String(address.port) : "";
  try {
    for (const setting of ["LAB_PORT", "DEMO_PORT"]) {
      const refused = dev([], { [setting]: port });
      assert.equal(await refused.ended, 1);
      assert.match(refused.output(), new RegExp(`Port ${port} is in use.*${setting}=`));
      assert.doesNotMatch(refused.output(), /Starting/);
    }
  } finally {
    server.close();
  }
});

test("a child that dies takes the rest with it", TIMEOUT, async () => {
  const running = dev();
  await until("the log's beginning", running, () => running.output().includes("Ctrl-C ends"));
  const started = descendants(running.process.pid ?? 0);
  const lab = started.find((pid) => commandOf(pid).includes("tests/lab/main.ts"));
  assert.ok(lab !== undefined, "found no lab among the children");
  process.kill(lab, "SIGKILL");
  assert.equal(await running.ended, 1);
  assert.match(running.output(), /The lab ended by itself/);
  assert.deepEqual(started.filter(isAlive), []);
});

/** All processes below this one, from /proc where there is one, else from ps. */
function descendants(root: number): number[] {
  const parents = new Map<number, number>();
  if (existsSync("/proc/self/stat")) {
    for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
      const parent = Number(statOf(Number(name))?.[1]);
      if (parent > 0) parents.set(Number(name), parent);
    }
  } else {
    for (const line of spawnSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" }).stdout.split("\n")) {
      const [pid, parent] = line.trim().split(/\s+/).map(Number);
      if (pid !== undefined && parent !== undefined) parents.set(pid, parent);
    }
  }
  const found = new Set([root]);
  for (let size = 0; size !== found.size; ) {
    size = found.size;
    for (const [pid, parent] of parents) if (found.has(parent)) found.add(pid);
  }
  found.delete(root);
  return [...found];
}

/** State and parent of a process: what follows its name, which stands in brackets. */
function statOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

function commandOf(pid: number): string {
  if (existsSync(`/proc/${pid}/cmdline`)) return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  return spawnSync("ps", ["-p", String(pid), "-o", "command="], { encoding: "utf8" }).stdout;
}

/** An entry that only waits to be cleared away (state Z) is not alive. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return statOf(pid)?.[0] !== "Z";
}
