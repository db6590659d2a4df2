// `make dead-letters` and `make redrive`: the queue's jobs that were given up. URL and ADMIN_KEY say of which gateway; without
// them it is the one that `make dev` runs.

import { existsSync, readFileSync } from "node:fs";

const [what = "list"] = process.argv.slice(2);
const url = process.env["URL"] ?? `http://127.0.0.1:${process.env["EDGEPUSH_PORT"] ?? 8787}`;
const key = process.env["ADMIN_KEY"] ?? devKey();

function devKey(): string {
  const file = `${process.env["EDGEPUSH_STATE"] ?? "target/dev"}/secrets.env`;
  const line = existsSync(file) ? readFileSync(file, "utf8").split("\n").find((line) => line.startsWith("ADMIN_KEY=")) : undefined;
  if (line === undefined) throw new Error("set ADMIN_KEY (and URL), or run make dev once");
  return line.slice("ADMIN_KEY=".length).replaceAll('"', "");
}

async function ask(method: string, path: string): Promise<any> {
  const answer = await fetch(url + path, { method, headers: { authorization: `Bearer ${key}` } });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${url}${path}: ${answer.status} ${text}`);
  return JSON.parse(text);
}

async function list(): Promise<void> {
  let shown = 0;
  for (let after = ""; ; ) {
    const { letters, next } = await ask("GET", `/v1/dead-letters${after}`);
    for (const { id, at, reason, job } of letters) console.log(`${id}  ${at}  ${reason}\n    ${JSON.stringify(job)}`);
    shown += letters.length;
    if (next === null) break;
    after = `?after=${next}`;
  }
  console.log(shown === 0 ? "No dead letters." : `${shown} dead letters. Put them back: make redrive`);
}

async function redrive(): Promise<void> {
  let all = 0;
  for (;;) {
    const { redriven } = await ask("POST", "/v1/dead-letters:redrive");
    all += redriven.length;
    if (redriven.length < 100) break;
  }
  console.log(`${all} put back into the queue`);
}

try {
  await (what === "redrive" ? redrive() : list());
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
