// What Huawei's API says of a message, and its codes: HarmonyOS NEXT shares them.

import { isObject, isText, jsonAnswer } from "./makers.ts";
import type { Answer } from "./vendor.ts";
import { hex } from "../random.ts";

export type Refusal = [code: number, message: string];

export const CATEGORIES: ReadonlySet<string> = new Set(
  "IM VOIP MISS_CALL SUBSCRIPTION TRAVEL HEALTH WORK ACCOUNT EXPRESS FINANCE DEVICE_REMINDER MAIL PLAY_VOICE MARKETING".split(" "),
);

/** Of an app that is no news app: so many messages of the class marketing to one phone in a day, and the receipt of what is over. */
export const MARKETING_A_DAY = 2;
export const CAPPED = "256";

/** HTTP statuses other than 200 that come with a code. */
const STATUS: Readonly<Record<number, number>> = { 80200001: 401, 80200003: 401, 80200005: 401, 81000001: 500 };
const CODES: ReadonlySet<number> = new Set([
  80000000, 80100000, 80100001, 80100002, 80100003, 80100004, 80100013, 80100016, 80100017, 80100018, 80100020, 80100022, 80200001,
  80200003, 80200005, 80300002, 80300007, 80300008, 80300010, 80300011, 80300013, 80300017, 80300028, 80300029, 80300030, 80300032,
  80300036, 80300037, 80600003, 81000001,
]);

export function huaweiAnswer(code: number, msg: string, requestId = hex(24)): Answer {
  const body = { code: String(code), msg, requestId };
  const ok = code === 80000000 || code === 80100000;
  return jsonAnswer(STATUS[code] ?? 200, body, ok ? undefined : String(code));
}

export function huaweiRefusal(reason: string): Answer | undefined {
  if (reason === "503") return { status: 503, body: "", reason };
  return CODES.has(Number(reason)) ? huaweiAnswer(Number(reason), "as the test wants it") : undefined;
}

/** Whether a message of API v1 and v2 counts as marketing: one without a category does (unverified: Huawei sorts it by its words). */
export function isMarketing({ notification: outer, android }: Record<string, unknown>): boolean {
  const { notification, category, target_user_type: test } = isObject(android) ? android : {};
  return (notification ?? outer) !== undefined && (category === undefined || category === "MARKETING") && test !== 1;
}

/** A message of API v1 and v2. */
export function checkAndroid(message: Record<string, unknown>): Refusal | undefined {
  const { notification: outer = {}, android = {} } = message;
  if (!isObject(android) || !isObject(outer)) return [80100003, "android must be an object"];
  const { ttl, collapse_key: group, category, notification, urgency, data = message["data"] } = android;
  if (data !== undefined && typeof data !== "string") return [80100003, "data must be a string"];
  // A right of its own, which no app of the lab has.
  if (urgency === "HIGH") return [80300011, "urgency"];
  if (ttl !== undefined && !(typeof ttl === "string" && /^\d+s$/.test(ttl) && Number.parseInt(ttl) <= 1_296_000)) return [80100004, "ttl"];
  if (ttl === "0s") return [80100004, "ttl"];
  if (group !== undefined && !(Number.isInteger(group) && (group as number) >= -1 && (group as number) <= 100)) return [80100013, "collapse_key"];
  if (notification === undefined && Object.keys(outer).length === 0) {
    return data ? undefined : [80100003, "neither data nor notification"];
  }
  if (category !== undefined && !CATEGORIES.has(String(category))) return [80100001, "category"];
  if (!isObject(notification)) return [80100003, "android.notification"];
  if (!isText(notification["title"] ?? outer["title"], 1, 4096)) return [80100003, "title"];
  if (!isText(notification["body"] ?? outer["body"], 1, 4096)) return [80100003, "body"];
  const { importance, click_action: click, image = outer["image"], badge } = notification;
  if (importance !== undefined && importance !== "LOW" && importance !== "NORMAL") return [80100001, "importance"];
  if (image !== undefined && !String(image).startsWith("https://")) return [80100001, "image"];
  if (badge !== undefined && !(isObject(badge) && between(badge["set_num"], 0, 99) && between(badge["add_num"], 1, 99))) return [80100001, "badge"];
  if (!isObject(click)) return [80100003, "click_action"];
  const fits =
    (click["type"] === 1 && (isText(click["intent"], 1, 4096) || isText(click["action"], 1, 4096))) ||
    (click["type"] === 2 && String(click["url"]).startsWith("https://")) ||
    click["type"] === 3;
  return fits ? undefined : [80100003, "click_action"];
}

export function between(value: unknown, least: number, most: number): boolean {
  return value === undefined || (Number.isInteger(value) && (value as number) >= least && (value as number) <= most);
}
