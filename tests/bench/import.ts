// An import: lines a second, rows a line, and whether memory stays flat, for devices that are new and for such as are known.

import { progress } from "./print.ts";
import { rssMb } from "./proc.ts";
import { type Credentials, makeApp } from "./scenes.ts";
import { dispose, startVariant } from "./variants.ts";

export interface ImportResult {
  what: "new" | "known";
  lines: number;
  seconds: number;
  rows: number;
  /** Of the whole process, storage simulators included: before, and at most while it went on. */
  rssMb: [number, number];
}

/** Registers `fresh` devices of as many users, then sends `known` lines about the same ones. */
export async function measureImport(held: Credentials, adminKey: string, fresh: number, known: number): Promise<ImportResult[]> {
  const ours = await startVariant("ours", {});
  try {
    const gateway = await makeApp(ours, adminKey, "import", held, false);
    const line = (n: number): string => {
      const id = n % fresh;
      return `${JSON.stringify({ user: `customer-${id}`, device: `phone-${id}`, platform: "android", vendor: "fcm", token: `t${id}:x` })}\n`;
    };
    const run = async (what: ImportResult["what"], lines: number): Promise<ImportResult> => {
      const before = rssMb(ours.pid);
      const began = performance.now();
      const answer = await fetch(`${gateway.base}/v1/users:import`, {
        method: "POST",
        headers: { authorization: `Bearer ${gateway.key}` },
        body: Array.from({ length: lines }, (_, n) => line(n)).join(""),
      });
      if (answer.status !== 200 || answer.body === null) throw new Error(`import: ${answer.status} ${await answer.text()}`);
      let most = before;
      let last = "";
      let done = 0;
      for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) {
        most = Math.max(most, rssMb(ours.pid));
        done += piece.split("\n").length - 1;
        last = (last + piece).slice(-1_000);
        progress(`import: ${done} of ${lines} lines, ${what} devices`);
      }
      const sum = JSON.parse(last.trimEnd().split("\n").at(-1) ?? "");
      if (sum.lines !== lines || sum[what === "new" ? "created" : "unchanged"] !== lines) throw new Error(`import: ${JSON.stringify(sum)}`);
      return { what, lines, seconds: (performance.now() - began) / 1000, rows: sum.rows_written, rssMb: [before, most] };
    };
    return [await run("new", fresh), await run("known", known)];
  } finally {
    await dispose(ours.mf);
  }
}
