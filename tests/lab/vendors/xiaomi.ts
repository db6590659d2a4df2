// Xiaomi's MiPush: POST /v3/message/regid, a form.

import { fields, InputError } from "../input.ts";
import { hex } from "../random.ts";
import { Accounts, chars, DayCounts, formOf, isForm, isText, jsonAnswer, stateOf, type Callback } from "./makers.ts";
import type { Answer, LabRequest, Vendor, World } from "./vendor.ts";

const HOSTS = ["api.xmpush.xiaomi.com", ...["ru-api", "idmb-api", "fr-api", "sgp-api"].map((region) => `${region}.xmpush.global.xiaomi.com`)];
const CODES = new Set(
  "10001 10002 10003 10008 10012 10016 10017 10018 10020 10021 10022 10023 10024 10026 10027 10028 10029 10031 10034 10036 10037 20301 21301 21302 21303 21305 22000 22006 22007 22008 22022 22100 22101 22102 22103 26003 26006 27001 65003 65009 65014 65015 200001 200002".split(" "),
);
/** Bits of events that may be asked for; clicks and deliveries are 1 and 2. */
const EVENTS = 1 | 2 | 16 | 32 | 64 | 128;

interface Channels {
  /** Of each channel: public or private. Without any the app still uses none. */
  readonly channels: Readonly<Record<string, string>>;
  readonly publicPerDay: number;
}

export function xiaomi(world: World): Vendor {
  const accounts = new Accounts<Channels>(
    "app_secret",
    { app_secret: () => hex(24), package: () => `com.example.lab${hex(6)}` },
    ["channels", "public_per_day"],
    (given) => {
      const channels = fields(given["channels"] ?? {}, "channels", Object.keys(given["channels"] ?? {}));
      if (Object.values(channels).some((kind) => kind !== "public" && kind !== "private")) throw new InputError("channels are public or private");
      return { channels: channels as Record<string, string>, publicPerDay: Number(given["public_per_day"] ?? 20_000) };
    },
  );
  const counts = new DayCounts();
  const callbacks: Callback[] = [];

  function send(request: LabRequest): Answer {
    const secret = /^key=(.+)$/.exec(request.header("authorization") ?? "")?.[1] ?? "";
    world.credentialSeen("xiaomi", secret);
    const account = accounts.get(secret);
    if (account === undefined) return refuse(21301, "认证失败");
    if (!isForm(request)) return refuse(10016, "not a form");
    const form = formOf(request);
    const field = (name: string): string => form.get(name) ?? "";
    if (field("restricted_package_name") !== account.texts["package"]) return refuse(22022, "package does not belong to this secret");
    const targets = field("registration_id").split(",").filter((id) => id !== "");
    if (targets.length < 1 || targets.length > 1000) return refuse(10017, "registration_id");
    const extras = [...form.keys()].filter((name) => name.startsWith("extra."));
    const own = extras.filter((name) => name.startsWith("extra.custom"));
    if (own.length > 10) return refuse(65014, "too many extras");
    const fault = check(field);
    if (fault !== undefined) return refuse(10017, fault);
    const channel = field("extra.channel_id");
    const kind = channel === "" ? "public" : account.channels[channel];
    if (kind === undefined) return refuse(27001, "channel info does not match");
    if (channel === "" && Object.keys(account.channels).length > 0 && field("extra.template_id") !== "") return refuse(27001, "template without channel");
    if (kind === "private" && field("extra.template_id") === "") return refuse(27001, "a private message needs a template");
    if (kind === "public" && Number(field("time_to_live")) > 86_400_000) return refuse(10017, "time_to_live of a public message");
    const dead = targets.filter((id) => stateOf(world, "xiaomi", id) === "invalid");
    const reached = targets.filter((id) => !dead.includes(id));
    if (reached.length === 0) return refuse(20301, "No valid targets!");
    if (kind === "public" && counts.add(secret, world.now(), reached.length) > account.publicPerDay) {
      return refuse(200001, "push quota exceeded, have acked");
    }
    const url = field("extra.callback");
    const param = field("extra.callback.param");
    if (url !== "") {
      callbacks.push({ url, param, targets: reached, event: "1" });
      if (dead.length > 0) callbacks.push({ url, param, targets: dead, event: "16" });
    }
    const body = { result: "ok", trace_id: hex(24), code: 0, description: "成功", info: "Received push messages for 1 REGID", data: { id: `s${hex(20)}` } };
    return jsonAnswer(200, body);
  }

  return {
    name: "xiaomi",
    hosts: HOSTS,
    tokenStates: ["alive", "invalid"],
    identify: (request) => ({ account: undefined, tokens: (formOf(request).get("registration_id") ?? "").split(",") }),
    answer(request) {
      return request.path === "/v3/message/regid" && request.method === "POST" ? send(request) : refuse(10020, "no such API");
    },
    refusal: (reason) => (CODES.has(reason) ? refuse(Number(reason), "as the test wants it") : undefined),
    callbacks: () => [...callbacks],
    register: async (account) => accounts.register(account),
    make: async (options) => accounts.make(options),
    reset(everything) {
      counts.clear();
      callbacks.length = 0;
      if (everything) accounts.clear();
    },
  };
}

function refuse(code: number, reason: string): Answer {
  return jsonAnswer(200, { result: "error", reason, trace_id: hex(24), code, description: "失败" }, String(code));
}

function check(field: (name: string) => string): string | undefined {
  if (!isText(field("title"), 1, 49)) return "title";
  if (!isText(field("description"), 1, 127)) return "description";
  if (field("pass_through") !== "0") return "pass_through is withdrawn";
  const life = Number(field("time_to_live"));
  if (!(life > 0 && life <= 864_000_000)) return "time_to_live";
  if (field("notify_id") !== "" && !(Number(field("notify_id")) >= 0 && Number(field("notify_id")) <= 2_147_483_647)) return "notify_id";
  const effect = field("extra.notify_effect");
  if (effect === "2" && !field("extra.intent_uri").endsWith("end")) return "extra.intent_uri";
  if (effect === "3" && !/^https?:/.test(field("extra.web_uri"))) return "extra.web_uri";
  if (field("extra.jobkey") !== "" && !/^[0-9A-Za-z-][0-9A-Za-z_-]{0,19}$/.test(field("extra.jobkey"))) return "extra.jobkey";
  if (chars(field("extra.callback.param")) > 256) return "extra.callback.param";
  const events = field("extra.callback.type");
  return events !== "" && (Number(events) & ~EVENTS) !== 0 ? "extra.callback.type" : undefined;
}
