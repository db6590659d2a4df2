// Law 9: one token for all isolates.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startLab } from "../lab/lab.ts";
import { ADMIN_KEY, Stage } from "./stage.ts";

let stage: Stage;
before(async () => {
  stage = await Stage.start();
});
after(() => stage.stop());

const calls = (vendor: string) => stage.seen(vendor).filter((entry) => entry.status !== undefined);

test("two separate runtimes sign the byte-identical APNs token", async () => {
  const lab = await startLab();
  const [one, other] = await Promise.all([Stage.start({ lab }), Stage.start({ lab })]);
  try {
    const apns = await lab.makeApns();
    // At the edge of a step the two could rightly sign different ones.
    const left = 2400 - ((Date.now() / 1000) % 2400);
    if (left < 10) await new Promise((next) => setTimeout(next, left * 1000 + 100));
    for (const runtime of [one, other]) {
      await runtime.must("PUT", "/v1/apps/twin", ADMIN_KEY, { credentials: { apns } });
      const { key } = await runtime.must("POST", "/v1/apps/twin/keys", ADMIN_KEY, { scopes: ["push", "devices"] });
      const app = { id: "twin", key, topic: apns.topic };
      await runtime.iphone(app, "u");
      assert.deepEqual((await runtime.push(app, { to: { users: ["u"] } })).json.counts, { accepted: 1 });
    }
    const tokens = lab.log({ vendor: "apns" }).map((entry: any) => entry.headers.authorization);
    assert.equal(tokens.length, 2);
    assert.deepEqual(tokens[0], tokens[1]);
    assert.equal(tokens[0].claims.iat % 2400, 0);
    assert.deepEqual(Object.keys(tokens[0].claims).sort(), ["iat", "iss"]);
  } finally {
    await Promise.all([one.stop(), other.stop()]);
    await lab.close();
  }
});

test("FCM's access token is fetched once, however many pushes come at once", async () => {
  const app = await stage.app();
  await stage.android(app, "u");
  stage.lab.clearLog();
  stage.lab.fault({ vendor: "google_oauth", do: { delay_ms: 200 } });
  const answers = await Promise.all(Array.from({ length: 32 }, () => stage.push(app, { to: { users: ["u"] } })));
  for (const answer of answers) assert.deepEqual(answer.json.counts, { accepted: 1 });
  assert.equal(calls("google_oauth").length, 1);
});

test("a token that the vendor refuses is dropped and fetched once more, and the push still arrives", async () => {
  const app = await stage.app();
  await stage.android(app, "u");
  assert.deepEqual((await stage.push(app, { to: { users: ["u"] } })).json.counts, { accepted: 1 });
  stage.lab.clearLog();
  stage.lab.fault({ vendor: "fcm", do: { reason: "UNAUTHENTICATED" } });
  assert.deepEqual((await stage.push(app, { to: { users: ["u"] } })).json.counts, { accepted: 1 });
  assert.equal(calls("google_oauth").length, 1);
});

test("a vendor that refuses every token is asked for one more, and not for one with each push", async () => {
  const app = await stage.app();
  await stage.android(app, "u");
  assert.deepEqual((await stage.push(app, { to: { users: ["u"] } })).json.counts, { accepted: 1 });
  stage.lab.clearLog();
  stage.lab.fault({ vendor: "fcm", times: -1, do: { reason: "UNAUTHENTICATED" } });
  const ends = [];
  for (let n = 0; n < 4; n++) {
    const [delivery] = (await stage.push(app, { to: { users: ["u"] } })).json.deliveries;
    ends.push(`${delivery.state} ${delivery.reason}`);
  }
  assert.equal(ends[0], "failed credentials", "one repeat, not more");
  assert.deepEqual(new Set(ends.slice(1)), new Set(["retrying vendor_unavailable"]));
  assert.equal(calls("google_oauth").length, 1);
  stage.lab.clearFaults();
});

test("a token is renewed before it ends", async () => {
  stage.lab.settings({ oauth_expires_in: 2 });
  const app = await stage.app();
  await stage.android(app, "u");
  stage.lab.clearLog();
  for (let n = 0; n < 4; n++) {
    assert.deepEqual((await stage.push(app, { to: { users: ["u"] } })).json.counts, { accepted: 1 });
    await new Promise((next) => setTimeout(next, 700));
  }
  stage.lab.settings({ oauth_expires_in: 3599 });
  const fetched = calls("google_oauth").length;
  assert.ok(fetched >= 2 && fetched <= 4, `fetched ${fetched} times in 2.1 s with tokens of 2 s`);
  assert.ok(stage.seen("fcm").every((entry) => entry.status === 200), "no push was refused");
});

test("a new credential voids the tokens made from the old one", async () => {
  const app = await stage.app();
  await stage.android(app, "u");
  await stage.push(app, { to: { users: ["u"] } });
  const fcm = await stage.lab.makeFcm();
  await stage.must("PUT", `/v1/apps/${app.id}`, ADMIN_KEY, { credentials: { fcm } });
  stage.lab.clearLog();
  assert.deepEqual((await stage.push(app, { to: { users: ["u"] } })).json.counts, { accepted: 1 });
  assert.equal(stage.seen("google_oauth")[0].status, 200);
  assert.match(stage.seen("fcm").find((entry) => entry.body?.message).path, new RegExp(fcm.project_id));
});

test("a token that cannot be had is the credential's fault or the vendor's, and nothing is sent", async () => {
  for (const [fault, reason] of [
    [{ reason: "invalid_grant" }, "credentials"],
    [{ status: 503 }, "vendor_unavailable"],
    [{ html: 502 }, "vendor_unavailable"],
  ] as const) {
    const app = await stage.app();
    await stage.android(app, "u");
    stage.lab.clearLog();
    stage.lab.fault({ vendor: "google_oauth", do: fault as any });
    const [delivery] = (await stage.push(app, { to: { users: ["u"] }, ttl: 0 })).json.deliveries;
    assert.deepEqual([delivery.state, delivery.reason], ["failed", reason], JSON.stringify(delivery));
    assert.equal(stage.seen("fcm").length, 0);
    assert.deepEqual((await stage.push(app, { to: { users: ["u"] } })).json.counts, { accepted: 1 }, "the next one works");
  }
});

test("who waits for a token of an older credential does not get it", async () => {
  const app = await stage.app();
  await stage.android(app, "u");
  stage.lab.clearLog();
  stage.lab.fault({ vendor: "google_oauth", do: { delay_ms: 800 } });
  const first = stage.push(app, { to: { users: ["u"] } });
  await new Promise((next) => setTimeout(next, 300));
  const fcm = await stage.lab.makeFcm();
  await stage.must("PUT", `/v1/apps/${app.id}`, ADMIN_KEY, { credentials: { fcm } });
  const second = await stage.push(app, { to: { users: ["u"] } });
  assert.deepEqual(second.json.counts, { accepted: 1 }, second.text);
  await first;
  const paths = stage.seen("fcm").filter((entry) => entry.body?.message).map((entry) => entry.path);
  assert.ok(paths.some((path) => path.includes(fcm.project_id)));
});
