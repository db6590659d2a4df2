// One push to many: how long it takes, what it costs for each delivery, and whether memory stays flat while it grows.

import { setTimeout as sleep } from "node:timers/promises";
import { PRICES } from "./cost.ts";
import { progress } from "./print.ts";
import { cpuMs, rssMb } from "./proc.ts";
import { type Credentials, makeApp, pushBody } from "./scenes.ts";
import { dispose, kv, startVariant } from "./variants.ts";
import type { MockVendor } from "./vendor.ts";

export interface LargeResult {
  users: number;
  seconds: number;
  rows: number;
  object_calls: number;
  kv_reads: number;
  fetches: number;
  /** WebAssembly memory of the instance that made the pages and held the ledger, at the end: it never shrinks. */
  wasmMb: number;
  /** Of the whole process, storage simulators included: before the push, and at most while it went on. */
  rssMb: [number, number];
  cpuMs: number;
  /** Dollars per million deliveries. */
  price: number;
}

/** A message of a queue is written, read and deleted: three operations. */
const QUEUE_OPERATION = 0.4;

export async function measureLarge(mock: MockVendor, held: Credentials, adminKey: string, sizes: readonly number[]): Promise<LargeResult[]> {
  const results: LargeResult[] = [];
  for (const users of sizes) results.push(await one(mock, held, adminKey, users));
  return results;
}

async function one(mock: MockVendor, held: Credentials, adminKey: string, users: number): Promise<LargeResult> {
  const sum = { kv_reads: 0, object_calls: 0, rows_written: 0, fetches: 0 };
  let jobs = 0;
  let wasmKb = 0;
  const count = (line: string): void => {
    if (!line.includes('"event":"jobs"')) return;
    const { n, cost, memory_kb } = JSON.parse(line) as { n: string; cost: string; memory_kb: string };
    wasmKb = Math.max(wasmKb, Number(memory_kb));
    jobs += Number(n);
    add(sum, cost);
  };
  const ours = await startVariant("ours", { VENDOR_PROXY: mock.url }, count);
  try {
    const gateway = await makeApp(ours, adminKey, "large", held, false);
    const names = Array.from({ length: users }, (_, n) => `customer-${n}`);
    await copies(ours, names, held.topic);
    const upload = await call(gateway.base, "PUT", "/v1/audiences/all", gateway.key, names.join("\n"));
    if (upload.json.users !== users) throw new Error(`the audience has ${upload.json.users} users`);
    const cpu = cpuMs(ours.pid);
    const began = performance.now();
    const { to: _, ...body } = pushBody("nobody", "marketing");
    const push = await call(gateway.base, "POST", "/v1/push", gateway.key, JSON.stringify({ ...body, to: { audience: "all" } }));
    add(sum, push.cost);
    const before = rssMb(ours.pid);
    let most = before;
    for (;;) {
      await sleep(Math.min(1_000, 100 + users / 50));
      most = Math.max(most, rssMb(ours.pid));
      const known = await call(gateway.base, "GET", `/v1/push/${push.json.id}`, gateway.key);
      progress(`large push to ${users}: ${known.json.percent} %`);
      if (known.json.percent === 100) {
        if (known.json.counts.accepted !== users) throw new Error(`not all were accepted: ${JSON.stringify(known.json.counts)}`);
        break;
      }
    }
    const seconds = (performance.now() - began) / 1000;
    const spent = cpuMs(ours.pid) - cpu;
    const funnel = await call(gateway.base, "GET", "/v1/funnel", gateway.key);
    if (!funnel.json.balanced || funnel.json.total.requested !== users) throw new Error(`the funnel is off: ${funnel.text}`);
    await sleep(200);
    const price =
      (PRICES.request * (1 + jobs) +
        PRICES.kv_read * sum.kv_reads +
        PRICES.object_request * sum.object_calls +
        PRICES.row_written * sum.rows_written +
        3 * QUEUE_OPERATION * jobs +
        PRICES.cpu_ms * spent) /
      users;
    return { users, seconds, rows: sum.rows_written, object_calls: sum.object_calls, kv_reads: sum.kv_reads, fetches: sum.fetches, wasmMb: wasmKb / 1024, rssMb: [before, most], cpuMs: spent, price };
  } finally {
    await dispose(ours.mf);
  }
}

/** Users where a push looks for them: read copies in KV, without their objects. */
async function copies(ours: Parameters<typeof kv>[0], names: readonly string[], topic: string): Promise<void> {
  const devices = await kv(ours, "DEVICES");
  for (let at = 0; at < names.length; at += 100) {
    if (at % 5_000 === 0) progress(`large push: ${at} of ${names.length} users made`);
    await Promise.all(
      names.slice(at, at + 100).map((name) => {
        const token = Buffer.from(name).toString("hex").padEnd(64, "0").slice(0, 64);
        const device = [`${name}-phone`, "ios", "apns", token, "production", topic, "granted", null, "alert"];
        // As src/wire/user/copy.rs writes it.
        return devices.put(`user:large.1:${name}`, JSON.stringify([[device], [], null, 0]));
      }),
    );
  }
}

interface Called {
  json: any;
  text: string;
  cost: string;
}

async function call(base: string, method: string, path: string, key: string, body?: string): Promise<Called> {
  const init: RequestInit = { method, headers: { authorization: `Bearer ${key}`, "content-type": "application/json" } };
  if (body !== undefined) init.body = body;
  const answer = await fetch(base + path, init);
  const text = await answer.text();
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return { json: JSON.parse(text), text, cost: answer.headers.get("edgepush-cost") ?? "" };
}

function add(to: Record<string, number>, cost: string): void {
  for (const pair of cost.split(", ")) {
    const [name, value] = pair.split("=");
    if (name !== undefined && name in to) to[name]! += Number(value);
  }
}
