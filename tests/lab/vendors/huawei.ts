// Huawei Push Kit, API v1 and v2: POST /v1/{clientId}/messages:send and /v2/{projectId}/messages:send, with the OAuth endpoint.
// Order of checks: access token, form of the JSON, the size, the tokens.

import { bearer } from "../jwt.ts";
import { digits, hex } from "../random.ts";
import { CAPPED, checkAndroid, huaweiAnswer, huaweiRefusal, isMarketing, MARKETING_A_DAY, type Refusal } from "./huawei_rules.ts";
import { AccessTokens, Accounts, formOf, isForm, isObject, jsonAnswer, reported, stateOf, takes, texts, type Callback } from "./makers.ts";
import { capping, perDevice, PhoneCaps } from "./phone_caps.ts";
import type { Answer, LabRequest, Vendor, World } from "./vendor.ts";

const SEND = /^\/v(1|2)\/(\d+)\/messages:send$/;
const OAUTH = "oauth-login.cloud.huawei.com";

export function huawei(world: World): Vendor {
  const make = { client_id: () => digits(9), client_secret: () => hex(64), project_id: () => digits(18) };
  const accounts = new Accounts("client_id", make, ["per_device"], (given) => ({ perDevice: perDevice(given, MARKETING_A_DAY) }));
  const tokens = new AccessTokens();
  const phones = new PhoneCaps();
  const callbacks: Callback[] = [];

  function exchange(request: LabRequest): Answer {
    const form = formOf(request);
    const client = form.get("client_id") ?? "";
    const fault = (status: number, error: number, sub_error: number, error_description: string): Answer =>
      jsonAnswer(status, { error, sub_error, error_description }, `${error}/${sub_error}`);
    if (!isForm(request) || form.get("grant_type") !== "client_credentials") return fault(400, 1101, 20001, "invalid grant_type");
    if (!/^\d{1,64}$/.test(client)) return fault(400, 1101, 20002, "invalid client_id");
    if (!form.get("client_secret")) return fault(400, 1101, 20171, "empty client_secret");
    // 1,000 in five minutes.
    if (tokens.tooMany(client, world.now(), 1000, 300_000)) return fault(503, 1101, 20041, "too many requests");
    if (accounts.get(client)?.texts["client_secret"] !== form.get("client_secret")) return fault(401, 1101, 20171, "invalid client_secret");
    const seconds = world.settings.oauth_expires_in;
    return jsonAnswer(200, { access_token: tokens.grant(client, world.now(), seconds), expires_in: seconds, token_type: "Bearer" });
  }

  function refuseCaller(request: LabRequest, api: string, id: string): Refusal | undefined {
    const token = bearer(request.header("authorization"));
    if (token !== undefined) world.credentialSeen("huawei", token);
    const client = tokens.owner(token, world.now());
    if (client === undefined) return [token === undefined ? 80200001 : 80200003, "auth failed"];
    const texts = accounts.get(client)?.texts;
    const own = api === "1" ? texts?.["client_id"] : texts?.["project_id"];
    return own === id ? undefined : [80200001, "the access token belongs to another app"];
  }

  function send(request: LabRequest): Answer {
    if (!isObject(request.json) || !isObject(request.json["message"])) return huaweiAnswer(80100003, "message is missing");
    const { token: listed, ...message } = request.json["message"];
    const targets = texts(listed);
    if (targets === undefined || targets.length < 1 || targets.length > 1000) return huaweiAnswer(80300010, "1 to 1000 tokens");
    if (Buffer.byteLength(JSON.stringify(message)) > 4096) return huaweiAnswer(80300008, "the message body exceeds 4096 bytes");
    const fault = checkAndroid(message);
    if (fault !== undefined) return huaweiAnswer(...fault);
    const bad = targets.filter((token) => stateOf(world, "huawei", token) === "invalid");
    const good = targets.length - bad.length;
    if (good === 0) return huaweiAnswer(80300007, "all the tokens are invalid");
    // Receipts are an app's, whatever the path names.
    const account = tokens.owner(bearer(request.header("authorization")), world.now()) as string;
    const id = hex(24);
    const tag = isObject(message["android"]) ? message["android"]["bi_tag"] : undefined;
    const taken = targets.filter((token) => takes(world, "huawei", token));
    const most = isMarketing(message) ? (accounts.get(account)?.perDevice ?? 0) : Infinity;
    const share = phones.take(account, taken, world.now(), most);
    callbacks.push(...reported(world, "huawei", { account, id }, tag, share, CAPPED));
    const some = (): Answer => huaweiAnswer(80100000, JSON.stringify({ success: good, failure: bad.length, illegal_tokens: bad }), id);
    return capping(bad.length === 0 ? huaweiAnswer(80000000, "Success", id) : some(), share.over);
  }

  return {
    name: "huawei",
    hosts: ["push-api.cloud.huawei.com", OAUTH],
    takes: (host, path) => host === OAUTH || SEND.test(path),
    tokenStates: ["alive", "invalid", "uninstalled", "muted"],
    identify(request) {
      const message = isObject(request.json) && isObject(request.json["message"]) ? request.json["message"] : {};
      return { account: SEND.exec(request.path)?.[2], tokens: texts(message["token"]) ?? [] };
    },
    answer(request) {
      if (request.host === OAUTH) return request.path === "/oauth2/v3/token" ? exchange(request) : { status: 404, body: "" };
      const [, api = "", id = ""] = SEND.exec(request.path) ?? [];
      if (request.method !== "POST") return { status: 405, body: "" };
      const refusal = refuseCaller(request, api, id);
      return refusal === undefined ? send(request) : huaweiAnswer(...refusal);
    },
    refusal: huaweiRefusal,
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
