// The circuit breaker of an account: a vendor in trouble is left alone for a while, tried with one page, and then gets all
// that has waited, once.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { after, before, test } from "node:test";
import { killRuntime } from "./crash.ts";
import { type App, type Answer, Stage, copiesAreTrusted, cost, until } from "./stage.ts";

let stage: Stage;
const lines: any[] = [];
before(async () => {
  stage = await Stage.start({
    bindings: { LEDGER_SHARDS: "1" },
    log: (line) => {
      if (line.includes('"event":"breaker_')) lines.push(JSON.parse(line.slice(line.indexOf("{"))));
    },
  });
});
after(() => stage.stop());

const down = { reason: "ServiceUnavailable" };
const sleep = (ms: number) => new Promise((next) => setTimeout(next, ms));
const breaker = async (of: Stage, app: App, vendor: string) => (await of.must("GET", "/v1/quota", app.key)).accounts[vendor].breaker;
const send = (of: Stage, app: App, user: string, more: object = {}): Promise<Answer> =>
  of.push(app, { to: { users: [user] }, category: "follow", ...more });
const delivery = (answer: Answer) => answer.json.deliveries[0];

/** An app whose breaker at APNs has just opened: five pushes have met trouble. */
async function opened(of: Stage, fault: object = down): Promise<{ app: App; waiting: string[] }> {
  const app = await of.app();
  await of.iphone(app, "u");
  await of.android(app, "g");
  await copiesAreTrusted();
  stage.lab.clearLog();
  stage.lab.fault({ vendor: "apns", times: 5, do: fault as any });
  // At once: what is put off comes back after a second.
  const answers = await Promise.all(Array.from({ length: 5 }, () => send(of, app, "u")));
  for (const answer of answers) {
    assert.equal(delivery(answer).state, "retrying", answer.text);
    assert.doesNotMatch(delivery(answer).detail, /circuit breaker/);
  }
  return { app, waiting: answers.map(({ json }) => json.id) };
}

test("a vendor in trouble is left alone, then tried with one page, and then gets all that has waited, once", { timeout: 120_000 }, async () => {
  const { app, waiting } = await opened(stage);
  const open = await breaker(stage, app, "apns");
  assert.deepEqual([open.state, open.reason], ["open", "vendor_unavailable"]);
  const left = Date.parse(open.until) - Date.now();
  assert.ok(left > 10_000 && left <= 16_000, `${left} ms`);

  const refused = await send(stage, app, "u");
  const { state, reason, detail, until: at } = delivery(refused);
  assert.deepEqual([state, reason], ["retrying", "vendor_unavailable"], refused.text);
  assert.match(detail, /circuit breaker .* open until/);
  assert.ok(Date.parse(at) >= Date.parse(open.until) && Date.parse(at) < Date.parse(open.until) + 5_000, at);
  assert.deepEqual([cost(refused).fetches, cost(refused).object_calls], [0, 3]);
  waiting.push(refused.json.id);
  const [never, soon] = await Promise.all([send(stage, app, "u", { ttl: 0 }), send(stage, app, "u", { ttl: 3 })]);
  assert.deepEqual([delivery(never).state, delivery(never).reason], ["failed", "vendor_unavailable"]);
  assert.deepEqual([delivery(soon).state, delivery(soon).reason], ["failed", "expired"]);

  // Another vendor beside it is as it was.
  const beside = await send(stage, app, "g");
  assert.equal(delivery(beside).state, "accepted");
  assert.deepEqual(await breaker(stage, app, "fcm"), { state: "closed" });
  // What has been put off is due by now, and does not go out.
  await sleep(4_000);
  assert.equal(stage.seen("apns").length, 5);

  await sleep(Date.parse(open.until) - Date.now() + 20);
  stage.lab.fault({ vendor: "apns", times: -1, do: { delay_ms: 1_500 } });
  const parallel = await Promise.all(Array.from({ length: 10 }, () => send(stage, app, "u")));
  const ends = parallel.map((answer) => `${delivery(answer).state} ${delivery(answer).detail?.includes("circuit breaker")}`);
  assert.ok(ends.filter((end) => end === "accepted undefined").length <= 1, ends.join());
  assert.equal(stage.seen("apns").length, 6, "one probe");
  waiting.push(...parallel.map(({ json }) => json.id));
  stage.lab.clearFaults();

  for (const id of waiting) {
    const done = await until(async () => {
      const { json } = await stage.ask("GET", `/v1/push/${id}`, app.key);
      return json.status === "done" ? json : undefined;
    }, 30_000);
    assert.deepEqual(done.counts, { accepted: 1 }, JSON.stringify(done));
    assert.ok(done.deliveries[0].tries <= 2, "waiting takes no tries");
  }
  const ids = stage.seen("apns").filter((seen) => seen.status === 200).map((seen) => seen.headers["apns-id"]);
  assert.deepEqual([ids.length, new Set(ids).size], [16, 16], "each once");
  assert.equal((await breaker(stage, app, "apns")).state, "closed");

  // Told that all is well, nobody asks any more.
  await send(stage, app, "u");
  assert.equal(cost(await send(stage, app, "u")).object_calls, 2);
  const said = lines.filter((line) => line.app === app.id).map(({ event, vendor, reason }) => [event, vendor, reason]);
  assert.deepEqual(said, [["breaker_opened", "apns", "vendor_unavailable"], ["breaker_closed", "apns", undefined]]);
});

test("it is open as long as the vendor asks, and says that it limits us", async () => {
  const app = await stage.app();
  await stage.android(app, "g");
  stage.lab.fault({ vendor: "fcm", times: 5, do: { reason: "QUOTA_EXCEEDED", headers: { "retry-after": "90" } } });
  for (let n = 0; n < 5; n++) assert.equal(delivery(await send(stage, app, "g")).reason, "rate_limited");
  const open = await breaker(stage, app, "fcm");
  assert.deepEqual([open.state, open.reason], ["open", "rate_limited"]);
  const left = Date.parse(open.until) - Date.now();
  assert.ok(left > 80_000 && left <= 91_000, `${left} ms`);
  const refused = delivery(await send(stage, app, "g"));
  assert.deepEqual([refused.state, refused.reason], ["retrying", "rate_limited"]);
  assert.ok(Date.parse(refused.until) >= Date.parse(open.until));
});

test("what is about one device, or goes well beside it, opens nothing and costs nothing", async () => {
  const app = await stage.app();
  await stage.iphone(app, "u");
  await copiesAreTrusted();
  await send(stage, app, "u");
  stage.lab.fault({ vendor: "apns", times: 6, do: { reason: "TooManyRequests" } });
  for (let n = 0; n < 6; n++) {
    const limited = await send(stage, app, "u", { ttl: 0 });
    assert.equal(delivery(limited).reason, "rate_limited");
    assert.equal(cost(limited).object_calls, 2);
  }
  for (let n = 0; n < 8; n++) assert.equal(cost(await send(stage, app, "u")).object_calls, 2, "healthy");
  // Six in trouble among eight that went well.
  stage.lab.fault({ vendor: "apns", times: 6, do: down });
  for (let n = 0; n < 6; n++) await send(stage, app, "u", { ttl: 0 });
  assert.deepEqual(await breaker(stage, app, "apns"), { state: "closed" });
});

test("a runtime that is killed leaves it open", { timeout: 90_000 }, async () => {
  const persist = await mkdtemp("target/breaker-");
  const crashing = await Stage.start({ persist, lab: stage.lab });
  try {
    const { app } = await opened(crashing);
    const before = await breaker(crashing, app, "apns");
    await killRuntime(crashing);
    assert.deepEqual(await breaker(crashing, app, "apns"), before);
    // An isolate that knows nothing joins at its own first trouble.
    stage.lab.fault({ vendor: "apns", do: down });
    await send(crashing, app, "u", { ttl: 0 });
    const refused = await send(crashing, app, "u");
    assert.match(delivery(refused).detail, /circuit breaker/);
    assert.equal(cost(refused).fetches, 0);
  } finally {
    stage.lab.clearFaults();
    await crashing.stop();
    await rm(persist, { recursive: true, force: true });
  }
});
