import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { after, before, beforeEach, test } from "node:test";
import { importPKCS8, SignJWT, type JWTPayload } from "jose";
import { many, postForm, postJson, seconds, type JsonReply } from "./client.ts";
import { startLab, type Lab } from "./lab.ts";
import type { Texts } from "./vendors/makers.ts";

const AUDIENCE = "https://oauth-login.cloud.huawei.com/oauth2/v3/token";
const NOTIFICATION = { category: "EXPRESS", title: "Sent", body: "Your parcel has left", clickAction: { actionType: 0, data: { order: "4711" } } };
let lab: Lab;
let operator: Texts;
let access: string;

before(async () => {
  lab = await startLab();
  operator = await lab.makeKeys("harmony");
  access = await jwt();
});
after(() => lab.close());
beforeEach(() => lab.reset());

async function jwt(claims: JWTPayload = {}, header: object = {}, from = operator): Promise<string> {
  const alg = (header as { alg?: string }).alg ?? "PS256";
  const key = await importPKCS8(from["private_key"] as string, alg);
  const usual = { iss: from["sub_account"] as string, aud: AUDIENCE, iat: seconds(), exp: seconds(3600) };
  return new SignJWT({ ...usual, ...claims }).setProtectedHeader({ alg, typ: "JWT", kid: from["key_id"] as string, ...header }).sign(key);
}

function sendBody(body: unknown, headers: object = {}, project = operator["project_id"]): Promise<JsonReply> {
  const usual = { authorization: `Bearer ${access}`, "push-type": "0" };
  return postJson(`${lab.url}/push-api.cloud.huawei.com/v3/${project}/messages:send`, body, { ...usual, ...headers });
}

/** A notification that is accepted, but for what a test changes. */
function send(notification: object = {}, pushOptions: object = { ttl: 3600 }, token: unknown = ["phone"]): Promise<JsonReply> {
  return sendBody({ payload: { notification: { ...NOTIFICATION, ...notification } }, target: { token }, pushOptions });
}

async function refusal(authorization: string, project = operator["project_id"]): Promise<unknown[]> {
  const { status, json } = await sendBody({ payload: {}, target: { token: ["phone"] } }, { authorization }, project);
  return [status, json.code];
}

test("a good notification is a success with an id", async () => {
  const { status, json } = await send();
  assert.match(json.requestId, /^[0-9a-f]{24}$/);
  assert.deepEqual([status, json], [200, { code: "80000000", msg: "Success", requestId: json.requestId }]);
});

test("background data has a push type of its own, and a text", async () => {
  const data = (payload: object, type = "6") => sendBody({ payload, target: { token: ["phone"] } }, { "push-type": type });
  assert.equal((await data({ extraData: '{"sync":"1"}' })).json.code, "80000000");
  assert.equal((await data({ extraData: { sync: "1" } })).json.code, "80100003");
  assert.equal((await data({ notification: NOTIFICATION })).json.code, "80100003");
  assert.equal((await data({ extraData: "x" }, "0")).json.code, "80100003");
  for (const type of ["1", "notification", ""]) assert.equal((await data({ extraData: "x" }, type)).json.code, "80100001", type);
});

test("the account's own JWT is what opens, and nothing else", async () => {
  const other = await lab.makeKeys("harmony");
  const bad = async (claims: JWTPayload, header = {}, from = operator): Promise<unknown[]> => refusal(`Bearer ${await jwt(claims, header, from)}`);
  assert.deepEqual(await refusal(""), [401, "80200001"]);
  assert.deepEqual(await refusal("Bearer abc"), [401, "80200001"]);
  assert.deepEqual(await bad({ iss: "1" }), [401, "80200001"]);
  assert.deepEqual(await bad({ aud: "https://push-api.cloud.huawei.com" }), [401, "80200001"]);
  assert.deepEqual(await bad({}, { kid: "other" }), [401, "80200001"]);
  assert.deepEqual(await bad({}, { typ: "at+jwt" }), [401, "80200001"]);
  assert.deepEqual(await bad({}, { alg: "RS256" }), [401, "80200001"], "RS256");
  assert.deepEqual(await bad({}, {}, { ...operator, private_key: other["private_key"] as string }), [401, "80200001"], "another key");
  assert.deepEqual(await bad({}, {}, other), [401, "80200001"], "another project's account");
  assert.deepEqual(await refusal(`Bearer ${access}`, "0"), [401, "80200001"], "a project that is not there");
});

test("an access token of OAuth opens nothing here", async () => {
  const { client_id = "", client_secret = "" } = await lab.makeKeys("huawei");
  const form = { grant_type: "client_credentials", client_id, client_secret };
  const { json } = await postForm(`${lab.url}/oauth-login.cloud.huawei.com/oauth2/v3/token`, form);
  assert.deepEqual(await refusal(`Bearer ${json.access_token}`), [401, "80200001"]);
});

test("a JWT lives for a day at most, and ends", async () => {
  const code = async (claims: JWTPayload): Promise<unknown[]> => {
    const { status, json } = await sendBody({}, { authorization: `Bearer ${await jwt(claims)}` });
    return [status, json.code];
  };
  const now = seconds();
  assert.deepEqual(await code({ iat: now, exp: now + 86_400 }), [200, "80300010"], "a day is taken");
  assert.deepEqual(await code({ iat: now, exp: now + 86_401 }), [200, "80300036"]);
  assert.deepEqual(await code({ iat: now - 3600, exp: now - 1 }), [401, "80200005"]);
  assert.deepEqual(await code({ iat: now + 600, exp: now + 3600 }), [401, "80200005"], "of the future");
  assert.deepEqual(await code({ exp: undefined as never }), [401, "80200005"]);
  lab.settings({ clock_offset: 3700 });
  assert.deepEqual(await refusal(`Bearer ${access}`), [401, "80200005"]);
});

const refusals: [string, object, number][] = [
  ["no category", { category: undefined }, 80100001],
  ["a category in lower case", { category: "im" }, 80100001],
  ["no title", { title: undefined }, 80100003],
  ["a blank body", { body: " " }, 80100003],
  ["no click", { clickAction: undefined }, 80100003],
  ["a click that opens a page of the web", { clickAction: { actionType: 2, url: "https://example.com" } }, 80100003],
  ["a page of the app without its name", { clickAction: { actionType: 1 } }, 80100003],
  ["data of a click that is text", { clickAction: { actionType: 0, data: "{}" } }, 80100003],
  ["a number below -1", { notifyId: -2 }, 80100001],
  ["a number above 31 bits", { notifyId: 2_147_483_648 }, 80100001],
  ["an empty id", { appMessageId: "" }, 80100001],
  ["an id of 65", { appMessageId: "x".repeat(65) }, 80100001],
  ["an image without TLS", { image: "http://example.com/i.png" }, 80100001],
  ["a badge of a hundred", { badge: { setNum: 100 } }, 80100001],
  ["a badge that adds nothing", { badge: { addNum: 0 } }, 80100001],
];
for (const [what, change, code] of refusals) {
  test(`${what}: ${code}`, async () => {
    const { status, json } = await send(change);
    assert.deepEqual([status, json.code], [200, String(code)]);
  });
}

test("options have their limits", async () => {
  const code = async (options: object): Promise<string> => (await send({}, options)).json.code;
  for (const ttl of [0, 1_296_001, "3600"]) assert.equal(await code({ ttl }), "80100004");
  for (const collapseKey of [-2, 101]) assert.equal(await code({ collapseKey }), "80100001");
  assert.equal(await code({ biTag: "é".repeat(32) + "x" }), "80100001", "65 bytes");
  const edge = { ttl: 1_296_000, collapseKey: -1, biTag: "é".repeat(32) };
  assert.equal(await code(edge), "80000000");
});

test("values at the edge pass", async () => {
  const edges = [
    { clickAction: { actionType: 1, uri: "demo://order/4711" } },
    { clickAction: { actionType: 1, action: "com.example.order" } },
    { notifyId: -1, appMessageId: "x".repeat(64), badge: { addNum: 99, setNum: 0 }, image: "https://example.com/i.png" },
    { notifyId: 2_147_483_647, category: "MARKETING" },
  ];
  for (const edge of edges) assert.equal((await send(edge)).json.code, "80000000", JSON.stringify(edge));
});

test("4096 bytes without the tokens, 1 to 1000 tokens, 10 for a test", async () => {
  const frame = JSON.stringify({ payload: { notification: { ...NOTIFICATION, body: "" } }, pushOptions: {} }).length;
  assert.equal((await send({ body: "x".repeat(4096 - frame) }, {}, many(1000))).json.code, "80000000");
  assert.equal((await send({ body: "x".repeat(4097 - frame) }, {})).json.code, "80300008");
  for (const token of [null, "phone", [], many(1001)]) assert.equal((await send({}, {}, token)).json.code, "80300010");
  assert.equal((await send({}, { testMessage: true }, many(10))).json.code, "80000000");
  assert.equal((await send({}, { testMessage: true }, many(11))).json.code, "80300030");
});

test("dead tokens are named by reason, whether some live or none", async () => {
  for (const [token, state] of [["a", "invalid"], ["b", "foreign"], ["c", "no_right"], ["d", "invalid"]] as const) lab.token("harmony", token, { state });
  const some = await send({}, {}, ["a", "phone", "b", "c", "d"]);
  const illegalTokens = { tokenFormatError: ["a", "d"], tokenPlatformNotSupport: ["b"], noRight: ["c"] };
  assert.deepEqual([some.status, some.json.code, JSON.parse(some.json.msg)], [200, "80100000", { success: 1, failure: 4, illegalTokens }]);
  const none = await send({}, {}, ["c"]);
  assert.deepEqual([none.json.code, none.json.msg], ["80300007", '{"failure":1,"illegalTokens":{"noRight":["c"]}}']);
});

test("two marketing messages a day to one phone: what is over is taken, and reported with 256", async () => {
  const usual = operator;
  const reports = (): string[] => lab.callbacks("harmony").map(({ event, targets }) => `${event} ${targets.join()}`);
  const to = async (token: string[], options = {}, category = "MARKETING"): Promise<string> => (await send({ category }, options, token)).json.code;
  lab.console("harmony", { url: "https://push.example/cb" });
  lab.token("harmony", "bad", { state: "invalid" });
  assert.deepEqual([await to(["a"]), await to(["a"]), await to(["a"], {}, "SUBSCRIPTION")], Array(3).fill("80000000"));
  assert.deepEqual([reports(), lab.log().at(-1)?.capped], [["0 a", "0 a", "0 a"], []]);
  assert.equal(await to(["a", "b", "bad"]), "80100000");
  assert.deepEqual([reports().slice(3), lab.log().at(-1)?.capped], [["0 b", "256 a"], ["a"]]);
  assert.equal(await to(["a"], { testMessage: true }), "80000000");
  assert.equal(reports().at(-1), "0 a", "a test is not counted");
  for (const [per_device, passes] of [[5, 5], [false, 7]] as const) {
    operator = await lab.makeKeys("harmony", { per_device });
    access = await jwt();
    for (let n = 0; n < 7; n++) await to(["a"]);
    assert.equal(reports().slice(-7).filter((one) => one === "0 a").length, passes);
  }
  [operator, access] = [usual, await jwt({}, {}, usual)];
  lab.settings({ clock_offset: 86_400 });
  const tomorrow = `Bearer ${await jwt({ iat: seconds(86_400), exp: seconds(90_000) })}`;
  const body = { payload: { notification: { ...NOTIFICATION, category: "MARKETING" } }, target: { token: ["a"] } };
  await sendBody(body, { authorization: tomorrow });
  assert.equal(reports().at(-1), "0 a", "the next day");
});

test("what is no message; faults speak Huawei's words", async () => {
  for (const body of ["{", [], { target: { token: ["phone"] } }]) assert.equal((await sendBody(body)).json.code, "80100003");
  assert.equal((await postJson(`${lab.url}/push-api.cloud.huawei.com/v3/x/messages:push`, {})).status, 404);
  lab.fault({ vendor: "harmony", match: { account: operator["project_id"] as string, token: "b" }, do: { reason: "80300037" } });
  assert.equal((await send()).json.code, "80000000");
  assert.equal((await send({}, {}, ["b"])).json.code, "80300037");
});

test("a key of 4096 bits, and one that somebody else holds", async () => {
  const large = await lab.makeKeys("harmony", { bits: 4096 });
  assert.equal(createPublicKey(large["private_key"] as string).asymmetricKeyDetails?.modulusLength, 4096);
  const pair = generateKeyPairSync("rsa", { modulusLength: 2048, publicKeyEncoding: { type: "spki", format: "pem" }, privateKeyEncoding: { type: "pkcs8", format: "pem" } });
  const own = { project_id: "own", key_id: "k", sub_account: "s" };
  await lab.register("harmony", { ...own, public_key: pair.publicKey });
  for (const from of [large, { ...own, private_key: pair.privateKey }]) {
    const authorization = `Bearer ${await jwt({}, {}, from)}`;
    const body = { payload: { notification: NOTIFICATION }, target: { token: ["phone"] } };
    assert.equal((await sendBody(body, { authorization }, from.project_id)).json.code, "80000000");
  }
  await assert.rejects(lab.register("harmony", { ...own, public_key: "x" }), /SPKI PEM/);
});
