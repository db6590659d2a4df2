import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { given, many, postForm, postJson, type JsonReply } from "./client.ts";
import { startLab, type Lab } from "./lab.ts";
import type { Texts } from "./vendors/makers.ts";

const NOTIFICATION = { title: "Sent", body: "Your parcel has left", importance: "NORMAL", clickAction: { type: 3 } };
let lab: Lab;
let operator: Texts;
let access: string;

before(async () => {
  lab = await startLab();
  operator = await lab.makeKeys("honor");
});
after(() => lab.close());
beforeEach(async () => {
  lab.reset();
  access = (await exchange()).json.access_token;
});

function exchange(change: Record<string, string | undefined> = {}): Promise<JsonReply> {
  const { client_id, client_secret } = operator;
  return postForm(`${lab.url}/iam.developer.honor.com/auth/token`, given({ grant_type: "client_credentials", client_id, client_secret, ...change }));
}

function sendBody(body: unknown, headers: Record<string, string> = {}, app = operator["app_id"]): Promise<JsonReply> {
  const usual = { authorization: `Bearer ${access}`, timestamp: String(Date.now()) };
  return postJson(`${lab.url}/push-api.cloud.honor.com/api/v1/${app}/sendMessage`, body, { ...usual, ...headers });
}

/** A message that is accepted, but for what a test changes. */
function send(message: object = {}, token: unknown = ["phone"]): Promise<JsonReply> {
  return sendBody({ data: '{"order":"4711"}', android: { ttl: "3600s", notification: NOTIFICATION }, ...message, token });
}

const shown = (change: object) => ({ android: { notification: { ...NOTIFICATION, ...change } } });

test("a good message is a success with an id", async () => {
  const { status, json } = await send();
  const { requestId } = json.data;
  assert.match(requestId, /^[0-9a-f]{24}$/);
  assert.deepEqual([status, json], [200, { code: 200, message: "success", data: { sendResult: true, requestId, failTokens: [], expireTokens: [] } }]);
});

test("an access token lives for as long as it says, and opens its own app only", async () => {
  const { status, json } = await exchange();
  assert.deepEqual([status, json.expires_in, json.token_type], [200, 3599, "Bearer"]);
  const other = await lab.makeKeys("honor");
  const refused = [
    await sendBody({}, { authorization: "" }),
    await sendBody({}, { authorization: "Bearer lab-other" }),
    await sendBody({}, {}, other["app_id"]),
  ];
  lab.settings({ clock_offset: 3600 });
  refused.push(await send());
  for (const reply of refused) assert.deepEqual([reply.status, reply.json.code, reply.json.data], [401, 80200003, null]);
});

test("the token endpoint says what it misses in the words of OAuth", async () => {
  const error = async (change: Record<string, string | undefined>): Promise<unknown[]> => {
    const { status, json } = await exchange(change);
    return [status, json.error];
  };
  assert.deepEqual(await error({ grant_type: "password" }), [401, "invalid_grant"]);
  assert.deepEqual(await error({ client_id: undefined }), [401, "invalid_client"]);
  assert.deepEqual(await error({ client_id: operator["app_id"] }), [401, "invalid_client"], "the app's id is another");
  assert.deepEqual(await error({ client_secret: "wrong" }), [401, "unauthorized_client"]);
  assert.equal((await postForm(`${lab.url}/iam.developer.honor.com/auth`, {})).status, 404);
});

test("the time of sending is Honor's, in milliseconds", async () => {
  const at = async (timestamp: string): Promise<unknown> => (await sendBody({ token: ["phone"], data: "x" }, { timestamp })).json.code;
  assert.equal(await at(String(Date.now() - 599_000)), 200);
  for (const wrong of ["", "noon", String(Date.now() - 601_000), String(Math.floor(Date.now() / 1000))]) assert.equal(await at(wrong), 80100001, wrong);
});

const refusals: [string, object, number][] = [
  ["neither data nor a notification", { data: undefined, android: {} }, 80100003],
  ["a part for Android that is text", { android: "x" }, 80100003],
  ["a notification that is text", { android: { notification: "x" } }, 80100003],
  ["data that is no text", { data: { order: 4711 } }, 80100003],
  ["a common notification without Android's", { notification: { title: "Sent", body: "x" }, android: {} }, 80100003],
  ["no title", shown({ title: undefined }), 80100003],
  ["a blank body", shown({ body: " " }), 80100003],
  ["no importance", shown({ importance: undefined }), 80100003],
  ["an importance of Huawei's", shown({ importance: "HIGH" }), 80100003],
  ["marketing with an image", shown({ importance: "LOW", image: "https://example.com/i.png" }), 80100003],
  ["an image without TLS", shown({ image: "http://example.com/i.png" }), 80100003],
  ["no click", shown({ clickAction: undefined }), 80100003],
  ["a click in Huawei's spelling", shown({ clickAction: undefined, click_action: { type: 3 } }), 80100003],
  ["a page of the app without its name", shown({ clickAction: { type: 1 } }), 80100003],
  ["a page of the web without TLS", shown({ clickAction: { type: 2, url: "http://example.com" } }), 80100003],
  ["a badge of a hundred", shown({ badge: { setNum: 100 } }), 80100003],
  ["a lifetime that is a number", { android: { ttl: 3600 } }, 80100004],
  ["a lifetime of nothing", { android: { ttl: "0s" } }, 80100004],
  ["a lifetime of more than 15 days", { android: { ttl: "1296001s" } }, 80100004],
];
for (const [what, change, code] of refusals) {
  test(`${what}: ${code}`, async () => {
    const { status, json } = await send(change);
    assert.deepEqual([status, json.code, json.data], [400, code, null]);
    assert.equal(lab.log().at(-1)?.reason, String(code));
  });
}

test("values at the edge pass", async () => {
  const edges = [
    { android: { ttl: "1296000s" } },
    { data: undefined, android: { data: "x" } },
    shown({ importance: "LOW", badge: { addNum: 1, setNum: 99 } }),
    shown({ image: "https://example.com/i.png", clickAction: { type: 2, url: "https://example.com" } }),
    shown({ clickAction: { type: 1, intent: "intent://order#Intent;scheme=app;end" } }),
    shown({ clickAction: { type: 1, action: "com.example.order" } }),
    { notification: { title: "Sent", body: "x" }, android: { notification: { importance: "NORMAL", clickAction: { type: 3 } } } },
  ];
  for (const edge of edges) assert.equal((await send(edge)).json.code, 200, JSON.stringify(edge));
});

test("4096 bytes without the tokens, and 1 to 1000 tokens", async () => {
  const data = (bytes: number): object => ({ data: "é".repeat((bytes - '{"data":"","android":{}}'.length) / 2), android: {} });
  assert.equal((await send(data(4096), many(1000))).json.code, 200);
  assert.equal((await send(data(4098))).json.code, 80300008);
  for (const token of [null, "phone", [], many(1001)]) assert.equal((await send({}, token)).json.code, 80300010);
});

test("expired and failed tokens have a list each, and where none lives nothing is sent", async () => {
  lab.token("honor", "a", { state: "expired" });
  lab.token("honor", "b", { state: "failed" });
  const some = (await send({}, ["a", "phone", "b"])).json;
  assert.deepEqual([some.code, some.data.sendResult, some.data.expireTokens, some.data.failTokens], [200, true, ["a"], ["b"]]);
  const none = (await send({}, ["a", "b"])).json;
  assert.deepEqual([none.code, none.data.sendResult, none.data.expireTokens, none.data.failTokens], [200, false, ["a"], ["b"]]);
});

test("two marketing messages a day to one phone: what is over is taken, and reported with 102", async () => {
  const usual = operator;
  const marketing = shown({ importance: "LOW" });
  const reports = (): string[] => lab.callbacks("honor").map(({ event, targets }) => `${event} ${targets.join()}`);
  lab.console("honor", { url: "https://push.example/cb" });
  lab.token("honor", "bad", { state: "expired" });
  for (const message of [marketing, marketing, {}, { android: {} }]) assert.equal((await send(message, ["a"])).json.data.sendResult, true);
  assert.deepEqual([reports(), lab.log().at(-1)?.capped], [Array(4).fill("0 a"), []]);
  const { data } = (await send(marketing, ["a", "b", "bad"])).json;
  assert.deepEqual([data.sendResult, data.failTokens, data.expireTokens], [true, [], ["bad"]]);
  assert.deepEqual([reports().slice(4), lab.log().at(-1)?.capped], [["0 b", "102 a"], ["a"]]);
  await send({ android: { ...marketing.android, targetUserType: 1 } }, ["a"]);
  assert.equal(reports().at(-1), "0 a", "a test is not counted");
  for (const [per_device, passes] of [[5, 5], [false, 7]] as const) {
    operator = await lab.makeKeys("honor", { per_device });
    access = (await exchange()).json.access_token;
    for (let n = 0; n < 7; n++) await send(marketing, ["a"]);
    assert.equal(reports().slice(-7).filter((one) => one === "0 a").length, passes);
  }
  operator = usual;
  lab.settings({ clock_offset: 86_400 });
  access = (await exchange()).json.access_token;
  await sendBody({ ...marketing, token: ["a"] }, { timestamp: String(Date.now() + 86_400_000) });
  assert.equal(reports().at(-1), "0 a", "the next day");
});

test("what is no message, another path", async () => {
  for (const body of ["{", []]) assert.equal((await sendBody(body)).json.code, 80100003);
  assert.equal((await postJson(`${lab.url}/push-api.cloud.honor.com/v1/${operator["app_id"]}/messages:send`, {})).status, 404);
});

test("faults, the log, a reset", async () => {
  lab.fault({ vendor: "honor", match: { account: operator["app_id"] as string, token: "b" }, do: { reason: "80300002" } });
  assert.equal((await send()).json.code, 200);
  const refused = await send({}, ["b"]);
  assert.deepEqual([refused.status, refused.json.code], [400, 80300002]);
  assert.ok(!JSON.stringify(lab.log()).includes(operator["client_secret"] as string));
  const held = { app_id: "104", client_id: "c", client_secret: "s" };
  await lab.register("honor", held);
  assert.equal((await exchange(held)).status, 200);
  lab.reset({ accounts: true });
  assert.equal((await exchange()).json.error, "invalid_client");
  operator = await lab.makeKeys("honor");
});
