// `make faults` prints its table.

import { CASES, type Row, broken, runCase } from "./faults.ts";

const rows: Row[] = [];
for (const [n, one] of CASES.entries()) {
  console.log(`case ${n + 1} of ${CASES.length}`);
  rows.push(await runCase(one));
}
const columns = ["acknowledged", "deliveries", "arrived", "twice", "resent", "lost", "unknown", "unresolved"] as const;
console.log();
console.log(`| ${["what", ...columns, "what the caller learnt"].join(" | ")} |`);
console.log(`|${"---|".repeat(columns.length + 2)}`);
for (const row of rows) console.log(`| ${[row.what, ...columns.map((name) => row[name]), row.learnt].join(" | ")} |`);
console.log();
console.log("`resent`: went out again, under the same ids, after a try that had no answer. `twice`: without that.");
process.exitCode = rows.some(broken) ? 1 : 0;
