// The page of `make dev`: hands out the files under page/, and makes the page's calls at the gateway with the demo's
// key, which the browser never sees. Any website that the same browser shows could call a port of this machine, too:
// `refusal` leaves only the page itself.

import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import type { Delivery, PushReply } from "./client.ts";
import type { Demo } from "./demo.ts";
import { HOST } from "./ports.ts";
import { reason } from "./print.ts";

export interface PageOptions {
  port: number;
  demo: Pick<Demo, "gateway" | "user" | "vapidKey">;
  /** Ids of pushes that the page's table begins with. */
  pushes?: readonly string[];
}

export interface Page {
  readonly url: string;
  close(): void;
}

type Body = Readonly<Record<string, unknown>>;
type Call = (body: Body, origin: string) => Promise<unknown>;

/** Bytes of a call: a subscription has some hundred. */
const MAX_BODY = 16_384;
/** Pushes that the table shows. */
const KEPT = 5;
/** The devices that the page may write to: not the demo's phones. */
const DEVICE = /^browser-[0-9a-f-]{36}$/;
const FILES: Readonly<Record<string, readonly [name: string, type: string]>> = {
  "GET /": ["index.html", "text/html; charset=utf-8"],
  "GET /page.js": ["page.js", "text/javascript; charset=utf-8"],
  "GET /style.css": ["style.css", "text/css; charset=utf-8"],
  "GET /sw.js": ["sw.js", "text/javascript; charset=utf-8"],
};
/** Pictures are those of pushes, which the service worker fetches under the same policy. */
const POLICY = "default-src 'self'; img-src 'self' data: https:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": POLICY,
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** A call that the page would not make. */
class CallProblem extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export async function servePage({ port, demo, pushes = [] }: PageOptions): Promise<Page> {
  const calls = callsOf(demo, pushes);
  const hosts = new Set([HOST, "localhost"].map((name) => new URL(`http://${name}:${port}`).host));

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    const refused = refusal(request, hosts);
    if (refused !== undefined) return json(response, 403, { error: refused });
    const [path = "/"] = (request.url ?? "/").split("?", 1);
    const route = `${request.method} ${path}`;
    const file = FILES[route];
    if (file !== undefined) return send(response, 200, file[1], readFileSync(join(import.meta.dirname, "page", file[0])));
    const call = calls.get(route);
    if (call === undefined) return json(response, 404, { error: `there is no ${route}` });
    if (body === undefined) return json(response, 413, { error: `a call has at most ${MAX_BODY} bytes` });
    try {
      json(response, 200, await call(parsed(body), request.headers.origin ?? ""));
    } catch (error) {
      json(response, error instanceof CallProblem ? error.status : 502, { error: reason(error) });
    }
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, HOST, resolve);
  });
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://${HOST}:${port}/`, close };
}

function callsOf({ gateway, user, vapidKey }: PageOptions["demo"], begin: readonly string[]): ReadonlyMap<string, Call> {
  let shown = begin.map((id) => ({ id, at: Date.now() }));

  const rows = async ({ id, at }: { id: string; at: number }): Promise<object[]> => {
    const { deliveries } = await gateway.call<PushReply>("GET", `/v1/push/${id}`);
    return deliveries.map(({ device, vendor, state, reason, detail, seen }: Delivery) => {
      return { push: id, at, device, vendor, state, reason, detail, seen };
    });
  };
  return new Map<string, Call>([
    ["GET /api/demo", async () => ({ user, public_key: vapidKey })],
    ["GET /api/deliveries", async () => ({ deliveries: (await Promise.all(shown.map(rows))).flat() })],
    [
      "POST /api/device",
      async (body) => {
        const { permission, subscription: token } = body;
        const path = `/v1/users/${encodeURIComponent(user)}/devices/${deviceOf(body)}`;
        await gateway.call("PUT", path, { platform: "web", vendor: "webpush", token, permission });
        return {};
      },
    ],
    [
      "POST /api/event",
      async (body) => {
        const { type, id, permission } = body;
        return gateway.call("POST", "/v1/events", { events: [{ type, id, permission, user, device: deviceOf(body) }] });
      },
    ],
    [
      "POST /api/push",
      async (_, origin) => {
        const at = Date.now();
        const { id, status } = await gateway.push({
          to: { users: [user] },
          category: "order",
          notification: { title: "Sent", body: "Your parcel has left", link: `${origin}/#order-4711` },
          data: { order: "4711" },
        });
        shown = [{ id, at }, ...shown].slice(0, KEPT);
        return { id, status };
      },
    ],
  ]);
}

function deviceOf({ device }: Body): string {
  if (typeof device === "string" && DEVICE.test(device)) return device;
  throw new CallProblem(400, '"device" is browser- and a UUID');
}

/**
 * Another site's page says so in its Origin, or cannot read what it gets. One whose name was made to lead here says so
 * in its Host. A form can send no JSON.
 */
function refusal({ method, headers }: IncomingMessage, hosts: ReadonlySet<string>): string | undefined {
  const { host = "", origin, "content-type": type } = headers;
  if (!hosts.has(host)) return `this page is at ${[...hosts].join(" and ")} only`;
  if (origin === undefined ? method !== "GET" : origin !== `http://${host}`) return "only the page itself may call";
  if (method !== "GET" && type !== "application/json") return "calls are application/json";
  return undefined;
}

function parsed(text: string): Body {
  if (text === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Body;
  } catch {
    // Said below.
  }
  throw new CallProblem(400, "a call is a JSON object");
}

/** The whole body; undefined if it is too long. It is read to its end either way, so that the answer is read, too. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= MAX_BODY) chunks.push(chunk);
  }
  return size > MAX_BODY ? undefined : Buffer.concat(chunks).toString();
}

function json(response: ServerResponse, status: number, value: unknown): void {
  send(response, status, "application/json", `${JSON.stringify(value)}\n`);
}

function send(response: ServerResponse, status: number, type: string, body: string | Buffer): void {
  response.writeHead(status, { ...HEADERS, "content-type": type, "content-length": Buffer.byteLength(body) });
  response.end(body);
}
