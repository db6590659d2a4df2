// What the push services say, literally.
//
// Mozilla: autopush-rs, autoendpoint/src/error.rs and docs/src/errors.md. Apple: "sending web push notifications in web
// apps and browsers". Google documents nothing: its sentences are those that senders have reported; those that nobody
// has are marked. Microsoft answers with the status and an empty body.

import { hex } from "../random.ts";
import { randomBytes, randomUUID } from "node:crypto";
import type { Answer } from "./vendor.ts";

export const SERVICES = ["google", "mozilla", "apple", "microsoft"] as const;
export type Service = (typeof SERVICES)[number];

/** What can be wrong with a request, in words of ours. */
export type Fault =
  | "no_auth"
  | "bad_jwt"
  | "bad_audience"
  | "other_key"
  | "ttl"
  | "urgency"
  | "topic"
  | "encoding"
  | "too_large"
  | "unknown"
  | "gone"
  | "busy"
  | "trouble";

type Refusal = readonly [status: number, body: string, headers?: Readonly<Record<string, string>>];

const MORE_INFO = "http://autopush.readthedocs.io/en/latest/http.html#error-codes";
const ERRORS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  404: "Not Found",
  410: "Gone",
  413: "Payload Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

function mozilla(code: number, errno: number, message: string, headers: Record<string, string> = {}): Refusal {
  const body = JSON.stringify({ code, errno, error: ERRORS[code], message, more_info: MORE_INFO });
  return [code, body, { "content-type": "application/json", ...headers }];
}

function apple(status: number, reason: string): Refusal {
  return [status, JSON.stringify({ reason }), { "content-type": "application/json", "apns-id": randomUUID().toUpperCase() }];
}

function google(status: number, text: string, headers: Record<string, string> = {}): Refusal {
  return [status, `${text}\n`, { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff", ...headers }];
}

function microsoft(status: number, headers: Record<string, string> = {}): Refusal {
  return [status, "", headers];
}

const BUSY = { "retry-after": "30" };

const REFUSALS: Readonly<Record<Service, Readonly<Record<Fault, () => Refusal>>>> = {
  google: {
    no_auth: () => google(401, "authorization header must be specified"),
    bad_jwt: () => google(403, "invalid JWT provided"), // (unverified)
    bad_audience: () => google(403, "aud claim in the token MUST include the origin of the push resource URL"),
    other_key: () =>
      google(403, "the VAPID credentials in the authorization header do not correspond to the credentials used to create the subscriptions."),
    ttl: () => google(400, "TTL header is missing or invalid"), // (unverified)
    urgency: () => google(400, "invalid Urgency"), // (unverified)
    topic: () => google(400, "invalid Topic"), // (unverified)
    encoding: () => google(400, "invalid Content-Encoding"), // (unverified)
    // Observed: 400 and not 413. The words are (unverified).
    too_large: () => google(400, "payload too large"),
    unknown: () =>
      google(404, "A valid push subscription endpoint should be specified in the URL as such: https://fcm.googleapis.com/wp/dHIoDxE7Hdg:APA91bH1Zj0kNa..."),
    gone: () => google(410, "push subscription has unsubscribed or expired."),
    busy: () => google(429, "too many messages", BUSY), // (unverified)
    trouble: () => google(500, "internal error"), // (unverified)
  },
  mozilla: {
    no_auth: () => mozilla(401, 109, "Request did not validate missing authorization header"),
    bad_jwt: () => mozilla(401, 109, "Invalid Authentication"),
    bad_audience: () => mozilla(401, 109, "Invalid Authentication"),
    other_key: () => mozilla(401, 109, "VAPID public key mismatch"),
    ttl: () => mozilla(400, 111, "Missing TTL value"),
    urgency: () => mozilla(400, 110, "Invalid Urgency"), // (unverified)
    topic: () => mozilla(400, 113, "Invalid Topic"),
    encoding: () => mozilla(400, 110, "Unknown Content-Encoding header"),
    too_large: () => mozilla(413, 104, "Data payload too large"),
    unknown: () => mozilla(404, 102, "Invalid token"),
    gone: () => mozilla(410, 106, "No such subscription", { "cache-control": "max-age=86400" }),
    busy: () => mozilla(503, 201, "Use exponential back-off for retries", { "retry-after": "120" }),
    trouble: () => mozilla(500, 999, "Unknown error"),
  },
  apple: {
    no_auth: () => apple(403, "BadJwtToken"),
    bad_jwt: () => apple(403, "BadJwtToken"),
    bad_audience: () => apple(403, "BadJwtToken"),
    other_key: () => apple(400, "VapidPkHashMismatch"),
    ttl: () => apple(400, "BadTtl"),
    urgency: () => apple(400, "BadUrgency"),
    topic: () => apple(400, "BadWebPushTopic"),
    encoding: () => apple(400, "BadWebPushRequest"),
    too_large: () => apple(413, "PayloadTooLarge"),
    unknown: () => apple(410, "Unregistered"),
    gone: () => apple(410, "Unregistered"),
    busy: () => apple(429, "TooManyRequests"),
    trouble: () => apple(503, "ServiceUnavailable"),
  },
  microsoft: {
    no_auth: () => microsoft(401),
    bad_jwt: () => microsoft(401),
    bad_audience: () => microsoft(401),
    other_key: () => microsoft(403),
    ttl: () => microsoft(400),
    urgency: () => microsoft(400),
    topic: () => microsoft(400),
    encoding: () => microsoft(400),
    too_large: () => microsoft(413),
    unknown: () => microsoft(404),
    gone: () => microsoft(410),
    // Microsoft's own status instead of 429.
    busy: () => microsoft(406, BUSY),
    trouble: () => microsoft(500),
  },
};

/** A service's answer to a fault; the log shows it as `service:fault`. */
export function refused(service: Service, fault: Fault): Answer {
  const [status, body, headers] = REFUSALS[service][fault]();
  return { status, body, headers: headers ?? {}, reason: `${service}:${fault}` };
}

/** The same, found by its name in the log. */
export function refusal(name: string): Answer | undefined {
  const [service = "", fault = ""] = name.split(":");
  const known = REFUSALS[service as Service]?.[fault as Fault];
  return known === undefined ? undefined : refused(service as Service, fault as Fault);
}

export function accepted(service: Service, ttl: string): Answer {
  const id = randomBytes(24).toString("base64url");
  const headers: Readonly<Record<Service, Record<string, string>>> = {
    google: { location: `https://fcm.googleapis.com/0:${Date.now() * 1000}%${hex(16)}` },
    mozilla: { location: `https://updates.push.services.mozilla.com/m/gAAAAAB${id}`, ttl },
    apple: { "apns-id": randomUUID().toUpperCase() },
    microsoft: { "x-wns-msg-id": hex(16).toUpperCase() }, // (unverified)
  };
  return { status: 201, headers: headers[service] };
}
