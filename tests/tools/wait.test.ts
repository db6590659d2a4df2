// What wasm waits for, JavaScript's half (`src/edge/wait.js`), with a wasm that only writes down how it is called.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What a trap throws; the types of Node do not name it. */
const { RuntimeError } = (globalThis as unknown as { WebAssembly: { RuntimeError: ErrorConstructor } }).WebAssembly;

const wait = await import(new URL("../../src/edge/wait.js", import.meta.url).href);

const reported: unknown[] = [];
Object.assign(globalThis, { reportError: (error: unknown) => void reported.push(error) });

/** A new instance; gives what it is told. */
function instance(came?: () => void): unknown[][] {
  const told: unknown[][] = [];
  const hear = (name: string) => (...given: unknown[]) => {
    told.push([name, ...given]);
    if (name === "came") came?.();
  };
  wait.started(hear("answer"), hear("came"), hear("brought"), hear("failed"), hear("lost"), hear("turn"));
  return told;
}

const steps = (): Promise<void> => new Promise((next) => setImmediate(next));

test("what I/O gives is handed over under its number", async () => {
  const told: unknown[][] = instance();
  const bytes = new Uint8Array([1]);
  const given: [number, unknown][] = [[1, "text"], [2, null], [3, undefined], [4, bytes]];
  for (const [number, value] of given) wait.waits(async () => value)(number);
  wait.waits(async () => Promise.reject(new Error("no")))(5);
  wait.waits(() => {
    throw new Error("at once");
  })(6);
  wait.waits(async (...given: unknown[]) => given.join(" "))(7, "a", "b", "c", "d", "e", "f");
  assert.equal(told.length, 0, "never before the call has returned");
  await steps();
  const sorted = told.map((call) => [call[1], call[0], call[2]]).sort();
  assert.deepEqual(sorted, [
    [1, "came", "text"],
    [2, "came", null],
    [3, "came", undefined],
    [4, "brought", bytes],
    [5, "failed", "no"],
    [6, "failed", "at once"],
    [7, "came", "a b c d e f"],
  ]);
});

test("a call that waits is answered when its future ends", async () => {
  instance();
  assert.equal(wait.later("text"), "text");
  const [well, badly] = [wait.later(1), wait.later(2)];
  wait.ended(1, "done", true);
  wait.ended(2, new Error("bad"), false);
  wait.ended(3, "nobody waits", true);
  assert.equal(await well, "done");
  await assert.rejects(badly, /bad/);
});

for (const error of [new RuntimeError("unreachable"), new RangeError("stack"), new TypeError("thrown by an import")])
test(`after a ${error.name} nobody waits in vain, and nothing enters the instance that was`, async () => {
  reported.length = 0;
  let told = instance(() => {
    throw error;
  });
  const waits = wait.later(1);
  let finish: (text: string) => void = () => undefined;
  wait.waits(() => new Promise((done) => (finish = done)))(8);
  wait.waits(async () => "text")(9);
  await assert.rejects(waits, /fault/);
  assert.deepEqual([told.length, reported.length, reported[0] instanceof RuntimeError], [1, 1, true]);
  assert.throws(() => wait.enter(() => told.push(["entered"])), /restarted/);
  // The next instance has the same numbers.
  told = instance();
  finish("of the one before");
  wait.soon();
  await steps();
  assert.deepEqual(told, [["turn", undefined, undefined]]);
  const left = wait.later(1);
  instance();
  await assert.rejects(left, /fault/, "a new instance has the numbers for itself");
});

test("where nothing can come any more, the number is given back", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const told = instance();
  const never = wait.waits(() => new Promise(() => undefined));
  never(5);
  for (let tries = 0; told.length === 0 && tries < 50; tries++) {
    collect();
    await steps();
  }
  assert.deepEqual(told, [["lost", 5, undefined]]);
});
