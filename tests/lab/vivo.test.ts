import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, beforeEach, test } from "node:test";
import { many, post, postJson, type JsonReply } from "./client.ts";
import { startLab, type Lab } from "./lab.ts";
import type { Texts } from "./vendors/makers.ts";

const SHOWN = { title: "Sent", content: "Your parcel has left", notifyType: 4, skipType: 1, category: "ORDER" };
const CALLED = { extra: { callback: "https://push.example/cb", "callback.param": "m-77" } };
let lab: Lab;
let operator: Texts;
let access: string;
let lastId = 0;

before(async () => {
  lab = await startLab();
  operator = await lab.makeKeys("vivo");
});
after(() => lab.close());
beforeEach(async () => {
  lab.reset();
  access = (await auth()).json.authToken;
});

function call(step: string, body: unknown, token = access): Promise<JsonReply> {
  return postJson(`${lab.url}/api-push.vivo.com.cn/message/${step}`, body, token === "" ? {} : { authToken: token });
}

/** Asks for an access token, signed, but for what a test changes. */
function auth(change: Record<string, unknown> = {}, from = operator): Promise<JsonReply> {
  const { app_id: appId, app_key: appKey, app_secret } = from;
  const timestamp = change["timestamp"] ?? String(Date.now());
  const sign = createHash("md5").update(`${appId}${appKey}${timestamp}${app_secret}`).digest("hex");
  return call("auth", { appId, appKey, timestamp, sign, ...change }, "");
}

/** What every call but `auth` has. */
const base = (from = operator) => ({ appId: Number(from["app_id"]), requestId: `r-${(lastId += 1)}` });

function send(change: object = {}, regId: unknown = "phone"): Promise<JsonReply> {
  return call("send", { ...base(), regId, ...SHOWN, ...change });
}

const result = async (change: object = {}, regId: unknown = "phone"): Promise<number> => (await send(change, regId)).json.result;
const save = (change: object = {}) => call("saveListPayload", { ...base(), ...SHOWN, ...change });
const list = (taskId: unknown, regIds: unknown) => call("pushToList", { ...base(), taskId, regIds });

test("a message to one phone gets a number", async () => {
  const { status, json } = await send();
  assert.match(json.taskId, /^\d{18}$/);
  for (const regId of [null, "", ["phone"]]) assert.equal(await result({}, regId), 10050);
  assert.deepEqual([status, json], [200, { result: 0, desc: "请求成功", taskId: json.taskId }]);
});

test("the access token is given for the documented signature, and not shown in the log", async () => {
  const held = { app_id: "10004", app_key: "demo-key", app_secret: "demo-secret" };
  await lab.register("vivo", held);
  lab.settings({ clock_offset: Math.floor(1_700_000_000 - Date.now() / 1000) });
  const { status, json } = await auth({ timestamp: "1700000000000", sign: "9c084d3d76492b9ba52e097992bd1198" }, held);
  assert.deepEqual([status, json], [200, { result: 0, desc: "请求成功", authToken: json.authToken }]);
  await call("send", { ...base(held), regId: "phone", ...SHOWN }, json.authToken);
  assert.deepEqual([lab.log().at(-1)?.reason, JSON.stringify(lab.log()).includes(json.authToken)], [null, false]);
});

const unsigned: [string, Record<string, unknown>, number][] = [
  ["no app", { appId: undefined }, 10201],
  ["another's key", { appKey: "x" }, 10201],
  ["a time in seconds", { timestamp: "1700000000" }, 10202],
  ["a time of 11 minutes ago", { timestamp: String(Date.now() - 660_000) }, 10202],
  ["another's signature", { sign: "0".repeat(32) }, 10203],
];
for (const [what, change, expected] of unsigned) {
  test(`${what}: no access token, ${expected}`, async () => {
    const { status, json } = await auth(change);
    assert.deepEqual([status, json.result, json.authToken], [200, expected, undefined]);
  });
}

test("ten access tokens in a second, and no more", async () => {
  lab.settings({ clock_offset: 10 });
  const results = (await Promise.all(many(11).map(() => auth()))).map(({ json }) => json.result);
  assert.deepEqual(results.sort(), [...Array<number>(10).fill(0), 10072]);
});

test("an access token lives for a day, others stay good beside it, and the app is its own", async () => {
  await auth();
  assert.equal(await result(), 0);
  const other = await lab.makeKeys("vivo");
  const refused = async (token: string, from = operator): Promise<number> => (await call("send", { ...base(from), regId: "phone", ...SHOWN }, token)).json.result;
  assert.deepEqual([await refused(""), await refused("lab-other"), await refused(access, other)], [10000, 10000, 10094]);
  assert.equal(await result({ appId: operator["app_id"] }), 10094, "a text is no app id");
  lab.settings({ clock_offset: 86_401 });
  assert.equal(await refused(access), 10000);
});

test("an id is asked for, and goes once", async () => {
  for (const requestId of [undefined, "", "x".repeat(65)]) assert.equal(await result({ requestId }), 10303);
  assert.deepEqual([await result({ requestId: "x" }), await result({ requestId: "x" })], [0, 10303]);
});

const refusals: [string, object, number][] = [
  ["no title", { title: undefined }, 10055],
  ["a blank title", { title: " " }, 10055],
  ["a title of 41", { title: "字".repeat(41) }, 10056],
  ["no content", { content: "" }, 10058],
  ["a content of 101", { content: "字".repeat(101) }, 10059],
  ["the text of a test", { content: "a Test" }, 10104],
  ["no sound's number", { notifyType: undefined }, 10060],
  ["less than a minute", { timeToLive: 59 }, 10062],
  ["more than a day", { timeToLive: 86_401 }, 10062],
  ["a tap that is none", { skipType: 5 }, 10063],
  ["a tap without its page", { skipType: 4 }, 10064],
  ["a page of 1025", { skipType: 2, skipContent: "x".repeat(1025) }, 10064],
  ["eleven pairs", { clientCustomMap: Object.fromEntries(many(11).map((name) => [name, "v"])) }, 10067],
  ["a pair that is no text", { clientCustomMap: { order: 4711 } }, 10067],
  ["pairs of 1025", { clientCustomMap: { order: "x".repeat(1025) } }, 10067],
  ["a callback of 129", { extra: { callback: "x".repeat(129) } }, 10068],
  ["a callback's parameter of 65", { extra: { "callback.param": "x".repeat(65) } }, 10068],
  ["a number of 0", { notifyId: 0 }, 10069],
  ["a category that is none", { category: "PARCELS" }, 10096],
  ["a category in lower case", { category: "order" }, 10096],
  ["a system category as operational", { classification: 0 }, 10097],
  ["a class that is none", { category: "NEWS", classification: 2 }, 10097],
  ["an operational category as system", { category: "NEWS", classification: 1 }, 10097],
];
for (const [what, change, expected] of refusals) {
  test(`${what}: ${expected}`, async () => {
    assert.equal(await result(change), expected);
    assert.equal((await save(change)).json.result, expected, "saved");
  });
}

test("values at the edge pass", async () => {
  const edges = [
    { title: "😀".repeat(40), content: "字".repeat(100), timeToLive: 60, notifyId: 2_147_483_647, classification: 1 },
    { category: undefined, timeToLive: 86_400, skipType: 4, skipContent: "x".repeat(1024), clientCustomMap: { order: "x".repeat(1024) } },
    { content: "a test", pushMode: 1, extra: { callback: "x".repeat(128), "callback.param": "x".repeat(64) } },
  ];
  for (const edge of edges) assert.equal(await result(edge), 0, JSON.stringify(edge));
});

test("a message is saved, then sent to a list of 2 to 1000", async () => {
  const saved = (await save()).json;
  assert.deepEqual(saved, { result: 0, desc: "请求成功", taskId: saved.taskId });
  assert.deepEqual((await list(saved.taskId, many(1000))).json, { result: 0, desc: "请求成功" });
  for (const regIds of [undefined, [], ["phone"], many(1001)]) assert.equal((await list(saved.taskId, regIds)).json.result, 10050);
  assert.equal((await list("1", ["a", "b"])).json.result, 10060);
  assert.equal((await save({ regId: "phone" })).json.result, 10060);
});

test("phones that cannot be reached have a status, alone and in a list", async () => {
  const states = { unknown: 1, uninstalled: 2, inactive: 3, muted: 5 };
  for (const [state, status] of Object.entries(states)) {
    lab.token("vivo", state, { state });
    assert.deepEqual((await send({}, state)).json, { result: 10302, desc: "regId不合法", invalidUser: { status, userid: state } });
  }
  const { taskId } = (await save()).json;
  const { result: code, invalidUsers } = (await list(taskId, ["phone", ...Object.keys(states)])).json;
  assert.deepEqual([code, invalidUsers], [0, Object.entries(states).map(([userid, status]) => ({ status, userid }))]);
});

test("what one phone got is reported; of tests and lists nothing", async () => {
  lab.token("vivo", "gone", { state: "unknown" });
  for (const [change, regId] of [[CALLED, "phone"], [CALLED, "gone"], [{ ...CALLED, pushMode: 1 }, "phone"], [{}, "phone"]] as const) await send(change, regId);
  await list((await save(CALLED)).json.taskId, ["a", "b"]);
  const expected = [{ url: "https://push.example/cb", param: "m-77", targets: ["phone"], event: "0" }];
  assert.deepEqual(JSON.parse((await post(`${lab.url}/_lab/callbacks/vivo`, { method: "GET" })).text), { callbacks: expected });
});

test("operational messages have a total of each day of China", async () => {
  operator = await lab.makeKeys("vivo", { per_day: 3 });
  access = (await auth()).json.authToken;
  lab.token("vivo", "gone", { state: "unknown" });
  const { taskId } = (await save({ category: "NEWS" })).json;
  assert.equal((await list(taskId, ["a", "b", "gone"])).json.result, 0, "two arrive");
  assert.equal((await list(taskId, ["a", "b"])).json.result, 10070);
  assert.deepEqual([await result({ category: undefined }), await result({ category: "NEWS" }), await result()], [0, 10070, 0]);
  lab.settings({ clock_offset: 86_400 });
  access = (await auth({ timestamp: String(Date.now() + 86_400_000) })).json.authToken;
  assert.equal(await result({ category: "NEWS" }), 0, "the next day");
});

test("two operational messages a day to one phone: what is over is taken, and neither arrives nor is counted", async () => {
  operator = await lab.makeKeys("vivo", { per_day: 5 });
  access = (await auth()).json.authToken;
  const news = { ...CALLED, category: "NEWS" };
  const arrived = (): number => lab.callbacks("vivo").length;
  for (const change of [news, { ...CALLED, category: undefined }, CALLED]) assert.equal(await result(change, "a"), 0);
  assert.deepEqual([arrived(), lab.log().at(-1)?.capped], [3, []]);
  const { status, json } = await send(news, "a");
  assert.deepEqual([status, json], [200, { result: 0, desc: "请求成功", taskId: json.taskId }]);
  assert.deepEqual([arrived(), lab.log().at(-1)?.capped], [3, ["a"]]);
  assert.deepEqual([await result({ ...news, pushMode: 1 }, "a"), lab.log().at(-1)?.capped], [0, []], "a test is not counted");
  lab.token("vivo", "gone", { state: "unknown" });
  const { taskId } = (await save({ category: "NEWS" })).json;
  const some = (await list(taskId, ["a", "b", "gone"])).json;
  assert.deepEqual([some.result, some.invalidUsers, lab.log().at(-1)?.capped], [0, [{ status: 1, userid: "gone" }], ["a"]]);
  assert.equal((await list(taskId, ["c", "d", "a"])).json.result, 0, "five have arrived");
  assert.deepEqual([await result(news, "a"), await result(news, "e")], [0, 10070], "only what would arrive is over the total");
  lab.settings({ clock_offset: 86_400 });
  access = (await auth({ timestamp: String(Date.now() + 86_400_000) })).json.authToken;
  assert.deepEqual([await result(news, "a"), arrived()], [0, 4], "the next day");
});

test("news apps have another number, and an account may count nothing", async () => {
  for (const [per_device, passes] of [[5, 5], [false, 7]] as const) {
    operator = await lab.makeKeys("vivo", { per_device });
    access = (await auth()).json.authToken;
    const before = lab.callbacks("vivo").length;
    for (let n = 0; n < 7; n++) await result({ ...CALLED, category: "NEWS" });
    assert.equal(lab.callbacks("vivo").length - before, passes);
  }
});

test("JSON by POST; faults speak vivo's words", async () => {
  assert.deepEqual([(await call("send", "[")).json.result, (await call("all", {})).status], [10060, 404]);
  lab.fault({ vendor: "vivo", match: { account: operator["app_id"] as string, token: "b" }, do: { reason: "10071" } });
  assert.deepEqual([await result(), (await list("1", ["a", "b"])).json.result], [0, 10071]);
});
