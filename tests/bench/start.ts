// What an instance costs before its first push: size of the wasm, and the time from a new workerd to its first answer,
// ours and the bare Worker's by turns. What both need (the process, Miniflare, the sockets) is in both, so the
// difference is our own start: compiling the wasm, making the instance, reading the settings.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type Spread, spread } from "./cpu.ts";
import { progress } from "./print.ts";
import { cpuMs } from "./proc.ts";
import { type Kind, ROOT, dispose, startVariant } from "./variants.ts";

export interface StartResult {
  /** ms from nothing to the first answer. */
  ours: Spread;
  bare: Spread;
  /** ms of the first answer alone, once the socket is open. */
  oursFirst: Spread;
  bareFirst: Spread;
  /** ms of workerd's CPU until then. */
  oursCpu: Spread;
  bareCpu: Spread;
  /** Per round: ours − bare. */
  more: Spread;
}

export async function measureStart(rounds: number): Promise<StartResult> {
  const taken: Record<"ours" | "bare", { total: number; first: number; cpu: number }[]> = { ours: [], bare: [] };
  for (let round = 0; round < rounds; round++) {
    progress(`start: round ${round + 1} of ${rounds}`);
    const order: ("ours" | "bare")[] = round % 2 === 0 ? ["ours", "bare"] : ["bare", "ours"];
    for (const kind of order) taken[kind].push(await once(kind));
  }
  const of = (kind: "ours" | "bare", what: "total" | "first" | "cpu"): Spread => spread(taken[kind].map((one) => one[what]));
  return {
    ours: of("ours", "total"),
    bare: of("bare", "total"),
    oursFirst: of("ours", "first"),
    bareFirst: of("bare", "first"),
    oursCpu: of("ours", "cpu"),
    bareCpu: of("bare", "cpu"),
    more: spread(taken.ours.map(({ total }, round) => total - taken.bare[round]!.total)),
  };
}

async function once(kind: Kind): Promise<{ total: number; first: number; cpu: number }> {
  const start = performance.now();
  const variant = await startVariant(kind, { PLANS: "{}" });
  const ready = performance.now();
  const response = await fetch(`http://127.0.0.1:${variant.port}/healthz`);
  await response.text();
  const end = performance.now();
  if (response.status !== 200) throw new Error(`${kind} answered its first request with ${response.status}`);
  const cpu = cpuMs(variant.pid);
  await dispose(variant.mf);
  return { total: end - start, first: end - ready, cpu };
}

export interface Size {
  file: string;
  bytes: number;
  gzip: number;
}

export function measureSize(): Size[] {
  return ["build/index_bg.wasm", "build/index.js"].map((file) => {
    const bytes = readFileSync(join(ROOT, file));
    return { file, bytes: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length };
  });
}
