import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, beforeEach, test } from "node:test";
import { given, many, post, postForm, postJson, type JsonReply } from "./client.ts";
import { startLab, type Lab } from "./lab.ts";
import type { Texts } from "./vendors/makers.ts";

const BATCH = "/server/v1/message/notification/unicast_batch";
const MAINLAND = "api.push.oppomobile.com";
const SHOWN = { title: "Sent", content: "Your parcel has left", category: "ORDER", notify_level: 2, channel_id: "order", off_line: true, off_line_ttl: 86_400 };
const CALLED = { call_back_url: "https://push.example/cb", call_back_parameter: "m-77" };
const PHONE = phone(1);
let lab: Lab;
let operator: Texts;
let access: string;

before(async () => {
  lab = await startLab();
  operator = await lab.makeKeys("oppo");
});
after(() => lab.close());
beforeEach(async () => {
  lab.reset();
  access = (await auth()).json.data.auth_token;
});

function phone(n: number, prefix = "OPPO_CN_"): string {
  return prefix + n.toString(16).padStart(32, "0");
}

/** Asks for an access token, signed, but for what a test changes. */
function auth(change: Record<string, string | undefined> = {}, from = operator): Promise<JsonReply> {
  const app_key = from["app_key"] as string;
  const timestamp = change["timestamp"] ?? String(Date.now());
  const sign = createHash("sha256").update(app_key + timestamp + from["master_secret"]).digest("hex");
  return postForm(`${lab.url}/${MAINLAND}/server/v1/auth`, given({ app_key, timestamp, sign, ...change }));
}

function sendAll(messages: unknown, { token = access, host = MAINLAND } = {}): Promise<JsonReply> {
  return postForm(`${lab.url}/${host}${BATCH}`, { auth_token: token, messages: typeof messages === "string" ? messages : JSON.stringify(messages) });
}

const message = (target_value: string, change: object = {}) => ({ target_type: 2, target_value, notification: { ...SHOWN, ...change } });

/** The code of one message; 0 where it was taken. */
async function code(change: object = {}, to = PHONE, host = MAINLAND): Promise<number> {
  const { json } = await sendAll([message(to, change)], { host });
  assert.deepEqual([json.code, json.data[0].registrationId], [0, to]);
  return json.data[0].errorCode ?? 0;
}

test("a batch is taken, and each of its messages has an id", async () => {
  const to = [phone(1), phone(2)];
  const { status, json } = await sendAll(to.map((token) => message(token)));
  const ids = json.data.map((item: { messageId: string }) => item.messageId);
  for (const id of ids) assert.match(id, /^lab-1-1-[0-9a-f]{24}$/);
  const data = to.map((registrationId, at) => ({ messageId: ids[at], registrationId }));
  assert.deepEqual([status, json], [200, { code: 0, message: "success", data }]);
});

test("the access token is given for the documented signature", async () => {
  const held = { app_key: "demo-key", master_secret: "demo-master" };
  await lab.register("oppo", held);
  lab.settings({ clock_offset: Math.floor(1_700_000_000 - Date.now() / 1000) });
  const { status, json } = await auth({ timestamp: "1700000000000", sign: "38f6b7ca8492312c3bb5762f4ffff7d4bc5d55ccf6c451b0fe9891ac3e48091b" }, held);
  assert.deepEqual([status, json.code, json.message], [200, 0, "success"]);
  assert.ok(Math.abs(json.data.create_time - 1_700_000_000_000) < 60_000);
  assert.ok(!JSON.stringify(lab.log()).includes(json.data.auth_token));
});

const unsigned: [string, Record<string, string | undefined>, number][] = [
  ["no key", { app_key: undefined }, 15],
  ["a stranger", { app_key: "x" }, 14],
  ["no time", { timestamp: "" }, 18],
  ["a time of 11 minutes ago", { timestamp: String(Date.now() - 660_000) }, 19],
  ["no signature", { sign: undefined }, 17],
  ["another's signature", { sign: "0".repeat(64) }, 16],
];
for (const [what, change, expected] of unsigned) {
  test(`${what}: no access token, ${expected}`, async () => {
    const { status, json } = await auth(change);
    assert.deepEqual([status, json.code, json.data], [200, expected, undefined]);
  });
}

test("too many access tokens: 13, until a minute has passed", async () => {
  await Promise.all(many(99).map(() => auth()));
  assert.equal((await auth()).json.code, 13);
  lab.settings({ clock_offset: 61 });
  assert.equal((await auth()).json.code, 0);
});

test("an access token is a field or a header, lives for a day, and others stay good beside it", async () => {
  assert.equal((await sendAll([message(PHONE)], { token: "" })).json.code, 29);
  assert.equal((await sendAll([message(PHONE)], { token: "lab-other" })).json.code, 11);
  const form = { messages: JSON.stringify([message(PHONE)]) };
  assert.equal((await postForm(`${lab.url}/${MAINLAND}${BATCH}`, form, { auth_token: access })).json.code, 0);
  await auth();
  assert.equal(await code(), 0);
  lab.settings({ clock_offset: 86_401 });
  assert.equal((await sendAll([message(PHONE)])).json.code, 11);
});

const refusals: [string, object, number][] = [
  ["no title", { title: undefined }, 41],
  ["a blank title", { title: " " }, 41],
  ["a title of 51", { title: "字".repeat(51) }, 41],
  ["a content of 201", { content: "字".repeat(201) }, 41],
  ["a long text of 129", { style: 2, content: "字".repeat(129) }, 41],
  ["a style of broadcasts", { style: 3 }, 41],
  ["a subtitle of 11", { sub_title: "x".repeat(11) }, 41],
  ["lines beside a template", { private_msg_template_id: "T1" }, 41],
  ["no category", { category: undefined, notify_level: undefined }, 67],
  ["a category in lower case", { category: "order", notify_level: undefined }, 67],
  ["a level that is none", { notify_level: 3 }, 67],
  ["a level that needs a right", { category: "IM", notify_level: 16 }, 67],
  ["marketing on the lock screen", { category: "MARKETING", notify_level: 2 }, 67],
  ["a service message without a channel", { channel_id: undefined }, 67],
  ["a channel that is not registered", { channel_id: "parcels" }, 67],
  ["a click that is none", { click_action_type: 3 }, 41],
  ["a page of the app without its name", { click_action_type: 4 }, 41],
  ["an address of 2001", { click_action_type: 5, click_action_url: "x".repeat(2001) }, 41],
  ["parameters that are no text", { action_parameters: { order: "4711" } }, 41],
  ["parameters of 4001", { action_parameters: "x".repeat(4001) }, 41],
  ["more than ten days", { off_line_ttl: 864_001 }, 41],
  ["a callback of 201", { call_back_url: `https://${"x".repeat(193)}` }, 41],
  ["a callback's parameter of 101", { call_back_parameter: "x".repeat(101) }, 41],
];
for (const [what, change, expected] of refusals) {
  test(`${what}: ${expected}`, async () => {
    assert.equal(await code(change), expected);
  });
}

test("values at the edge pass", async () => {
  const marketing = { category: "MARKETING", notify_level: 1, channel_id: undefined };
  const edges = [
    { title: "😀".repeat(50), content: "字".repeat(200), sub_title: "x".repeat(10), off_line_ttl: 864_000 },
    { style: 2, content: "字".repeat(128), off_line_ttl: undefined },
    { title: undefined, content: undefined, private_msg_template_id: "T1" },
    { ...marketing, click_action_type: 1, click_action_activity: "com.example.order" },
    { ...marketing, notify_level: undefined, click_action_type: 2, click_action_url: "https://example.com" },
    { action_parameters: "x".repeat(4000), call_back_url: `https://${"x".repeat(192)}`, call_back_parameter: "x".repeat(100) },
  ];
  for (const edge of edges) assert.equal(await code(edge), 0, JSON.stringify(edge));
});

test("1 to 1000 messages, each to one registration id", async () => {
  assert.equal((await sendAll(many(1000, "OPPO_CN_").map((to) => message(to)))).json.data.length, 1000);
  for (const messages of [[], many(1001).map((to) => message(to)), {}, "["]) assert.equal((await sendAll(messages)).json.code, 41);
  const odd = (await sendAll([{ ...message("alias"), target_type: 5 }, { target_type: 2, target_value: PHONE }, message(PHONE)])).json;
  assert.deepEqual(odd.data.map((item: { errorCode?: number }) => item.errorCode), [41, 41, undefined]);
});

test("the host goes with the token's region", async () => {
  const abroad = "api-intl.push.oppomobile.com";
  for (const to of [phone(1, ""), phone(1, "CN_"), phone(1, "realme_CN_")]) assert.deepEqual([await code({}, to), await code({}, to, abroad)], [0, 10_000]);
  for (const to of [phone(1, "EU_"), phone(1, "OPPO_IN_")]) assert.deepEqual([await code({}, to), await code({}, to, abroad)], [10_000, 0]);
});

test("a malformed token fails at once, a dead one and one at its cap are only reported", async () => {
  for (const [n, state] of [[2, "malformed"], [3, "dead"], [4, "capped"]] as const) lab.token("oppo", phone(n), { state });
  const marketing = { ...CALLED, category: "MARKETING", notify_level: 1 };
  const { json } = await sendAll([1, 2, 3, 4].map((n) => message(phone(n), marketing)));
  assert.equal(json.code, 0);
  assert.deepEqual(json.data[1], { registrationId: phone(2), errorCode: 10_000, errorMessage: "Invalid RegistrationId" });
  assert.deepEqual(json.data.map((item: { messageId?: string }) => typeof item.messageId), ["string", "undefined", "string", "string"]);
  const called = (event: string, n: number) => ({ url: CALLED.call_back_url, param: "m-77", targets: [phone(n)], event });
  const expected = [called("push_arrive", 1), called("regid_invalid", 3), called("user_daily_limit", 4)];
  assert.deepEqual(JSON.parse((await post(`${lab.url}/_lab/callbacks/oppo`, { method: "GET" })).text), { callbacks: expected });
  assert.equal(await code(CALLED, phone(4)), 0, "no cap on service messages");
  assert.equal(lab.callbacks("oppo").at(-1)?.event, "push_arrive");
});

test("two marketing messages a day to one phone: what is over is taken, and reported as user_daily_limit", async () => {
  const marketing = { ...CALLED, category: "CONTENT", notify_level: 1, channel_id: undefined };
  const events = (): string[] => lab.callbacks("oppo").map(({ event, targets }) => `${event} ${Number(targets[0]?.slice(-2))}`);
  for (const change of [marketing, CALLED, marketing]) assert.equal(await code(change), 0);
  assert.deepEqual([events(), lab.log().at(-1)?.capped], [Array(3).fill("push_arrive 1"), []]);
  const { json } = await sendAll([1, 2, 2, 2].map((n) => message(phone(n), marketing)));
  assert.deepEqual(json.data.map((item: { errorCode?: number }) => item.errorCode), Array(4).fill(undefined));
  assert.deepEqual(events().slice(3), ["user_daily_limit 1", "push_arrive 2", "push_arrive 2", "user_daily_limit 2"]);
  assert.deepEqual(lab.log().at(-1)?.capped, [phone(1), phone(2)]);
  assert.deepEqual([await code(CALLED), events().at(-1)], [0, "push_arrive 1"], "service messages are not counted");
  for (const [per_device, passes] of [[5, 5], [false, 7]] as const) {
    const other = await lab.makeKeys("oppo", { per_device });
    const token = (await auth({}, other)).json.data.auth_token;
    for (let n = 0; n < 7; n++) await sendAll([message(PHONE, marketing)], { token });
    assert.equal(events().slice(-7).filter((one) => one === "push_arrive 1").length, passes);
  }
  lab.settings({ clock_offset: 86_400 });
  access = (await auth({ timestamp: String(Date.now() + 86_400_000) })).json.data.auth_token;
  assert.deepEqual([await code(marketing), events().at(-1)], [0, "push_arrive 1"], "the next day");
});

test("an id goes to one phone once", async () => {
  const twice = { app_message_id: "m-1" };
  assert.deepEqual([await code(twice), await code(twice), await code(twice, phone(2)), await code(), await code()], [0, 32, 0, 0, 0]);
});

test("marketing has a total of each day of China", async () => {
  const small = await lab.makeKeys("oppo", { per_day: 2, channels: ["parcels"] });
  const codes = async (timestamp: string, ...messages: object[]): Promise<unknown[]> => {
    const token = (await auth({ timestamp }, small)).json.data.auth_token;
    return (await sendAll(messages, { token })).json.data.map((item: { errorCode?: number }) => item.errorCode ?? 0);
  };
  const [one, two, three] = [1, 2, 3].map((n) => message(phone(n), { category: "NEWS", notify_level: 1, app_message_id: "m-1" })) as [object, object, object];
  const service = message(PHONE, { channel_id: "parcels" });
  assert.deepEqual(await codes(String(Date.now()), one, two, three, service), [0, 0, 33, 0]);
  lab.settings({ clock_offset: 86_400 });
  assert.deepEqual(await codes(String(Date.now() + 86_400_000), three), [0], "the next day, with the same id");
});

test("forms by POST; faults speak OPPO's words", async () => {
  assert.equal(JSON.parse((await post(`${lab.url}/${MAINLAND}${BATCH}`, { method: "GET" })).text).code, 12);
  assert.equal((await postJson(`${lab.url}/${MAINLAND}${BATCH}`, {})).json.code, 41);
  lab.fault({ vendor: "oppo", match: { account: operator["app_key"] as string, token: phone(2) }, do: { reason: "-2" } });
  assert.equal((await sendAll([message(phone(1))])).json.code, 0);
  assert.equal((await sendAll([message(phone(2))])).json.code, -2);
});
