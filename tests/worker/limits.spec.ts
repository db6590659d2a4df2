// The vendors' own limits: what they refuse closes a class, what is over waits or is dropped as the app says, and how much is
// left can be read.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ADMIN_KEY, type App, Stage, cost, until } from "./stage.ts";

let stage: Stage;
before(async () => {
  stage = await Stage.start({ bindings: { LEDGER_SHARDS: "1" } });
});
after(() => stage.stop());

const to = (vendor: string, n = 1) => ({ tokens: Array.from({ length: n }, (_, at) => ({ vendor, token: `${vendor}-${at.toString(16).padStart(32, "0")}` })) });
const quota = async (app: App, vendor: string) => (await stage.must("GET", "/v1/quota", app.key)).accounts[vendor];
/** A refusal in the first minutes of a vendor's day closes a class for minutes only. */
const early = (resets_at: string) => Date.now() < Date.parse(resets_at) - 86_400_000 + 300_000;

test("a vendor's refusal closes what it limits together until its day ends, and nothing else", async () => {
  const app = await stage.channels({}, { vivo: { per_day: 3 } });
  const send = (category: string, n = 1) => stage.push(app, { to: to("vivo", n), category });
  assert.equal((await send("marketing", 3)).json.counts.accepted, 3);
  const refused = await send("marketing");
  assert.deepEqual([refused.json.deliveries[0].state, refused.json.deliveries[0].reason], ["failed", "quota"], refused.text);
  for (const category of ["marketing", "follow"]) {
    const closed = await send(category);
    assert.deepEqual([closed.json.deliveries[0].state, closed.json.deliveries[0].reason], ["skipped", "quota"], closed.text);
    assert.equal(cost(closed).fetches, 0, "the vendor is not asked again");
  }
  assert.equal((await send("order")).json.counts.accepted, 1);
  const account = await quota(app, "vivo");
  const [limit] = account.limits;
  assert.deepEqual([limit.by, limit.categories, limit.per_day, limit.granted, limit.left], ["vendor", ["follow", "marketing"], 20_000, 3, 0]);
  assert.ok(Date.parse(limit.closed_until) > Date.now());
  if (!early(account.resets_at)) assert.equal(limit.closed_until, account.resets_at);
  assert.match(limit.rule.source, /^https:/);
  assert.deepEqual(limit.rule.per_day, { times: 2, of: "enabled", least: 20_000 });
});

test("what is over waits for the next day where its time lasts so long, and is taken back like everything that waits", async () => {
  const app = await stage.app({ quota: { apns: { follow: { per_day: 1 } } }, over_quota: { follow: ["later", "drop"] } });
  await stage.iphone(app, "u");
  const send = (ttl: number) => stage.push(app, { to: { users: ["u"] }, category: "follow", ttl });
  assert.equal((await send(86_400)).json.counts.accepted, 1);
  const held = await send(2 * 86_400);
  const [delivery] = held.json.deliveries;
  assert.deepEqual([delivery.state, delivery.reason], ["held", "quota"], held.text);
  const { resets_at, limits } = await quota(app, "apns");
  assert.equal(Date.parse(delivery.until), Date.parse(resets_at) + 60_000);
  assert.deepEqual(limits.map(({ by, categories, per_day, granted, left }: any) => [by, categories, per_day, granted, left]), [["app", ["follow"], 1, 1, 0]]);
  const dropped = await send(0);
  assert.deepEqual([dropped.json.deliveries[0].state, dropped.json.deliveries[0].reason], ["skipped", "quota"], dropped.text);
  const taken = await stage.ask("DELETE", `/v1/push/${held.json.id}`, app.key);
  assert.deepEqual(taken.json.counts, { cancelled: 1 }, taken.text);
});

test("a vendor's refusal is held, too, where the app says so", async () => {
  const app = await stage.channels({ over_quota: { marketing: ["later"] } }, { oppo: { per_day: 1 } });
  const send = () => stage.push(app, { to: { tokens: [{ vendor: "oppo", token: `OPPO_CN_${"0".repeat(32)}` }] }, category: "marketing", ttl: 2 * 86_400 });
  assert.equal((await send()).json.counts.accepted, 1);
  const refused = await send();
  assert.deepEqual([refused.json.deliveries[0].state, refused.json.deliveries[0].reason], ["held", "quota"], refused.text);
});

test("a wrong secret asks the vendor for no token after the other", async () => {
  const app = await stage.channels();
  const credentials = await stage.lab.make("vivo", {});
  await stage.must("PUT", `/v1/apps/${app.id}`, ADMIN_KEY, { credentials: { vivo: { ...credentials, app_secret: "wrong" } } });
  stage.lab.clearLog();
  const answers = [];
  for (let n = 0; n < 8; n++) answers.push(await stage.push(app, { to: to("vivo"), category: "im" }));
  const ends = answers.map(({ json }) => `${json.deliveries[0].state} ${json.deliveries[0].reason}`);
  assert.equal(ends[0], "failed credentials");
  // What the vendor has not said anew is not final: these wait.
  assert.ok(ends.every((end) => end === "failed credentials" || end === "retrying vendor_unavailable"), ends.join());
  const asked = stage.seen("vivo").filter(({ path }) => /auth/.test(path)).length;
  assert.ok(asked >= 1 && asked <= 2, `${asked} requests for a token`);
  await stage.must("PUT", `/v1/apps/${app.id}`, ADMIN_KEY, { credentials: { vivo: credentials } });
  const mended = await until(async () => {
    const { json } = await stage.push(app, { to: to("vivo"), category: "im" });
    return json.counts.accepted === 1 ? json : undefined;
  }, 10_000);
  assert.equal(mended.counts.accepted, 1);
});

test("a refusal of a class that nothing limits closes it, too", async () => {
  const app = await stage.channels();
  const send = () => stage.push(app, { to: to("vivo"), category: "im" });
  assert.equal((await send()).json.counts.accepted, 1);
  stage.lab.fault({ vendor: "vivo", do: { reason: "10070" } });
  assert.deepEqual((await send()).json.deliveries[0].reason, "quota");
  const closed = await send();
  assert.deepEqual([closed.json.deliveries[0].state, closed.json.deliveries[0].reason], ["skipped", "quota"], closed.text);
  assert.equal(cost(closed).fetches, 0);
  const [, own] = (await quota(app, "vivo")).limits;
  assert.deepEqual([own.by, own.categories, own.left], ["app", ["im"], 0]);
  assert.ok(Date.parse(own.closed_until) > Date.now());
});

test("only a key with the scope read sees the limits, and a vendor without a credential has none", async () => {
  const app = await stage.app();
  const { key } = await stage.must("POST", `/v1/apps/${app.id}/keys`, ADMIN_KEY, { scopes: ["push"] });
  assert.equal((await stage.ask("GET", "/v1/quota", key)).status, 403);
  assert.deepEqual(Object.keys((await stage.must("GET", "/v1/quota", app.key)).accounts).sort(), ["apns", "fcm"]);
});

/** What vivo saw of a message to one phone. */
const classes = () => stage.seen("vivo").filter(({ path }) => path === "/message/send").map(({ body }) => [body.classification, body.category]);

test("what is over goes in the lower class where the app says so, as far as that one has room, and says it", async () => {
  const over_quota = { order: ["downgrade", "drop"] };
  const app = await stage.channels({ quota: { vivo: { order: { per_day: 1 }, marketing: { per_day: 1 } } }, over_quota });
  stage.lab.clearLog();
  const send = async () => (await stage.push(app, { to: to("vivo"), category: "order" })).json.deliveries[0];
  const [own, lower, none] = [await send(), await send(), await send()];
  assert.deepEqual([own.state, own.downgraded], ["accepted", undefined]);
  assert.deepEqual([lower.state, lower.downgraded], ["accepted", true]);
  assert.deepEqual([none.state, none.reason], ["skipped", "quota"]);
  assert.deepEqual(classes(), [[1, "ORDER"], [0, "MARKETING"]]);
  const granted = (await quota(app, "vivo")).limits.map(({ by, categories, granted }: any) => [by, ...categories, granted]);
  assert.deepEqual(granted, [["vendor", "follow", "marketing", 1], ["app", "order", 1], ["app", "marketing", 1]]);
});

test("a page is split: so many in their own class, so many lower, the rest waits", async () => {
  const over_quota = { order: ["downgrade", "later"] };
  const app = await stage.channels({ quota: { vivo: { order: { per_day: 2 }, marketing: { per_day: 3 } } }, over_quota });
  stage.lab.clearLog();
  const answer = await stage.push(app, { to: to("vivo", 7), category: "order", ttl: 3 * 86_400 });
  assert.deepEqual(answer.json.counts, { accepted: 5, held: 2 }, answer.text);
  const shown = answer.json.deliveries.map(({ state, downgraded }: any) => `${state}${downgraded ? " lower" : ""}`);
  assert.deepEqual(shown, ["accepted", "accepted", "accepted lower", "accepted lower", "accepted lower", "held", "held"]);
});

test("what the vendor itself refuses goes lower a moment later", async () => {
  const app = await stage.channels({ over_quota: { im: ["downgrade"] } });
  const send = () => stage.push(app, { to: to("vivo"), category: "im" });
  assert.equal((await send()).json.counts.accepted, 1);
  stage.lab.fault({ vendor: "vivo", do: { reason: "10070" } });
  const refused = await send();
  assert.deepEqual([refused.json.deliveries[0].state, refused.json.deliveries[0].reason], ["held", "quota"], refused.text);
  const ended = await until(async () => {
    const { deliveries } = await stage.must("GET", `/v1/push/${refused.json.id}`, app.key);
    return deliveries[0].state === "accepted" ? deliveries[0] : undefined;
  }, 10_000);
  assert.equal(ended.downgraded, true);
  // The next one knows it before it leaves.
  stage.lab.clearLog();
  const next = (await send()).json.deliveries[0];
  assert.deepEqual([next.state, next.downgraded], ["accepted", true]);
  assert.deepEqual(classes(), [[0, "MARKETING"]]);
});

test("grants in the lower class go back to the lower class", async () => {
  const over_quota = { order: ["downgrade"] };
  const app = await stage.app({ quota: { apns: { order: { per_day: 0 }, marketing: { per_day: 1 } } }, over_quota });
  const token = await stage.iphone(app, "u");
  stage.lab.clearLog();
  stage.lab.fault({ vendor: "apns", match: { token }, times: 2, do: { reason: "ServiceUnavailable" } });
  const send = async () => (await stage.push(app, { to: { users: ["u"] }, category: "order", ttl: 0 })).json.deliveries[0];
  for (let n = 0; n < 2; n++) assert.equal((await send()).reason, "vendor_unavailable");
  const sent = await send();
  assert.deepEqual([sent.state, sent.downgraded], ["accepted", true]);
  assert.equal((await send()).reason, "quota");
  const seen = stage.seen("apns").at(-1);
  assert.deepEqual([seen.headers["apns-priority"], seen.body.aps["interruption-level"]], ["5", "passive"]);
});

test("what a vendor has granted the app stands in place of its rule, and what it does not limit is free", async () => {
  const app = await stage.channels({ vendor_quota: { vivo: { per_day: 2, free: ["follow"] } } });
  const send = async (category: string, n: number) => (await stage.push(app, { to: to("vivo", n), category })).json.counts;
  assert.deepEqual(await send("follow", 3), { accepted: 3 });
  assert.deepEqual(await send("marketing", 3), { accepted: 2, skipped: 1 });
  const [limit] = (await quota(app, "vivo")).limits;
  assert.deepEqual([limit.by, limit.categories, limit.per_day, limit.granted, limit.left], ["vendor", ["marketing"], 2, 2, 0]);
});
