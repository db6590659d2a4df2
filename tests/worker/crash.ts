// A crash: the runtime's process is killed, nothing else. Miniflare starts it again on the same storage.

import { readdir, readFile } from "node:fs/promises";
import { type Stage, until } from "./stage.ts";

/** Kills this stage's workerd, and waits until the gateway answers again. */
export async function killRuntime(stage: Stage): Promise<void> {
  const pids = await runtimes();
  if (pids.length === 0) throw new Error("there is no runtime to kill");
  for (const pid of pids) process.kill(pid, "SIGKILL");
  await until(async () => {
    const answer = await fetch(`${stage.url}/healthz`).catch(() => undefined);
    return answer?.status === 200 ? true : undefined;
  }, 60_000);
}

/** The workerd processes that this process started and that are alive. */
async function runtimes(): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, "utf8").catch(() => "");
    const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (stat.includes("(workerd)") && Number(parent) === process.pid && state !== "Z") found.push(Number(name));
  }
  return found;
}
