// Calls back: posts what vendors have to report to the addresses that messages or consoles name, on this machine only.

import { createHmac, randomUUID } from "node:crypto";
import type { Console, Consoles } from "./consoles.ts";
import { InputError } from "./input.ts";
import { batches } from "./reports.ts";
import { isLoopback, type Settings } from "./settings.ts";
import type { Callback } from "./vendors/makers.ts";
import type { Vendor } from "./vendors/vendor.ts";

/** `due`: what was not posted yet; `again`: what was, once more; `tapped`: taps on it, where they are asked for. */
export type ReportKind = "due" | "again" | "tapped";
const KINDS: readonly string[] = ["due", "again", "tapped"];

/** One call of a vendor, and what was answered. */
export interface Post {
  readonly vendor: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** null: there was no answer, or nothing was posted, and `error` says why. */
  readonly status: number | null;
  readonly answer: string;
  readonly error?: string;
}

/** Longer than any vendor waits. */
const PATIENCE_MS = 10_000;

export class Reporter {
  readonly #settings: Settings;
  readonly #consoles: Consoles;
  readonly #now: () => number;
  readonly #under = new Set<Promise<unknown>>();
  #posted = new WeakSet<Callback>();
  #posts: Post[] = [];

  constructor(settings: Settings, consoles: Consoles, now: () => number) {
    this.#settings = settings;
    this.#consoles = consoles;
    this.#now = now;
  }

  /** Posts all of one kind, and waits for the answers. Nothing is ever posted a second time by itself. */
  async report(vendor: Vendor, kind: string = "due"): Promise<Post[]> {
    if (!KINDS.includes(kind)) throw new InputError(`reports are ${KINDS.join(", ")}`);
    const all = vendor.callbacks?.() ?? [];
    const chosen = all.filter((callback) => this.#posted.has(callback) === (kind !== "due"));
    if (kind === "due") for (const callback of chosen) this.#posted.add(callback);
    const said = kind === "tapped" ? chosen.flatMap((one) => (one.tap === undefined ? [] : [{ ...one, event: one.tap }])) : chosen;
    const places = Map.groupBy(said, ({ url, account }) => JSON.stringify([url, account]));
    const posts = [...places.values()].flatMap((reports) => {
      const { url, account } = reports[0] as Callback;
      const console = this.#signedFor(vendor.name, account);
      return batches(vendor.name, reports, this.#now()).map(({ headers, body }) => {
        const signature = console && { "x-huawei-callback-id": sign(console, this.#now()) };
        return this.#follow(this.#post(vendor.name, url, { ...headers, ...signature }, body));
      });
    });
    return Promise.all(posts);
  }

  /** After an answer: what is due goes out if the settings say so. */
  answered(vendor: Vendor): void {
    if (this.#settings.report_at_once) void this.#follow(this.report(vendor));
  }

  posts(vendor: string): readonly Post[] {
    return this.#posts.filter((post) => post.vendor === vendor);
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.#under.size > 0) await Promise.allSettled(this.#under);
  }

  clear(): void {
    this.#posted = new WeakSet();
    this.#posts = [];
  }

  #follow<T>(work: Promise<T>): Promise<T> {
    this.#under.add(work);
    const done = (): void => void this.#under.delete(work);
    work.then(done, done);
    return work;
  }

  #signedFor(vendor: string, account: string | undefined): Console | undefined {
    const console = this.#consoles.find(vendor, account);
    return console?.user !== undefined && console.secret !== undefined ? console : undefined;
  }

  async #post(vendor: string, named: string, headers: Record<string, string>, body: string): Promise<Post> {
    const url = this.#place(named);
    const post = await send(url, named, headers, body);
    this.#posts.push({ vendor, ...post });
    return { vendor, ...post };
  }

  /** The address on this machine; undefined where it leads elsewhere. */
  #place(named: string): string | undefined {
    if (!URL.canParse(named)) return undefined;
    const { origin, pathname, search } = new URL(named);
    const base = this.#settings.callback_base || origin;
    return isLoopback(base) ? new URL(base).origin + pathname + search : undefined;
  }
}

async function send(url: string | undefined, named: string, headers: Record<string, string>, body: string): Promise<Omit<Post, "vendor">> {
  const post = { url: url ?? named, headers, body, status: null, answer: "" };
  if (url === undefined) return { ...post, error: "not on this machine, and callback_base is not set" };
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const response = await fetch(url, { method: "POST", redirect: "manual", headers, body, signal });
    return { ...post, status: response.status, answer: await response.text() };
  } catch (error) {
    return { ...post, error: String((error as Error).cause ?? error) };
  }
}

/** Huawei's: of time, nonce and user; the body is not signed. */
function sign({ user, secret = "", plain_secret }: Console, timestamp: number): string {
  const nonce = randomUUID();
  const key = plain_secret === true ? Buffer.from(secret) : Buffer.from(secret, "base64");
  const value = createHmac("sha256", key).update(`${timestamp}${nonce}${user}`).digest("base64");
  return `timestamp=${timestamp}; nonce=${nonce}; value=${value}`;
}
