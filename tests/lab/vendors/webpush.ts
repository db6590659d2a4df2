// Web Push: the push services of Google, Mozilla, Apple and Microsoft, and the browsers behind them. A message is
// verified as each service does it, and then read as the browser would: one that cannot be is refused, which no
// service could do. What is for a real browser can be passed on (webpush_forward.ts).
//
// RFC 8030, 8188, 8291, 8292. The order of checks is nobody's promise: here subscription, VAPID, headers, size, state.

import { compactVerify, importJWK } from "jose";
import { jwtParts, vapid } from "../jwt.ts";
import type { Answer, Identity, LabRequest, Vendor, World } from "./vendor.ts";
import { accepted, refusal, refused, type Fault, type Service } from "./webpush_answers.ts";
import { Browsers, decrypt, madeHere, makeKeys, type Browser } from "./webpush_browsers.ts";
import { forward, isPlain } from "./webpush_forward.ts";

/** Those of the browsers that are made here. */
const HOSTS: ReadonlyMap<string, Service> = new Map([
  ["fcm.googleapis.com", "google"],
  ["updates.push.services.mozilla.com", "mozilla"],
  ["web.push.apple.com", "apple"],
  ["wns2-lab01p.notify.windows.com", "microsoft"],
]);
/** The services' further ones, which real browsers have. */
const FURTHER: readonly (readonly [RegExp, Service])[] = [
  [/^([a-z0-9-]+\.)+push\.services\.mozilla\.com$/, "mozilla"],
  [/^([a-z0-9-]+\.)+web\.push\.apple\.com$/, "apple"],
  [/^[a-z0-9-]+\.notify\.windows\.com$/, "microsoft"],
];
const DAY = 86_400;
const URGENCIES = ["very-low", "low", "normal", "high"];
const MAX_BODY = 4096;
const CACHED_TOKENS = 1000;

export function webpush(world: World): Vendor {
  const browsers = new Browsers();
  /** Signatures are checked once per token, not once per request. */
  const checked = new Map<string, boolean>();

  async function verified(jwt: string, key: string): Promise<boolean> {
    const known = checked.get(jwt);
    if (known !== undefined) return known;
    const good = await verify(jwt, key);
    if (checked.size >= CACHED_TOKENS) checked.clear();
    checked.set(jwt, good);
    return good;
  }

  async function refuseSender(request: LabRequest, browser: Browser): Promise<Fault | undefined> {
    const given = vapid(request.header("authorization"));
    if (given === undefined) return "no_auth";
    world.credentialSeen("webpush", given.t);
    if (!(await verified(given.t, given.k))) return "bad_jwt";
    const { aud, exp, sub } = jwtParts(given.t)?.claims ?? {};
    const now = world.now() / 1000;
    if (typeof exp !== "number" || exp <= now || exp > now + DAY) return "bad_jwt";
    if (!contact(sub, browser.service)) return "bad_jwt";
    if (aud !== new URL(browser.endpoint).origin) return "bad_audience";
    browser.applicationServerKey ??= given.k;
    return browser.applicationServerKey === given.k ? undefined : "other_key";
  }

  function refuseState(to: string): Fault | undefined {
    switch (world.tokens.get("webpush", to)?.state) {
      case "gone":
        return "gone";
      case "unknown":
        return "unknown";
      case "other_key":
        return "other_key";
    }
    return undefined;
  }

  /** A browser that is none of ours. Those that an earlier lab has made never leave, either. */
  async function answerStranger(request: LabRequest, service: Service, to: string): Promise<Answer> {
    if (!world.settings.webpush_forward || madeHere(to) || !isPlain(to)) return refused(service, "unknown");
    const fault = refuseState(to);
    return fault === undefined ? forward(to, request, world.fetch) : refused(service, fault);
  }

  return {
    name: "webpush",
    hosts: [...HOSTS.keys()],
    alsoAt: (host) => serviceAt(host) !== undefined,
    // FCM's own calls have the same host.
    takes: (host, path) => host !== "fcm.googleapis.com" || path.startsWith("/fcm/send/") || path.startsWith("/wp/"),
    tokenStates: ["alive", "gone", "unknown", "other_key"],
    identify,
    async answer(request) {
      const service = serviceAt(request.host) as Service;
      if (request.method !== "POST") return refused(service, "unknown");
      const to = endpoint(request);
      const browser = browsers.get(to);
      if (browser === undefined) return answerStranger(request, service, to);
      const fault =
        (await refuseSender(request, browser)) ?? refuseHeaders(request, service) ?? refuseBody(request) ?? refuseState(to);
      if (fault !== undefined) return refused(service, fault);
      request.plain = decrypt(browser, request.bytes);
      if (request.plain === undefined) return unreadable();
      return accepted(service, request.header("ttl") ?? "");
    },
    refusal,
    make: async (options) => makeKeys(options),
    subscribe: (options) => browsers.subscribe(options),
    reset(accounts) {
      checked.clear();
      if (accounts) browsers.clear();
    },
  };
}

function serviceAt(host: string): Service | undefined {
  return HOSTS.get(host) ?? FURTHER.find(([hosts]) => hosts.test(host))?.[1];
}

function endpoint(request: LabRequest): string {
  return `https://${request.host}${request.path}${request.query === "" ? "" : `?${request.query}`}`;
}

/** An account is a pair of keys: the public one names it. */
function identify(request: LabRequest): Identity {
  return { account: vapid(request.header("authorization"))?.k, tokens: [endpoint(request)] };
}

async function verify(jwt: string, key: string): Promise<boolean> {
  const point = Buffer.from(key, "base64url");
  if (point.length !== 65 || point[0] !== 4 || key.length !== 87) return false;
  const part = (from: number): string => point.subarray(from, from + 32).toString("base64url");
  try {
    const publicKey = await importJWK({ kty: "EC", crv: "P-256", x: part(1), y: part(33) }, "ES256");
    await compactVerify(jwt, publicKey, { algorithms: ["ES256"] });
    return true;
  } catch {
    return false;
  }
}

/** Mozilla and Apple want one; Apple also looks at its form. */
function contact(sub: unknown, service: Service): boolean {
  if (sub === undefined) return service === "google" || service === "microsoft";
  if (typeof sub !== "string" || !/^(mailto:|https:\/\/)/.test(sub)) return false;
  return service !== "apple" || !(/[\s<>]/.test(sub) || /[@./](localhost|invalid)(\/|$)/.test(sub));
}

function refuseHeaders(request: LabRequest, service: Service): Fault | undefined {
  if (!/^[0-9]{1,10}$/.test(request.header("ttl") ?? "")) return "ttl";
  const urgency = request.header("urgency");
  if (urgency !== undefined && !URGENCIES.includes(urgency)) return "urgency";
  const topic = request.header("topic");
  if (topic !== undefined && !goodTopic(topic, service)) return "topic";
  // Salt and key are in the body: Mozilla refuses those of the draft beside it.
  const draft = request.header("encryption") ?? request.header("crypto-key");
  return request.header("content-encoding") === "aes128gcm" && draft === undefined ? undefined : "encoding";
}

function goodTopic(topic: string, service: Service): boolean {
  if (!/^[A-Za-z0-9_-]{1,32}$/.test(topic)) return false;
  // Apple decodes it: a length that base64 cannot have is refused.
  return service !== "apple" || topic.length % 4 !== 1;
}

function refuseBody(request: LabRequest): Fault | undefined {
  return request.size > MAX_BODY ? "too_large" : undefined;
}

/** A service would take it, and the browser would drop it without a word. */
function unreadable(): Answer {
  const body = "lab: the browser cannot decrypt this body\n";
  return { status: 400, headers: { "content-type": "text/plain" }, body, reason: "lab_unreadable" };
}
