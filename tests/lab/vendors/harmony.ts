// Huawei Push Kit for HarmonyOS NEXT, API v3: POST /v3/{projectId}/messages:send, authorised by a service account's JWT.

import { generateKeyPair } from "node:crypto";
import { promisify } from "node:util";
import { compactVerify, importSPKI, type CryptoKey } from "jose";
import { fields, InputError, text } from "../input.ts";
import { bearer, jwtParts } from "../jwt.ts";
import { digits, hex } from "../random.ts";
import { between, CAPPED, CATEGORIES, huaweiAnswer, huaweiRefusal, MARKETING_A_DAY, type Refusal } from "./huawei_rules.ts";
import { isObject, isText, reported, stateOf, takes, texts, type Callback } from "./makers.ts";
import { capping, perDevice, PhoneCaps } from "./phone_caps.ts";
import type { Answer, LabRequest, Vendor, World } from "./vendor.ts";

const SEND = /^\/v3\/(\w+)\/messages:send$/;
const AUDIENCE = "https://oauth-login.cloud.huawei.com/oauth2/v3/token";
/** States of a phone, and the reason each is refused with. */
const REASONS: Readonly<Record<string, string>> = {
  invalid: "tokenFormatError",
  foreign: "tokenPlatformNotSupport",
  no_right: "noRight",
};

interface Account {
  readonly project_id: string;
  readonly key_id: string;
  readonly sub_account: string;
  readonly publicKey: CryptoKey;
  readonly perDevice: number;
}

export function harmony(world: World): Vendor {
  const accounts = new Map<string, Account>();
  const phones = new PhoneCaps();
  const callbacks: Callback[] = [];

  async function register(account: unknown): Promise<void> {
    const given = fields(account, "an account", ["project_id", "key_id", "sub_account", "public_key", "per_device"]);
    const publicKey = await importSPKI(text(given, "public_key"), "PS256").catch(() => {
      throw new InputError('"public_key" must be an RSA key in SPKI PEM');
    });
    const [project_id, key_id, sub_account] = [text(given, "project_id"), text(given, "key_id"), text(given, "sub_account")];
    accounts.set(project_id, { project_id, key_id, sub_account, publicKey, perDevice: perDevice(given, MARKETING_A_DAY) });
  }

  async function refuseCaller(request: LabRequest, project: string): Promise<Refusal | undefined> {
    const jwt = bearer(request.header("authorization"));
    if (jwt === undefined) return [80200001, "no token"];
    world.credentialSeen("harmony", jwt);
    const parts = jwtParts(jwt);
    const account = accounts.get(project);
    if (parts === undefined || account === undefined) return [80200001, "the JWT cannot be read"];
    const { header, claims } = parts;
    const verified = await compactVerify(jwt, account.publicKey, { algorithms: ["PS256"] }).catch(() => undefined);
    if (verified === undefined || header["kid"] !== account.key_id || header["typ"] !== "JWT") return [80200001, "the JWT's signature"];
    if (claims["iss"] !== account.sub_account || claims["aud"] !== AUDIENCE) return [80200001, "the JWT's claims"];
    const [iat, exp, now] = [Number(claims["iat"]), Number(claims["exp"]), world.now() / 1000];
    if (exp - iat > 86_400) return [80300036, "the JWT lives for more than a day"];
    return exp > now && iat <= now + 300 ? undefined : [80200005, "the JWT has expired"];
  }

  function send(request: LabRequest, account: string): Answer {
    if (!isObject(request.json)) return huaweiAnswer(80100003, "not JSON");
    const { target, ...rest } = request.json;
    const targets = isObject(target) ? texts(target["token"]) : undefined;
    if (targets === undefined || targets.length < 1 || targets.length > 1000) return huaweiAnswer(80300010, "1 to 1000 tokens");
    if (Buffer.byteLength(JSON.stringify(rest)) > 4096) return huaweiAnswer(80300008, "the message body exceeds 4096 bytes");
    const fault = check(request.header("push-type"), rest);
    if (fault !== undefined) return huaweiAnswer(...fault);
    const testing = isObject(rest["pushOptions"]) && rest["pushOptions"]["testMessage"] === true;
    if (testing && targets.length > 10) return huaweiAnswer(80300030, "a test message has 10 tokens at most");
    const illegalTokens: Record<string, string[]> = {};
    let failure = 0;
    for (const token of targets) {
      const reason = REASONS[stateOf(world, "harmony", token)];
      if (reason === undefined) continue;
      (illegalTokens[reason] ??= []).push(token);
      failure += 1;
    }
    const success = targets.length - failure;
    if (success === 0) return huaweiAnswer(80300007, JSON.stringify({ failure, illegalTokens }));
    const id = hex(24);
    const tag = isObject(rest["pushOptions"]) ? rest["pushOptions"]["biTag"] : undefined;
    const taken = targets.filter((token) => takes(world, "harmony", token));
    const marketing = request.header("push-type") === "0" && isMarketing(rest["payload"]) && !testing;
    const share = phones.take(account, taken, world.now(), marketing ? (accounts.get(account)?.perDevice ?? 0) : Infinity);
    callbacks.push(...reported(world, "harmony", { account, id }, tag, share, CAPPED));
    const some = (): Answer => huaweiAnswer(80100000, JSON.stringify({ success, failure, illegalTokens }), id);
    return capping(failure === 0 ? huaweiAnswer(80000000, "Success", id) : some(), share.over);
  }

  return {
    name: "harmony",
    hosts: ["push-api.cloud.huawei.com"],
    takes: (_host, path) => path.startsWith("/v3/"),
    tokenStates: ["alive", ...Object.keys(REASONS), "uninstalled", "muted"],
    identify(request) {
      const target = isObject(request.json) && isObject(request.json["target"]) ? request.json["target"] : {};
      return { account: SEND.exec(request.path)?.[1], tokens: texts(target["token"]) ?? [] };
    },
    async answer(request) {
      const project = SEND.exec(request.path)?.[1];
      if (project === undefined || request.method !== "POST") return { status: 404, body: "" };
      const refusal = await refuseCaller(request, project);
      return refusal === undefined ? send(request, project) : huaweiAnswer(...refusal);
    },
    refusal: huaweiRefusal,
    callbacks: () => [...callbacks],
    register,
    async make(options) {
      const given = fields(options ?? {}, "options", ["bits", "per_device"]);
      const pair = await promisify(generateKeyPair)("rsa", { modulusLength: given["bits"] === 4096 ? 4096 : 2048 });
      const account = { project_id: digits(18), key_id: hex(32), sub_account: digits(9) };
      const { bits: _, ...more } = given;
      await register({ ...account, ...more, public_key: pair.publicKey.export({ type: "spki", format: "pem" }) });
      return { ...account, private_key: pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString() };
    },
    reset(everything) {
      phones.clear();
      callbacks.length = 0;
      if (everything) accounts.clear();
    },
  };
}

function isMarketing(payload: unknown): boolean {
  return isObject(payload) && isObject(payload["notification"]) && payload["notification"]["category"] === "MARKETING";
}

function check(pushType: string | undefined, body: Record<string, unknown>): Refusal | undefined {
  const { payload, pushOptions = {} } = body;
  if (!isObject(payload) || !isObject(pushOptions)) return [80100003, "payload"];
  if (!between(pushOptions["ttl"], 1, 1_296_000)) return [80100004, "ttl"];
  if (!between(pushOptions["collapseKey"], -1, 100)) return [80100001, "collapseKey"];
  if (Buffer.byteLength(String(pushOptions["biTag"] ?? "")) > 64) return [80100001, "biTag"];
  if (pushType === "6") return typeof payload["extraData"] === "string" ? undefined : [80100003, "extraData"];
  if (pushType !== "0") return [80100001, "push-type"];
  const shown = payload["notification"];
  if (!isObject(shown)) return [80100003, "notification"];
  if (!CATEGORIES.has(String(shown["category"]))) return [80100001, "category"];
  if (!isText(shown["title"], 1, 4096) || !isText(shown["body"], 1, 4096)) return [80100003, "title or body"];
  const click = shown["clickAction"];
  if (!isObject(click) || ![0, 1].includes(click["actionType"] as number)) return [80100003, "clickAction"];
  if (click["actionType"] === 1 && !click["uri"] && !click["action"]) return [80100003, "clickAction"];
  if (click["data"] !== undefined && !isObject(click["data"])) return [80100003, "clickAction.data"];
  // -1: the phone chooses one.
  if (!between(shown["notifyId"], -1, 2_147_483_647)) return [80100001, "notifyId"];
  if (shown["appMessageId"] !== undefined && !isText(shown["appMessageId"], 1, 64)) return [80100001, "appMessageId"];
  if (shown["image"] !== undefined && !String(shown["image"]).startsWith("https://")) return [80100001, "image"];
  const badge = shown["badge"];
  const fits = badge === undefined || (isObject(badge) && between(badge["setNum"], 0, 99) && between(badge["addNum"], 1, 99));
  return fits ? undefined : [80100001, "badge"];
}
