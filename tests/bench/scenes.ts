// What is measured: who is pushed to, and the same request for every variant.

import { setTimeout as sleep } from "node:timers/promises";
import type { Lab } from "../lab/lab.ts";
import { Gateway } from "../dev/client.ts";
import type { Request } from "./load.ts";
import { type Kind, type Variant, kv } from "./variants.ts";
import type { MockVendor } from "./vendor.ts";

/** High enough that the run never meets it, and that marks run ahead as far as they may. */
export const PER_DAY = 1_000_000_000;
export const CATEGORIES = ["im", "order", "follow", "marketing"] as const;
export const VENDORS = ["apns", "fcm"] as const;
export type Category = (typeof CATEGORIES)[number];
export type VendorName = (typeof VENDORS)[number];

const HOSTS: Record<VendorName, string> = { apns: "api.push.apple.com", fcm: "fcm.googleapis.com" };

export interface Scene {
  id: string;
  title: string;
  vendor: VendorName;
  limited: boolean;
  devices: number;
}

const scene = (vendor: VendorName, limited: boolean, devices: number): Scene => ({
  id: `${vendor}${limited ? "-limited" : ""}-${devices}`,
  title: `${vendor.toUpperCase().replace("APNS", "APNs")}, ${limited ? "limited class" : "no limit"}`,
  vendor,
  limited,
  devices,
});

export const SINGLE: readonly Scene[] = [scene("apns", false, 1), scene("fcm", true, 1), scene("fcm", false, 1)];
export const FIFTY: readonly Scene[] = [scene("apns", false, 50), scene("fcm", true, 50)];

/** Credentials as an operator holds them. */
export type Credentials = Record<VendorName, unknown> & { topic: string };

export async function credentials(lab: Lab): Promise<Credentials> {
  const [apns, fcm] = await Promise.all([lab.makeApns(), lab.makeFcm()]);
  return { apns, fcm, topic: apns.topic };
}

/** An app, limited at both vendors in every category or nowhere; returns the gateway with its key. */
export async function makeApp(ours: Variant, adminKey: string, app: string, held: Credentials, limited: boolean): Promise<Gateway> {
  const admin = new Gateway(`http://127.0.0.1:${ours.port}`, adminKey);
  const limits = Object.fromEntries(CATEGORIES.map((category) => [category, { per_day: PER_DAY }]));
  const policy = limited ? { quota: { apns: limits, fcm: limits } } : {};
  await admin.putApp(app, { apns: held.apns, fcm: held.fcm }, policy);
  const { key } = await admin.makeKey(app, ["push", "devices", "read"], "bench");
  return admin.with(key);
}

export async function makeUser(gateway: Gateway, user: string, vendor: VendorName, devices: number, topic: string): Promise<void> {
  for (let n = 0; n < devices; n++) {
    const hex = Buffer.from(`${user} ${n}`).toString("hex").padEnd(64, "0").slice(-64);
    const body =
      vendor === "apns"
        ? { platform: "ios", vendor, token: hex, environment: "production" as const, topic, permission: "granted" as const }
        : { platform: "android", vendor, token: `${hex.slice(0, 22)}:APA91b${hex}${hex}` };
    await gateway.putDevice(user, `${user}-phone-${n}`, body);
  }
}

export function pushBody(user: string, category: Category): Record<string, unknown> {
  return {
    to: { users: [user] },
    category,
    notification: { title: "Sent", body: "Your parcel has left and will be with you tomorrow", link: "app://order/4711" },
    data: { order: "4711", state: "sent" },
    collapse: "order-4711",
    ttl: 86_400,
  };
}

export function pushRequest(user: string, category: Category, key: string, devices: number): Request {
  return {
    path: "/v1/push",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify(pushBody(user, category)),
    expect: `"counts":{"accepted":${devices}}`,
  };
}

/** As long as what our ledger keeps of a delivery, and of a message to send it again. */
const RECORD = JSON.stringify({ user: "u", device: "phone-0", vendor: "apns", platform: "ios", state: "sending", since: 1, tries: 1, trace: "x".repeat(60) }) + "x".repeat(60);
const WORK = JSON.stringify(pushBody("u", "order")) + "x".repeat(180);

/** Everything that the two plain Workers need to send what ours sends. */
export interface Copied {
  plans: Record<Kind, string>;
  /** KV key and value of each scene's user. */
  copies: Record<string, string>;
  requests: Record<string, Request>;
}

/** Makes the scenes' users in ours, sends one push each, and copies what went out. */
export async function copyScenes(ours: Variant, mock: MockVendor, adminKey: string, held: Credentials): Promise<Copied> {
  const apps = {
    open: await makeApp(ours, adminKey, "open", held, false),
    limited: await makeApp(ours, adminKey, "limited", held, true),
  };
  const devicesKv = await kv(ours, "DEVICES");
  const [bare, fetchOnly]: Record<string, unknown>[] = [{}, {}];
  const copies: Record<string, string> = {};
  const requests: Record<string, Request> = {};
  for (const { id, vendor, limited, devices } of [...SINGLE, ...FIFTY]) {
    const app = limited ? "limited" : "open";
    await makeUser(apps[app], id, vendor, devices, held.topic);
    // Open to anyone on the phone, so that the user is read from KV, as the bare Worker does.
    await apps[app].push(pushBody(id, "follow"));
    const sent = await mock.last(HOSTS[vendor]);
    const key = `user:${app}.1:${id}`;
    copies[key] = await wholeCopy(devicesKv, key, devices);
    requests[id] = pushRequest(id, "follow", apps[app].key, devices);
    const fixed = { headers: ownHeaders(sent.head), body: sent.body };
    const url = `${mock.url}/${HOSTS[vendor]}${sent.path}`;
    const inUrl = vendor === "apns";
    const account = limited ? `account:limited.1:${vendor}` : undefined;
    bare![id] = { ...fixed, key, url: inUrl ? url.slice(0, url.lastIndexOf("/") + 1) : url, token_in_url: inUrl, account, limit: PER_DAY, record: RECORD, work: WORK };
    fetchOnly![id] = { ...fixed, url, count: devices };
  }
  await copiesAreTrusted();
  return { plans: { ours: "", bare: JSON.stringify(bare), "fetch-only": JSON.stringify(fetchOnly) }, copies, requests };
}

/** KV takes one write per second and key: the copy with all devices follows. */
async function wholeCopy(devices: { get(key: string): Promise<string | null> }, key: string, n: number): Promise<string> {
  for (let tries = 0; tries < 100; tries++) {
    const copy = await devices.get(key);
    // As src/wire/user/copy.rs writes it: the devices first.
    if (copy !== null && JSON.parse(copy)[0].length === n) return copy;
    await sleep(100);
  }
  throw new Error(`no copy of ${key} with ${n} devices in KV`);
}

/** A copy that is younger than three seconds is not trusted: the object would be asked. */
export function copiesAreTrusted(): Promise<void> {
  return sleep(3_100);
}

/** The headers that the Worker has set, without those that the runtime adds by itself. */
function ownHeaders(head: string): Record<string, string> {
  const lines = head.split("\r\n").slice(1);
  const pairs = lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]);
  return Object.fromEntries(pairs.filter(([name]) => !["host", "content-length", "connection"].includes(name!)));
}
