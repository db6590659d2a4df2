// Apps, credentials and keys.

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { after, before, test } from "node:test";
import { killRuntime } from "./crash.ts";
import { ADMIN_KEY, type App, Stage, until } from "./stage.ts";

let stage: Stage;
before(async () => {
  stage = await Stage.start();
});
after(() => stage.stop());

const PEM = { type: "pkcs8", format: "pem" } as const;

test("an app is made, changed, shown without secrets and removed", async () => {
  const [apns, fcm] = [await stage.lab.makeApns(), await stage.lab.makeFcm()];
  const made = await stage.admin("PUT", "/v1/apps/life", { credentials: { apns, fcm } });
  assert.equal(made.status, 201, made.text);
  const changed = await stage.admin("PUT", "/v1/apps/life", { policy: { link_schemes: ["https"] } });
  assert.equal(changed.status, 200);
  const shown = await stage.admin("GET", "/v1/apps/life");
  assert.deepEqual(shown.json.policy, { link_schemes: ["https"] });
  assert.equal(shown.json.credentials.apns.key_id, apns.key_id);
  assert.equal(shown.json.credentials.fcm.project_id, fcm.project_id);
  for (const answer of [made, changed, shown]) {
    assert.ok(!/PRIVATE KEY|"sealed"|nonce/.test(answer.text), answer.text);
    assert.ok(!answer.text.includes(fcm.private_key.slice(40, 80)));
  }
  assert.equal((await stage.admin("DELETE", "/v1/apps/life")).status, 204);
  assert.equal((await stage.admin("GET", "/v1/apps/life")).json.code, "unknown_app");
  assert.equal((await stage.admin("DELETE", "/v1/apps/life")).json.code, "unknown_app");
});

test("what is stored is sealed: neither KV nor the object's answer holds a key in the open", async () => {
  const app = await stage.app();
  const kv = await stage.kv("APPS");
  const copy = (await kv.get(`app:${app.id}`)) ?? "";
  // As src/model/app.rs writes it: credentials, of each what is sealed, of that the key's id.
  assert.equal(JSON.parse(copy)[3].apns[0][0].length, 8);
  assert.ok(!copy.includes("PRIVATE KEY"));
  assert.ok(!copy.includes(app.key), "the API key is stored as a digest");
});

test("an app that is made again starts from nothing", async () => {
  const app = await stage.app();
  await stage.iphone(app, "u");
  await stage.admin("DELETE", `/v1/apps/${app.id}`);
  assert.equal((await stage.push(app, { to: { users: ["u"] } })).status, 401, "its key is gone");
  await stage.admin("PUT", `/v1/apps/${app.id}`, {});
  const { key } = await stage.must("POST", `/v1/apps/${app.id}/keys`, ADMIN_KEY, { scopes: ["devices"] });
  assert.equal((await stage.ask("GET", "/v1/users/u", key)).json.code, "unknown_user");
});

test("keys have scopes, are shown once and revoked at once", async () => {
  const app = await stage.app();
  const made = await stage.must("POST", `/v1/apps/${app.id}/keys`, app.key, { scopes: ["devices"], name: "phones" });
  assert.match(made.key, new RegExp(`^epk_${app.id}_[a-z2-9]{32}$`));
  const list = (await stage.admin("GET", `/v1/apps/${app.id}`)).json.keys;
  assert.deepEqual(list.map((key: any) => key.name), [undefined, "phones"]);
  assert.ok(!JSON.stringify(list).includes(made.key));

  const wrong = await stage.ask("POST", "/v1/push", made.key, { to: { users: ["u"] }, data: { a: "1" } });
  assert.deepEqual([wrong.status, wrong.json.code], [403, "missing_scope"]);
  assert.equal((await stage.ask("GET", "/v1/users/u", made.key)).json.code, "unknown_user");
  assert.equal((await stage.ask("DELETE", `/v1/apps/${app.id}/keys/${made.id}`, app.key)).status, 204);
  assert.deepEqual([(await stage.ask("GET", "/v1/users/u", made.key)).status], [401]);
  const again = await stage.ask("DELETE", `/v1/apps/${app.id}/keys/${made.id}`, app.key);
  assert.deepEqual([again.status, again.json.code], [404, "unknown_key"]);
});

test("keys and apps stay apart", async () => {
  const [one, other] = [await stage.app(), await stage.app()];
  await stage.iphone(one, "u");
  assert.equal((await stage.ask("GET", "/v1/users/u", other.key)).json.code, "unknown_user");
  for (const [method, path] of [["POST", `/v1/apps/${other.id}/keys`], ["DELETE", `/v1/apps/${other.id}/keys/x`]] as const) {
    assert.equal((await stage.ask(method, path, one.key, { scopes: ["push"] })).status, 401);
  }
  for (const [method, path] of [["GET", `/v1/apps/${one.id}`], ["PUT", `/v1/apps/${one.id}`], ["DELETE", `/v1/apps/${one.id}`]] as const) {
    assert.equal((await stage.ask(method, path, one.key, method === "PUT" ? {} : undefined)).status, 401, "an app's own key is not the admin's");
  }
});

test("credentials are taken as operators have them, and work", async () => {
  const forms: Record<string, (pem: string) => string> = {
    newlines: (pem) => pem,
    escaped: (pem) => pem.replaceAll("\n", "\\n"),
    crlf: (pem) => pem.replaceAll("\n", "\r\n"),
    "no last newline": (pem) => pem.trimEnd(),
    "bare base64": (pem) => pem.replace(/-----[A-Z ]+-----|\n/g, ""),
  };
  for (const [name, form] of Object.entries(forms)) {
    const app = await stage.app();
    const apns = await stage.lab.makeApns();
    const put = await stage.admin("PUT", `/v1/apps/${app.id}`, {
      credentials: { apns: { ...apns, private_key: form(apns.private_key) } },
    });
    assert.equal(put.status, 200, `${name}: ${put.text}`);
    await stage.iphone({ ...app, topic: apns.topic }, "u");
    const answer = await stage.push(app, { to: { users: ["u"] } });
    assert.deepEqual(answer.json.counts, { accepted: 1 }, `${name}: ${answer.text}`);
  }
  const app = await stage.app();
  const fcm = await stage.lab.makeFcm();
  const put = await stage.admin("PUT", `/v1/apps/${app.id}`, { credentials: { fcm: JSON.stringify(fcm) } });
  assert.equal(put.status, 200, put.text);
  await stage.android(app, "u");
  assert.deepEqual((await stage.push(app, { to: { users: ["u"] } })).json.counts, { accepted: 1 });
});

test("credentials that cannot work are refused with the field's name, before anything is stored", async () => {
  const app = await stage.app();
  const before = (await stage.admin("GET", `/v1/apps/${app.id}`)).json;
  const [apns, fcm] = [await stage.lab.makeApns(), await stage.lab.makeFcm()];
  const p384 = generateKeyPairSync("ec", { namedCurve: "secp384r1" }).privateKey.export(PEM) as string;
  const small = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey.export(PEM) as string;
  const cut = (pem: string) => pem.slice(0, pem.length / 2);
  for (const [credentials, pointer] of [
    [{ apns: { ...apns, private_key: p384 } }, "/credentials/apns/private_key"],
    [{ apns: { ...apns, private_key: cut(apns.private_key) } }, "/credentials/apns/private_key"],
    [{ apns: { ...apns, private_key: fcm.private_key } }, "/credentials/apns/private_key"],
    [{ apns: { ...apns, key_id: "short" } }, "/credentials/apns/key_id"],
    [{ fcm: { ...fcm, private_key: cut(fcm.private_key) } }, "/credentials/fcm/private_key"],
    [{ fcm: { ...fcm, private_key: small } }, "/credentials/fcm/private_key"],
    [{ fcm: { ...fcm, token_uri: "https://oauth2.googleapis.com.evil.example/token" } }, "/credentials/fcm/token_uri"],
    [{ fcm: { ...fcm, type: "authorized_user" } }, "/credentials/fcm/type"],
  ] as const) {
    const answer = await stage.admin("PUT", `/v1/apps/${app.id}`, { credentials });
    assert.equal(answer.status, 400, answer.text);
    assert.equal(answer.json.pointer, pointer);
    assert.ok(!answer.text.includes(apns.private_key.slice(60, 90)), "the refusal does not repeat the key");
  }
  assert.deepEqual((await stage.admin("GET", `/v1/apps/${app.id}`)).json, before);
});

test("a link's scheme follows the app's policy", async () => {
  const app = await stage.app({ link_schemes: ["https"] });
  await stage.iphone(app, "u");
  stage.lab.clearLog();
  const refused = await stage.push(app, { to: { users: ["u"] }, notification: { title: "t", link: "app://x" } });
  assert.deepEqual([refused.status, refused.json.code, refused.json.pointer], [400, "link_not_allowed", "/notification/link"]);
  const taken = await stage.push(app, { to: { users: ["u"] }, notification: { title: "t", link: "https://a.example/" } });
  assert.deepEqual(taken.json.counts, { accepted: 1 });
  assert.equal(stage.seen("apns").length, 1);
});

test("records outlive a crash; a KV miss asks the object; seal keys rotate", async () => {
  const persist = await mkdtemp("target/apps-");
  const [older, newer] = [1, 2].map((byte) => Buffer.alloc(32, byte).toString("base64"));
  const running: Stage[] = [];
  const withKeys = async (bindings: Record<string, string>) => {
    running.push(await Stage.start({ persist, lab: stage.lab, bindings }));
    return running.at(-1) as Stage;
  };
  const stop = () => (running.pop() as Stage).stop();
  const accepted = async (runtime: Stage, app: App) => (await runtime.push(app, { to: { users: ["u"] } })).json;
  try {
    const first = await withKeys({ SEAL_KEY: older! });
    const app = await first.app();
    await first.iphone(app, "u");
    const sealedWith = async (runtime: Stage) => (await runtime.admin("GET", `/v1/apps/${app.id}`)).json.credentials.apns.sealed_with;
    const before = await sealedWith(first);
    await (await first.kv("APPS")).delete(`app:${app.id}`);
    await killRuntime(first);
    assert.deepEqual((await accepted(first, app)).counts, { accepted: 1 });
    await stop();

    const rotated = await withKeys({ SEAL_KEY: newer!, SEAL_KEY_OLD: older! });
    assert.deepEqual((await accepted(rotated, app)).counts, { accepted: 1 });
    assert.equal(await sealedWith(rotated), before);
    await rotated.must("PUT", `/v1/apps/${app.id}`, ADMIN_KEY, { credentials: { apns: await stage.lab.makeApns() } });
    const since = await sealedWith(rotated);
    assert.notEqual(since, before, "given again, it lies under the new key");
    // The copy follows the answer; whoever reads KV before that has the older credential.
    const copies = await rotated.kv("APPS");
    await until(async () => ((await copies.get(`app:${app.id}`)) as string | null)?.includes(since) || undefined);
    await stop();

    const forgotten = await withKeys({ SEAL_KEY: older! });
    const [delivery] = (await accepted(forgotten, app)).deliveries;
    assert.deepEqual([delivery.state, delivery.reason], ["failed", "credentials"]);
    assert.match(delivery.detail, /SEAL_KEY/);
  } finally {
    // One that is left running would keep the whole run from ending.
    if (running.length > 0) await stop();
    await rm(persist, { recursive: true, force: true });
  }
});
