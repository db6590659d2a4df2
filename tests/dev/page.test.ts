// The demo page's server before a gateway that only writes down, and the page's service worker in a context of its own.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { createContext, runInContext } from "node:vm";
import { Gateway } from "./client.ts";
import { type Page, servePage } from "./page.ts";
import { choosePorts } from "./ports.ts";

const KEY = "epk_demo_secret";
const DEVICE = "browser-0b5e6c1e-7c7b-4d0e-9d0e-5a1d2b7c3e44";

interface Asked {
  what: string;
  authorization: string | undefined;
  body: unknown;
}

interface Reply {
  status: number;
  headers: Record<string, unknown>;
  text: string;
}

const asked: Asked[] = [];
let answer: { status: number; body: unknown };
let gateway: Server;
let page: Page;
let origin: string;

before(async () => {
  gateway = createServer((incoming, outgoing) => {
    let text = "";
    incoming.on("data", (chunk) => (text += chunk));
    incoming.on("end", () => {
      const body: unknown = text === "" ? undefined : JSON.parse(text);
      asked.push({ what: `${incoming.method} ${incoming.url}`, authorization: incoming.headers.authorization, body });
      outgoing.writeHead(answer.status).end(JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((done) => gateway.listen(0, "127.0.0.1", done));
  const { port } = gateway.address() as AddressInfo;
  const demo = { gateway: new Gateway(`http://127.0.0.1:${port}`, KEY), user: "u42", vapidKey: "BPk" };
  const ports = await choosePorts({ EDGEPUSH_PORT: "0", LAB_PORT: "0", DEMO_PORT: "0" });
  page = await servePage({ port: ports.page, demo });
  origin = page.url.slice(0, -1);
});
after(() => {
  page.close();
  gateway.close();
  gateway.closeAllConnections();
});
beforeEach(() => {
  asked.length = 0;
  answer = { status: 200, body: {} };
});

/** Every header as given: `fetch` has a mind of its own about some. */
function ask(method: string, path: string, headers: Record<string, string> = {}, body = ""): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = request(`${origin}${path}`, { method, headers, agent: false }, (answered) => {
      let text = "";
      answered.on("data", (chunk) => (text += chunk));
      answered.on("end", () => resolve({ status: answered.statusCode ?? 0, headers: answered.headers, text }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return ask("POST", path, { origin, "content-type": "application/json", ...headers }, text);
}

test("the files come with their types, and nothing else does", async () => {
  const script = "text/javascript";
  const files = { "/": "text/html", "/page.js": script, "/sw.js?device=x": script, "/style.css": "text/css" };
  for (const [path, type] of Object.entries(files)) {
    const reply = await ask("GET", path);
    assert.equal(reply.status, 200, path);
    assert.equal(reply.headers["content-type"], `${type}; charset=utf-8`);
    assert.equal(reply.headers["x-content-type-options"], "nosniff");
    assert.ok(!reply.text.includes(KEY));
  }
  for (const path of ["/page.ts", "/../page.ts", "/..%2fpage.ts", "/api/", "/constructor"]) {
    assert.equal((await ask("GET", path)).status, 404, path);
  }
  assert.equal((await post("/", {})).status, 404);
});

test("the page's calls become the gateway's, with the key that the page never sees", async () => {
  const demo = await ask("GET", "/api/demo");
  assert.deepEqual(JSON.parse(demo.text), { user: "u42", public_key: "BPk" });

  const subscription = { endpoint: "https://web.push.apple.com/x", keys: {} };
  await post("/api/device", { device: DEVICE, permission: "granted", subscription, user: "another" });
  await post("/api/event", { type: "shown", id: "01JDP3A7Q8R9S0T1V2W3X4Y5Z6.0", device: DEVICE, user: "another" });
  await post("/api/event", { type: "permission", permission: "denied", device: DEVICE });
  const delivery = { device: DEVICE, vendor: "webpush", state: "accepted", seen: "shown" };
  answer.body = { id: "P", status: "done", deliveries: [delivery] };
  const pushed = await post("/api/push", {});
  const rows = await ask("GET", "/api/deliveries");

  const [device, shown, permission, push, read] = asked;
  assert.equal(device?.what, `PUT /v1/users/u42/devices/${DEVICE}`);
  assert.deepEqual(device?.body, { platform: "web", vendor: "webpush", token: subscription, permission: "granted" });
  const event = { type: "shown", id: "01JDP3A7Q8R9S0T1V2W3X4Y5Z6.0", user: "u42", device: DEVICE };
  assert.deepEqual([shown?.what, shown?.body], ["POST /v1/events", { events: [event] }]);
  const denied = { type: "permission", permission: "denied", user: "u42", device: DEVICE };
  assert.deepEqual(permission?.body, { events: [denied] });
  assert.deepEqual([push?.what, (push?.body as { to: unknown }).to], ["POST /v1/push", { users: ["u42"] }]);
  assert.equal(read?.what, "GET /v1/push/P");
  assert.ok(asked.every(({ authorization }) => authorization === `Bearer ${KEY}`));
  assert.deepEqual(JSON.parse(pushed.text), { id: "P", status: "done" });
  const [row] = (JSON.parse(rows.text) as { deliveries: Record<string, unknown>[] }).deliveries;
  assert.deepEqual([row?.["push"], row?.["state"], row?.["seen"]], ["P", "accepted", "shown"]);
  for (const reply of [demo, pushed, rows]) assert.ok(!reply.text.includes(KEY));
});

test("other sites' pages are refused, and so is a name that leads here", async () => {
  const { port } = new URL(origin);
  const json = { "content-type": "application/json" };
  const foreign: [string, Record<string, string>][] = [
    ["POST", { ...json, origin: "https://example.com" }],
    ["POST", { ...json, origin: `http://127.0.0.1:${Number(port) + 1}` }],
    ["POST", { ...json, origin: `https://127.0.0.1:${port}` }],
    ["POST", { ...json, origin: "null" }],
    ["POST", json],
    ["POST", { origin, "content-type": "text/plain" }],
    ["POST", { origin }],
    ["POST", { ...json, origin: `http://rebound.example:${port}`, host: `rebound.example:${port}` }],
    ["GET", { origin: "https://example.com" }],
    ["GET", { host: `rebound.example:${port}` }],
    ["GET", { host: "127.0.0.1" }],
    ["OPTIONS", { origin: "https://example.com", "access-control-request-method": "POST" }],
  ];
  for (const [method, headers] of foreign) {
    for (const path of ["/api/push", "/api/deliveries", "/"]) {
      const reply = await ask(method, path, headers, method === "POST" ? "{}" : "");
      assert.equal(reply.status, 403, `${method} ${path} ${JSON.stringify(headers)}`);
      assert.equal(reply.headers["access-control-allow-origin"], undefined);
    }
  }
  assert.deepEqual(asked, []);
  const local = { host: `localhost:${port}`, origin: `http://localhost:${port}` };
  assert.equal((await post("/api/event", { device: DEVICE }, local)).status, 200);
  assert.equal((await post("/api/event", { device: DEVICE }, { ...local, origin })).status, 403, "one name only");
});

test("a call is a small JSON object about a browser", async () => {
  const wrong: [number, unknown][] = [
    [400, "{"],
    [400, "[]"],
    [400, '"x"'],
    [400, {}],
    [400, { device: "iphone" }],
    [400, { device: `${DEVICE}/../iphone` }],
    [400, { device: [DEVICE] }],
    [413, { device: DEVICE, subscription: "x".repeat(16_384) }],
  ];
  for (const [status, body] of wrong) {
    assert.equal((await post("/api/device", body)).status, status, JSON.stringify(body).slice(0, 80));
  }
  assert.deepEqual(asked, []);
});

test("what the gateway refuses is said in its words", async () => {
  answer = { status: 400, body: { code: "invalid_token", detail: "must be a point" } };
  const reply = await post("/api/device", { device: DEVICE, subscription: {} });
  assert.equal(reply.status, 502);
  assert.match((JSON.parse(reply.text) as { error: string }).error, /answered 400.*must be a point/);
});

interface Worker {
  /** Fires an event and waits for what it has asked to be waited for. */
  fire(type: string, event: object): Promise<void>;
  shown: { title: string; options: { body?: string; tag?: string; data: Record<string, unknown> } }[];
  reported: unknown[];
  opened: string[];
  badges: number[];
}

function startWorker(): Worker {
  const listeners = new Map<string, (event: object) => void>();
  const worker = { shown: [], reported: [], opened: [], badges: [] } as Omit<Worker, "fire">;
  const self = {
    location: { href: `http://127.0.0.1:8795/sw.js?device=${DEVICE}` },
    addEventListener: (type: string, listener: (event: object) => void) => listeners.set(type, listener),
    navigator: { setAppBadge: async (count: number) => void worker.badges.push(count) },
    registration: {
      // What a browser does: the options are cloned.
      showNotification: async (title: string, options: object) =>
        void worker.shown.push({ title, options: structuredClone(options) as Worker["shown"][number]["options"] }),
    },
    clients: { openWindow: async (url: string) => void worker.opened.push(url) },
  };
  const fetch = async (path: string, init: { body: string }): Promise<object> => {
    worker.reported.push([path, JSON.parse(init.body)]);
    throw new TypeError("make dev has ended");
  };
  const context = createContext({ self, fetch, URL });
  runInContext(readFileSync(join(import.meta.dirname, "page/sw.js"), "utf8"), context);
  const fire = async (type: string, event: object): Promise<void> => {
    let waited: unknown;
    listeners.get(type)?.({ ...event, waitUntil: (promise: unknown) => (waited = promise) });
    await waited;
  };
  return { fire, ...worker };
}

/** A push event with this text in it, or the JSON of a message. */
function pushed(message: unknown): object {
  const text = typeof message === "string" ? message : JSON.stringify(message);
  return { data: { json: (): unknown => JSON.parse(text) } };
}

const ID = "01JDP3A7Q8R9S0T1V2W3X4Y5Z6.0";

function told(type: string): unknown {
  return ["/api/event", { type, id: ID, device: DEVICE }];
}

test("the worker shows a message and says so, and a click opens its link", async () => {
  const worker = startWorker();
  const data = { order: "4711", ep_id: ID, ep_link: "app://order/4711" };
  const notification = { title: "Sent", body: "It has left", tag: "t", data };
  await worker.fire("push", pushed({ notification, app_badge: 3 }));
  assert.deepEqual(worker.shown, [{ title: "Sent", options: { body: "It has left", tag: "t", data } }]);
  assert.deepEqual([worker.reported, worker.badges], [[told("shown")], [3]]);

  let closed = false;
  await worker.fire("notificationclick", { notification: { data, close: () => (closed = true) } });
  assert.deepEqual([closed, worker.opened, worker.reported.at(-1)], [true, ["app://order/4711"], told("clicked")]);
});

test("a declarative message opens what it names, whoever has read it", async () => {
  const link = "https://example.com/o";
  const notification = { title: "Sent", navigate: link, data: { ep_id: ID, ep_link: link } };
  const declared = pushed({ web_push: 8030, notification, mutable: true });
  const byBrowser = { data: null, appBadge: 0, notification: { ...notification, body: "", icon: "", silent: null } };
  for (const event of [declared, byBrowser]) {
    const worker = startWorker();
    await worker.fire("push", event);
    const [shown] = worker.shown;
    assert.deepEqual([shown?.title, Object.keys(shown?.options ?? {})], ["Sent", ["data"]]);
    assert.deepEqual(worker.reported, [told("shown")]);
    await worker.fire("notificationclick", { notification: { data: shown?.options.data, close: () => undefined } });
    assert.deepEqual([worker.opened, worker.reported.at(-1)], [[link], told("clicked")]);
  }
});

test("a message without text is received, and something is shown, as for one that is not the gateway's", async () => {
  const worker = startWorker();
  await worker.fire("push", pushed({ data: { ep_id: ID } }));
  assert.deepEqual(worker.reported, [told("received")]);
  const texts = ["{", "null", '"x"'].map(pushed);
  for (const event of [...texts, { data: null }, {}, pushed({ notification: { body: "x" } })]) {
    await worker.fire("push", event);
  }
  assert.deepEqual([worker.shown.length, worker.reported.length], [7, 1]);
  assert.deepEqual(new Set(worker.shown.map(({ title }) => title)), new Set(["edgepush"]));
  assert.equal(worker.shown.at(-1)?.options.body, "x");
  await worker.fire("notificationclick", { notification: { data: null, close: () => undefined } });
  assert.deepEqual([worker.opened, worker.reported.length], [["/"], 1]);
});
