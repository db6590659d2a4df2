// What a push would come to against the quotas: what is said happens, and saying it changes nothing.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ADMIN_KEY, type Answer, type App, Stage, cost } from "./stage.ts";

let stage: Stage;
before(async () => {
  stage = await Stage.start({ bindings: { LEDGER_SHARDS: "1" } });
});
after(() => stage.stop());

const simulate = (app: App, body: object): Promise<Answer> => stage.ask("POST", "/v1/quota:simulate", app.key, body);
const quota = (app: App) => stage.must("GET", "/v1/quota", app.key);
const DAYS = 2 * 86_400;

/** Simulates, and sees that nothing has come of it. */
async function said(app: App, body: object): Promise<any> {
  const [before, seen] = [await quota(app), stage.seen().length];
  const answer = await simulate(app, body);
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual([cost(answer).rows_written, cost(answer).fetches], [0, 0]);
  assert.deepEqual([await quota(app), stage.seen().length], [before, seen]);
  return answer.json;
}

/** Five users with a phone of one vendor each. */
async function five(app: App, vendor: "vivo" | "fcm"): Promise<string[]> {
  const users = ["a", "b", "c", "d", "e"].map((name) => `${vendor}-${name}`);
  const vivo = (user: string, n: number) => stage.device(app, user, `${user}-phone`, { platform: "android", vendor: "vivo", token: `vivo-${n.toString(16).padStart(32, "0")}` });
  await Promise.all(users.map((user, n) => (vendor === "vivo" ? vivo(user, n) : stage.android(app, user))));
  return users;
}

test("what was said happens: three pass, two wait until midnight, or are dropped where there is no time for that", async () => {
  const app = await stage.channels({ quota: { vivo: { follow: { per_day: 3 } } }, over_quota: { follow: ["later", "drop"] } });
  const push = { to: { users: await five(app, "vivo") }, category: "follow", ttl: DAYS };
  const first = await said(app, push);
  const { until, ...counts } = first.accounts.vivo;
  assert.deepEqual(counts, { deliveries: 5, pass: 3, downgraded: 0, wait: 2, dropped: 0 });
  assert.deepEqual({ ...first, accounts: Object.keys(first.accounts) }, { category: "follow", users: 5, unknown: 0, accounts: ["vivo"], skipped: {}, held: 0 });
  const sent = (await stage.push(app, push)).json;
  assert.deepEqual(sent.counts, { accepted: 3, held: 2 });
  for (const held of sent.deliveries.filter(({ state }: any) => state === "held")) assert.deepEqual([held.reason, held.until], ["quota", until]);

  assert.deepEqual((await said(app, push)).accounts.vivo, { deliveries: 5, pass: 0, downgraded: 0, wait: 5, dropped: 0, until });
  const now = { ...push, ttl: 0 };
  const { until: end, ...dropped } = (await said(app, now)).accounts.vivo;
  assert.deepEqual(dropped, { deliveries: 5, pass: 0, downgraded: 0, wait: 0, dropped: 5 });
  const skipped = (await stage.push(app, now)).json;
  assert.deepEqual(skipped.counts, { skipped: 5 });
  assert.deepEqual([skipped.deliveries[0].reason, skipped.deliveries[0].until], ["quota", end]);
  // Another category has all of its quota.
  assert.equal((await said(app, { ...push, category: "marketing" })).accounts.vivo.pass, 5);
});

test("what would go lower is said, and goes lower", async () => {
  const quota = { vivo: { order: { per_day: 1 }, marketing: { per_day: 2 } } };
  const app = await stage.channels({ quota, over_quota: { order: ["downgrade", "later"] } });
  const push = { to: { users: await five(app, "vivo") }, category: "order", ttl: DAYS };
  const { until: _, ...counts } = (await said(app, push)).accounts.vivo;
  assert.deepEqual(counts, { deliveries: 5, pass: 1, downgraded: 2, wait: 2, dropped: 0 });
  const { counts: sent, deliveries } = (await stage.push(app, push)).json;
  assert.deepEqual([sent, deliveries.filter(({ downgraded }: any) => downgraded).length], [{ accepted: 3, held: 2 }, 2]);
});

test("whom and what for are enough, whatever the vendor", async () => {
  const app = await stage.app({ quota: { fcm: { marketing: { per_day: 3 } } } });
  const users = await five(app, "fcm");
  await stage.iphone(app, users[0] as string);
  await stage.iphone(app, "denied", "denied-iphone", { permission: "denied" });
  const to = { users: [...users, users[0], "denied", "nobody"] };
  const { until, ...all } = await said(app, { to }).then(({ accounts, ...rest }) => ({ ...rest, apns: accounts.apns, fcm: { ...accounts.fcm, until: undefined }, until: accounts.fcm.until }));
  assert.deepEqual(all, {
    category: "marketing",
    users: 7,
    unknown: 0,
    skipped: { no_device: 1, permission_off: 1 },
    held: 0,
    apns: { deliveries: 1, pass: 1, downgraded: 0, wait: 0, dropped: 0 },
    fcm: { deliveries: 5, pass: 3, downgraded: 0, wait: 0, dropped: 2, until: undefined },
  });
  const { counts, deliveries } = (await stage.push(app, { to })).json;
  assert.deepEqual(counts, { accepted: 4, skipped: 4 });
  const why = deliveries.filter(({ state }: any) => state === "skipped").map(({ reason }: any) => reason);
  assert.deepEqual(why.sort(), ["no_device", "permission_off", "quota", "quota"]);
  assert.equal(deliveries.find(({ reason }: any) => reason === "quota").until, until);
});

test("a vendor's refusal counts, devices and tokens may be named, and a personal push is simulated from copies", async () => {
  const app = await stage.channels({}, { vivo: { per_day: 1 } });
  const [user] = await five(app, "vivo");
  const tokens = ["1", "2"].map((n) => ({ vendor: "vivo", token: `vivo-${n.padStart(32, "f")}` }));
  const to = { devices: [{ user, device: `${user}-phone` }, { user, device: "other" }], tokens };
  const sent = async (n: number) => (await stage.push(app, { to: { tokens: [tokens[n]] } })).json.deliveries[0];
  assert.equal((await sent(0)).state, "accepted");
  assert.equal((await sent(1)).reason, "quota");
  const closed = await said(app, { to });
  const { until, ...counts } = closed.accounts.vivo;
  assert.deepEqual([counts, closed.skipped, closed.users], [{ deliveries: 3, pass: 0, downgraded: 0, wait: 0, dropped: 3 }, { no_device: 1 }, 1]);
  const [limit] = (await quota(app)).accounts.vivo.limits;
  assert.equal(until, limit.closed_until);

  await stage.copies(app, ["copied"]);
  const personal = await simulate(app, { to: { users: ["copied"] }, category: "im" });
  assert.deepEqual(personal.json.accounts, { apns: { deliveries: 1, pass: 1, downgraded: 0, wait: 0, dropped: 0 } });
  assert.equal(cost(personal).kv_reads, 1);
});

test("a small audience is counted, a large one by a sample that is spread over it", async () => {
  const app = await stage.app({ quota: { apns: { marketing: { per_day: 1_000 } } } });
  const names = Array.from({ length: 2_500 }, (_, n) => `u${n}`);
  await stage.copies(app, names.filter((_, n) => n % 2 === 0));
  const put = (id: string, users: string[]) => stage.must("PUT", `/v1/audiences/${id}`, app.key, users.join("\n"));
  await put("small", names.slice(0, 40));
  const small = await said(app, { to: { audience: "small" } });
  assert.deepEqual(small, {
    category: "marketing",
    users: 40,
    unknown: 0,
    accounts: { apns: { deliveries: 20, pass: 20, downgraded: 0, wait: 0, dropped: 0 } },
    skipped: { no_device: 20 },
    held: 0,
  });

  await put("spring", names);
  const { accounts, ...large } = await said(app, { to: { audience: "spring" } });
  // Of 500 in the sample without a copy 300 are asked for.
  assert.deepEqual(large, { category: "marketing", users: 2_500, unknown: 500, skipped: { no_device: 750 }, held: 0, sampled: 1_000, of: 2_500 });
  const { until, ...apns } = accounts.apns;
  assert.deepEqual(apns, { deliveries: 1_250, pass: 1_000, downgraded: 0, wait: 0, dropped: 250 });
  assert.ok(Date.parse(until) > Date.now());
});

test("ten thousand users in one request", async () => {
  const app = await stage.app();
  const names = Array.from({ length: 10_000 }, (_, n) => `many${n}`);
  await stage.copies(app, names.slice(0, 500));
  const answer = await simulate(app, { to: { users: names } });
  assert.equal(answer.status, 200, answer.text);
  const { users, unknown, accounts, skipped } = answer.json;
  assert.deepEqual([users, accounts.apns.deliveries, skipped.no_device + unknown], [10_000, 500, 9_500]);
  const { kv_reads, object_calls, rows_written } = cost(answer);
  assert.equal(kv_reads, 10_000);
  assert.ok(object_calls <= 320 && rows_written === 0, answer.headers.get("edgepush-cost") ?? "");
});

test("asking leaves no trace: who was simulated was not pushed to", async () => {
  const app = await stage.app();
  await stage.iphone(app, "real");
  await said(app, { to: { users: ["ghost"] } });
  assert.equal((await stage.push(app, { to: { users: ["real"] } })).json.counts.accepted, 1);
  const asked = async () => (await stage.must("GET", "/v1/devices/health", app.key)).users_without_device.reduce((sum: number, { users }: any) => sum + users, 0);
  assert.equal(await asked(), 0);
  await stage.push(app, { to: { users: ["ghost"] } });
  assert.equal(await asked(), 1, "a push would have been noted by now");
});

test("it takes the scope read, a body that is right, and an audience that is there", async () => {
  const app = await stage.app();
  const { key } = await stage.must("POST", `/v1/apps/${app.id}/keys`, ADMIN_KEY, { scopes: ["push", "devices"] });
  const refused = async (body: unknown, by = app.key) => {
    const { status, json } = await stage.ask("POST", "/v1/quota:simulate", by, body);
    return [status, json.code, json.pointer];
  };
  const to = { users: ["u"] };
  assert.deepEqual(await refused({ to }, key), [403, "missing_scope", undefined]);
  assert.deepEqual(await refused({ to }, "epk_x_y"), [401, "unauthorized", undefined]);
  assert.deepEqual(await refused({ to: { audience: "none" } }), [404, "unknown_audience", undefined]);
  assert.deepEqual(await refused("{"), [400, "invalid_json", undefined]);
  assert.deepEqual(await refused({ category: "im" }), [400, "missing_field", "/to"]);
  assert.deepEqual(await refused({ to, category: "promo" }), [400, "invalid_value", "/category"]);
  assert.deepEqual(await refused({ to: { users: ["u", ".."] } }), [400, "invalid_id", "/to/users/1"]);
  assert.deepEqual(await refused({ to, notifcation: {} }), [400, "unknown_field", "/notifcation"]);
  assert.deepEqual(await refused({ to, send: { at: "2030-01-01T00:00:00Z" } }), [400, "invalid_value", "/send"]);
  assert.deepEqual(await refused({ to: { tokens: [{ vendor: "fcm", token: "a/b" }] } }), [400, "invalid_token", "/to/tokens/0/token"]);
  assert.equal((await stage.ask("GET", "/v1/quota:simulate", app.key)).status, 405);
});
