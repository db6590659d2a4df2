// The phone makers' channels: one device of each, lists, partial failures, classes, access tokens. The lab checks every
// field, signature and limit as the vendor does, so an acceptance is its word that the request was right.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ADMIN_KEY, type App, MAKERS, Stage, cost, until } from "./stage.ts";

let stage: Stage;
before(async () => {
  stage = await Stage.start();
});
after(() => stage.stop());

const platform = (vendor: string): string => (vendor === "harmony" ? "harmonyos" : "android");

/** A token of the vendor's own form. */
function tokenOf(vendor: string, n: number): string {
  const hex = n.toString(16).padStart(32, "0");
  return vendor === "oppo" ? `OPPO_CN_${hex}` : `${vendor}-${hex}`;
}

async function makersDevices(app: App, user: string): Promise<void> {
  for (const vendor of MAKERS) {
    await stage.device(app, user, `${user}-${vendor}`, { platform: platform(vendor), vendor, token: tokenOf(vendor, 1) + (vendor === "oppo" ? "" : user) });
  }
}

const tokens = (vendor: string, n: number) => Array.from({ length: n }, (_, at) => ({ vendor, token: tokenOf(vendor, at) }));

const requests = (vendor: string) => stage.seen(vendor).filter(({ path }) => !/auth|oauth2/.test(path));

test("one push to a user with one device of each vendor: a result of each in one answer", async () => {
  const app = await stage.channels();
  const vapid = await stage.lab.makeWebpush();
  await stage.must("PUT", `/v1/apps/${app.id}`, ADMIN_KEY, { credentials: { webpush: vapid } });
  await makersDevices(app, "u");
  await stage.iphone(app, "u");
  await stage.android(app, "u");
  const browser = stage.lab.subscribe({ public_key: vapid.public_key });
  await stage.device(app, "u", "u-browser", { platform: "web", vendor: "webpush", token: browser });
  for (const category of ["im", "order", "follow", "marketing"]) {
    stage.lab.clearLog();
    const answer = await stage.push(app, {
      to: { users: ["u"] },
      category,
      notification: { title: "Li", body: "are you there?", link: "demo://chat/88", image: "https://img.example/a.png", badge: 3 },
      data: { chat: "88" },
      collapse: "chat-88",
    });
    const states = answer.json.deliveries.map(({ vendor, state, detail }: any) => `${vendor} ${state} ${detail ?? ""}`.trim());
    assert.deepEqual(states.sort(), ["apns", "fcm", "webpush", ...MAKERS].map((vendor) => `${vendor} accepted`).sort(), category);
    assert.equal(answer.json.deliveries.length, 11);
  }
});

test("a background push goes to those who have such, and the others say so", async () => {
  const app = await stage.channels();
  await makersDevices(app, "b");
  const answer = await stage.ask("POST", "/v1/push", app.key, { to: { users: ["b"] }, category: "im", data: { sync: "1" } });
  const of = (state: string) => answer.json.deliveries.filter((delivery: any) => delivery.state === state).map(({ vendor }: any) => vendor).sort();
  assert.deepEqual(of("accepted"), ["harmony", "honor", "huawei", "jpush"], answer.text);
  assert.deepEqual(of("skipped"), ["meizu", "oppo", "vivo", "xiaomi"]);
  assert.ok(answer.json.deliveries.filter((delivery: any) => delivery.state === "skipped").every(({ reason }: any) => reason === "not_shown"));
});

test("devices of equal content share one call, and each has its own result", async () => {
  const app = await stage.channels();
  const dead: Record<string, [string, string][]> = {
    huawei: [["invalid", "token_gone"]],
    harmony: [["invalid", "token_gone"], ["no_right", "token_gone"]],
    honor: [["expired", "token_gone"], ["failed", "vendor_unavailable"]],
    oppo: [["malformed", "token_gone"]],
    vivo: [["unknown", "token_gone"], ["uninstalled", "token_gone"], ["inactive", "vendor_rejected"], ["muted", "permission_off"]],
    meizu: [["unsubscribed", "token_gone"], ["illegal", "token_gone"], ["muted", "permission_off"], ["capped", "cap"]],
    xiaomi: [["invalid", ""]],
  };
  for (const [vendor, states] of Object.entries(dead)) {
    const to = tokens(vendor, 40);
    states.forEach(([state], at) => stage.lab.token(vendor, (to[at] as { token: string }).token, { state }));
    stage.lab.clearLog();
    const answer = await stage.push(app, { to: { tokens: to }, category: "im", notification: { title: "Li", body: "hello" } });
    assert.equal(answer.status, 200, answer.text);
    const calls = requests(vendor);
    assert.equal(calls.length, vendor === "vivo" ? 2 : 1, `${vendor}: ${calls.map(({ path }) => path)}`);
    states.forEach(([state, reason], at) => {
      const { state: end, reason: why } = answer.json.deliveries[at];
      // Xiaomi reports dead tokens among others later.
      assert.deepEqual([end === "accepted" ? "" : why], [reason], `${vendor} ${state}: ${JSON.stringify(answer.json.deliveries[at])}`);
    });
    const rest = answer.json.deliveries.slice(states.length);
    assert.ok(rest.every(({ state }: any) => state === "accepted"), `${vendor} ${answer.text}`);
    stage.lab.reset();
  }
});

test("JPush names illegal ids and sends nothing: they are dead, the others are tried again without them", async () => {
  const app = await stage.channels();
  const to = tokens("jpush", 5);
  stage.lab.token("jpush", (to[2] as { token: string }).token, { state: "illegal" });
  const answer = await stage.push(app, { to: { tokens: to }, category: "im", notification: { title: "Li", body: "hello" } });
  const states = answer.json.deliveries.map(({ state }: any) => state);
  assert.deepEqual(states, ["retrying", "retrying", "failed", "retrying", "retrying"], answer.text);
  stage.lab.reset();
});

test("1,000 vivo tokens: a page of them is one saved message and one list", async () => {
  const app = await stage.channels();
  stage.lab.clearLog();
  const answer = await stage.push(app, { to: { tokens: tokens("vivo", 1_000) }, category: "im", notification: { title: "Li", body: "hello" } });
  assert.equal(answer.status, 202, answer.text);
  await until(async () => {
    const { json } = await stage.ask("GET", `/v1/push/${answer.json.id}`, app.key);
    return json.status === "done" ? json : undefined;
  }, 30_000);
  const paths = requests("vivo").map(({ path }) => path);
  const count = (path: string) => paths.filter((have) => have === path).length;
  assert.deepEqual([count("/message/saveListPayload"), count("/message/pushToList"), paths.length], [10, 10, 20]);
});

test("a class that needs a word of the app is skipped and says so, or goes as marketing", async () => {
  const app = await stage.channels({ classes: {} });
  await makersDevices(app, "c");
  const send = async () => (await stage.push(app, { to: { users: ["c"] }, category: "order", notification: { title: "Li", body: "hello" } })).json.deliveries;
  for (const { vendor, state, reason, detail } of await send()) {
    if (["huawei", "harmony", "honor", "xiaomi", "oppo", "jpush"].includes(vendor)) {
      assert.deepEqual([state, reason], ["skipped", "no_class"], vendor);
      assert.match(detail, new RegExp(`classes\\.${vendor}\\.order`));
    } else assert.equal(state, "accepted", `${vendor} ${detail}`);
  }
  await stage.must("PUT", `/v1/apps/${app.id}`, ADMIN_KEY, { policy: { lower_class: true, classes: { xiaomi: { marketing: {} } } } });
  stage.lab.clearLog();
  const lower = await until(async () => {
    const deliveries = await send();
    return deliveries.every(({ state }: any) => state === "accepted") ? deliveries : undefined;
  }, 15_000);
  assert.equal(lower.length, MAKERS.length);
  assert.equal(requests("huawei").at(-1).body.message.android.category, "MARKETING");
});

test("access tokens are fetched once however many ask, and once more when they are refused", async () => {
  const app = await stage.channels();
  const auth = (vendor: string) => stage.seen(vendor).filter(({ path }) => /auth|oauth2/.test(path)).length;
  for (const [vendor, refusal] of [["huawei", "80200003"], ["honor", "80200003"], ["oppo", "11"], ["vivo", "10000"]] as const) {
    stage.lab.clearLog();
    const send = (n: number) => stage.push(app, { to: { tokens: [{ vendor, token: tokenOf(vendor, n) }] }, category: "im", notification: { title: "Li", body: "hello" } });
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => send(n)));
    assert.ok(answers.every(({ json }) => json.counts.accepted === 1), `${vendor} ${answers[0]?.text}`);
    assert.equal(auth(vendor), 1, vendor);
    stage.lab.fault({ vendor, do: { reason: refusal } });
    const again = await send(30);
    assert.equal(again.json.counts.accepted, 1, `${vendor} ${again.text}`);
    assert.equal(auth(vendor), 2, vendor);
  }
  // Signed once for all isolates, and the same JWT with every request.
  stage.lab.clearLog();
  await Promise.all(Array.from({ length: 10 }, (_, n) => stage.push(app, { to: { tokens: [{ vendor: "harmony", token: tokenOf("harmony", n) }] }, category: "im" })));
  const jwts = new Set(stage.seen("harmony").map(({ headers }) => JSON.stringify(headers.authorization)));
  assert.equal(jwts.size, 1);
});

test("options are merged last, and may not touch targets, classes or what carries our own fields", async () => {
  const app = await stage.channels();
  const send = (options: object) => stage.push(app, { to: { tokens: tokens("huawei", 1) }, category: "im", options });
  stage.lab.clearLog();
  const taken = await send({ huawei: { android: { notification: { badge: { add_num: 1, class: "com.example.Main" } } } } });
  assert.equal(taken.json.counts.accepted, 1, taken.text);
  assert.deepEqual(requests("huawei").at(-1).body.message.android.notification.badge, { add_num: 1, class: "com.example.Main" });
  for (const [options, pointer] of [
    [{ huawei: { token: ["x"] } }, "/options/huawei/token"],
    [{ huawei: { android: { category: "IM" } } }, "/options/huawei/android/category"],
    [{ harmony: { pushOptions: null } }, "/options/harmony/pushOptions"],
    [{ xiaomi: { "extra.channel_id": "1" } }, "/options/xiaomi/extra.channel_id"],
    [{ oppo: { notify_level: 16 } }, "/options/oppo/notify_level"],
    [{ vivo: { regId: "x" } }, "/options/vivo/regId"],
    [{ meizu: { noticeBarInfo: { noticeMsgType: 1 } } }, "/options/meizu/noticeBarInfo/noticeMsgType"],
    [{ jpush: { audience: "all" } }, "/options/jpush/audience"],
    [{ honor: { android: { biTag: "x" } } }, "/options/honor/android/biTag"],
  ] as const) {
    const answer = await send(options);
    assert.deepEqual([answer.json.code, answer.json.pointer], ["invalid_value", pointer], answer.text);
  }
});

test("credentials of the makers are checked by their form, and shown without their secrets", async () => {
  const app = await stage.channels();
  for (const [vendor, given, code, pointer] of [
    ["huawei", { client_id: "12x", client_secret: "s" }, "invalid_value", "/credentials/huawei/client_id"],
    ["vivo", { app_id: "1", app_key: "k" }, "missing_field", "/credentials/vivo/app_secret"],
    ["xiaomi", { app_secret: "s", package: "a b" }, "invalid_value", "/credentials/xiaomi/package"],
    ["oppo", { app_key: "k", master_secret: "s", extra: "x" }, "unknown_field", "/credentials/oppo/extra"],
    ["harmony", { project_id: "1", key_id: "k", sub_account: "s", private_key: "no" }, "invalid_credentials", "/credentials/harmony/private_key"],
  ] as const) {
    const answer = await stage.admin("PUT", `/v1/apps/${app.id}`, { credentials: { [vendor]: given } });
    assert.deepEqual([answer.json.code, answer.json.pointer], [code, pointer], answer.text);
  }
  const shown = await stage.must("GET", `/v1/apps/${app.id}`, ADMIN_KEY);
  assert.deepEqual(Object.keys(shown.credentials.vivo).sort(), ["app_id", "sealed_with"]);
  assert.deepEqual(Object.keys(shown.credentials.harmony).sort(), ["key_id", "project_id", "sealed_with", "sub_account"]);
  const text = JSON.stringify(shown);
  assert.ok(!/secret|private_key/.test(text), text);
});

test("the vendor's daily quota ends a delivery with its reason", async () => {
  const app = await stage.channels({}, { xiaomi: { public_per_day: 3, channels: {} } });
  const send = (from: number) => stage.push(app, { to: { tokens: tokens("xiaomi", 6).slice(from, from + 3) }, category: "marketing" });
  assert.equal((await send(0)).json.counts.accepted, 3);
  const over = await send(3);
  assert.ok(over.json.deliveries.every(({ state, reason }: any) => state === "failed" && reason === "quota"), over.text);
  assert.deepEqual(cost(over).fetches, 1);
});
