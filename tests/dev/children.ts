// Child processes of `make dev`, the fuzzer and the benchmark: each in a process group of its own, so
// that Ctrl-C reaches only the parent, which then ends every group it started (wrangler starts workerd,
// which would otherwise outlive it), and nothing else.

import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

/** How long a group may take to end on SIGTERM before SIGKILL, in ms. */
const PATIENCE = 5_000;
/** How many of its last lines a child is remembered by, for the message when it dies. */
const TAIL = 40;

export interface Child {
  readonly name: string;
  readonly pid: number;
  /** Its last lines, oldest first. */
  readonly tail: readonly string[];
  /** Settles when the process has ended. */
  readonly ended: Promise<string>;
  /** Why it ended, once it has. */
  end?: string;
}

export type OnLine = (child: string, line: string) => void;

export class Children {
  readonly #running: Child[] = [];
  readonly #onLine: OnLine;
  #stopping = false;

  constructor(onLine: OnLine) {
    this.#onLine = onLine;
  }

  /** True once the children are being ended on purpose. */
  get stopping(): boolean {
    return this.#stopping;
  }

  start(name: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Child {
    if (this.#stopping) throw new Error(`${name} is not started: everything is being stopped`);
    const running = spawn(process.execPath, args, {
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...env },
    });
    const tail: string[] = [];
    const onLine = (line: string): void => {
      tail.push(line);
      if (tail.length > TAIL) tail.shift();
      if (!this.#stopping) this.#onLine(name, line);
    };
    lines(running, onLine);
    const child: Child = {
      name,
      pid: running.pid ?? -1,
      tail,
      ended: new Promise((resolve) => {
        running.once("error", (error) => resolve(`could not be started: ${error.message}`));
        // Not "close": a grandchild may hold the pipes open. A moment for the last lines to arrive.
        running.once("exit", (code, signal) => setTimeout(resolve, 50, signal ?? `status ${code}`));
      }),
    };
    void child.ended.then((how) => {
      child.end = how;
    });
    if (running.pid !== undefined) this.#running.push(child);
    return child;
  }

  /** Ends every group that was started, and returns when none of them has a process left. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#running.map((child) => endGroup(child.pid)));
  }

  /** For the impatient: a second Ctrl-C. */
  kill(): void {
    for (const child of this.#running) signal(child.pid, "SIGKILL");
  }
}

async function endGroup(pid: number): Promise<void> {
  signal(pid, "SIGTERM");
  const start = Date.now();
  while (signal(pid, 0)) {
    const waited = Date.now() - start;
    if (waited > PATIENCE) signal(pid, "SIGKILL");
    // Killed and still listed: an entry that the machine's first process has not cleared away.
    if (waited > PATIENCE + 1_000) return;
    await sleep(25);
  }
}

/** Sends to the whole group; false if it has no process left. */
function signal(pid: number, what: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, what);
  } catch {
    return false;
  }
}

function lines(child: ChildProcess, onLine: (line: string) => void): void {
  for (const stream of [child.stdout, child.stderr]) {
    let rest = "";
    stream?.setEncoding("utf8");
    stream?.on("data", (text: string) => {
      const parts = (rest + text).split("\n");
      rest = parts.pop() ?? "";
      for (const part of parts) if (part.trim() !== "") onLine(part.trimEnd());
    });
    stream?.on("end", () => {
      if (rest.trim() !== "") onLine(rest);
    });
  }
}
