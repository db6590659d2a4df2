// A panic, a trap or a full stack restarts the instance: the next request works. They are provoked in a build of its own.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Stage, until } from "./stage.ts";

for (const fault of ["panic", "trap", "trap/later", "trap/object", "stack"]) test(`after a ${fault} the next request works`, async () => {
  const log: string[] = [];
  const stage = await Stage.start({ build: "target/build-test", log: (line) => void log.push(line) });
  try {
    const app = await stage.app();
    await stage.iphone(app, "u");
    for (let n = 0; n < 3; n++) {
      const answer = await stage.ask("POST", `/__test/${fault}`).catch(() => ({ status: 500 }));
      assert.equal(answer.status, 500);
      const next = await stage.push(app, { to: { users: ["u"] } });
      assert.deepEqual([next.status, next.json.counts], [200, { accepted: 1 }]);
    }
    const restarts = await until(() => {
      const lines = log.filter((line) => line.includes("Reinitializing Wasm application"));
      return lines.length >= 3 ? lines.length : undefined;
    });
    assert.equal(restarts, 3, "each time in a new instance");
  } finally {
    await stage.stop();
  }
});

test("a push that waits when its instance has a fault is told so at once", { timeout: 60_000 }, async () => {
  const stage = await Stage.start({ build: "target/build-test" });
  try {
    const app = await stage.app();
    await stage.iphone(app, "u");
    stage.lab.fault({ vendor: "apns", do: { hang: true } });
    const waits = stage.push(app, { to: { users: ["u"] } }).then((answer) => ({ answer, at: Date.now() }));
    await until(() => (stage.seen("apns").length > 0 ? true : undefined));
    const fault = Date.now();
    await stage.ask("POST", "/__test/trap").catch(() => undefined);
    const { answer, at } = await waits;
    assert.equal(answer.status, 500);
    assert.ok(at - fault < 5_000, "the vendor would have been given up after 15 s");
    const next = await stage.push(app, { to: { users: ["u"] } });
    assert.deepEqual([next.status, next.json.counts], [200, { accepted: 1 }]);
  } finally {
    await stage.stop();
  }
});

test("a fault in a batch restarts the instance, and the batch comes again", async () => {
  const log: string[] = [];
  const stage = await Stage.start({ build: "target/build-test", log: (line) => void log.push(line) });
  const has = (text: string) => () => (log.some((line) => line.includes(text)) ? true : undefined);
  try {
    const app = await stage.app();
    await stage.iphone(app, "u");
    assert.equal((await stage.ask("POST", "/__test/trap/batch")).status, 204);
    await until(has("Critical RuntimeError"));
    const next = await stage.push(app, { to: { users: ["u"] } });
    assert.deepEqual([next.status, next.json.counts], [200, { accepted: 1 }]);
    await until(has("Reinitializing Wasm application"));
    // The second time the message is no job, and is taken off the queue.
    await until(has('"event":"jobs"'), 30_000);
  } finally {
    await stage.stop();
  }
});

test("settings that are wrong are named, and nothing else is answered", async () => {
  for (const [bindings, name] of [
    [{ ADMIN_KEY: "" }, "ADMIN_KEY"],
    [{ SEAL_KEY: "short" }, "SEAL_KEY"],
    [{ VENDOR_PROXY: "localhost" }, "VENDOR_PROXY"],
  ] as const) {
    const stage = await Stage.start({ bindings });
    try {
      const health = await stage.ask("GET", "/healthz");
      assert.deepEqual([health.status, health.json.status], [500, "misconfigured"]);
      const push = await stage.ask("POST", "/v1/push", "epk_a_b", {});
      assert.deepEqual([push.status, push.json.code], [500, "misconfigured"]);
      assert.match(push.json.detail, new RegExp(`^${name} `));
    } finally {
      await stage.stop();
    }
  }
});
