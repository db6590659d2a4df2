// Every user, device and token is an object of its own, and here each that is awake holds open files of one process; after some
// seconds of rest workerd closes them. Where the system lets a process have few, the day has to wait for that.

import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** Of the files that the system allows. */
const FULL = 0.6;
const PAUSE_MS = 200;

export class Files {
  readonly #pid: number;
  readonly #most: number;

  constructor(pid: number) {
    this.#pid = pid;
    this.#most = limitOf(pid) * FULL;
  }

  /** Waits until there is room. Systems that do not show open files (macOS) are not waited for. */
  async room(): Promise<void> {
    while (this.#open() > this.#most) await sleep(PAUSE_MS);
  }

  #open(): number {
    return this.#most === Infinity ? 0 : readdirSync(`/proc/${this.#pid}/fd`).length;
  }
}

function limitOf(pid: number): number {
  try {
    const soft = /^Max open files +(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, "utf8"))?.[1];
    return soft === undefined ? Infinity : Number(soft);
  } catch {
    return Infinity;
  }
}
