// `make bench`: what a push costs, in CPU, rows and money, beside a bare Worker that does the same I/O. README.md says how
// each number is made and how to read it.

import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { startLab } from "../lab/lab.ts";
import { ALARM_MS, type CostResult, measureCost } from "./cost.ts";
import { type CpuResult, type Field, type Line, measureCpu, type Plan, summary, warmUp } from "./cpu.ts";
import { type ImportResult, measureImport } from "./import.ts";
import { type LargeResult, measureLarge } from "./large.ts";
import { type LeaseResult, measureLeases } from "./leases.ts";
import * as print from "./print.ts";
import { FIFTY, SINGLE, type Credentials, copyScenes, credentials } from "./scenes.ts";
import { measureSign, type SignResult } from "./sign.ts";
import { measureSize, measureStart, type Size, type StartResult } from "./start.ts";
import { ADMIN_KEY, ROOT, assertBuilt, dispose, disposeAll, kv, startVariant } from "./variants.ts";
import { MockVendor } from "./vendor.ts";

/** Sets of processes for the CPU tables. One process takes up to a tenth more than another that runs the same. */
const SETS = 3;
/** Pushes after which V8 has compiled all that a push runs for speed: README.md says how that was found. */
const WARM = 60_000;
const TOPICS = ["cpu", "cost", "leases", "large", "import", "sign", "start"] as const;
type Topic = (typeof TOPICS)[number];

interface Options {
  quick: boolean;
  topics: readonly Topic[];
  rounds: number;
  pushes: number;
}

function options(args: readonly string[], env: NodeJS.ProcessEnv): Options {
  const unknown = args.filter((arg) => arg !== "--quick" && !TOPICS.includes(arg as Topic));
  if (unknown.length > 0) throw new Error(`unknown: ${unknown.join(" ")}. Known: --quick, and ${TOPICS.join(", ")} for some topics only`);
  const quick = args.includes("--quick");
  const number = (name: string, usual: number, most: number): number => {
    const value = Number(env[name] ?? usual);
    if (!Number.isSafeInteger(value) || value < 1 || value > most) throw new Error(`${name} is a whole number from 1 to ${most}`);
    return value;
  };
  const topics = TOPICS.filter((topic) => args.includes(topic));
  return {
    quick,
    topics: topics.length > 0 ? topics : TOPICS,
    rounds: number("BENCH_ROUNDS", quick ? 1 : 3, 100),
    pushes: number("BENCH_PUSHES", quick ? 30 : 400, 20_000),
  };
}

interface Results {
  cpu?: CpuResult[];
  cost?: CostResult[];
  leases?: LeaseResult[];
  large?: LargeResult[];
  import?: ImportResult[];
  sign?: SignResult[];
  start?: StartResult;
  size?: Size[];
}

async function run(given: Options): Promise<void> {
  assertBuilt();
  const lab = await startLab();
  const mock = await MockVendor.start();
  const cleanUp = async (): Promise<void> => {
    await disposeAll();
    await Promise.all([mock.stop(), lab.close()]);
  };
  const interrupted = (): void => void cleanUp().finally(() => process.exit(130));
  process.once("SIGINT", interrupted);
  process.once("SIGTERM", interrupted);
  const results: Results = {};
  try {
    const held = await credentials(lab);
    if (given.topics.includes("cpu")) results.cpu = await cpu(given, mock, held);
    if (given.topics.includes("cost")) {
      const ours = await startVariant("ours", { VENDOR_PROXY: lab.url });
      const single = results.cpu?.find(({ devices, callers }) => devices === 1 && callers === 1);
      const cpuMs = (single?.sides.ours.cpu.median ?? 1000) / 1000;
      const plan = { pushes: given.quick ? 10 : 300, slow: given.quick ? 1 : 8, cpuMs, alarmMs: given.quick ? 10 : ALARM_MS };
      results.cost = await measureCost(ours, lab, held, ADMIN_KEY, plan);
      print.cost(results.cost, cpuMs);
      await dispose(ours.mf);
    }
    if (given.topics.includes("leases")) {
      results.leases = await measureLeases(mock, held, ADMIN_KEY, given.quick ? 30 : 1_000);
      print.leases(results.leases);
    }
    if (given.topics.includes("large")) {
      results.large = await measureLarge(mock, held, ADMIN_KEY, given.quick ? [200] : [1_000, 10_000, 100_000]);
      print.large(results.large);
    }
    if (given.topics.includes("import")) {
      results.import = await measureImport(held, ADMIN_KEY, given.quick ? 20 : 1_500, given.quick ? 100 : 100_000);
      print.imported(results.import);
    }
    if (given.topics.includes("sign")) {
      results.sign = await measureSign(lab, given.quick ? 1 : 20);
      print.sign(results.sign);
    }
    if (given.topics.includes("start")) {
      results.size = measureSize();
      results.start = await measureStart(given.quick ? 1 : SETS * given.rounds);
      print.start(results.start, results.size);
    }
  } finally {
    await cleanUp();
  }
  write(given, results);
}

async function cpu(given: Options, mock: MockVendor, held: Credentials): Promise<CpuResult[]> {
  const { rounds, pushes, quick } = given;
  const single = { rounds, pushes, warm: quick ? 20 : 2_000 };
  const fifty = { rounds, pushes: Math.ceil(pushes / 20), warm: quick ? 2 : 60 };
  const lines: [Line[], Line[]][] = [];
  for (let set = 1; set <= (quick ? 1 : SETS); set++) {
    print.progress(`set ${set}: starting the Workers`);
    const field = await startField(mock, held);
    await warmUp(field, SINGLE, quick ? 100 : WARM);
    lines.push([await measure(field, SINGLE, single), await measure(field, FIFTY, fifty)]);
    for (const { mf } of Object.values(field.variants)) await dispose(mf);
  }
  const one = summary(lines.map(([line]) => line));
  print.cpu("CPU of workerd for a push to one device", one);
  print.speed(one);
  const many = summary(lines.map(([, line]) => line));
  print.cpu("CPU of workerd for a push to 50 devices", many);
  return [...one, ...many];
}

async function measure(field: Field, scenes: typeof SINGLE, plan: Plan): Promise<Line[]> {
  const lines: Line[] = [];
  for (const scene of scenes) for (const callers of [1, 16]) lines.push(await measureCpu(field, scene, callers, plan));
  return lines;
}

async function startField(mock: MockVendor, held: Credentials): Promise<Field> {
  // The bare Worker asks its account for each push of a limited class: so does ours here.
  const ours = await startVariant("ours", { VENDOR_PROXY: mock.url, QUOTA_LEASES: "off" });
  const { plans, copies, requests } = await copyScenes(ours, mock, ADMIN_KEY, held);
  const bare = await startVariant("bare", { PLANS: plans.bare });
  const devices = await kv(bare, "DEVICES");
  for (const [key, value] of Object.entries(copies)) await devices.put(key, value);
  const fetchOnly = await startVariant("fetch-only", { PLANS: plans["fetch-only"] });
  return { variants: { ours, bare, "fetch-only": fetchOnly }, requests, mockPid: mock.pid };
}

function write(given: Options, results: Results): void {
  const file = join(ROOT, "target/bench.json");
  mkdirSync(join(ROOT, "target"), { recursive: true });
  const machine = { cpus: cpus().length, model: cpus()[0]?.model, node: process.version };
  writeFileSync(file, `${JSON.stringify({ at: new Date().toISOString(), machine, options: given, ...results }, null, 2)}\n`);
  if (given.quick) process.stdout.write("A smoke run: it shows that the benchmark works, its numbers mean nothing.\n");
  process.stdout.write("All numbers: target/bench.json. How to read them: tests/bench/README.md\n");
}

try {
  await run(options(process.argv.slice(2), process.env));
} catch (error) {
  process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
