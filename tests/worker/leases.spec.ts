// Leases: an isolate whose traffic of a limited class is quick holds grants ahead, so that a push need not ask the account; no limit is
// overshot by it, and what is left comes back.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, test } from "node:test";
import { ADMIN_KEY, type App, copiesAreTrusted, cost, Stage } from "./stage.ts";
import { killRuntime } from "./crash.ts";

/** A lease lasts 10 s; then what is left is brought back. */
const LEASE_MS = 10_000;
const BACK_MS = LEASE_MS + 1_000;

let stage: Stage;
before(async () => {
  stage = await Stage.start({ bindings: { LEDGER_SHARDS: "1" } });
});
after(() => stage.stop());

const limited = (per_day: number) => ({ quota: { apns: { marketing: { per_day } } } });
const send = (app: App, on = stage) => on.push(app, { to: { users: ["u"] } });
const level = async (app: App, on = stage) => (await on.must("GET", "/v1/quota", app.key)).accounts.apns.limits[0];
/** A window that ends within the test begins anew: every level is measured in one day. */
const notAtMidnight = async () => {
  const left = 86_400_000 - (Date.now() % 86_400_000);
  if (left < 40_000) await sleep(left + 100);
};

async function withPhone(policy: object, on = stage): Promise<App & { token: string }> {
  const app = await on.app(policy);
  const token = await on.iphone(app, "u");
  await copiesAreTrusted();
  return { ...app, token };
}

test("quick pushes of a limited class ask the account ever less, and what was not used comes back by itself", async () => {
  await notAtMidnight();
  const app = await withPhone(limited(100_000));
  let asked = 0;
  for (let n = 0; n < 100; n++) {
    const answer = await send(app);
    assert.equal(answer.json.counts.accepted, 1, answer.text);
    asked += cost(answer).object_calls - 2;
  }
  // One question without a lease, then one for each that was used up (4, 8, 16, …), and one or two more on a slow machine.
  assert.ok(asked <= 12, `${asked} of 100 pushes asked their account`);
  const held = await level(app);
  assert.ok(held.reserved > 0, JSON.stringify(held));
  assert.equal(held.granted, held.used + held.reserved);
  assert.ok(held.granted > 100);
  await sleep(BACK_MS);
  const { granted, used, reserved, left } = await level(app);
  assert.deepEqual({ granted, used, reserved, left }, { granted: 100, used: 100, reserved: 0, left: 99_900 });
});

test("slow traffic and small limits hold nothing ahead", async () => {
  const app = await withPhone(limited(99));
  for (let n = 0; n < 10; n++) assert.equal(cost(await send(app)).object_calls, 3);
  const { granted, reserved } = await level(app);
  assert.deepEqual({ granted, reserved }, { granted: 10, reserved: 0 });
});

test("64 senders at once never pass a limit together, and all of it can be used", async () => {
  await notAtMidnight();
  const app = await withPhone(limited(1_000));
  stage.lab.clearLog();
  let accepted = 0;
  const ends: Record<string, number> = {};
  const sender = async () => {
    for (let n = 0; n < 20; n++) {
      const { json } = await send(app);
      const { state, reason } = json.deliveries?.[0] ?? json;
      const end = `${state} ${reason ?? ""}`;
      ends[end] = (ends[end] ?? 0) + 1;
      accepted += json.counts?.accepted ?? 0;
    }
  };
  await Promise.all(Array.from({ length: 64 }, sender));
  assert.ok(accepted > 900 && accepted <= 1_000, JSON.stringify(ends));
  await sleep(BACK_MS);
  while ((await send(app)).json.counts.accepted === 1) accepted += 1;
  assert.equal(accepted, 1_000);
  assert.equal(stage.seen("apns").length, 1_000);
});

test("grants that a refusal gives back stay usable here", async () => {
  const app = await withPhone(limited(100_000));
  for (let n = 0; n < 20; n++) await send(app);
  stage.lab.fault({ vendor: "apns", match: { token: app.token }, times: 1, do: { reason: "PayloadEmpty" } });
  const refused = await send(app);
  assert.equal(refused.json.deliveries[0].reason, "vendor_rejected", refused.text);
  assert.equal(cost(refused).object_calls, 2, "what came back is in the lease");
});

test("a lease of an older policy lets nothing pass", async () => {
  const app = await withPhone(limited(100_000));
  for (let n = 0; n < 20; n++) await send(app);
  assert.ok((await level(app)).reserved > 0);
  await stage.must("PUT", `/v1/apps/${app.id}`, ADMIN_KEY, { policy: limited(10) });
  const answer = await send(app);
  assert.deepEqual([answer.json.deliveries[0].state, answer.json.deliveries[0].reason], ["skipped", "quota"], answer.text);
});

test("a vendor's refusal closes the class also for those who hold grants ahead", async () => {
  const app = await stage.channels();
  const push = () => stage.push(app, { to: { tokens: [{ vendor: "vivo", token: `vivo-${"0".repeat(32)}` }] }, category: "marketing" });
  for (let n = 0; n < 20; n++) await push();
  const { limits } = (await stage.must("GET", "/v1/quota", app.key)).accounts.vivo;
  assert.ok(limits[0].reserved > 0, JSON.stringify(limits));
  stage.lab.fault({ vendor: "vivo", times: 1, do: { reason: "10070" } });
  assert.equal((await push()).json.deliveries[0].state, "failed");
  const closed = await push();
  assert.deepEqual([closed.json.deliveries[0].state, cost(closed).fetches], ["skipped", 0], closed.text);
});

test("64 senders, refusals that come back, kills in between: never over the limit, and the rest of it was usable", async () => {
  await notAtMidnight();
  const persist = await mkdtemp("target/leases-");
  const crashing = await Stage.start({ persist, lab: stage.lab, bindings: { LEDGER_SHARDS: "1" } });
  const limit = 1_500;
  const kills = 4;
  try {
    const app = await withPhone(limited(limit), crashing);
    stage.lab.clearLog();
    // Of every burst some are refused and come back; the others count.
    const refuse = () => stage.lab.fault({ vendor: "apns", match: { token: app.token }, skip: 10, times: 30, do: { reason: "PayloadEmpty" } });
    const went = () => stage.seen("apns").filter(({ status }) => status === 200).length;
    const burst = (senders: number, n: number) =>
      Promise.allSettled(
        Array.from({ length: senders }, async () => {
          for (let at = 0; at < n; at++) await send(app, crashing);
        }),
      );
    for (let kill = 0; kill < kills; kill++) {
      refuse();
      const running = burst(64, 4);
      await sleep(250 + 40 * kill);
      await killRuntime(crashing);
      await running;
    }
    refuse();
    await burst(64, 30);
    await sleep(BACK_MS);
    await burst(16, 8);
    const seen = went();
    assert.ok(seen <= limit, `${seen} sent of ${limit}`);
    // A kill takes a lease of 1 % of the limit, a block of another 1 %, and what was under way.
    assert.ok(seen >= limit - kills * (15 + 15 + 64), `${seen} sent: the limit was usable`);
  } finally {
    await crashing.stop();
    await rm(persist, { recursive: true, force: true });
  }
});

test("QUOTA_LEASES=off: each push of a limited class asks", async () => {
  const without = await Stage.start({ lab: stage.lab, bindings: { QUOTA_LEASES: "off" } });
  try {
    const app = await withPhone(limited(100_000), without);
    for (let n = 0; n < 10; n++) assert.equal(cost(await send(app, without)).object_calls, 3);
    assert.equal((await level(app, without)).reserved, 0);
  } finally {
    await without.stop();
  }
});
