// Firebase Cloud Messaging, HTTP v1: POST /v1/projects/{project}/messages:send.
// Order of checks: path, access token, project, form of the JSON, FCM's own rules, the phone's state.

import { bearer } from "../jwt.ts";
import { hex } from "../random.ts";
import { refuseMessage, target, type Target } from "./fcm_rules.ts";
import { sendRequest } from "./fcm_schema.ts";
import type { GoogleAccounts } from "./google_accounts.ts";
import {
  FCM_CODES,
  fcmError,
  notFoundPage,
  parseError,
  permissionDenied,
  projectNotFound,
  unauthenticated,
  type FcmCode,
  type Violation,
} from "./google_error.ts";
import { isObject, read, type JsonObject } from "./proto_json.ts";
import type { Answer, Identity, LabRequest, Vendor, World } from "./vendor.ts";

const SEND_PATH = /^\/v1\/projects\/([^/]+)\/messages:send$/;
const JSON_HEADERS = { "content-type": "application/json; charset=UTF-8" };

export function fcm(world: World, accounts: GoogleAccounts): Vendor {
  function refuseCaller(authorization: string | undefined, project: string): Answer | undefined {
    const token = bearer(authorization);
    if (token === undefined) return unauthenticated("missing");
    world.credentialSeen("fcm", token);
    const access = accounts.access(token);
    if (access === undefined) return unauthenticated("invalid");
    if (access.expiresAt <= world.now()) return unauthenticated("expired");
    if (!accounts.hasProject(project)) return projectNotFound();
    return access.project_id === project ? undefined : permissionDenied(project);
  }

  function refusePhone(to: Target): Answer | undefined {
    if (to.kind !== "token" && to.kind !== "fid") return undefined;
    switch (world.tokens.get("fcm", to.value)?.state) {
      case "unregistered":
        return fcmError("UNREGISTERED");
      case "sender_mismatch":
        return fcmError("SENDER_ID_MISMATCH");
      case "invalid":
        return fcmError("INVALID_ARGUMENT", "The registration token is not a valid FCM registration token");
    }
    return undefined;
  }

  function send(json: unknown, project: string): Answer {
    if (json === undefined) return parseError([{ description: "Invalid JSON payload received. Unexpected token." }]);
    const violations: Violation[] = [];
    const body = read(json, sendRequest, "", violations) as JsonObject;
    if (violations.length > 0) return parseError(violations);
    const message = body["message"];
    if (!isObject(message)) return fcmError("INVALID_ARGUMENT", "Message is not set.", [{ field: "message", description: "Message is not set." }]);
    const to = target(message);
    if ("status" in to) return to;
    const refusal = refuseMessage(message, to) ?? refusePhone(to);
    if (refusal !== undefined) return refusal;
    const id = body["validate_only"] === true ? "fake_message_id" : messageId(world.now());
    return { status: 200, headers: JSON_HEADERS, body: `{\n  "name": "projects/${project}/messages/${id}"\n}\n` };
  }

  return {
    name: "fcm",
    hosts: ["fcm.googleapis.com"],
    tokenStates: ["alive", "unregistered", "sender_mismatch", "invalid"],
    identify,
    answer(request) {
      const project = SEND_PATH.exec(request.path)?.[1];
      if (project === undefined || request.method !== "POST") return notFoundPage(request.path);
      return refuseCaller(request.header("authorization"), project) ?? send(request.json, project);
    },
    refusal(reason) {
      if (reason === "UNAUTHENTICATED") return unauthenticated("invalid");
      return reason in FCM_CODES ? fcmError(reason as FcmCode) : undefined;
    },
    register: (account) => accounts.register(account),
    make: (options) => accounts.make(options),
    reset: (everything) => accounts.reset(everything),
  };
}

function identify(request: LabRequest): Identity {
  const message = isObject(request.json) ? request.json["message"] : undefined;
  const to = isObject(message) ? (message["token"] ?? message["fid"]) : undefined;
  return { account: SEND_PATH.exec(request.path)?.[1], tokens: typeof to === "string" ? [to] : [] };
}

/** Google's ids: microseconds, then sixteen hex digits after a percent sign. */
let lastId = 0;
function messageId(now: number): string {
  lastId = Math.max(lastId + 1, now * 1000);
  return `0:${lastId}%${hex(16)}`;
}
