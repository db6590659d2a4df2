// `make faults`: one table of what becomes of pushes when something goes wrong. Counts are taken from the lab's log.

import { mkdtemp, rm } from "node:fs/promises";
import { type Lab, startLab } from "../lab/lab.ts";
import { killRuntime } from "../worker/crash.ts";
import { type App, Stage, until } from "../worker/stage.ts";
import { type Called, ended, pushUntilAnswered } from "./callers.ts";
import { type Tally, requests, tally } from "./tally.ts";

export interface Row extends Tally {
  what: string;
  acknowledged: number;
  /** What the caller learnt, in words. */
  learnt: string;
}

type Case = (world: World) => Promise<Row>;

interface World {
  stage: Stage;
  lab: Lab;
  app: App;
  users: string[];
}

const key = (() => {
  let n = 0;
  return () => `case ${n++}`;
})();

const words = (counts: Record<string, number>): string =>
  Object.entries(counts)
    .map(([name, n]) => `${n} ${name}`)
    .join(", ");

/** Pushes each to one user, all at once. */
function pushAll(world: World, n: number, body: object): Promise<Called[]> {
  const one = (at: number) => pushUntilAnswered(world.stage, world.app, { to: { users: [world.users[at]] }, ...body }, key());
  return Promise.all(Array.from({ length: n }, (_, at) => one(at)));
}

async function row(world: World, what: string, called: readonly Called[], learnt: string): Promise<Row> {
  const pushes = await ended(world.stage, world.app, called.map(({ id }) => id), 200_000);
  return { what, acknowledged: called.length, ...tally(world.stage, pushes), learnt };
}

function states(called: readonly Called[]): string {
  const counts: Record<string, number> = {};
  for (const { answer } of called) for (const delivery of answer.deliveries ?? []) counts[delivery.state] = (counts[delivery.state] ?? 0) + 1;
  return words(counts);
}

const limited: Case = async (world) => {
  world.lab.fault({ vendor: "apns", times: 50, do: { reason: "TooManyRequests", headers: { "retry-after": "2" } } });
  const called = await pushAll(world, 50, { category: "order" });
  return row(world, "429 with Retry-After: 2, once for each of 50", called, states(called));
};

const repeated: Case = async (world) => {
  const body = { to: { users: [world.users[0]] }, category: "order" };
  const [mine, own] = [key(), key()];
  const first = await pushUntilAnswered(world.stage, world.app, body, mine);
  const second = await pushUntilAnswered(world.stage, world.app, body, mine);
  // Its own time-out: the answer takes longer than the caller waits.
  world.lab.fault({ vendor: "apns", do: { delay_ms: 2_000 } });
  const impatient = fetch(`${world.stage.url}/v1/push`, {
    method: "POST",
    headers: { authorization: `Bearer ${world.app.key}`, "content-type": "application/json", "idempotency-key": own },
    body: JSON.stringify({ notification: { title: "Sent", body: "Your parcel has left" }, ...body }),
    signal: AbortSignal.timeout(500),
  }).catch(() => undefined);
  await impatient;
  const third = await pushUntilAnswered(world.stage, world.app, body, own);
  const called = [first, third];
  return row(world, "caller repeats after an answer, and after its own time-out", called, `same id ${second.id === first.id}, replayed ${second.replayed}; then replayed ${third.replayed}`);
};

const killed: Case = async (world) => {
  for (const vendor of ["apns"]) world.lab.fault({ vendor, times: -1, do: { delay_ms: 1_500 } });
  const running = pushAll(world, 500, { category: "im" });
  await until(() => (requests(world.stage).size >= 250 ? true : undefined), 60_000);
  await killRuntime(world.stage);
  world.lab.clearFaults();
  const called = await running;
  const repeats = called.reduce((sum, { requests }) => sum + requests - 1, 0);
  return row(world, "SIGKILL with 500 pushes under way (im)", called, `${states(called)}, after ${repeats} repeats with their keys`);
};

const hang = (waiting: number): Case => async (world) => {
  const google = async () => {
    const began = performance.now();
    const called = await pushUntilAnswered(world.stage, world.app, { to: { users: ["google"] }, category: "order" }, key());
    return { called, ms: performance.now() - began };
  };
  const sample = async (n: number) => {
    const all = [];
    for (let at = 0; at < n; at++) all.push(await google());
    const times = all.map(({ ms }) => ms).toSorted((a, b) => a - b);
    const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))]!.toFixed(0);
    return { called: all.map(({ called }) => called), text: `${at(0.5)}/${at(0.99)} ms` };
  };
  await sample(20);
  const before = await sample(60);
  world.lab.fault({ vendor: "apns", times: -1, do: { hang: true } });
  const running = pushAll(world, waiting, { category: "marketing" });
  await until(() => (world.stage.seen("apns").length >= Math.min(waiting, 16) ? true : undefined), 30_000);
  const beside = await sample(60);
  const called = await running;
  world.lab.clearFaults();
  const learnt = `${states(called)}; FCM beside it p50/p99 ${beside.text}, without ${before.text}`;
  return row(world, `APNs hangs while ${waiting} pushes wait`, [...called, ...beside.called], learnt);
};

const dead: Case = async (world) => {
  world.lab.fault({ vendor: "apns", times: 100, do: { reason: "Unregistered" } });
  const called = await pushUntilAnswered(world.stage, world.app, { to: { users: world.users.slice(0, 100) }, category: "order" }, key());
  const [push] = await ended(world.stage, world.app, [called.id], 60_000);
  const left = await Promise.all(world.users.slice(0, 100).map((user) => world.stage.devices(world.app, user)));
  const kept = left.filter((devices) => devices.length > 0).length;
  return row(world, "100 dead tokens in one push", [called], `${words(push.counts)}; ${kept} of 100 devices kept: most of a batch at once is suspect`);
};

export const CASES: readonly Case[] = [limited, repeated, killed, hang(16), hang(100), dead];

/** Runs a case in a world of its own. */
export async function runCase(one: Case): Promise<Row> {
  const persist = await mkdtemp("target/faults-");
  const lab = await startLab({ settings: { log_size: 100_000 } });
  const stage = await Stage.start({ persist, lab });
  try {
    const app = await stage.app();
    const users = Array.from({ length: 500 }, (_, n) => `user-${n}`);
    for (let at = 0; at < users.length; at += 25) await Promise.all(users.slice(at, at + 25).map((user) => stage.iphone(app, user)));
    await stage.android(app, "google");
    await stage.push(app, { to: { users: ["google", "user-0"] } });
    lab.clearLog();
    return await one({ stage, lab, app, users });
  } finally {
    await stage.stop();
    await lab.close();
    await rm(persist, { recursive: true, force: true });
  }
}

/** What must not be. */
export function broken(row: Row): boolean {
  return row.lost > 0 || row.twice > 0 || row.unresolved > 0;
}
