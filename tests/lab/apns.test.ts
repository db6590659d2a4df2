import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { request as httpRequest } from "node:http";
import { after, before, beforeEach, test } from "node:test";
import { importPKCS8, SignJWT } from "jose";
import { ALERT, DEVICE, h2, post, providerToken, seconds, type Reply } from "./client.ts";
import { startLab, type Lab } from "./lab.ts";
import type { ApnsCredentials } from "./vendors/apns_keys.ts";

const TOPIC = "com.example.app";
let lab: Lab;
let operator: ApnsCredentials;
let jwt: string;

before(async () => {
  lab = await startLab();
  operator = await lab.makeApns();
  jwt = await providerToken(operator);
});
after(() => lab.close());
beforeEach(() => lab.reset());

interface Send {
  host?: string;
  path?: string;
  token?: string;
  method?: string;
  headers?: Record<string, string | undefined>;
  body?: unknown;
}

/** A send that succeeds, but for what a test changes; a header set to undefined is left out. */
function send(change: Send = {}): Promise<Reply> {
  const usual = { authorization: `bearer ${jwt}`, "apns-topic": TOPIC, "apns-push-type": "alert", ...change.headers };
  const headers = Object.entries(usual).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const body = typeof change.body === "string" ? change.body : JSON.stringify(change.body ?? ALERT);
  const method = change.method ?? "POST";
  const url = `${lab.url}/${change.host ?? "api.push.apple.com"}${change.path ?? `/3/device/${change.token ?? DEVICE}`}`;
  return post(url, { method, headers, ...(method === "GET" ? {} : { body }) });
}

async function refused(change: Send, status: number, reason: string): Promise<void> {
  const reply = await send(change);
  assert.equal(reply.text, JSON.stringify({ reason }));
  assert.equal(reply.status, status);
  assert.match(reply.headers["apns-id"] ?? "", /^[0-9a-fA-F-]{36}$/);
}

test("a good push is accepted with an empty body and its id echoed", async () => {
  const id = "123e4567-e89b-12d3-a456-426614174000";
  const reply = await send({ headers: { "apns-id": id } });
  assert.deepEqual([reply.status, reply.text, reply.headers["apns-id"]], [200, "", id]);
  assert.equal(reply.headers["apns-unique-id"], undefined);
});

test("an id is made where none is given; the sandbox adds a unique id", async () => {
  for (const host of ["api.sandbox.push.apple.com", "api.development.push.apple.com"]) {
    const reply = await send({ host });
    assert.equal(reply.status, 200);
    assert.match(reply.headers["apns-id"] ?? "", /^[0-9A-F-]{36}$/);
    assert.match(reply.headers["apns-unique-id"] ?? "", /^[0-9a-f-]{36}$/);
  }
});

const badRequests: [string, Send, number, string][] = [
  ["another path", { path: "/3/devices/x" }, 404, "BadPath"],
  ["another method", { method: "GET" }, 405, "MethodNotAllowed"],
  ["no device token", { token: "" }, 400, "MissingDeviceToken"],
  ["a device token that is not hex", { token: "xy".repeat(32) }, 400, "BadDeviceToken"],
  ["a device token that is too short", { token: "00" }, 400, "BadDeviceToken"],
  ["half a byte", { token: "a".repeat(65) }, 400, "BadDeviceToken"],
  ["an id in capitals", { headers: { "apns-id": "123E4567-E89B-12D3-A456-426614174000" } }, 400, "BadMessageId"],
  ["an id that is no UUID", { headers: { "apns-id": "42" } }, 400, "BadMessageId"],
  ["no topic", { headers: { "apns-topic": undefined } }, 400, "MissingTopic"],
  ["a malformed topic", { headers: { "apns-topic": "com example" } }, 400, "BadTopic"],
  ["a topic of others", { headers: { "apns-topic": "com.other.app" } }, 400, "TopicDisallowed"],
  ["an unknown push type", { headers: { "apns-push-type": "banner" } }, 400, "InvalidPushType"],
  ["voip without its suffix", { headers: { "apns-push-type": "voip" } }, 400, "InvalidPushType"],
  ["alert with another type's suffix", { headers: { "apns-topic": `${TOPIC}.voip` } }, 400, "InvalidPushType"],
  ["a priority Apple does not have", { headers: { "apns-priority": "7" } }, 400, "BadPriority"],
  ["an expiration that is a date", { headers: { "apns-expiration": "2030-01-01" } }, 400, "BadExpirationDate"],
  ["a negative expiration", { headers: { "apns-expiration": "-1" } }, 400, "BadExpirationDate"],
  ["a collapse id of 65 bytes", { headers: { "apns-collapse-id": "c".repeat(65) } }, 400, "BadCollapseId"],
  ["an empty body", { body: "" }, 400, "PayloadEmpty"],
  ["a body that is not JSON", { body: "hello" }, 400, "PayloadEmpty"],
  ["a body without aps", { body: { alert: "hello" } }, 400, "PayloadEmpty"],
  ["an aps that is no object", { body: { aps: "hello" } }, 400, "PayloadEmpty"],
  ["an alert that shows nothing", { body: { aps: { "content-available": 1 } } }, 400, "InvalidPushType"],
];
for (const [what, change, status, reason] of badRequests) {
  test(`${what}: ${reason}`, () => refused(change, status, reason));
}

test("values at the edge pass", async () => {
  const edges: Send[] = [
    { headers: { "apns-collapse-id": "c".repeat(64) } },
    { headers: { "apns-expiration": "0", "apns-priority": "1" } },
    { headers: { "apns-push-type": undefined } },
    { token: "AB".repeat(16) },
  ];
  for (const edge of edges) assert.equal((await send(edge)).status, 200);
});

test("every push type goes with its own topic", async () => {
  const suffixes = {
    voip: ".voip",
    complication: ".complication",
    fileprovider: ".pushkit.fileprovider",
    location: ".location-query",
    liveactivity: ".push-type.liveactivity",
    pushtotalk: ".voip-ptt",
    widgets: ".push-type.widgets",
    controls: ".push-type.controls",
  };
  for (const [type, suffix] of Object.entries(suffixes)) {
    const reloads = type === "widgets" || type === "controls";
    const body = reloads ? { aps: { "content-changed": true } } : ALERT;
    const reply = await send({ headers: { "apns-push-type": type, "apns-topic": TOPIC + suffix }, body });
    assert.equal(reply.status, 200, type);
  }
});

test("widgets and controls load anew by `content-changed`, which is true and not 1", async () => {
  for (const type of ["widgets", "controls"]) {
    const headers = { "apns-push-type": type, "apns-topic": `${TOPIC}.push-type.${type}` };
    for (const aps of [{ "content-changed": 1 }, {}]) await refused({ headers, body: { aps } }, 400, "InvalidPushType");
  }
});

test("a live activity with priority 1: BadPriority", () =>
  refused(
    { headers: { "apns-push-type": "liveactivity", "apns-topic": `${TOPIC}.push-type.liveactivity`, "apns-priority": "1" } },
    400,
    "BadPriority",
  ));

test("a background push needs priority 5 and content-available alone", async () => {
  const background = (priority: string | undefined, aps: object): Send => ({
    headers: { "apns-push-type": "background", "apns-priority": priority },
    body: { aps },
  });
  assert.equal((await send(background("5", { "content-available": 1 }))).status, 200);
  for (const priority of [undefined, "10", "1"]) {
    await refused(background(priority, { "content-available": 1 }), 400, "BadPriority");
  }
  await refused(background("5", { "content-available": 1, sound: "default" }), 400, "InvalidPushType");
  await refused(background("5", {}), 400, "InvalidPushType");
});

test("the limit is 4096 bytes, for voip 5120", async () => {
  const sized = (bytes: number): string => {
    const frame = JSON.stringify({ ...ALERT, x: "" });
    return JSON.stringify({ ...ALERT, x: "y".repeat(bytes - frame.length) });
  };
  const voip = { "apns-push-type": "voip", "apns-topic": `${TOPIC}.voip` };
  assert.equal((await send({ body: sized(4096) })).status, 200);
  await refused({ body: sized(4097) }, 413, "PayloadTooLarge");
  assert.equal((await send({ body: sized(5120), headers: voip })).status, 200);
  await refused({ body: sized(5121), headers: voip }, 413, "PayloadTooLarge");
});

test("bytes count, not characters", () => refused({ body: { aps: { alert: "é".repeat(2040) } } }, 413, "PayloadTooLarge"));

test("a header repeated: DuplicateHeaders; only those APNs reads count", async () => {
  const { port } = new URL(lab.url);
  const answer = (...more: string[]): Promise<string> =>
    new Promise((resolve, reject) => {
      const headers = ["Host", "x", "authorization", `bearer ${jwt}`, "apns-topic", TOPIC, ...more];
      const request = httpRequest({ port, method: "POST", path: `/api.push.apple.com/3/device/${DEVICE}`, headers });
      request.on("response", (response) => void response.setEncoding("utf8").toArray().then((parts) => resolve(parts.join(""))));
      request.on("error", reject).end(JSON.stringify(ALERT));
    });
  assert.equal(await answer("accept", "a", "Accept", "b"), "");
  assert.equal(await answer("Apns-Topic", TOPIC), '{"reason":"DuplicateHeaders"}');
  assert.equal(await answer("Authorization", `bearer ${jwt}`), '{"reason":"DuplicateHeaders"}');
});

test("no provider token: MissingProviderToken", async () => {
  for (const authorization of [undefined, "bearer ", "basic abc"]) {
    await refused({ headers: { authorization } }, 403, "MissingProviderToken");
  }
});

test("a provider token with a wrong signature, key id, team, algorithm or no iat: InvalidProviderToken", async () => {
  const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const forged = new SignJWT({ iss: operator.team_id, iat: seconds() }).setProtectedHeader({ alg: "ES256", kid: operator.key_id });
  const secret = new TextEncoder().encode("s".repeat(32));
  const tokens = [
    "not-a-jwt",
    await forged.sign(stranger),
    await providerToken({ ...operator, key_id: "AAAAAAAAAA" }),
    await providerToken({ ...operator, team_id: "AAAAAAAAAA" }),
    await new SignJWT({ iss: operator.team_id, iat: seconds() }).setProtectedHeader({ alg: "HS256", kid: operator.key_id }).sign(secret),
    await new SignJWT({ iss: operator.team_id })
      .setProtectedHeader({ alg: "ES256", kid: operator.key_id })
      .sign(await importPKCS8(operator.private_key, "ES256")),
  ];
  for (const token of tokens) await refused({ headers: { authorization: `bearer ${token}` } }, 403, "InvalidProviderToken");
});

test("a provider token older than an hour or from the future: ExpiredProviderToken", async () => {
  for (const iat of [seconds(-3605), seconds(120)]) {
    const token = await providerToken(operator, iat);
    await refused({ headers: { authorization: `bearer ${token}` } }, 403, "ExpiredProviderToken");
  }
  const young = await providerToken(operator, seconds(-3590));
  assert.equal((await send({ headers: { authorization: `bearer ${young}` } })).status, 200);
});

test("a checked token still grows old", async () => {
  assert.equal((await send()).status, 200);
  lab.settings({ clock_offset: 3700 });
  await refused({}, 403, "ExpiredProviderToken");
});

test("a second change of the provider token within 20 minutes: TooManyProviderTokenUpdates", async () => {
  const made = async (iat: number) => ({ headers: { authorization: `bearer ${await providerToken(operator, seconds(iat))}` } });
  const [next, third] = [await made(-1), await made(-2)];
  assert.equal((await send()).status, 200, "the first one is no change");
  lab.settings({ clock_offset: 60 });
  assert.equal((await send(next)).status, 200, "nor does it keep the first change from coming soon");
  await refused(third, 429, "TooManyProviderTokenUpdates");
  assert.equal((await send(next)).status, 200, "the token in use goes on working");
  assert.equal((await send()).status, 200, "an older token may come back");
  lab.settings({ clock_offset: 1250 });
  await refused(third, 429, "TooManyProviderTokenUpdates");
  lab.settings({ clock_offset: 1270 });
  assert.equal((await send(third)).status, 200);
  lab.settings({ apns_strict_jwt: true });
  await refused({}, 429, "TooManyProviderTokenUpdates");
  assert.equal((await send(third)).status, 200, "the token in use is no change");
});

test("after a reset the next token is the first one again", async () => {
  const made = async (iat: number) => (await send({ headers: { authorization: `bearer ${await providerToken(operator, seconds(iat))}` } })).status;
  assert.deepEqual([await made(0), await made(-1), await made(-2)], [200, 200, 429]);
  lab.reset({ accounts: false });
  assert.deepEqual([await made(-3), await made(-4), await made(-5)], [200, 200, 429]);
});

test("the interval can be set and counts per key", async () => {
  const made = async (of: typeof operator, iat: number) => (await send({ headers: { authorization: `bearer ${await providerToken(of, seconds(iat))}` } })).status;
  const other = await lab.makeApns({ team_id: operator.team_id });
  assert.deepEqual([await made(operator, 0), await made(operator, -1)], [200, 200]);
  assert.deepEqual([await made(other, 0), await made(other, -1)], [200, 200], "another key's changes are its own");
  assert.equal(await made(operator, -2), 429);
  lab.settings({ apns_jwt_interval: 0 });
  assert.equal(await made(operator, -2), 200);
});

test("a key of one environment is refused in the other", async () => {
  const { topic, ...only } = await lab.makeApns({ environments: ["sandbox"] });
  const headers = { authorization: `bearer ${await providerToken({ ...only, topic })}` };
  assert.equal((await send({ host: "api.sandbox.push.apple.com", headers })).status, 200);
  await refused({ headers }, 403, "BadEnvironmentKeyIdInToken");
});

test("a key registered anew is checked anew", async () => {
  const own = await lab.makeApns();
  const headers = { authorization: `bearer ${await providerToken(own)}` };
  assert.equal((await send({ headers })).status, 200);
  await lab.makeApns({ team_id: own.team_id, key_id: own.key_id });
  await refused({ headers }, 403, "InvalidProviderToken");
});

test("a dead phone gets 410 with the moment, whatever the letter case", async () => {
  lab.token("apns", DEVICE.toUpperCase(), { state: "unregistered", timestamp: 1_700_000_000_123 });
  const gone = await send();
  assert.deepEqual([gone.status, gone.text], [410, '{"reason":"Unregistered","timestamp":1700000000123}']);
  lab.token("apns", DEVICE, { state: "expired" });
  const expired = JSON.parse((await send()).text) as { reason: string; timestamp: number };
  assert.equal(expired.reason, "ExpiredToken");
  assert.ok(Math.abs(expired.timestamp - Date.now()) < 5000);
});

test("a phone of the other environment or an invalid one: BadDeviceToken", async () => {
  lab.token("apns", DEVICE, { state: "alive", environment: "sandbox" });
  await refused({}, 400, "BadDeviceToken");
  assert.equal((await send({ host: "api.sandbox.push.apple.com" })).status, 200);
  lab.token("apns", DEVICE, { state: "invalid" });
  await refused({}, 400, "BadDeviceToken");
});

test("a phone of another app: DeviceTokenNotForTopic", async () => {
  lab.token("apns", DEVICE, { state: "alive", topic: "com.example.other" });
  await refused({}, 400, "DeviceTokenNotForTopic");
  lab.token("apns", DEVICE, { state: "alive", topic: TOPIC });
  assert.equal((await send()).status, 200);
});

test("HTTP/2: the same answers, found by authority or by path", async () => {
  const headers = { authorization: `bearer ${jwt}`, "apns-topic": TOPIC, "apns-push-type": "alert" };
  const body = JSON.stringify(ALERT);
  const direct = { ...headers, ":authority": "api.push.apple.com", ":path": `/3/device/${DEVICE}` };
  const good = await h2(lab, direct, body);
  assert.deepEqual([good.status, good.text], [200, ""]);
  assert.match(good.headers["apns-id"] ?? "", /^[0-9A-F-]{36}$/);
  const bad = await h2(lab, { ...headers, ":path": "/api.push.apple.com/3/device/00" }, body);
  assert.deepEqual([bad.status, bad.text], [400, '{"reason":"BadDeviceToken"}']);
  const long = await h2(lab, { ...direct, "apns-collapse-id": "c".repeat(65) }, body);
  assert.equal(long.text, '{"reason":"BadCollapseId"}');
  assert.equal(lab.log()[0]?.http_version, "2.0");
});

test("Apple's own rule, on demand: no HTTP/1.1", async () => {
  lab.settings({ apns_h2_only: true });
  await assert.rejects(send());
  const headers = { authorization: `bearer ${jwt}`, "apns-topic": TOPIC, ":path": `/api.push.apple.com/3/device/${DEVICE}` };
  assert.equal((await h2(lab, headers, JSON.stringify(ALERT))).status, 200);
});
