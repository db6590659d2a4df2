// What can be adjusted while the lab runs (PATCH /_lab/settings).

import { fields, InputError } from "./input.ts";

export interface Settings {
  /** Requests the log keeps; 0 switches it off. */
  log_size: number;
  /** Seconds the vendors' clocks are ahead (or, negative, behind) of this machine's. */
  clock_offset: number;
  /** Lifetime in seconds of the access tokens that the endpoints of Google, Huawei and Honor hand out. */
  oauth_expires_in: number;
  /** Seconds that must pass before APNs takes another provider token for the same key. */
  apns_jwt_interval: number;
  /** Count a return to a provider token APNs has already taken as a change, too. */
  apns_strict_jwt: boolean;
  /** Drop HTTP/1.1 connections to APNs, as Apple's servers do. */
  apns_h2_only: boolean;
  /** Pass on what is for a browser that was not made here: the one thing by which the lab leaves this machine. */
  webpush_forward: boolean;
  /** Origin on this machine that stands in for that of every address that is called back; empty: none. */
  callback_base: string;
  /** Post what is to be reported as soon as a message was answered. */
  report_at_once: boolean;
}

export function defaultSettings(): Settings {
  return {
    log_size: 10_000,
    clock_offset: 0,
    oauth_expires_in: 3599,
    apns_jwt_interval: 1200,
    apns_strict_jwt: false,
    apns_h2_only: false,
    webpush_forward: false,
    callback_base: "",
    report_at_once: false,
  };
}

export function patchSettings(settings: Settings, patch: unknown): void {
  const given = fields(patch, "settings", Object.keys(settings));
  const current = settings as unknown as Record<string, unknown>;
  for (const [name, value] of Object.entries(given)) {
    if (typeof value !== typeof current[name]) throw new InputError(`"${name}" must be a ${typeof current[name]}`);
    if (typeof value === "number" && (!Number.isSafeInteger(value) || (value < 0 && name !== "clock_offset"))) {
      throw new InputError(`"${name}" must be a whole number, at least 0`);
    }
  }
  const base = given["callback_base"];
  if (typeof base === "string" && base !== "" && !isLoopback(base)) throw new InputError('"callback_base" must be an origin on this machine');
  Object.assign(settings, given);
}

/** Whether an address leads to this machine. */
export function isLoopback(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname } = new URL(address);
  return /^https?:$/.test(protocol) && (hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname));
}
