// Faults: what a vendor, or whatever stands between it and us, does wrong on demand. A fault waits for requests that
// match it, lets `skip` of them pass, and then acts on `times` of them.

import { fields, InputError, integer, optionalText, text, type Fields } from "./input.ts";
import { canonicalToken, type Identity, type Vendor } from "./vendors/vendor.ts";

export interface FaultSpec {
  vendor: string;
  match?: { token?: string; account?: string };
  /** How often it acts; -1 for ever. Default 1. */
  times?: number;
  /** How many matching requests pass before it acts. Default 0. */
  skip?: number;
  do: FaultAction;
}

/** One misbehaviour; `delay_ms` may stand alone or come before any other. */
export type FaultAction =
  | { delay_ms: number }
  | ({ delay_ms?: number } & (
      | { status: number; headers?: Record<string, string>; body?: unknown } // this answer, literally
      | { reason: string; headers?: Record<string, string> } // the vendor's own answer for one of its codes
      | { hang: true } // never answer
      | { close: true } // drop the connection instead of answering
      | { cut: number } // the vendor's answer, dropped after so many bytes of its body
      | { drip: { every_ms: number; bytes?: number } } // the vendor's answer, a few bytes at a time
      | { flood: number } // status 200 and so many bytes; -1 for ever
      | { html: number } // a proxy's error page with this status
      | { redirect: string }
      | { empty: number } // this status and nothing else
    ));

const KINDS = ["status", "reason", "hang", "close", "cut", "drip", "flood", "html", "redirect", "empty"] as const;
export type FaultKind = (typeof KINDS)[number] | "delay";

export interface Fault {
  readonly id: string;
  readonly vendor: string;
  readonly match: { readonly token?: string; readonly account?: string };
  readonly kind: FaultKind;
  readonly do: Fields;
  skip: number;
  /** Times left; -1 for ever. */
  times: number;
  acted: number;
}

export class FaultBook {
  #faults: Fault[] = [];
  #lastId = 0;

  add(spec: unknown, findVendor: (name: string) => Vendor): Fault {
    const given = fields(spec, "a fault", ["vendor", "match", "times", "skip", "do"]);
    const vendor = findVendor(text(given, "vendor"));
    const match = fields(given["match"] ?? {}, '"match"', ["token", "account"]);
    const token = optionalText(match, "token");
    const account = optionalText(match, "account");
    const times = integer(given, "times", -1, 1);
    if (times === 0) throw new InputError('"times" must not be 0');
    const action = readAction(given["do"]);
    const reason = optionalText(action.do, "reason");
    if (reason !== undefined && vendor.refusal(reason) === undefined) {
      throw new InputError(`${vendor.name} has no answer "${reason}"`);
    }
    const fault: Fault = {
      id: `f${++this.#lastId}`,
      vendor: vendor.name,
      match: {
        ...(token === undefined ? {} : { token: canonicalToken(vendor, token) }),
        ...(account === undefined ? {} : { account }),
      },
      ...action,
      skip: integer(given, "skip", 0, 0),
      times,
      acted: 0,
    };
    this.#faults.push(fault);
    return fault;
  }

  /** The first fault that acts on this request. */
  take(vendor: string, identify: () => Identity): Fault | undefined {
    let identity: Identity | undefined;
    for (const fault of this.#faults) {
      if (fault.vendor !== vendor || fault.times === 0) continue;
      const { token, account } = fault.match;
      if (token !== undefined || account !== undefined) {
        identity ??= identify();
        if (token !== undefined && !identity.tokens.includes(token)) continue;
        if (account !== undefined && identity.account !== account) continue;
      }
      if (fault.skip > 0) {
        fault.skip -= 1;
        continue;
      }
      if (fault.times > 0) fault.times -= 1;
      fault.acted += 1;
      return fault;
    }
    return undefined;
  }

  list(): readonly Fault[] {
    return this.#faults;
  }

  clear(): void {
    this.#faults = [];
  }
}

function readAction(value: unknown): { kind: FaultKind; do: Fields } {
  const action = fields(value, '"do"', ["delay_ms", "headers", "body", ...KINDS]);
  integer(action, "delay_ms", 0, 0);
  const [kind, second] = KINDS.filter((name) => action[name] !== undefined);
  if (second !== undefined) throw new InputError(`"do" takes one of ${KINDS.join(", ")}`);
  if (kind === undefined) {
    if (action["delay_ms"] === undefined) throw new InputError(`"do" needs delay_ms or one of ${KINDS.join(", ")}`);
    return { kind: "delay", do: action };
  }
  if (action["headers"] !== undefined) {
    if (kind !== "status" && kind !== "reason") throw new InputError('"headers" go with "status" or "reason"');
    const headers = fields(action["headers"], '"headers"', Object.keys(action["headers"] as object));
    if (!Object.values(headers).every((item) => typeof item === "string")) throw new InputError("headers are strings");
  }
  if (action["body"] !== undefined && kind !== "status") throw new InputError('"body" goes with "status"');
  if (kind === "hang" || kind === "close") {
    if (action[kind] !== true) throw new InputError(`"${kind}" must be true`);
  } else if (kind === "reason" || kind === "redirect") {
    text(action, kind);
  } else if (kind === "drip") {
    const drip = fields(action["drip"], '"drip"', ["every_ms", "bytes"]);
    if (drip["every_ms"] === undefined) throw new InputError('"drip" needs "every_ms"');
    integer(drip, "every_ms", 0, 0);
    integer(drip, "bytes", 1, 1);
  } else if (kind === "cut" || kind === "flood") {
    integer(action, kind, kind === "cut" ? 0 : -1, 0);
  } else {
    const status = integer(action, kind, 200, 0);
    if (status > 599) throw new InputError(`"${kind}" must be a status from 200 to 599`);
  }
  return { kind, do: action };
}
