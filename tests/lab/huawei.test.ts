import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { given, many, postForm, postJson, type JsonReply } from "./client.ts";
import { startLab, type Lab } from "./lab.ts";
import type { Texts } from "./vendors/makers.ts";

const NOTIFICATION = { title: "Sent", body: "Your parcel has left", click_action: { type: 3 } };
let lab: Lab;
let operator: Texts;
let access: string;

before(async () => {
  lab = await startLab();
  operator = await lab.makeKeys("huawei");
});
after(() => lab.close());
beforeEach(async () => {
  lab.reset();
  access = (await exchange()).json.access_token;
});

function exchange(change: Record<string, string | undefined> = {}): Promise<JsonReply> {
  const { client_id, client_secret } = operator;
  const form = given({ grant_type: "client_credentials", client_id, client_secret, ...change });
  return postForm(`${lab.url}/oauth-login.cloud.huawei.com/oauth2/v3/token`, form);
}

function sendTo(path: string, body: unknown, authorization = `Bearer ${access}`): Promise<JsonReply> {
  return postJson(`${lab.url}/push-api.cloud.huawei.com${path}`, body, { authorization });
}

/** A message that is accepted, but for what a test changes. */
function send(message: object = {}, token: unknown = ["phone"]): Promise<JsonReply> {
  const usual = { data: '{"order":"4711"}', android: { category: "EXPRESS", ttl: "3600s", notification: NOTIFICATION } };
  return sendTo(`/v2/${operator["project_id"]}/messages:send`, { message: { ...usual, ...message, token } });
}

const android = (change: object) => ({ android: { notification: NOTIFICATION, ...change } });
const shown = (change: object) => android({ notification: { ...NOTIFICATION, ...change } });

test("a good message is a success with an id, under the app's id and the project's", async () => {
  const replies = [await send(), await sendTo(`/v1/${operator["client_id"]}/messages:send`, { message: { data: "x", token: ["phone"] } })];
  for (const { status, json } of replies) {
    assert.match(json.requestId, /^[0-9a-f]{24}$/);
    assert.deepEqual([status, json], [200, { code: "80000000", msg: "Success", requestId: json.requestId }]);
  }
  assert.notEqual(replies[0]?.json.requestId, replies[1]?.json.requestId);
});

test("an access token lives for as long as it says", async () => {
  const { status, json } = await exchange();
  assert.deepEqual([status, json.expires_in, json.token_type], [200, 3599, "Bearer"]);
  assert.equal((await send()).json.code, "80000000", "an older one is good beside it");
  lab.settings({ clock_offset: 3600 });
  const late = await send();
  assert.deepEqual([late.status, late.json.code], [401, "80200003"]);
});

const grants: [string, Record<string, string | undefined>, number, number][] = [
  ["another grant", { grant_type: "password" }, 400, 20001],
  ["no client", { client_id: undefined }, 400, 20002],
  ["a client id with letters", { client_id: "12x" }, 400, 20002],
  ["no secret", { client_secret: "" }, 400, 20171],
  ["a wrong secret", { client_secret: "wrong" }, 401, 20171],
  ["a stranger", { client_id: "1" }, 401, 20171],
];
for (const [what, change, status, sub_error] of grants) {
  test(`${what}: no access token, ${status} with ${sub_error}`, async () => {
    const reply = await exchange(change);
    assert.deepEqual([reply.status, reply.json.error, reply.json.sub_error], [status, 1101, sub_error]);
  });
}

test("a thousand access tokens in five minutes, and no more", async () => {
  for (let round = 0; round < 9; round += 1) await Promise.all(many(111).map(() => exchange()));
  assert.equal((await exchange()).status, 503);
  lab.settings({ clock_offset: 301 });
  assert.equal((await exchange()).status, 200);
});

test("no token, a strange one and one of another app are refused", async () => {
  const path = `/v2/${operator["project_id"]}/messages:send`;
  const code = async (authorization: string, to = path): Promise<unknown[]> => {
    const { status, json } = await sendTo(to, { message: { data: "x", token: ["phone"] } }, authorization);
    return [status, json.code];
  };
  assert.deepEqual(await code(""), [401, "80200001"]);
  assert.deepEqual(await code("Bearer lab-other"), [401, "80200003"]);
  assert.deepEqual(await code(`Bearer ${access}`, "/v2/1/messages:send"), [401, "80200001"]);
  assert.deepEqual(await code(`Bearer ${access}`, `/v1/${operator["project_id"]}/messages:send`), [401, "80200001"]);
});

const refusals: [string, object, number][] = [
  ["neither data nor a notification", { data: undefined, android: {} }, 80100003],
  ["a part for Android that is text", { android: "x" }, 80100003],
  ["data that is no text", { data: { order: 4711 } }, 80100003],
  ["no title", shown({ title: undefined }), 80100003],
  ["a blank body", shown({ body: " " }), 80100003],
  ["no click", shown({ click_action: undefined }), 80100003],
  ["a click that is none", shown({ click_action: { type: 4 } }), 80100003],
  ["a page of the app without its name", shown({ click_action: { type: 1 } }), 80100003],
  ["a page of the web without TLS", shown({ click_action: { type: 2, url: "http://example.com" } }), 80100003],
  ["a notification for no system", { notification: { title: "Sent", body: "x" }, android: {} }, 80100003],
  ["a category that is none", android({ category: "PARCELS" }), 80100001],
  ["a category in lower case", android({ category: "im" }), 80100001],
  ["an importance that is none", shown({ importance: "HIGH" }), 80100001],
  ["an image without TLS", shown({ image: "http://example.com/i.png" }), 80100001],
  ["a common image without TLS", { notification: { image: "http://example.com/i.png" } }, 80100001],
  ["a badge of a hundred", shown({ badge: { set_num: 100 } }), 80100001],
  ["a badge that adds nothing", shown({ badge: { add_num: 0 } }), 80100001],
  ["a lifetime that is a number", android({ ttl: 3600 }), 80100004],
  ["a lifetime of nothing", android({ ttl: "0s" }), 80100004],
  ["a lifetime of more than 15 days", android({ ttl: "1296001s" }), 80100004],
  ["a group above a hundred", android({ collapse_key: 101 }), 80100013],
  ["a group below -1", android({ collapse_key: -2 }), 80100013],
  ["an urgency that needs a right", { android: { urgency: "HIGH" } }, 80300011],
];
for (const [what, change, code] of refusals) {
  test(`${what}: ${code}`, async () => {
    const { status, json } = await send(change);
    assert.deepEqual([status, json.code], [200, String(code)]);
    assert.equal(lab.log().at(-1)?.reason, String(code));
  });
}

test("values at the edge pass", async () => {
  const edges = [
    android({ ttl: "1296000s", collapse_key: -1 }),
    android({ ttl: "1s", collapse_key: 100, category: "MARKETING" }),
    shown({ importance: "LOW", badge: { add_num: 99, set_num: 0 }, image: "https://example.com/i.png" }),
    shown({ click_action: { type: 1, intent: "intent://order#Intent;scheme=app;end" } }),
    shown({ click_action: { type: 2, url: "https://example.com" } }),
    { notification: { title: "Sent", body: "x" }, android: { notification: { click_action: { type: 3 } } } },
    { data: undefined, android: { data: "x", urgency: "NORMAL" } },
  ];
  for (const edge of edges) assert.equal((await send(edge)).json.code, "80000000", JSON.stringify(edge));
});

test("4096 bytes without the tokens, and no more", async () => {
  const data = (bytes: number): object => ({ data: "é".repeat((bytes - '{"data":"","android":{}}'.length) / 2), android: {} });
  assert.equal((await send(data(4096), many(1000))).json.code, "80000000");
  assert.equal((await send(data(4098))).json.code, "80300008");
});

test("1 to 1000 tokens", async () => {
  for (const token of [null, "phone", [], [""], many(1001)]) assert.equal((await send({}, token)).json.code, "80300010");
  assert.equal((await send({}, many(1000))).json.code, "80000000");
});

test("dead tokens are named in a text of JSON; where none lives, only the code says so", async () => {
  for (const token of ["a", "b"]) lab.token("huawei", token, { state: "invalid" });
  const some = await send({}, ["a", "phone", "b"]);
  assert.deepEqual([some.status, some.json.code], [200, "80100000"]);
  assert.equal(some.json.msg, '{"success":1,"failure":2,"illegal_tokens":["a","b"]}');
  assert.equal(lab.log().at(-1)?.reason, null, "a success in part");
  assert.equal((await send({}, ["a", "b"])).json.code, "80300007");
});

test("what is no message, another method, another path", async () => {
  const path = `/v2/${operator["project_id"]}/messages:send`;
  for (const body of ["{", [], {}, { message: "x" }]) assert.equal((await sendTo(path, body)).json.code, "80100003");
  assert.equal((await fetch(`${lab.url}/push-api.cloud.huawei.com${path}`)).status, 405);
  assert.equal((await sendTo(`/v2/${operator["project_id"]}/messages:push`, {})).status, 404);
});

test("two marketing messages a day to one phone: what is over is taken, and reported with 256", async () => {
  const marketing = android({ category: "MARKETING", bi_tag: "m-1" });
  const reports = (): string[] => lab.callbacks("huawei").map(({ event, targets }) => `${event} ${targets.join()}`);
  lab.console("huawei", { url: "https://push.example/cb" });
  lab.token("huawei", "bad", { state: "invalid" });
  for (const message of [marketing, android({})]) assert.equal((await send(message, ["a"])).json.code, "80000000", "without a category it is marketing");
  assert.deepEqual([reports(), lab.log().at(-1)?.capped], [["0 a", "0 a"], []]);
  const some = await send(marketing, ["a", "b", "bad"]);
  assert.equal(some.json.msg, '{"success":2,"failure":1,"illegal_tokens":["bad"]}');
  assert.deepEqual([reports().slice(2), lab.log().at(-1)?.capped], [["0 b", "256 a"], ["a"]]);
  for (const free of [{}, android({ category: "MARKETING", target_user_type: 1 }), { android: {} }]) await send(free, ["a"]);
  assert.deepEqual(reports().slice(4), ["0 a", "0 a", "0 a"], "service, tests and data are not counted");
  lab.settings({ clock_offset: 86_400 });
  access = (await exchange()).json.access_token;
  await send(marketing, ["a"]);
  assert.equal(reports().at(-1), "0 a", "the next day");
});

test("news apps have another number, and an account may count nothing; a reset forgets what was counted", async () => {
  const usual = operator;
  for (const [per_device, passes] of [[5, 5], [false, 7], [undefined, 2]] as const) {
    operator = await lab.makeKeys("huawei", per_device === undefined ? {} : { per_device });
    access = (await exchange()).json.access_token;
    const over = async (): Promise<number> => {
      const capped = [];
      for (let n = 0; n < 7; n++) {
        await send(android({ category: "MARKETING" }));
        capped.push(...(lab.log().at(-1)?.capped ?? []));
      }
      return capped.length;
    };
    assert.equal(await over(), 7 - passes);
    lab.reset();
    access = (await exchange()).json.access_token;
    assert.equal(await over(), 7 - passes);
  }
  for (const per_device of [0, 1.5, "5", true]) await assert.rejects(lab.make("huawei", { per_device }), /per_device/);
  operator = usual;
});

test("faults speak Huawei's words, for one project or one phone", async () => {
  lab.fault({ vendor: "huawei", match: { account: operator["project_id"] as string }, do: { reason: "81000001" } });
  lab.fault({ vendor: "huawei", match: { token: "b" }, do: { reason: "503" } });
  const down = await send();
  assert.deepEqual([down.status, down.json.code], [500, "81000001"]);
  assert.equal((await send()).json.code, "80000000");
  assert.equal((await send({}, ["a", "b"])).status, 503);
  assert.throws(() => lab.fault({ vendor: "huawei", do: { reason: "80999999" } }));
});

test("an account may be somebody else's, secrets are not in the log, and a reset takes tokens before accounts", async () => {
  operator = { client_id: "104", client_secret: "secret-of-104", project_id: "7" };
  await lab.register("huawei", operator);
  access = (await exchange()).json.access_token;
  assert.equal((await send()).json.code, "80000000");
  assert.ok(!/secret-of-104|lab-[0-9a-f]{48}/.test(JSON.stringify(lab.log())));
  lab.reset();
  assert.equal((await send()).json.code, "80200003");
  assert.equal((await exchange()).status, 200);
  lab.reset({ accounts: true });
  assert.equal((await exchange()).status, 401);
  operator = await lab.makeKeys("huawei");
});
