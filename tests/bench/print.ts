// How the benchmark talks: tables on standard output, progress on standard error.

import { table } from "../dev/print.ts";
import { type CostResult, type Counts, PRICES, type Price } from "./cost.ts";
import type { CpuResult, Spread } from "./cpu.ts";
import type { ImportResult } from "./import.ts";
import type { LargeResult } from "./large.ts";
import type { LeaseResult } from "./leases.ts";
import type { SignResult } from "./sign.ts";
import type { Size, StartResult } from "./start.ts";

const terminal = process.stderr.isTTY === true;
let shown = false;

export function progress(what: string): void {
  process.stderr.write(terminal ? `\r\x1b[2K  ${what}` : `  ${what}\n`);
  shown = terminal;
}

function section(title: string, lines: readonly string[], notes: readonly string[] = []): void {
  if (shown) process.stderr.write("\r\x1b[2K");
  shown = false;
  process.stdout.write([title, ...lines, ...notes.map((note) => `  ${note}`), "", ""].join("\n"));
}

const whole = (value: number): string => value.toFixed(0);
const two = (value: number): string => value.toFixed(2);
const between = ({ median, min, max }: Spread, digits: number): string =>
  `${median.toFixed(digits)} (${min.toFixed(digits)}..${max.toFixed(digits)})`;

export function cpu(title: string, results: readonly CpuResult[]): void {
  const rows = results.map(({ title, callers, sides, ratio, toFetchOnly, driver, mock }) => [
    title,
    whole(callers),
    between(sides.ours.cpu, 0),
    between(sides.bare.cpu, 0),
    between(sides["fetch-only"].cpu, 0),
    between(ratio, 2),
    two(toFetchOnly.median),
    whole(driver),
    whole(mock),
  ]);
  const head = ["µs per delivery", "callers", "ours", "bare", "fetch-only", "ours / bare", "ours / fetch-only", "driver", "mock"];
  section(title, table(head, rows), ["median (least..most) of the rounds. To hold: ours / bare ≤ 1.15"]);
}

export function speed(results: readonly CpuResult[]): void {
  const rows = results.map(({ title, callers, sides }) => [
    title,
    whole(callers),
    ...(["ours", "bare", "fetch-only"] as const).flatMap((kind) => {
      const { rate, p50, p99 } = sides[kind];
      return [whole(rate), `${two(p50)} / ${two(p99)}`];
    }),
  ]);
  const head = ["pushes to one device", "callers", "ours, per s", "p50 / p99 ms", "bare, per s", "p50 / p99 ms", "fetch-only, per s", "p50 / p99 ms"];
  section("Speed, from the same runs", table(head, rows));
}

export function large(results: readonly LargeResult[]): void {
  const rows = results.map(({ users, seconds, rows, kv_reads, object_calls, fetches, wasmMb, rssMb, price }) => [
    whole(users),
    seconds.toFixed(1),
    whole(users / seconds),
    (rows / users).toFixed(4),
    (object_calls / users).toFixed(4),
    (kv_reads / users).toFixed(2),
    (fetches / users).toFixed(2),
    wasmMb.toFixed(1),
    rssMb.map(whole).join(" → "),
    `$${two(price)}`,
  ]);
  const head = ["one push to an audience of", "seconds", "deliveries/s", "rows", "object calls", "KV keys", "fetches", "wasm, MB", "RSS of workerd, MB", "per million"];
  section("Large pushes, per delivery", table(head, rows), [
    "every delivery is accounted for: accepted, and the funnel balanced. To hold: rows ≤ 0.05, ≤ $0.80 per million",
    "rows: of the upload's own rows nothing is counted; requests, queue operations and CPU are in the price",
  ]);
}

export function leases(results: readonly LeaseResult[]): void {
  const rows = results.map(({ callers, pushes, before, after }) => [whole(callers), ...[before, after].flatMap((calls) => [whole((calls * 1000) / pushes), two((calls * PRICES.object_request) / pushes)])]);
  const head = ["callers", "each push asks", "$ per million", "with leases", "$ per million"];
  section("Object calls of 1,000 pushes to one device, limited class", table(head, rows), ["two of each push are its ledger's; the call that brings the last lease back is in"]);
}

export function imported(results: readonly ImportResult[]): void {
  const rows = results.map(({ what, lines, seconds, rows, rssMb }) => [
    what,
    whole(lines),
    seconds.toFixed(1),
    whole(lines / seconds),
    (rows / lines).toFixed(2),
    rssMb.map(whole).join(" → "),
  ]);
  const head = ["devices", "lines", "seconds", "lines/s", "rows per line", "RSS of workerd, MB"];
  section("Import", table(head, rows), [
    "new: each line is a user and a device of its own, so three objects and one write to KV; here all objects are files of one process",
    "rows: before the objects' alarms, which report to the counts (a row) and are one themselves",
  ]);
}

export function cost(results: readonly CostResult[], cpuMs: number): void {
  const rows = results.flatMap(({ vendor, category, limited, quick, slow, price }) => {
    const name = [vendor, category, limited ? "yes" : "no"];
    const dense = [...name, "quick", ...counts(quick), ...money(price.quick)];
    return limited ? [dense, [...name, "slow", ...counts(slow), ...money(price.slow)]] : [dense];
  });
  const head = ["vendor", "category", "limited", "traffic", "rows", "objects", "KV", "fetches", "$ total", "rows", "objects", "KV", "request", "CPU", "object time"];
  section("Cost of a push to one device, and list price per million", table(head, rows), [
    "quick: one after the other, the alarms that follow included. slow: more than 1 s apart, no mark runs ahead. Leases hold for pushes up to 10 s apart",
    `prices per million: request $${PRICES.request}, KV read $${PRICES.kv_read}, object request $${PRICES.object_request}, row $${two(PRICES.row_written)}; CPU: ${two(cpuMs)} ms a push`,
    "To hold: rows ≤ 3 (≤ 2 without a limited class), objects ≤ 3 (≤ 2), KV 1, total ≤ $3.20",
  ]);
}

const counts = (counts: Counts): string[] => [two(counts.rows_written), two(counts.object_calls), two(counts.kv_reads), two(counts.fetches)];

const money = (price: Price): string[] => [price.total, price.rows, price.objects, price.kv, price.request, price.cpu, price.object_time].map(two);

export function sign(results: readonly SignResult[]): void {
  const rows = results.map(({ bits, ours, waits, webcrypto, signature }) => [whole(bits), ours.toFixed(1), between(waits, 1), webcrypto.toFixed(1), signature.toFixed(1)]);
  const head = ["bits of the key", "our token", "its caller waits", "WebCrypto: key and signature", "a signature alone"];
  section("A JWT of HarmonyOS NEXT (PS256), ms of workerd's CPU", table(head, rows), [
    "our token: the key opened and read, and one signature; made once in 50 minutes of traffic and account, by the Account object for all isolates",
  ]);
}

export function start(result: StartResult, sizes: readonly Size[]): void {
  const rows = [
    ["new process to first answer, ms", between(result.ours, 0), between(result.bare, 0)],
    ["first answer, ms", between(result.oursFirst, 1), between(result.bareFirst, 1)],
    ["CPU of workerd until then, ms", between(result.oursCpu, 0), between(result.bareCpu, 0)],
  ];
  const files = sizes.map(({ file, bytes, gzip }) => `${file}: ${kb(bytes)} KB, gzip ${kb(gzip)} KB`);
  section("Start and size", table(["", "ours", "bare"], rows), [
    `ours later than bare by ${between(result.more, 0)} ms. To hold: 50 ms`,
    `${files.join("; ")}. To hold: wasm, gzip, 700 KB`,
  ]);
}

const kb = (bytes: number): string => (bytes / 1000).toFixed(1);
