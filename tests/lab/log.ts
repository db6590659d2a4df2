// What the lab has seen. Requests are kept as they came and described only when somebody asks, so that logging costs
// a busy lab next to nothing. Credentials are never shown: a digest stands for them.

import { createHash } from "node:crypto";
import { jwtParts, vapid } from "./jwt.ts";
import type { LabRequest } from "./vendors/vendor.ts";

export interface LogEntry {
  seq: number;
  at: string;
  vendor: string | null;
  host: string;
  method: string;
  path: string;
  query: string;
  http_version: string;
  headers: Record<string, unknown>;
  /** Parsed if it is JSON or a form, else text. */
  body: unknown;
  /** As the client saw it; null while under way, after a hang, and for a dropped connection. */
  status: number | null;
  reason: string | null;
  fault: string | null;
  /** Phones that had had their day's share: they got nothing. */
  capped: readonly string[];
}

export interface LogFilter {
  vendor?: string;
  /** Only entries after this sequence number. */
  since?: number;
}

export interface Credential {
  scheme?: string;
  sha256: string;
  kid?: unknown;
  claims?: unknown;
  /** VAPID: the public key beside the token. */
  k?: string;
}

/** Credentials that travel in a form, or in a header of their own. */
const SECRETS = ["assertion", "client_secret", "auth_token", "authtoken"];

/** One request, to be completed when it is answered. */
export interface Seen {
  readonly seq: number;
  readonly at: number;
  readonly vendor: string | undefined;
  readonly request: LabRequest;
  status: number | undefined;
  reason: string | undefined;
  fault: string | undefined;
  capped: readonly string[] | undefined;
}

export class Log {
  #size: number;
  #slots: (Seen | undefined)[];
  #lastSeq = 0;

  constructor(size: number) {
    this.#size = size;
    this.#slots = new Array(size);
  }

  add(vendor: string | undefined, request: LabRequest, fault: string | undefined): Seen | undefined {
    if (this.#size === 0) return undefined;
    const seq = ++this.#lastSeq;
    request.detach();
    const seen: Seen = { seq, at: Date.now(), vendor, request, status: undefined, reason: undefined, fault, capped: undefined };
    this.#slots[seq % this.#size] = seen;
    return seen;
  }

  list(filter: LogFilter = {}): LogEntry[] {
    return this.#ordered()
      .filter((seen) => seen.seq > (filter.since ?? 0) && (filter.vendor === undefined || seen.vendor === filter.vendor))
      .map(describe);
  }

  resize(size: number): void {
    const kept = size === 0 ? [] : this.#ordered().slice(-size);
    this.#size = size;
    this.#slots = new Array(size);
    for (const seen of kept) this.#slots[seen.seq % size] = seen;
  }

  clear(): void {
    this.#slots = new Array(this.#size);
  }

  #ordered(): Seen[] {
    return this.#slots.filter((seen) => seen !== undefined).sort((a, b) => a.seq - b.seq);
  }
}

function describe(seen: Seen): LogEntry {
  const { request } = seen;
  const headers = hide({ ...request.headers });
  const authorization = request.header("authorization");
  if (authorization !== undefined) headers["authorization"] = describeAuthorization(authorization);
  return {
    seq: seen.seq,
    at: new Date(seen.at).toISOString(),
    vendor: seen.vendor ?? null,
    host: request.host,
    method: request.method,
    path: request.path,
    query: request.query,
    http_version: request.httpVersion,
    headers,
    body: describeBody(request),
    status: seen.status ?? null,
    reason: seen.reason ?? null,
    fault: seen.fault ?? null,
    capped: seen.capped ?? [],
  };
}

function describeAuthorization(value: string): Credential {
  const pair = vapid(value);
  if (pair !== undefined) return { scheme: "vapid", ...credential(pair.t), k: pair.k };
  const space = value.indexOf(" ");
  return { scheme: value.slice(0, Math.max(space, 0)).toLowerCase(), ...credential(value.slice(space + 1)) };
}

function credential(value: string): Credential {
  const parts = jwtParts(value);
  const sha256 = createHash("sha256").update(value).digest("hex");
  return parts === undefined ? { sha256 } : { sha256, kid: parts.header["kid"], claims: parts.claims };
}

function hide(from: Record<string, unknown>): Record<string, unknown> {
  for (const name of SECRETS) {
    const value = from[name];
    if (typeof value === "string") from[name] = credential(value);
  }
  return from;
}

function describeBody(request: LabRequest): unknown {
  if (request.plain !== undefined) return parsed(request.plain);
  if (request.header("content-encoding") !== undefined) return `${request.size} encrypted bytes`;
  if (request.json !== undefined) return request.json;
  if (request.header("content-type")?.startsWith("application/x-www-form-urlencoded")) {
    return hide(Object.fromEntries(new URLSearchParams(request.text)));
  }
  return request.text;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
