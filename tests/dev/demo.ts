// The demo: an app with accounts at the lab's APNs and FCM and VAPID keys, a key, and a user with two phones.
// `make dev` shows it, the fuzzer starts from it.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { type DeviceBody, Gateway, HttpProblem, Lab, type PushReply, type WebpushAccount } from "./client.ts";
import { StateProblem } from "./state.ts";

export const APP = "demo";
export const USER = "u42";

export interface Demo {
  app: string;
  user: string;
  key: string;
  /** The gateway seen with that key. */
  gateway: Gateway;
  /** What browsers subscribe with. */
  vapidKey: string;
}

export interface DemoOptions {
  worker: string;
  lab: string;
  adminKey: string;
  /** Where the key is kept between starts: the app's record is, and keys cannot be read back from it. */
  keyFile?: string;
  /** Where the VAPID keys are kept: a browser's subscription works with those that it was made with. */
  vapidFile?: string;
  scopes?: string[];
}

/**
 * Creates or refreshes the demo. The lab forgets its accounts when it ends, so credentials are set anew; VAPID
 * keys are no account anywhere.
 */
export async function setUpDemo(options: DemoOptions): Promise<Demo> {
  const lab = new Lab(options.lab);
  const admin = new Gateway(options.worker, options.adminKey);
  const accounts = [lab.makeApns(), lab.makeFcm(), vapid(lab, options.vapidFile)] as const;
  const [apns, fcm, webpush] = await Promise.all(accounts);
  await admin.putApp(APP, { apns, fcm, webpush });

  const devices: Record<string, DeviceBody> = {
    iphone: {
      platform: "ios",
      vendor: "apns",
      token: token("iphone"),
      environment: "sandbox",
      topic: apns.topic,
      permission: "granted",
    },
    pixel: { platform: "android", vendor: "fcm", token: `${token("pixel").slice(0, 22)}:APA91b${token("fcm")}` },
  };
  const register = async (gateway: Gateway): Promise<void> => {
    for (const [device, body] of Object.entries(devices)) await gateway.putDevice(USER, device, body);
  };

  const demo = (key: string): Demo => {
    return { app: APP, user: USER, key, gateway: admin.with(key), vapidKey: webpush.public_key };
  };
  const kept = readKey(options.keyFile);
  if (kept !== undefined && (await works(() => register(admin.with(kept))))) return demo(kept);
  const { key } = await admin.makeKey(APP, options.scopes ?? ["push", "devices", "read"], "demo");
  if (options.keyFile !== undefined) writeFileSync(options.keyFile, `${key}\n`, { mode: 0o600 });
  await register(admin.with(key));
  return demo(key);
}

async function vapid(lab: Lab, file: string | undefined): Promise<WebpushAccount> {
  if (file !== undefined && existsSync(file)) {
    try {
      return JSON.parse(readFileSync(file, "utf8")) as WebpushAccount;
    } catch {
      throw new StateProblem(`${file} is not readable; remove it, and browsers subscribe again`);
    }
  }
  const made = await lab.makeWebpush();
  if (file !== undefined) writeFileSync(file, `${JSON.stringify(made)}\n`, { mode: 0o600 });
  return made;
}

export function demoPush(gateway: Gateway): Promise<PushReply> {
  return gateway.push({
    to: { users: [USER] },
    category: "order",
    notification: { title: "Sent", body: "Your parcel has left" },
    data: { order: "4711" },
  });
}

/** Tokens that look like the vendors' own and are the same at every start. */
function token(name: string): string {
  return createHash("sha256").update(`edgepush demo ${name}`).digest("hex");
}

function readKey(file: string | undefined): string | undefined {
  if (file === undefined || !existsSync(file)) return undefined;
  const key = readFileSync(file, "utf8").trim();
  return key === "" ? undefined : key;
}

/** False if the key was refused: state and key file do not belong together. */
async function works(attempt: () => Promise<void>): Promise<boolean> {
  try {
    await attempt();
    return true;
  } catch (error) {
    if (error instanceof HttpProblem && (error.status === 401 || error.status === 403)) return false;
    throw error;
  }
}
