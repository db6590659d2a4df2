// User tokens, made by a library: what the app itself may do, and for whom.

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { after, before, test } from "node:test";
import { SignJWT, exportSPKI, generateKeyPair } from "jose";
import { ADMIN_KEY, type App, Stage } from "./stage.ts";

const SECRET = "a secret of the tests: 32 bytes or more";
let stage: Stage;
let app: App;
before(async () => {
  stage = await Stage.start();
  app = await stage.app();
  await keys({ alg: "HS256", secret: SECRET });
});
after(() => stage.stop());

const keys = (user_token_key: unknown) => stage.must("PUT", `/v1/apps/${app.id}`, ADMIN_KEY, { user_token_key });

const sign = (claims: Record<string, unknown>, exp: string | number | null = "1h", secret = SECRET): Promise<string> => {
  const token = new SignJWT({ sub: "u", aud: app.id, ...claims }).setProtectedHeader({ alg: "HS256", typ: "JWT" });
  if (exp !== null) token.setExpirationTime(exp);
  return token.sign(new TextEncoder().encode(secret));
};

const body = { platform: "android", vendor: "fcm", token: "t:1" };
const put = (token: string, user = "u", device = "d") => stage.ask("PUT", `/v1/users/${user}/devices/${device}`, token, body);

test("an app registers, asks and removes for its own user, and the device says where it was learnt", async () => {
  const token = await sign({});
  const made = await put(token);
  assert.deepEqual([made.status, made.json.source], [201, "client"]);
  const event = await stage.ask("POST", "/v1/events", token, { events: [{ type: "permission", device: "d", permission: "denied" }] });
  assert.deepEqual(event.json, { taken: 1, unknown: 0 });
  assert.equal((await stage.ask("GET", "/v1/users/u/devices/d/advice", token)).json.advice, "wait");
  assert.equal((await stage.ask("DELETE", "/v1/users/u/devices/d", token)).status, 204);
  const backend = await put(app.key);
  assert.equal(backend.json.source, "backend");
});

test("it touches no other user, and opens no other door", async () => {
  const token = await sign({});
  for (const answer of [
    await put(token, "other"),
    await stage.ask("DELETE", "/v1/users/other/devices/d", token),
    await stage.ask("GET", "/v1/users/other/devices/d/advice", token),
    await stage.ask("POST", "/v1/events", token, { events: [{ type: "permission", user: "other", device: "d", permission: "denied" }] }),
  ]) {
    assert.deepEqual([answer.status, answer.json.code], [403, "foreign_user"]);
  }
  for (const [method, path] of [["GET", "/v1/users/u"], ["PATCH", "/v1/users/u"], ["DELETE", "/v1/users/u"], ["POST", "/v1/push"], ["GET", "/v1/devices/health"], ["GET", `/v1/apps/${app.id}`]] as const) {
    const answer = await stage.ask(method, path, token, method === "GET" ? undefined : {});
    assert.deepEqual([answer.status, answer.json.code], [401, "unauthorized"], `${method} ${path}`);
  }
});

test("nobody takes another user's device id without the token that is on file there", async () => {
  const body = (token: string) => ({ platform: "android", vendor: "fcm", token });
  const of = async (user: string, token: string) =>
    stage.ask("PUT", `/v1/users/${user}/devices/shared`, await sign({ sub: user }), body(token));
  assert.equal((await of("owner", "phones0wn:token")).status, 201);
  const stolen = await of("thief", "another:token");
  assert.deepEqual([stolen.status, stolen.json.code], [409, "device_taken"]);
  assert.deepEqual([await stage.devices(app, "owner"), await stage.devices(app, "thief")], [["shared"], []]);
  // The phone itself is handed on.
  assert.equal((await of("next", "phones0wn:token")).status, 201);
  assert.deepEqual([await stage.devices(app, "owner"), await stage.devices(app, "next")], [[], ["shared"]]);
  // The backend may.
  assert.equal((await stage.ask("PUT", "/v1/users/third/devices/shared", app.key, body("another:token"))).status, 201);
});

test("times, signatures and audiences are looked at", async () => {
  const now = Math.floor(Date.now() / 1000);
  for (const [what, token, code] of [
    ["expired", await sign({}, now - 90), "user_token_expired"],
    ["expired within a minute's grace", await sign({}, now - 30), undefined],
    ["longer than a day", await sign({}, "25h"), "user_token_invalid"],
    ["without an end", await sign({}, null), "user_token_invalid"],
    ["not yet", await sign({ nbf: now + 120 }), "user_token_invalid"],
    ["another secret", await sign({}, "1h", "another secret of at least 32 bytes"), "user_token_invalid"],
    ["another app", await sign({ aud: "some-other-app" }), "user_token_invalid"],
    ["several audiences", await sign({ aud: [app.id, "else"] }), undefined],
    ["in any order", await sign({ aud: ["else", app.id] }), undefined],
    ["nobody", await sign({ sub: ".." }), "user_token_invalid"],
    ["no signature", `${(await sign({})).split(".").slice(0, 2).join(".")}.`, "user_token_invalid"],
  ] as const) {
    const answer = await put(token);
    assert.equal(answer.status < 300 ? undefined : answer.json.code, code, what);
    assert.equal(answer.status, code === undefined ? 200 : 401, what);
  }
});

test("ES256, and keys that are changed while tokens live", async () => {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const es = () => new SignJWT({ sub: "u", aud: app.id }).setProtectedHeader({ alg: "ES256" }).setExpirationTime("1h").sign(privateKey);
  const public_key = await exportSPKI(publicKey);
  await keys([{ alg: "ES256", public_key }, { alg: "HS256", secret: SECRET }]);
  assert.deepEqual([(await put(await es())).status, (await put(await sign({}))).status], [200, 200]);
  await keys({ alg: "ES256", public_key });
  assert.deepEqual([(await put(await es())).status, (await put(await sign({}))).json.code], [200, "user_token_invalid"]);
  // A public key is no HMAC secret.
  assert.equal((await put(await sign({}, "1h", public_key))).json.code, "user_token_invalid");
  const shown = await stage.must("GET", `/v1/apps/${app.id}`, ADMIN_KEY);
  assert.deepEqual(shown.user_token_keys.map((key: any) => key.alg), ["ES256"]);
  await keys(null);
  assert.equal((await put(await es())).json.code, "user_token_invalid");
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ type: "spki", format: "pem" });
  const refused = await stage.admin("PUT", `/v1/apps/${app.id}`, { user_token_key: { alg: "ES256", public_key: rsa } });
  assert.deepEqual([refused.status, refused.json.code, refused.json.pointer], [400, "invalid_credentials", "/user_token_key/public_key"]);
  await keys({ alg: "HS256", secret: SECRET });
});
