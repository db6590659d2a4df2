// What vendors report later: found, counted once, believed where it is proven, and harmless otherwise.

import assert from "node:assert/strict";
import { createHmac, randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { REPORTING, type Report, report } from "../lab/reports.ts";
import { ADMIN_KEY, type Answer, type App, Stage, cost, until } from "./stage.ts";

const PUBLIC_URL = "https://push.example.com";
/** Each vendor's words for: it arrived, it was tapped, the token is dead. */
const WORDS: Record<string, { received: string; clicked?: string; dead?: string }> = {
  huawei: { received: "0", dead: "2" },
  harmony: { received: "0", dead: "5" },
  honor: { received: "0", dead: "2" },
  xiaomi: { received: "1", clicked: "2", dead: "16" },
  oppo: { received: "push_arrive", dead: "regid_invalid" },
  vivo: { received: "0" },
  meizu: { received: "1", clicked: "2" },
};

let stage: Stage;
before(async () => {
  stage = await Stage.start({ bindings: { PUBLIC_URL } });
});
after(() => stage.stop());

const tokenOf = (vendor: string, user: string): string => (vendor === "oppo" ? `OPPO_CN_${user}` : `${vendor}-${user}`);

async function register(app: App, vendor: string, user: string): Promise<string> {
  const token = tokenOf(vendor, user);
  await stage.device(app, user, `${user}-phone`, { platform: vendor === "harmony" ? "harmonyos" : "android", vendor, token });
  return token;
}

async function pathOf(app: App, vendor: string): Promise<string> {
  const { receipts } = await stage.must("GET", `/v1/apps/${app.id}`, ADMIN_KEY);
  return receipts[vendor];
}

function post(path: string, vendor: string, reports: Report[], headers: Record<string, string> = {}): Promise<Answer> {
  const posted = report(vendor, reports);
  return stage.ask("POST", path, undefined, posted.body, { ...posted.headers, ...headers });
}

const deliveries = async (app: App, push: string) => (await stage.must("GET", `/v1/push/${push}`, app.key)).deliveries;
const stages = async (app: App) => {
  const { total, balanced } = await stage.must("GET", "/v1/funnel", app.key);
  assert.equal(balanced, true);
  return Object.fromEntries(total.stages.map((one: any) => [one.stage, one]));
};

test("each vendor's receipts find the phones of one call, count once, and remove what is dead", async () => {
  for (const vendor of REPORTING) {
    const words = WORDS[vendor]!;
    const app = await stage.channels({}, { meizu: {} });
    const users = ["a", "b", "c"].map((name) => `${vendor}-${name}`);
    const tokens = await Promise.all(users.map((user) => register(app, vendor, user)));
    const push = await stage.push(app, { to: { users }, category: "im" });
    assert.deepEqual(push.json.counts, { accepted: 3 }, push.text);
    const path = await pathOf(app, vendor);
    // All three have gone out in one call, under the first delivery's name.
    const param = `${push.json.id}.0`;
    const reports: Report[] = [{ param, targets: [tokens[0]!, tokens[1]!], event: words.received }];
    if (words.clicked !== undefined) reports.push({ param, targets: [tokens[1]!], event: words.clicked });
    if (words.dead !== undefined) reports.push({ param, targets: [tokens[2]!], event: words.dead });
    const answer = await post(path, vendor, reports);
    assert.equal(answer.status, 200, answer.text);
    const clicked = words.clicked === undefined ? "received" : "clicked";
    const expected = [["accepted", "received"], ["accepted", clicked], words.dead === undefined ? ["accepted", undefined] : ["failed", "lost"]];
    const seen = (await deliveries(app, push.json.id)).map((delivery: any) => [delivery.state, delivery.seen]);
    assert.deepEqual(seen, expected, vendor);
    assert.deepEqual(await stage.devices(app, users[2]!), words.dead === undefined ? [`${users[2]}-phone`] : [], vendor);
    const again = await post(path, vendor, reports);
    assert.deepEqual([again.status, cost(again).rows_written], [200, 0], vendor);
    const { received } = await stages(app);
    assert.deepEqual([received.in, received.out, received.lost], [3, 2, words.dead === undefined ? {} : { token_gone: 1 }], vendor);
  }
});

test("vendors who take the address with each message are told it, and a call there is one of theirs", async () => {
  const app = await stage.channels();
  const shown = await stage.must("GET", `/v1/apps/${app.id}`, ADMIN_KEY);
  assert.deepEqual(Object.keys(shown.receipts_untold), ["meizu"]);
  const meizu = { ...(await stage.lab.make("meizu", {}) as object), receipts: PUBLIC_URL + shown.receipts.meizu };
  const told = await stage.must("PUT", `/v1/apps/${app.id}`, ADMIN_KEY, { credentials: { meizu } });
  assert.deepEqual(told.receipts_untold, {});
  for (const vendor of ["xiaomi", "oppo", "vivo", "meizu"]) {
    const token = await register(app, vendor, `told-${vendor}`);
    const push = await stage.push(app, { to: { users: [`told-${vendor}`] }, category: "im" });
    assert.deepEqual(push.json.counts, { accepted: 1 }, push.text);
    const told = stage.lab.callbacks(vendor).filter(({ targets }) => targets.includes(token));
    assert.equal(told.length, 1, vendor);
    const { url, param, targets, event } = told[0]!;
    assert.equal(url, PUBLIC_URL + (await pathOf(app, vendor)));
    const explained = await stage.ask("POST", "/v1/push:explain", app.key, { to: { users: [`told-${vendor}`] }, category: "im", notification: { title: "t", body: "b" } });
    assert.ok(explained.text.includes("hidden") && !explained.text.includes(url.split("/").at(-1)!), "whoever may push may not report");
    const answer = await post(url.slice(PUBLIC_URL.length), vendor, [{ param, targets, event }]);
    assert.equal(answer.status, 200, answer.text);
    assert.equal((await deliveries(app, push.json.id))[0].seen, "received", vendor);
  }
});

test("Meizu is told no address that its console does not know, or that is not ours any more", async () => {
  const keys = (await stage.lab.make("meizu", {})) as object;
  for (const [user, receipts] of [["untold", undefined], ["elsewhere", "https://former.example.com/v1/receipts/shop/meizu/x"]] as const) {
    const app = await stage.channels();
    const { receipts_untold } = await stage.must("PUT", `/v1/apps/${app.id}`, ADMIN_KEY, { credentials: { meizu: { ...keys, ...(receipts === undefined ? {} : { receipts }) } } });
    assert.match(receipts_untold.meizu, /console/);
    await register(app, "meizu", user);
    const push = await stage.push(app, { to: { users: [user] }, category: "im" });
    assert.deepEqual(push.json.counts, { accepted: 1 }, push.text);
    const [seen] = stage.seen("meizu").filter(({ body }) => JSON.stringify(body).includes(`meizu-${user}`));
    assert.ok(seen !== undefined && !JSON.stringify(seen.body).includes("callback"));
  }
});

test("who does not know the path learns nothing, and bodies of another form change nothing", async () => {
  const app = await stage.channels();
  const path = await pathOf(app, "oppo");
  const other = await pathOf(await stage.channels(), "oppo");
  const secret = path.split("/").at(-1)!;
  const fine = report("oppo", []);
  for (const wrong of [
    path.slice(0, -1),
    `${path.slice(0, -1)}${path.endsWith("A") ? "B" : "A"}`,
    `/v1/receipts/${app.id}/oppo/${other.split("/").at(-1)}`,
    `/v1/receipts/${app.id}/vivo/${secret}`,
    `/v1/receipts/${app.id}/apns/${secret}`,
    `/v1/receipts/${app.id}/nobody/${secret}`,
    `/v1/receipts/no-such-app/oppo/${secret}`,
    `/v1/receipts/${app.id}/oppo/%`,
  ]) {
    const answer = await stage.ask("POST", wrong, undefined, fine.body, fine.headers);
    assert.deepEqual([answer.status, answer.json.code], [404, "not_found"], wrong);
  }
  for (const body of ["", "{}", "[", "null", new Uint8Array([0xff, 0xfe])]) {
    const answer = await stage.ask("POST", path, undefined, body);
    assert.deepEqual([answer.status, answer.json.code], [400, "invalid_value"]);
  }
  // About nothing that is known: harmless.
  const strange = [
    { param: "m-77", targets: ["x"], event: "regid_invalid" },
    { param: "01ARYZ6S410000000000000000.0", targets: ["x"], event: "regid_invalid" },
    { param: "", targets: [], event: "push_arrive" },
    { param: "01ARYZ6S410000000000000000.99999999999", targets: ["x"], event: "push_arrive" },
  ];
  const answer = await post(path, "oppo", strange);
  assert.deepEqual([answer.status, cost(answer).rows_written], [200, 0], answer.text);
  const unknown = await post(path, "oppo", [{ param: "01ARYZ6S410000000000000000.0", targets: ["x"], event: "push_vanished" }]);
  assert.deepEqual([unknown.status, cost(unknown).object_calls], [200, 0]);
});

test("a token that another device has by now is not removed by a late word on it", async () => {
  const app = await stage.channels();
  const token = await register(app, "xiaomi", "late");
  const push = await stage.push(app, { to: { users: ["late"] }, category: "im" });
  await stage.device(app, "late", "late-phone", { platform: "android", vendor: "xiaomi", token: "xiaomi-newer" });
  const answer = await post(await pathOf(app, "xiaomi"), "xiaomi", [{ param: `${push.json.id}.0`, targets: [token], event: "16" }]);
  assert.equal(answer.status, 200);
  assert.deepEqual(await stage.devices(app, "late"), ["late-phone"]);
  assert.equal((await deliveries(app, push.json.id))[0].reason, "token_gone");
});

test("a late report removes no device that has registered since, and says nothing against a newer permission", async () => {
  const app = await stage.channels();
  const path = await pathOf(app, "huawei");
  const users = ["again-dead", "again-muted"];
  const tokens = await Promise.all(users.map((user) => register(app, "huawei", user)));
  const push = await stage.push(app, { to: { users }, category: "im" });
  const at = Date.now();
  await new Promise((next) => setTimeout(next, 20));
  for (const user of users) await stage.device(app, user, `${user}-phone`, { platform: "android", vendor: "huawei", token: tokenOf("huawei", user), permission: "granted" });
  const reports = (at?: number): Report[] => ["2", "6"].map((event, n) => ({ param: `${push.json.id}.0`, targets: [tokens[n]!], event, ...(at === undefined ? {} : { at }) }));
  const stand = async () => {
    const { devices } = await stage.must("GET", `/v1/users/${users[1]}`, app.key);
    return [await stage.devices(app, users[0]!), devices[0].permission];
  };
  // Twice: a call that is repeated is no second word.
  for (let n = 0; n < 2; n++) {
    assert.equal((await post(path, "huawei", reports(at))).status, 200);
    assert.deepEqual(await stand(), [["again-dead-phone"], "granted"]);
  }
  assert.equal((await post(path, "huawei", reports())).status, 200);
  assert.deepEqual(await stand(), [[], "denied"]);
});

test("if most of a batch is reported dead at once nothing is removed", async () => {
  const app = await stage.channels();
  const users = Array.from({ length: 40 }, (_, n) => `mass-${n}`);
  const tokens = await Promise.all(users.map((user) => register(app, "oppo", user)));
  const push = await stage.push(app, { to: { users }, category: "im" });
  assert.deepEqual(push.json.counts, { accepted: 40 }, push.text);
  const path = await pathOf(app, "oppo");
  const dead = (from: number, to: number) => post(path, "oppo", [{ param: `${push.json.id}.0`, targets: tokens.slice(from, to), event: "regid_invalid" }]);
  const left = async () => (await Promise.all(users.map((user) => stage.devices(app, user)))).filter((devices) => devices.length > 0).length;
  assert.equal((await dead(0, 5)).status, 200);
  assert.equal(await left(), 35, "a few of a page are believed");
  assert.equal((await dead(5, 35)).status, 200);
  assert.equal(await left(), 35, "most of it are not");
});

test("a thousand tokens in one call are work for the queue", async () => {
  const app = await stage.channels();
  const users = Array.from({ length: 40 }, (_, n) => `many-${n}`);
  const tokens = await Promise.all(users.map((user) => register(app, "oppo", user)));
  const push = await stage.push(app, { to: { users }, category: "im" });
  const path = await pathOf(app, "oppo");
  // Ten of them are of this push's, spread over the whole.
  const targets = Array.from({ length: 1_000 }, (_, n) => (n % 100 === 50 ? tokens[(n - 50) / 100]! : `OPPO_CN_nobody${n}`));
  const answer = await post(path, "oppo", [{ param: `${push.json.id}.0`, targets, event: "regid_invalid" }]);
  assert.deepEqual([answer.status, cost(answer).object_calls, cost(answer).rows_written], [200, 0, 0], answer.text);
  const gone = await until(async () => {
    const left = await Promise.all(users.map((user) => stage.devices(app, user)));
    const gone = left.flatMap((devices, n) => (devices.length === 0 ? [n] : []));
    return gone.length < 10 ? undefined : gone;
  }, 20_000);
  assert.deepEqual(gone, Array.from({ length: 10 }, (_, n) => n));
  assert.deepEqual((await deliveries(app, push.json.id)).filter(({ reason }: any) => reason === "token_gone").length, 10);
  const large = await post(path, "oppo", [{ param: `${push.json.id}.0`, targets: Array.from({ length: 10_001 }, () => "t"), event: "push_arrive" }]);
  assert.deepEqual([large.status, large.json.code], [413, "body_too_large"]);
});

test("Huawei's signature is asked for where the credential has its secret; notifications that are off are remembered", async () => {
  for (const vendor of ["huawei", "harmony"]) {
    const app = await stage.channels();
    const keys = (await stage.lab.make(vendor, {})) as object;
    const secret = Buffer.from("a secret of the console").toString("base64");
    const change = (more: object) => stage.ask("PUT", `/v1/apps/${app.id}`, ADMIN_KEY, { credentials: { [vendor]: { ...keys, ...more } } });
    for (const [half, missing] of [[{ callback_user: "shop" }, "callback_secret"], [{ callback_secret: secret }, "callback_user"]] as const) {
      const refused = await change(half);
      assert.deepEqual([refused.status, refused.json.code, refused.json.pointer], [400, "missing_field", `/credentials/${vendor}/${missing}`]);
    }
    const misspelt = await change({ callback_usr: "shop" });
    assert.deepEqual([misspelt.status, misspelt.json.code], [400, "unknown_field"]);
    assert.equal((await change({ callback_user: "shop", callback_secret: secret })).status, 200);
    const user = `signed-${vendor}`;
    const token = await register(app, vendor, user);
    const push = await stage.push(app, { to: { users: [user] }, category: "im" });
    assert.deepEqual(push.json.counts, { accepted: 1 }, push.text);
    const path = await pathOf(app, vendor);
    const reports = [{ param: `${push.json.id}.0`, targets: [token], event: "6" }];
    const header = (key: Buffer | string, at = Date.now()) => {
      const nonce = randomUUID();
      const value = createHmac("sha256", key).update(`${at}${nonce}shop`).digest("base64");
      return { "x-huawei-callback-id": `timestamp=${at}; nonce=${nonce}; value=${value}` };
    };
    const right = () => header(Buffer.from(secret, "base64"));
    for (const headers of [{}, header("wrong"), header(Buffer.from(secret, "base64"), Date.now() - 600_000)]) {
      const answer = await post(path, vendor, reports, headers);
      assert.deepEqual([answer.status, answer.json.code], [401, "unauthorized"]);
    }
    assert.equal((await deliveries(app, push.json.id))[0].state, "accepted");
    const answer = await post(path, vendor, reports, right());
    assert.deepEqual([answer.status, answer.json], [200, { code: "0", message: "success" }]);
    const [delivery] = await deliveries(app, push.json.id);
    assert.deepEqual([delivery.state, delivery.reason, delivery.seen], ["failed", "permission_off", "lost"]);
    const { devices } = await stage.must("GET", `/v1/users/${user}`, app.key);
    assert.equal(devices[0].permission, "denied");
    const next = await stage.push(app, { to: { users: [user] }, category: "im" });
    assert.equal(next.json.deliveries[0].reason, "permission_off");
    // Without a credential nobody knows whether they are signed: they are not believed.
    await stage.must("PUT", `/v1/apps/${app.id}`, ADMIN_KEY, { credentials: { [vendor]: null } });
    const closed = await until(async () => {
      const answer = await post(path, vendor, reports);
      return answer.status === 401 ? true : undefined;
    }, 15_000);
    assert.ok(closed);
  }
});

test("an answer that says muted is remembered as a receipt that does", async () => {
  const app = await stage.channels();
  const token = await register(app, "vivo", "muted");
  stage.lab.token("vivo", token, { state: "muted" });
  const push = await stage.push(app, { to: { users: ["muted"] }, category: "im" });
  assert.deepEqual([push.json.deliveries[0].state, push.json.deliveries[0].reason], ["failed", "permission_off"], push.text);
  const denied = await until(async () => {
    const { devices } = await stage.must("GET", "/v1/users/muted", app.key);
    return devices[0].permission === "denied" ? true : undefined;
  });
  assert.ok(denied);
});
