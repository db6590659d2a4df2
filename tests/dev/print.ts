// How `make dev` talks: progress on one line, a table, the next command to copy.

import { HttpProblem, type PushReply } from "./client.ts";

const terminal = process.stdout.isTTY === true && process.env["NO_COLOR"] === undefined;

export function say(line = ""): void {
  process.stdout.write(`${line}\n`);
}

export function bold(text: string): string {
  return terminal ? `\x1b[1m${text}\x1b[0m` : text;
}

export function dim(text: string): string {
  return terminal ? `\x1b[2m${text}\x1b[0m` : text;
}

/** One step with visible progress: a moving second count on a terminal, a line per 5 s elsewhere. */
export class Progress {
  #shown = 0;

  readonly wait = (what: string, seconds: number): void => {
    if (terminal) process.stdout.write(`\r  ${what} ... ${seconds.toFixed(1)} s`);
    else if (seconds >= this.#shown + 5) {
      this.#shown = seconds;
      say(`  ${what} ... ${seconds.toFixed(0)} s`);
    }
  };

  readonly ready = (what: string, seconds: number): void => {
    this.#shown = 0;
    say(`${terminal ? "\r" : ""}  ${what} ... ready after ${seconds.toFixed(1)} s`);
  };
}

/** Columns as wide as their widest cell; the last one is left ragged. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? "").length)));
  const line = (cells: readonly string[]): string =>
    `  ${cells.map((cell, i) => (i === cells.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join("  ")}`;
  return [bold(line(head)), ...rows.map(line)];
}

export function pushTable(push: PushReply): string[] {
  const rows = push.deliveries.map((delivery) => [
    `${delivery.user}/${delivery.device}`,
    delivery.vendor,
    delivery.state,
    [delivery.reason, delivery.detail].filter(Boolean).join(": ") || "-",
    delivery.vendor_id ?? "-",
  ]);
  return table(["device", "vendor", "state", "reason", "vendor id"], rows);
}

/** A command to paste into any POSIX shell. */
export function curl(worker: string, key: string, user: string): string[] {
  const body = {
    to: { users: [user] },
    category: "order",
    notification: { title: "Hello", body: "The next push" },
  };
  return [
    `curl -sS ${worker}/v1/push \\`,
    `  -H 'Authorization: Bearer ${key}' \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  -d '${JSON.stringify(body)}'`,
  ];
}

/** The reason of a failure, without a stack where it is one of ours. */
export function reason(error: unknown): string {
  if (error instanceof HttpProblem) return error.message;
  return error instanceof Error ? error.message : String(error);
}
