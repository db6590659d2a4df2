// OPPO's push: forms with a JSON text in them; access tokens for a signed time.

import { createHash } from "node:crypto";
import { hex } from "../random.ts";
import { AccessTokens, Accounts, chars, DayCounts, formOf, isForm, isObject, isText, jsonAnswer, positive, stateOf, texts, type Callback } from "./makers.ts";
import type { Answer, LabRequest, Vendor, World } from "./vendor.ts";

const BATCH = "/server/v1/message/notification/unicast_batch";
const SERVICE = ["IM", "ACCOUNT", "DEVICE_REMINDER", "ORDER", "TODO", "SUBSCRIPTION"];
const MARKETING = ["NEWS", "CONTENT", "MARKETING", "SOCIAL"];
const CODES = new Set("-2 -1 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 40 41 51 55 59 67 10000 10005".split(" "));

interface Rights {
  /** Registered channels. */
  readonly channels: readonly string[];
  readonly perDay: number;
}

export function oppo(world: World): Vendor {
  const accounts = new Accounts<Rights>("app_key", { app_key: () => hex(32), master_secret: () => hex(32) }, ["channels", "per_day"], (given) => ({
    channels: texts(given["channels"]) ?? ["chat", "order"],
    perDay: positive(given, "per_day") ?? 100_000,
  }));
  const tokens = new AccessTokens();
  const counts = new DayCounts();
  const seen = new Set<string>();
  const callbacks: Callback[] = [];

  function auth(request: LabRequest): Answer {
    const form = formOf(request);
    const [key, time] = [form.get("app_key") ?? "", form.get("timestamp") ?? ""];
    const account = accounts.get(key)?.texts;
    if (account === undefined) return refuse(14, "Invalid AppKey");
    if (!/^\d{13}$/.test(time) || Math.abs(Number(time) - world.now()) > 600_000) return refuse(19, "Invalid Timestamp");
    const sign = createHash("sha256").update(key + time + account["master_secret"]).digest("hex");
    if (form.get("sign") !== sign) return refuse(16, "Invalid Signature");
    if (tokens.tooMany(key, world.now(), 100, 60_000)) return refuse(13, "App Call Limited");
    return jsonAnswer(200, { code: 0, message: "Success", data: { auth_token: tokens.grant(key, world.now(), 86_400), create_time: world.now() } });
  }

  function batch(request: LabRequest): Answer {
    const form = formOf(request);
    const token = form.get("auth_token") ?? request.header("auth_token");
    if (!token) return refuse(29, "auth token missing");
    world.credentialSeen("oppo", token);
    const key = tokens.owner(token, world.now());
    const account = accounts.get(key ?? "");
    if (key === undefined || account === undefined) return refuse(11, "Invalid AuthToken");
    const messages = parse(form.get("messages") ?? "");
    if (messages === undefined || messages.length < 1 || messages.length > 1000) return refuse(41, "messages");
    const data = messages.map((message) => one(key, account, message, request.host));
    return jsonAnswer(200, { code: 0, message: "Success", data });
  }

  function one(key: string, rights: Rights, message: unknown, host: string): object {
    const registrationId = isObject(message) ? String(message["target_value"]) : "";
    const fail = (errorCode: number, errorMessage: string): object => ({ registrationId, errorCode, errorMessage });
    if (!isObject(message) || message["target_type"] !== 2 || !isObject(message["notification"])) return fail(41, "message");
    const shown = message["notification"];
    const state = stateOf(world, "oppo", registrationId);
    if (state === "malformed" || registrationId === "") return fail(10000, "Invalid RegistrationId");
    if (host.startsWith("api-intl") === /^([^_]+|CN_[^_]+|[^_]+_CN_[^_]+)$/.test(registrationId)) return fail(10000, "of another region");
    const fault = check(shown, rights);
    if (fault !== undefined) return fail(...fault);
    const id = `${key} ${shown["app_message_id"]} ${registrationId}`;
    if (seen.has(id)) return fail(32, "Duplicate");
    seen.add(id);
    if (MARKETING.includes(String(shown["category"])) && !counts.spend(key, world.now(), 1, rights.perDay)) return fail(33, "daily total exceeded");
    const event = { dead: "regid_invalid", capped: "user_daily_limit" }[state] ?? "push_arrive";
    if (shown["call_back_url"] !== undefined) {
      callbacks.push({ url: String(shown["call_back_url"]), param: String(shown["call_back_parameter"]), targets: [registrationId], event });
    }
    return { messageId: `lab-1-1-${hex(24)}`, registrationId };
  }

  return {
    name: "oppo",
    hosts: ["api.push.oppomobile.com", "api-intl.push.oppomobile.com"],
    tokenStates: ["alive", "malformed", "dead", "capped"],
    identify(request) {
      const messages = parse(formOf(request).get("messages") ?? "") ?? [];
      return { account: undefined, tokens: messages.map((message) => (isObject(message) ? String(message["target_value"]) : "")) };
    },
    answer(request) {
      if (request.method !== "POST") return refuse(12, "Http Action Not Allowed");
      if (!isForm(request)) return refuse(41, "not a form");
      if (request.path === "/server/v1/auth") return auth(request);
      return request.path === BATCH ? batch(request) : { status: 404, body: "" };
    },
    refusal: (reason) => (CODES.has(reason) ? refuse(Number(reason), "as the test wants it") : undefined),
    callbacks: () => [...callbacks],
    register: async (account) => accounts.register(account),
    make: async (options) => accounts.make(options),
    reset(everything) {
      tokens.clear();
      counts.clear();
      seen.clear();
      callbacks.length = 0;
      if (everything) accounts.clear();
    },
  };
}

function refuse(code: number, message: string): Answer {
  return jsonAnswer(200, { code, message }, String(code));
}

function parse(text: string): unknown[] | undefined {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? list : undefined;
  } catch {
    return undefined;
  }
}

function check(shown: Record<string, unknown>, rights: Rights): [number, string] | undefined {
  const { category, notify_level: level, channel_id: channel, click_action_type: click } = shown;
  const template = shown["private_msg_template_id"] !== undefined;
  if (template ? shown["title"] !== undefined || shown["content"] !== undefined : !isText(shown["title"], 1, 50) || !isText(shown["content"], 1, 200)) {
    return [41, "title or content"];
  }
  const service = SERVICE.includes(String(category));
  if (!service && !MARKETING.includes(String(category))) return [67, "category"];
  if (level !== undefined && ![1, 2, 16].includes(level as number)) return [67, "notify_level"];
  if (level === 16 || (!service && level === 2)) return [67, "notify_level is not granted"];
  if (service && !rights.channels.includes(String(channel))) return [67, "channel_id is not registered"];
  if (![0, 1, 2, 4, 5].includes(click as number)) return [41, "click_action_type"];
  if ([2, 5].includes(click as number) && !isText(shown["click_action_url"], 1, 2000)) return [41, "click_action_url"];
  if (chars(shown["action_parameters"] ?? "") > 4000) return [41, "action_parameters"];
  if (!(Number(shown["off_line_ttl"]) <= 864_000)) return [41, "off_line_ttl"];
  if (chars(shown["call_back_url"] ?? "") > 200 || chars(shown["call_back_parameter"] ?? "") > 100) return [41, "call_back"];
  return undefined;
}
