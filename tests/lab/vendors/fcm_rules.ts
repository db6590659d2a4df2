// What FCM itself refuses once a request has the right form: targets, reserved keys, ranges, size.
// Pages: firebase.google.com/docs/reference/fcm/rest/v1/projects.messages and .../docs/cloud-messaging/error-codes.
// The codes and field paths are documented; the sentences are from memory (unverified).

import { fcmError, parseError } from "./google_error.ts";
import { isObject, type JsonObject } from "./proto_json.ts";
import type { Answer } from "./vendor.ts";

const MAX_TTL = 2_419_200; // four weeks
const MAX_PAYLOAD = 4096;
const MAX_TOPIC_PAYLOAD = 2048;
const TARGETS = ["token", "topic", "condition", "fid"] as const;

export interface Target {
  readonly kind: (typeof TARGETS)[number];
  readonly value: string;
}

/** The one target, or the answer that there is none or more than one. */
export function target(message: JsonObject): Target | Answer {
  const given = TARGETS.filter((kind) => message[kind] !== undefined);
  const [kind, second] = given;
  if (second !== undefined) {
    const description = `Invalid value at 'message' (oneof), oneof field 'target' is already set. Cannot set '${second}'`;
    return parseError([{ field: "message", description }]);
  }
  const value = kind === undefined ? "" : String(message[kind]);
  if (kind === undefined || value === "") return invalid("message.token", "Recipient of the message is not set.");
  if ((kind === "token" || kind === "fid") && !/^[A-Za-z0-9_:-]{1,4096}$/.test(value)) {
    return invalid(`message.${kind}`, "Invalid registration token");
  }
  if (kind === "topic" && !/^[a-zA-Z0-9\-_.~%]+$/.test(value)) return invalid("message.topic", "Invalid topic name");
  return { kind, value };
}

/** Why FCM refuses a message whose form is right; undefined if it does not. */
export function refuseMessage(message: JsonObject, to: Target): Answer | undefined {
  return (
    refuseData(message["data"], "message.data") ??
    refuseAndroid(member(message, "android")) ??
    refuseWebpush(member(message, "webpush")) ??
    refuseLabels(message) ??
    refuseSize(message, to)
  );
}

function refuseData(data: unknown, path: string): Answer | undefined {
  if (!isObject(data)) return undefined;
  for (const key of Object.keys(data)) {
    if (/^(from$|message_type$|google|gcm)/.test(key)) return invalid(path, `Invalid data payload key: ${key}`);
  }
  return undefined;
}

function refuseAndroid(android: JsonObject): Answer | undefined {
  const ttl = android["ttl"];
  if (typeof ttl === "string") {
    const seconds = Number(ttl.slice(0, -1));
    if (seconds < 0 || seconds > MAX_TTL) {
      return invalid("message.android.ttl", `TTL must be between 0 and ${MAX_TTL} seconds, inclusive.`);
    }
  }
  const color = member(android, "notification")["color"];
  if (typeof color === "string" && !/^#[0-9a-fA-F]{6}$/.test(color)) {
    return invalid("message.android.notification.color", "Color must be in the form #RRGGBB");
  }
  return refuseData(android["data"], "message.android.data");
}

function refuseWebpush(webpush: JsonObject): Answer | undefined {
  const link = member(webpush, "fcm_options")["link"];
  if (typeof link === "string" && !link.startsWith("https://")) {
    return invalid("message.webpush.fcm_options.link", "Link must be a valid HTTPS URL");
  }
  return undefined;
}

function refuseLabels(message: JsonObject): Answer | undefined {
  for (const part of ["", "android", "apns", "webpush"]) {
    const label = member(part === "" ? message : member(message, part), "fcm_options")["analytics_label"];
    if (typeof label === "string" && !/^[a-zA-Z0-9\-_.~%]{1,50}$/.test(label)) {
      return invalid(`message.${part === "" ? "" : `${part}.`}fcm_options.analytics_label`, "Invalid analytics label");
    }
  }
  return undefined;
}

// Keys and values of what an Android phone would get: its own notification fields and data win over the common ones.
function refuseSize(message: JsonObject, to: Target): Answer | undefined {
  const android = member(message, "android");
  const notification = { ...member(message, "notification"), ...member(android, "notification") };
  const data = isObject(android["data"]) ? android["data"] : member(message, "data");
  const limit = to.kind === "topic" || to.kind === "condition" ? MAX_TOPIC_PAYLOAD : MAX_PAYLOAD;
  return weight(notification) + weight(data) > limit ? fcmError("INVALID_ARGUMENT", "Message too big") : undefined;
}

function weight(values: JsonObject): number {
  let bytes = 0;
  for (const key in values) {
    const value = values[key];
    bytes += Buffer.byteLength(key) + Buffer.byteLength(typeof value === "string" ? value : JSON.stringify(value));
  }
  return bytes;
}

function invalid(field: string, description: string): Answer {
  return fcmError("INVALID_ARGUMENT", description, [{ field, description }]);
}

const NOTHING: JsonObject = {};

function member(of: JsonObject, name: string): JsonObject {
  const value = of[name];
  return isObject(value) ? value : NOTHING;
}
