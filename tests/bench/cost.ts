// What a single push costs: counted by the worker itself (header `Edgepush-Cost`) while it sends to the lab, which
// verifies every token and limit; priced with the list prices of the platform.

import { setTimeout as sleep } from "node:timers/promises";
import type { Lab } from "../lab/lab.ts";
import type { Gateway } from "../dev/client.ts";
import { progress } from "./print.ts";
import { CATEGORIES, type Category, copiesAreTrusted, type Credentials, makeApp, makeUser, pushBody, type VendorName, VENDORS } from "./scenes.ts";
import type { Variant } from "./variants.ts";

/** US dollars per million, paid plan, as docs/ and the design have them (read 2026-11). */
export const PRICES = {
  request: 0.3,
  kv_read: 0.5,
  object_request: 0.15,
  row_written: 1,
  cpu_ms: 0.02,
  /** A GB-second; an object is billed as 128 MB while it is awake. */
  object_gb_s: 12.5,
} as const;
const OBJECT_GB = 0.128;

/** An alarm fires 5 s after marks have run ahead; then one more call brings what it has written. */
export const ALARM_MS = 6_500;
/** Slow traffic: further apart than what the counter calls quick (1 s). */
const APART_MS = 1_100;

export interface Counts {
  kv_reads: number;
  object_calls: number;
  rows_written: number;
  fetches: number;
}

const NAMES = ["kv_reads", "object_calls", "rows_written", "fetches"] as const;

export interface CostResult {
  vendor: VendorName;
  category: Category;
  limited: boolean;
  pushes: number;
  /** Per push, in quick succession: the pushes of the run, the pause in which alarms fire, and one more push. */
  quick: Counts;
  /** Per push, more than a second apart: the dearest traffic, nothing is shared. */
  slow: Counts;
  alarms: number;
  /** Dollars per million pushes. */
  price: { quick: Price; slow: Price };
}

export type Price = Record<"request" | "kv" | "objects" | "object_time" | "rows" | "cpu" | "total", number>;

export interface CostPlan {
  /** Pushes of each case in quick succession. */
  pushes: number;
  /** Pushes of each case that are more than a second apart. */
  slow: number;
  /** CPU of one push, for the price. */
  cpuMs: number;
  alarmMs: number;
}

interface Case {
  vendor: VendorName;
  category: Category;
  limited: boolean;
  user: string;
  gateway: Gateway;
}

export async function measureCost(
  ours: Variant,
  lab: Lab,
  held: Credentials,
  adminKey: string,
  plan: CostPlan,
): Promise<CostResult[]> {
  lab.settings({ log_size: 0 });
  const cases = await makeCases(ours, held, adminKey);
  for (const one of cases) await many(one, 5);
  // The alarms of what was sent so far shall not count for what comes.
  progress("cost: waiting for the alarms of the warm-up");
  await sleep(plan.alarmMs);
  for (const one of cases) await push(one);

  const quick: Counts[] = [];
  for (const one of cases) {
    progress(`cost: ${plan.pushes} × ${one.vendor}, ${one.category}${one.limited ? ", limited" : ""}`);
    quick.push(await many(one, plan.pushes));
  }
  progress("cost: waiting for the alarms");
  await sleep(plan.alarmMs);
  // Rows that an alarm writes are reported with the object's next answer.
  for (const [n, one] of cases.entries()) add(quick[n]!, await push(one));

  const slow = cases.map(() => zero());
  for (let turn = 0; turn < plan.slow; turn++) {
    progress(`cost: slow traffic, ${turn + 1} of ${plan.slow}`);
    await sleep(APART_MS);
    for (const [n, one] of cases.entries()) add(slow[n]!, await push(one));
  }
  return cases.map((one, n) => {
    const { vendor, category, limited } = one;
    const perPush = { quick: divide(quick[n]!, plan.pushes + 1), slow: divide(slow[n]!, plan.slow) };
    // An alarm is set, at most every 5 s, where marks run ahead; its firing is a request to the object. In the run: one.
    const alarms = limited ? 1 / (plan.pushes + 1) : 0;
    const price = { quick: priceOf(perPush.quick, alarms, plan.cpuMs), slow: priceOf(perPush.slow, 0, plan.cpuMs) };
    return { vendor, category, limited, pushes: plan.pushes, ...perPush, alarms, price };
  });
}

/** An app per category and policy: each has Account objects of its own, so nobody's rows show in another's answers. */
async function makeCases(ours: Variant, held: Credentials, adminKey: string): Promise<Case[]> {
  const cases: Case[] = [];
  for (const limited of [false, true]) {
    for (const category of CATEGORIES) {
      progress(`cost: setting up ${category}${limited ? ", limited" : ""}`);
      const app = `cost-${category}-${limited ? "limited" : "open"}`;
      const gateway = await makeApp(ours, adminKey, app, held, limited);
      for (const vendor of VENDORS) {
        const user = `user-${vendor}`;
        await makeUser(gateway, user, vendor, 1, held.topic);
        cases.push({ vendor, category, limited, user, gateway });
      }
    }
  }
  await copiesAreTrusted();
  return cases;
}

async function many(one: Case, pushes: number): Promise<Counts> {
  const sum = zero();
  for (let n = 0; n < pushes; n++) add(sum, await push(one));
  return sum;
}

async function push({ gateway, user, category }: Case): Promise<Counts> {
  const response = await fetch(`${gateway.base}/v1/push`, {
    method: "POST",
    headers: { authorization: `Bearer ${gateway.key}`, "content-type": "application/json" },
    body: JSON.stringify(pushBody(user, category)),
  });
  const text = await response.text();
  if (!text.includes('"counts":{"accepted":1}')) throw new Error(`a push was answered ${response.status}: ${text}`);
  const header = response.headers.get("edgepush-cost") ?? "";
  const values = Object.fromEntries(header.split(", ").map((pair) => pair.split("=")));
  const read = (name: string): number => {
    const value = Number(values[name]);
    if (!Number.isSafeInteger(value)) throw new Error(`Edgepush-Cost has no ${name}: ${header}`);
    return value;
  };
  return { kv_reads: read("kv_reads"), object_calls: read("object_calls"), rows_written: read("rows_written"), fetches: read("fetches") };
}

const zero = (): Counts => ({ kv_reads: 0, object_calls: 0, rows_written: 0, fetches: 0 });

function add(to: Counts, more: Counts): void {
  for (const name of NAMES) to[name] += more[name];
}

function divide(counts: Counts, by: number): Counts {
  return Object.fromEntries(NAMES.map((name) => [name, counts[name] / by])) as unknown as Counts;
}

/** `alarms`: fired per push. Object time: a call keeps its object busy for no longer than the CPU of the whole push. */
function priceOf(counts: Counts, alarms: number, cpuMs: number): Price {
  const calls = counts.object_calls + alarms;
  const parts = {
    request: PRICES.request,
    kv: counts.kv_reads * PRICES.kv_read,
    objects: calls * PRICES.object_request,
    object_time: calls * (cpuMs / 1000) * OBJECT_GB * PRICES.object_gb_s,
    rows: counts.rows_written * PRICES.row_written,
    cpu: cpuMs * PRICES.cpu_ms,
  };
  return { ...parts, total: Object.values(parts).reduce((sum, part) => sum + part, 0) };
}
