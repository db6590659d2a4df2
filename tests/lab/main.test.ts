import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { post } from "./client.ts";

function program(...flags: string[]): { output: () => string; child: ReturnType<typeof spawn> } {
  const child = spawn(process.execPath, [fileURLToPath(new URL("main.ts", import.meta.url)), ...flags]);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return { child, output: () => output };
}

test("the program says where it is and stops cleanly", async () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const { child, output } = program("--port", "0", "--h2-port", "0");
    while (!output().includes("\n")) await once(child.stdout ?? child, "data");
    const [, url] = /^lab ready: (http:\/\/127\.0\.0\.1:\d+) https:\/\/127\.0\.0\.1:\d+\n$/.exec(output()) ?? [];
    assert.equal((await post(`${url}/_lab/stats`, { method: "GET" })).status, 200);
    child.kill(signal);
    assert.deepEqual(await once(child, "exit"), [0, null]);
  }
});

test("the program names the flag for a busy port and for a bad one", async () => {
  const busy = createServer().listen(0, "127.0.0.1");
  await once(busy, "listening");
  const port = String((busy.address() as AddressInfo).port);
  const cases: [string[], RegExp][] = [
    [["--port", port, "--h2-port", "0"], /busy; choose another one with --port\n/],
    [["--port", "0", "--h2-port", port], /busy; choose another one with --h2-port\n/],
    [["--port", "http"], /--port must be a port number/],
    [["--prot", "1"], /--prot/],
  ];
  for (const [flags, message] of cases) {
    const { child, output } = program(...flags);
    assert.deepEqual(await once(child, "close"), [1, null]);
    assert.match(output(), message);
  }
  busy.close();
});
