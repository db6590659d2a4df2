// Reports that are posted: each vendor's body and signature, batches, and nothing to other machines.

import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, afterEach, before, test } from "node:test";
import { many, post, postForm, postJson } from "./client.ts";
import { startLab, type Lab } from "./lab.ts";
import type { Texts } from "./vendors/makers.ts";

const PUBLIC = "https://push.example.com";
const SECRET = Buffer.from("a secret of the console").toString("base64");

interface Called {
  url: string;
  headers: IncomingMessage["headers"];
  body: string;
}

let lab: Lab;
let server: Server;
let base: string;
let called: Called[] = [];
let answer: { status: number; delay: number } = { status: 200, delay: 0 };

before(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      called.push({ url: request.url ?? "", headers: request.headers, body: Buffer.concat(chunks).toString() });
      setTimeout(() => response.writeHead(answer.status, { location: "http://192.0.2.1/" }).end("ok"), answer.delay);
    });
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  lab = await startLab({ settings: { callback_base: base } });
});
after(async () => {
  await lab.close();
  server.closeAllConnections();
  server.close();
});
afterEach(() => {
  lab.reset({ accounts: true });
  called = [];
  answer = { status: 200, delay: 0 };
});

async function access(operator: Texts): Promise<string> {
  const { client_id = "", client_secret = "" } = operator;
  const form = { grant_type: "client_credentials", client_id, client_secret };
  return (await postForm(`${lab.url}/oauth-login.cloud.huawei.com/oauth2/v3/token`, form)).json.access_token;
}

async function huawei(operator: Texts, token: string[], bi_tag: string): Promise<string> {
  const body = { message: { data: "x", android: { bi_tag }, token } };
  const url = `${lab.url}/push-api.cloud.huawei.com/v1/${operator["client_id"]}/messages:send`;
  return (await postJson(url, body, { authorization: `Bearer ${await access(operator)}` })).json.requestId;
}

async function xiaomi(operator: Texts, registration_id: string, type = "243"): Promise<string> {
  const form = {
    registration_id,
    title: "Sent",
    description: "Left",
    pass_through: "0",
    restricted_package_name: operator["package"] as string,
    "extra.callback": `${PUBLIC}/cb/mi?a=b`,
    "extra.callback.param": "m-77",
    "extra.callback.type": type,
  };
  const { json } = await postForm(`${lab.url}/api.xmpush.xiaomi.com/v3/message/regid`, form, { authorization: `key=${operator["app_secret"]}` });
  return json.data?.id;
}

const dataOf = (body: string | undefined): any => JSON.parse(new URLSearchParams(body).get("data") ?? "");

test("Xiaomi: a form under message ids, each event of one message in a body of its own, each posted once", async () => {
  const operator = await lab.makeKeys("xiaomi");
  lab.token("xiaomi", "dead", { state: "invalid" });
  const [one, other] = [await xiaomi(operator, "a,b,dead"), await xiaomi(operator, "c")];
  assert.deepEqual(called, [], "nothing goes by itself");
  const posts = await lab.report("xiaomi");
  assert.deepEqual(posts.map(({ url, status, answer }) => [url, status, answer]), Array(2).fill([`${base}/cb/mi?a=b`, 200, "ok"]));
  assert.ok(called.every(({ url, headers }) => url === "/cb/mi?a=b" && headers["content-type"] === "application/x-www-form-urlencoded"));
  const [first, second] = posts.map(({ body }) => dataOf(body));
  assert.deepEqual(Object.keys(first), [one, other]);
  assert.deepEqual([first[one].type, first[one].param, first[one].targets, first[other].targets], [1, "m-77", "a,b", "c"]);
  assert.deepEqual([Object.keys(second), second[one].type, second[one].targets], [[one], 16, "dead"]);
  assert.deepEqual(await lab.report("xiaomi"), []);
  assert.deepEqual((await lab.report("xiaomi", "again")).map(({ status }) => status), [200, 200]);
  const [taps] = await lab.report("xiaomi", "tapped");
  assert.deepEqual([dataOf(taps?.body)[one].type, dataOf(taps?.body)[one].targets], [2, "a,b"]);
  assert.equal(lab.posts("xiaomi").length, 5);
});

test("taps are reported only where they were asked for", async () => {
  await xiaomi(await lab.makeKeys("xiaomi"), "a", "1");
  assert.equal((await lab.report("xiaomi")).length, 1);
  assert.deepEqual(await lab.report("xiaomi", "tapped"), []);
});

test("Huawei: to the console's address, a hundred reports a call, signed with user and secret", async () => {
  const [operator, silent] = [await lab.makeKeys("huawei"), await lab.makeKeys("huawei")];
  const account = operator["client_id"] as string;
  lab.console("huawei", { account, url: `${PUBLIC}/cb/hw`, user: "shop", secret: SECRET });
  for (const [token, state] of [["phone-1", "uninstalled"], ["phone-2", "muted"], ["phone-3", "invalid"]] as const) lab.token("huawei", token, { state });
  const id = await huawei(operator, many(151, "phone-"), "m-77");
  await huawei(silent, ["x"], "m-78");
  const posts = await lab.report("huawei");
  const statuses: any[] = called.flatMap(({ body }) => JSON.parse(body).statuses);
  assert.deepEqual(posts.map(({ body }) => JSON.parse(body).statuses.length), [100, 50]);
  const of = (token: string) => statuses.find((one) => one.token === token);
  assert.deepEqual(["phone-0", "phone-1", "phone-2", "phone-3"].map((token) => of(token)?.status), [0, 2, 6, undefined]);
  assert.deepEqual({ ...of("phone-1"), timestamp: 0 }, { token: "phone-1", biTag: "m-77", requestId: id, appid: account, status: 2, timestamp: 0 });
  for (const { url, headers } of called) {
    assert.equal(url, "/cb/hw");
    const header = String(headers["x-huawei-callback-id"]);
    const [, timestamp, nonce, value] = /^timestamp=(\d{13}); nonce=([0-9a-f-]{36}); value=(.+)$/.exec(header) ?? [];
    assert.equal(value, createHmac("sha256", "a secret of the console").update(`${timestamp}${nonce}shop`).digest("base64"));
  }
  assert.equal(new Set(called.map(({ headers }) => headers["x-huawei-callback-id"])).size, 2);
});

test("an older configuration signs with the secret as it is, and one without a secret not at all", async () => {
  const operator = await lab.makeKeys("huawei");
  lab.console("huawei", { url: `${PUBLIC}/cb`, user: "shop", secret: SECRET, plain_secret: true });
  await huawei(operator, ["a"], "m-1");
  await lab.report("huawei");
  const [, timestamp, nonce, value] = /timestamp=(.+); nonce=(.+); value=(.+)/.exec(String(called[0]?.headers["x-huawei-callback-id"])) ?? [];
  assert.equal(value, createHmac("sha256", SECRET).update(`${timestamp}${nonce}shop`).digest("base64"));
  lab.console("huawei", { url: `${PUBLIC}/cb`, user: "shop" });
  await lab.report("huawei", "again");
  assert.equal(called[1]?.headers["x-huawei-callback-id"], undefined);
});

test("nothing leaves this machine: neither to the address itself nor by a redirect", async () => {
  const operator = await lab.makeKeys("xiaomi");
  answer = { status: 302, delay: 0 };
  await xiaomi(operator, "a");
  assert.deepEqual((await lab.report("xiaomi")).map(({ status }) => status), [302]);
  lab.settings({ callback_base: "" });
  await xiaomi(operator, "b");
  const [refused] = await lab.report("xiaomi");
  assert.deepEqual([refused?.status, refused?.url], [null, `${PUBLIC}/cb/mi?a=b`]);
  assert.match(refused?.error ?? "", /not on this machine/);
  assert.equal(called.length, 1);
  for (const callback_base of [PUBLIC, "http://127.0.0.1.example.com", "http://10.0.0.1", "ftp://localhost", "localhost", "http://localhost@192.0.2.1"]) {
    assert.throws(() => lab.settings({ callback_base }), /on this machine/, callback_base);
  }
});

test("at once, if the settings say so; closing waits for what is under way", async () => {
  const other = await startLab({ settings: { callback_base: base, report_at_once: true } });
  answer = { status: 200, delay: 200 };
  const operator = await other.makeKeys("meizu");
  other.token("meizu", "gone", { state: "unsubscribed" });
  const extra = { callback: `${PUBLIC}/cb`, "callback.param": "m-77" };
  const messageJson = JSON.stringify({ noticeBarInfo: { noticeMsgType: 1, title: "Sent", content: "Left" }, extra });
  const appId = operator["app_id"] as string;
  const sign = createHash("md5").update(`appId=${appId}messageJson=${messageJson}pushIds=a,gone,b${operator["app_secret"]}`).digest("hex");
  const url = `${other.url}/server-api-push.meizu.com/garcia/api/server/push/varnished/pushByPushId`;
  assert.equal((await postForm(url, { appId, pushIds: "a,gone,b", messageJson, sign })).json.code, "200");
  await other.close();
  const [posted] = other.posts("meizu");
  assert.deepEqual([posted?.status, posted?.answer], [200, "ok"]);
  const form = new URLSearchParams(called[0]?.body);
  assert.equal(form.get("access_token"), "demo");
  const [[key, report]] = Object.entries(JSON.parse(form.get("cb") ?? "")) as [[string, unknown]];
  assert.match(key, /^NS\d{20}-1$/);
  assert.deepEqual(report, { param: "m-77", type: 1, targets: ["a", "b"] });
});

test("over the control API; what is no console, kind or vendor is refused", async () => {
  const operator = await lab.makeKeys("huawei");
  const control = (method: string, path: string, body?: object) =>
    post(`${lab.url}/_lab/${path}`, { method, ...(body && { body: JSON.stringify(body) }) });
  assert.equal((await control("PUT", "consoles/huawei", { url: `${PUBLIC}/cb` })).status, 200);
  await huawei(operator, ["a"], "m-1");
  assert.equal(JSON.parse((await control("POST", "reports/huawei")).text).posts[0].status, 200);
  assert.equal(JSON.parse((await control("POST", "reports/huawei", { kind: "again" })).text).posts.length, 1);
  assert.equal(JSON.parse((await control("GET", "reports/huawei")).text).posts.length, 2);
  assert.equal(JSON.parse((await control("GET", "callbacks/huawei")).text).callbacks.length, 1);
  for (const [method, path, body] of [
    ["POST", "reports/huawei", { kind: "seen" }],
    ["POST", "reports/pigeon", {}],
    ["PUT", "consoles/oppo", { url: `${PUBLIC}/cb` }],
    ["PUT", "consoles/honor", { url: `${PUBLIC}/cb`, user: "shop", secret: SECRET }],
    ["PUT", "consoles/harmony", { url: "here" }],
  ] as const) {
    assert.equal((await control(method, path, body)).status, 400, path);
  }
});
