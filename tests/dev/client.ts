// Small typed clients for the gateway and for the lab's own controls, for everything under tests/ that
// talks to a running worker. The types name what these tools use, not the whole contract; that one is
// docs/openapi.yaml.

export interface Delivery {
  user: string;
  device: string;
  vendor: string;
  state: string;
  reason?: string;
  vendor_id?: string;
  detail?: string;
  /** How far it is known to have come since. */
  seen?: string;
}

export interface PushReply {
  id: string;
  status: string;
  counts: Record<string, number>;
  deliveries: Delivery[];
}

export interface ApiKey {
  id: string;
  key: string;
  scopes: string[];
}

export interface ApnsAccount {
  team_id: string;
  key_id: string;
  private_key: string;
  topic: string;
}

export interface WebpushAccount {
  subject: string;
  public_key: string;
  private_key: string;
}

/** What `PushSubscription.toJSON()` gives. */
export interface Subscription {
  endpoint: string;
  expirationTime: number | null;
  keys: Record<string, string>;
}

/** A service account as Google hands it out. */
export type FcmAccount = Record<string, string>;

export interface DeviceBody {
  platform: string;
  vendor: string;
  token: string;
  environment?: "sandbox" | "production";
  topic?: string;
  permission?: "granted" | "denied" | "provisional";
}

/** An answer that was not the expected one; `message` says what was asked and what came back. */
export class HttpProblem extends Error {
  readonly status: number;
  constructor(what: string, status: number, body: string) {
    super(`${what} answered ${status}: ${body.slice(0, 600)}`);
    this.status = status;
  }
}

/** One JSON call: throws unless the answer is a 2xx. */
export async function call<T>(
  method: string,
  url: string,
  options: { key?: string; body?: unknown; headers?: Record<string, string> } = {},
): Promise<T> {
  const headers: Record<string, string> = { ...options.headers };
  if (options.key !== undefined) headers["authorization"] = `Bearer ${options.key}`;
  const init: RequestInit = { method, headers, signal: AbortSignal.timeout(30_000) };
  if (options.body !== undefined) {
    headers["content-type"] = "application/json";
    init.body = JSON.stringify(options.body);
  }
  const response = await fetch(url, init);
  const text = await response.text();
  if (!response.ok) throw new HttpProblem(`${method} ${new URL(url).pathname}`, response.status, text);
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

/** The gateway, seen with one key: the admin's or an app's. */
export class Gateway {
  readonly base: string;
  readonly key: string;

  constructor(base: string, key: string) {
    this.base = base;
    this.key = key;
  }

  with(key: string): Gateway {
    return new Gateway(this.base, key);
  }

  call<T>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<T> {
    return call<T>(method, this.base + path, { key: this.key, body, headers: headers ?? {} });
  }

  putApp(app: string, credentials: Record<string, unknown>, policy: Record<string, unknown> = {}): Promise<unknown> {
    return this.call("PUT", `/v1/apps/${enc(app)}`, { credentials, policy });
  }

  makeKey(app: string, scopes: string[], name: string): Promise<ApiKey> {
    return this.call("POST", `/v1/apps/${enc(app)}/keys`, { scopes, name });
  }

  putDevice(user: string, device: string, body: DeviceBody): Promise<unknown> {
    return this.call("PUT", `/v1/users/${enc(user)}/devices/${enc(device)}`, body);
  }

  push(body: Record<string, unknown>, idempotencyKey?: string): Promise<PushReply> {
    return this.call("POST", "/v1/push", body, idempotencyKey ? { "idempotency-key": idempotencyKey } : {});
  }
}

/** The lab's own controls, beside the vendors it plays. */
export class Lab {
  readonly base: string;

  constructor(base: string) {
    this.base = base;
  }

  makeApns(): Promise<ApnsAccount> {
    return call("POST", `${this.base}/_lab/accounts/apns:make`, { body: {} });
  }

  makeFcm(): Promise<FcmAccount> {
    return call("POST", `${this.base}/_lab/accounts/fcm:make`, { body: {} });
  }

  makeWebpush(): Promise<WebpushAccount> {
    return call("POST", `${this.base}/_lab/accounts/webpush:make`, { body: {} });
  }

  /** A browser that the lab plays. */
  subscribe(options: { public_key?: string } = {}): Promise<Subscription> {
    return call("POST", `${this.base}/_lab/subscriptions`, { body: options });
  }

  settings(patch: Record<string, unknown>): Promise<Record<string, unknown>> {
    return call("PATCH", `${this.base}/_lab/settings`, { body: patch });
  }
}

function enc(part: string): string {
  return encodeURIComponent(part);
}
