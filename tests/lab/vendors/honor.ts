// Honor Push: POST /api/v1/{appId}/sendMessage, with the token endpoint. Honor's table of codes could not be read: all but 200
// are Huawei's (unverified), and so are the receipt of a phone's cap and how far `timestamp` may be from Honor's clock.

import { bearer } from "../jwt.ts";
import { digits, hex } from "../random.ts";
import { between } from "./huawei_rules.ts";
import { AccessTokens, Accounts, formOf, isForm, isObject, isText, jsonAnswer, reported, stateOf, takes, texts, type Callback } from "./makers.ts";
import { capping, perDevice, PhoneCaps } from "./phone_caps.ts";
import type { Answer, LabRequest, Vendor, World } from "./vendor.ts";

const SEND = /^\/api\/v1\/(\d+)\/sendMessage$/;
const IAM = "iam.developer.honor.com";
/** Of an app that is no news app: so many messages of the class marketing to one phone in a day, and the receipt of what is over. */
const MARKETING_A_DAY = 2;
const CAPPED = "102";
const STATUS: Readonly<Record<string, number>> = { "80200001": 401, "80200003": 401, "81000001": 500 };
const CODES = "80100000 80100001 80100003 80100004 80200001 80200003 80300002 80300007 80300008 80300010 81000001".split(" ");

export function honor(world: World): Vendor {
  const make = { app_id: () => digits(9), client_id: () => hex(32), client_secret: () => hex(64) };
  const accounts = new Accounts("app_id", make, ["per_device"], (given) => ({ perDevice: perDevice(given, MARKETING_A_DAY) }));
  const tokens = new AccessTokens();
  const phones = new PhoneCaps();
  const callbacks: Callback[] = [];

  function exchange(request: LabRequest): Answer {
    const form = formOf(request);
    const owner = accounts.find((texts) => texts["client_id"] === form.get("client_id"))?.texts;
    const fault = (error: string): Answer => jsonAnswer(401, { error, error_description: error }, error);
    if (!isForm(request) || form.get("grant_type") !== "client_credentials") return fault("invalid_grant");
    if (owner === undefined) return fault("invalid_client");
    if (owner["client_secret"] !== form.get("client_secret")) return fault("unauthorized_client");
    const seconds = world.settings.oauth_expires_in;
    const access_token = tokens.grant(owner["app_id"] as string, world.now(), seconds);
    return jsonAnswer(200, { access_token, expires_in: seconds, token_type: "Bearer" });
  }

  function send(request: LabRequest, app: string): Answer {
    const token = bearer(request.header("authorization"));
    if (token !== undefined) world.credentialSeen("honor", token);
    if (tokens.owner(token, world.now()) !== app) return refuse("80200003", "the access token is not valid");
    const sent = Number(request.header("timestamp"));
    if (!(Math.abs(sent - world.now()) < 600_000)) return refuse("80100001", "timestamp");
    if (!isObject(request.json)) return refuse("80100003", "not JSON");
    const { token: listed, ...body } = request.json;
    const targets = texts(listed);
    if (targets === undefined || targets.length < 1 || targets.length > 1000) return refuse("80300010", "1 to 1000 tokens");
    if (Buffer.byteLength(JSON.stringify(body)) > 4096) return refuse("80300008", "the body exceeds 4096 bytes");
    const fault = check(body);
    if (fault !== undefined) return refuse(...fault);
    const of = (state: string): string[] => targets.filter((target) => stateOf(world, "honor", target) === state);
    const [expireTokens, failTokens] = [of("expired"), of("failed")];
    const sendResult = expireTokens.length + failTokens.length < targets.length;
    const requestId = hex(24);
    const tag = isObject(body["android"]) ? body["android"]["biTag"] : undefined;
    const taken = targets.filter((target) => takes(world, "honor", target));
    const share = phones.take(app, taken, world.now(), isMarketing(body) ? (accounts.get(app)?.perDevice ?? 0) : Infinity);
    callbacks.push(...reported(world, "honor", { account: app, id: requestId }, tag, share, CAPPED));
    const answer = jsonAnswer(200, { code: 200, message: "success", data: { sendResult, requestId, failTokens, expireTokens } });
    return capping(answer, share.over);
  }

  return {
    name: "honor",
    hosts: ["push-api.cloud.honor.com", IAM],
    tokenStates: ["alive", "expired", "failed", "uninstalled", "muted"],
    identify(request) {
      const listed = isObject(request.json) ? texts(request.json["token"]) : undefined;
      return { account: SEND.exec(request.path)?.[1], tokens: listed ?? [] };
    },
    answer(request) {
      if (request.host === IAM) return request.path === "/auth/token" ? exchange(request) : { status: 404, body: "" };
      const app = SEND.exec(request.path)?.[1];
      return app === undefined || request.method !== "POST" ? { status: 404, body: "" } : send(request, app);
    },
    refusal: (reason) => (CODES.includes(reason) ? refuse(reason, "as the test wants it") : undefined),
    callbacks: () => [...callbacks],
    register: async (account) => accounts.register(account),
    make: async (options) => accounts.make(options),
    reset(everything) {
      tokens.clear();
      phones.clear();
      callbacks.length = 0;
      if (everything) accounts.clear();
    },
  };
}

function refuse(code: string, message: string): Answer {
  return jsonAnswer(STATUS[code] ?? 400, { code: Number(code), message, data: null }, code);
}

function isMarketing({ notification: outer, android }: Record<string, unknown>): boolean {
  const { notification, targetUserType: test } = isObject(android) ? android : {};
  const { importance } = { ...(isObject(outer) ? outer : {}), ...(isObject(notification) ? notification : {}) } as Record<string, unknown>;
  return importance === "LOW" && test !== 1;
}

function check(body: Record<string, unknown>): [code: string, message: string] | undefined {
  const { notification: outer = {}, android = {} } = body;
  const structure = (what: string): [string, string] => ["80100003", what];
  if (!isObject(android) || !isObject(outer)) return structure("android");
  const { ttl, notification, data = body["data"] } = android;
  if (data !== undefined && typeof data !== "string") return structure("data must be a string");
  if (ttl !== undefined && !(typeof ttl === "string" && /^[1-9]\d*s$/.test(ttl) && Number.parseInt(ttl) <= 1_296_000)) return ["80100004", "android.ttl"];
  if (notification === undefined && Object.keys(outer).length === 0) return data ? undefined : structure("neither data nor notification");
  if (!isObject(notification)) return structure("android.notification");
  // Lines of the common notification stand in.
  const { title, body: text, clickAction: click, importance, image, badge } = { ...outer, ...notification };
  if (!isText(title, 1, 4096) || !isText(text, 1, 4096)) return structure("title or body");
  if (importance !== "NORMAL" && importance !== "LOW") return structure("importance");
  if (image !== undefined && importance === "LOW") return structure("a marketing message has no image");
  if (image !== undefined && !String(image).startsWith("https://")) return structure("image");
  if (badge !== undefined && !(isObject(badge) && between(badge["setNum"], 0, 99))) return structure("badge");
  if (!isObject(click)) return structure("clickAction");
  const fits =
    (click["type"] === 1 && (click["intent"] || click["action"])) || (click["type"] === 2 && String(click["url"]).startsWith("https://")) || click["type"] === 3;
  return fits ? undefined : structure("clickAction");
}
