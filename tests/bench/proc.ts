// CPU time of processes, as Linux counts it.

import { readdirSync, readFileSync } from "node:fs";

/** The kernel's unit in /proc/<pid>/stat: 100 a second on every Linux that Node runs on. */
const TICK_MS = 10;

/** user + sys of a process in ms. */
export function cpuMs(pid: number): number {
  const fields = stat(pid);
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Processes of this name that `parent` has started. */
export function childrenOf(parent: number, name: string): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      try {
        return Number(stat(pid)[1]) === parent && readFileSync(`/proc/${pid}/comm`, "utf8").trim() === name;
      } catch {
        return false; // gone meanwhile
      }
    });
}

/** What follows the name in /proc/<pid>/stat; the name may hold anything, so it is cut off at its last parenthesis. */
function stat(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

/** Memory of a process that is in RAM, MB. */
export function rssMb(pid: number): number {
  const line = readFileSync(`/proc/${pid}/status`, "utf8").split("\n").find((line) => line.startsWith("VmRSS:"));
  return Number(line?.replace(/\D+/g, "")) / 1024;
}
