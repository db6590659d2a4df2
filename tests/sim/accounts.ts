// Each sender's accounts at the vendors, and the totals of a day that go with them.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Lab } from "../lab/lab.ts";
import type { ApnsCredentials } from "../lab/vendors/apns_keys.ts";
import type { FcmCredentials } from "../lab/vendors/google_accounts.ts";
import type { Texts } from "../lab/vendors/makers.ts";
import { countPhones, type Population } from "./population.ts";

/** The vendors that limit how many messages of the public class an app sends in a day. */
export const LIMITED = ["xiaomi", "oppo", "vivo"] as const;
export type Limited = (typeof LIMITED)[number];
export type Limits = Readonly<Record<Limited, number>>;

/** The population for which the vendors' least totals are taken as they are; for a smaller one they shrink with it. */
export const FULL = 50_000;

/** The vendors that limit how many messages of that class one phone gets of an app in a day. */
export const PHONE_LIMITED = ["huawei", "harmony", "honor", ...LIMITED, "meizu"] as const;

interface PerDay {
  times: number;
  of: "installed" | "enabled";
  least: number;
}

interface Rule {
  vendor: string;
  classes: Record<string, { per_day?: PerDay; per_device?: { news: number; other: number } }>;
}

const readRules = (): Rule[] => JSON.parse(readFileSync(join(import.meta.dirname, "../../src/vendor/rules.json"), "utf8")) as Rule[];

/** What one phone may get in a day, as `src/vendor/rules.json` has it. */
export function phoneLimits(): Record<string, number> {
  const rules = readRules();
  return Object.fromEntries(PHONE_LIMITED.map((vendor) => [vendor, rules.find((one) => one.vendor === vendor)?.classes["marketing"]?.per_device?.other ?? 0]));
}

/** Both senders' limits: the vendors' rule (as `src/vendor/rules.json` has it) for these phones, its floor scaled with the population. */
export function limitsOf(population: Population): Limits {
  const rules = readRules();
  const phones = countPhones(population);
  const scale = Math.min(1, population.people.length / FULL);
  const limit = (vendor: Limited): number => {
    const rule = rules.find((one) => one.vendor === vendor)?.classes["marketing"]?.per_day;
    if (rule === undefined) throw new Error(`rules.json has no total of ${vendor}`);
    return Math.max(1, rule.times * phones[vendor][rule.of], Math.round(rule.least * scale));
  };
  return { xiaomi: limit("xiaomi"), oppo: limit("oppo"), vivo: limit("vivo") };
}

export interface Accounts {
  apns: ApnsCredentials;
  fcm: FcmCredentials;
  huawei: Texts;
  harmony: Texts;
  honor: Texts;
  xiaomi: Texts;
  oppo: Texts;
  vivo: Texts;
  meizu: Texts;
}

/** Accounts of one sender's own: what one uses up is not missing at the other. */
export async function makeAccounts(lab: Lab, limits: Limits): Promise<Accounts> {
  return {
    apns: await lab.makeApns(),
    fcm: await lab.makeFcm(),
    huawei: await lab.makeKeys("huawei"),
    harmony: await lab.makeKeys("harmony"),
    honor: await lab.makeKeys("honor"),
    xiaomi: await lab.makeKeys("xiaomi", { channels: { chat: "private", order: "private", news: "public" }, public_per_day: limits.xiaomi }),
    oppo: await lab.makeKeys("oppo", { per_day: limits.oppo }),
    vivo: await lab.makeKeys("vivo", { per_day: limits.vivo }),
    meizu: await lab.makeKeys("meizu"),
  };
}
