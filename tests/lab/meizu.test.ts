import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, beforeEach, test } from "node:test";
import { given, many, post, postForm, postJson, type JsonReply } from "./client.ts";
import { startLab, type Lab } from "./lab.ts";
import type { Texts } from "./vendors/makers.ts";

const PATH = "/garcia/api/server/push/varnished/pushByPushId";
const BAR = { noticeMsgType: 1, title: "Sent", content: "Your parcel has left" };
let lab: Lab;
let operator: Texts;

before(async () => {
  lab = await startLab();
  operator = await lab.makeKeys("meizu");
});
after(() => lab.close());
beforeEach(() => lab.reset());

function sendForm(form: Record<string, string>): Promise<JsonReply> {
  return postForm(`${lab.url}/server-api-push.meizu.com${PATH}`, form);
}

/** Signs what is sent: names in their order, each with its value, then the secret. */
function signed(form: Record<string, string>, secret = operator["app_secret"]): Record<string, string> {
  const text = Object.keys(form).sort().map((name) => `${name}=${form[name]}`).join("");
  return { ...form, sign: createHash("md5").update(text + secret).digest("hex") };
}

/** A message that is accepted, but for what a test changes. */
function send(message: object = {}, pushIds: string | undefined = "phone"): Promise<JsonReply> {
  return sendForm(signed({ appId: operator["app_id"] as string, pushIds, messageJson: JSON.stringify({ noticeBarInfo: BAR, ...message }) }));
}

const bar = (change: object) => ({ noticeBarInfo: { ...BAR, ...change } });
const click = (clickTypeInfo: unknown) => ({ clickTypeInfo });

test("a good message gets an id, and names nobody", async () => {
  const { status, json } = await send();
  assert.match(json.msgId, /^NS\d{20}$/);
  assert.deepEqual([status, json], [200, { code: "200", message: "", value: {}, msgId: json.msgId, redirect: "" }]);
});

test("the documented signature opens, and another does not", async () => {
  await lab.register("meizu", { app_id: "100999", app_secret: "demo-secret" });
  const form = { appId: "100999", pushIds: "S5Q4b7demo0001", messageJson: '{"noticeBarInfo":{"title":"Hi","content":"There"}}' };
  assert.equal((await sendForm({ ...form, sign: "8f900ee38726132613685729e7708f6b" })).json.code, "200");
  for (const wrong of [{ ...form }, { ...form, sign: "" }, signed(form, "other"), { ...signed(form), pushIds: "other" }]) {
    const { status, json } = await sendForm(wrong);
    assert.deepEqual([status, json], [200, { code: "1006", message: "签名错误", value: "", redirect: "", msgId: null }]);
  }
  assert.equal((await sendForm(signed({ ...form, appId: "1" }, "demo-secret"))).json.code, "110000");
  assert.equal((await sendForm(signed({ ...form, later: "1" }, "demo-secret"))).json.code, "200", "all that is sent is signed");
  assert.ok(!JSON.stringify(lab.log()).includes("demo-secret"));
});

const refusals: [string, object][] = [
  ["no notification", { noticeBarInfo: undefined }],
  ["no title", bar({ title: undefined })],
  ["a blank title", bar({ title: " " })],
  ["a title of 33", bar({ title: "字".repeat(33) })],
  ["no content", bar({ content: "" })],
  ["a content of 101", bar({ content: "字".repeat(101) })],
  ["a class that is none", bar({ noticeMsgType: 2 })],
  ["a class that is text", bar({ noticeMsgType: "1" })],
  ["a click that is none", click({ clickType: 4 })],
  ["a click that opens nothing any more", click({ clickType: 3, customAttribute: "x" })],
  ["a page of the app without its name", click({ clickType: 1 })],
  ["an address that is none", click({ clickType: 2 })],
  ["an address of 1001 bytes", click({ clickType: 2, url: "x".repeat(1001) })],
  ["parameters that are text", click({ clickType: 0, parameters: "{}" })],
  ["no hour", { pushTimeInfo: { validTime: 0 } }],
  ["more than 72 hours", { pushTimeInfo: { validTime: 73 } }],
  ["half an hour", { pushTimeInfo: { validTime: 0.5 } }],
  ["a key of nine", { advanceInfo: { notifyKey: "x".repeat(9) } }],
  ["a key of another alphabet", { advanceInfo: { notifyKey: "a.b" } }],
  ["a callback of 129 bytes", { extra: { callback: `https://${"x".repeat(121)}` } }],
  ["a callback's parameter of 65 bytes", { extra: { "callback.param": "é".repeat(32) + "x" } }],
  ["an event that is none", { extra: { callback: "https://push.example/cb", "callback.type": "4" } }],
  ["extras that are text", { extra: "x" }],
];
for (const [what, change] of refusals) {
  test(`${what}: 1005`, async () => {
    const { status, json } = await send(change);
    assert.deepEqual([status, json.code, json.value, json.msgId], [200, "1005", "", null]);
    assert.equal(lab.log().at(-1)?.reason, "1005");
  });
}

test("values at the edge pass", async () => {
  const edges = [
    bar({ title: "😀".repeat(32), content: "字".repeat(100), noticeMsgType: 0 }),
    click({ clickType: 0, parameters: { order: "4711" } }),
    click({ clickType: 1, activity: "com.example.Order" }),
    click({ clickType: 2, url: "x".repeat(1000) }),
    { pushTimeInfo: { offLine: 1, validTime: 72 }, advanceInfo: { notifyKey: "aZ09_-xx" } },
    { pushTimeInfo: { validTime: 1 }, extra: { callback: `https://${"x".repeat(120)}`, "callback.param": "é".repeat(32), "callback.type": "3" } },
  ];
  for (const edge of edges) assert.equal((await send(edge)).json.code, "200", JSON.stringify(edge));
});

test("1 to 100 phones in one text, and a message that is JSON", async () => {
  assert.equal((await send({}, many(100).join())).json.code, "200");
  assert.equal((await send({}, many(101).join())).json.code, "1005");
  const [appId, messageJson] = [operator["app_id"] as string, JSON.stringify({ noticeBarInfo: BAR })];
  const code = async (form: Record<string, string | undefined>): Promise<string> => (await sendForm(signed(given({ appId, pushIds: "phone", messageJson, ...form })))).json.code;
  for (const empty of [{ pushIds: undefined }, { pushIds: "" }, { messageJson: undefined }]) assert.equal(await code(empty), "110004");
  for (const wrong of [{ pushIds: "," }, { messageJson: "{" }, { messageJson: "[]" }]) assert.equal(await code(wrong), "1005");
});

test("only those who failed are named, by code", async () => {
  for (const state of ["unsubscribed", "illegal", "muted", "capped"]) lab.token("meizu", state, { state });
  lab.token("meizu", "gone", { state: "unsubscribed" });
  const { json } = await send({}, "unsubscribed,phone,illegal,muted,capped,gone");
  const value = { 110002: ["unsubscribed", "gone"], 110003: ["illegal"], 110010: ["muted"], 110011: ["capped"] };
  assert.deepEqual([json.code, json.value], ["200", value]);
  assert.deepEqual((await send({}, "gone")).json.value, { 110002: ["gone"] }, "HTTP 200 and code 200 with none reached");
});

test("three public messages a day to one phone: who has had them is named with 110011", async () => {
  const usual = operator;
  const news = bar({ noticeMsgType: 0 });
  for (const message of [news, bar({ noticeMsgType: undefined }), {}, news]) assert.deepEqual((await send(message, "a")).json.value, {}, "private ones are not counted");
  lab.token("meizu", "gone", { state: "unsubscribed" });
  const extra = { callback: "https://push.example/cb" };
  const { json } = await send({ ...news, extra }, "a,b,gone");
  assert.deepEqual([json.code, json.value], ["200", { 110002: ["gone"], 110011: ["a"] }]);
  assert.deepEqual([lab.callbacks("meizu").map(({ targets }) => targets), lab.log().at(-1)?.capped], [[["b"]], ["a"]]);
  assert.deepEqual((await send({}, "a")).json.value, {});
  for (const [per_device, passes] of [[5, 5], [false, 7]] as const) {
    operator = await lab.makeKeys("meizu", { per_device });
    const values = [];
    for (let n = 0; n < 7; n++) values.push((await send(news)).json.value);
    assert.deepEqual(values, [...Array(passes).fill({}), ...Array(7 - passes).fill({ 110011: ["phone"] })]);
  }
  operator = usual;
  lab.settings({ clock_offset: 86_400 });
  assert.deepEqual((await send(news, "a")).json.value, {}, "the next day");
  lab.reset();
});

test("what was delivered is reported to the address in the message", async () => {
  lab.token("meizu", "gone", { state: "unsubscribed" });
  const extra = { callback: "https://push.example/cb", "callback.param": "m-77" };
  await send({ extra }, "a,gone,b");
  await send({ extra }, "gone");
  await send({ extra: { ...extra, "callback.type": "2" } });
  await send({ extra: { "callback.param": "m-77" } });
  await send();
  const expected = [{ url: "https://push.example/cb", param: "m-77", targets: ["a", "b"], event: "1" }];
  const read = async (): Promise<unknown> => JSON.parse((await post(`${lab.url}/_lab/callbacks/meizu`, { method: "GET" })).text).callbacks;
  assert.deepEqual(await read(), expected);
  lab.reset();
  assert.deepEqual(await read(), []);
});

test("a form by POST; faults speak Meizu's words", async () => {
  const url = `${lab.url}/server-api-push.meizu.com${PATH}`;
  assert.equal((await postJson(url, {})).json.code, "1005");
  assert.equal((await post(url, { method: "GET" })).status, 404);
  lab.fault({ vendor: "meizu", match: { account: operator["app_id"] as string, token: "b" }, do: { reason: "110010" } });
  assert.equal((await send()).json.code, "200");
  const { status, json } = await send({}, "a,b");
  assert.deepEqual([status, json.code], [200, "110010"]);
  assert.throws(() => lab.fault({ vendor: "meizu", do: { reason: "110011" } }), "a code of phones only");
});

test("accounts go with a full reset", async (t) => {
  const throwaway = await startLab();
  t.after(() => throwaway.close());
  const held = await throwaway.makeKeys("meizu", { app_id: "7", app_secret: "s" });
  assert.deepEqual(held, { app_id: "7", app_secret: "s" });
  throwaway.reset({ accounts: true });
  const form = signed({ appId: "7", pushIds: "phone", messageJson: "{}" }, "s");
  assert.equal((await postForm(`${throwaway.url}/server-api-push.meizu.com${PATH}`, form)).json.code, "110000");
});
