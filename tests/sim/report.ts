// The result: a table for the terminal and a page with a picture that needs nothing from elsewhere.

import { relative } from "node:path";
import { table } from "../dev/print.ts";
import { ROOT } from "../bench/variants.ts";
import { FULL, LIMITED, type Limits, PHONE_LIMITED, phoneLimits } from "./accounts.ts";
import type { Funnel } from "./funnel.ts";

export interface Results {
  seed: number;
  users: number;
  /** A user and day. */
  messages: number;
  limits: Limits;
  phones: number;
  naive: Funnel;
  edgepush: Funnel;
  /** The gateway's own funnel. */
  own: { balanced: boolean; requested: number; accepted: number; received: number };
  out: string;
}

const terminal = process.stderr.isTTY === true;
let shown = { at: 0, phase: "" };

/** One line that changes on a terminal; elsewhere a line for each phase and every five seconds. */
export function progress(phase: string, at: string, done: number, of: number): void {
  const now = performance.now();
  if (phase === shown.phase && now - shown.at < (terminal ? 100 : 5_000)) return;
  shown = { at: now, phase };
  const text = `  ${phase}${at === "" ? "" : `, ${at}`}: ${whole(done)} of ${whole(of)}`;
  process.stderr.write(terminal ? `\r\x1b[2K${text}` : `${text}\n`);
}

const whole = (value: number): string => Math.round(value).toLocaleString("en-US");
const two = (value: number): string => (Number.isFinite(value) ? value.toFixed(2) : "-");
const percent = (part: number, of: number): string => `${((100 * part) / Math.max(1, of)).toFixed(1)} %`;

type Row = [what: string, read: (funnel: Funnel) => string];

const count = (read: (funnel: Funnel) => number) => (funnel: Funnel): string => whole(read(funnel));
const share = (read: (funnel: Funnel) => number, of: (funnel: Funnel) => number = ({ messages }) => messages) => (funnel: Funnel): string =>
  `${whole(read(funnel))} (${percent(read(funnel), of(funnel))})`;
const sends = ({ sends: { all } }: Funnel): number => all;

/** Every message once: these add up to the first line. */
const ENDS: readonly Row[] = [
  ["messages (one to one user)", count((f) => f.messages)],
  ["= arrived", share((f) => f.ends.arrived)],
  ["+ blocked by a vendor's quota", share((f) => f.ends.quota)],
  ["+ over the phone's daily limit", share((f) => f.ends.capped)],
  ["+ accepted or refused, notifications are off", share((f) => f.ends.off)],
  ["+ accepted, the app is gone", share((f) => f.ends.gone)],
  ["+ refused, the token is dead", share((f) => f.ends.dead)],
  ["+ refused otherwise", share((f) => f.ends.refused)],
  ["+ kept back, no call made", share((f) => f.ends.kept)],
];

const STEPS: readonly Row[] = [
  ["taken by the gateway", share((f) => f.taken)],
  ["sent to a phone", share((f) => f.sent)],
  ["accepted by a vendor", share((f) => f.accepted)],
  ["arrived", share((f) => f.arrived)],
  ["arrived, of those whose user can be reached", (f) => percent(f.arrived, f.reachable)],
];

const SENDS: readonly Row[] = [
  ["sends (one message to one phone)", count(sends)],
  ["= shown", share((f) => f.sends.arrived, sends)],
  ["+ accepted, the app is gone", share((f) => f.sends.toGone, sends)],
  ["+ accepted, notifications are off", share((f) => f.sends.toSilent, sends)],
  ["+ blocked by quota", share((f) => f.sends.quota, sends)],
  ["+ over the phone's daily limit", share((f) => f.sends.capped, sends)],
  ["+ refused, the token is dead", share((f) => f.sends.dead, sends)],
  ["+ refused, notifications are off", share((f) => f.sends.off, sends)],
  ["+ refused otherwise", share((f) => f.sends.other, sends)],
  ["HTTP calls to vendors", count((f) => f.calls)],
  ["calls per message that arrived", (f) => two(f.callsPerArrival)],
  ["sends per message that arrived", (f) => two(f.sendsPerArrival)],
  ["wasted sends", (f) => percent(f.sends.all - f.sends.arrived, f.sends.all)],
];

const cells = ({ naive, edgepush }: Results, rows: readonly Row[]): string[][] => rows.map(([what, read]) => [what, read(naive), read(edgepush)]);

const keptRows = ({ edgepush: { kept } }: Results): string[][] => Object.entries(kept).toSorted(([, a], [, b]) => b - a).map(([reason, n]) => [reason, whole(n)]);

const quotaRows = ({ limits, naive, edgepush }: Results): string[][] =>
  LIMITED.map((vendor) => {
    const of = (funnel: Funnel): string[] => [whole(funnel.vendors[vendor]?.all ?? 0), whole(funnel.vendors[vendor]?.quota ?? 0)];
    return [vendor, whole(limits[vendor]), ...of(naive), ...of(edgepush)];
  });

const phoneRows = ({ naive, edgepush }: Results): string[][] => {
  const limits = phoneLimits();
  const over = ({ vendors }: Funnel, vendor: string): string => whole(vendors[vendor]?.capped ?? 0);
  return PHONE_LIMITED.map((vendor) => [vendor, whole(limits[vendor] ?? 0), over(naive, vendor), over(edgepush, vendor)]);
};
const PHONE_HEAD = ["limit", "naive: over it", "edgepush: over it"];

export function notes(results: Results): string[] {
  const { seed, users, phones, messages, naive, edgepush, own } = results;
  const scale = users < FULL ? `, its floor times ${users} / ${FULL}` : "";
  return [
    `seed ${seed}: ${whole(users)} users with ${whole(phones)} phones on file, ${messages} messages a user; ${Math.round(naive.seconds)} s and ${Math.round(edgepush.seconds)} s`,
    "naive: for every message APNs, then FCM or the maker, a call each, to the last token of a table that nobody cleans up; no labels, no quota, no permission",
    `totals of the day: the vendors' rule for these phones${scale}; each sender has accounts of its own`,
    "a phone's day: what is over the vendor's number is refused (Meizu), or taken and dropped; naive names no channel, of which Xiaomi lets a phone have one",
    `the gateway's own funnel: ${own.balanced ? "balanced" : "NOT BALANCED"}, ${whole(own.accepted)} sends accepted (the lab: ${whole(edgepush.sends.accepted)}), ${whole(own.received)} reported as received by the vendors that report`,
  ];
}

export function print(results: Results): void {
  if (terminal) process.stderr.write("\r\x1b[2K");
  const head = ["", "naive", "edgepush"];
  const lines = [
    "The simulated day: what the lab saw, and what the phones showed",
    ...table(["how far messages came", "naive", "edgepush"], cells(results, STEPS)),
    "",
    ...table(["where each message ended", ...head.slice(1)], cells(results, ENDS)),
    "",
    ...table(["what it took", ...head.slice(1)], cells(results, SENDS)),
    "",
    ...table(["day's total at", "limit", "naive: sends", "blocked", "edgepush: sends", "blocked"], quotaRows(results)),
    "",
    ...table(["a phone's day at", ...PHONE_HEAD], phoneRows(results)),
    "",
    ...table(["kept back by edgepush", "messages"], keptRows(results)),
    "",
    ...notes(results).map((note) => `  ${note}`),
    "",
    `Picture: ${relative(ROOT, results.out)}`,
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}

const escape = (text: string): string => text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c] as string);

/** Pairs of bars, the longer the more messages. */
function picture({ naive, edgepush }: Results): string {
  const steps: [string, (funnel: Funnel) => number][] = [
    ["messages", (f) => f.messages],
    ["taken by the gateway", (f) => f.taken],
    ["sent to a phone", (f) => f.sent],
    ["accepted by a vendor", (f) => f.accepted],
    ["arrived", (f) => f.arrived],
    ["blocked by quota", (f) => f.ends.quota],
    ["over the phone's limit", (f) => f.ends.capped],
  ];
  const [left, width, bar, row] = [170, 480, 16, 52];
  const parts = steps.map(([what, read], at) => {
    const y = at * row + 8;
    const one = (name: string, funnel: Funnel, top: number): string => {
      const long = Math.max(1, (width * read(funnel)) / Math.max(1, naive.messages));
      const label = `${whole(read(funnel))} · ${percent(read(funnel), funnel.messages)}`;
      return `<rect class="${name}" x="${left}" y="${top}" width="${long.toFixed(1)}" height="${bar}" rx="2"><title>${name}, ${what}: ${label}</title></rect><text class="n" x="${(left + long + 6).toFixed(1)}" y="${top + 12}">${label}</text>`;
    };
    return `<text x="${left - 10}" y="${y + 22}" text-anchor="end">${what}</text>${one("naive", naive, y)}${one("edgepush", edgepush, y + bar + 2)}`;
  });
  const height = steps.length * row + 8;
  return `<svg viewBox="0 0 ${left + width + 130} ${height}" role="img" aria-label="Both funnels, step by step">${parts.join("\n")}</svg>`;
}

function htmlTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (tag: string, all: readonly string[]): string => `<tr>${all.map((cell) => `<${tag}>${escape(cell)}</${tag}>`).join("")}</tr>`;
  return `<table><thead>${line("th", head)}</thead><tbody>${rows.map((row) => line("td", row)).join("\n")}</tbody></table>`;
}

const STYLE = `
:root { color-scheme: light dark; --text: #1f2328; --soft: #59636e; --line: #d1d9e0; --back: #fff; --naive: #b35900; --edgepush: #0969da; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --soft: #9198a1; --line: #3d444d; --back: #0d1117; --naive: #e0913f; --edgepush: #58a6ff; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back); max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
svg { width: 100%; height: auto; } svg text { font: 13px system-ui, sans-serif; fill: var(--text); } svg .n { fill: var(--soft); }
.naive { fill: var(--naive); } .edgepush { fill: var(--edgepush); }
.key span::before { content: "■ "; } .key .a { color: var(--naive); } .key .b { color: var(--edgepush); margin-left: 1rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .75rem; margin: 1rem 0; padding: 0; list-style: none; }
.tiles li { border: 1px solid var(--line); border-radius: 6px; padding: .6rem .8rem; } .tiles b { display: block; font-size: 1.2rem; font-variant-numeric: tabular-nums; }
.tiles .a { color: var(--naive); } .tiles .b { color: var(--edgepush); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; } th, td { text-align: right; padding: .25rem .5rem; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; } .wide { overflow-x: auto; } .notes { color: var(--soft); font-size: .9rem; }`;

export function page(results: Results): string {
  const { naive, edgepush } = results;
  const tile = (what: string, read: (funnel: Funnel) => string): string =>
    `<li>${what}<b><span class="a">${read(naive)}</span> → <span class="b">${read(edgepush)}</span></b></li>`;
  const tables: [string, string[], string[][]][] = [
    ["Where each message ended", ["", "naive", "edgepush"], cells(results, ENDS)],
    ["What it took", ["", "naive", "edgepush"], cells(results, SENDS)],
    ["Totals of the day", ["vendor", "limit", "naive: sends", "blocked", "edgepush: sends", "blocked"], quotaRows(results)],
    ["A phone's day", ["vendor", ...PHONE_HEAD], phoneRows(results)],
    ["Kept back by edgepush", ["reason", "messages"], keptRows(results)],
  ];
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>edgepush: the simulated day</title>
<style>${STYLE}</style>
<h1>The simulated day</h1>
<p class="key"><span class="a">naive</span><span class="b">edgepush</span></p>
${picture(results)}
<ul class="tiles">
${tile("blocked by quota (sends)", (f) => whole(f.sends.quota))}
${tile("over the phone's daily limit (sends)", (f) => whole(f.sends.capped))}
${tile("arrival", (f) => percent(f.arrived, f.messages))}
${tile("calls per arrival", (f) => two(f.callsPerArrival))}
${tile("wasted sends", (f) => percent(f.sends.all - f.sends.arrived, f.sends.all))}
</ul>
${tables.map(([title, head, rows]) => `<h2>${title}</h2><div class="wide">${htmlTable(head, rows)}</div>`).join("\n")}
<h2>How to read it</h2>
<ul class="notes">${notes(results).map((note) => `<li>${escape(note)}</li>`).join("")}</ul>
</html>
`;
}
