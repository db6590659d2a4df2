// `make chaos`: a hundred kills. KILLS and CALLERS change how many.

import { chaos, faultsOf } from "./chaos.ts";

const kills = Number(process.env["KILLS"] ?? 100);
const callers = Number(process.env["CALLERS"] ?? 12);
const began = Date.now();
const report = await chaos({ kills, callers, every: 600, onProgress: (text) => console.log(`${String(Math.round((Date.now() - began) / 1000)).padStart(4)} s  ${text}`) });
console.log();
for (const [name, value] of Object.entries(report)) console.log(`  ${name.padEnd(12)} ${value}`);
const wrong = faultsOf(report);
console.log();
console.log(wrong.length === 0 ? "Nothing lost, nothing twice, nothing without an end." : wrong.map((text) => `BROKEN: ${text}`).join("\n"));
process.exitCode = wrong.length === 0 ? 0 : 1;
