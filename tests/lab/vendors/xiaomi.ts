// Xiaomi's MiPush: POST /v3/message/regid, a form.

import { fields, InputError } from "../input.ts";
import { hex } from "../random.ts";
import { Accounts, chars, DayCounts, formOf, isForm, isText, jsonAnswer, stateOf, type Callback } from "./makers.ts";
import { capping, perDevice, PhoneCaps } from "./phone_caps.ts";
import type { Answer, LabRequest, Vendor, World } from "./vendor.ts";

const HOSTS = ["api.xmpush.xiaomi.com", ...["ru-api", "idmb-api", "fr-api", "sgp-api"].map((region) => `${region}.xmpush.global.xiaomi.com`)];
const CODES = new Set(
  "10001 10002 10003 10008 10012 10016 10017 10018 10020 10021 10022 10023 10024 10026 10027 10028 10029 10031 10034 10036 10037 20301 21301 21302 21303 21305 22000 22006 22007 22008 22022 22100 22101 22102 22103 26003 26006 27001 65003 65009 65011 65014 65015 65028 65030 65036 65037 65038 200001 200002".split(" "),
);
const [DELIVERED, CLICKED, DEAD, OVER] = [1, 2, 16, 128] as const;
/** Bits of events that may be asked for. Any other, and none is reported. */
const EVENTS = DELIVERED | CLICKED | DEAD | 32 | 64 | OVER;
/** What `extra.` may hold that is Xiaomi's own; all else is the sender's. */
const EXTRAS: ReadonlySet<string> = new Set(
  "notify_effect intent_uri web_uri notify_foreground sound_uri badge jobkey only_send_once flow_control channel_id template_id template_param callback callback.param callback.type locale locale_not_in model model_not_in app_version app_version_not_in connpt notification_style_type notification_bigPic_uri notification_large_icon_uri".split(" "),
);

/** Public messages to one phone in a day: over a public channel (of an app that is no news app), and without a channel. */
const [OVER_CHANNEL, WITHOUT_CHANNEL] = [5, 1] as const;

interface Channels {
  /** Of each channel: public or private. Without any the app still uses none. */
  readonly channels: Readonly<Record<string, string>>;
  readonly publicPerDay: number;
  readonly perDevice: number;
}

export function xiaomi(world: World): Vendor {
  const accounts = new Accounts<Channels>(
    "app_secret",
    { app_secret: () => hex(24), package: () => `com.example.lab${hex(6)}` },
    ["channels", "public_per_day", "per_device"],
    (given) => {
      const channels = fields(given["channels"] ?? {}, "channels", Object.keys(given["channels"] ?? {}));
      if (Object.values(channels).some((kind) => kind !== "public" && kind !== "private")) throw new InputError("channels are public or private");
      const publicPerDay = Number(given["public_per_day"] ?? 20_000);
      return { channels: channels as Record<string, string>, publicPerDay, perDevice: perDevice(given, OVER_CHANNEL) };
    },
  );
  const counts = new DayCounts();
  const phones = new PhoneCaps();
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
    const own = [...form].filter(([name]) => name.startsWith("extra.") && !EXTRAS.has(name.slice(6)));
    if (own.length > 10) return refuse(65014, "too many extras");
    if (chars(own.map(([name, value]) => name.slice(6) + value).join("")) > 1024) return refuse(65015, "extras are too long");
    const fault = check(field);
    if (fault !== undefined) return refuse(...fault);
    const channel = field("extra.channel_id");
    const kind = channel === "" ? "public" : account.channels[channel];
    if (kind === undefined) return refuse(27001, "channel info does not match");
    if (channel === "" && Object.keys(account.channels).length > 0 && field("extra.template_id") !== "") return refuse(27001, "template without channel");
    if (kind === "private" && field("extra.template_id") === "") return refuse(27001, "a private message needs a template");
    if (kind === "public" && Number(field("time_to_live")) > 86_400_000) return refuse(10017, "time_to_live of a public message");
    const dead = targets.filter((id) => stateOf(world, "xiaomi", id) === "invalid");
    const reached = targets.filter((id) => !dead.includes(id));
    if (reached.length === 0) return refuse(20301, "No valid targets!");
    const [url, param, types] = [field("extra.callback"), field("extra.callback.param"), field("extra.callback.type")];
    const id = `s${hex(20)}`;
    // Not asked, Xiaomi reports deliveries and clicks (unverified).
    const wanted = types === "" ? DELIVERED | CLICKED : Number(types);
    const report = (event: number, targets: readonly string[]): void => {
      if (url === "" || targets.length === 0 || (wanted & ~EVENTS) !== 0 || (wanted & event) === 0) return;
      const tap = event === DELIVERED && (wanted & CLICKED) !== 0 ? { tap: String(CLICKED) } : {};
      callbacks.push({ url, param, targets, event: String(event), id, ...tap });
    };
    // What was sent over a channel counts for those without one, too (unverified).
    const most = channel === "" && account.perDevice !== Infinity ? WITHOUT_CHANNEL : account.perDevice;
    const share = phones.split(secret, reached, world.now(), kind === "public" ? most : Infinity);
    if (kind === "public") {
      if (!counts.spend(secret, world.now(), share.within.length, account.publicPerDay)) {
        report(OVER, reached);
        return refuse(200001, "push quota exceeded, have acked");
      }
      phones.count(secret, share, world.now());
    }
    report(DELIVERED, share.within);
    report(DEAD, dead);
    // Taken as well where it is all of them: a code is for the app's total (unverified).
    report(OVER, share.over);
    const today = { day_quota: String(account.publicPerDay), day_acked: String(counts.spent(secret, world.now())) };
    const info = `Received push messages for ${targets.length} REGID`;
    const body = { result: "ok", trace_id: hex(24), code: 0, description: "成功", info, data: { id, ...today } };
    return capping(jsonAnswer(200, body), share.over);
  }

  return {
    name: "xiaomi",
    hosts: HOSTS,
    tokenStates: ["alive", "invalid"],
    identify(request) {
      const form = formOf(request);
      return { account: form.get("restricted_package_name") ?? undefined, tokens: (form.get("registration_id") ?? "").split(",") };
    },
    answer(request) {
      return request.path === "/v3/message/regid" && request.method === "POST" ? send(request) : refuse(10020, "no such API");
    },
    refusal: (reason) => (CODES.has(reason) ? refuse(Number(reason), "as the test wants it") : undefined),
    callbacks: () => [...callbacks],
    register: async (account) => accounts.register(account),
    make: async (options) => accounts.make(options),
    reset(everything) {
      counts.clear();
      phones.clear();
      callbacks.length = 0;
      if (everything) accounts.clear();
    },
  };
}

function refuse(code: number, reason: string): Answer {
  return jsonAnswer(200, { result: "error", reason, trace_id: hex(24), code, description: "失败" }, String(code));
}

function check(field: (name: string) => string): [code: number, reason: string] | undefined {
  const illegal = (name: string): [number, string] => [10017, name];
  const absent = (name: string): boolean => field(name) === "";
  if (!isText(field("title"), 1, 49)) return illegal("title");
  if (!isText(field("description"), 1, 127)) return illegal("description");
  if (field("pass_through") !== "0") return illegal("pass_through is withdrawn");
  if (!absent("notify_type") && !/^(-1|[0-7])$/.test(field("notify_type"))) return illegal("notify_type");
  const life = Number(field("time_to_live"));
  if (!absent("time_to_live") && !(life > 0 && life <= 864_000_000)) return illegal("time_to_live");
  if (!absent("notify_id") && !(/^\d{1,10}$/.test(field("notify_id")) && Number(field("notify_id")) <= 2_147_483_647)) return illegal("notify_id");
  const effect = field("extra.notify_effect");
  if (!["", "1", "2", "3"].includes(effect)) return illegal("extra.notify_effect");
  if (effect === "2" && !/^intent:.*#Intent;.*end$/.test(field("extra.intent_uri"))) return illegal("extra.intent_uri");
  if (effect === "3" && !/^https?:/.test(field("extra.web_uri"))) return illegal("extra.web_uri");
  if (!absent("extra.jobkey") && !/^[0-9A-Za-z-][0-9A-Za-z_-]{0,19}$/.test(field("extra.jobkey"))) return illegal("extra.jobkey");
  if (!absent("extra.callback") && !/^https?:\/\//.test(field("extra.callback"))) return [65038, "extra.callback"];
  if (chars(field("extra.callback.param")) > 256) return [65036, "extra.callback.param"];
  return /^\d*$/.test(field("extra.callback.type")) ? undefined : illegal("extra.callback.type");
}
