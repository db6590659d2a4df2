// The Workers that are measured. Each runs in a workerd of its own, started by Miniflare, so that its CPU time can be
// read apart from everything else's.

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { Log, LogLevel, Miniflare, type MiniflareOptions } from "miniflare";
import { childrenOf } from "./proc.ts";

export const ROOT = resolve(import.meta.dirname, "../..");
export const BUILT = "build/index.js";
export const ADMIN_KEY = "an-admin-key-of-the-bench";
const SEAL_KEY = Buffer.alloc(32, 7).toString("base64");
/** That of wrangler.toml. */
const COMPATIBILITY_DATE = "2026-07-30";

export type Kind = "ours" | "bare" | "fetch-only";
type Script = Kind | "sign";

export interface Variant {
  kind: Script;
  mf: Miniflare;
  /** A socket of the Worker itself: Miniflare's own entry Worker, a second one in the same process, is passed by. */
  port: number;
  /** The workerd process. */
  pid: number;
}

const object = (className: string): object => ({ className, useSQLite: true });

const SCRIPTS: Record<Script, MiniflareOptions> = {
  ours: {
    scriptPath: BUILT,
    modulesRules: [{ type: "CompiledWasm", include: ["**/*.wasm"], fallthrough: true }],
    kvNamespaces: ["DEVICES", "APPS"],
    durableObjects: { APP: object("App"), USER: object("User"), ACCOUNT: object("Account"), LEDGER: object("Ledger"), LETTERS: object("Letters"), AUDIENCE: object("Audience"), CLAIM: object("Claim"), CENSUS: object("Census"), IMPORT: object("Import") },
    queueProducers: { DISPATCH: "edgepush-dispatch", DEAD: "edgepush-dead" },
    queueConsumers: { "edgepush-dispatch": { maxBatchSize: 3, maxBatchTimeout: 0 }, "edgepush-dead": { maxBatchTimeout: 0 } },
  } as MiniflareOptions,
  bare: {
    scriptPath: "tests/bench/baseline/bare.js",
    kvNamespaces: ["DEVICES"],
    durableObjects: { ACCOUNT: object("Account"), LEDGER: object("Ledger") },
  } as MiniflareOptions,
  "fetch-only": { scriptPath: "tests/bench/baseline/fetch-only.js" } as MiniflareOptions,
  sign: { scriptPath: "tests/bench/baseline/sign.js" } as MiniflareOptions,
};

export function assertBuilt(): void {
  if (!existsSync(join(ROOT, BUILT))) throw new Error(`${BUILT} is not there; run: make build`);
}

/** The instances that run: all of them end with `disposeAll`, whatever else happens. */
const running = new Set<Miniflare>();

type OnLine = (line: string) => void;
const toStderr: OnLine = (line) => void process.stderr.write(`${line}\n`);

/** `onLine` gets what the Worker logs, `onError` its warnings and errors. */
export function makeMiniflare(kind: Script, bindings: Record<string, string>, onLine?: OnLine, onError = toStderr): Miniflare {
  const mf = new Miniflare({
    ...SCRIPTS[kind],
    rootPath: ROOT,
    modules: true,
    compatibilityDate: COMPATIBILITY_DATE,
    bindings: kind === "ours" ? { ADMIN_KEY, SEAL_KEY, ...bindings } : bindings,
    // No request for the properties that the network would add.
    cf: false,
    host: "127.0.0.1",
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
    log: new Log(LogLevel.ERROR),
    // What the Worker logs is not part of the tables.
    handleRuntimeStdio: (stdout: NodeJS.ReadableStream, stderr: NodeJS.ReadableStream) => {
      createInterface({ input: stdout }).on("line", (line) => onLine?.(line));
      createInterface({ input: stderr }).on("line", onError);
    },
  } as MiniflareOptions);
  running.add(mf);
  return mf;
}

export async function startVariant(kind: Script, bindings: Record<string, string>, onLine?: OnLine, onError?: OnLine): Promise<Variant> {
  const before = new Set(childrenOf(process.pid, "workerd"));
  const mf = makeMiniflare(kind, bindings, onLine, onError);
  await mf.ready;
  const [pid, ...more] = childrenOf(process.pid, "workerd").filter((child) => !before.has(child));
  if (pid === undefined || more.length > 0) throw new Error("the workerd of an instance was not found");
  const { port } = await mf.unsafeGetDirectURL();
  return { kind, mf, port: Number(port), pid };
}

/** What the benchmark needs of a namespace; the whole type is that of a package we do not have. */
export interface Kv {
  get(key: string): Promise<string | null>;
  put(key: string, value: string): Promise<void>;
}

export async function kv(variant: Variant, binding: string): Promise<Kv> {
  return (await variant.mf.getKVNamespace(binding)) as unknown as Kv;
}

export async function dispose(mf: Miniflare): Promise<void> {
  running.delete(mf);
  await mf.dispose();
}

export async function disposeAll(): Promise<void> {
  await Promise.all([...running].map(dispose));
}
