// What a JWT of HarmonyOS NEXT takes: PS256 in the built wasm, beside WebCrypto in the same runtime.
//
// Ours is a whole token as the `Account` object makes it, and that is measured from outside: the CPU of the first push of an app,
// less that of its second, which finds the token made. What a first push has to do beside is in that of Xiaomi, which needs
// no token, and is taken off. Each sample is an app and an account of its own.

import { createPublicKey } from "node:crypto";
import { Gateway } from "../dev/client.ts";
import type { Lab } from "../lab/lab.ts";
import { type Spread, spread } from "./cpu.ts";
import { progress } from "./print.ts";
import { cpuMs } from "./proc.ts";
import { ADMIN_KEY, dispose, startVariant, type Variant } from "./variants.ts";

export interface SignResult {
  bits: number;
  /** ms of CPU, all tokens by their number: the key opened and read, one signature. */
  ours: number;
  /** ms that such a first push takes its caller longer than the second. */
  waits: Spread;
  /** ms of CPU of WebCrypto: key read and one signature; a signature alone. */
  webcrypto: number;
  signature: number;
  tokens: number;
}

const BITS = [2048, 4096] as const;

export async function measureSign(lab: Lab, tokens: number): Promise<SignResult[]> {
  const ours = await startVariant("ours", { VENDOR_PROXY: lab.url });
  const platform = await startVariant("sign", {});
  const results: SignResult[] = [];
  // Warm: the compilers have done their best before anything counts.
  const beside = () => firsts(ours, tokens, async () => ["xiaomi", await lab.make("xiaomi")]);
  await beside();
  const usual = await beside();
  for (const bits of BITS) {
    progress(`sign: ${bits} bits`);
    const made = (await lab.make("harmony", { bits })) as { private_key: string; key_id: string; sub_account: string };
    const public_key = createPublicKey(made.private_key).export({ type: "spki", format: "pem" });
    let project = 0;
    const account = async (): Promise<[string, object]> => {
      const { private_key, ...rest } = { ...made, project_id: `${bits}${++project}` };
      await lab.register("harmony", { ...rest, public_key });
      return ["harmony", { ...rest, private_key }];
    };
    await firsts(ours, 1, account);
    const { cpu, waits } = await firsts(ours, tokens, account);
    // Quick enough to need more of them.
    const times = 10 * tokens;
    const signature = (await webcrypto(platform, made.private_key, 1, times)) / times;
    const read = (await webcrypto(platform, made.private_key, times, 0)) / times;
    results.push({ bits, tokens, ours: (cpu - usual.cpu) / tokens, waits: spread(waits), webcrypto: read + signature, signature });
  }
  await dispose(ours.mf);
  await dispose(platform.mf);
  return results;
}

let apps = 0;

/** CPU of first pushes less that of second ones, in sum; and what the caller of each waits longer. */
async function firsts({ port, pid }: Variant, count: number, make: () => Promise<[vendor: string, credential: object]>): Promise<{ cpu: number; waits: number[] }> {
  const admin = new Gateway(`http://127.0.0.1:${port}`, ADMIN_KEY);
  let cpu = 0;
  const waits: number[] = [];
  for (let n = 0; n < count; n++) {
    const [vendor, credential] = await make();
    const app = `sign-${++apps}`;
    await admin.putApp(app, { [vendor]: credential }, { classes: { [vendor]: { im: {}, follow: {} } } });
    const gateway = admin.with((await admin.makeKey(app, ["push"], "bench")).key);
    const body = { to: { tokens: [{ vendor, token: `token${n}` }] }, category: "follow", notification: { title: "Sent", body: "Left" } };
    const push = async (): Promise<{ cpu: number; wall: number }> => {
      const [cpu, wall] = [cpuMs(pid), performance.now()];
      const { counts } = await gateway.push(body);
      if (counts["accepted"] !== 1) throw new Error(`a push of ${vendor} came to ${JSON.stringify(counts)}`);
      return { cpu: cpuMs(pid) - cpu, wall: performance.now() - wall };
    };
    const [first, second] = [await push(), await push()];
    cpu += first.cpu - second.cpu;
    waits.push(first.wall - second.wall);
  }
  return { cpu, waits };
}

async function webcrypto({ port, pid }: Variant, pem: string, keys: number, signatures: number): Promise<number> {
  const body = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ""), "base64");
  const before = cpuMs(pid);
  const response = await fetch(`http://127.0.0.1:${port}/${keys}/${signatures}`, { method: "POST", body });
  const text = await response.text();
  if (signatures > 0 && !/^(256|512)$/.test(text)) throw new Error(`no signature: ${text}`);
  return cpuMs(pid) - before;
}
