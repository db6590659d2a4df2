// The demo: an app with accounts at the lab's APNs and FCM, a key, and a user with two phones. `make dev`
// shows it, the fuzzer and the benchmark start from it.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { type DeviceBody, Gateway, HttpProblem, Lab, type PushReply } from "./client.ts";

export const APP = "demo";
export const USER = "u42";

export interface Demo {
  app: string;
  user: string;
  key: string;
  /** The gateway seen with that key. */
  gateway: Gateway;
}

export interface DemoOptions {
  worker: string;
  lab: string;
  adminKey: string;
  /** Where the key is kept between starts: the app's record is, and keys cannot be read back from it. */
  keyFile?: string;
  scopes?: string[];
}

/** Creates or refreshes the demo. The lab forgets its accounts when it ends, so credentials are set anew. */
export async function setUpDemo(options: DemoOptions): Promise<Demo> {
  const lab = new Lab(options.lab);
  const admin = new Gateway(options.worker, options.adminKey);
  const [apns, fcm] = await Promise.all([lab.makeApns(), lab.makeFcm()]);
  await admin.putApp(APP, { apns, fcm });

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

  const kept = readKey(options.keyFile);
  if (kept !== undefined && (await works(() => register(admin.with(kept))))) {
    return { app: APP, user: USER, key: kept, gateway: admin.with(kept) };
  }
  const { key } = await admin.makeKey(APP, options.scopes ?? ["push", "devices", "read"], "demo");
  if (options.keyFile !== undefined) writeFileSync(options.keyFile, `${key}\n`, { mode: 0o600 });
  const gateway = admin.with(key);
  await register(gateway);
  return { app: APP, user: USER, key, gateway };
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
