// Apple Push Notification service, provider API with token authentication.
//
// Pages: Apple "sending notification requests to APNs", "handling notification responses from APNs". Reasons and
// statuses are Apple's own. Apple does not say in which order it checks; the order here is path, method, provider
// token, device token's form, headers, payload, device token's state.

import { randomUUID } from "node:crypto";
import { bearer, jwtParts } from "../jwt.ts";
import { ApnsKeys, type ApnsKey, type Environment } from "./apns_keys.ts";
import type { Answer, Identity, LabRequest, Vendor, World } from "./vendor.ts";

const STATUS = {
  BadCollapseId: 400,
  BadDeviceToken: 400,
  BadExpirationDate: 400,
  BadMessageId: 400,
  BadPriority: 400,
  BadTopic: 400,
  DeviceTokenNotForTopic: 400,
  DuplicateHeaders: 400,
  IdleTimeout: 400,
  InvalidPushType: 400,
  MissingDeviceToken: 400,
  MissingTopic: 400,
  PayloadEmpty: 400,
  TopicDisallowed: 400,
  BadCertificate: 403,
  BadCertificateEnvironment: 403,
  ExpiredProviderToken: 403,
  Forbidden: 403,
  InvalidProviderToken: 403,
  MissingProviderToken: 403,
  UnrelatedKeyIdInToken: 403,
  BadEnvironmentKeyIdInToken: 403,
  BadPath: 404,
  MethodNotAllowed: 405,
  ExpiredToken: 410,
  Unregistered: 410,
  PayloadTooLarge: 413,
  TooManyProviderTokenUpdates: 429,
  TooManyRequests: 429,
  InternalServerError: 500,
  ServiceUnavailable: 503,
  Shutdown: 503,
} as const;

type Reason = keyof typeof STATUS;
type Refusal = Reason | { readonly reason: Reason; readonly timestamp: number };

/** Push type → what its topic adds to the bundle id. */
const TOPIC_SUFFIX: ReadonlyMap<string, string> = new Map([
  ["alert", ""],
  ["background", ""],
  ["mdm", ""],
  ["voip", ".voip"],
  ["complication", ".complication"],
  ["fileprovider", ".pushkit.fileprovider"],
  ["location", ".location-query"],
  ["liveactivity", ".push-type.liveactivity"],
  ["pushtotalk", ".voip-ptt"],
  ["widgets", ".push-type.widgets"],
  ["controls", ".push-type.controls"],
]);

const DEVICE_PATH = "/3/device/";
// Apple fixes no length; today's tokens have 32 bytes. The bounds are the vendor page's (section 6).
const DEVICE_TOKEN = /^(?:[0-9a-fA-F]{2}){16,200}$/;
const CANONICAL_UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const DROPPED: Answer = { status: 0, reason: "Http1Dropped" };

export function apns(world: World): Vendor {
  const keys = new ApnsKeys(world);

  async function refuse(request: LabRequest, environment: Environment): Promise<Refusal | undefined> {
    if (!request.path.startsWith(DEVICE_PATH)) return "BadPath";
    if (request.method !== "POST") return "MethodNotAllowed";
    if (hasDuplicates(request.rawHeaders)) return "DuplicateHeaders";
    const key = await keys.admit(request.header("authorization"), environment);
    if (typeof key === "string") return key;
    const token = request.path.slice(DEVICE_PATH.length);
    if (token === "") return "MissingDeviceToken";
    if (!DEVICE_TOKEN.test(token)) return "BadDeviceToken";
    return refuseHeaders(request, key) ?? refusePayload(request) ?? refuseToken(request, token, environment);
  }

  function refuseToken(request: LabRequest, token: string, environment: Environment): Refusal | undefined {
    const known = world.tokens.get("apns", token.toLowerCase());
    if (known === undefined) return undefined;
    if (known.state === "invalid") return "BadDeviceToken";
    if (known.environment !== undefined && known.environment !== environment) return "BadDeviceToken";
    if (known.topic !== undefined && known.topic !== request.header("apns-topic")) return "DeviceTokenNotForTopic";
    if (known.state === "alive") return undefined;
    const reason = known.state === "expired" ? "ExpiredToken" : "Unregistered";
    return { reason, timestamp: known.timestamp ?? world.now() };
  }

  return {
    name: "apns",
    hosts: ["api.push.apple.com", "api.sandbox.push.apple.com", "api.development.push.apple.com"],
    tokenStates: ["alive", "unregistered", "expired", "invalid"],
    canonicalToken: (token) => token.toLowerCase(),
    identify,
    async answer(request) {
      if (world.settings.apns_h2_only && request.httpVersion.startsWith("1")) return DROPPED;
      const environment = request.host === "api.push.apple.com" ? "production" : "sandbox";
      const refusal = await refuse(request, environment);
      const given = request.header("apns-id");
      const id = given !== undefined && CANONICAL_UUID.test(given) ? given : newId();
      if (refusal !== undefined) return refused(refusal, id);
      if (environment === "production") return { status: 200, headers: { "apns-id": id } };
      return { status: 200, headers: { "apns-id": id, "apns-unique-id": randomUUID() } };
    },
    refusal(reason) {
      if (!(reason in STATUS)) return undefined;
      const own = reason as Reason;
      return refused(STATUS[own] === 410 ? { reason: own, timestamp: world.now() } : own, newId());
    },
    register: (account) => keys.register(account),
    make: (options) => keys.make(options),
    reset: (accounts) => keys.reset(accounts),
  };
}

/** Ids Apple makes itself are in capitals (unverified). */
function newId(): string {
  return randomUUID().toUpperCase();
}

function refused(refusal: Refusal, id: string): Answer {
  const reason = typeof refusal === "string" ? refusal : refusal.reason;
  const body = typeof refusal === "string" ? { reason } : refusal;
  return {
    status: STATUS[reason],
    headers: { "apns-id": id, "content-type": "application/json" },
    body: JSON.stringify(body),
    reason,
  };
}

function identify(request: LabRequest): Identity {
  const team = jwtParts(bearer(request.header("authorization")) ?? "")?.claims["iss"];
  return {
    account: typeof team === "string" ? team : undefined,
    tokens: [request.path.slice(DEVICE_PATH.length).toLowerCase()],
  };
}

// node:http merges or drops repeated headers in `headers`; only the raw list still shows them.
function hasDuplicates(rawHeaders: readonly string[]): boolean {
  const seen: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]?.toLowerCase() ?? "";
    if (name !== "authorization" && !name.startsWith("apns-")) continue;
    if (seen.includes(name)) return true;
    seen.push(name);
  }
  return false;
}

function refuseHeaders(request: LabRequest, key: ApnsKey): Reason | undefined {
  const id = request.header("apns-id");
  if (id !== undefined && !CANONICAL_UUID.test(id)) return "BadMessageId";
  const type = request.header("apns-push-type");
  return (
    refuseTopic(request.header("apns-topic"), type, key) ??
    refusePriority(request.header("apns-priority"), type) ??
    refuseExpiration(request.header("apns-expiration")) ??
    refuseCollapseId(request.header("apns-collapse-id"))
  );
}

function refuseTopic(topic: string | undefined, type: string | undefined, key: ApnsKey): Reason | undefined {
  if (topic === undefined) return "MissingTopic";
  if (!/^[A-Za-z0-9.-]+$/.test(topic)) return "BadTopic";
  let suffix: string | undefined = key.topics.has(topic) ? "" : undefined;
  for (const ending of suffix === undefined ? TOPIC_SUFFIX.values() : []) {
    if (ending !== "" && topic.endsWith(ending) && key.topics.has(topic.slice(0, -ending.length))) suffix = ending;
  }
  if (suffix === undefined) return "TopicDisallowed";
  if (type === undefined) return undefined;
  // Apple says that type and topic must belong together, not which reason tells so (unverified).
  return TOPIC_SUFFIX.get(type) === suffix ? undefined : "InvalidPushType";
}

function refusePriority(priority: string | undefined, type: string | undefined): Reason | undefined {
  if (priority !== undefined && priority !== "10" && priority !== "5" && priority !== "1") return "BadPriority";
  // No header means 10, and a background push must have 5: "using 10 is an error".
  if (type === "background" && priority !== "5") return "BadPriority";
  if (type === "liveactivity" && priority === "1") return "BadPriority";
  return undefined;
}

function refuseExpiration(expiration: string | undefined): Reason | undefined {
  return expiration === undefined || /^[0-9]{1,12}$/.test(expiration) ? undefined : "BadExpirationDate";
}

function refuseCollapseId(id: string | undefined): Reason | undefined {
  // Header values arrive one character per byte.
  return id === undefined || id.length <= 64 ? undefined : "BadCollapseId";
}

function refusePayload(request: LabRequest): Reason | undefined {
  const type = request.header("apns-push-type");
  if (request.size > (type === "voip" ? 5120 : 4096)) return "PayloadTooLarge";
  // Apple has no reason for a body that is not JSON or has no aps dictionary; it is as good as empty (unverified).
  const aps = memberObject(request.json, "aps");
  if (aps === undefined) return "PayloadEmpty";
  // "Must match the payload"; the reason for a mismatch is not written down (unverified).
  const visible = "alert" in aps || "badge" in aps || "sound" in aps;
  if (type === "background" && (visible || aps["content-available"] !== 1)) return "InvalidPushType";
  if (type === "alert" && !visible) return "InvalidPushType";
  // Apple's sample payload of both has `true`; what becomes of anything else is not written down (unverified).
  if ((type === "widgets" || type === "controls") && aps["content-changed"] !== true) return "InvalidPushType";
  return undefined;
}

function memberObject(value: unknown, name: string): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const member = (value as Record<string, unknown>)[name];
  return typeof member === "object" && member !== null && !Array.isArray(member)
    ? (member as Record<string, unknown>)
    : undefined;
}
