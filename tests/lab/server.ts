// From socket to vendor and back: finds the vendor, reads the body, applies faults, writes the answer, keeps the books.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { FaultBook } from "./faults.ts";
import type { Log } from "./log.ts";
import { Out } from "./out.ts";
import { perform } from "./perform.ts";
import type { StatsBook } from "./stats.ts";
import { LabRequest, type Answer, type Vendor } from "./vendors/vendor.ts";

export type IncomingRequest = IncomingMessage | Http2ServerRequest;
export type OutgoingResponse = ServerResponse | Http2ServerResponse;
export type Handler = (request: IncomingRequest, response: OutgoingResponse) => void;

export interface Books {
  readonly log: Log;
  readonly stats: StatsBook;
  readonly faults: FaultBook;
}

export type Control = (method: string, target: string, body: string) => Promise<Answer>;

const CONTROL = "/_lab/";
const MAX_BODY = 1 << 20;
/** The name under which requests for hosts the lab does not know are counted. */
const NOBODY = "unknown";

interface Route {
  readonly vendor: Vendor | undefined;
  readonly host: string;
  readonly target: string;
}

/** Told when a vendor has had its say about a request; without an answer where a fault spoke in its place. */
export type Answered = (vendor: Vendor, request: LabRequest, answer: Answer | undefined) => void;

export function createHandler(vendors: readonly Vendor[], books: Books, control: Control, answered: Answered): Handler {
  const hosts = new Set(vendors.flatMap((vendor) => vendor.hosts));
  const isAt = (vendor: Vendor, host: string): boolean => vendor.hosts.includes(host) || (vendor.alsoAt?.(host) ?? false);
  const find = (host: string, target: string): Vendor | undefined =>
    vendors.find((vendor) => isAt(vendor, host) && (vendor.takes?.(host, target) ?? true));

  function route(request: IncomingRequest): Route {
    const url = request.url ?? "/";
    const end = url.indexOf("/", 1);
    const first = url.slice(1, end === -1 ? undefined : end);
    const named = end === -1 ? "/" : url.slice(end);
    if (hosts.has(first) || vendors.some((vendor) => vendor.alsoAt?.(first))) return { vendor: find(first, named), host: first, target: named };
    const authority = request.headers[":authority"] ?? request.headers.host;
    const host = typeof authority === "string" ? authority.toLowerCase().replace(/:\d+$/, "") : "";
    return { vendor: find(host, url), host, target: url };
  }

  async function serve(incoming: IncomingRequest, outgoing: OutgoingResponse): Promise<void> {
    const out = new Out(outgoing);
    if (incoming.url?.startsWith(CONTROL)) {
      const body = await readBody(incoming);
      return out.send(await control(incoming.method ?? "", incoming.url.slice(CONTROL.length), body?.toString() ?? ""));
    }
    const { vendor, host, target } = route(incoming);
    const name = vendor?.name ?? NOBODY;

    let inside = true;
    const leave = (): void => {
      if (inside) books.stats.leave(name);
      inside = false;
    };
    books.stats.enter(name);
    out.onGone(leave);

    const body = await readBody(incoming);
    const request = new LabRequest(host, target, incoming, body ?? Buffer.alloc(0));
    const fault = vendor && books.faults.take(name, () => vendor.identify(request));
    const seen = books.log.add(vendor?.name, request, fault?.kind);
    // Leaves the count before the answer goes out: a client that waits for it never counts twice.
    const settle = (answer: Answer): void => {
      leave();
      books.stats.answered(name, answer.status, answer.reason);
      if (seen === undefined) return;
      seen.status = answer.status === 0 ? undefined : answer.status;
      seen.reason = answer.reason;
      seen.capped = answer.capped;
    };

    if (fault !== undefined) {
      await perform(fault, vendor as Vendor, () => (vendor as Vendor).answer(request), out, settle);
      return answered(vendor as Vendor, request, undefined);
    }
    const answer = body === undefined ? TOO_LONG : await (vendor?.answer(request) ?? nobody(host));
    settle(answer);
    if (answer.status === 0) out.drop();
    else out.send(answer);
    if (vendor !== undefined) answered(vendor, request, answer);
  }

  return (request, response) => {
    serve(request, response).catch((error: unknown) => {
      console.error("lab:", error);
      const out = new Out(response);
      if (response.headersSent) out.drop();
      else out.send(plain(500, "the lab itself failed; see its terminal", "lab_error"));
    });
  };
}

/** The whole body; undefined if it is longer than any vendor takes. It is read to its end either way. */
function readBody(request: IncomingRequest): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MAX_BODY) chunks.push(chunk);
    });
    const done = (): void => {
      if (size > MAX_BODY) resolve(undefined);
      else resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, size));
    };
    request.on("end", done);
    request.on("close", done); // the client left in the middle
    request.on("error", done);
  });
}

const TOO_LONG = plain(413, `no vendor takes a body of more than ${MAX_BODY} bytes`, "lab_body_limit");

function nobody(host: string): Answer {
  return plain(404, `the lab plays no vendor at "${host}"; the first path segment must be a vendor's host`, "unknown_host");
}

function plain(status: number, text: string, reason: string): Answer {
  return { status, headers: { "content-type": "text/plain" }, body: `${text}\n`, reason };
}
