// The benchmark works: a smoke run from start to end, and the little HTTP that driver and mock share.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { type Line, type Sample, summary } from "./cpu.ts";
import { Messages } from "./http1.ts";
import { SINGLE } from "./scenes.ts";

const ROOT = resolve(import.meta.dirname, "../..");

/** Feeds a stream in pieces of `size` bytes. */
function cut(stream: string, size: number): [string, string][] {
  const found: [string, string][] = [];
  const messages = new Messages();
  for (let at = 0; at < stream.length; at += size) {
    messages.feed(Buffer.from(stream.slice(at, at + size), "latin1"), (head, body) => found.push([head, body]));
  }
  return found;
}

test("messages are found however the stream is cut", () => {
  const stream =
    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody" +
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n2\r\n\r\n\r\n0\r\n\r\n" +
    "HTTP/1.1 204 No Content\r\nx: y\r\n\r\n";
  for (const size of [1, 2, 7, 1000]) {
    assert.deepEqual(
      cut(stream, size).map(([head, body]) => [head.slice(9, 12), body]),
      [
        ["200", "body"],
        ["200", "one\r\n"],
        ["204", ""],
      ],
    );
  }
});

test("the figures are of the rounds of all sets", () => {
  const sample = (workerd: number): Sample => ({ workerd, driver: 0, mock: 0, run: { seconds: 1, latencies: [1] } });
  const set = (...ours: number[]): Line[] => {
    const of = (rounds: number[]): Sample[][] => rounds.map((workerd) => [sample(workerd)]);
    const samples = { ours: of(ours), bare: of(ours.map(() => 10)), "fetch-only": of(ours.map(() => 5)) };
    return [{ scene: SINGLE[0]!, callers: 1, plan: { rounds: ours.length, pushes: 1, warm: 0 }, samples }];
  };
  const [line, ...more] = summary([set(10, 11), set(30), set(12, 13)]);
  assert.deepEqual([line!.ratio, more], [{ median: 1.2, min: 1, max: 3 }, []]);
  assert.equal(line!.sides.ours.cpu.median, 12_000);
});

test("a smoke run prints every table and writes the numbers", { timeout: 120_000 }, () => {
  const run = spawnSync(process.execPath, [join(ROOT, "tests/bench/main.ts"), "--quick"], { cwd: ROOT, encoding: "utf8" });
  assert.equal(run.status, 0, run.stderr);
  for (const title of ["CPU of workerd for a push to one device", "to 50 devices", "Speed", "Cost of a push", "Object calls of", "A JWT of HarmonyOS", "Start and size"]) {
    assert.ok(run.stdout.includes(title), `no table "${title}":\n${run.stdout}`);
  }
  const { cpu, cost, leases, start, size } = JSON.parse(readFileSync(join(ROOT, "target/bench.json"), "utf8"));
  assert.equal(cpu.length, 10);
  assert.equal(cost.length, 16);
  for (const { pushes, before, after } of leases) assert.ok(before === 3 * pushes && after < before, `${before} ${after}`);
  assert.ok(start.ours.median > 0 && size[0].gzip > 0);
});

test("an argument that is not known is refused with those that are", () => {
  const run = spawnSync(process.execPath, [join(ROOT, "tests/bench/main.ts"), "--fast"], { cwd: ROOT, encoding: "utf8" });
  assert.equal(run.status, 1);
  assert.match(run.stderr, /--quick/);
});
