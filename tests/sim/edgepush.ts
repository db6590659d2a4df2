// The same day through edgepush: the built wasm in workerd. Its population comes by `users:import`, its messages have their
// category, vendors report to it, and it knows the (scaled) totals of the day and what one phone may get.

import { setTimeout as sleep } from "node:timers/promises";
import { ADMIN_KEY, dispose, startVariant } from "../bench/variants.ts";
import { Gateway } from "../dev/client.ts";
import type { Lab } from "../lab/lab.ts";
import { REPORTING } from "../lab/reports.ts";
import { type Accounts, LIMITED, type Limits } from "./accounts.ts";
import { Files } from "./files.ts";
import { inParallel, send } from "./http.ts";
import type { Phone, Population } from "./population.ts";
import { type Day, MIX, type Push, words } from "./traffic.ts";

const PUBLIC_URL = "https://push.example.com";
const APP = "sim";
/** Pushes under way at a time. */
const CALLERS = 16;
/** Devices of one import; two go on at a time. */
const IMPORT_LINES = 100;
/** So many pushes later the open files are looked at again. */
const PUSHES_A_LOOK = 50;
/** A copy in KV that is younger is not trusted: the user's object would be asked. */
const TRUSTED_MS = 3_100;
/** Vendors report so often. */
const REPORT_MS = 2_000;
/** So long nothing may happen before the run gives up. */
const PATIENCE_MS = 120_000;

export interface Told {
  onImport(done: number, of: number): void;
  onPush(push: Push, done: number): void;
  onWait(left: number): void;
}

export interface Outcome {
  /** Messages in pushes that were answered with 2xx. */
  taken: number;
  /** Why a message was not sent. */
  kept(push: number, user: string): string | undefined;
  /** What the gateway itself says of the day. */
  own: { balanced: boolean; requested: number; accepted: number; received: number };
  seconds: number;
}

interface Delivery {
  user: string;
  state: string;
  reason?: string;
}

/** Honor's word for notifications that are off is not known to the gateway (its pages could not be read), and it says so each time. */
function warn(line: string): void {
  if (!line.includes('"receipt_code_unknown"')) process.stderr.write(`${line}\n`);
}

export async function sendByEdgepush(lab: Lab, accounts: Accounts, limits: Limits, population: Population, day: Day, told: Told): Promise<Outcome> {
  const worker = await startVariant("ours", { VENDOR_PROXY: lab.url, PUBLIC_URL }, undefined, warn);
  const base = `http://127.0.0.1:${worker.port}`;
  lab.settings({ callback_base: base });
  let reporting: Promise<void> | undefined;
  const ended = new AbortController();
  try {
    const gateway = await makeApp(base, lab, accounts, limits);
    const files = new Files(worker.pid);
    await importAll(gateway, population, accounts.apns.topic, files, told);
    await sleep(TRUSTED_MS);
    const began = performance.now();
    reporting = report(lab, ended.signal);
    const sent = new Sent(gateway, files, told);
    await sent.day(day);
    await sent.finish();
    const seconds = (performance.now() - began) / 1000;
    ended.abort();
    await reporting;
    const own = await ownWords(gateway);
    return { taken: sent.taken, kept: (push, user) => sent.reason(push, user), own, seconds };
  } finally {
    ended.abort();
    await reporting?.catch(() => {});
    await dispose(worker.mf);
  }
}

/** An app that has what its operator would give it: credentials, the vendors' classes, its limits, and where to report to. */
async function makeApp(base: string, lab: Lab, accounts: Accounts, limits: Limits): Promise<Gateway> {
  const granted = { im: {}, order: {}, follow: {} };
  const template = (channel_id: string): object => ({ "extra.channel_id": channel_id, "extra.template_id": "T1", "extra.template_param": '{"text":"{body}"}' });
  const classes = {
    huawei: granted,
    harmony: granted,
    honor: granted,
    xiaomi: { im: template("chat"), order: template("order"), follow: { "extra.channel_id": "news" }, marketing: { "extra.channel_id": "news" } },
    oppo: { im: { channel_id: "chat" }, order: { channel_id: "order", private_msg_template_id: "T1", private_content_parameters: { text: "{body}" } } },
  };
  // A vendor counts news and offers together, a policy each category by itself: each has its part of the day's total.
  const part = MIX.follow / (MIX.follow + MIX.marketing);
  const quota = Object.fromEntries(
    LIMITED.map((vendor) => {
      const follow = Math.floor(limits[vendor] * part);
      return [vendor, { follow: { per_day: follow }, marketing: { per_day: limits[vendor] - follow } }];
    }),
  );
  // Most of the day's marketing is large pushes: the phones' daily limits are kept in these, too.
  const policy = { classes, quota, over_quota: { follow: ["later", "drop"], marketing: ["drop"] }, per_device: true };
  const admin = new Gateway(base, ADMIN_KEY);
  await admin.putApp(APP, { ...accounts }, policy);
  const { receipts } = await admin.call<{ receipts: Record<string, string> }>("GET", `/v1/apps/${APP}`);
  const consoles = { huawei: accounts.huawei["client_id"], harmony: accounts.harmony["project_id"], honor: accounts.honor["app_id"] };
  for (const [vendor, account] of Object.entries(consoles)) lab.console(vendor, { account: account as string, url: PUBLIC_URL + receipts[vendor] });
  const meizu = { ...accounts.meizu, receipts: PUBLIC_URL + receipts["meizu"] };
  await admin.putApp(APP, { meizu }, policy);
  const { key } = await admin.makeKey(APP, ["push", "devices", "read"], "sim");
  return admin.with(key);
}

const PLATFORMS: Readonly<Record<string, string>> = { apns: "ios", harmony: "harmonyos" };

async function importAll({ base, key }: Gateway, { people }: Population, topic: string, files: Files, { onImport }: Told): Promise<void> {
  const phones = people.flatMap((person) => person.phones);
  const line = ({ user, device, vendor, token, permission }: Phone): string => {
    const apple = vendor === "apns" ? { environment: "production", topic } : {};
    return JSON.stringify({ user, device, platform: PLATFORMS[vendor] ?? "android", vendor, token, permission, ...apple });
  };
  const parts = Array.from({ length: Math.ceil(phones.length / IMPORT_LINES) }, (_, n) => phones.slice(n * IMPORT_LINES, (n + 1) * IMPORT_LINES));
  let done = 0;
  await inParallel(parts, 2, async (part) => {
    await files.room();
    const { status, text } = await send("POST", `${base}/v1/users:import?results=failed`, { authorization: `Bearer ${key}` }, part.map(line).join("\n"), false);
    const sum = JSON.parse(text.trimEnd().split("\n").at(-1) ?? "{}");
    if (status !== 200 || sum.created !== part.length) throw new Error(`import: ${status} ${text.slice(0, 500)}`);
    onImport((done += part.length), phones.length);
  });
}

/** What was sent, and what is known of each message. */
class Sent {
  taken = 0;
  readonly #gateway: Gateway;
  readonly #files: Files;
  readonly #told: Told;
  /** By push: its id and its place among the day's. */
  readonly #open: { id: string; n: number }[] = [];
  readonly #reasons = new Map<string, string>();

  constructor(gateway: Gateway, files: Files, told: Told) {
    this.#gateway = gateway;
    this.#files = files;
    this.#told = told;
  }

  async day({ pushes }: Day): Promise<void> {
    for (const { audience, users } of pushes) if (audience !== undefined) await this.#must("PUT", `/v1/audiences/${audience}`, users.join("\n"));
    await inParallel(pushes, CALLERS, (push) => this.#push(push));
  }

  async #push(push: Push): Promise<void> {
    const { n, category, users, audience } = push;
    if (n % PUSHES_A_LOOK === 0) await this.#files.room();
    const to = audience === undefined ? { users } : { audience };
    const campaign = category === "marketing" || category === "follow" ? { campaign: `${category}-${n}` } : {};
    const answer = await this.#must("POST", "/v1/push", JSON.stringify({ to, category, notification: words(push), ...campaign }));
    this.taken += users.length;
    if (answer.deliveries === undefined || isOpen(answer.counts)) this.#open.push({ id: answer.id, n });
    else this.#note(n, answer.deliveries);
    this.#told.onPush(push, this.taken);
  }

  /** Waits for what goes out by itself, and asks what became of it. */
  async finish(): Promise<void> {
    let last = performance.now();
    while (this.#open.length > 0) {
      const { id, n } = this.#open[0] as { id: string; n: number };
      this.#told.onWait(this.#open.length);
      const known = await this.#must("GET", `/v1/push/${id}`);
      if (isOpen(known.counts)) {
        if (performance.now() - last > PATIENCE_MS) throw new Error(`a push does not come to its end: ${JSON.stringify(known.counts)}`);
        await sleep(300);
        continue;
      }
      this.#note(n, known.deliveries);
      for (let { next } = known; next !== undefined; ) {
        const page = await this.#must("GET", `/v1/push/${id}?after=${encodeURIComponent(next)}`);
        this.#note(n, page.deliveries);
        next = page.next;
      }
      this.#open.shift();
      last = performance.now();
    }
  }

  #note(n: number, deliveries: readonly Delivery[]): void {
    for (const { user, state, reason } of deliveries) if (state === "skipped" || state === "held") this.#reasons.set(`${n} ${user}`, reason ?? state);
  }

  reason(n: number, user: string): string | undefined {
    return this.#reasons.get(`${n} ${user}`);
  }

  async #must(method: string, path: string, body?: string): Promise<any> {
    const { base, key } = this.#gateway;
    const { status, text } = await send(method, base + path, { authorization: `Bearer ${key}`, "content-type": "application/json" }, body);
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text.slice(0, 500)}`);
    return JSON.parse(text);
  }
}

/** Whether something of the push is still to be sent today. */
function isOpen(counts: Readonly<Record<string, number>>): boolean {
  return ["queued", "sending", "retrying"].some((state) => (counts[state] ?? 0) > 0);
}

/** The vendors report what they have, until the day is over, and then the rest. */
async function report(lab: Lab, ended: AbortSignal): Promise<void> {
  for (;;) {
    await sleep(REPORT_MS, undefined, { signal: ended }).catch(() => {});
    const last = ended.aborted;
    for (const vendor of REPORTING) {
      for (const post of await lab.report(vendor)) {
        if (post.status !== 200) throw new Error(`a report of ${vendor} was answered ${post.status}: ${post.answer}${post.error ?? ""}`);
      }
    }
    if (last) return;
  }
}

async function ownWords(gateway: Gateway): Promise<Outcome["own"]> {
  // Reports of more than a hundred phones go through the queue.
  await sleep(1_500);
  const { balanced, total } = await gateway.call<{ balanced: boolean; total: { requested: number; stages: { stage: string; out: number }[] } }>("GET", "/v1/funnel");
  const out = (name: string): number => total.stages.find(({ stage }) => stage === name)?.out ?? 0;
  return { balanced, requested: total.requested, accepted: out("accepted"), received: out("received") };
}
