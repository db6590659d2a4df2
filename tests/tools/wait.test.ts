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

/** A new instance; gives what it is told. `came`: what it does with what I/O gave. */
function instance(came?: () => void): unknown[][] {
  const told: unknown[][] = [];
  const hear = (name: string) => (...given: unknown[]) => {
    told.push([name, ...given]);
    if (["came", "brought", "failed"].includes(name)) came?.();
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
  const ends: (() => void)[] = [];
  wait.waits(() => new Promise((done) => ends.push(() => done("text"))))(6);
  wait.waits(() => new Promise((done) => ends.push(() => done(new Uint8Array(1)))))(7);
  wait.waits(() => new Promise((_, failed) => ends.push(() => failed(new Error("no")))))(8);
  wait.waits(async () => "text")(9);
  await assert.rejects(waits, /fault/);
  assert.deepEqual([told.length, reported.length, reported[0] instanceof RuntimeError], [1, 1, true]);
  assert.throws(() => wait.enter(() => told.push(["entered"])), /restarted/);
  // The next instance has the same numbers.
  told = instance();
  for (const end of ends) end();
  wait.soon();
  await steps();
  assert.deepEqual(told, [["turn", undefined, undefined]]);
  const left = wait.later(1);
  instance();
  await assert.rejects(left, /fault/, "a new instance has the numbers for itself");
});

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Collects garbage until so much was told, or in vain. */
async function collected(told: unknown[][], n: number): Promise<void> {
  for (let tries = 0; told.length < n && tries < 50; tries++) {
    collect();
    await steps();
  }
}

const never = wait.waits(() => new Promise(() => undefined));

test("where nothing can come any more, the number is given back", async () => {
  const told = instance();
  never(5);
  await collected(told, 1);
  assert.deepEqual(told, [["lost", 5, undefined]]);
});

test("a number is given back once all that began with it has come, been lost or failed, and only if nothing came of it", async () => {
  const told = instance();
  let finish: (text: string) => void = () => undefined;
  never(1);
  wait.waits(async () => "text")(2);
  wait.waits(async () => Promise.reject(new Error("no")))(3);
  wait.waits(() => new Promise((done) => (finish = done)))(4);
  await steps();
  // The number of what has come belongs to the next.
  never(2);
  told.length = 0;
  await collected(told, 1);
  assert.deepEqual(told, [], "what began with them may still come");
  finish("late");
  await collected(told, 3);
  assert.deepEqual(told, [["came", 4, "late"], ["lost", 1, undefined], ["lost", 2, undefined]]);
});

test("a number that is taken again as soon as something came under it is lost like any other", async () => {
  const ways: [string, () => Promise<unknown>][] = [
    ["came", async () => "text"],
    ["brought", async () => new Uint8Array(1)],
    ["failed", async () => Promise.reject(new Error("no"))],
  ];
  for (const [way, io] of ways) {
    const told = instance(() => never(1));
    wait.waits(io)(1);
    await collected(told, 2);
    assert.deepEqual(told.map(([name, number]) => [name, number]), [[way, 1], ["lost", 1]]);
  }
});

test("what hangs holds up only what began with it", async () => {
  const told = instance();
  let finish: (text: string) => void = () => undefined;
  wait.waits(() => new Promise((done) => (finish = done)))(0);
  for (let number = 1; number < 200; number++) never(number);
  await collected(told, 199 - 63);
  const lost = told.map(([, number]) => Number(number)).toSorted((a, b) => a - b);
  assert.deepEqual(lost, Array.from({ length: 199 - 63 }, (_, at) => at + 64));
  finish("end");
  await collected(told, 200);
  assert.equal(told.length, 200);
});

test("what an earlier instance has lost is nothing to the next", async () => {
  instance();
  never(1);
  const told = instance();
  never(2);
  await collected(told, 1);
  await collected(told, 2);
  assert.deepEqual(told, [["lost", 2, undefined]]);
});
