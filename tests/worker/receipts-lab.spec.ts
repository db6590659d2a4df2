// Receipts end to end: vendors call back by themselves, at the address that they were told or that their console has, and
// what they say is found in the deliveries and in the device library.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Console } from "../lab/consoles.ts";
import { REPORTING } from "../lab/reports.ts";
import { ADMIN_KEY, type App, Stage, until } from "./stage.ts";

const PUBLIC_URL = "https://push.example.com";
const SECRET = Buffer.from("a secret of the console").toString("base64");
/** How Meizu's credential says which address is registered in its console. */
const meizuReceipts = (address: string): string => address;
/** The vendors whose console has the address; the others are told it with each message. */
const CONSOLES: Readonly<Record<string, "client_id" | "project_id" | "app_id">> = { huawei: "client_id", harmony: "project_id", honor: "app_id" };
/** Which phone each vendor takes a message for and reports dead later. vivo and Meizu say it at once, and report none. */
const DEAD: Readonly<Record<string, string>> = { huawei: "uninstalled", harmony: "uninstalled", honor: "uninstalled", xiaomi: "invalid", oppo: "dead" };

let stage: Stage;
before(async () => {
  stage = await Stage.start({ bindings: { PUBLIC_URL } });
  stage.lab.settings({ callback_base: stage.url });
});
after(() => stage.stop());

/** An app whose vendors know where to report to; Huawei and HarmonyOS NEXT sign. */
async function reportedApp(policy: object = {}): Promise<App & { consoles: Readonly<Record<string, Console>> }> {
  const app = await stage.channels(policy);
  const { receipts } = await stage.must("GET", `/v1/apps/${app.id}`, ADMIN_KEY);
  const credentials: Record<string, object> = {};
  const consoles: Record<string, Console> = {};
  for (const [vendor, id] of Object.entries(CONSOLES)) {
    const keys = (await stage.lab.make(vendor)) as Record<string, string>;
    const signs = vendor !== "honor";
    const console = { account: keys[id] as string, url: PUBLIC_URL + receipts[vendor], ...(signs && { user: "shop", secret: SECRET }) };
    stage.lab.console(vendor, console);
    consoles[vendor] = console;
    credentials[vendor] = { ...keys, ...(signs && { callback_user: "shop", callback_secret: SECRET }) };
  }
  credentials["meizu"] = { ...(await stage.lab.make("meizu")), receipts: meizuReceipts(PUBLIC_URL + receipts["meizu"]) };
  await stage.must("PUT", `/v1/apps/${app.id}`, ADMIN_KEY, { credentials });
  return { ...app, consoles };
}

async function register(app: App, vendor: string, user: string): Promise<string> {
  const token = vendor === "oppo" ? `OPPO_CN_${user}` : `${vendor}-${user}`;
  await stage.device(app, user, `${user}-${vendor}`, { platform: vendor === "harmony" ? "harmonyos" : "android", vendor, token });
  return token;
}

const deliveries = async (app: App, push: string): Promise<any[]> => (await stage.must("GET", `/v1/push/${push}`, app.key)).deliveries;

/** All that the vendors have to say, each call taken. */
async function report(kind: "due" | "again" | "tapped" = "due"): Promise<string[]> {
  const told: string[] = [];
  for (const vendor of REPORTING) {
    for (const post of await stage.lab.report(vendor, kind)) {
      assert.equal(post.status, 200, `${vendor}: ${post.answer}${post.error}`);
      told.push(vendor);
    }
  }
  return told;
}

test("one push to a phone of each vendor: each reports its arrival, once or twice, and then the taps", async () => {
  const app = await reportedApp();
  for (const vendor of REPORTING) await register(app, vendor, "u42");
  const push = await stage.push(app, { to: { users: ["u42"] }, category: "im" });
  assert.deepEqual(push.json.counts, { accepted: 7 }, push.text);
  const seen = async () => Object.fromEntries((await deliveries(app, push.json.id)).map(({ vendor, state, seen }) => [vendor, [state, seen]]));
  const all = (seen: string | undefined) => Object.fromEntries(REPORTING.map((vendor) => [vendor, ["accepted", seen]]));
  assert.deepEqual(await seen(), all(undefined));
  assert.deepEqual(await report(), REPORTING);
  assert.deepEqual(await seen(), all("received"));
  assert.deepEqual(await report("again"), REPORTING);
  assert.deepEqual(await seen(), all("received"));
  assert.deepEqual(await report("tapped"), ["xiaomi", "meizu"]);
  assert.deepEqual(await seen(), { ...all("received"), xiaomi: ["accepted", "clicked"], meizu: ["accepted", "clicked"] });
  const { total, balanced } = await stage.must("GET", "/v1/funnel", app.key);
  const stages = total.stages.map((one: any) => [one.stage, one.in, one.out]);
  assert.ok(balanced, JSON.stringify(total));
  assert.deepEqual(stages.filter(([stage]: [string]) => stage === "received"), [["received", 7, 7]]);
});

test("a dead phone beside a living one is reported, and its device goes; the other stays", async () => {
  const app = await reportedApp();
  for (const [vendor, state] of Object.entries(DEAD)) {
    const [alive, dead] = [`${vendor}-alive`, `${vendor}-dead`];
    await register(app, vendor, alive);
    stage.lab.token(vendor, await register(app, vendor, dead), { state });
    const push = await stage.push(app, { to: { users: [alive, dead] }, category: "im" });
    assert.deepEqual(push.json.counts, { accepted: 2 }, `${vendor}: ${push.text}`);
    assert.ok((await report()).every((told) => told === vendor));
    const seen = (await deliveries(app, push.json.id)).map((one) => [one.state, one.reason, one.seen]);
    assert.deepEqual(seen, [["accepted", undefined, "received"], ["failed", "token_gone", "lost"]], vendor);
    assert.deepEqual([await stage.devices(app, alive), await stage.devices(app, dead)], [[`${alive}-${vendor}`], []], vendor);
    assert.equal((await stage.push(app, { to: { users: [dead] }, category: "im" })).json.deliveries[0].reason, "no_device", vendor);
  }
});

test("a phone with notifications off is kept, and marked", async () => {
  const app = await reportedApp();
  for (const vendor of ["huawei", "harmony"]) {
    stage.lab.token(vendor, await register(app, vendor, `${vendor}-off`), { state: "muted" });
    const push = await stage.push(app, { to: { users: [`${vendor}-off`] }, category: "im" });
    await report();
    const [one] = await deliveries(app, push.json.id);
    assert.deepEqual([one.state, one.reason, one.seen], ["failed", "permission_off", "lost"], vendor);
    const { devices } = await stage.must("GET", `/v1/users/${vendor}-off`, app.key);
    assert.equal(devices[0].permission, "denied", vendor);
  }
});

test("a phone that has had its day's share: the vendor takes the message, and reports that it was dropped", async () => {
  const app = await reportedApp({ per_device: false });
  // Without a channel Xiaomi lets a phone have one. Honor's word is not known (unverified), and vivo has none.
  for (const [vendor, share] of [["huawei", 2], ["harmony", 2], ["xiaomi", 1], ["oppo", 2]] as const) {
    await register(app, vendor, `${vendor}-full`);
    const ends = [];
    for (let n = 0; n <= share; n++) {
      const push = await stage.push(app, { to: { users: [`${vendor}-full`] } });
      assert.deepEqual(push.json.counts, { accepted: 1 }, `${vendor}: ${push.text}`);
      await report();
      const [one] = await deliveries(app, push.json.id);
      ends.push([one.state, one.reason, one.seen]);
    }
    assert.deepEqual(ends, [...Array(share).fill(["accepted", undefined, "received"]), ["failed", "quota", "lost"]], vendor);
  }
});

test("a signature with another secret, and one that is ten minutes old, change nothing", async () => {
  const app = await reportedApp();
  await register(app, "huawei", "forged");
  const push = await stage.push(app, { to: { users: ["forged"] }, category: "im" });
  assert.deepEqual(push.json.counts, { accepted: 1 }, push.text);
  const console = app.consoles["huawei"] as Console;
  const statuses = async (kind: "due" | "again") => (await stage.lab.report("huawei", kind)).map(({ status }) => status);
  stage.lab.console("huawei", { ...console, secret: Buffer.from("another").toString("base64") });
  assert.deepEqual(await statuses("due"), [401]);
  stage.lab.console("huawei", console);
  stage.lab.settings({ clock_offset: -600 });
  assert.equal((await statuses("again")).at(-1), 401);
  stage.lab.settings({ clock_offset: 0 });
  assert.equal((await deliveries(app, push.json.id))[0].seen, undefined);
  assert.equal((await statuses("again")).at(-1), 200);
  assert.equal((await deliveries(app, push.json.id))[0].seen, "received");
});

test("vendors that report at once, while the push is still being answered, are heard as well", async () => {
  const app = await reportedApp();
  for (const vendor of REPORTING) await register(app, vendor, "quick");
  stage.lab.settings({ report_at_once: true });
  try {
    const push = await stage.push(app, { to: { users: ["quick"] }, category: "im" });
    assert.equal(push.json.deliveries.length, 7, push.text);
    const seen = await until(async () => {
      const all = await deliveries(app, push.json.id);
      return all.every(({ seen }) => seen === "received") ? all : undefined;
    });
    assert.deepEqual([...new Set(seen.map(({ state }) => state))], ["accepted"]);
  } finally {
    stage.lab.settings({ report_at_once: false });
  }
});
