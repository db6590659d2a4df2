// What the lab saw, one line for each request.

import { call } from "./client.ts";

interface Entry {
  vendor: string | null;
  host: string;
  method: string;
  path: string;
  status: number | null;
  reason: string | null;
  fault: string | null;
}

/** Longest path shown; a device token in it makes lines that wrap. */
const PATH_LENGTH = 60;

export async function labLines(lab: string): Promise<string[]> {
  const { entries } = await call<{ entries: Entry[] }>("GET", `${lab}/_lab/log`);
  return entries.map((entry) => {
    const path = entry.path.length > PATH_LENGTH ? `${entry.path.slice(0, PATH_LENGTH)}…` : entry.path;
    const words = [entry.reason, entry.fault && `fault: ${entry.fault}`].filter(Boolean).join(", ");
    const answer = `${entry.status ?? "no answer"}${words === "" ? "" : ` (${words})`}`;
    return `${(entry.vendor ?? "-").padEnd(12)} ${entry.method} ${entry.host}${path} -> ${answer}`;
  });
}
