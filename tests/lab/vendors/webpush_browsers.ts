// Browsers and the people who send to them: subscriptions whose messages can be read here, and pairs of VAPID keys.

import { createECDH, generateKeyPairSync, randomBytes, type ECDH } from "node:crypto";
import ece from "http_ece";
import { fields, InputError, optionalText } from "../input.ts";
import { SERVICES, type Service } from "./webpush_answers.ts";

/** What `PushSubscription.toJSON()` gives. */
export interface Subscription {
  endpoint: string;
  expirationTime: number | null;
  keys: { p256dh: string; auth: string };
}

/** What an operator holds. */
export interface WebpushCredentials {
  subject: string;
  public_key: string;
  private_key: string;
}

export interface SubscribeOptions {
  /** Whose browser. Default mozilla. */
  service?: Service;
  /** `applicationServerKey`. Without one the first key that sends is the one that it is bound to. */
  public_key?: string;
}

/** One browser, with the keys that only it has. */
export interface Browser {
  readonly service: Service;
  readonly endpoint: string;
  readonly keys: ECDH;
  readonly auth: string;
  applicationServerKey: string | undefined;
}

/** In every endpoint that a lab has made, so that another lab knows it as none of a real browser. */
const MARK = "edgepush-lab-";
const ENDPOINTS: Readonly<Record<Service, () => string>> = {
  google: () => `https://fcm.googleapis.com/fcm/send/${MARK}${randomBytes(8).toString("base64url")}:APA91b${randomBytes(100).toString("base64url")}`,
  mozilla: () => `https://updates.push.services.mozilla.com/wpush/v2/gAAAAAB${MARK}${randomBytes(120).toString("base64url")}`,
  apple: () => `https://web.push.apple.com/${MARK}${randomBytes(100).toString("base64url")}`,
  microsoft: () => `https://wns2-lab01p.notify.windows.com/w/?token=${MARK}${encodeURIComponent(randomBytes(100).toString("base64"))}`,
};

export function madeHere(endpoint: string): boolean {
  return endpoint.includes(MARK);
}

export class Browsers {
  readonly #all = new Map<string, Browser>();

  get(endpoint: string): Browser | undefined {
    return this.#all.get(endpoint);
  }

  subscribe(options: unknown): Subscription {
    const given = fields(options, "options", ["service", "public_key"]);
    const service = (optionalText(given, "service") ?? "mozilla") as Service;
    if (!SERVICES.includes(service)) throw new InputError(`"service" is one of ${SERVICES.join(", ")}`);
    const keys = createECDH("prime256v1");
    keys.generateKeys();
    const browser: Browser = {
      service,
      endpoint: ENDPOINTS[service](),
      keys,
      auth: randomBytes(16).toString("base64url"),
      applicationServerKey: optionalText(given, "public_key"),
    };
    this.#all.set(browser.endpoint, browser);
    const p256dh = keys.getPublicKey().toString("base64url");
    return { endpoint: browser.endpoint, expirationTime: null, keys: { p256dh, auth: browser.auth } };
  }

  clear(): void {
    this.#all.clear();
  }
}

/** What the browser would read; undefined: nothing. */
export function decrypt(browser: Browser, body: Buffer): string | undefined {
  try {
    return ece.decrypt(body, { version: "aes128gcm", privateKey: browser.keys, authSecret: browser.auth }).toString();
  } catch {
    return undefined;
  }
}

/** A pair as VAPID tools make it. */
export function makeKeys(options: unknown): WebpushCredentials {
  const given = fields(options, "options", ["subject"]);
  const { d, x, y } = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" });
  const bytes = (text: string | undefined): Buffer => Buffer.from(text ?? "", "base64url");
  const point = Buffer.concat([Buffer.of(4), bytes(x), bytes(y)]);
  return {
    subject: optionalText(given, "subject") ?? "mailto:push@example.com",
    public_key: point.toString("base64url"),
    private_key: d as string,
  };
}
