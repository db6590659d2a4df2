// The sender's side, for tests: signs as an operator's gateway would and posts to the lab.

import { connect } from "node:http2";
import { importPKCS8, SignJWT, type JWTPayload } from "jose";
import type { Lab } from "./lab.ts";
import type { ApnsCredentials } from "./vendors/apns_keys.ts";
import type { FcmCredentials } from "./vendors/google_accounts.ts";

export interface Reply {
  status: number;
  headers: Record<string, string>;
  text: string;
}

export const DEVICE = "ab".repeat(32);
export const ALERT = { aps: { alert: { title: "Sent", body: "Your parcel has left" } } };
const SCOPE = "https://www.googleapis.com/auth/firebase.messaging";
const GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer";

export function seconds(offset = 0): number {
  return Math.floor(Date.now() / 1000) + offset;
}

export async function providerToken(from: ApnsCredentials, iat: number = seconds()): Promise<string> {
  const key = await importPKCS8(from.private_key, "ES256");
  return new SignJWT({ iss: from.team_id, iat }).setProtectedHeader({ alg: "ES256", kid: from.key_id }).sign(key);
}

export async function assertion(from: FcmCredentials, claims: JWTPayload = {}, kid = from.private_key_id): Promise<string> {
  const key = await importPKCS8(from.private_key, "RS256");
  const usual = { iss: from.client_email, scope: SCOPE, aud: from.token_uri, iat: seconds(), exp: seconds(3600) };
  return new SignJWT({ ...usual, ...claims }).setProtectedHeader({ alg: "RS256", typ: "JWT", kid }).sign(key);
}

/** POSTs unless `init` says otherwise; redirects are left to the caller, as a gateway does. */
export async function post(url: string, init: RequestInit = {}): Promise<Reply> {
  const response = await fetch(url, { method: "POST", redirect: "manual", ...init });
  return { status: response.status, headers: Object.fromEntries(response.headers), text: await response.text() };
}

export interface JsonReply extends Reply {
  /** The parsed answer; undefined where it is not JSON. */
  json: any;
}

export async function postJson(url: string, body: unknown, headers: Record<string, string> = {}): Promise<JsonReply> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return parsed(await post(url, { headers: { "content-type": "application/json", ...headers }, body: text }));
}

export async function postForm(url: string, form: Record<string, string>, headers: Record<string, string> = {}): Promise<JsonReply> {
  return parsed(await post(url, { headers, body: new URLSearchParams(form) }));
}

function parsed(reply: Reply): JsonReply {
  try {
    return { ...reply, json: JSON.parse(reply.text) };
  } catch {
    return { ...reply, json: undefined };
  }
}

/** `count` different tokens. */
export function many(count: number, prefix = "phone-"): string[] {
  return Array.from({ length: count }, (_, at) => `${prefix}${at}`);
}

/** A form without the fields that are undefined. */
export function given(form: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(form).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

export async function exchange(lab: Lab, form: Record<string, string>): Promise<Reply> {
  return post(`${lab.url}/oauth2.googleapis.com/token`, { body: new URLSearchParams(form) });
}

export async function accessToken(lab: Lab, from: FcmCredentials): Promise<string> {
  const reply = await exchange(lab, { grant_type: GRANT_TYPE, assertion: await assertion(from) });
  return (JSON.parse(reply.text) as { access_token: string }).access_token;
}

export function grant(jwt: string): Record<string, string> {
  return { grant_type: GRANT_TYPE, assertion: jwt };
}

/** One request on an HTTP/2 connection of its own. */
export function h2(lab: Lab, headers: Record<string, string>, body = ""): Promise<Reply> {
  const session = connect(lab.h2Url, { ca: lab.cert });
  return new Promise<Reply>((resolve, reject) => {
    session.on("error", reject);
    const stream = session.request({ ":method": "POST", ...headers }, { endStream: body === "" });
    let status = 0;
    let text = "";
    let received: Record<string, string> = {};
    stream.on("response", ({ ":status": code, ...rest }) => {
      status = Number(code);
      received = rest as Record<string, string>;
    });
    stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
    stream.on("error", (error) => reject(Object.assign(error, { received: { status, text } })));
    stream.on("end", () => resolve({ status, headers: received, text }));
    if (body !== "") stream.end(body);
  }).finally(() => session.destroy());
}
