// Error bodies of Google's APIs (google.rpc.Status with typed details, AIP-193) as FCM fills them.

import type { Answer } from "./vendor.ts";

export interface Violation {
  readonly field?: string;
  readonly description: string;
}

/** FCM's own error codes → HTTP status and canonical status. */
export const FCM_CODES = {
  UNSPECIFIED_ERROR: [500, "INTERNAL", "Internal error encountered."],
  INVALID_ARGUMENT: [400, "INVALID_ARGUMENT", "Request contains an invalid argument."],
  UNREGISTERED: [404, "NOT_FOUND", "Requested entity was not found."],
  SENDER_ID_MISMATCH: [403, "PERMISSION_DENIED", "SenderId mismatch"],
  QUOTA_EXCEEDED: [429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."],
  UNAVAILABLE: [503, "UNAVAILABLE", "The service is currently unavailable."],
  INTERNAL: [500, "INTERNAL", "Internal error encountered."],
  THIRD_PARTY_AUTH_ERROR: [401, "UNAUTHENTICATED", "Auth error from APNS or Web Push Service"],
} as const;

export type FcmCode = keyof typeof FCM_CODES;

export function fcmError(code: FcmCode, message: string = FCM_CODES[code][2], violations: readonly Violation[] = []): Answer {
  const [http, status] = FCM_CODES[code];
  const details: object[] = [{ "@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", errorCode: code }];
  if (violations.length > 0) details.push(badRequest(violations));
  return googleError(http, status, message, details, code);
}

/** What the JSON-to-proto layer in front of FCM refuses: no FcmError, all violations at once. */
export function parseError(violations: readonly Violation[]): Answer {
  const message = violations.map((violation) => violation.description).join("\n");
  return googleError(400, "INVALID_ARGUMENT", message, violations.some((v) => v.field) ? [badRequest(violations)] : []);
}

// Message texts and `www-authenticate` as Google's front end gives them (unverified).
export function unauthenticated(why: "missing" | "invalid" | "expired"): Answer {
  const expected =
    "Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.";
  const message =
    why === "missing"
      ? `Request is missing required authentication credential. ${expected}`
      : `Request had invalid authentication credentials. ${expected}`;
  const reasons = { missing: "CREDENTIALS_MISSING", invalid: "ACCESS_TOKEN_TYPE_UNSUPPORTED", expired: "ACCESS_TOKEN_EXPIRED" };
  const info = {
    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
    reason: reasons[why],
    domain: "googleapis.com",
    metadata: { service: "fcm.googleapis.com", method: "google.firebase.fcm.v1.FcmService.SendMessage" },
  };
  const answer = googleError(401, "UNAUTHENTICATED", message, [info]);
  const realm = 'Bearer realm="https://accounts.google.com/"';
  const challenge = why === "missing" ? realm : `${realm}, error="invalid_token"`;
  return { ...answer, headers: { ...answer.headers, "www-authenticate": challenge } };
}

export function permissionDenied(project: string): Answer {
  const permission = "cloudmessaging.messages.create";
  const message = `Permission '${permission}' denied on resource '//cloudresourcemanager.googleapis.com/projects/${project}' (or it may not exist).`;
  const info = {
    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
    reason: "IAM_PERMISSION_DENIED",
    domain: "cloudresourcemanager.googleapis.com",
    metadata: { permission, resource: `projects/${project}` },
  };
  return googleError(403, "PERMISSION_DENIED", message, [info]);
}

/** A project that does not exist: the status alone, no FcmError. */
export function projectNotFound(): Answer {
  return googleError(404, "NOT_FOUND", "Requested entity was not found.", []);
}

/** Paths Google does not know get its HTML page, not JSON. */
export function notFoundPage(path: string): Answer {
  const shown = path.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
  return {
    status: 404,
    headers: { "content-type": "text/html; charset=UTF-8" },
    body: `<!DOCTYPE html>\n<html lang=en>\n  <title>Error 404 (Not Found)!!1</title>\n  <p><b>404.</b> <ins>That’s an error.</ins>\n  <p>The requested URL <code>${shown}</code> was not found on this server.  <ins>That’s all we know.</ins>\n`,
    reason: "html_404",
  };
}

function badRequest(fieldViolations: readonly Violation[]): object {
  return { "@type": "type.googleapis.com/google.rpc.BadRequest", fieldViolations };
}

function googleError(code: number, status: string, message: string, details: readonly object[], reason: string = status): Answer {
  const error = details.length > 0 ? { code, message, status, details } : { code, message, status };
  return {
    status: code,
    headers: { "content-type": "application/json; charset=UTF-8" },
    body: `${JSON.stringify({ error }, null, 2)}\n`,
    reason,
  };
}
