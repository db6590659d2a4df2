// Meizu's Flyme Push: a signed form.

import { createHash } from "node:crypto";
import { digits, hex } from "../random.ts";
import { Accounts, formOf, isForm, isObject, isText, jsonAnswer, stateOf, type Callback } from "./makers.ts";
import { capping, perDevice, PhoneCaps } from "./phone_caps.ts";
import type { Answer, LabRequest, Vendor, World } from "./vendor.ts";

const SEND = "/garcia/api/server/push/varnished/pushByPushId";
/** Of an app that is no news app: so many public messages to one phone in a day, and the code of what is over. */
const PUBLIC_A_DAY = 3;
const CAPPED = "110011";
/** States of a phone, and the code each is named under. */
const TARGETS: Readonly<Record<string, string>> = { unsubscribed: "110002", illegal: "110003", muted: "110010", capped: CAPPED };
const CODES = new Set("-1 300 500 1001 1003 1005 1006 110000 110001 110002 110003 110004 110009 110010 110019 110031 110032 110033 110051 110053".split(" "));

export function meizu(world: World): Vendor {
  const accounts = new Accounts("app_id", { app_id: () => `1${digits(5)}`, app_secret: () => hex(32) }, ["per_device"], (given) => ({ perDevice: perDevice(given, PUBLIC_A_DAY) }));
  const phones = new PhoneCaps();
  const callbacks: Callback[] = [];

  function send(request: LabRequest): Answer {
    if (!isForm(request)) return refuse("1005", "not a form");
    const form = formOf(request);
    const found = accounts.get(form.get("appId") ?? "");
    if (found === undefined) return refuse("110000", "appId不合法");
    const { texts: account, perDevice } = found;
    world.credentialSeen("meizu", account["app_secret"] as string);
    const named = [...form].filter(([name]) => name !== "sign").sort(([a], [b]) => (a < b ? -1 : 1));
    const signed = named.map(([name, value]) => `${name}=${value}`).join("") + account["app_secret"];
    if (form.get("sign") !== createHash("md5").update(signed).digest("hex")) return refuse("1006", "签名错误");
    if (!form.get("pushIds") || !form.get("messageJson")) return refuse("110004", "参数为空");
    const targets = (form.get("pushIds") ?? "").split(",").filter((id) => id !== "");
    if (targets.length < 1 || targets.length > 100) return refuse("1005", "pushIds");
    const message = parse(form.get("messageJson") ?? "");
    const fault = message === undefined ? "messageJson" : check(message);
    if (message === undefined || fault !== undefined) return refuse("1005", fault ?? "messageJson");
    const value: Record<string, string[]> = {};
    const alive: string[] = [];
    for (const target of targets) {
      const code = TARGETS[stateOf(world, "meizu", target)];
      if (code === undefined) alive.push(target);
      else (value[code] ??= []).push(target);
    }
    const isPublic = isObject(message["noticeBarInfo"]) && message["noticeBarInfo"]["noticeMsgType"] !== 1;
    const { within: reached, over } = phones.take(account["app_id"] as string, alive, world.now(), isPublic ? perDevice : Infinity);
    if (over.length > 0) (value[CAPPED] ??= []).push(...over);
    const { callback: url, "callback.param": param, "callback.type": type } = isObject(message["extra"]) ? message["extra"] : {};
    const msgId = `NS${digits(20)}`;
    // Delivered, unless only clicks are asked for.
    if (typeof url === "string" && type !== "2" && reached.length > 0) {
      callbacks.push({ url, param: String(param ?? ""), targets: reached, event: "1", id: msgId, ...(type === "1" ? {} : { tap: "2" }) });
    }
    return capping(jsonAnswer(200, { code: "200", message: "", value, msgId, redirect: "" }), value[CAPPED] ?? []);
  }

  return {
    name: "meizu",
    hosts: ["server-api-push.meizu.com"],
    tokenStates: ["alive", ...Object.keys(TARGETS)],
    identify(request) {
      const form = formOf(request);
      return { account: form.get("appId") ?? undefined, tokens: (form.get("pushIds") ?? "").split(",") };
    },
    answer: (request) => (request.path === SEND && request.method === "POST" ? send(request) : { status: 404, body: "" }),
    refusal: (reason) => (CODES.has(reason) ? refuse(reason, "as the test wants it") : undefined),
    callbacks: () => [...callbacks],
    register: async (account) => accounts.register(account),
    make: async (options) => accounts.make(options),
    reset(everything) {
      phones.clear();
      callbacks.length = 0;
      if (everything) accounts.clear();
    },
  };
}

function refuse(code: string, message: string): Answer {
  return jsonAnswer(200, { code, message, value: "", redirect: "", msgId: null }, code);
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function check(message: Record<string, unknown>): string | undefined {
  const { noticeBarInfo: bar, clickTypeInfo: click = {}, pushTimeInfo: time = {}, advanceInfo: more = {}, extra = {} } = message;
  if (!isObject(bar) || !isObject(click) || !isObject(time) || !isObject(more) || !isObject(extra)) return "messageJson";
  if (![undefined, 0, 1].includes(bar["noticeMsgType"] as number)) return "noticeMsgType";
  if (!isText(bar["title"], 1, 32) || !isText(bar["content"], 1, 100)) return "title or content";
  // 3 is the vendor's as well, but opens nothing since Android 12.
  if (![undefined, 0, 1, 2].includes(click["clickType"] as number | undefined)) return "clickType";
  if (click["clickType"] === 1 && !isText(click["activity"], 1, 1000)) return "activity";
  if (click["clickType"] === 2 && !(Buffer.byteLength(String(click["url"] ?? "")) <= 1000 && click["url"])) return "url";
  if (click["parameters"] !== undefined && !isObject(click["parameters"])) return "parameters";
  const hours = time["validTime"];
  if (hours !== undefined && !(Number.isInteger(hours) && (hours as number) >= 1 && (hours as number) <= 72)) return "validTime";
  if (more["notifyKey"] !== undefined && !/^[0-9A-Za-z_-]{1,8}$/.test(String(more["notifyKey"]))) return "notifyKey";
  const bytes = (name: string): number => Buffer.byteLength(String(extra[name] ?? ""));
  if (![undefined, "1", "2", "3"].includes(extra["callback.type"] as string | undefined)) return "callback.type";
  return bytes("callback") > 128 || bytes("callback.param") > 64 ? "extra" : undefined;
}
