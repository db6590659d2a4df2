// The folder of a local worker: its two secrets and its storage, found again at the next start. It is
// under target/, never in git.

import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Secrets {
  adminKey: string;
  /** A file that `wrangler dev --env-file` reads. */
  file: string;
}

/** Said to the user as it is, without a stack. */
export class StateProblem extends Error {}

/** Made once: what the worker has stored is sealed with them, so the next start needs the same ones. */
export function devSecrets(folder: string): Secrets {
  const file = join(folder, "secrets.env");
  if (!existsSync(file)) {
    const lines = [
      "# Made by the local tools for this machine only; remove it together with state/.",
      `ADMIN_KEY=${randomBytes(32).toString("hex")}`,
      `SEAL_KEY=${randomBytes(32).toString("base64")}`,
    ];
    writeFileSync(file, `${lines.join("\n")}\n`, { mode: 0o600 });
  }
  const adminKey = /^ADMIN_KEY=(\S+)$/m.exec(readFileSync(file, "utf8"))?.[1];
  if (adminKey === undefined) throw new StateProblem(`${file} has no ADMIN_KEY; remove ${folder} and start again`);
  return { adminKey, file };
}

/**
 * Takes the folder for this process: two runtimes on one storage answer SQLITE_BUSY and fire alarms
 * twice. Gone by itself with the process; a claim whose process is gone counts for nothing.
 */
export function claimFolder(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "pid");
  const owner = existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
  if (owner > 0 && owner !== process.pid && isAlive(owner)) {
    throw new StateProblem(
      `Another one (process ${owner}) is running on ${folder}. Stop it, or use a folder and ports of your own: ` +
        "make dev EDGEPUSH_STATE=target/dev2 EDGEPUSH_PORT=0 LAB_PORT=0 DEMO_PORT=0",
    );
  }
  writeFileSync(file, `${process.pid}\n`);
  process.once("exit", () => rmSync(file, { force: true }));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
