// What leases save: calls to objects for pushes of a limited class, asked one by one and held ahead, as the worker counts them itself.

import { setTimeout as sleep } from "node:timers/promises";
import { progress } from "./print.ts";
import { copiesAreTrusted, type Credentials, makeApp, makeUser, pushBody } from "./scenes.ts";
import { dispose, startVariant } from "./variants.ts";
import type { MockVendor } from "./vendor.ts";

export interface LeaseResult {
  callers: number;
  pushes: number;
  /** Calls to objects in all, with `QUOTA_LEASES` off and on. */
  before: number;
  after: number;
}

/** A lease lasts 10 s. */
const LEASE_MS = 11_000;

export async function measureLeases(mock: MockVendor, held: Credentials, adminKey: string, pushes: number): Promise<LeaseResult[]> {
  const results: LeaseResult[] = [];
  for (const callers of [1, 16]) {
    const [before, after] = [await calls("off", mock, held, adminKey, pushes, callers), await calls("on", mock, held, adminKey, pushes, callers)];
    results.push({ callers, pushes, before, after });
  }
  return results;
}

async function calls(leases: "on" | "off", mock: MockVendor, held: Credentials, adminKey: string, pushes: number, callers: number): Promise<number> {
  progress(`leases ${leases}: ${pushes} pushes of a limited class, ${callers} at once`);
  const ours = await startVariant("ours", { VENDOR_PROXY: mock.url, QUOTA_LEASES: leases });
  const gateway = await makeApp(ours, adminKey, "leases", held, true);
  await makeUser(gateway, "u", "apns", 1, held.topic);
  await copiesAreTrusted();
  const push = async (): Promise<number> => {
    const response = await fetch(`${gateway.base}/v1/push`, {
      method: "POST",
      headers: { authorization: `Bearer ${gateway.key}`, "content-type": "application/json" },
      body: JSON.stringify(pushBody("u", "follow")),
    });
    const text = await response.text();
    if (!text.includes('"counts":{"accepted":1}')) throw new Error(`a push was answered ${response.status}: ${text}`);
    const counted = /object_calls=([0-9]+)/.exec(response.headers.get("edgepush-cost") ?? "")?.[1];
    if (counted === undefined) throw new Error("Edgepush-Cost has no object_calls");
    return Number(counted);
  };
  // The app, the signing key and the ledger are in memory; a lease that this has brought has ended.
  await push();
  await sleep(leases === "on" ? LEASE_MS : 0);
  let [sum, left] = [0, pushes];
  const caller = async (): Promise<void> => {
    while (left-- > 0) {
      const calls = await push();
      sum += calls;
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  await dispose(ours.mf);
  // The last lease is brought back when the pushes are over: no push's header has that call.
  return leases === "on" ? sum + 1 : sum;
}
