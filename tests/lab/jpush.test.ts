import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { many, post, postJson, type JsonReply } from "./client.ts";
import { startLab, type Lab } from "./lab.ts";
import type { Texts } from "./vendors/makers.ts";

const ANDROID = { alert: "Your parcel has left", title: "Sent" };
let lab: Lab;
let operator: Texts;
let endpoint: string;

before(async () => {
  lab = await startLab();
  operator = await lab.makeKeys("jpush");
  endpoint = `${lab.url}/api.jpush.cn/v3/push`;
});
after(() => lab.close());
beforeEach(() => lab.reset());

const basic = (key = operator["app_key"], secret = operator["master_secret"]): string => `Basic ${Buffer.from(`${key}:${secret}`).toString("base64")}`;

function sendBody(body: unknown, authorization = basic()): Promise<JsonReply> {
  return postJson(endpoint, body, { authorization });
}

/** A push that is accepted, but for what a test changes. */
function send(change: object = {}, registration_id: unknown = ["phone"]): Promise<JsonReply> {
  return sendBody({ platform: "all", audience: { registration_id }, notification: { android: ANDROID }, ...change });
}

const android = (change: object) => ({ notification: { android: { ...ANDROID, ...change } } });
const options = (change: object) => ({ options: change });
const channel = (vendor: string, change: unknown) => options({ third_party_channel: { [vendor]: change } });

test("a good push gets an id of its own, and its number back", async () => {
  const { status, json } = await send();
  assert.match(json.msg_id, /^\d{17}$/);
  assert.deepEqual([status, json], [200, { sendno: "0", msg_id: json.msg_id }]);
  const numbered = await send(options({ sendno: 12 }));
  assert.equal(numbered.json.sendno, "12");
  assert.notEqual(numbered.json.msg_id, json.msg_id);
});

test("key and secret, and nothing else", async () => {
  const other = await lab.makeKeys("jpush");
  const wrong = ["", "Basic", "Basic x", basic(operator["app_key"], "wrong"), basic(other["app_key"]), basic("", ""), `Bearer ${basic().slice(6)}`];
  for (const authorization of wrong) {
    const { status, json } = await sendBody({}, authorization);
    assert.deepEqual([status, json.error.code], [401, 1004], authorization);
  }
});

const refusals: [string, object, number][] = [
  ["no platform", { platform: undefined }, 1002],
  ["a platform that is none", { platform: ["android", "symbian"] }, 1003],
  ["no audience", { audience: undefined }, 1002],
  ["an audience of all", { audience: "all" }, 1003],
  ["neither notification nor message", { notification: undefined }, 1002],
  ["an empty notification", { notification: {} }, 1002],
  ["a notification that is text", { notification: "hi" }, 1003],
  ["no alert", android({ alert: undefined }), 1003],
  ["a blank alert", android({ alert: " " }), 1003],
  ["no alert for HarmonyOS", { notification: { android: ANDROID, hmos: { title: "Sent" } } }, 1003],
  ["a message without content", { message: { extras: {} } }, 1003],
  ["options that are none", { options: "x" }, 1003],
  ["a lifetime below 0", options({ time_to_live: -1 }), 1003],
  ["a lifetime of more than 3 days", options({ time_to_live: 259_201 }), 1003],
  ["a lifetime that is text", options({ time_to_live: "3600" }), 1003],
  ["a class that is none", options({ classification: 2 }), 1003],
  ["channels that are none", options({ third_party_channel: "x" }), 1003],
  ["a channel that is none", channel("huawei", "x"), 1003],
  ["an importance that Huawei has not", channel("huawei", { importance: "MIDDLE" }), 1003],
  ["an importance that Honor has not", channel("honor", { importance: "HIGH" }), 1003],
  ["an id of another app", { cid: "other-1" }, 1003],
  ["an id that is a number", { cid: 1 }, 1003],
];
for (const [what, change, code] of refusals) {
  test(`${what}: ${code}`, async () => {
    const { status, json } = await send(change);
    assert.deepEqual([status, json.error.code, typeof json.error.message], [400, code, "string"]);
    assert.equal(lab.log().at(-1)?.reason, String(code));
  });
}

test("values at the edge pass", async () => {
  const edges = [
    { platform: ["android", "hmos", "ios", "quickapp"], options: { time_to_live: 259_200, classification: 1 } },
    options({ time_to_live: 0, classification: 0 }),
    channel("huawei", { importance: "HIGH", category: "IM" }),
    channel("honor", { importance: "LOW" }),
    { notification: { alert: "hi" } },
    { notification: { android: ANDROID, hmos: { alert: "hi" }, ios: { alert: "hi" } } },
    { notification: undefined, message: { msg_content: "x", extras: { order: "4711" } } },
  ];
  for (const edge of edges) assert.equal((await send(edge)).status, 200, JSON.stringify(edge));
});

test("4000 bytes of Android's notification and the message together", async () => {
  const frame = JSON.stringify({ ...ANDROID, extras: { k: "" } }).length + JSON.stringify({ msg_content: "" }).length;
  const push = (bytes: number): object => ({ ...android({ extras: { k: "é".repeat(1000) } }), message: { msg_content: "x".repeat(bytes - 2000 - frame) } });
  assert.equal((await send(push(4000))).status, 200);
  const { status, json } = await send(push(4001));
  assert.deepEqual([status, json.error.code], [400, 1005]);
});

test("1 to 1000 registration ids", async () => {
  assert.equal((await send({}, many(1000))).status, 200);
  for (const ids of [null, "phone", [], [""], many(1001)]) assert.equal((await send({}, ids)).json.error.code, 1003);
});

test("illegal ids are named and nothing is sent; inactive ones only count where there is no other", async () => {
  lab.token("jpush", "a", { state: "illegal" });
  lab.token("jpush", "b", { state: "inactive" });
  const illegal = await send({}, ["phone", "a", "b"]);
  assert.deepEqual([illegal.status, illegal.json.error.code, illegal.json.error.illegal_rids], [400, 1003, ["a"]]);
  assert.equal((await send({}, ["phone", "b"])).status, 200);
  const none = await send({}, ["b"]);
  assert.deepEqual([none.status, none.json.error.code], [400, 1011]);
});

test("an id that was sent before gets the first answer, and a refused one another try", async () => {
  const cid = `${operator["app_key"]}-1`;
  lab.token("jpush", "phone", { state: "inactive" });
  assert.equal((await send({ cid })).status, 400);
  lab.token("jpush", "phone", { state: "alive" });
  const first = await send({ cid });
  const second = await send({ cid, notification: { android: { alert: "another" } } }, ["other"]);
  assert.deepEqual([second.status, second.text], [200, first.text]);
  assert.notEqual((await send({ cid: `${cid}2` })).text, first.text);
  lab.reset();
  assert.notEqual((await send({ cid })).text, first.text);
});

test("what is no JSON, another method, another path", async () => {
  assert.equal((await sendBody("{")).json.error.code, 1003);
  const get = await post(endpoint, { method: "GET" });
  assert.deepEqual([get.status, JSON.parse(get.text).error.code], [405, 1001]);
  assert.equal((await postJson(`${endpoint}/batch`, {})).status, 404);
});

test("faults speak JPush's words, and a limit says when it ends", async () => {
  lab.fault({ vendor: "jpush", match: { account: operator["app_key"] as string }, do: { reason: "2002" } });
  lab.fault({ vendor: "jpush", match: { token: "b" }, do: { reason: "1030" } });
  const limited = await send();
  assert.deepEqual([limited.status, limited.json.error.code], [429, 2002]);
  assert.deepEqual(["limit", "remaining", "reset"].map((name) => limited.headers[`x-rate-limit-${name}`]), ["600", "0", "30"]);
  assert.equal((await send()).status, 200);
  assert.equal((await send({}, ["a", "b"])).status, 503);
  assert.throws(() => lab.fault({ vendor: "jpush", do: { reason: "9999" } }));
});

test("the secret is not in the log; accounts go with a full reset", async () => {
  await lab.register("jpush", { app_key: "k", master_secret: "s" });
  assert.equal((await sendBody({ platform: "all", audience: { registration_id: ["a"] }, notification: { alert: "x" } }, basic("k", "s"))).status, 200);
  assert.ok(!JSON.stringify(lab.log()).includes(basic("k", "s").slice(6)));
  await assert.rejects(lab.register("jpush", { app_key: "k" }), /"master_secret" is missing/);
  lab.reset({ accounts: true });
  assert.equal((await send()).json.error.code, 1004);
  operator = await lab.makeKeys("jpush");
});
