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
