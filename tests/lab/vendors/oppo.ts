// OPPO's push: forms with a JSON text in them; access tokens for a signed time.

import { createHash } from "node:crypto";
import { hex } from "../random.ts";
import { between } from "./huawei_rules.ts";
import { AccessTokens, Accounts, DayCounts, formOf, isForm, isObject, isText, jsonAnswer, positive, stateOf, texts, type Callback } from "./makers.ts";
import { capping, perDevice, PhoneCaps } from "./phone_caps.ts";
import type { Answer, LabRequest, Vendor, World } from "./vendor.ts";

const BATCH = "/server/v1/message/notification/unicast_batch";
const SERVICE = ["IM", "ACCOUNT", "DEVICE_REMINDER", "ORDER", "TODO", "SUBSCRIPTION"];
const MARKETING = ["NEWS", "CONTENT", "MARKETING", "SOCIAL"];
const CODES = new Set("-2 -1 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 40 41 51 55 59 67 10000 10005".split(" "));

/** Of an app that is no news app: so many messages of the class marketing to one phone in a day. */
const MARKETING_A_DAY = 2;
/** The most characters of `content` by `style`; the third is for broadcasts. */
const LINES: Readonly<Record<string, number>> = { "1": 200, "2": 128 };
/** Other texts, and how long each may be. */
const TEXTS = { sub_title: 10, action_parameters: 4000, call_back_url: 200, call_back_parameter: 100 };

interface Rights {
  /** Registered channels. */
  readonly channels: readonly string[];
  readonly perDay: number;
  readonly perDevice: number;
}

export function oppo(world: World): Vendor {
  const accounts = new Accounts<Rights>("app_key", { app_key: () => hex(32), master_secret: () => hex(32) }, ["channels", "per_day", "per_device"], (given) => ({
    channels: texts(given["channels"]) ?? ["chat", "order"],
    perDay: positive(given, "per_day") ?? 100_000,
    perDevice: perDevice(given, MARKETING_A_DAY),
  }));
  const tokens = new AccessTokens();
  const counts = new DayCounts();
  const phones = new PhoneCaps();
  const seen = new Set<string>();
  const callbacks: Callback[] = [];

  function auth(request: LabRequest): Answer {
    const form = formOf(request);
    const [key, time, signed] = [form.get("app_key") ?? "", form.get("timestamp") ?? "", form.get("sign") ?? ""];
    const account = accounts.get(key)?.texts;
    if (key === "") return refuse(15, "Missing AppKey");
    if (account === undefined) return refuse(14, "Invalid AppKey");
    if (time === "") return refuse(18, "Missing Timestamp");
    if (!/^\d{13}$/.test(time) || Math.abs(Number(time) - world.now()) > 600_000) return refuse(19, "Invalid Timestamp");
    if (signed === "") return refuse(17, "Missing Signature");
    const sign = createHash("sha256").update(key + time + account["master_secret"]).digest("hex");
    if (signed !== sign) return refuse(16, "Invalid Signature");
    // How many are too many is not published (unverified).
    if (tokens.tooMany(key, world.now(), 100, 60_000)) return refuse(13, "App Call Limited");
    return jsonAnswer(200, { code: 0, message: "success", data: { auth_token: tokens.grant(key, world.now(), 86_400), create_time: world.now() } });
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
    const capped: string[] = [];
    const data = messages.map((message) => one(key, account, message, request.host, capped));
    return capping(jsonAnswer(200, { code: 0, message: "success", data }), capped);
  }

  function one(key: string, rights: Rights, message: unknown, host: string, capped: string[]): object {
    const registrationId = isObject(message) ? String(message["target_value"]) : "";
    const fail = (errorCode: number, errorMessage: string): object => ({ registrationId, errorCode, errorMessage });
    if (!isObject(message) || message["target_type"] !== 2 || !isObject(message["notification"])) return fail(41, "message");
    const shown = message["notification"];
    const state = stateOf(world, "oppo", registrationId);
    if (state === "malformed" || registrationId === "") return fail(10000, "Invalid RegistrationId");
    if (host.startsWith("api-intl") === /^([^_]+|CN_[^_]+|[^_]+_CN_[^_]+)$/.test(registrationId)) return fail(10000, "of another region");
    const fault = check(shown, rights);
    if (fault !== undefined) return fail(...fault);
    const id = shown["app_message_id"] === undefined ? undefined : `${key} ${shown["app_message_id"]} ${registrationId}`;
    if (id !== undefined && seen.has(id)) return fail(32, "Duplicate");
    const marketing = MARKETING.includes(String(shown["category"]));
    if (marketing && !counts.spend(key, world.now(), 1, rights.perDay)) return fail(33, "daily total exceeded");
    if (id !== undefined) seen.add(id);
    // A phone's cap is on marketing only. What it does not get has counted in the total all the same (unverified).
    const reached = marketing && state === "alive" ? phones.take(key, [registrationId], world.now(), rights.perDevice) : undefined;
    const over = marketing && (state === "capped" || reached?.over.length === 1);
    if (over) capped.push(registrationId);
    const event = state === "dead" ? "regid_invalid" : over ? "user_daily_limit" : "push_arrive";
    const messageId = `lab-1-1-${hex(24)}`;
    if (shown["call_back_url"] !== undefined) {
      const [url, param] = [String(shown["call_back_url"]), String(shown["call_back_parameter"] ?? "")];
      callbacks.push({ url, param, targets: [registrationId], event, id: messageId });
    }
    return { messageId, registrationId };
  }

  return {
    name: "oppo",
    hosts: ["api.push.oppomobile.com", "api-intl.push.oppomobile.com"],
    tokenStates: ["alive", "malformed", "dead", "capped"],
    identify(request) {
      const form = formOf(request);
      const messages = parse(form.get("messages") ?? "") ?? [];
      const account = form.get("app_key") ?? tokens.owner(form.get("auth_token") ?? request.header("auth_token"), world.now());
      return { account, tokens: messages.map((message) => (isObject(message) ? String(message["target_value"]) : "")) };
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
      phones.clear();
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
  const { category, notify_level: level, channel_id: channel, click_action_type: click = 0, style = 1 } = shown;
  const template = shown["private_msg_template_id"] !== undefined;
  const longest = LINES[String(style)];
  if (longest === undefined) return [41, "style"];
  if (template ? shown["title"] !== undefined || shown["content"] !== undefined : !isText(shown["title"], 1, 50) || !isText(shown["content"], 1, longest)) {
    return [41, "title or content"];
  }
  const service = SERVICE.includes(String(category));
  if (!service && !MARKETING.includes(String(category))) return [67, "category"];
  if (level !== undefined && ![1, 2, 16].includes(level as number)) return [67, "notify_level"];
  if (level === 16 || (!service && level === 2)) return [67, "notify_level is not granted"];
  if (service && !rights.channels.includes(String(channel))) return [67, "channel_id is not registered"];
  if (![0, 1, 2, 4, 5].includes(click as number)) return [41, "click_action_type"];
  if ([1, 4].includes(click as number) && !isText(shown["click_action_activity"], 1, 500)) return [41, "click_action_activity"];
  if ([2, 5].includes(click as number) && !isText(shown["click_action_url"], 1, 2000)) return [41, "click_action_url"];
  if (!between(shown["off_line_ttl"], 0, 864_000)) return [41, "off_line_ttl"];
  const long = Object.entries(TEXTS).find(([name, most]) => shown[name] !== undefined && !isText(shown[name], 0, most));
  return long === undefined ? undefined : [41, long[0]];
}
