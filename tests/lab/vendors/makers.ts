// What the phone makers' modules share: accounts of a few texts, access tokens, counts per day, and what would be called
// back.

import { fields, InputError, optionalText, text, type Fields } from "../input.ts";
import { hex } from "../random.ts";
import type { Report } from "../reports.ts";
import type { Share } from "./phone_caps.ts";
import type { Answer, LabRequest, World } from "./vendor.ts";

export type Texts = Readonly<Record<string, string>>;

/** Accounts whose credentials are a handful of texts, found by one of them. */
export class Accounts<Extra extends object = object> {
  readonly #all = new Map<string, { texts: Texts } & Extra>();
  readonly #id: string;
  readonly #make: Readonly<Record<string, () => string>>;
  readonly #extra: (given: Fields) => Extra;
  readonly #extras: readonly string[];

  /** `make`: how each text is made; the account is found by `id`. `extras`: names of options that `extra` reads. */
  constructor(id: string, make: Readonly<Record<string, () => string>>, extras: readonly string[], extra: (given: Fields) => Extra) {
    this.#id = id;
    this.#make = make;
    this.#extras = extras;
    this.#extra = extra;
  }

  make(options: unknown): Texts {
    const names = Object.keys(this.#make);
    const given = fields(options ?? {}, "options", [...names, ...this.#extras]);
    const texts = Object.fromEntries(names.map((name) => [name, optionalText(given, name) ?? (this.#make[name] as () => string)()]));
    this.#all.set(texts[this.#id] as string, { texts, ...this.#extra(given) });
    return texts;
  }

  register(account: unknown): void {
    const names = Object.keys(this.#make);
    const given = fields(account, "an account", [...names, ...this.#extras]);
    const texts = Object.fromEntries(names.map((name) => [name, text(given, name)]));
    this.#all.set(texts[this.#id] as string, { texts, ...this.#extra(given) });
  }

  get(id: string): ({ texts: Texts } & Extra) | undefined {
    return this.#all.get(id);
  }

  find(test: (texts: Texts) => boolean): ({ texts: Texts } & Extra) | undefined {
    return [...this.#all.values()].find(({ texts }) => test(texts));
  }

  clear(): void {
    this.#all.clear();
  }
}

/** Access tokens: whose each is, until when, and how many were fetched of late. */
export class AccessTokens {
  readonly #all = new Map<string, { owner: string; until: number }>();
  readonly #fetched = new Map<string, number[]>();

  grant(owner: string, now: number, seconds: number): string {
    const token = `lab-${hex(48)}`;
    this.#all.set(token, { owner, until: now + seconds * 1000 });
    return token;
  }

  owner(token: string | undefined, now: number): string | undefined {
    const found = this.#all.get(token ?? "");
    return found !== undefined && found.until > now ? found.owner : undefined;
  }

  /** Counts a fetch; true where there were more than `most` within so many milliseconds. */
  tooMany(owner: string, now: number, most: number, within: number): boolean {
    const times = [...(this.#fetched.get(owner) ?? []).filter((at) => at > now - within), now];
    this.#fetched.set(owner, times);
    return times.length > most;
  }

  clear(): void {
    this.#all.clear();
    this.#fetched.clear();
  }
}

/** Counts per key and day of China. */
export class DayCounts {
  readonly #counts = new Map<string, number>();

  /** Counts `n` more; false, and nothing is counted, where that were more than `most`. */
  spend(key: string, now: number, n: number, most: number): boolean {
    const sum = this.spent(key, now) + n;
    if (sum > most) return false;
    this.#counts.set(dayOf(key, now), sum);
    return true;
  }

  spent(key: string, now: number): number {
    return this.#counts.get(dayOf(key, now)) ?? 0;
  }

  clear(): void {
    this.#counts.clear();
  }
}

function dayOf(key: string, now: number): string {
  return `${Math.floor((now + 8 * 3_600_000) / 86_400_000)} ${key}`;
}

/** What a vendor has to report, and to where. */
export interface Callback extends Report {
  readonly url: string;
  /** The vendor's word for a tap on it, where taps are asked for. */
  readonly tap?: string;
}

/** States of phones of Huawei, HarmonyOS NEXT and Honor that a message is taken for, and the status that is reported later. */
const STATUSES: Readonly<Record<string, string>> = { alive: "0", uninstalled: "2", muted: "6" };

/** Whether a message to this phone is taken, whatever comes of it. */
export function takes(world: World, vendor: string, token: string): boolean {
  return stateOf(world, vendor, token) in STATUSES;
}

/** What the three report of a message that was taken, if a console says where; of those who have had their day's share the status `capped`. */
export function reported(
  world: World,
  vendor: string,
  message: Required<Pick<Report, "account" | "id">>,
  tag: unknown,
  { within, over }: Share,
  capped: string,
): Callback[] {
  const url = world.consoles.find(vendor, message.account)?.url;
  if (url === undefined) return [];
  const param = typeof tag === "string" ? tag : "";
  const groups = Object.entries(STATUSES).map(([state, event]): [string, readonly string[]] => [event, within.filter((token) => stateOf(world, vendor, token) === state)]);
  return [...groups, [capped, over] as const].flatMap(([event, targets]) => (targets.length === 0 ? [] : [{ ...message, url, param, targets, event }]));
}

export function jsonAnswer(status: number, body: object, reason?: string): Answer {
  const answer = { status, headers: { "content-type": "application/json;charset=UTF-8" }, body: JSON.stringify(body) };
  return reason === undefined ? answer : { ...answer, reason };
}

export function formOf(request: LabRequest): URLSearchParams {
  return new URLSearchParams(request.text);
}

export function isForm(request: LabRequest): boolean {
  return request.header("content-type")?.startsWith("application/x-www-form-urlencoded") ?? false;
}

/** Characters as the phone makers count them. */
export function chars(value: unknown): number {
  return typeof value === "string" ? [...value].length : -1;
}

export function isText(value: unknown, least: number, most: number): value is string {
  const count = chars(value);
  return count >= least && count <= most && (least === 0 || (value as string).trim() !== "");
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function texts(value: unknown): string[] | undefined {
  return Array.isArray(value) && value.every((item) => typeof item === "string" && item !== "") ? value : undefined;
}

/** The state of a phone: `alive` where nothing is known. */
export function stateOf(world: World, vendor: string, token: string): string {
  return world.tokens.get(vendor, token)?.state ?? "alive";
}

export function positive(given: Fields, name: string): number | undefined {
  const value = given[name];
  if (value === undefined) return undefined;
  if (!Number.isSafeInteger(value) || (value as number) < 1) throw new InputError(`"${name}" is a whole number above 0`);
  return value as number;
}
