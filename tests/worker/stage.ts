// A stage for one test file: the built worker under workerd, with real KV and objects, beside a lab. Every test makes
// an app of its own, so tests do not see each other.

import { createHash, randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import { Miniflare, type MiniflareOptions } from "miniflare";
import { type Lab, startLab } from "../lab/lab.ts";

export const ADMIN_KEY = "an-admin-key-of-the-tests";
export const SEAL_KEY = Buffer.alloc(32, 7).toString("base64");

/** The phone makers' channels, and JPush. */
export const MAKERS = ["huawei", "harmony", "honor", "xiaomi", "oppo", "vivo", "meizu", "jpush"] as const;

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The body as JSON; fails the test where there is none. */
  json: any;
}

export interface Cost {
  kv_reads: number;
  object_calls: number;
  rows_written: number;
  fetches: number;
}

export interface StageOptions {
  /** Which build: the deployed one, or the one with faults to provoke. */
  build?: "build" | "target/build-test";
  bindings?: Record<string, string>;
  lab?: Lab;
  persist?: string;
  /** Gets every line that the worker logs. */
  log?: (line: string) => void;
}

export interface App {
  id: string;
  key: string;
  topic: string;
}

/** What the tests need of a KV namespace. */
export interface Kv {
  get(key: string): Promise<string | null>;
  put(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
}

export class Stage {
  readonly lab: Lab;
  readonly mf: Miniflare;
  readonly url: string;
  readonly #ownLab: boolean;

  private constructor(lab: Lab, mf: Miniflare, url: string, ownLab: boolean) {
    this.lab = lab;
    this.mf = mf;
    this.url = url;
    this.#ownLab = ownLab;
  }

  static async start(options: StageOptions = {}): Promise<Stage> {
    const lab = options.lab ?? (await startLab());
    const mf = new Miniflare(miniflareOptions(lab.url, options));
    const url = (await mf.ready).origin;
    return new Stage(lab, mf, url, options.lab === undefined);
  }

  async stop(): Promise<void> {
    await this.mf.dispose();
    if (this.#ownLab) await this.lab.close();
  }

  /** One request. `body` is sent as it is when it is text or bytes, else as JSON. */
  async ask(method: string, path: string, key?: string, body?: unknown, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<Answer> {
    const all: Record<string, string> = { "content-type": "application/json", ...headers };
    if (key !== undefined) all["authorization"] = `Bearer ${key}`;
    const raw = typeof body === "string" || body instanceof Uint8Array || body === undefined;
    const init: RequestInit = { method, headers: all };
    if (signal !== undefined) init.signal = signal;
    if (body !== undefined) init.body = raw ? (body as string) : JSON.stringify(body);
    const response = await fetch(this.url + path, init);
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      get json(): any {
        return JSON.parse(text);
      },
    };
  }

  /** One request that must succeed. */
  async must(method: string, path: string, key?: string, body?: unknown): Promise<any> {
    const answer = await this.ask(method, path, key, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.text === "" ? undefined : answer.json;
  }

  admin(method: string, path: string, body?: unknown): Promise<Answer> {
    return this.ask(method, path, ADMIN_KEY, body);
  }

  /** An app with credentials that the lab accepts, and a key with every scope. */
  async app(policy: object = {}): Promise<App> {
    const id = `app-${randomBytes(6).toString("hex")}`;
    const [apns, fcm] = await Promise.all([this.lab.makeApns(), this.lab.makeFcm()]);
    await this.must("PUT", `/v1/apps/${id}`, ADMIN_KEY, { credentials: { apns, fcm }, policy });
    const { key } = await this.must("POST", `/v1/apps/${id}/keys`, ADMIN_KEY, {
      scopes: ["push", "devices", "read", "manage"],
    });
    return { id, key, topic: apns.topic };
  }

  /** An app with a credential for every vendor, and a policy that names what their classes need. */
  async channels(policy: object = {}, options: Record<string, object> = {}): Promise<App> {
    const app = await this.app();
    const credentials = Object.fromEntries(
      await Promise.all([...MAKERS].map(async (vendor) => [vendor, await this.lab.make(vendor, { ...(vendor === "xiaomi" ? { channels: { ch1: "private", ch2: "public" } } : {}), ...options[vendor] })])),
    );
    const given = Object.fromEntries(["im", "order", "follow"].map((category) => [category, {}]));
    const ofPrivate = { "extra.channel_id": "ch1", "extra.template_id": "T1" };
    const classes = {
      huawei: given,
      harmony: given,
      honor: given,
      jpush: given,
      xiaomi: { im: ofPrivate, order: ofPrivate, follow: {}, marketing: {} },
      oppo: { im: { channel_id: "chat" }, order: { channel_id: "order", private_msg_template_id: "T1" } },
    };
    await this.must("PUT", `/v1/apps/${app.id}`, ADMIN_KEY, { credentials, policy: { classes, ...policy } });
    return app;
  }

  /** Registers an iPhone; gives its token back. A device id belongs to one user, so its default name says whose it is. */
  async iphone(app: App, user: string, device = `${user}-iphone`, more: object = {}): Promise<string> {
    const token = randomBytes(32).toString("hex");
    await this.device(app, user, device, { platform: "ios", vendor: "apns", token, topic: app.topic, ...more });
    return token;
  }

  /** Registers an Android phone; gives its token back. */
  async android(app: App, user: string, device = `${user}-android`, more: object = {}): Promise<string> {
    const token = `${randomBytes(11).toString("hex")}:APA91b${randomBytes(32).toString("base64url")}`;
    await this.device(app, user, device, { platform: "android", vendor: "fcm", token, ...more });
    return token;
  }

  async device(app: App, user: string, device: string, body: object): Promise<any> {
    const path = `/v1/users/${encodeURIComponent(user)}/devices/${encodeURIComponent(device)}`;
    return this.must("PUT", path, app.key, body);
  }

  async devices(app: App, user: string): Promise<string[]> {
    const answer = await this.ask("GET", `/v1/users/${encodeURIComponent(user)}`, app.key);
    if (answer.status === 404) return [];
    return answer.json.devices.map((device: { device: string }) => device.device);
  }

  /** Sends; a push without words of its own says something harmless. */
  push(app: App, body: object, headers?: Record<string, string>, signal?: AbortSignal): Promise<Answer> {
    return this.ask("POST", "/v1/push", app.key, { notification: { title: "Sent", body: "Your parcel has left" }, ...body }, headers, signal);
  }

  /** A KV namespace, to look into or to take something out of. */
  async kv(binding: "DEVICES" | "APPS"): Promise<Kv> {
    return (await this.mf.getKVNamespace(binding)) as unknown as Kv;
  }

  /** Users with an iPhone each, put where a push looks for them: read copies in KV, without their objects. */
  async copies(app: App, names: readonly string[]): Promise<void> {
    const kv = await this.kv("DEVICES");
    const put = async (user: string) => {
      const token = createHash("sha256").update(user).digest("hex");
      await kv.put(`user:${app.id}.1:${user}`, copyOf([[`${user}-iphone`, "ios", "apns", token, null, app.topic, "granted", null, "alert"]]));
    };
    for (let at = 0; at < names.length; at += 50) await Promise.all(names.slice(at, at + 50).map(put));
  }

  /** What the vendors saw, newest last. */
  seen(vendor?: string): any[] {
    return this.lab.log(vendor === undefined ? {} : { vendor });
  }
}

function miniflareOptions(labUrl: string, options: StageOptions): MiniflareOptions {
  const object = (className: string) => ({ className, useSQLite: true });
  return {
    scriptPath: `${options.build ?? "build"}/index.js`,
    modules: true,
    modulesRules: [{ type: "CompiledWasm", include: ["**/*.wasm"], fallthrough: true }],
    compatibilityDate: "2026-07-30",
    bindings: { ADMIN_KEY, SEAL_KEY, VENDOR_PROXY: labUrl, ...options.bindings },
    kvNamespaces: ["DEVICES", "APPS"],
    durableObjects: { APP: object("App"), USER: object("User"), ACCOUNT: object("Account"), LEDGER: object("Ledger"), LETTERS: object("Letters"), AUDIENCE: object("Audience"), CLAIM: object("Claim"), CENSUS: object("Census"), IMPORT: object("Import") },
    queueProducers: { DISPATCH: "edgepush-dispatch", DEAD: "edgepush-dead" },
    queueConsumers: {
      "edgepush-dispatch": { maxBatchSize: 3, maxBatchTimeout: 0, maxRetries: 10, deadLetterQueue: "edgepush-dead" },
      "edgepush-dead": { maxBatchTimeout: 0 },
    },
    ...(options.log === undefined ? {} : { handleRuntimeStdio: (...streams: NodeJS.ReadableStream[]) => streams.forEach((input) => createInterface({ input }).on("line", options.log as (line: string) => void)) }),
    ...(options.persist === undefined
      ? {}
      : { kvPersist: `${options.persist}/kv`, durableObjectsPersist: `${options.persist}/do` }),
  } as MiniflareOptions;
}

/** A read copy with these devices, old enough to be trusted, as src/wire/user/copy.rs writes it. */
export function copyOf(devices: readonly (string | null)[][]): string {
  return JSON.stringify([devices, [], null, 0]);
}

/** The devices that a read copy in KV names. */
export function copied(copy: string): string[] {
  return JSON.parse(copy)[0].map(([id]: [string]) => id);
}

/** What a request cost, from its header. */
export function cost(answer: Answer): Cost {
  const header = answer.headers.get("edgepush-cost") ?? "";
  const pairs = header.split(", ").map((pair) => pair.split("="));
  return Object.fromEntries(pairs.map(([name, value]) => [name, Number(value)])) as unknown as Cost;
}

/** The token that a request went to. */
export function sentTo(seen: any): string {
  return seen.vendor === "apns" ? seen.path.split("/").at(-1) : seen.body.message.token;
}

/** Waits until copies in KV that were written just now are trusted: a younger one may be followed by the next. */
export function copiesAreTrusted(): Promise<void> {
  return new Promise((next) => setTimeout(next, 3_100));
}

/** Waits until `ready` gives something, or fails after `ms`. */
export async function until<T>(ready: () => Promise<T | undefined> | T | undefined, ms = 5_000): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const value = await ready();
    if (value !== undefined) return value;
    if (Date.now() > end) throw new Error(`nothing within ${ms} ms`);
    await new Promise((next) => setTimeout(next, 25));
  }
}
