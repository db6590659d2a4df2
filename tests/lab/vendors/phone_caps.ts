// What one phone may get of an app in a vendor's day, of the class that the vendor calls marketing, public or operational.

import type { Fields } from "../input.ts";
import { DayCounts, positive } from "./makers.ts";
import type { Answer } from "./vendor.ts";

/** What an account says of it. `per_device`: another number, as news apps have one; `false`: nothing is counted. */
export function perDevice(given: Fields, usual: number): number {
  return given["per_device"] === false ? Infinity : (positive(given, "per_device") ?? usual);
}

export interface Share {
  readonly within: readonly string[];
  readonly over: readonly string[];
}

export class PhoneCaps {
  readonly #counts = new DayCounts();

  /** Those of a list who may have one more today, and those who have had `most`. Nothing is counted by it. */
  split(account: string, tokens: readonly string[], now: number, most: number): Share {
    const [within, over]: [string[], string[]] = [[], []];
    const more = new Map<string, number>();
    for (const token of tokens) {
      const n = (more.get(token) ?? 0) + 1;
      more.set(token, n);
      (this.#counts.spent(`${account} ${token}`, now) + n > most ? over : within).push(token);
    }
    return { within, over };
  }

  count(account: string, { within }: Share, now: number): void {
    for (const token of within) this.#counts.spend(`${account} ${token}`, now, 1, Infinity);
  }

  /** Both, of a class that is limited; of another `most` is Infinity. */
  take(account: string, tokens: readonly string[], now: number, most: number): Share {
    if (most === Infinity) return { within: tokens, over: [] };
    const share = this.split(account, tokens, now, most);
    this.count(account, share, now);
    return share;
  }

  clear(): void {
    this.#counts.clear();
  }
}

/** With those of whom only the lab says that they are over. */
export function capping(answer: Answer, over: readonly string[]): Answer {
  return over.length === 0 ? answer : { ...answer, capped: over };
}
