import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { given, many, post, postForm, postJson, type JsonReply } from "./client.ts";
import { startLab, type Lab } from "./lab.ts";
import type { Texts } from "./vendors/makers.ts";

const PATH = "/v3/message/regid";
const PRIVATE = { "extra.channel_id": "chat", "extra.template_id": "T1" };
type Form = Record<string, string | undefined>;
let lab: Lab;
let operator: Texts;

before(async () => {
  lab = await startLab();
  operator = await lab.makeKeys("xiaomi", { channels: { chat: "private", news: "public" } });
});
after(() => lab.close());
beforeEach(() => lab.reset());

/** A message that is accepted, but for what a test changes. */
function send(change: Form = {}, from = operator, host = "api.xmpush.xiaomi.com"): Promise<JsonReply> {
  const usual = { registration_id: "phone", restricted_package_name: from["package"], title: "Sent", description: "Your parcel has left", pass_through: "0" };
  return postForm(`${lab.url}/${host}${PATH}`, given({ ...usual, ...change }), { authorization: `key=${from["app_secret"]}` });
}

const code = async (change: Form, from = operator): Promise<number> => (await send(change, from)).json.code;
const callbacks = (): unknown[] => lab.callbacks("xiaomi").map(({ event, targets, param }) => [event, targets.join(), param]);

test("a good message gets an id, and the day's numbers", async () => {
  const { status, json } = await send({ registration_id: "a,b" });
  assert.match(json.trace_id, /^[0-9a-f]{24}$/);
  assert.match(json.data.id, /^s[0-9a-f]{20}$/);
  const { trace_id, data: { id } } = json;
  const data = { id, day_quota: "20000", day_acked: "2" };
  assert.deepEqual([status, json], [200, { result: "ok", trace_id, code: 0, description: "成功", info: "Received push messages for 2 REGID", data }]);
});

test("each region has a host", async () => {
  for (const region of ["ru", "idmb", "fr", "sgp"]) assert.equal((await send({}, operator, `${region}-api.xmpush.global.xiaomi.com`)).json.code, 0);
});

test("a refusal is HTTP 200 with a code and a reason", async () => {
  const { status, json } = await send({ title: undefined });
  assert.deepEqual([status, json], [200, { result: "error", reason: "title", trace_id: json.trace_id, code: 10017, description: "失败" }]);
  assert.equal(lab.log().at(-1)?.reason, "10017");
});

test("the app's secret and package, and nothing else", async () => {
  const other = await lab.makeKeys("xiaomi");
  assert.equal(await code({}, { ...operator, app_secret: "wrong" }), 21301);
  const url = `${lab.url}/api.xmpush.xiaomi.com${PATH}`;
  for (const authorization of ["", `KEY=${operator["app_secret"]}`, operator["app_secret"] as string]) {
    assert.equal((await postForm(url, {}, { authorization })).json.code, 21301, authorization);
  }
  assert.equal(await code({ restricted_package_name: other["package"] }), 22022);
  assert.equal(await code({ restricted_package_name: undefined }), 22022);
});

test("a form, by POST, to this path", async () => {
  const url = `${lab.url}/api.xmpush.xiaomi.com${PATH}`;
  assert.equal((await postJson(url, {}, { authorization: `key=${operator["app_secret"]}` })).json.code, 10016);
  assert.equal((await postForm(`${url}s`, {})).json.code, 10020);
  assert.equal(JSON.parse((await post(url, { method: "GET" })).text).code, 10020);
});

const refusals: [string, Form, number][] = [
  ["no title", { title: undefined }, 10017],
  ["a blank title", { title: "  " }, 10017],
  ["a title of 50", { title: "字".repeat(50) }, 10017],
  ["no description", { description: undefined }, 10017],
  ["a description of 128", { description: "字".repeat(128) }, 10017],
  ["data without a notification", { pass_through: "1" }, 10017],
  ["a sound that is none", { notify_type: "8" }, 10017],
  ["a number below 0", { notify_id: "-1" }, 10017],
  ["a number above 31 bits", { notify_id: "2147483648" }, 10017],
  ["a lifetime of nothing", { time_to_live: "0" }, 10017],
  ["a public lifetime of more than a day", { time_to_live: "86400001" }, 10017],
  ["a private lifetime of more than ten days", { ...PRIVATE, time_to_live: "864000001" }, 10017],
  ["an effect that is none", { "extra.notify_effect": "4" }, 10017],
  ["a page of the app that is no intent", { "extra.notify_effect": "2", "extra.intent_uri": "demo://order" }, 10017],
  ["a page of the web that is none", { "extra.notify_effect": "3", "extra.web_uri": "demo://order" }, 10017],
  ["a job of 21", { "extra.jobkey": "x".repeat(21) }, 10017],
  ["a job that starts with _", { "extra.jobkey": "_x" }, 10017],
  ["events that are no number", { "extra.callback.type": "all" }, 10017],
  ["a callback that is no address", { "extra.callback": "push.example" }, 65038],
  ["a parameter of 257", { "extra.callback.param": "x".repeat(257) }, 65036],
  ["eleven extras of one's own", Object.fromEntries(many(11, "extra.k").map((name) => [name, "v"])), 65014],
  ["extras of 1025 characters", { "extra.order": "x".repeat(1020) }, 65015],
  ["a channel that is not the app's", { "extra.channel_id": "orders" }, 27001],
  ["a private message without a template", { "extra.channel_id": "chat" }, 27001],
  ["a template without a channel", { "extra.template_id": "T1" }, 27001],
];
for (const [what, change, expected] of refusals) {
  test(`${what}: ${expected}`, async () => {
    assert.equal(await code(change), expected);
  });
}

test("values at the edge pass", async () => {
  const edges: Form[] = [
    { title: "😀".repeat(49), description: "字".repeat(127), notify_type: "-1", notify_id: "2147483647", time_to_live: "86400000" },
    { ...PRIVATE, time_to_live: "864000000", "extra.template_param": '{"who":"Li"}' },
    { "extra.channel_id": "news", "extra.notify_effect": "1", "extra.badge": "3" },
    { "extra.notify_effect": "2", "extra.intent_uri": "intent://order#Intent;scheme=app;end" },
    { "extra.notify_effect": "3", "extra.web_uri": "https://example.com", "extra.jobkey": "x".repeat(20) },
    { "extra.callback": "https://push.example/cb", "extra.callback.param": "x".repeat(256), "extra.callback.type": "243" },
    { ...Object.fromEntries(many(9, "extra.k").map((name) => [name, "v"])), "extra.order": "x".repeat(992) },
  ];
  for (const edge of edges) assert.equal(await code(edge), 0, JSON.stringify(edge));
});

test("1 to 1000 tokens in one text", async () => {
  assert.equal(await code({ registration_id: many(1000).join() }), 0);
  for (const registration_id of [undefined, ",", many(1001).join()]) assert.equal(await code({ registration_id }), 10017);
});

test("dead tokens among others are only reported later; where none lives, the code says so", async () => {
  lab.token("xiaomi", "dead", { state: "invalid" });
  const ask = { "extra.callback": "https://push.example/cb", "extra.callback.param": "m-77" };
  assert.equal(await code({ ...ask, registration_id: "a,dead,b", "extra.callback.type": "243" }), 0);
  assert.deepEqual(callbacks(), [["1", "a,b", "m-77"], ["16", "dead", "m-77"]]);
  assert.ok(lab.callbacks("xiaomi").every(({ url }) => url === "https://push.example/cb"));
  const none = (await send({ registration_id: "dead" })).json;
  assert.deepEqual([none.result, none.code, none.reason], ["error", 20301, "No valid targets!"]);
});

test("what is reported is what was asked for, and a sum with another bit gets nothing", async () => {
  const events = async (type?: string): Promise<unknown[]> => {
    lab.reset();
    lab.token("xiaomi", "dead", { state: "invalid" });
    await send({ registration_id: "a,dead", "extra.callback": "https://push.example/cb", "extra.callback.type": type });
    return lab.callbacks("xiaomi").map(({ event }) => event);
  };
  assert.deepEqual(await events("1"), ["1"]);
  assert.deepEqual(await events("16"), ["16"]);
  assert.deepEqual(await events("2"), []);
  assert.deepEqual(await events("246"), []);
  assert.deepEqual(await events(), ["1"]);
});

test("public messages have a total of each day of China, private ones have none", async () => {
  const small = await lab.makeKeys("xiaomi", { channels: { chat: "private" }, public_per_day: 3 });
  const ask = { "extra.callback": "https://push.example/cb", "extra.callback.type": "243" };
  assert.equal(await code({ registration_id: "a,b" }, small), 0);
  const over = (await send({ registration_id: "c,d", ...ask }, small)).json;
  assert.equal(over.code, 200001);
  assert.match(over.reason, /quota.*have acked/);
  assert.deepEqual(callbacks(), [["128", "c,d", ""]]);
  assert.equal(await code({ registration_id: "c" }, small), 0, "what was refused was not counted");
  assert.equal(await code({ registration_id: "d" }, small), 200001);
  assert.equal(await code({ registration_id: "d", ...PRIVATE }, small), 0);
  lab.settings({ clock_offset: 86_400 });
  assert.equal(await code({ registration_id: "d" }, small), 0, "the next day");
});

test("five public messages a day to one phone, one without a channel: what is over is taken, and reported with 128", async () => {
  const ask = { "extra.callback": "https://push.example/cb", "extra.callback.type": "145" };
  const news = { ...ask, "extra.channel_id": "news" };
  const events = (): string[] => lab.callbacks("xiaomi").map(({ event, targets }) => `${event} ${targets.join()}`);
  for (let n = 0; n < 5; n++) assert.equal(await code({ ...news, registration_id: "a" }), 0);
  assert.deepEqual([events(), lab.log().at(-1)?.capped], [Array(5).fill("1 a"), []]);
  lab.token("xiaomi", "dead", { state: "invalid" });
  const { json } = await send({ ...news, registration_id: "a,b,dead" });
  assert.deepEqual([json.code, json.data.day_acked], [0, "6"], "what is dropped is not in the day's total");
  assert.deepEqual([events().slice(5), lab.log().at(-1)?.capped], [["1 b", "16 dead", "128 a"], ["a"]]);
  assert.deepEqual([await code({ ...news, registration_id: "a" }), events().at(-1)], [0, "128 a"], "also where it is all of them");
  assert.deepEqual([await code({ ...ask, ...PRIVATE, registration_id: "a" }), events().at(-1)], [0, "1 a"], "private ones are not counted");
  for (const event of ["1 c", "128 c"]) assert.deepEqual([await code({ ...ask, registration_id: "c" }), events().at(-1)], [0, event]);
  assert.deepEqual([await code({ ...news, registration_id: "c" }), events().at(-1)], [0, "1 c"]);
  for (const [per_device, passes] of [[8, 8], [false, 10]] as const) {
    const other = await lab.makeKeys("xiaomi", { channels: { news: "public" }, per_device });
    for (let n = 0; n < 10; n++) await code({ ...news, registration_id: "a" }, other);
    assert.equal(events().slice(-10).filter((one) => one === "1 a").length, passes);
    await code({ ...ask, registration_id: "d" }, other);
    await code({ ...ask, registration_id: "d" }, other);
    assert.equal(events().at(-1), per_device === false ? "1 d" : "128 d");
  }
  lab.settings({ clock_offset: 86_400 });
  assert.deepEqual([await code({ ...ask, registration_id: "a" }), events().at(-1)], [0, "1 a"], "the next day");
});

test("a public message that the day's total refuses is no phone's", async () => {
  const small = await lab.makeKeys("xiaomi", { public_per_day: 2 });
  assert.equal(await code({ registration_id: "a,b" }, small), 0);
  assert.equal(await code({ registration_id: "c" }, small), 200001);
  assert.equal(await code({ registration_id: "a" }, small), 0, "taken: it goes nowhere, and costs nothing");
  lab.settings({ clock_offset: 86_400 });
  assert.equal(await code({ registration_id: "c" }, small), 0);
  assert.deepEqual(lab.log().at(-1)?.capped, []);
});

test("faults speak Xiaomi's words, for one package or one phone", async () => {
  lab.fault({ vendor: "xiaomi", match: { account: operator["package"] as string, token: "b" }, do: { reason: "200002" } });
  assert.equal(await code({}), 0);
  assert.equal(await code({ registration_id: "a,b" }), 200002);
  await assert.rejects(lab.make("xiaomi", { channels: { chat: "secret" } }), /public or private/);
});

test("the callbacks over the control API; a reset takes them, and accounts on demand", async () => {
  await send({ "extra.callback": "https://push.example/cb" });
  const url = `${lab.url}/_lab/callbacks/xiaomi`;
  const read = async (): Promise<unknown> => JSON.parse((await post(url, { method: "GET" })).text).callbacks;
  assert.deepEqual(await read(), [{ url: "https://push.example/cb", param: "", targets: ["phone"], event: "1" }]);
  lab.reset();
  assert.deepEqual(await read(), []);
  assert.ok(!JSON.stringify(lab.log()).includes(operator["app_secret"] as string));
  lab.reset({ accounts: true });
  assert.equal(await code({}), 21301);
});
