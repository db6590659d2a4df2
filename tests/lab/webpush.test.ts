import assert from "node:assert/strict";
import { createECDH } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, beforeEach, test } from "node:test";
import ece from "http_ece";
import { importJWK, SignJWT, type JWTPayload } from "jose";
import { h2, post, seconds, type Reply } from "./client.ts";
import { startLab, type Lab } from "./lab.ts";
import { SERVICES, type Service } from "./vendors/webpush_answers.ts";
import type { Subscription, WebpushCredentials } from "./vendors/webpush_browsers.ts";

const MESSAGE = { notification: { title: "Sent", body: "Your parcel has left" } };
let lab: Lab;
let operator: WebpushCredentials;

before(async () => {
  lab = await startLab();
  operator = await lab.makeWebpush();
});
after(() => lab.close());
beforeEach(() => lab.reset());

interface Send {
  from?: WebpushCredentials;
  claims?: JWTPayload;
  headers?: Record<string, string | undefined>;
  body?: Buffer;
}

async function token(to: Subscription, { from = operator, claims = {} }: Send): Promise<string> {
  const point = Buffer.from(from.public_key, "base64url");
  const part = (at: number): string => point.subarray(at, at + 32).toString("base64url");
  const key = await importJWK({ kty: "EC", crv: "P-256", x: part(1), y: part(33), d: from.private_key }, "ES256");
  const usual = { aud: new URL(to.endpoint).origin, exp: seconds(12 * 3600), sub: from.subject };
  return new SignJWT({ ...usual, ...claims }).setProtectedHeader({ typ: "JWT", alg: "ES256" }).sign(key);
}

function encrypted(to: Subscription, plain: string): Buffer {
  const sender = createECDH("prime256v1");
  sender.generateKeys();
  const params = { version: "aes128gcm" as const, privateKey: sender, dh: to.keys.p256dh, authSecret: to.keys.auth };
  return ece.encrypt(Buffer.from(plain), params);
}

/** A send that succeeds, but for what a test changes; a header set to undefined is left out. */
async function send(to: Subscription, change: Send = {}): Promise<Reply> {
  const usual = {
    authorization: `vapid t=${await token(to, change)}, k=${(change.from ?? operator).public_key}`,
    ttl: "60",
    "content-encoding": "aes128gcm",
    "content-type": "application/octet-stream",
    ...change.headers,
  };
  const headers = Object.entries(usual).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const body = change.body ?? encrypted(to, JSON.stringify(MESSAGE));
  return post(to.endpoint.replace("https:/", lab.url), { headers, body: body as never });
}

async function fault(service: Service, change: Send): Promise<string> {
  await send(lab.subscribe({ service, public_key: operator.public_key }), change);
  return lab.log().at(-1)?.reason ?? "accepted";
}

test("each service takes a message for its browsers, and what it says is read", async () => {
  for (const service of SERVICES) {
    const to = lab.subscribe({ service });
    const reply = await send(to, { headers: { urgency: "high", topic: "T".repeat(32) } });
    assert.deepEqual([reply.status, reply.text], [201, ""], service);
    const seen = lab.log().at(-1);
    assert.deepEqual([seen?.vendor, seen?.body], ["webpush", MESSAGE]);
    const shown = seen?.headers["authorization"] as { scheme: string; k: string; claims: JWTPayload };
    assert.deepEqual([shown.scheme, shown.k, shown.claims.aud], ["vapid", operator.public_key, new URL(to.endpoint).origin]);
    assert.ok(!JSON.stringify(seen).includes("eyJ"), "the token itself is not shown");
  }
});

test("an id comes as each service gives it", async () => {
  const headers = async (service: Service): Promise<Record<string, string>> => (await send(lab.subscribe({ service }))).headers;
  assert.match((await headers("google"))["location"] ?? "", /^https:\/\/fcm\.googleapis\.com\/0:\d+%[0-9a-f]{16}$/);
  assert.match((await headers("mozilla"))["location"] ?? "", /^https:\/\/updates\.push\.services\.mozilla\.com\/m\/\S+$/);
  assert.match((await headers("apple"))["apns-id"] ?? "", /^[0-9A-F-]{36}$/);
  assert.equal((await headers("microsoft"))["location"], undefined);
});

test("refusals are literal", async () => {
  const gone = async (service: Service): Promise<[number, string]> => {
    const to = lab.subscribe({ service });
    lab.token("webpush", to.endpoint, { state: "gone" });
    const reply = await send(to);
    return [reply.status, reply.text];
  };
  assert.deepEqual(await gone("google"), [410, "push subscription has unsubscribed or expired.\n"]);
  assert.deepEqual(await gone("mozilla"), [
    410,
    '{"code":410,"errno":106,"error":"Gone","message":"No such subscription","more_info":"http://autopush.readthedocs.io/en/latest/http.html#error-codes"}',
  ]);
  assert.deepEqual(await gone("apple"), [410, '{"reason":"Unregistered"}']);
  assert.deepEqual(await gone("microsoft"), [410, ""]);
});

const bad: [string, Send, string][] = [
  ["no Authorization", { headers: { authorization: undefined } }, "no_auth"],
  ["another scheme", { headers: { authorization: "WebPush eyJ" } }, "no_auth"],
  ["a token that is none", { headers: { authorization: "vapid t=abc, k=abc" } }, "bad_jwt"],
  ["a token that has ended", { claims: { exp: seconds(-1) } }, "bad_jwt"],
  ["a token of more than a day", { claims: { exp: seconds(86_460) } }, "bad_jwt"],
  ["a token for another service", { claims: { aud: "https://push.example" } }, "bad_audience"],
  ["an audience with a path", { claims: { aud: "https://web.push.apple.com/" } }, "bad_audience"],
  ["no TTL", { headers: { ttl: undefined } }, "ttl"],
  ["a TTL that is a date", { headers: { ttl: "soon" } }, "ttl"],
  ["an urgency that there is not", { headers: { urgency: "urgent" } }, "urgency"],
  ["a topic of 33", { headers: { topic: "x".repeat(33) } }, "topic"],
  ["a topic of another alphabet", { headers: { topic: "a/b" } }, "topic"],
  ["no Content-Encoding", { headers: { "content-encoding": undefined } }, "encoding"],
  ["the encoding of the draft", { headers: { "content-encoding": "aesgcm" } }, "encoding"],
  ["headers of the draft", { headers: { encryption: "salt=x" } }, "encoding"],
  ["a body of 4097 bytes", { body: Buffer.alloc(4097) }, "too_large"],
];
for (const [what, change, expected] of bad) {
  test(`${what}: ${expected}`, async () => {
    for (const service of SERVICES) assert.equal(await fault(service, change), `${service}:${expected}`);
  });
}

test("a token signed with another key than it names is refused", async () => {
  const other = await lab.makeWebpush();
  const to = lab.subscribe();
  const authorization = `vapid t=${await token(to, { from: other })}, k=${operator.public_key}`;
  assert.equal((await send(to, { headers: { authorization } })).status, 401);
  assert.equal(lab.log().at(-1)?.reason, "mozilla:bad_jwt");
});

test("a subscription works with the key that it was made with, or the first that sends", async () => {
  const other = await lab.makeWebpush();
  assert.equal(await fault("google", { from: other }), "google:other_key");
  const to = lab.subscribe({ service: "apple" });
  assert.equal((await send(to)).status, 201);
  const reply = await send(to, { from: other });
  assert.deepEqual([reply.status, reply.text], [400, '{"reason":"VapidPkHashMismatch"}']);
});

test("Apple and Mozilla want somebody to write to, and Apple a real one", async () => {
  assert.equal(await fault("google", { claims: { sub: undefined as never } }), "accepted");
  assert.equal(await fault("mozilla", { claims: { sub: undefined as never } }), "mozilla:bad_jwt");
  assert.equal(await fault("mozilla", { claims: { sub: "mailto:push@localhost" } }), "accepted");
  for (const sub of ["mailto:push@localhost", "mailto:<push@example.com>", "push@example.com", "mailto:a@b.invalid"]) {
    assert.equal(await fault("apple", { claims: { sub } }), "apple:bad_jwt", sub);
  }
});

test("Apple decodes a topic", async () => {
  const topics = async (service: Service): Promise<string[]> => {
    const reasons = [];
    for (const length of [1, 5, 12, 13, 32]) reasons.push(await fault(service, { headers: { topic: "x".repeat(length) } }));
    return reasons;
  };
  const refusals = (await topics("apple")).filter((reason) => reason === "apple:topic");
  assert.equal(refusals.length, 3);
  assert.deepEqual(new Set(await topics("mozilla")), new Set(["accepted"]));
});

test("4096 bytes pass, and a body that the browser cannot read does not", async () => {
  const to = lab.subscribe();
  const largest = encrypted(to, "x".repeat(3993));
  assert.equal(largest.length, 4096);
  assert.equal((await send(to, { body: largest })).status, 201);
  assert.equal(lab.log().at(-1)?.body, "x".repeat(3993));
  const spoiled = encrypted(to, "x");
  spoiled[spoiled.length - 1]! ^= 1;
  assert.equal((await send(to, { body: spoiled })).status, 400);
  assert.deepEqual([lab.log().at(-1)?.reason, lab.log().at(-1)?.body], ["lab_unreadable", `${spoiled.length} encrypted bytes`]);
  assert.equal((await send(to, { body: encrypted(lab.subscribe(), "x") })).status, 400, "of another browser");
});

test("a browser that nobody has is unknown; states and faults are the services' words", async () => {
  const to = lab.subscribe({ service: "google" });
  const stranger = { ...to, endpoint: `${to.endpoint}x` };
  assert.match((await send(stranger)).text, /^A valid push subscription endpoint/);
  lab.token("webpush", to.endpoint, { state: "unknown" });
  assert.equal((await send(to)).status, 404);
  lab.token("webpush", to.endpoint, { state: "other_key" });
  assert.equal((await send(to)).status, 403);
  lab.reset();
  assert.equal((await send(to)).status, 201, "a reset keeps the browser");
  lab.fault({ vendor: "webpush", match: { token: to.endpoint }, do: { reason: "microsoft:busy" } });
  const busy = await send(to);
  assert.deepEqual([busy.status, busy.headers["retry-after"], busy.text], [406, "30", ""]);
  assert.throws(() => lab.fault({ vendor: "webpush", do: { reason: "google:nothing" } }));
  lab.fault({ vendor: "webpush", match: { account: operator.public_key }, do: { reason: "mozilla:busy" } });
  assert.equal((await send(to)).headers["retry-after"], "120");
});

test("subscriptions are made over the control API, and gone with the accounts", async () => {
  const made = await post(`${lab.url}/_lab/subscriptions`, { method: "POST", body: '{"service":"apple"}' });
  const to = JSON.parse(made.text) as Subscription;
  assert.equal((await send(to)).status, 201);
  assert.equal((await post(`${lab.url}/_lab/subscriptions`, { method: "POST", body: '{"service":"mars"}' })).status, 400);
  lab.reset({ accounts: true });
  assert.equal((await send(to)).status, 410);
});

test("Google's host is FCM's as well, over HTTP/2 too", async () => {
  const headers = { ":authority": "fcm.googleapis.com", authorization: "Bearer x" };
  await h2(lab, { ...headers, ":path": "/v1/projects/p/messages:send" }, "{}");
  await h2(lab, { ...headers, ":path": "/fcm/send/x" }, "{}");
  await h2(lab, { ...headers, ":path": "/wp/x" }, "{}");
  assert.deepEqual(
    lab.log().map((entry) => entry.vendor),
    ["fcm", "webpush", "webpush"],
  );
});

test("bodies of the crate with 0, 1 and 3,993 bytes are read by http_ece, and with one bit turned they are not", () => {
  const fixture = JSON.parse(readFileSync(new URL("../fixtures/webpush.json", import.meta.url), "utf8"));
  const browser = createECDH("prime256v1");
  browser.setPrivateKey(fixture.private_key, "base64url");
  assert.equal(browser.getPublicKey("base64url"), fixture.public_key);
  const read = (body: Buffer): Buffer => ece.decrypt(body, { version: "aes128gcm", privateKey: browser, authSecret: fixture.auth });
  const sizes = fixture.vectors.map(({ length, body }: { length: number; body: string }) => {
    const bytes = Buffer.from(body, "base64url");
    assert.deepEqual(read(bytes), Buffer.from(Array.from({ length }, (_, n) => n % 251)), `${length} bytes`);
    bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
    assert.throws(() => read(bytes), `${length} bytes`);
    return [length, bytes.length];
  });
  assert.deepEqual(sizes, [[0, 103], [1, 104], [3993, 4096]]);
});
