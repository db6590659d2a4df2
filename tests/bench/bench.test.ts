// The benchmark works: a smoke run from start to end, and the little HTTP that driver and mock share.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { Messages } from "./http1.ts";

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
