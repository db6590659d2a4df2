// JPush: POST /v3/push with HTTP Basic.

import { digits, hex } from "../random.ts";
import { between, type Refusal } from "./huawei_rules.ts";
import { Accounts, isObject, isText, jsonAnswer, stateOf, texts } from "./makers.ts";
import type { Answer, LabRequest, Vendor, World } from "./vendor.ts";

const STATUS: Readonly<Record<number, number>> = {
  1000: 500, 1001: 405, 1002: 400, 1003: 400, 1004: 401, 1005: 400, 1008: 400, 1009: 400, 1011: 400, 1012: 400, 1020: 404, 1030: 503,
  1035: 400, 2002: 429, 2003: 403, 2004: 403, 2005: 403, 2006: 403, 2007: 403, 2008: 403,
};
const PLATFORMS = ["android", "ios", "hmos", "quickapp"];
/** What the vendors behind have each as a class. */
const CLASSES: Readonly<Record<string, readonly string[]>> = { huawei: ["LOW", "NORMAL", "HIGH"], honor: ["LOW", "NORMAL"] };

export function jpush(world: World): Vendor {
  const accounts = new Accounts("app_key", { app_key: () => hex(24), master_secret: () => hex(24) }, [], () => ({}));
  const sent = new Map<string, Answer>();

  function send(request: LabRequest): Answer {
    const { basic, key, secret } = caller(request);
    world.credentialSeen("jpush", basic);
    if (accounts.get(key)?.texts["master_secret"] !== secret) return refuse(1004, "authen failed");
    if (!isObject(request.json)) return refuse(1003, "not JSON");
    const { cid, options = {} } = request.json;
    // The same id again: the first answer, and nothing is sent.
    if (cid !== undefined && !(typeof cid === "string" && cid.startsWith(`${key}-`))) return refuse(1003, "cid is not of this app");
    const before = sent.get(String(cid));
    if (before !== undefined) return before;
    if (!isObject(options)) return refuse(1003, "options");
    const fault = check(request.json, options);
    if (fault !== undefined) return refuse(...fault);
    const listed = registrationIds(request);
    const illegal_rids = listed.filter((id) => stateOf(world, "jpush", id) === "illegal");
    if (illegal_rids.length > 0) {
      const error = { code: 1003, message: "illegal registration ids", illegal_rids };
      return jsonAnswer(400, { error }, "1003");
    }
    if (listed.every((id) => stateOf(world, "jpush", id) === "inactive")) return refuse(1011, "cannot find user by this audience");
    const answer = jsonAnswer(200, { sendno: String(options["sendno"] ?? 0), msg_id: digits(17) });
    if (cid !== undefined) sent.set(String(cid), answer);
    return answer;
  }

  return {
    name: "jpush",
    hosts: ["api.jpush.cn"],
    tokenStates: ["alive", "inactive", "illegal"],
    identify: (request) => ({ account: caller(request).key, tokens: registrationIds(request) }),
    answer(request) {
      if (request.path !== "/v3/push") return { status: 404, body: "" };
      return request.method === "POST" ? send(request) : refuse(1001, "POST only");
    },
    refusal: (reason) => (Number(reason) in STATUS ? refuse(Number(reason), "as the test wants it") : undefined),
    register: async (account) => accounts.register(account),
    make: async (options) => accounts.make(options),
    reset(everything) {
      sent.clear();
      if (everything) accounts.clear();
    },
  };
}

function caller(request: LabRequest): { basic: string; key: string; secret: string } {
  const basic = /^Basic (.+)$/.exec(request.header("authorization") ?? "")?.[1] ?? "";
  const [key = "", secret = ""] = Buffer.from(basic, "base64").toString().split(":");
  return { basic, key, secret };
}

function registrationIds(request: LabRequest): string[] {
  const audience = isObject(request.json) ? request.json["audience"] : undefined;
  return (isObject(audience) ? texts(audience["registration_id"]) : undefined) ?? [];
}

function refuse(code: number, message: string): Answer {
  const answer = jsonAnswer(STATUS[code] ?? 400, { error: { code, message } }, String(code));
  const limits = { "x-rate-limit-limit": "600", "x-rate-limit-remaining": "0", "x-rate-limit-reset": "30" };
  return code === 2002 ? { ...answer, headers: { ...answer.headers, ...limits } } : answer;
}

function check(push: Record<string, unknown>, options: Record<string, unknown>): Refusal | undefined {
  const { platform, audience, notification, message } = push;
  if (platform === undefined || audience === undefined) return [1002, "platform or audience is missing"];
  if (platform !== "all" && !(texts(platform) ?? ["none"]).every((name) => PLATFORMS.includes(name))) return [1003, "platform"];
  const listed = isObject(audience) ? texts(audience["registration_id"]) : undefined;
  if (listed === undefined || listed.length < 1 || listed.length > 1000) return [1003, "audience.registration_id"];
  if (notification === undefined && message === undefined) return [1002, "neither notification nor message"];
  if (!between(options["time_to_live"], 0, 259_200)) return [1003, "time_to_live"];
  if (message !== undefined && !(isObject(message) && typeof message["msg_content"] === "string")) return [1003, "message.msg_content"];
  if (notification !== undefined && !isObject(notification)) return [1003, "notification"];
  const { alert, android, ios, hmos } = notification ?? {};
  if (notification !== undefined && [alert, android, ios, hmos].every((part) => part === undefined)) return [1002, "notification is empty"];
  for (const [name, part] of Object.entries({ android, hmos })) {
    if (part !== undefined && !(isObject(part) && isText(part["alert"], 1, 4000))) return [1003, `notification.${name}.alert`];
  }
  const bytes = (part: unknown): number => (part === undefined ? 0 : Buffer.byteLength(JSON.stringify(part)));
  if (bytes(android) + bytes(message) > 4000) return [1005, "the message is too large"];
  const fault = classFault(options);
  return fault === undefined ? undefined : [1003, fault];
}

function classFault(options: Record<string, unknown>): string | undefined {
  if (![undefined, 0, 1].includes(options["classification"] as number | undefined)) return "classification";
  const third = options["third_party_channel"];
  if (third === undefined) return undefined;
  if (!isObject(third)) return "third_party_channel";
  for (const [vendor, values] of Object.entries(CLASSES)) {
    const channel = third[vendor];
    if (channel === undefined) continue;
    if (!isObject(channel)) return vendor;
    if (channel["importance"] !== undefined && !values.includes(String(channel["importance"]))) return `${vendor}.importance`;
  }
  return undefined;
}
