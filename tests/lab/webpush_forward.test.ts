// Messages for real browsers, with the way out in the test's hands: nothing leaves this machine.

import assert from "node:assert/strict";
import { createServer, request, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, test } from "node:test";
import { post, type Reply } from "./client.ts";
import { startLab, type Lab } from "./lab.ts";

interface Sent {
  url: string;
  init: RequestInit;
}

const REAL = [
  "https://fcm.googleapis.com/fcm/send/dHIoDxE7Hdg:APA91bH1Zj0kNa",
  "https://fcm.googleapis.com/wp/dHIoDxE7Hdg:APA91bH1Zj0kNa",
  "https://updates.push.services.mozilla.com/wpush/v2/gAAAAABnpdbu",
  "https://eu.autopush.push.services.mozilla.com/wpush/v2/gAAAAABnpdbu",
  "https://web.push.apple.com/QGuQyavXutnMH",
  "https://wns2-par02p.notify.windows.com/w/?token=BQYAAAB%2bc%3d",
];
const labs: Lab[] = [];
afterEach(async () => {
  await Promise.all(labs.splice(0).map((lab) => lab.close()));
});

/** A lab that passes on, as far as `answer`. */
async function forwarding(answer: () => Response | Promise<Response>): Promise<{ lab: Lab; sent: Sent[] }> {
  const sent: Sent[] = [];
  const out = async (url: unknown, init: RequestInit = {}): Promise<Response> => {
    sent.push({ url: String(url), init });
    return answer();
  };
  const lab = await startLab({ settings: { webpush_forward: true }, fetch: out as typeof fetch });
  labs.push(lab);
  return { lab, sent };
}

const created = (): Response => new Response(null, { status: 201 });

function send(lab: Lab, endpoint: string, headers: Record<string, string> = {}): Promise<Reply> {
  return post(endpoint.replace("https:/", lab.url), { headers: { ttl: "60", ...headers }, body: "sealed" });
}

test("it is off: a stranger is unknown, and nothing leaves", async () => {
  const { lab, sent } = await forwarding(created);
  lab.reset();
  lab.settings({ webpush_forward: false });
  for (const endpoint of REAL) assert.match(String((await send(lab, endpoint)).status), /^4(04|10)$/, endpoint);
  assert.deepEqual(sent, []);
  const usual = await startLab();
  labs.push(usual);
  assert.equal(usual.settings().webpush_forward, false);
});

test("a message for a real browser goes on as it came, and the answer comes back", async () => {
  const headers = {
    location: "https://updates.push.services.mozilla.com/m/x",
    "retry-after": "7",
    "apns-id": "0A",
    "set-cookie": "a=b",
  };
  const { lab, sent } = await forwarding(() => new Response("taken", { status: 201, headers }));
  const given = {
    urgency: "high",
    topic: "T",
    "content-encoding": "aes128gcm",
    "content-type": "application/octet-stream",
    authorization: "vapid t=abc, k=def",
  };
  for (const endpoint of REAL) {
    const reply = await send(lab, endpoint, { ...given, cookie: "c=d" });
    assert.deepEqual([reply.status, reply.text], [201, "taken"]);
    assert.deepEqual([reply.headers["retry-after"], reply.headers["apns-id"]], ["7", "0A"]);
    assert.equal(reply.headers["location"], headers.location);
    assert.equal(reply.headers["set-cookie"], undefined);
    const { url, init } = sent.at(-1) as Sent;
    assert.equal(url, endpoint);
    assert.deepEqual(init.headers, { ttl: "60", ...given });
    assert.equal(Buffer.from(init.body as Uint8Array).toString(), "sealed");
    assert.deepEqual([init.method, init.redirect], ["POST", "manual"]);
    assert.deepEqual([lab.log().at(-1)?.vendor, lab.log().at(-1)?.reason], ["webpush", "forwarded"]);
  }
});

test("a browser made here never leaves, also one of a lab that is gone", async () => {
  const { lab, sent } = await forwarding(created);
  const earlier = await startLab();
  labs.push(earlier);
  for (const service of ["google", "mozilla", "apple", "microsoft"] as const) {
    for (const maker of [lab, earlier]) {
      const { endpoint } = maker.subscribe({ service });
      assert.match(String((await send(lab, endpoint)).status), /^4/);
    }
  }
  const mine = lab.subscribe();
  lab.reset({ accounts: true });
  lab.settings({ webpush_forward: true });
  assert.equal((await send(lab, mine.endpoint)).status, 404);
  assert.deepEqual(sent, []);
});

test("nothing but a push service's endpoint, spelt plainly, is passed on", async () => {
  const { lab, sent } = await forwarding(created);
  const paths = [
    "/fcm.googleapis.com/v1/projects/p/messages:send",
    "/fcm.googleapis.com/fcm/send/../../v1/projects/p/messages:send",
    "/fcm.googleapis.com/wp/%2e%2e/v1/projects/p/messages:send",
    "/oauth2.googleapis.com/token",
    "/api.push.apple.com/3/device/x",
    "/push.apple.com/x",
    "/a.b.notify.windows.com/w/?token=x",
    "/push.example.org/up",
    "/fcm.googleapis.com.example.org/fcm/send/x",
    "/constructor/x",
  ];
  for (const path of paths) assert.notEqual(await raw(lab, "POST", path), 201, path);
  assert.notEqual(await raw(lab, "GET", "/web.push.apple.com/x"), 201);
  assert.deepEqual(sent, []);
});

/** A path that no client would write so. */
function raw(lab: Lab, method: string, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(lab.url);
    const sent = request({ host: "127.0.0.1", port, method, path }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    sent.on("error", reject);
    sent.end();
  });
}

test("a fault and a state answer before anything leaves", async () => {
  const { lab, sent } = await forwarding(created);
  const [endpoint = ""] = REAL;
  lab.token("webpush", endpoint, { state: "gone" });
  assert.equal((await send(lab, endpoint)).status, 410);
  lab.token("webpush", endpoint, { state: "alive" });
  lab.fault({ vendor: "webpush", do: { reason: "google:busy" } });
  assert.equal((await send(lab, endpoint)).status, 429);
  assert.deepEqual(sent, []);
  assert.equal((await send(lab, endpoint)).status, 201);
});

test("so it is on the wire: no redirect is followed, and nothing is added to what counts", async () => {
  const seen: { url: string | undefined; headers: IncomingHttpHeaders; body: string }[] = [];
  const service = createServer(async (incoming, outgoing) => {
    const body = Buffer.concat(await incoming.toArray()).toString();
    seen.push({ url: incoming.url, headers: incoming.headers, body });
    outgoing.writeHead(307, { location: "/elsewhere" }).end();
  });
  await new Promise<void>((done) => service.listen(0, "127.0.0.1", done));
  try {
    const { port } = service.address() as AddressInfo;
    const here = (url: unknown, init?: RequestInit): Promise<Response> =>
      fetch(String(url).replace("https:/", `http://127.0.0.1:${port}`), init);
    const lab = await startLab({ settings: { webpush_forward: true }, fetch: here as typeof fetch });
    labs.push(lab);
    const endpoint = REAL.at(-1) as string;
    const headers = { "content-encoding": "aes128gcm", "content-type": "application/octet-stream" };
    const reply = await send(lab, endpoint, headers);
    assert.deepEqual([reply.status, reply.headers["location"]], [307, "/elsewhere"]);
    assert.deepEqual(seen.map(({ url, body }) => [`https:/${url}`, body]), [[endpoint, "sealed"]]);
    const [first] = seen;
    for (const [name, value] of Object.entries({ ...headers, ttl: "60", "content-length": "6" })) {
      assert.equal(first?.headers[name], value);
    }
    for (const name of ["authorization", "urgency", "topic", "cookie"]) assert.equal(first?.headers[name], undefined);
  } finally {
    service.close();
    service.closeAllConnections();
  }
});

test("a redirect is given back, a long body is cut", async () => {
  const elsewhere = { status: 302, headers: { location: "https://example.com/" } };
  const { lab, sent } = await forwarding(() => new Response("x".repeat(100_000), elsewhere));
  const reply = await send(lab, REAL[0] as string);
  assert.deepEqual([reply.status, reply.headers["location"], reply.text.length], [302, "https://example.com/", 16_384]);
  assert.equal(sent.length, 1);
});

test("a service that is late or not there is what a proxy would say", async () => {
  const late = await forwarding(() => Promise.reject(new DOMException("aborted", "TimeoutError")));
  const first = await send(late.lab, REAL[0] as string);
  assert.deepEqual([first.status, first.text], [504, "lab: fcm.googleapis.com did not answer within 10 s\n"]);
  const away = new TypeError("fetch failed", { cause: new Error("getaddrinfo ENOTFOUND") });
  const { lab } = await forwarding(() => Promise.reject(away));
  const second = await send(lab, REAL[0] as string);
  assert.deepEqual([second.status, lab.log().at(-1)?.reason], [502, "lab_not_forwarded"]);
  assert.match(second.text, /ENOTFOUND/);
});

test("the signal ends a request that nobody answers", { timeout: 20_000 }, async () => {
  let waited: AbortSignal | null | undefined;
  const out = (_: unknown, init: RequestInit = {}): Promise<Response> => {
    waited = init.signal;
    return new Promise((_, reject) => waited?.addEventListener("abort", () => reject(waited?.reason)));
  };
  const lab = await startLab({ settings: { webpush_forward: true }, fetch: out as typeof fetch });
  labs.push(lab);
  assert.equal((await send(lab, REAL[0] as string)).status, 504);
});
