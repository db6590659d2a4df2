// The lab: vendors of push messages, played on this machine. README.md describes it.

import { createServer, type Server as HttpServer } from "node:http";
import { createSecureServer } from "node:http2";
import type { AddressInfo, Server, Socket } from "node:net";
import { generate } from "selfsigned";
import { Consoles, type Console } from "./consoles.ts";
import { createControl } from "./control.ts";
import { FaultBook, type Fault, type FaultSpec } from "./faults.ts";
import { fields, InputError } from "./input.ts";
import { Log, type LogEntry, type LogFilter } from "./log.ts";
import { Reporter, type Post, type ReportKind } from "./reporter.ts";
import { createHandler } from "./server.ts";
import { defaultSettings, patchSettings, type Settings } from "./settings.ts";
import { StatsBook, type Stats } from "./stats.ts";
import { Tokens, type TokenState } from "./tokens.ts";
import type { ApnsAccountOptions, ApnsCredentials } from "./vendors/apns_keys.ts";
import type { FcmAccountOptions, FcmCredentials } from "./vendors/google_accounts.ts";
import { allVendors } from "./vendors/index.ts";
import type { Callback, Texts } from "./vendors/makers.ts";
import { canonicalToken, type Answer, type LabRequest, type Vendor, type World } from "./vendors/vendor.ts";
import type { SubscribeOptions, Subscription, WebpushCredentials } from "./vendors/webpush_browsers.ts";

export interface LabOptions {
  /** HTTP/1.1 without TLS. Default 0: any free port. */
  port?: number;
  /** HTTP/2 (and 1.1) over TLS. Default 0: any free port. */
  h2Port?: number;
  settings?: Partial<Settings>;
  /** In place of the global one where `webpush_forward` passes a message on. */
  fetch?: typeof fetch;
  /** Sees every request that a vendor has answered, with the answer, after it has left. Not told of faults. */
  watch?: (vendor: Vendor, request: LabRequest, answer: Answer) => void;
}

/** What can be asked of a lab, directly or through /_lab/. */
export interface LabControls {
  vendors(): { name: string; hosts: readonly string[] }[];
  /** Registers the public half of an account's key. */
  register(vendor: string, account: unknown): Promise<void>;
  /** Makes a key pair, registers it and returns what an operator would hold. */
  make(vendor: string, options?: unknown): Promise<object>;
  /** Makes a browser and returns its subscription; its messages are read here. */
  subscribe(options?: SubscribeOptions): Subscription;
  /** What the vendor has to report by now, posted or not. */
  callbacks(vendor: string): readonly Pick<Callback, "url" | "param" | "targets" | "event">[];
  /** Sets in a vendor's console where it reports to. */
  console(vendor: string, console: Console): void;
  /** Posts what is due (or once more, or taps on it) in the vendor's form, and waits for the answers. */
  report(vendor: string, kind?: ReportKind): Promise<Post[]>;
  /** What was posted so far. */
  posts(vendor: string): readonly Post[];
  /** Says what the vendor knows about a phone. Tokens never mentioned are alive. */
  token(vendor: string, token: string, state: TokenState): void;
  fault(spec: FaultSpec): Fault;
  faults(): readonly Fault[];
  clearFaults(): void;
  log(filter?: LogFilter): LogEntry[];
  clearLog(): void;
  stats(): Stats;
  /** Changes what is given, returns all. */
  settings(patch?: object): Settings;
  /** Forgets tokens, faults, log, statistics, settings and what vendors remember; accounts only on demand. */
  reset(options?: { accounts?: boolean }): void;
}

export interface Lab extends LabControls {
  readonly url: string;
  readonly h2Url: string;
  /** The TLS certificate (PEM), made at start; clients trust it as their `ca`. */
  readonly cert: string;
  makeApns(options?: ApnsAccountOptions): Promise<ApnsCredentials>;
  makeFcm(options?: FcmAccountOptions): Promise<FcmCredentials>;
  makeWebpush(options?: { subject?: string }): Promise<WebpushCredentials>;
  /** Any vendor whose credentials are a handful of texts. */
  makeKeys(vendor: string, options?: object): Promise<Texts>;
  close(): Promise<void>;
}

export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const settings = defaultSettings();
  patchSettings(settings, options.settings ?? {});
  const stats = new StatsBook();
  const tokens = new Tokens();
  const world: World = {
    settings,
    tokens,
    consoles: new Consoles(),
    now: () => Date.now() + settings.clock_offset * 1000,
    fetch: options.fetch ?? fetch,
    credentialSeen: (vendor, credential) => stats.credentialSeen(vendor, credential),
  };
  const vendors = allVendors(world);
  const books = { log: new Log(settings.log_size), stats, faults: new FaultBook() };
  const reporter = new Reporter(settings, world.consoles, world.now);
  const controls = createControls(vendors, world, { ...books, reporter }, options);

  const tls = await selfSigned(vendors);
  const handler = createHandler(vendors, books, createControl(controls, tls.cert), (vendor, request, answer) => {
    reporter.answered(vendor);
    if (answer !== undefined) options.watch?.(vendor, request, answer);
  });
  const h1 = createServer(handler);
  const h2 = createSecureServer({ ...tls, allowHTTP1: true }, handler);
  keepConnections(h1);
  keepConnections(h2 as unknown as HttpServer);
  const closers = [h1, h2].map(trackSockets);
  const close = async (): Promise<void> => {
    await Promise.all(closers.map((closer) => closer()));
    await reporter.idle();
  };
  try {
    const port = await listen(h1, options.port ?? 0);
    const h2Port = await listen(h2, options.h2Port ?? 0);
    return {
      ...controls,
      url: `http://127.0.0.1:${port}`,
      h2Url: `https://127.0.0.1:${h2Port}`,
      cert: tls.cert,
      makeApns: (account) => controls.make("apns", account) as Promise<ApnsCredentials>,
      makeFcm: (account) => controls.make("fcm", account) as Promise<FcmCredentials>,
      makeWebpush: (account) => controls.make("webpush", account) as Promise<WebpushCredentials>,
      makeKeys: (vendor, account) => controls.make(vendor, account) as Promise<Texts>,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function createControls(
  vendors: readonly Vendor[],
  world: World,
  books: { log: Log; stats: StatsBook; faults: FaultBook; reporter: Reporter },
  options: LabOptions,
): LabControls {
  const { settings, tokens, consoles } = world;
  const { log, stats, faults, reporter } = books;
  const find = (name: string): Vendor => {
    const vendor = vendors.find((candidate) => candidate.name === name);
    if (vendor === undefined) throw new InputError(`no vendor "${name}"; there are ${vendors.map((v) => v.name).join(", ")}`);
    return vendor;
  };
  return {
    vendors: () => vendors.map(({ name, hosts }) => ({ name, hosts })),
    async register(name, account) {
      const vendor = find(name);
      if (vendor.register === undefined) throw new InputError(`${name} has no accounts of its own`);
      await vendor.register(account);
    },
    async make(name, account = {}) {
      const vendor = find(name);
      if (vendor.make === undefined) throw new InputError(`${name} has no accounts of its own`);
      return vendor.make(account);
    },
    callbacks: (name) => (find(name).callbacks?.() ?? []).map(({ url, param, targets, event }) => ({ url, param, targets, event })),
    console: (name, given) => consoles.set(find(name).name, given),
    report: async (name, kind) => reporter.report(find(name), kind),
    posts: (name) => reporter.posts(find(name).name),
    subscribe: (options = {}) => find("webpush").subscribe?.(options) as Subscription,
    token(name, token, state) {
      const vendor = find(name);
      const known = vendor.tokenStates;
      const given = { ...state, state: state.state ?? known[0] };
      if (!known.includes(given.state)) throw new InputError(`${name} knows the states ${known.join(", ") || "(none)"}`);
      checkToken(given);
      tokens.set(name, canonicalToken(vendor, token), given);
    },
    fault(spec) {
      return faults.add(spec, find);
    },
    faults: () => faults.list(),
    clearFaults: () => faults.clear(),
    log: (filter) => log.list(filter),
    clearLog: () => log.clear(),
    stats: () => stats.read(),
    settings(patch = {}) {
      patchSettings(settings, patch);
      log.resize(settings.log_size);
      return { ...settings };
    },
    reset(what = {}) {
      const accounts = fields(what, "reset", ["accounts"])["accounts"] === true;
      patchSettings(settings, { ...defaultSettings(), ...options.settings });
      log.clear();
      log.resize(settings.log_size);
      stats.reset();
      faults.clear();
      tokens.clear();
      if (accounts) consoles.clear();
      reporter.clear();
      for (const vendor of vendors) vendor.reset(accounts);
    },
  };
}

function checkToken({ timestamp, environment }: TokenState): void {
  if (timestamp !== undefined && !Number.isSafeInteger(timestamp)) throw new InputError('"timestamp" is in milliseconds');
  if (environment !== undefined && environment !== "production" && environment !== "sandbox") {
    throw new InputError('"environment" is production or sandbox');
  }
}

async function selfSigned(vendors: readonly Vendor[]): Promise<{ key: string; cert: string }> {
  const names = ["localhost", ...new Set(vendors.flatMap((vendor) => vendor.hosts))];
  const made = await generate([{ name: "commonName", value: "edgepush lab" }], {
    keyType: "ec",
    algorithm: "sha256",
    extensions: [
      {
        name: "subjectAltName",
        altNames: [...names.map((value) => ({ type: 2 as const, value })), { type: 7 as const, ip: "127.0.0.1" }],
      },
    ],
  });
  return { key: made.private, cert: made.cert };
}

/** Node closes idle connections after 5 s, and a client that is just writing then sees a reset no vendor would cause. */
function keepConnections(server: HttpServer): void {
  server.keepAliveTimeout = 10 * 60_000;
  server.requestTimeout = 0;
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

/** Closing must not wait for clients, least of all for those a fault has left hanging. */
function trackSockets(server: Server): () => Promise<void> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
}
