// Counts what the lab saw and what the phones showed: the one measure for both senders.

import type { Answer, LabRequest, Vendor } from "../lab/vendors/vendor.ts";
import { key, type Population } from "./population.ts";
import { type Day, numberIn } from "./traffic.ts";
import { VERDICTS, type Verdict, verdicts } from "./verdicts.ts";

/** Where a message ended: the first of these that became of it at one of its user's phones. */
export const ENDS = ["arrived", "quota", "capped", "off", "gone", "dead", "refused", "kept"] as const;
export type End = (typeof ENDS)[number];

/** What is counted in sends: one message to one phone. */
export interface Sends {
  all: number;
  accepted: number;
  quota: number;
  capped: number;
  dead: number;
  off: number;
  other: number;
  /** Of the accepted: shown; accepted for a phone without the app; accepted for one that shows nothing. */
  arrived: number;
  toGone: number;
  toSilent: number;
}

export interface Funnel {
  /** Messages (one to one user) that were to be sent, that the sender took, of which a request left, that a vendor accepted (and did not drop), that were shown. */
  messages: number;
  /** Messages whose user has a phone with the app that shows notifications. */
  reachable: number;
  taken: number;
  sent: number;
  accepted: number;
  arrived: number;
  /** Every message once. */
  ends: Record<End, number>;
  /** Of what was kept back: why, in the gateway's words. */
  kept: Record<string, number>;
  sends: Sends;
  /** HTTP requests to the vendors, those for access tokens included. */
  calls: number;
  callsPerArrival: number;
  sendsPerArrival: number;
  /** Sends by vendor. */
  vendors: Record<string, Sends>;
  seconds: number;
}

const noSends = (): Sends => ({ all: 0, accepted: 0, quota: 0, capped: 0, dead: 0, off: 0, other: 0, arrived: 0, toGone: 0, toSilent: 0 });

/** One sender's day, written down as the lab answers. */
export class Witness {
  readonly #population: Population;
  readonly #day: Day;
  readonly #vendors = new Map<string, Sends>();
  /** By push and user: the index in ENDS. */
  readonly #ends = new Map<string, number>();
  readonly #saved = new Map<string, number>();
  /** Messages that a vendor accepted, by push and user. */
  readonly #accepted = new Set<string>();
  #calls = 0;
  #error: Error | undefined;

  constructor(population: Population, day: Day) {
    this.#population = population;
    this.#day = day;
  }

  get calls(): number {
    return this.#calls;
  }

  readonly watch = (vendor: Vendor, request: LabRequest, answer: Answer): void => {
    try {
      this.#note(vendor, request, answer);
    } catch (error) {
      this.#error ??= error as Error;
    }
  };

  #note(vendor: Vendor, request: LabRequest, answer: Answer): void {
    this.#calls += 1;
    const { tokens } = vendor.identify(request);
    if (vendor.name === "vivo" && request.path === "/message/saveListPayload") return this.#save(request, answer);
    // Requests for access tokens name no phone.
    if (vendor.name === "google_oauth" || tokens.length === 0) return;
    const number = this.#number(vendor, request);
    const said = verdicts(vendor.name, request, answer, tokens);
    tokens.forEach((token, at) => this.#count(vendor.name, token, said[at] as Verdict, number));
  }

  /** vivo's message for a list is saved first; the list names it. */
  #save(request: LabRequest, answer: Answer): void {
    const { taskId } = JSON.parse(answer.body ?? "{}") as { taskId?: string };
    const number = numberIn(request.text);
    if (taskId !== undefined && number !== undefined) this.#saved.set(taskId, number);
  }

  #number(vendor: Vendor, request: LabRequest): number {
    const listed = vendor.name === "vivo" && request.path === "/message/pushToList";
    const number = listed ? this.#saved.get(String((request.json as { taskId?: unknown }).taskId)) : numberIn(request.text);
    if (number === undefined) throw new Error(`a request to ${vendor.name} does not say which message it is: ${request.text.slice(0, 500)}`);
    return number;
  }

  #count(vendor: string, token: string, verdict: Verdict, number: number): void {
    const phone = this.#population.phones.get(key(vendor, token));
    if (phone === undefined) throw new Error(`${vendor} was sent a token of nobody`);
    let sends = this.#vendors.get(vendor);
    if (sends === undefined) this.#vendors.set(vendor, (sends = noSends()));
    sends.all += 1;
    sends[verdict] += 1;
    let end: End = verdict === "accepted" || verdict === "other" ? "refused" : verdict;
    if (verdict === "accepted") {
      end = !phone.alive ? "gone" : phone.shows ? "arrived" : "off";
      sends[({ gone: "toGone", off: "toSilent", arrived: "arrived" } as const)[end]] += 1;
    }
    const message = `${number} ${phone.user}`;
    this.#ends.set(message, Math.min(this.#ends.get(message) ?? ENDS.length, ENDS.indexOf(end)));
    if (verdict === "accepted") this.#accepted.add(message);
  }

  /** `taken`: messages the sender took over; `kept`: why a message of which the lab saw nothing was not sent. */
  funnel(taken: number, kept: (push: number, user: string) => string | undefined, seconds: number): Funnel {
    if (this.#error !== undefined) throw this.#error;
    const ends = Object.fromEntries(ENDS.map((end) => [end, 0])) as Record<End, number>;
    const reasons: Record<string, number> = {};
    const reached = new Set([...this.#population.phones.values()].filter(({ alive, shows }) => alive && shows).map(({ user }) => user));
    let [sent, reachable] = [0, 0];
    for (const { n, users } of this.#day.pushes) {
      for (const user of users) {
        const end = ENDS[this.#ends.get(`${n} ${user}`) ?? ENDS.indexOf("kept")] as End;
        ends[end] += 1;
        if (reached.has(user)) reachable += 1;
        if (end !== "kept") sent += 1;
        else {
          const reason = kept(n, user) ?? "unaccounted";
          reasons[reason] = (reasons[reason] ?? 0) + 1;
        }
      }
    }
    if (sent !== this.#ends.size) throw new Error(`${this.#ends.size - sent} messages came to somebody they were not for`);
    const sends = noSends();
    for (const one of this.#vendors.values()) for (const name of Object.keys(sends) as (keyof Sends)[]) sends[name] += one[name];
    const split = VERDICTS.reduce((sum, name) => sum + sends[name], 0);
    if (split !== sends.all) throw new Error(`${sends.all} sends, and ${split} verdicts`);
    return {
      messages: this.#day.messages,
      reachable,
      taken,
      sent,
      accepted: this.#accepted.size,
      arrived: ends.arrived,
      ends,
      kept: reasons,
      sends,
      calls: this.#calls,
      callsPerArrival: this.#calls / ends.arrived,
      sendsPerArrival: sends.all / ends.arrived,
      vendors: Object.fromEntries([...this.#vendors].toSorted()),
      seconds,
    };
  }
}
