import assert from "node:assert/strict";
import { connect } from "node:http2";
import { createConnection } from "node:net";
import { after, before, beforeEach, test } from "node:test";
import { accessToken, ALERT, assertion, DEVICE, exchange, grant, h2, post, providerToken, type Reply } from "./client.ts";
import type { FaultAction } from "./faults.ts";
import { startLab, type Lab } from "./lab.ts";
import type { ApnsCredentials } from "./vendors/apns_keys.ts";
import type { FcmCredentials } from "./vendors/google_accounts.ts";

let lab: Lab;
let apple: ApnsCredentials;
let google: FcmCredentials;
let headers: Record<string, string>;

before(async () => {
  lab = await startLab();
  apple = await lab.makeApns();
  google = await lab.makeFcm();
  headers = { authorization: `bearer ${await providerToken(apple)}`, "apns-topic": apple.topic, "apns-push-type": "alert" };
});
after(() => lab.close());
beforeEach(() => lab.reset());

function send(token = DEVICE, init: RequestInit = {}): Promise<Reply> {
  return post(`${lab.url}/api.push.apple.com/3/device/${token}`, { headers, body: JSON.stringify(ALERT), ...init });
}

async function sendFcm(token: string): Promise<Reply> {
  const authorization = `Bearer ${await accessToken(lab, google)}`;
  const body = JSON.stringify({ message: { token } });
  return post(`${lab.url}/fcm.googleapis.com/v1/projects/${google.project_id}/messages:send`, { headers: { authorization }, body });
}

function apns(action: FaultAction, more: { times?: number; skip?: number; match?: { token?: string; account?: string } } = {}): void {
  lab.fault({ vendor: "apns", do: action, ...more });
}

async function until(what: () => boolean): Promise<void> {
  for (let tries = 0; !what(); tries++) {
    if (tries > 500) throw new Error("waited too long");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test("a literal answer, once, and the vendor never sees the request", async () => {
  apns({ status: 429, headers: { "retry-after": "7" }, body: { reason: "TooManyRequests" } });
  const bad = await send();
  assert.deepEqual([bad.status, bad.text, bad.headers["retry-after"]], [429, '{"reason":"TooManyRequests"}', "7"]);
  assert.equal(lab.stats().vendors["apns"]?.credentials, 0);
  assert.equal((await send()).status, 200);
  assert.deepEqual(lab.log().map((entry) => [entry.status, entry.fault]), [[429, "status"], [200, null]]);
});

test("skip lets requests pass, times counts, -1 is for ever", async () => {
  apns({ empty: 503 }, { skip: 1, times: 2 });
  const statuses = [];
  for (let i = 0; i < 4; i++) statuses.push((await send()).status);
  assert.deepEqual(statuses, [200, 503, 503, 200]);
  apns({ empty: 500 }, { times: -1 });
  for (let i = 0; i < 3; i++) assert.equal((await send()).status, 500);
  lab.clearFaults();
  assert.equal((await send()).status, 200);
});

test("the first of two faults acts first", async () => {
  apns({ empty: 500 });
  apns({ empty: 503 });
  assert.deepEqual([(await send()).status, (await send()).status], [500, 503]);
  assert.deepEqual(lab.faults().map((fault) => fault.acted), [1, 1]);
});

test("a fault matches by token, in either letter case", async () => {
  apns({ empty: 503 }, { match: { token: DEVICE.toUpperCase() } });
  assert.equal((await send("cd".repeat(32))).status, 200);
  assert.equal((await send()).status, 503);
  lab.fault({ vendor: "fcm", match: { token: "phone-2" }, do: { empty: 503 } });
  assert.equal((await sendFcm("phone-1")).status, 200);
  assert.equal((await sendFcm("phone-2")).status, 503);
});

test("a fault matches by account: team, project", async () => {
  const other = { account: "ELSEWHERE" };
  for (const vendor of ["apns", "fcm", "google_oauth"]) lab.fault({ vendor, match: other, do: { empty: 503 } });
  assert.equal((await send()).status, 200);
  assert.equal((await sendFcm("phone")).status, 200);
  apns({ empty: 503 }, { match: { account: apple.team_id } });
  assert.equal((await send()).status, 503);
  lab.fault({ vendor: "fcm", match: { account: google.project_id }, do: { empty: 503 } });
  assert.equal((await sendFcm("phone")).status, 503);
  lab.fault({ vendor: "google_oauth", match: { account: google.project_id }, do: { reason: "invalid_grant" } });
  assert.match((await exchange(lab, grant(await assertion(google)))).text, /invalid_grant/);
});

test("a vendor's own answer by its code", async () => {
  apns({ reason: "ServiceUnavailable", headers: { "retry-after": "3" } });
  const apnsReply = await send();
  assert.deepEqual([apnsReply.status, apnsReply.text, apnsReply.headers["retry-after"]], [503, '{"reason":"ServiceUnavailable"}', "3"]);
  assert.ok(apnsReply.headers["apns-id"]);
  apns({ reason: "Unregistered" });
  assert.match((await send()).text, /"timestamp":\d{13}\}$/);
  lab.fault({ vendor: "fcm", do: { reason: "QUOTA_EXCEEDED" } });
  const fcmReply = await sendFcm("phone");
  assert.equal(fcmReply.status, 429);
  assert.match(fcmReply.text, /"errorCode": "QUOTA_EXCEEDED"/);
  lab.fault({ vendor: "fcm", do: { reason: "UNAUTHENTICATED" } });
  assert.ok((await sendFcm("phone")).headers["www-authenticate"]);
});

test("a delay comes before the normal answer, or before another fault", async () => {
  for (const [action, status] of [[{ delay_ms: 60 }, 200], [{ delay_ms: 60, html: 502 }, 502]] as const) {
    apns(action);
    const began = performance.now();
    assert.equal((await send()).status, status);
    assert.ok(performance.now() - began >= 58);
  }
});

test("a hanging request is seen, never answered, and over when the client leaves", async () => {
  apns({ hang: true });
  const abort = new AbortController();
  const sending = send(DEVICE, { signal: abort.signal });
  await until(() => lab.log().length === 1);
  const [entry] = lab.log();
  assert.deepEqual([entry?.status, entry?.fault], [null, "hang"]);
  abort.abort();
  await assert.rejects(sending);
  // A reset keeps what is still under way in the count.
  await until(() => {
    lab.reset();
    return lab.stats().max_concurrent === 0;
  });
});

test("a client that leaves during a delay harms nobody, over HTTP/1.1 and HTTP/2", async () => {
  apns({ delay_ms: 50 }, { times: 2 });
  await assert.rejects(send(DEVICE, { signal: AbortSignal.timeout(10) }));
  const session = connect(lab.h2Url, { ca: lab.cert });
  const stream = session.request({ ":method": "POST", ":path": `/api.push.apple.com/3/device/${DEVICE}` });
  stream.on("error", () => {}).end("{}");
  await until(() => lab.log().length === 2);
  session.destroy();
  await new Promise((resolve) => setTimeout(resolve, 70));
  assert.equal((await send()).status, 200);
  assert.deepEqual(lab.log().map((entry) => entry.status), [null, null, 200]);
});

test("a client that leaves in the middle of its body harms nobody", async () => {
  const { port } = new URL(lab.url);
  const socket = createConnection(Number(port), "127.0.0.1");
  socket.write("POST /api.push.apple.com/3/device/00 HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{");
  await until(() => lab.stats().vendors["apns"]?.requests === 1);
  socket.destroy();
  await until(() => lab.log().length === 1);
  assert.equal((await send()).status, 200);
});

test("a closed connection has no answer", async () => {
  apns({ close: true }, { times: 2 });
  await assert.rejects(send());
  await assert.rejects(h2(lab, { ...headers, ":path": `/api.push.apple.com/3/device/${DEVICE}` }, JSON.stringify(ALERT)));
  assert.deepEqual(lab.log().map((entry) => entry.status), [null, null]);
});

test("an answer cut off has its status and a part of its body", async () => {
  lab.fault({ vendor: "apns", times: 2, do: { cut: 9 } });
  const response = await fetch(`${lab.url}/api.push.apple.com/3/device/00`, { method: "POST", headers, body: "{}" });
  assert.equal(response.status, 400);
  const reader = response.body?.getReader();
  assert.equal(new TextDecoder().decode((await reader?.read())?.value), '{"reason"');
  await assert.rejects(async () => reader?.read());
  await assert.rejects(h2(lab, { ...headers, ":path": "/api.push.apple.com/3/device/00" }, "{}"), (error: { received?: unknown }) => {
    assert.deepEqual(error.received, { status: 400, text: '{"reason"' });
    return true;
  });
});

test("an accepted push whose answer has no body can be cut off, too", async () => {
  apns({ cut: 0 });
  const response = await fetch(`${lab.url}/api.push.apple.com/3/device/${DEVICE}`, { method: "POST", headers, body: JSON.stringify(ALERT) });
  assert.equal(response.status, 200);
  await assert.rejects(response.text());
  assert.equal(lab.log()[0]?.status, 200);
});

test("a dripping answer is whole, but slow", async () => {
  apns({ drip: { every_ms: 5, bytes: 4 } });
  const began = performance.now();
  const reply = await send("00");
  assert.equal(reply.text, '{"reason":"BadDeviceToken"}');
  assert.ok(performance.now() - began >= 7 * 4.5);
});

test("a flood has the bytes it was given; an endless one ends with the client", async () => {
  apns({ flood: 100_000 });
  assert.equal((await send()).text.length, 100_000);
  apns({ flood: -1 }, { times: 2 });
  const response = await fetch(`${lab.url}/api.push.apple.com/3/device/${DEVICE}`, { method: "POST", headers, body: "{}" });
  const reader = response.body?.getReader();
  for (let got = 0; got < 1_000_000; ) got += (await reader?.read())?.value?.length ?? 0;
  await reader?.cancel();
  assert.equal((await send("ef".repeat(32), { signal: AbortSignal.timeout(30) }).catch(() => "left")), "left");
  assert.equal((await send()).status, 200);
});

test("a proxy's page, a redirect, an empty answer", async () => {
  apns({ html: 502 });
  const page = await send();
  assert.deepEqual([page.status, page.headers["content-type"], page.headers["apns-id"]], [502, "text/html", undefined]);
  assert.match(page.text, /^<html>/);
  apns({ redirect: "https://example.com/" });
  const moved = await send();
  assert.deepEqual([moved.status, moved.headers["location"]], [302, "https://example.com/"]);
  apns({ empty: 502 });
  assert.equal((await send()).text, "");
});

test("headers that HTTP/2 does not have are left out there", async () => {
  apns({ status: 503, headers: { connection: "close", "retry-after": "1" } });
  const reply = await h2(lab, { ...headers, ":path": `/api.push.apple.com/3/device/${DEVICE}` }, JSON.stringify(ALERT));
  assert.deepEqual([reply.status, reply.headers["retry-after"]], [503, "1"]);
});

test("mistakes in a fault are named", () => {
  const wrong: [unknown, RegExp][] = [
    [{ vendor: "pigeon", do: { hang: true } }, /no vendor "pigeon"/],
    [{ vendor: "apns", do: {} }, /needs delay_ms or one of/],
    [{ vendor: "apns", do: { hang: true, close: true } }, /takes one of/],
    [{ vendor: "apns", do: { hang: 1 } }, /must be true/],
    [{ vendor: "apns", do: { explode: true } }, /no field "explode"/],
    [{ vendor: "apns", do: { reason: "Nope" } }, /apns has no answer "Nope"/],
    [{ vendor: "apns", do: { status: 700 } }, /status from 200 to 599/],
    [{ vendor: "apns", do: { html: 100 } }, /at least 200/],
    [{ vendor: "apns", do: { drip: {} } }, /every_ms/],
    [{ vendor: "apns", do: { flood: -2 } }, /at least -1/],
    [{ vendor: "apns", do: { hang: true, body: "x" } }, /goes with "status"/],
    [{ vendor: "apns", do: { empty: 500, headers: {} } }, /go with/],
    [{ vendor: "apns", do: { status: 500, headers: { a: 1 } } }, /headers are strings/],
    [{ vendor: "apns", times: 0, do: { hang: true } }, /times/],
    [{ vendor: "apns", match: { device: "x" }, do: { hang: true } }, /no field "device"/],
  ];
  for (const [spec, message] of wrong) assert.throws(() => lab.fault(spec as never), message);
  assert.equal(lab.faults().length, 0);
});
