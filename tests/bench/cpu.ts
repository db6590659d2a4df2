// CPU of workerd per delivery, and speed as the callers see it: the three Workers by turns, in both orders, over several
// rounds. What disturbs the machine meanwhile meets all of them.

import { Callers, type Request, type Run } from "./load.ts";
import { progress } from "./print.ts";
import { cpuMs } from "./proc.ts";
import type { Scene } from "./scenes.ts";
import type { Kind, Variant } from "./variants.ts";

export interface Plan {
  rounds: number;
  /** Pushes of a sample. */
  pushes: number;
  /** Pushes to each variant before this is measured. */
  warm: number;
}

export interface Spread {
  median: number;
  min: number;
  max: number;
}

export interface Side {
  /** µs of workerd's CPU per delivery. */
  cpu: Spread;
  /** Pushes a second. */
  rate: number;
  p50: number;
  p99: number;
}

export interface CpuResult {
  scene: string;
  title: string;
  devices: number;
  callers: number;
  sides: Record<Kind, Side>;
  /** Per round: ours / bare. */
  ratio: Spread;
  /** Per round: ours / fetch-only. */
  toFetchOnly: Spread;
  /** µs per delivery of who is beside workerd: they have to keep up. */
  driver: number;
  mock: number;
}

/** What was measured of one line of the table, with one set of processes. */
export interface Line {
  scene: Scene;
  callers: number;
  plan: Plan;
  /** Of each variant, the samples of each round. */
  samples: Record<Kind, Sample[][]>;
}

export interface Field {
  variants: Record<Kind, Variant>;
  requests: Record<string, Request>;
  mockPid: number;
}

export interface Sample {
  workerd: number;
  driver: number;
  mock: number;
  run: Run;
}

const WARM_STEP = 2_000;
const KINDS: readonly Kind[] = ["ours", "bare", "fetch-only"];

export async function measureCpu(field: Field, scene: Scene, callers: number, plan: Plan): Promise<Line> {
  const what = `${scene.title}, ${scene.devices} a push, ${callers} at a time`;
  progress(`${what}: warming`);
  for (const kind of KINDS) await sample(field, scene, callers, kind, plan.warm);
  const samples: Record<Kind, Sample[][]> = { ours: [], bare: [], "fetch-only": [] };
  for (let round = 0; round < plan.rounds; round++) {
    progress(`${what}: round ${round + 1} of ${plan.rounds}`);
    const there = round % 2 === 0 ? KINDS : [KINDS[1]!, KINDS[0]!, KINDS[2]!];
    const turns = [...there, ...there.toReversed()];
    for (const kind of KINDS) samples[kind].push([]);
    for (const kind of turns) samples[kind].at(-1)!.push(await sample(field, scene, callers, kind, plan.pushes));
  }
  return { scene, callers, plan, samples };
}

/** Pushes of all scenes until the compilers have done their best: so many to ours, and a quarter to what is JavaScript alone. */
export async function warmUp(field: Field, scenes: readonly Scene[], pushes: number): Promise<void> {
  for (let done = 0; done < pushes; done += WARM_STEP) {
    progress(`warming the compilers: ${done} of ${pushes} pushes`);
    const each = Math.ceil(Math.min(WARM_STEP, pushes - done) / scenes.length);
    for (const scene of scenes) {
      for (const kind of KINDS) await sample(field, scene, 16, kind, kind === "ours" ? each : Math.ceil(each / 4));
    }
  }
}

async function sample(field: Field, scene: Scene, count: number, kind: Kind, pushes: number): Promise<Sample> {
  const { port, pid } = field.variants[kind];
  const request = field.requests[scene.id]!;
  const callers = await Callers.open(port, count);
  try {
    const before = [cpuMs(pid), cpuMs(process.pid), cpuMs(field.mockPid)] as const;
    const run = await callers.run(kind === "fetch-only" ? { ...request, path: `/${scene.id}` } : request, pushes);
    const after = [cpuMs(pid), cpuMs(process.pid), cpuMs(field.mockPid)] as const;
    return { workerd: after[0] - before[0], driver: after[1] - before[1], mock: after[2] - before[2], run };
  } finally {
    callers.close();
  }
}

/** The table's lines: each is of all rounds, whichever set they are of. */
export function summary(sets: readonly (readonly Line[])[]): CpuResult[] {
  const [first = []] = sets;
  return first.map(({ scene, callers, plan }, line) => {
    const all = sets.map((set) => set[line]!.samples);
    const samples = Object.fromEntries(KINDS.map((kind) => [kind, all.flatMap((of) => of[kind])])) as Line["samples"];
    return result({ scene, callers, plan, samples });
  });
}

function result({ scene, callers, plan, samples }: Line): CpuResult {
  const deliveries = plan.pushes * scene.devices;
  /** Of each round, µs of workerd per delivery. */
  const perRound = (kind: Kind): number[] => samples[kind].map((round) => (1000 * mean(round.map(({ workerd }) => workerd))) / deliveries);
  const [ours, bare, fetchOnly] = KINDS.map(perRound) as [number[], number[], number[]];
  const all = KINDS.flatMap((kind) => samples[kind].flat());
  const side = (kind: Kind): Side => {
    const runs = samples[kind].flat().map(({ run }) => run);
    return {
      cpu: spread(perRound(kind)),
      rate: median(runs.map(({ seconds }) => plan.pushes / seconds)),
      p50: median(runs.map(({ latencies }) => at(latencies, 0.5))),
      p99: median(runs.map(({ latencies }) => at(latencies, 0.99))),
    };
  };
  return {
    scene: scene.id,
    title: scene.title,
    devices: scene.devices,
    callers,
    sides: { ours: side("ours"), bare: side("bare"), "fetch-only": side("fetch-only") },
    ratio: spread(ours.map((value, n) => value / bare[n]!)),
    toFetchOnly: spread(ours.map((value, n) => value / fetchOnly[n]!)),
    driver: (1000 * mean(all.map(({ driver }) => driver))) / deliveries,
    mock: (1000 * mean(all.map(({ mock }) => mock))) / deliveries,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function spread(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}
