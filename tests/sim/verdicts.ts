// What a vendor's answer says of each token of a request.

import type { Answer, LabRequest } from "../lab/vendors/vendor.ts";

/** `capped`: refused or dropped because the phone has had its day's share; `off`: refused because notifications are off; `other`: any other refusal. */
export const VERDICTS = ["accepted", "quota", "capped", "dead", "off", "other"] as const;
export type Verdict = (typeof VERDICTS)[number];

type Say = (token: string) => Verdict;

/** One verdict for every token of `tokens`: from the literal answer, but for phones of which most vendors do not say there that they are over. */
export function verdicts(vendor: string, request: LabRequest, { status, body, reason, capped = [] }: Answer, tokens: readonly string[]): Verdict[] {
  const reader = READERS[vendor];
  if (reader === undefined) throw new Error(`no reader for the answers of ${vendor}`);
  const json: any = body === undefined || body === "" ? {} : JSON.parse(body);
  const say = reader(status, json, reason ?? "", request);
  const over = new Set(capped);
  return tokens.map((token) => (over.has(token) ? "capped" : say(token)));
}

const all = (verdict: Verdict) => (): Verdict => verdict;
const listed = (dead: readonly string[] = []): Say => (token) => (dead.includes(token) ? "dead" : "accepted");

const VIVO: Readonly<Record<number, Verdict>> = { 1: "dead", 2: "dead", 3: "other", 5: "off" };
const MEIZU: Readonly<Record<string, Verdict>> = { 110002: "dead", 110003: "dead", 110010: "off", 110011: "capped" };

const READERS: Readonly<Record<string, (status: number, json: any, reason: string, request: LabRequest) => Say>> = {
  apns: (status, _json, reason) => all(status === 200 ? "accepted" : ["Unregistered", "ExpiredToken", "BadDeviceToken"].includes(reason) ? "dead" : "other"),
  fcm: (status, _json, reason) => all(status === 200 ? "accepted" : reason === "UNREGISTERED" ? "dead" : reason === "QUOTA_EXCEEDED" ? "quota" : "other"),
  huawei: (_status, json) => {
    if (json.code === "80100000") return listed(JSON.parse(json.msg).illegal_tokens);
    return all(json.code === "80000000" ? "accepted" : json.code === "80300007" ? "dead" : "other");
  },
  harmony: (_status, json) => {
    if (json.code === "80100000") return listed(Object.values<string[]>(JSON.parse(json.msg).illegalTokens).flat());
    return all(json.code === "80000000" ? "accepted" : json.code === "80300007" ? "dead" : "other");
  },
  honor: (_status, json) => (json.code === 200 ? listed([...json.data.expireTokens, ...json.data.failTokens]) : all("other")),
  // Dead ones beside good ones are taken in silence.
  xiaomi: (_status, json) => all(json.code === 0 ? "accepted" : json.code === 200001 ? "quota" : json.code === 20301 ? "dead" : "other"),
  oppo: (_status, json) => {
    const codes = new Map<string, number | undefined>((json.data ?? []).map((one: any) => [one.registrationId, one.errorCode]));
    return (token) => {
      if (json.code !== 0 || !codes.has(token)) return "other";
      const code = codes.get(token);
      return code === undefined ? "accepted" : code === 33 ? "quota" : code === 10000 ? "dead" : "other";
    };
  },
  vivo: (_status, json) => {
    const invalid = new Map<string, number>([json.invalidUser, ...(json.invalidUsers ?? [])].filter(Boolean).map((one: any) => [one.userid, one.status]));
    return (token) => {
      const status = invalid.get(token);
      if (status !== undefined) return VIVO[status] ?? "other";
      return json.result === 0 ? "accepted" : json.result === 10070 ? "quota" : "other";
    };
  },
  meizu: (_status, json) => {
    if (json.code !== "200") return all("other");
    const named = new Map(Object.entries<string[]>(json.value).flatMap(([code, tokens]) => tokens.map((token) => [token, code] as const)));
    return (token) => {
      const code = named.get(token);
      return code === undefined ? "accepted" : (MEIZU[code] ?? "other");
    };
  },
};
