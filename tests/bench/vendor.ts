// The mock vendor's process, seen from the driver.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

export interface Sent {
  path: string;
  head: string;
  body: string;
}

export class MockVendor {
  readonly pid: number;
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, pid: number, port: number) {
    this.#child = child;
    this.pid = pid;
    this.url = `http://127.0.0.1:${port}`;
  }

  static async start(): Promise<MockVendor> {
    const child = spawn(process.execPath, [join(import.meta.dirname, "mock.ts")], { stdio: ["pipe", "pipe", "inherit"] });
    const lines = createInterface({ input: child.stdout });
    const line = await Promise.race([
      once(lines, "line").then(([text]) => String(text)),
      once(child, "exit").then(() => "it ended"),
    ]);
    lines.close();
    const port = /^mock ready: (\d+)$/.exec(line)?.[1];
    if (port === undefined || child.pid === undefined) throw new Error(`the mock vendor did not start: ${line}`);
    return new MockVendor(child, child.pid, Number(port));
  }

  /** The last request that came for a host. */
  async last(host: string): Promise<Sent> {
    const answer = await fetch(`${this.url}/_last`);
    const sent = ((await answer.json()) as Record<string, Sent>)[host];
    if (sent === undefined) throw new Error(`nothing was sent to ${host}`);
    return sent;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.stdin?.end();
    await ended;
  }
}
