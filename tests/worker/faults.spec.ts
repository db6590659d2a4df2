// What goes wrong on the way: every answer that is not the vendor's own, silence, and too much at once.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { type App, Stage } from "./stage.ts";

let stage: Stage;
let app: App;
before(async () => {
  stage = await Stage.start();
  app = await stage.app();
  await stage.iphone(app, "apple");
  await stage.android(app, "google");
  await stage.push(app, { to: { users: ["google"] } });
});
after(() => stage.stop());

/** Each of an app of its own: that many faults of one would open its circuit breaker. */
async function outcome(user: "apple" | "google", fault: object): Promise<any> {
  const app = await stage.app();
  await (user === "apple" ? stage.iphone(app, user) : stage.android(app, user));
  stage.lab.clearFaults();
  stage.lab.fault({ vendor: user === "apple" ? "apns" : "fcm", times: -1, do: fault as any });
  const answer = await stage.push(app, { to: { users: [user] }, ttl: 0 });
  stage.lab.clearFaults();
  assert.equal(answer.status, 200, answer.text);
  const [delivery] = answer.json.deliveries;
  assert.notDeepEqual(await stage.devices(app, user), [], "no device was removed");
  return delivery;
}

test("what is not the vendor's own answer is vendor_unavailable, never a dead token", async () => {
  for (const user of ["apple", "google"] as const) {
    for (const fault of [{ html: 502 }, { html: 404 }, { html: 410 }, { empty: 502 }, { empty: 404 }, { status: 503, body: "" }, { status: 525, body: "x" }]) {
      const delivery = await outcome(user, fault);
      assert.deepEqual([delivery.state, delivery.reason], ["failed", "vendor_unavailable"], `${user} ${JSON.stringify(fault)} ${JSON.stringify(delivery)}`);
    }
  }
});

test("redirects are refused and not followed", async () => {
  for (const user of ["apple", "google"] as const) {
    stage.lab.clearLog();
    const delivery = await outcome(user, { redirect: `${stage.lab.url}/_lab/stats` });
    assert.deepEqual([delivery.state, delivery.reason], ["failed", "vendor_unavailable"]);
    assert.equal(stage.seen(user === "apple" ? "apns" : "fcm").length, 1);
  }
});

test("a connection that is lost before an answer is unknown", async () => {
  for (const user of ["apple", "google"] as const) {
    const delivery = await outcome(user, { close: true });
    assert.deepEqual([delivery.state, delivery.reason], ["unknown", "no_answer"]);
    assert.ok(!/127\.0\.0\.1|device\//.test(delivery.detail), delivery.detail);
  }
});

test("where the status is the verdict, a body that is cut off or endless changes nothing", async () => {
  const cut = await outcome("google", { cut: 5 });
  assert.deepEqual([cut.state, cut.vendor_id], ["accepted", undefined]);
  const flood = await outcome("google", { flood: 50_000_000 });
  assert.equal(flood.state, "accepted");
});

test("a vendor that limits us says when to come back", async () => {
  stage.lab.fault({ vendor: "fcm", do: { reason: "QUOTA_EXCEEDED", headers: { "retry-after": "120" } } });
  const push = await stage.push(app, { to: { users: ["google"] } });
  const [delivery] = push.json.deliveries;
  assert.deepEqual([delivery.state, delivery.reason], ["retrying", "rate_limited"]);
  const wait = Date.parse(delivery.until) - Date.now();
  assert.ok(wait > 100_000 && wait <= 151_000, `${wait} ms`);
  const now = await outcome("google", { reason: "QUOTA_EXCEEDED", headers: { "retry-after": "120" } });
  assert.deepEqual([now.state, now.reason], ["failed", "rate_limited"], "with ttl 0 it is now or never");
  const apns = await outcome("apple", { reason: "TooManyProviderTokenUpdates" });
  assert.deepEqual([apns.state, apns.reason], ["failed", "rate_limited"]);
});

test("a wrong clock is said, tried once more, and no new token is made", async () => {
  stage.lab.clearLog();
  const delivery = await outcome("apple", { reason: "ExpiredProviderToken" });
  assert.deepEqual([delivery.state, delivery.reason], ["failed", "credentials"]);
  assert.match(delivery.detail, /clock/);
  const tries = stage.seen("apns");
  assert.equal(tries.length, 2);
  assert.equal(tries[0].headers.authorization.sha256, tries[1].headers.authorization.sha256);
  assert.equal(tries[0].headers["apns-id"], tries[1].headers["apns-id"], "the same id for every try");
});

test("at most 6 requests are in flight", async () => {
  const users = Array.from({ length: 30 }, (_, n) => `many${n}`);
  await Promise.all(users.map((user) => stage.iphone(app, user)));
  stage.lab.reset();
  stage.lab.fault({ vendor: "apns", times: -1, do: { delay_ms: 30 } });
  const answer = await stage.push(app, { to: { users } });
  stage.lab.clearFaults();
  assert.deepEqual(answer.json.counts, { accepted: 30 });
  assert.equal(stage.lab.stats().max_concurrent, 6);
});

test("a vendor that hangs is given up after 15 s, and holds back neither another vendor nor another push", { timeout: 60_000 }, async () => {
  await Promise.all(Array.from({ length: 13 }, (_, n) => stage.iphone(app, "both", `iphone${n}`)));
  await Promise.all(Array.from({ length: 5 }, (_, n) => stage.android(app, "both", `android${n}`)));
  stage.lab.clearLog();
  stage.lab.fault({ vendor: "apns", times: -1, do: { hang: true } });
  const began = Date.now();
  const [both, alone] = await Promise.all([
    stage.push(app, { to: { users: ["both"] }, ttl: 0 }),
    stage.push(app, { to: { users: ["google"] } }).then((answer) => ({ answer, took: Date.now() - began })),
  ]);
  const took = Date.now() - began;
  stage.lab.clearFaults();
  assert.deepEqual(alone.answer.json.counts, { accepted: 1 });
  assert.ok(alone.took < 3_000, `${alone.took} ms`);
  for (const entry of stage.seen("fcm")) assert.ok(Date.parse(entry.at) - began < 3_000, "FCM was not held back");
  // APNs has four of the six places. One round hangs for 15 s; what has not left by then does not leave any more.
  assert.deepEqual(both.json.counts, { accepted: 5, failed: 9, unknown: 4 });
  const failed = both.json.deliveries.find((delivery: any) => delivery.state === "failed");
  assert.deepEqual([failed.reason, stage.seen("apns").length], ["vendor_unavailable", 4]);
  assert.ok(took >= 15_000 && took < 20_000, `${took} ms`);
});

test("an answer that unpacks to far more than it is long is not unpacked", async () => {
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
  const proxy = createServer((request, response) => {
    request.resume();
    request.on("end", () => {
      response.writeHead(502, { "content-encoding": "gzip", "content-length": bomb.length });
      response.end(bomb);
    });
  });
  await new Promise<void>((ready) => proxy.listen(0, "127.0.0.1", ready));
  const { port } = proxy.address() as AddressInfo;
  const behind = await Stage.start({ lab: stage.lab, bindings: { VENDOR_PROXY: `http://127.0.0.1:${port}` } });
  try {
    const own = await behind.app();
    await behind.iphone(own, "u");
    const [delivery] = (await behind.push(own, { to: { users: ["u"] }, ttl: 0 })).json.deliveries;
    assert.deepEqual([delivery.state, delivery.reason], ["failed", "vendor_unavailable"]);
  } finally {
    await behind.stop();
    proxy.close();
  }
});
