// The runtime is killed again and again under load, on storage that stays. Callers repeat their requests with their keys.
// In the end every push has its end, no delivery went out twice but those whose try had no answer, and the funnel adds up.

import { mkdtemp, rm } from "node:fs/promises";
import { type Lab, startLab } from "../lab/lab.ts";
import { killRuntime } from "../worker/crash.ts";
import { type App, Stage } from "../worker/stage.ts";
import { ended, pushUntilAnswered } from "./callers.ts";
import { type Tally, tally } from "./tally.ts";

export interface ChaosOptions {
  kills: number;
  callers: number;
  /** Milliseconds between two kills, at most. */
  every: number;
  onProgress?: (text: string) => void;
}

export interface ChaosReport extends Tally {
  kills: number;
  pushes: number;
  requests: number;
  replayed: number;
  queued: number;
  balanced: boolean;
  /** Deliveries that the funnel counts. */
  counted: number;
}

/** Pushes that wait for their answer at once. */
const WAITING_MAX = 600;
const CATEGORIES = ["im", "order", "follow", "marketing"] as const;

export async function chaos(options: ChaosOptions): Promise<ChaosReport> {
  const say = options.onProgress ?? (() => {});
  const persist = await mkdtemp("target/chaos-");
  const lab = await startLab({ settings: { log_size: 500_000 } });
  const stage = await Stage.start({ persist, lab });
  try {
    return await run(stage, lab, options, say);
  } finally {
    await stage.stop();
    await lab.close();
    await rm(persist, { recursive: true, force: true });
  }
}

async function run(stage: Stage, lab: Lab, options: ChaosOptions, say: (text: string) => void): Promise<ChaosReport> {
  const app = await people(stage);
  lab.clearLog();
  // A vendor that takes its time: at any moment something is under way.
  for (const vendor of ["apns", "fcm"]) lab.fault({ vendor, times: -1, do: { delay_ms: 25 } });
  const report = { kills: 0, pushes: 0, requests: 0, replayed: 0, queued: 0 };
  const ids: string[] = [];
  let going = true;
  const waiting = new Set<Promise<void>>();
  const caller = async (n: number) => {
    for (let m = 0; going && waiting.size < WAITING_MAX; m++) {
      const category = CATEGORIES[(n + m) % 4];
      const queued = (n + m) % 9 === 0;
      const users = queued ? everybody.slice(0, 60) : [everybody[(n * 31 + m) % everybody.length]];
      const body = { to: { users }, category, wait: !queued, campaign: `caller-${n}` };
      const one = pushUntilAnswered(stage, app, body, `${n} ${m}`).then((called) => {
        ids.push(called.id);
        report.requests += called.requests;
        report.queued += queued ? 1 : 0;
        if (called.replayed) report.replayed++;
        waiting.delete(one);
      });
      waiting.add(one);
      // One that a kill has cost its answer is repeated in the background: the load goes on meanwhile.
      await Promise.race([one, new Promise((next) => setTimeout(next, 500))]);
    }
  };
  const callers = Array.from({ length: options.callers }, (_, n) => caller(n));
  for (; report.kills < options.kills; report.kills++) {
    await new Promise((next) => setTimeout(next, Math.random() * options.every));
    await killRuntime(stage);
    if (report.kills % 10 === 9) say(`${report.kills + 1} kills, ${ids.length} pushes acknowledged`);
  }
  going = false;
  lab.clearFaults();
  say("waiting for callers and for what the killed workers left behind");
  await Promise.all(callers);
  await Promise.all(waiting);
  report.pushes = ids.length;
  const pushes = await ended(stage, app, ids, 240_000);
  const funnel = await balanced(stage, app);
  return { ...report, ...tally(stage, pushes), ...funnel };
}

const everybody = Array.from({ length: 120 }, (_, n) => `user-${n}`);

/** An app, and users of whom every third has two phones. */
async function people(stage: Stage): Promise<App> {
  const app = await stage.app();
  for (const [n, user] of everybody.entries()) {
    if (n % 3 !== 1) await stage.iphone(app, user);
    if (n % 3 !== 2) await stage.android(app, user);
  }
  return app;
}

/** The funnel, by everything it can be asked by. */
async function balanced(stage: Stage, app: App): Promise<{ balanced: boolean; counted: number }> {
  let all = true;
  let counted = 0;
  for (const by of ["", "?by=vendor", "?by=category", "?by=campaign", "?by=platform"]) {
    const { json } = await stage.ask("GET", `/v1/funnel${by}`, app.key);
    all &&= json.balanced;
    all &&= json.total.stages.slice(0, 4).every((stage: any) => stage.under_way === 0);
    counted = json.total.requested;
  }
  return { balanced: all, counted };
}

/** What must hold; each broken one in words. */
export function faultsOf(report: ChaosReport): string[] {
  const wrong: string[] = [];
  if (report.lost > 0) wrong.push(`${report.lost} deliveries are said to be accepted and were never seen`);
  if (report.twice > 0) wrong.push(`${report.twice} deliveries went out twice though every try had its answer`);
  if (report.unresolved > 0) wrong.push(`${report.unresolved} deliveries have no end`);
  if (!report.balanced) wrong.push("the funnel does not add up, or something is under way in it");
  if (report.counted < report.deliveries) wrong.push(`the funnel counts ${report.counted} of ${report.deliveries} deliveries`);
  return wrong;
}

