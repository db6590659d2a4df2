// The shape every vendor module has. A module exports one function that takes the World and returns a Vendor:
//
//   export function example(world: World): Vendor { ... }
//
// and is listed in index.ts. It sees whole requests and returns whole answers; reading, writing, faults, log and
// statistics are done around it. One module may serve several hosts (a vendor's token host beside its push host).

import type { IncomingHttpHeaders } from "node:http";
import type { Consoles } from "../consoles.ts";
import type { Settings } from "../settings.ts";
import type { Tokens } from "../tokens.ts";
import type { Callback } from "./makers.ts";

export interface Vendor {
  /** The name used in faults, log, statistics and control paths. */
  readonly name: string;
  /** The vendor's real hosts. */
  readonly hosts: readonly string[];
  /** Further hosts of it, which have too many names for a list. */
  alsoAt?(host: string): boolean;
  /** Which requests to a host are this vendor's, where it shares the host with one listed later. */
  takes?(host: string, path: string): boolean;
  /** The states PUT /_lab/tokens accepts; the first is the default. Empty: this vendor knows no phones. */
  readonly tokenStates: readonly string[];
  /** The one spelling of a token whose spellings are equal. */
  canonicalToken?(token: string): string;
  /** Whose request it is and for which phones, as far as it says so; only used to match faults, nothing is verified. */
  identify(request: LabRequest): Identity;
  /** What the vendor answers. */
  answer(request: LabRequest): Answer | Promise<Answer>;
  /** The vendor's literal answer for one of its own error codes, for faults that name it. */
  refusal(reason: string): Answer | undefined;
  /** Registers an account whose private key somebody else holds. */
  register?(account: unknown): Promise<void>;
  /** Makes a key pair, registers the public half and returns what an operator would hold. */
  make?(options: unknown): Promise<object>;
  /** Makes a phone (a browser) of which the lab holds the keys, and returns what the phone would tell. */
  subscribe?(options: unknown): object;
  /** What the vendor has to report by now, of messages with an address to report to. */
  callbacks?(): readonly Callback[];
  /** Forgets what requests have left behind; accounts only if told so. */
  reset(accounts: boolean): void;
}

export function canonicalToken(vendor: Vendor, token: string): string {
  return vendor.canonicalToken?.(token) ?? token;
}

export interface World {
  readonly settings: Settings;
  readonly tokens: Tokens;
  readonly consoles: Consoles;
  /** The vendors' clock in milliseconds. */
  now(): number;
  /** The way out to real services, for what a setting lets through. */
  readonly fetch: typeof fetch;
  /** Notes a credential, so that the statistics can say how many different ones a vendor has seen. */
  credentialSeen(vendor: string, credential: string): void;
}

export interface Identity {
  readonly account?: string | undefined;
  readonly tokens: readonly string[];
}

export interface Answer {
  /** 0: no answer, the connection is dropped. */
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The vendor's own code, for log and statistics. */
  readonly reason?: string;
  /** Phones that have had as many of this class as they may today, for log and witnesses: they get nothing, whatever the answer says. */
  readonly capped?: readonly string[];
}

export class LabRequest {
  readonly host: string;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly httpVersion: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  /** Bytes of the body. */
  readonly size: number;
  /** What an encrypted body says, once the vendor has read it. */
  plain: string | undefined;
  #body: Buffer | undefined;
  #text: string | undefined;
  #json: { value: unknown } | undefined;

  constructor(host: string, target: string, source: RequestHead, body: Buffer) {
    const mark = target.indexOf("?");
    this.host = host;
    this.path = mark === -1 ? target : target.slice(0, mark);
    this.query = mark === -1 ? "" : target.slice(mark + 1);
    this.method = source.method ?? "";
    this.httpVersion = source.httpVersion;
    this.headers = source.headers;
    this.rawHeaders = source.rawHeaders;
    this.size = body.length;
    this.#body = body;
  }

  header(name: string): string | undefined {
    const value = this.headers[name];
    return typeof value === "string" ? value : value?.join(", ");
  }

  get text(): string {
    return (this.#text ??= this.#body?.toString() ?? "");
  }

  /** The body as it came: of a kept request only where it is encrypted. */
  get bytes(): Buffer {
    return this.#body ?? Buffer.alloc(0);
  }

  /** Lets go of the socket's read buffer, of which the body is a small slice: a kept request would keep all of it. */
  detach(): void {
    const encrypted = this.header("content-encoding") !== undefined;
    if (!encrypted) void this.text;
    this.#body = encrypted ? Buffer.from(this.bytes) : undefined;
  }

  /** The parsed body; undefined where it is not JSON. */
  get json(): unknown {
    if (this.#json === undefined) {
      let value: unknown;
      try {
        value = JSON.parse(this.text);
      } catch {
        value = undefined;
      }
      this.#json = { value };
    }
    return this.#json.value;
  }
}

/** What node:http and node:http2 requests have in common. */
export interface RequestHead {
  readonly method?: string | undefined;
  readonly httpVersion: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
}
