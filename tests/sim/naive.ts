// The naive sender: the old way. For every message and every user it calls APNs and then FCM or the maker's channel, with the
// tokens of a table that nobody cleans up. It knows no classes (everything goes as the vendor's lowest, public one), no
// quota, no permission, and reads no answer. It speaks to the same vendors as the gateway does, with signed requests.

import { createHash } from "node:crypto";
import { importPKCS8, SignJWT } from "jose";
import { exchange, grant, assertion, providerToken } from "../lab/client.ts";
import type { Lab } from "../lab/lab.ts";
import type { Accounts } from "./accounts.ts";
import { inParallel, send, type Reply } from "./http.ts";
import type { Person, Phone, Population, VendorName } from "./population.ts";
import { type Day, type Push, words } from "./traffic.ts";

/** Messages under way at a time. */
const CALLERS = 16;

interface Outgoing {
  path: string;
  headers: Record<string, string>;
  body: string;
}
type Make = (token: string, title: string, body: string) => Outgoing;

export async function sendNaively(lab: Lab, accounts: Accounts, { people }: Population, day: Day, progress: (push: Push, done: number) => void): Promise<number> {
  const make = await channels(lab, accounts);
  const byId = new Map(people.map((person) => [person.id, person]));
  const to = ({ vendor, token }: Phone, { title, body }: { title: string; body: string }): Promise<Reply> => {
    const { path, headers, body: text } = make[vendor](token, title, body);
    return send("POST", `${lab.url}/${path}`, headers, text);
  };
  let done = 0;
  for (const push of day.pushes) {
    const said = words(push);
    await inParallel(push.users, CALLERS, async (user) => {
      const { ios, android } = (byId.get(user) as Person).table;
      await to(ios, said);
      await to(android, said);
      done += 1;
    });
    progress(push, done);
  }
  return done;
}

/** A request of each vendor, with an access token where it wants one. */
async function channels(lab: Lab, held: Accounts): Promise<Record<VendorName, Make>> {
  const form = (fields: Record<string, string>): string => new URLSearchParams(fields).toString();
  const FORM = { "content-type": "application/x-www-form-urlencoded" };
  const JSON_TYPE = { "content-type": "application/json" };
  const token = async (path: string, headers: Record<string, string>, body: string): Promise<any> => JSON.parse((await send("POST", `${lab.url}/${path}`, headers, body)).text);
  const { apns, fcm, huawei, harmony, honor, xiaomi, oppo, vivo, meizu } = held;

  const apnsToken = await providerToken(apns);
  const google = JSON.parse((await exchange(lab, grant(await assertion(fcm)))).text).access_token as string;
  const client = ({ client_id = "", client_secret = "" }: Record<string, string>): string => form({ grant_type: "client_credentials", client_id, client_secret });
  const huaweiToken = (await token("oauth-login.cloud.huawei.com/oauth2/v3/token", FORM, client(huawei))).access_token;
  const honorToken = (await token("iam.developer.honor.com/auth/token", FORM, client(honor))).access_token;
  const now = String(Date.now());
  const oppoSign = createHash("sha256").update(`${oppo["app_key"]}${now}${oppo["master_secret"]}`).digest("hex");
  const oppoToken = (await token("api.push.oppomobile.com/server/v1/auth", FORM, form({ app_key: oppo["app_key"] as string, timestamp: now, sign: oppoSign }))).data.auth_token;
  const vivoSign = createHash("md5").update(`${vivo["app_id"]}${vivo["app_key"]}${now}${vivo["app_secret"]}`).digest("hex");
  const vivoToken = (await token("api-push.vivo.com.cn/message/auth", JSON_TYPE, JSON.stringify({ appId: vivo["app_id"], appKey: vivo["app_key"], timestamp: now, sign: vivoSign }))).authToken;
  const harmonyToken = await harmonyJwt(harmony);
  let request = 0;

  return {
    apns: (to, title, body) => ({
      path: `api.push.apple.com/3/device/${to}`,
      headers: { authorization: `bearer ${apnsToken}`, "apns-topic": apns.topic, "apns-push-type": "alert" },
      body: JSON.stringify({ aps: { alert: { title, body } } }),
    }),
    fcm: (to, title, body) => ({
      path: `fcm.googleapis.com/v1/projects/${fcm.project_id}/messages:send`,
      headers: { authorization: `Bearer ${google}`, ...JSON_TYPE },
      body: JSON.stringify({ message: { token: to, notification: { title, body } } }),
    }),
    huawei: (to, title, body) => ({
      path: `push-api.cloud.huawei.com/v2/${huawei["project_id"]}/messages:send`,
      headers: { authorization: `Bearer ${huaweiToken}`, ...JSON_TYPE },
      body: JSON.stringify({ message: { token: [to], android: { notification: { title, body, click_action: { type: 3 } } } } }),
    }),
    // HarmonyOS NEXT and OPPO take nothing without a category; an unlabelled message is marketing.
    harmony: (to, title, body) => ({
      path: `push-api.cloud.huawei.com/v3/${harmony["project_id"]}/messages:send`,
      headers: { authorization: `Bearer ${harmonyToken}`, "push-type": "0", ...JSON_TYPE },
      body: JSON.stringify({ target: { token: [to] }, payload: { notification: { category: "MARKETING", title, body, clickAction: { actionType: 0 } } } }),
    }),
    honor: (to, title, body) => ({
      path: `push-api.cloud.honor.com/api/v1/${honor["app_id"]}/sendMessage`,
      headers: { authorization: `Bearer ${honorToken}`, timestamp: String(Date.now()), ...JSON_TYPE },
      body: JSON.stringify({ token: [to], android: { notification: { title, body, importance: "LOW", clickAction: { type: 3 } } } }),
    }),
    xiaomi: (to, title, description) => ({
      path: "api.xmpush.xiaomi.com/v3/message/regid",
      headers: { authorization: `key=${xiaomi["app_secret"]}`, ...FORM },
      body: form({ registration_id: to, restricted_package_name: xiaomi["package"] as string, title, description, pass_through: "0" }),
    }),
    oppo: (to, title, content) => ({
      path: "api.push.oppomobile.com/server/v1/message/notification/unicast_batch",
      headers: FORM,
      body: form({ auth_token: oppoToken, messages: JSON.stringify([{ target_type: 2, target_value: to, notification: { title, content, category: "MARKETING" } }]) }),
    }),
    vivo: (to, title, content) => ({
      path: "api-push.vivo.com.cn/message/send",
      headers: { authToken: vivoToken, ...JSON_TYPE },
      body: JSON.stringify({ appId: Number(vivo["app_id"]), requestId: `naive-${(request += 1)}`, regId: to, title, content, notifyType: 4, skipType: 1 }),
    }),
    meizu: (to, title, content) => {
      const fields: Record<string, string> = { appId: meizu["app_id"] as string, messageJson: JSON.stringify({ noticeBarInfo: { title, content } }), pushIds: to };
      const text = Object.keys(fields).sort().map((name) => `${name}=${fields[name]}`).join("") + meizu["app_secret"];
      return { path: "server-api-push.meizu.com/garcia/api/server/push/varnished/pushByPushId", headers: FORM, body: form({ ...fields, sign: createHash("md5").update(text).digest("hex") }) };
    },
  };
}

async function harmonyJwt(harmony: Readonly<Record<string, string>>): Promise<string> {
  const key = await importPKCS8(harmony["private_key"] as string, "PS256");
  const iat = Math.floor(Date.now() / 1000);
  const claims = { iss: harmony["sub_account"] as string, aud: "https://oauth-login.cloud.huawei.com/oauth2/v3/token", iat, exp: iat + 3600 };
  return new SignJWT(claims).setProtectedHeader({ alg: "PS256", typ: "JWT", kid: harmony["key_id"] as string }).sign(key);
}
