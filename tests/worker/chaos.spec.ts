// The short form of `make chaos`.

import assert from "node:assert/strict";
import { test } from "node:test";
import { chaos, faultsOf } from "../chaos/chaos.ts";

test("killed under load again and again: nothing lost, nothing twice, one state", { timeout: 400_000 }, async (context) => {
  const report = await chaos({ kills: 6, callers: 8, every: 500 });
  context.diagnostic(JSON.stringify(report));
  assert.deepEqual(faultsOf(report), []);
  assert.ok(report.pushes >= 20 && report.deliveries > report.pushes, "there was a load");
});
