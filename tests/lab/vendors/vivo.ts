// vivo Push: JSON; access tokens for a signed time; one phone, or a message saved and a list.

import { createHash } from "node:crypto";
import { digits, hex } from "../random.ts";
import { between } from "./huawei_rules.ts";
import { AccessTokens, Accounts, chars, DayCounts, isObject, isText, jsonAnswer, positive, stateOf, texts, type Callback } from "./makers.ts";
import { capping, perDevice, PhoneCaps, type Share } from "./phone_caps.ts";
import type { Answer, LabRequest, Vendor, World } from "./vendor.ts";

const SYSTEM = ["IM", "ACCOUNT", "TODO", "DEVICE_REMINDER", "ORDER", "SUBSCRIPTION"];
const OPERATIONAL = ["NEWS", "CONTENT", "MARKETING", "SOCIAL"];
/** Of an app that is no news app: so many operational messages to one phone in a day. */
const OPERATIONAL_A_DAY = 2;
const STATUS: Readonly<Record<string, number>> = { unknown: 1, uninstalled: 2, inactive: 3, muted: 5 };
const CODES = new Set(
  "10000 10040 10045 10050 10055 10056 10058 10059 10060 10062 10063 10064 10067 10068 10069 10070 10071 10072 10078 10082 10089 10094 10096 10097 10101 10104 10200 10201 10202 10203 10204 10205 10252 10254 10302 10303".split(" "),
);

type Body = Record<string, unknown>;

export function vivo(world: World): Vendor {
  const make = { app_id: () => `1${digits(8)}`, app_key: () => hex(32), app_secret: () => hex(32) };
  const accounts = new Accounts<{ perDay: number; perDevice: number }>("app_id", make, ["per_day", "per_device"], (given) => ({
    perDay: positive(given, "per_day") ?? 20_000,
    perDevice: perDevice(given, OPERATIONAL_A_DAY),
  }));
  const tokens = new AccessTokens();
  const counts = new DayCounts();
  const phones = new PhoneCaps();
  const seen = new Set<string>();
  const saved = new Map<string, Body>();
  const callbacks: Callback[] = [];

  function auth(body: Body): Answer {
    const [id, key, time] = [String(body["appId"] ?? ""), String(body["appKey"] ?? ""), String(body["timestamp"] ?? "")];
    const account = accounts.get(id)?.texts;
    if (account === undefined || account["app_key"] !== key) return refuse(10201, "appId or appKey");
    if (!/^\d{13}$/.test(time) || Math.abs(Number(time) - world.now()) > 600_000) return refuse(10202, "timestamp");
    const sign = createHash("md5").update(id + key + time + account["app_secret"]).digest("hex");
    if (body["sign"] !== sign) return refuse(10203, "sign");
    if (tokens.tooMany(id, world.now(), 10, 1000)) return refuse(10072, "too fast");
    return jsonAnswer(200, { result: 0, desc: "请求成功", authToken: tokens.grant(id, world.now(), 86_400) });
  }

  /** What all but `auth` have in common. */
  function refuseCall(request: LabRequest, body: Body): Answer | undefined {
    const token = request.header("authtoken");
    if (token !== undefined) world.credentialSeen("vivo", token);
    const app = tokens.owner(token, world.now());
    if (app === undefined) return refuse(10000, "权限认证失败");
    if (typeof body["appId"] !== "number" || String(body["appId"]) !== app) return refuse(10094, "appId");
    const id = `${app} ${String(body["requestId"])}`;
    if (!isText(body["requestId"], 1, 64) || seen.has(id)) return refuse(10303, "requestId");
    seen.add(id);
    return undefined;
  }

  /**
   * Messages are counted by arrival, tests not at all; one without a class is operational. A phone that has had its day's share is no
   * error: vivo takes the message, drops it, and shows it in its statistics only (second-hand).
   */
  function spend(body: Body, to: readonly string[]): Share | Answer {
    const { category, classification } = body;
    if (body["pushMode"] === 1 || (category === undefined ? classification === 1 : !OPERATIONAL.includes(String(category)))) return { within: to, over: [] };
    const app = String(body["appId"]);
    const { perDay = 0, perDevice = 0 } = accounts.get(app) ?? {};
    const share = phones.split(app, to, world.now(), perDevice);
    if (!counts.spend(app, world.now(), share.within.length, perDay)) return refuse(10070, "发送量超限");
    phones.count(app, share, world.now());
    return share;
  }

  const status = (token: string): number | undefined => STATUS[stateOf(world, "vivo", token)];

  function send(body: Body): Answer {
    const token = body["regId"];
    if (!isText(token, 1, 64)) return refuse(10050, "regId");
    const fault = check(body);
    if (fault !== undefined) return fault;
    const invalid = status(token);
    if (invalid !== undefined) {
      return { ...jsonAnswer(200, { result: 10302, desc: "regId不合法", invalidUser: { status: invalid, userid: token } }), reason: "10302" };
    }
    const share = spend(body, [token]);
    if ("status" in share) return share;
    // Formal messages to one phone only: lists are reported to an address of the console, which the lab does not play.
    const { callback: url, "callback.param": param } = isObject(body["extra"]) ? body["extra"] : {};
    const taskId = digits(18);
    if (typeof url === "string" && body["pushMode"] !== 1 && share.over.length === 0) {
      callbacks.push({ url, param: String(param ?? ""), targets: [token], event: "0", id: taskId });
    }
    return capping(jsonAnswer(200, { result: 0, desc: "请求成功", taskId }), share.over);
  }

  function save(body: Body): Answer {
    if (body["regId"] !== undefined || body["regIds"] !== undefined) return refuse(10060, "a saved message has no targets");
    const fault = check(body);
    if (fault !== undefined) return fault;
    const taskId = digits(18);
    saved.set(taskId, body);
    return jsonAnswer(200, { result: 0, desc: "请求成功", taskId });
  }

  function list(body: Body): Answer {
    const targets = texts(body["regIds"]) ?? [];
    if (targets.length < 2 || targets.length > 1000) return refuse(10050, "regIds: 2 to 1000");
    const message = saved.get(String(body["taskId"]));
    if (message === undefined || message["appId"] !== body["appId"]) return refuse(10060, "taskId");
    const invalidUsers = targets.flatMap((userid) => {
      const invalid = status(userid);
      return invalid === undefined ? [] : [{ status: invalid, userid }];
    });
    const share = spend(message, targets.filter((token) => status(token) === undefined));
    if ("status" in share) return share;
    return capping(jsonAnswer(200, { result: 0, desc: "请求成功", ...(invalidUsers.length > 0 ? { invalidUsers } : {}) }), share.over);
  }

  return {
    name: "vivo",
    hosts: ["api-push.vivo.com.cn"],
    tokenStates: ["alive", ...Object.keys(STATUS)],
    identify(request) {
      const body = isObject(request.json) ? request.json : {};
      const listed = texts(body["regIds"]) ?? (typeof body["regId"] === "string" ? [body["regId"]] : []);
      return { account: String(body["appId"] ?? ""), tokens: listed };
    },
    answer(request) {
      const step = { "/message/auth": auth, "/message/send": send, "/message/saveListPayload": save, "/message/pushToList": list }[request.path];
      if (step === undefined || request.method !== "POST") return { status: 404, body: "" };
      if (!isObject(request.json)) return refuse(10060, "not JSON");
      return (step === auth ? undefined : refuseCall(request, request.json)) ?? step(request.json);
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
      saved.clear();
      callbacks.length = 0;
      if (everything) accounts.clear();
    },
  };
}

function refuse(result: number, desc: string): Answer {
  return jsonAnswer(200, { result, desc }, String(result));
}

function check(body: Body): Answer | undefined {
  const { title, content, notifyType, timeToLive = 86_400, skipType, skipContent, category, classification, clientCustomMap: custom = {}, extra = {} } = body;
  if (!isText(title, 1, 40)) return chars(title) > 40 ? refuse(10056, "title is too long") : refuse(10055, "title is empty");
  if (!isText(content, 1, 100)) return chars(content) > 100 ? refuse(10059, "content is too long") : refuse(10058, "content is empty");
  if (/test|测试/i.test(`${title} ${content}`) && body["pushMode"] !== 1) return refuse(10104, "looks like a test");
  // Which number of 10060 to 10069 is which is (unverified).
  if (![1, 2, 3, 4].includes(notifyType as number)) return refuse(10060, "notifyType");
  if (!between(timeToLive, 60, 86_400)) return refuse(10062, "timeToLive");
  if (![1, 2, 3, 4].includes(skipType as number)) return refuse(10063, "skipType");
  if (skipType !== 1 && !isText(skipContent, 1, 1024)) return refuse(10064, "skipContent");
  if (!isObject(custom) || Object.keys(custom).length > 10 || Object.values(custom).some((value) => typeof value !== "string")) return refuse(10067, "clientCustomMap");
  if (chars(Object.values(custom).join("")) > 1024) return refuse(10067, "clientCustomMap");
  if (!between(body["notifyId"], 1, 2_147_483_647)) return refuse(10069, "notifyId");
  const system = SYSTEM.includes(String(category));
  if (category !== undefined && !system && !OPERATIONAL.includes(String(category))) return refuse(10096, "category");
  if (![undefined, 0, 1].includes(classification as number | undefined)) return refuse(10097, "classification");
  if (classification !== undefined && category !== undefined && (classification === 1) !== system) return refuse(10097, "classification");
  if (!isObject(extra) || chars(extra["callback"] ?? "") > 128 || chars(extra["callback.param"] ?? "") > 64) return refuse(10068, "extra");
  return undefined;
}
