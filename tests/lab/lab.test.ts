import assert from "node:assert/strict";
import { createHash, createPublicKey, X509Certificate } from "node:crypto";
import { request as httpRequest } from "node:http";
import { after, before, beforeEach, test } from "node:test";
import { accessToken, ALERT, assertion, DEVICE, exchange, grant, h2, post, providerToken, type Reply } from "./client.ts";
import { startLab, type Lab } from "./lab.ts";
import type { LogEntry } from "./log.ts";
import type { Settings } from "./settings.ts";
import type { Stats } from "./stats.ts";
import type { ApnsCredentials } from "./vendors/apns_keys.ts";
import type { FcmCredentials } from "./vendors/google_accounts.ts";

const APNS = `/api.push.apple.com/3/device/${DEVICE}`;
let lab: Lab;

before(async () => {
  lab = await startLab();
});
after(() => lab.close());
beforeEach(() => lab.reset());

async function control<T = unknown>(method: string, path: string, body?: unknown): Promise<T> {
  const reply = await post(`${lab.url}/_lab/${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  assert.equal(reply.status, 200, reply.text);
  return JSON.parse(reply.text) as T;
}

const signed = new Map<ApnsCredentials, string>();

/** Signs once per operator, as a sender must: ES256 signatures differ each time, and APNs counts the changes. */
async function sendAs(operator: ApnsCredentials): Promise<Reply> {
  const jwt = signed.get(operator) ?? (await providerToken(operator));
  signed.set(operator, jwt);
  const headers = { authorization: `bearer ${jwt}`, "apns-topic": operator.topic };
  return post(lab.url + APNS, { headers, body: JSON.stringify(ALERT) });
}

test("an APNs account made over the control API can push", async () => {
  const made = await control<ApnsCredentials>("POST", "accounts/apns:make", { topics: ["com.example.shop"] });
  assert.match(made.team_id, /^[A-Z2-7]{10}$/);
  assert.match(made.private_key, /^-----BEGIN PRIVATE KEY-----/);
  assert.equal(made.topic, "com.example.shop");
  assert.equal((await sendAs(made)).status, 200);
});

test("an APNs account whose key somebody else holds can push", async () => {
  const other = await startLab();
  const held = await other.makeApns();
  await other.close();
  assert.equal((await sendAs(held)).status, 403);
  const public_key = createPublicKey(held.private_key).export({ type: "spki", format: "pem" });
  const { team_id, key_id, topic } = held;
  await control("POST", "accounts/apns", { team_id, key_id, public_key, topics: [topic], environments: ["production"] });
  assert.equal((await sendAs(held)).status, 200);
});

test("an FCM account made over the control API is a whole service-account file", async () => {
  const made = await control<FcmCredentials>("POST", "accounts/fcm:make", { project_id: "parcels" });
  assert.deepEqual([made.type, made.project_id, made.token_uri], ["service_account", "parcels", "https://oauth2.googleapis.com/token"]);
  assert.match(made.client_email, /@parcels\.iam\.gserviceaccount\.com$/);
  assert.equal(made.universe_domain, "googleapis.com");
  assert.match(await accessToken(lab, made), /^ya29\./);
});

test("tokens, faults and reset over the control API", async () => {
  const operator = await lab.makeApns();
  await control("PUT", `tokens/${DEVICE}`, { vendor: "apns", state: "unregistered", timestamp: 1000 });
  assert.equal((await sendAs(operator)).text, '{"reason":"Unregistered","timestamp":1000}');
  await control("POST", "faults", { vendor: "apns", times: -1, do: { empty: 503 } });
  assert.equal((await sendAs(operator)).status, 503);
  const { faults } = await control<{ faults: { acted: number; kind: string }[] }>("GET", "faults");
  assert.deepEqual(faults.map(({ acted, kind }) => [acted, kind]), [[1, "empty"]]);
  await control("DELETE", "faults");
  assert.equal((await sendAs(operator)).status, 410);
  await control("POST", "reset");
  assert.equal((await sendAs(operator)).status, 200);
  assert.equal((await control<Stats>("GET", "stats")).requests, 1);
  await control("POST", "reset", { accounts: true });
  assert.equal((await sendAs(operator)).status, 403);
});

test("a token's name is percent-decoded", async () => {
  await control("PUT", "tokens/a%3Ab", { vendor: "fcm", state: "unregistered" });
  const held = await lab.makeFcm({ project_id: "p" });
  const authorization = `Bearer ${await accessToken(lab, held)}`;
  const body = JSON.stringify({ message: { token: "a:b" } });
  assert.equal((await post(`${lab.url}/fcm.googleapis.com/v1/projects/p/messages:send`, { headers: { authorization }, body })).status, 404);
});

test("mistakes get 400 and a sentence, unknown calls 404", async () => {
  const wrong: [string, string, unknown, RegExp][] = [
    ["POST", "accounts/apns", { team_id: "T" }, /"topics" is missing/],
    ["POST", "accounts/apns", { topics: ["a"] }, /"public_key" is missing/],
    ["POST", "accounts/apns:make", { team_id: 7 }, /"team_id" must be a non-empty string/],
    ["POST", "accounts/apns:make", { topics: [] }, /"topics" must be a non-empty array/],
    ["POST", "accounts/google_oauth", {}, /no accounts/],
    ["POST", "accounts/apns", { team_id: "T", key_id: "K", topics: ["a"], public_key: "x" }, /SPKI PEM/],
    ["POST", "accounts/apns:make", { environments: ["moon"] }, /production and sandbox/],
    ["POST", "accounts/fcm", { project_id: "p", client_email: "c", private_key_id: "k", public_key: "x" }, /SPKI PEM/],
    ["POST", "accounts/google_oauth:make", {}, /no accounts/],
    ["POST", "accounts/pigeon:make", {}, /no vendor "pigeon"/],
    ["PUT", "tokens/x", { vendor: "apns", state: "sleepy" }, /states alive, unregistered/],
    ["PUT", "tokens/x", { vendor: "apns", timestamp: "noon" }, /milliseconds/],
    ["PUT", "tokens/x", { vendor: "apns", environment: "moon" }, /production or sandbox/],
    ["PATCH", "settings", { log_size: -1 }, /at least 0/],
    ["PATCH", "settings", { log_size: "many" }, /must be a number/],
    ["PATCH", "settings", { colour: 1 }, /no field/],
    ["POST", "faults", [], /must be a JSON object/],
    ["GET", "log?since=x", undefined, /sequence number/],
    ["GET", "callbacks/pigeon", undefined, /no vendor "pigeon"/],
    ["POST", "accounts/oppo:make", { per_day: 0 }, /above 0/],
    ["POST", "accounts/vivo", { app_id: "1", app_key: "k" }, /"app_secret" is missing/],
    ["PUT", "tokens/x", { vendor: "meizu", state: "sleepy" }, /states alive, unsubscribed/],
  ];
  for (const [method, path, body, message] of wrong) {
    const reply = await post(`${lab.url}/_lab/${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    assert.equal(reply.status, 400, `${method} ${path}`);
    assert.match((JSON.parse(reply.text) as { error: string }).error, message);
  }
  assert.equal((await post(`${lab.url}/_lab/faults`, { body: "{" })).status, 400);
  assert.equal((await post(`${lab.url}/_lab/nothing`)).status, 404);
  assert.equal((await post(`${lab.url}/_lab/stats`)).status, 404);
});

test("the log tells what came in and what went out, without the credentials", async () => {
  const operator = await lab.makeApns();
  const jwt = await providerToken(operator);
  const headers = { authorization: `bearer ${jwt}`, "apns-topic": "com.other" };
  await post(`${lab.url}${APNS}?x=1`, { headers, body: JSON.stringify(ALERT) });
  const { entries } = await control<{ entries: LogEntry[] }>("GET", "log");
  const [entry] = entries;
  assert.ok(entry);
  assert.deepEqual(
    [entry.vendor, entry.host, entry.method, entry.path, entry.query, entry.http_version, entry.status, entry.reason, entry.fault],
    ["apns", "api.push.apple.com", "POST", `/3/device/${DEVICE}`, "x=1", "1.1", 400, "TopicDisallowed", null],
  );
  assert.deepEqual(entry.body, ALERT);
  assert.ok(Math.abs(Date.parse(entry.at) - Date.now()) < 5000);
  const described = entry.headers["authorization"] as { scheme: string; sha256: string; kid: string; claims: { iss: string } };
  assert.deepEqual([described.scheme, described.kid, described.claims.iss], ["bearer", operator.key_id, operator.team_id]);
  assert.equal(described.sha256, createHash("sha256").update(jwt).digest("hex"));
  assert.ok(!JSON.stringify(entries).includes(jwt));
});

test("the log shows forms as fields and hides the assertion", async () => {
  const held = await lab.makeFcm();
  const jwt = await assertion(held);
  await exchange(lab, grant(jwt));
  const [entry] = lab.log({ vendor: "google_oauth" });
  const form = entry?.body as { assertion: { claims: { iss: string } }; grant_type: string };
  assert.equal(form.assertion.claims.iss, held.client_email);
  assert.match(form.grant_type, /jwt-bearer$/);
  assert.ok(!JSON.stringify(entry).includes(jwt));
});

test("the log is a ring, can be filtered, resized, cleared and switched off", async () => {
  const ask = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) assert.equal((await post(lab.url + APNS)).status, 403);
  };
  const numbers = (): number[] => lab.log().map((entry) => entry.seq);
  await ask(3);
  const first = numbers()[0] ?? 0;
  assert.deepEqual(numbers(), [first, first + 1, first + 2]);
  assert.deepEqual(lab.log({ since: first + 1 }).map((entry) => entry.seq), [first + 2]);
  assert.deepEqual(lab.log({ vendor: "fcm" }), []);
  const since = await control<{ entries: LogEntry[] }>("GET", `log?since=${first}&vendor=apns`);
  assert.equal(since.entries.length, 2);
  lab.settings({ log_size: 2 });
  assert.deepEqual(numbers(), [first + 1, first + 2]);
  await ask(1);
  assert.deepEqual(numbers(), [first + 2, first + 3]);
  await control("DELETE", "log");
  assert.deepEqual(numbers(), []);
  lab.settings({ log_size: 0 });
  await ask(1);
  assert.deepEqual(numbers(), []);
  assert.equal(lab.stats().vendors["apns"]?.requests, 5);
});

test("the statistics count answers, credentials and concurrency", async () => {
  const operator = await lab.makeApns();
  const headers = { authorization: `bearer ${await providerToken(operator)}`, "apns-topic": operator.topic };
  const push = (): Promise<Reply> => post(lab.url + APNS, { headers, body: JSON.stringify(ALERT) });
  for (let i = 0; i < 3; i++) await push();
  assert.equal(lab.stats().max_concurrent, 1, "one after the other is never two at once");
  lab.fault({ vendor: "apns", times: 4, do: { delay_ms: 40 } });
  await Promise.all([push(), push(), push(), push()]);
  await sendAs({ ...operator, key_id: "OTHER" });
  const held = await lab.makeFcm();
  await accessToken(lab, held);
  const stats = await control<Stats>("GET", "stats");
  assert.deepEqual(stats.vendors["apns"], {
    requests: 8,
    by_status: { 200: 7, 403: 1 },
    by_reason: { InvalidProviderToken: 1 },
    credentials: 2,
    max_concurrent: 4,
  });
  assert.deepEqual([stats.requests, stats.max_concurrent, stats.oauth_tokens_issued], [9, 4, 1]);
  assert.ok(stats.cpu.user > 0 && stats.uptime > 0);
});

test("settings can be read and changed; a reset brings back those of the start", async () => {
  assert.equal((await control<Settings>("GET", "settings")).log_size, 10_000);
  const changed = await control<Settings>("PATCH", "settings", { clock_offset: -5, apns_strict_jwt: true });
  assert.deepEqual([changed.clock_offset, changed.apns_strict_jwt, changed.log_size], [-5, true, 10_000]);
  lab.reset();
  assert.equal(lab.settings().clock_offset, 0);
  const own = await startLab({ settings: { log_size: 3 } });
  own.settings({ log_size: 4 });
  own.reset();
  assert.equal(own.settings().log_size, 3);
  await own.close();
});

test("the Host header finds the vendor, too; the path comes first", async () => {
  const { port } = new URL(lab.url);
  const ask = (host: string, path: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const request = httpRequest({ port, path, method: "POST", headers: { host } }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      request.on("error", reject).end();
    });
  assert.equal(await ask("FCM.googleapis.com:443", "/v1/projects/p/messages:send"), 401);
  assert.equal(await ask("fcm.googleapis.com", APNS), 403);
  assert.equal(await ask("example.com", "/v1/projects/p/messages:send"), 404);
  assert.deepEqual(lab.log().map((entry) => [entry.vendor, entry.host]), [
    ["fcm", "fcm.googleapis.com"],
    ["apns", "api.push.apple.com"],
    [null, "example.com"],
  ]);
  assert.deepEqual(lab.stats().vendors["unknown"]?.by_reason, { unknown_host: 1 });
});

test("a body no vendor would read is refused", async () => {
  assert.equal((await post(lab.url + APNS, { body: "x".repeat((1 << 20) + 1) })).status, 413);
});

test("the certificate names every vendor's host and is what h2 is served with", async () => {
  const pem = (await post(`${lab.url}/_lab/cert`, { method: "GET" })).text;
  assert.equal(pem, lab.cert);
  const names = new X509Certificate(pem);
  const { vendors } = await control<{ vendors: { hosts: string[] }[] }>("GET", "");
  for (const host of vendors.flatMap((vendor) => vendor.hosts)) assert.equal(names.checkHost(host), host);
  assert.equal((await h2(lab, { ":path": "/_lab/stats", ":method": "GET" })).status, 200);
});

test("two labs share nothing", async () => {
  const other = await startLab();
  const operator = await other.makeApns();
  assert.equal((await sendAs(operator)).status, 403);
  await other.close();
  await assert.rejects(post(other.url));
});

test("closing does not wait for requests that hang", async () => {
  const other = await startLab();
  other.fault({ vendor: "apns", do: { hang: true } });
  const sending = assert.rejects(post(other.url + APNS));
  while (other.log().length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await other.close();
  await sending;
});

test("who watches sees each request with its answer, and none that a fault answered", async () => {
  const seen: unknown[] = [];
  const watched = await startLab({ watch: (vendor, request, answer) => seen.push([vendor.name, request.path, answer.status]) });
  try {
    const operator = await watched.makeApns();
    const jwt = await providerToken(operator);
    const send = () => post(watched.url + APNS, { headers: { authorization: `bearer ${jwt}`, "apns-topic": operator.topic }, body: JSON.stringify(ALERT) });
    await send();
    watched.fault({ vendor: "apns", do: { status: 500 } });
    await send();
    assert.deepEqual(seen, [["apns", `/3/device/${DEVICE}`, 200]]);
  } finally {
    await watched.close();
  }
});
